/*
 * core/store/root.h - one root directory, opened by one process: everything of it together.
 *
 *      <root>/VERSION            "1\n"; an older one is migrated, a newer one refused
 *      <root>/content/           slipway/content.h
 *      <root>/meta/              core/store/meta.h
 *      <root>/snapshots/<name>/  the snapshotter's
 *      <root>/leases/<id>        flock held by the process that owns the lease
 *      <root>/locks              see core/store/worklock.h; has no bytes
 *      <root>/state/<plugin>/    sw_worker_state_dir()
 *      <root>/logs/              whole logs of steps
 *      <root>/history/           stories of builds (core/engine/history.h)
 *      <root>/hashes/            content hashes of refs (core/contenthash)
 *
 * Thread: open and close by one; everything else any.
 */
#ifndef SLIPWAY_CORE_STORE_ROOT_H
#define SLIPWAY_CORE_STORE_ROOT_H

#include <slipway/content.h>
#include <slipway/host.h>
#include <slipway/source.h>
#include <slipway/worker.h>

#include "core/store/meta.h"

SW_BEGIN_DECLS

typedef struct sw_root sw_root;

struct sw_root_opts {
        const char *path; /* made with mode 0711 if missing, parents too */
        sw_host *host;    /* where the snapshotter comes from; borrowed until close */
        const char *snapshotter; /* "auto": the best that works here */
        sw_log *log;             /* borrowed; may be NULL */
        bool read_only;          /* for du: nothing is made or swept */
        const char *boot;        /* for tests: id of another boot; NULL: that of now */
};

/**
 * sw__root_open - open or make it, sweep what dead processes left (active layers, ingests,
 * leases), drop refs that a power failure may have damaged.
 * The snapshotter is chosen at the first call that needs it, so that a build that is cached
 * whole does not load it.
 * Errors: SW_E_UNSUPPORTED (newer schema; no snapshotter works, with each one's reason),
 * SW_E_DENIED, SW_E_IO.
 */
SW_API SW_NODISCARD sw_err *sw__root_open(const struct sw_root_opts *opts, sw_root **out);
/** sw__root_close - every ref was let go of. */
SW_API void sw__root_close(sw_root *r);

/** sw__root_use_snapshotter - for tests: take this table instead of a plugin's. Before the
 *  first use of the worker. */
SW_API void sw__root_use_snapshotter(sw_root *r, const char *name,
                                     const struct sw_snapshotter_ops *ops, void *self);

/** sw__root_use_source - for tests: ask this one for the blobs of lazy layers, whatever
 *  their origin. */
SW_API void sw__root_use_source(sw_root *r, const struct sw_source_ops *ops, void *self);

SW_API int sw__root_fd(const sw_root *r); /* of <root>, for reading; borrowed */
SW_API sw_meta *sw__root_meta(sw_root *r);
SW_API sw_worker *sw__root_worker(sw_root *r);
SW_API const char *sw__root_worker_id(sw_root *r); /* 25 characters, kept in the root */

SW_DEFINE_AUTOPTR(sw_root, sw__root_close)

SW_END_DECLS
#endif
