/*
 * core/store/content_priv.h - what content.c and ingest.c share.
 *
 *      blobs/sha256/<hex>   a blob, whole, right and on the disk
 *      ingest/<hex>         on its way in; <hex> is the SHA-256 of the ingest's name. Who
 *                           writes it has an exclusive flock(2) on it
 *
 * An ingest that nobody has locked can be resumed; it is swept when nobody touched it for a
 * day, and by prune.
 */
#ifndef SLIPWAY_CORE_STORE_CONTENT_PRIV_H
#define SLIPWAY_CORE_STORE_CONTENT_PRIV_H

#include <sys/stat.h>

#include <slipway/content.h>
#include <slipway/log.h>

struct sw_content {
        sw_log *log;
        int blobs, ingests; /* directories */
        /* hold - before a blob gets its name, and before one that is there is relied on: it
         * is not to be removed under this process. NULL: nobody removes any. */
        sw_err *(*hold)(void *arg, const sw_digest *d);
        void *hold_arg;
};

/** sw__content_open - @rootfd: borrowed until return. @read_only: nothing is made: what is
 *  not there is empty. Sweeps ingests of yesterday. */
SW_API SW_NODISCARD sw_err *sw__content_open(int rootfd, sw_log *log, bool read_only,
                                             sw_content **out);
SW_API void sw__content_close(sw_content *c); /* NULL is fine */
/** sw__content_sweep - remove ingests that nobody writes and that are older than @age
 *  (ns). */
SW_API SW_NODISCARD sw_err *sw__content_sweep(sw_content *c, int64_t age);

/** sw__content_err - @e while doing @what with a blob: SW_E_NOT_FOUND, SW_E_DENIED or
 *  SW_E_IO. */
SW_NODISCARD sw_err *sw__content_err(int e, const char *what, const char *name);

#endif
