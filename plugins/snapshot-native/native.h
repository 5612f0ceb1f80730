/*
 * plugins/snapshot-native/native.h - trees as plain directories.
 *
 * Layers are kept in diff form (lib/snapdir), as snapshot-overlay keeps them. A view of one
 * layer that hides nothing is that layer's directory; of several, a directory in which they
 * are put together, whose files are further names of theirs: it takes no space but for
 * directories, and is kept for the next one who views the stack. A tree that can be written
 * is a copy, with reflinks where the file system has them; what was changed in it goes into
 * the layer when it is unmounted. On top of nothing it is the layer's directory itself.
 *
 * Where mounting is permitted, a tree is handed out as a detached bind mount, a view as a
 * read-only one. Where it is not, as a directory: that nobody writes to a view is then up
 * to who has it.
 */
#ifndef SLIPWAY_SNAPSHOT_NATIVE_H
#define SLIPWAY_SNAPSHOT_NATIVE_H

#include "lib/snapdir/snapdir.h"

/* What snapshot-native does; the contract suite tests itself with a faulty copy of it. */
extern const struct sw_snapshotter_ops native_ops;

sw_err *native_probe(void *self, sw_ctx *ctx, int dirfd);
sw_err *native_view(void *store, sw_ctx *ctx, const struct sw_stack *stack,
                    struct sw_snapshot_mount *out);
sw_err *native_mount(void *store, sw_ctx *ctx, const char *key,
                     struct sw_snapshot_mount *out);
sw_err *native_unmount(void *store, struct sw_snapshot_mount *m);

#endif
