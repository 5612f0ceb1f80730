/*
 * core/store/metafile.h - the files of the metadata environment, before LMDB has them open
 * and after: locks, damage, how they were left. For meta.c.
 *
 *      sw__metafile_enter()     nobody else can come in now; maybe nobody else is there
 *      sw__metafile_inspect()   when alone: data.mdb is sound, or was set aside
 *      ... LMDB opens the files ...
 *      sw__metafile_stay()      others may come in; we count as one who is there
 *      ...
 *      sw__metafile_leave()     LMDB has closed them
 */
#ifndef SLIPWAY_CORE_STORE_METAFILE_H
#define SLIPWAY_CORE_STORE_METAFILE_H

#include <sys/types.h>

#include <slipway/error.h>
#include <slipway/log.h>

struct sw__metafile {
        int dirfd, users; /* -1: not open */
        sw_log *log;      /* borrowed; may be NULL */
        int newest;       /* schema that this program knows */
        bool alone;       /* nobody else has the environment open */
        ino_t ino;        /* of the data.mdb that LMDB has open */
        bool doubt;       /* somebody saw damage: the next one shall inspect */
};

/** sw__metafile_enter - open @dir, made if missing, and wait for the lock that everybody
 *  holds while opening. Errors: SW_E_DENIED, SW_E_IO, SW_E_BUSY (this process has it open
 *  already, which LMDB cannot bear). */
SW_NODISCARD sw_err *sw__metafile_enter(struct sw__metafile *f, const char *dir);

/** sw__metafile_inspect - only when alone: see that LMDB can map data.mdb, and can open
 *  lock.mdb. Errors: SW_E_UNSUPPORTED, SW_E_DENIED, SW_E_IO. */
SW_NODISCARD sw_err *sw__metafile_inspect(struct sw__metafile *f);

/** sw__metafile_set_aside - only when alone: rename data.mdb, and say so in the log. */
SW_NODISCARD sw_err *sw__metafile_set_aside(struct sw__metafile *f, const sw_err *why);

SW_NODISCARD sw_err *sw__metafile_stay(struct sw__metafile *f);

/** sw__metafile_leave - @sound: data.mdb passed inspection, by us or those before us. */
void sw__metafile_leave(struct sw__metafile *f, bool sound);

/** sw__metafile_read_schema - the text of a stored schema number. False: it is none.
 *  The text has the number twice, "1 1": a number of which a bit was flipped shall be found
 *  damaged and not be taken for that of a newer program. */
bool sw__metafile_read_schema(const char *text, int64_t *out);

/** sw__metafile_too_new - the error for a schema above @newest. */
SW_NODISCARD sw_err *sw__metafile_too_new(int64_t schema, int newest);

#endif
