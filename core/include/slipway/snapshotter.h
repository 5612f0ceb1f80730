/*
 * slipway/snapshotter.h - the snapshotter kind: trees with parents.
 *
 * Keys name snapshots; they are checked by sw_id_check. An active snapshot can be
 * written, a committed one never changes. The layer writer adds what changes to an active
 * snapshot without mounting it; nothing in it presumes a directory behind it.
 */
#ifndef SLIPWAY_SNAPSHOTTER_H
#define SLIPWAY_SNAPSHOTTER_H

#include <sys/types.h>

#include <slipway/plugin.h>

SW_BEGIN_DECLS

struct sw_snapshot_usage {
        int64_t bytes; /* on disk, of this snapshot alone */
        int64_t inodes;
};

/* Metadata of one entry. Times in ns since the epoch. */
struct sw_layer_meta {
        mode_t mode; /* permission bits and set-id, sticky */
        uid_t uid;
        gid_t gid;
        int64_t mtime;
};

/* What changes, in any order but parents first; paths are relative, cleaned, without
 * "..". Every call: Errors SW_E_IO, SW_E_LIMIT, SW_E_INVALID. One thread at a time. */
struct sw_layer_ops {
        struct sw_ops_hdr hdr;
        sw_err *(*mkdir)(void *w, const char *path, const struct sw_layer_meta *m);
        /* file - data is @len bytes of @fd from @off; a range, so that reflink or
         * copy_file_range can serve it. */
        sw_err *(*file)(void *w, const char *path, const struct sw_layer_meta *m, int fd,
                        int64_t off, int64_t len);
        sw_err *(*symlink)(void *w, const char *path, const struct sw_layer_meta *m,
                           const char *target);
        sw_err *(*hardlink)(void *w, const char *path, const char *existing);
        sw_err *(*node)(void *w, const char *path, const struct sw_layer_meta *m,
                        mode_t type, dev_t dev);
        sw_err *(*whiteout)(void *w, const char *path);
        sw_err *(*opaque)(void *w, const char *dir);
        sw_err *(*xattr)(void *w, const char *path, const char *name, const void *p,
                         size_t n);
        /* finish - everything was added; @w is released, also on error. */
        sw_err *(*finish)(void *w);
        void (*abandon)(void *w);
};

struct sw_snapshotter_ops {
        struct sw_ops_hdr hdr;
        /** probe - whether it works on @dirfd, where it will keep its data. Required.
         *  Errors: SW_E_UNSUPPORTED with the reason and the remedy.   Since: 0.1 */
        sw_err *(*probe)(void *self, sw_ctx *ctx, int dirfd);
        /** open - keep data below @dirfd (borrowed until close). Required. */
        sw_err *(*open)(void *self, sw_ctx *ctx, int dirfd, void **store);
        void (*close)(void *self, void *store);
        /** prepare - an active snapshot on @parent (NULL: empty). Required. */
        sw_err *(*prepare)(void *store, sw_ctx *ctx, const char *key, const char *parent);
        /** commit - make an active snapshot immutable and durable. Required. */
        sw_err *(*commit)(void *store, sw_ctx *ctx, const char *key);
        /** mount - a view of it as a directory; *dirfd and *mnt are handed back.
         *  Required. */
        sw_err *(*mount)(void *store, sw_ctx *ctx, const char *key, bool readonly,
                         int *dirfd, void **mnt);
        sw_err *(*unmount)(void *store, void *mnt);
        /** write - a layer writer for an active snapshot. Required. */
        sw_err *(*write)(void *store, sw_ctx *ctx, const char *key,
                         const struct sw_layer_ops **ops, void **w);
        /** diff - tell a layer writer what @upper changes on @lower (NULL: empty).
         *  Required. */
        sw_err *(*diff)(void *store, sw_ctx *ctx, const char *lower, const char *upper,
                        const struct sw_layer_ops *ops, void *w);
        /** usage - bytes on disk. Required. */
        sw_err *(*usage)(void *store, sw_ctx *ctx, const char *key,
                         struct sw_snapshot_usage *out);
        /** remove - one without children. Required. */
        sw_err *(*remove)(void *store, sw_ctx *ctx, const char *key);
};

SW_END_DECLS
#endif
