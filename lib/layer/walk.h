/*
 * lib/layer/walk.h - tell a layer writer everything that is in a directory.
 *
 * Entries of a directory come in the order of their names (by bytes), a directory before
 * what is in it. Other names of a file that was told are told as hard links. No symlink is
 * followed, no device is opened, and descriptors stay few however deep the tree is. The
 * attributes that overlayfs keeps its own state in are left out.
 * Thread: the caller's.
 */
#ifndef SLIPWAY_LIB_LAYER_WALK_H
#define SLIPWAY_LIB_LAYER_WALK_H

#include <slipway/layer.h>

struct sw_walk_opts {
        bool no_root;   /* leave out the directory itself ("") */
        bool no_xattrs; /* tell none */
        int64_t epoch;  /* ns: this instead of every modification time; -1: as they are */
        const char *prefix; /* put before every path, "linux_amd64"; told as a directory by
                               the caller; NULL: none */
};

/** sw_layer_walk - @dirfd: borrowed, a directory that can be read. finish() is the
 *  caller's. Errors: SW_E_IO, SW_E_DENIED naming the path, what the writer says,
 *  SW_E_CANCELLED. */
SW_NODISCARD sw_err *sw_layer_walk(sw_ctx *ctx, int dirfd, const struct sw_walk_opts *opts,
                                   const struct sw_layer_ops *ops, void *w);

#endif
