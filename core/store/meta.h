/*
 * core/store/meta.h - the metadata environment: LMDB below <root>/meta.
 *
 * Several processes may have it open at once; LMDB serialises writers. Commits do not wait
 * for the disk: a thread of this module syncs behind them. So after kill -9 every commit is
 * there; after a power failure the last second may be gone or the file damaged.
 *
 * A damaged file never stops the program: it is found before LMDB maps it (lmdbcheck.h),
 * set aside as data.mdb.damaged-<time>, and a new one is begun. So is what cannot be read
 * at all, and a `users` that is no file. The newest three of each are kept (aside.h).
 * Looking takes time in proportion to the file, so it is done only when nobody else has it
 * open and the file is not exactly as the last process left it when it closed.
 *
 *      meta/data.mdb lock.mdb   LMDB's own
 *      meta/users               locks: who opens, who has it open (metafile.c)
 *      meta/clean               how the last process left it
 *      meta/spare               room for when the disk is full (spare.h)
 *
 * Thread: open and close by one; everything else any.
 */
#ifndef SLIPWAY_CORE_STORE_META_H
#define SLIPWAY_CORE_STORE_META_H

#include <lmdb.h>

#include <slipway/error.h>
#include <slipway/log.h>

SW_BEGIN_DECLS

/* Raised when a stored form changes; an older one is migrated, a newer one refused. */
#define SW_META_SCHEMA 1

/* The databases of schema 1. Keys and values: core/solver/keystore_lmdb.c, and from REFS on
 * core/store/record.h; HISTORY: core/engine/history.h. A file made before those were
 * thought of gains them. */
enum sw_meta_db {
        SW_META_LINKS,     /* "links"     dupsort */
        SW_META_BACKLINKS, /* "backlinks" dupsort */
        SW_META_RECORDS,   /* "records" */
        SW_META_BYRESULT,  /* "byresult"  dupsort */
        SW_META_NOTES,     /* "notes" */
        SW_META_REFS,      /* "refs" */
        SW_META_CHILDREN,  /* "children"  dupsort */
        SW_META_NAMES,     /* "names"     dupsort */
        SW_META_HOLDERS,   /* "holders"   dupsort */
        SW_META_DOOMED,    /* "doomed" */
        SW_META_STORE,     /* "store" */
        SW_META_BLOBS,     /* "blobs"     dupsort */
        SW_META_KEPT,      /* "kept"      dupsort */
        SW_META_IMAGES,    /* "images" */
        SW_META_HISTORY,   /* "history" */
        SW_META_N_DBS
};

typedef struct sw_meta sw_meta;

/**
 * sw__meta_open - open or make the environment.
 * @dir: made with mode 0700 if missing; its parent must exist.
 * @log: borrowed until close; may be NULL. Told when a damaged file is set aside.
 * Errors: SW_E_UNSUPPORTED (schema is newer than this program; nothing was changed),
 * SW_E_BUSY (this process has it open already), SW_E_IO, SW_E_DENIED.
 * Blocks: while another process opens it.
 */
SW_API SW_NODISCARD sw_err *sw__meta_open(const char *dir, sw_log *log, sw_meta **out);

/** sw__meta_open_within - with a map of at most @map_max bytes, as where address space is
 *  limited: for tests. */
SW_API SW_NODISCARD sw_err *sw__meta_open_within(const char *dir, sw_log *log,
                                                 size_t map_max, sw_meta **out);

/** sw__meta_close - sync and close; NULL is fine. No transaction may be open. */
SW_API void sw__meta_close(sw_meta *m);

SW_API MDB_env *sw__meta_env(const sw_meta *m);
SW_API MDB_dbi sw__meta_dbi(const sw_meta *m, enum sw_meta_db db);

/** sw__meta_begin - a transaction; for writing, room is made where a full disk has none.
 *  Errors: as sw__meta_failed(). @doing: begins the message. */
SW_API SW_NODISCARD sw_err *sw__meta_begin(sw_meta *m, bool write, MDB_txn **txn,
                                           const char *doing);

/** sw__meta_committed - a transaction was committed: have it synced behind. */
SW_API void sw__meta_committed(sw_meta *m);

/** sw__meta_touched - a transaction was committed whose loss would not matter (who uses
 *  what): the disk is told to begin writing at close, and nobody waits for it. */
SW_API void sw__meta_touched(sw_meta *m);

/** sw__meta_err - an error from LMDB's @rc. SW_E_IO, SW_E_DENIED, SW_E_NOMEM, or
 *  SW_E_CORRUPT. */
SW_API SW_NODISCARD sw_err *sw__meta_err(int rc, const char *what);

/** sw__meta_failed - the same for what went wrong with an open environment: after damage
 *  the next process to open it looks for it. Also SW_E_LIMIT: no room in the map. */
SW_API SW_NODISCARD sw_err *sw__meta_failed(sw_meta *m, int rc, const char *what);

SW_DEFINE_AUTOPTR(sw_meta, sw__meta_close)

SW_END_DECLS
#endif
