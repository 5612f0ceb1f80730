/*
 * core/store/implied.c - directories that a layer has only because of what is in them.
 *
 * An archive may tell "usr/bin/cc" without telling "usr". The layer has to have the
 * directory, and in the tree it must look as the layers below have it: so it is told again,
 * with their metadata. What is no directory below, or not there, stays as it was told; if
 * it is a link, that is hidden, with a warning.
 * Thread: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/unpack.h"

/* The kernel's limits of a list of names and of a value. */
enum { XATTRS_MAX = 64 << 10 };

/* One way or the other to look at the layers below. */
struct below {
        const struct sw_snapshotter_ops *ops; /* or NULL: a view */
        void *look;
        struct sw_snapshot_mount m;
};

static sw_err *
open_below(sw_worker *w, sw_ctx *ctx, const sw__stack *stack, struct below *b)
{
        sw_err *err =
                sw__snapshots_look(w->snaps, ctx, sw__stack_of(stack), &b->ops, &b->look);

        if (!err && !b->ops)
                err = sw__snapshots_view(w->snaps, ctx, sw__stack_of(stack), &b->m);
        return err;
}

static sw_err *
close_below(sw_worker *w, struct below *b)
{
        if (!b->ops)
                return sw__snapshots_unmount(w->snaps, &b->m);
        b->ops->look_close(b->look);
        return SW_OK;
}

/* *fd -1: it is not there, or no directory. */
static sw_err *
open_dir(const struct below *b, const char *path, struct stat *st, int *fd)
{
        enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
        sw_err *err = SW_OK;

        *fd = -1;
        st->st_mode = 0;
        if (b->ops) {
                err = b->ops->look_stat(b->look, path, st);
                if (!err && S_ISDIR(st->st_mode))
                        err = b->ops->look_open(b->look, path, FLAGS, fd);
                if (sw_err_code(err) == SW_E_NOT_FOUND) {
                        sw_err_drop(err, "it stays as it was told");
                        return SW_OK;
                }
                return err;
        }
        if (fstatat(b->m.dirfd, path, st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
                return errno == ENOENT || errno == ENOTDIR
                               ? SW_OK
                               : sw_err_sys(SW_E_IO, errno, "look at %s", path);
        if (!S_ISDIR(st->st_mode))
                return SW_OK;
        *fd = openat(b->m.dirfd, *path ? path : ".", FLAGS);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open %s", path) : SW_OK;
}

/* Attributes by which the snapshotter says something to itself. */
static bool
is_private(const char *name)
{
        return sw_str_has_prefix(name, "trusted.overlay.") ||
               sw_str_has_prefix(name, "user.overlay.");
}

static sw_err *
tell_xattrs(const char *path, int fd, const struct sw_layer_ops *ops, void *writer)
{
        sw_auto(sw_str) names = sw_alloc(XATTRS_MAX + 1), value = sw_alloc(XATTRS_MAX);
        const ssize_t n = flistxattr(fd, names, XATTRS_MAX);
        sw_err *err = SW_OK;

        if (n < 0)
                return errno == ENOTSUP
                               ? SW_OK
                               : sw_err_sys(SW_E_IO, errno, "list attributes of %s", path);
        for (const char *p = names; p < names + n && !err; p += strlen(p) + 1) {
                if (is_private(p))
                        continue;
                const ssize_t len = fgetxattr(fd, p, value, XATTRS_MAX);
                if (len < 0 && errno != ENODATA)
                        err = sw_err_sys(SW_E_IO, errno, "read attribute %s of %s", p,
                                         path);
                else if (len >= 0)
                        err = ops->xattr(writer, path, p, value, (size_t) len);
        }
        return err;
}

static sw_err *
imply_one(const struct below *b, sw_ctx *ctx, const char *path,
          const struct sw_layer_ops *ops, void *writer)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = open_dir(b, path, &st, &fd);

        if (!err && S_ISLNK(st.st_mode))
                sw_progress_warn(ctx,
                                 "a layer has files below %s, which is a link in the "
                                 "layers below it: the link is hidden",
                                 path);
        if (err || fd < 0)
                return err;
        const struct sw_layer_meta m = { .mode = st.st_mode & 07777,
                                         .uid = st.st_uid,
                                         .gid = st.st_gid,
                                         .mtime = sw_time_from_spec(&st.st_mtim) };
        err = ops->mkdir(writer, path, &m);
        return err ? err : tell_xattrs(path, fd, ops, writer);
}

sw_err *
sw__imply(sw_worker *w, sw_ctx *ctx, const sw__stack *below, const sw_strlist *dirs,
          const struct sw_layer_ops *ops, void *writer)
{
        struct below b = { .m = { .size = sizeof(b.m), .dirfd = -1, .treefd = -1 } };
        sw_err *err = open_below(w, ctx, below, &b);

        if (err)
                return err;
        for (size_t i = 0; i < dirs->n && !err; i++) {
                err = sw_ctx_check(ctx);
                if (!err)
                        err = imply_one(&b, ctx, dirs->v[i], ops, writer);
        }
        sw_err *closed = close_below(w, &b);
        if (!err)
                return closed;
        sw_err_drop(closed, "the first one is told");
        return err;
}
