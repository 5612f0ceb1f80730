/*
 * plugins/snapshot-overlay/overlay.h - views and active layers as overlayfs mounts.
 *
 * Every mount is detached: it is reached by descriptors only, is in no namespace, and goes
 * with the last descriptor, also when the process is killed.
 *
 * Options, and why:
 *      metacopy=off            a file whose metadata changed is copied whole, so that an
 *                              upper directory is a layer by itself
 *      redirect_dir=nofollow   a directory that is renamed is copied by who renames it
 *                              (EXDEV), for the same reason; and no layer from outside can
 *                              point elsewhere
 *      index=off               a layer's lower stack is a list, not what it was made on
 *      xino=off                inode numbers are those of the layers, which are on one
 *                              file system
 *      volatile                the core syncs the file system when it records the layer
 *      userxattr               in a user namespace, where trusted.* is not permitted
 */
#ifndef SLIPWAY_SNAPSHOT_OVERLAY_H
#define SLIPWAY_SNAPSHOT_OVERLAY_H

#include "lib/snapdir/snapdir.h"

enum overlay_api {
        OVERLAY_AUTO,    /* the mount API of Linux 6.7, else mount(2) */
        OVERLAY_NEW,     /* the former only */
        OVERLAY_CLASSIC, /* the latter only */
};

struct overlay {
        struct snapdir *dir;
        enum overlay_api api;
        atomic_bool has_places; /* overlay_places() was here */
};

/* What to mount. Paths are relative to the store. */
struct overlay_plan {
        SW_ARRAY(char *) lower; /* top first; owned */
        sw_str upper, work;     /* NULL: a read-only view */
};

void overlay_plan_release(struct overlay_plan *p);
typedef struct overlay_plan overlay_plan;
SW_DEFINE_AUTO(overlay_plan, overlay_plan_release)

/* The lower directories of a stack, at least @least of them; fewer than the kernel's limit.
 */
sw_err *overlay_plan_stack(struct overlay *o, sw_ctx *ctx, const struct snapdir_stack *st,
                           size_t least, struct overlay_plan *out);
/* Mount; *treefd is handed back, or -1 when the kernel can only hand back a directory on
 * an attached mount, which is then *dirfd. Otherwise *dirfd is left alone. */
sw_err *overlay_mount_plan(struct overlay *o, const struct overlay_plan *p, int *treefd,
                           int *dirfd);
/* With mount(2) in a mount namespace that goes with the thread that made it. */
sw_err *overlay_mount_classic(struct overlay *o, const struct overlay_plan *p, int *treefd,
                              int *dirfd);

/* Where it is, in the store. */
#define OVERLAY_PLACES "e/places"
/* Have the directory there that is put below the root of a container. */
sw_err *overlay_places(struct overlay *o);

sw_err *overlay_probe(void *self, sw_ctx *ctx, int dirfd);
sw_err *overlay_view(void *store, sw_ctx *ctx, const struct sw_stack *stack,
                     struct sw_snapshot_mount *out);
sw_err *overlay_mount(void *store, sw_ctx *ctx, const char *key,
                      struct sw_snapshot_mount *out);
sw_err *overlay_mount_root(void *store, sw_ctx *ctx, const char *key,
                           struct sw_snapshot_mount *out);
sw_err *overlay_unmount(void *store, struct sw_snapshot_mount *m);
sw_err *overlay_commit(void *store, sw_ctx *ctx, const char *key);

#endif
