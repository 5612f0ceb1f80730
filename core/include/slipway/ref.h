/*
 * slipway/ref.h - results as plugins see them: immutable trees.
 *
 * A ref is counted and may be used from any thread. What stands behind it (an overlay
 * snapshot, a plain directory, something that is not a directory at all) is known only
 * to who made it, through struct sw_ref_ops.
 */
#ifndef SLIPWAY_REF_H
#define SLIPWAY_REF_H

#include <slipway/ctx.h>

SW_BEGIN_DECLS

typedef struct sw_ref sw_ref;
typedef struct sw_tree sw_tree;

/* How a provider implements refs. Grows at the end only; size is sizeof as compiled. */
struct sw_ref_ops {
        uint32_t size;
        /* open_tree - a read-only view; *dirfd is handed back, *view goes to close_tree. */
        sw_err *(*open_tree)(void *self, sw_ctx *ctx, int *dirfd, void **view);
        sw_err *(*close_tree)(void *self, void *view);
        /* release - the last reference is gone; must not block. */
        void (*release)(void *self);
};

/** sw_ref_new - @id: copied, names the ref in messages. @ops, @self: live until release. */
SW_API sw_ref *sw_ref_new(const char *id, const struct sw_ref_ops *ops, void *self);
/** sw_ref_new_dir - a ref over a directory that the caller keeps unchanged.
 *  @dirfd: given. For embedders and tests. */
SW_API sw_ref *sw_ref_new_dir(const char *id, int dirfd);
SW_API sw_ref *sw_ref_ref(sw_ref *r);
SW_API void sw_ref_unref(sw_ref *r); /* never blocks */
SW_API const char *sw_ref_id(const sw_ref *r);

/**
 * sw_ref_open - look at the tree.
 * @out: handed back; its directory stays the same and readable until closed.
 * Blocks: yes.   Errors: SW_E_CANCELLED, SW_E_IO, SW_E_UNSUPPORTED.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_ref_open(sw_ctx *ctx, sw_ref *r, sw_tree **out);
SW_API int sw_tree_fd(const sw_tree *t); /* borrowed directory descriptor */
/** sw_tree_close - give the view back. @t: given. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_tree_close(sw_tree *t);
/** sw_tree_drop - close, with errors dropped: for error paths. */
SW_API void sw_tree_drop(sw_tree *t);

SW_DEFINE_AUTOPTR(sw_ref, sw_ref_unref)
SW_DEFINE_AUTOPTR(sw_tree, sw_tree_drop)

SW_END_DECLS
#endif
