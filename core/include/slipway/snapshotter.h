/*
 * slipway/snapshotter.h - the snapshotter kind: layers, and views of stacks of them.
 *
 * A *layer* is what changes, whiteouts included, and is named by a key (sw_id_check). It is
 * made *active*, on top of a stack of other layers; written through a mount or a layer
 * writer; then *committed*, after which it never changes. A *stack* is a list of committed
 * layers, bottom first; any list is one, whatever the layers were made on: a ref, a merge
 * and a diff are nothing but different stacks. What the tree of a stack is, is the same in
 * every snapshotter:
 *
 *      - an entry of a higher layer hides what lower ones have under that path, save that
 *        two directories are joined, with the higher one's metadata
 *      - a whiteout hides the path; an opaque directory hides what lower layers have in it
 *
 *      prepare -> mount or write -> commit -> view in stacks ... -> remove
 *
 * Stacks of any height work (2,000 is tested). Files of a snapshotter lie below the
 * directory it was opened on, and only it knows how. Several processes use one directory at
 * once; no key is written by two of them.
 *
 * Thread: any, for different keys at once; one key is written by one thread at a time, but
 * see sw_layer_ops.
 */
#ifndef SLIPWAY_SNAPSHOTTER_H
#define SLIPWAY_SNAPSHOTTER_H

#include <sys/stat.h>

#include <slipway/array.h>
#include <slipway/layer.h>
#include <slipway/plugin.h>

SW_BEGIN_DECLS

struct sw_snapshot_usage {
        int64_t bytes; /* on disk, of this layer alone: what du(1) says of its files, less
                          those that are counted with another layer (share) */
        int64_t inodes;
        uint64_t stamp; /* 0: that is so for ever, once it is committed; else: as long as
                           usage_stamp() tells the same */
};

/* Committed layers, bottom first; borrowed. n == 0: the empty tree. */
struct sw_stack {
        const char *const *keys;
        size_t n;
};

/* A tree that can be looked at. Set by the snapshotter, given back to unmount(). */
struct sw_snapshot_mount {
        uint32_t size; /* sizeof as compiled; set by the caller */
        int dirfd;     /* its root: for openat and the like */
        int treefd;    /* a detached mount that move_mount(2) can attach, whose root is
                          the same directory; -1: dirfd is on a mount that is attached */
        void *handle;  /* the snapshotter's */
};

/* An entry of list(). */
typedef bool sw_snapshot_fn(void *arg, const char *key, bool committed);

/* All of it may block. Errors of all: SW_E_NOT_FOUND (a key), SW_E_IO, SW_E_CANCELLED. */
struct sw_snapshotter_ops {
        struct sw_ops_hdr hdr;
        /** probe - whether it works on @dirfd, where it will keep its data. Required.
         *  Leaves nothing behind. Errors: SW_E_UNSUPPORTED with the reason and the remedy.
         *  Since: 0.1 */
        sw_err *(*probe)(void *self, sw_ctx *ctx, int dirfd);
        /** open - keep data below @dirfd (borrowed until close). Required. What a crash
         * left half made and nobody can name is removed, with care for other processes. */
        sw_err *(*open)(void *self, sw_ctx *ctx, int dirfd, void **store);
        /** close - everything was unmounted. */
        void (*close)(void *self, void *store);
        /** prepare - an active layer @key on @lower. Required.
         *  Errors: SW_E_EXISTS, SW_E_NOT_FOUND (a layer of @lower), SW_E_IO. */
        sw_err *(*prepare)(void *store, sw_ctx *ctx, const char *key,
                           const struct sw_stack *lower);
        /** commit - make an active layer immutable. It was unmounted. After return it
         *  survives the end of the process; a power failure only once the core synced the
         *  file system. Required. */
        sw_err *(*commit)(void *store, sw_ctx *ctx, const char *key);
        /** mount - the active layer @key over its stack, writable. Required. Changes that
         *  are made through it become part of the layer. */
        sw_err *(*mount)(void *store, sw_ctx *ctx, const char *key,
                         struct sw_snapshot_mount *out);
        /** view - the tree of a stack, read-only. Required. */
        sw_err *(*view)(void *store, sw_ctx *ctx, const struct sw_stack *stack,
                        struct sw_snapshot_mount *out);
        /** unmount - of both. @m: given, descriptors too. Required. Never fails half-way:
         *  everything is released, also on error. */
        sw_err *(*unmount)(void *store, struct sw_snapshot_mount *m);
        /** write - a layer writer for an active layer; not while it is mounted. Required.
         *  A layer may get several writers, one after the other. */
        sw_err *(*write)(void *store, sw_ctx *ctx, const char *key,
                         const struct sw_layer_ops **ops, void **w);
        /**
         * diff - tell a layer writer what has to change on @lower's tree to get @upper's.
         * Required. Parents come before what is in them, with their metadata as in
         * @upper; entries of one directory are sorted by name; finish() is the caller's.
         * Equal trees give equal calls in equal order, whatever the stacks are.
         */
        sw_err *(*diff)(void *store, sw_ctx *ctx, const struct sw_stack *lower,
                        const struct sw_stack *upper, const struct sw_layer_ops *ops,
                        void *w);
        /** usage - bytes on disk of an active or committed layer. @key "": of all that the
         *  store has besides; the sum is what du(1) says of its directory. Required. */
        sw_err *(*usage)(void *store, sw_ctx *ctx, const char *key,
                         struct sw_snapshot_usage *out);
        /** remove - a layer in any state. Stacks that had it are not looked at any more. It
         *  is not mounted and in no view that is open. A missing one is fine. Required. */
        sw_err *(*remove)(void *store, sw_ctx *ctx, const char *key);
        /** list - every layer there is; @fn returns false to end it. Required. */
        sw_err *(*list)(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg);

        /* A tree that is asked path by path, for who does not need it mounted. Optional:
         * all of it or nothing; without it views are taken. Paths are relative and
         * cleaned, "" for the root, and lead through directories only. Any thread, several
         * at once, but for look and look_close. Errors: SW_E_NOT_FOUND (also below
         * something that is no directory), SW_E_IO. */

        /** look - begin. @out: handed back. */
        sw_err *(*look)(void *store, sw_ctx *ctx, const struct sw_stack *stack, void **out);
        /** look_stat - lstat(2). Names of one file have one st_dev and st_ino. */
        sw_err *(*look_stat)(void *look, const char *path, struct stat *st);
        /** look_open - open(2), @flags: O_PATH or O_RDONLY with others for reading; no link
         *  is followed. Of a directory only metadata and attributes are those of the tree;
         *  among its attributes there may be some of the snapshotter's own. */
        sw_err *(*look_open)(void *look, const char *path, int flags, int *fd);
        /** look_names - what is in a directory, sorted by bytes; added to @out. */
        sw_err *(*look_names)(void *look, const char *path, sw_strlist *out);
        /** look_close - end. */
        void (*look_close)(void *look);

        /** usage_stamp - that of usage(), without counting. Optional, as long as no stamp
         *  is set there. */
        sw_err *(*usage_stamp)(void *store, sw_ctx *ctx, const char *key, uint64_t *out);

        /** tell - a committed layer as it is, whiteouts and opaque directories included,
         *  whatever may be below it: all that diff() would tell of it above any tree.
         *  Rules as diff(). Optional: without it, what it takes away is lost where it was
         *  made on nothing (by comparing trees) and is packed.   Since: 0.1 */
        sw_err *(*tell)(void *store, sw_ctx *ctx, const char *key,
                        const struct sw_layer_ops *ops, void *w);

        /** mount_root - as mount(), to be the root of a container: /proc, /sys, /dev,
         *  /etc/hosts and /etc/resolv.conf are there to be mounted on where no layer has or
         *  hides them, and do not become part of the layer. Optional: saves the executor
         *  making and removing them.   Since: 0.1 */
        sw_err *(*mount_root)(void *store, sw_ctx *ctx, const char *key,
                              struct sw_snapshot_mount *out);
};

SW_END_DECLS
#endif
