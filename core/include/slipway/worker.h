/*
 * slipway/worker.h - what stores trees: new layers, merges, diffs, look-ups by name.
 *
 * The worker joins a snapshotter, the metadata and the content store of one root. A plugin
 * gets it with its request and makes refs through it:
 *
 *      sw_worker_layer -> sw_layer_write (or sw_layer_mount) -> sw_layer_commit | _abandon
 *
 * A ref that was committed stays in the store, found by its id or by the names it was
 * given, until it is pruned; while somebody holds an sw_ref of it, it is leased and cannot
 * be.
 *
 * Thread: any; a layer belongs to one thread at a time.   All of it blocks. @ctx: borrowed,
 * may be NULL. Errors everywhere: SW_E_IO, SW_E_CANCELLED, SW_E_UNSUPPORTED (a ref that is
 * no stack of layers), and those of the snapshotter.   Since: 0.1
 */
#ifndef SLIPWAY_WORKER_H
#define SLIPWAY_WORKER_H

#include <slipway/layer.h>
#include <slipway/ref.h>
#include <slipway/snapshotter.h>

SW_BEGIN_DECLS

typedef struct sw_worker sw_worker;
typedef struct sw_layer sw_layer; /* being made */

/* What is said of a ref. Grows at the end only; strings are copied. */
struct sw_ref_desc {
        uint32_t size;
        const char *description; /* for people: "pulled from …"; NULL: ""; UTF-8, of
                                    which the first 4 KiB are kept */
        /* "regular" (also NULL), "internal", "frontend", "source.local",
         * "source.git.checkout", "exec.cachemount" */
        const char *type;
        /* mutable: it is kept after commit as something to write on again, by one user at a
         * time (a cache mount, a git repository): see sw_worker_take(). */
        bool is_mutable;
        int64_t created; /* ns since the epoch; 0: now */
};
#define SW_REF_DESC(...)                                                                   \
        (&(const struct sw_ref_desc){ .size = sizeof(struct sw_ref_desc), __VA_ARGS__ })

/**
 * sw_worker_layer - begin a new tree on top of another.
 * @parent: borrowed; NULL: on nothing. A ref that is no stack of layers (a directory of
 *          somebody else's) is SW_E_UNSUPPORTED.
 * @out:    handed back.
 * Blocks: yes.   Errors: SW_E_IO, SW_E_CANCELLED.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_worker_layer(sw_worker *w, sw_ctx *ctx, sw_ref *parent,
                                            const struct sw_ref_desc *desc, sw_layer **out);
/** sw_layer_write - a writer; end it with finish() or abandon() before anything else. */
SW_API SW_NODISCARD sw_err *sw_layer_write(sw_layer *l, sw_ctx *ctx,
                                           const struct sw_layer_ops **ops, void **w);
/** sw_layer_mount - the tree as a writable directory; @m: borrowed until
 *  sw_layer_unmount(). */
SW_API SW_NODISCARD sw_err *sw_layer_mount(sw_layer *l, sw_ctx *ctx,
                                           const struct sw_snapshot_mount **m);
/** sw_layer_mount_root - the same, to be the root of a container: what every container
 *  mounts on is there, where the snapshotter can do that (mount_root). */
SW_API SW_NODISCARD sw_err *sw_layer_mount_root(sw_layer *l, sw_ctx *ctx,
                                                const struct sw_snapshot_mount **m);
SW_API SW_NODISCARD sw_err *sw_layer_unmount(sw_layer *l, sw_ctx *ctx);
/** sw_layer_commit - @l: given, also on error (it is abandoned then). @out: handed back. */
SW_API SW_NODISCARD sw_err *sw_layer_commit(sw_layer *l, sw_ctx *ctx, sw_ref **out);
/** sw_layer_abandon - unmount and remove. @l: given; NULL is fine. */
SW_API void sw_layer_abandon(sw_layer *l);
SW_API const char *sw_layer_id(const sw_layer *l); /* the id of the ref to be */

/** sw_worker_merge - the layers of all refs, later ones on top; NULLs among @refs are
 *  skipped. @out: handed back; NULL when all are NULL; the ref itself if there is one. */
SW_API SW_NODISCARD sw_err *sw_worker_merge(sw_worker *w, sw_ctx *ctx, sw_ref *const *refs,
                                            size_t n, const struct sw_ref_desc *desc,
                                            sw_ref **out);
/** sw_worker_diff - what @upper has over @lower, whiteouts included; each may be NULL.
 *  @out: NULL when there is no difference. */
SW_API SW_NODISCARD sw_err *sw_worker_diff(sw_worker *w, sw_ctx *ctx, sw_ref *lower,
                                           sw_ref *upper, const struct sw_ref_desc *desc,
                                           sw_ref **out);
/** sw_ref_diff - tell a layer writer what changes from @lower (NULL: the empty tree) to
 *  @upper; rules as sw_snapshotter_ops.diff. Both are of this worker. */
SW_API SW_NODISCARD sw_err *sw_ref_diff(sw_worker *w, sw_ctx *ctx, sw_ref *lower,
                                        sw_ref *upper, const struct sw_layer_ops *ops,
                                        void *writer);
/** sw_ref_parent - what it was made on, handed back; NULL for the bottom layer and for a
 *  ref that has no one parent (merge, diff). */
SW_API SW_NODISCARD sw_err *sw_ref_parent(sw_worker *w, sw_ctx *ctx, sw_ref *r,
                                          sw_ref **out);

/* ---- Finding again ---- */

/** sw_worker_load - by id; @out: leased and handed back. Errors: SW_E_NOT_FOUND. */
SW_API SW_NODISCARD sw_err *sw_worker_load(sw_worker *w, sw_ctx *ctx, const char *id,
                                           sw_ref **out);
/** sw_worker_find - the newest one that has the name @name ("chainid:sha256:…"); NULL when
 *  there is none. */
SW_API SW_NODISCARD sw_err *sw_worker_find(sw_worker *w, sw_ctx *ctx, const char *name,
                                           sw_ref **out);
/** sw_ref_add_name - have sw_worker_find() find it; at most 400 bytes. */
SW_API SW_NODISCARD sw_err *sw_ref_add_name(sw_worker *w, sw_ctx *ctx, sw_ref *r,
                                            const char *name);
/**
 * sw_worker_take - a mutable tree to write on, for one user at a time, across processes.
 * @name:  all trees that were committed or released under it are the same to the caller.
 * @parent, @desc: for a new one, when there is none that is free.
 * @out:   handed back. NULL when @wait is false, there are some, all are taken, and
 *         @only_existing is true.
 * sw_layer_release() puts it back, written or not; sw_layer_abandon() drops it for good.
 */
SW_API SW_NODISCARD sw_err *sw_worker_take(sw_worker *w, sw_ctx *ctx, const char *name,
                                           sw_ref *parent, const struct sw_ref_desc *desc,
                                           bool wait, bool only_existing, sw_layer **out);
SW_API SW_NODISCARD sw_err *sw_layer_release(sw_layer *l, sw_ctx *ctx);

/** sw_worker_state_dir - a directory in which the plugin @kind_slash_name may keep state of
 *  its own, across builds (a stat cache); *dirfd handed back. It counts as disk usage and
 *  prune may empty it: what is in it can be made again. */
SW_API SW_NODISCARD sw_err *sw_worker_state_dir(sw_worker *w, const char *kind_slash_name,
                                                int *dirfd);

SW_DEFINE_AUTOPTR(sw_layer, sw_layer_abandon)

SW_END_DECLS
#endif
