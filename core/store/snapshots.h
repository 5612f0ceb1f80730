/*
 * core/store/snapshots.h - the snapshotter of a root: chosen when it is needed first, and
 * the only way the core calls one. Errors carry the plugin's name.
 *
 * A root keeps the snapshotter it was made with: its layers are of no use to another. The
 * name is stored with the first choice. "auto" is overlay where that works, else native.
 *
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_SNAPSHOTS_H
#define SLIPWAY_CORE_STORE_SNAPSHOTS_H

#include <slipway/host.h>
#include <slipway/snapshotter.h>

#include "core/store/record.h"

typedef struct sw__snapshots sw__snapshots;

struct sw__snapshots_opts {
        int rootfd; /* borrowed */
        sw_meta *meta;
        sw_host *host;      /* or NULL: SW_E_UNSUPPORTED once one is needed */
        const char *wanted; /* "auto", NULL or a name; copied */
        sw_log *log;
};

sw__snapshots *sw__snapshots_new(const struct sw__snapshots_opts *opts);
/** sw__snapshots_use - take this table, under the name @name, instead of asking the host.
 */
void sw__snapshots_use(sw__snapshots *s, const char *name,
                       const struct sw_snapshotter_ops *ops, void *self);
void sw__snapshots_close(sw__snapshots *s); /* NULL is fine */
/** sw__snapshots_ready - choose and open, if that was not done.
 *  Errors: SW_E_UNSUPPORTED, with each one's reason; SW_E_CONFIG: another one is wanted
 *  than the root was made with. */
SW_NODISCARD sw_err *sw__snapshots_ready(sw__snapshots *s, sw_ctx *ctx);

/** sw__snapshots_any - whether the root has one: there can be no layers otherwise. */
SW_NODISCARD sw_err *sw__snapshots_any(sw__snapshots *s, bool *any);

/* The operations; sw__snapshots_ready() is part of each but unmount. */
SW_NODISCARD sw_err *sw__snapshots_prepare(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                           struct sw_stack lower);
SW_NODISCARD sw_err *sw__snapshots_commit(sw__snapshots *s, sw_ctx *ctx, const char *key);
/** sw__snapshots_mount - @root: as that of a container, where there is a difference. */
SW_NODISCARD sw_err *sw__snapshots_mount(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                         bool root, struct sw_snapshot_mount *out);
SW_NODISCARD sw_err *sw__snapshots_view(sw__snapshots *s, sw_ctx *ctx,
                                        struct sw_stack stack,
                                        struct sw_snapshot_mount *out);
SW_NODISCARD sw_err *sw__snapshots_unmount(sw__snapshots *s, struct sw_snapshot_mount *m);
SW_NODISCARD sw_err *sw__snapshots_write(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                         const struct sw_layer_ops **ops, void **w);
SW_NODISCARD sw_err *sw__snapshots_diff(sw__snapshots *s, sw_ctx *ctx,
                                        struct sw_stack lower, struct sw_stack upper,
                                        const struct sw_layer_ops *ops, void *w);
/** sw__snapshots_tell - a layer as it is, or as a change of nothing where the snapshotter
 *  cannot. */
SW_NODISCARD sw_err *sw__snapshots_tell(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                        const struct sw_layer_ops *ops, void *w);
SW_NODISCARD sw_err *sw__snapshots_usage(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                         struct sw_snapshot_usage *out);
/** sw__snapshots_stamp - what usage() would say the size depends on. */
SW_NODISCARD sw_err *sw__snapshots_stamp(sw__snapshots *s, sw_ctx *ctx, const char *key,
                                         uint64_t *out);
SW_NODISCARD sw_err *sw__snapshots_remove(sw__snapshots *s, sw_ctx *ctx, const char *key);
/** sw__snapshots_look - *ops: NULL when the snapshotter cannot; then views are to be taken.
 */
SW_NODISCARD sw_err *sw__snapshots_look(sw__snapshots *s, sw_ctx *ctx,
                                        struct sw_stack stack,
                                        const struct sw_snapshotter_ops **ops, void **look);
SW_NODISCARD sw_err *sw__snapshots_list(sw__snapshots *s, sw_ctx *ctx, sw_snapshot_fn *fn,
                                        void *arg);

#endif
