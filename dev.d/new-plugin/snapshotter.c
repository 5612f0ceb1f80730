/*
 * plugins/snapshotter-@NAME@/plugin.c - snapshotter "@NAME@": every snapshot is a directory
 * with a whole copy of its parent; a diff is the whole tree on an opaque root. Correct and
 * slow: a place to start from.
 *
 * Below the store's directory: active-KEY while it can be written, KEY once committed.
 */
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/snapshotter.h>
#include <slipway/spawn.h>

struct store {
        int dirfd;
};

static sw_err *
@ID@_probe(void *self, sw_ctx *ctx, int dirfd)
{
        (void) self;
        (void) ctx;
        if (faccessat(dirfd, ".", W_OK, 0) < 0)
                return sw_err_sys(SW_E_UNSUPPORTED, errno, "the directory cannot be written");
        return SW_OK;
}

static sw_err *
@ID@_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        struct store *s = sw_new(struct store);

        (void) self;
        (void) ctx;
        s->dirfd = dirfd;
        *store = s;
        return SW_OK;
}

static void
@ID@_close(void *self, void *store)
{
        (void) self;
        free(store);
}

/* Copy the contents of one directory into another, with everything cp(1) can keep. */
static sw_err *
copy_tree(sw_ctx *ctx, int from, int to)
{
        const char *const argv[] = { "cp", "-a", "--reflink=auto", "/dev/fd/3/.", ".", NULL };
        const struct sw_spawn_fd fds[] = { { from, 3 } };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) said = SW_BUF_INIT;
        struct sw_exit end;
        bool cut;

        s.argv = argv;
        s.cwd_fd = to;
        s.fds = fds;
        s.n_fds = 1;
        s.flags = SW_SPAWN_SEARCH_PATH;
        sw_err *err = sw_spawn_capture(&s, sw_ctx_cancel(ctx), 4096, NULL, &said, &cut, &end);
        if (err)
                return err;
        if (end.signalled || end.value)
                return sw_err_new(SW_E_IO, "cp: %s", said.data);
        return SW_OK;
}

static sw_err *
@ID@_prepare(void *store, sw_ctx *ctx, const char *key, const char *parent)
{
        struct store *s = store;
        sw_err *err = sw_id_check("snapshot", key);
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);

        if (!err && parent)
                err = sw_id_check("snapshot", parent);
        if (err)
                return err;
        if (mkdirat(s->dirfd, name, 0755) < 0)
                return sw_err_sys(errno == EEXIST ? SW_E_EXISTS : SW_E_IO, errno, "make %s", key);
        if (!parent)
                return SW_OK;
        sw_auto(sw_fd) to = openat(s->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) from = openat(s->dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (to < 0 || from < 0)
                err = sw_err_sys(SW_E_NOT_FOUND, errno, "open snapshot %s", parent);
        else
                err = copy_tree(ctx, from, to);
        if (err)
                sw_err_drop(sw_path_remove(s->dirfd, name), "the first error is told");
        return sw_err_wrap(err, "prepare %s from %s", key, parent);
}

static sw_err *
@ID@_commit(void *store, sw_ctx *ctx, const char *key)
{
        struct store *s = store;
        sw_err *err = sw_id_check("snapshot", key);
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);

        (void) ctx;
        if (err)
                return err;
        sw_auto(sw_fd) fd = openat(s->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return sw_err_sys(SW_E_NOT_FOUND, errno, "no active snapshot %s", key);
        if (syncfs(fd) < 0 || renameat(s->dirfd, name, s->dirfd, key) < 0 || fsync(s->dirfd) < 0)
                return sw_err_sys(SW_E_IO, errno, "commit %s", key);
        return SW_OK;
}

/* Open a snapshot, whichever state it is in. */
static sw_err *
open_snapshot(struct store *s, const char *key, bool committed, int *fd)
{
        sw_err *err = sw_id_check("snapshot", key);
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);

        if (err)
                return err;
        *fd = openat(s->dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*fd < 0 && committed)
                *fd = openat(s->dirfd, key, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*fd < 0)
                return sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, errno,
                                  "open snapshot %s", key);
        return SW_OK;
}

static sw_err *
@ID@_mount(void *store, sw_ctx *ctx, const char *key, bool readonly, int *dirfd, void **mnt)
{
        (void) ctx;
        *mnt = NULL;
        return open_snapshot(store, key, readonly, dirfd);
}

static sw_err *
@ID@_unmount(void *store, void *mnt)
{
        (void) store;
        (void) mnt;
        return SW_OK;
}

/* ---- layer writer: straight into the directory ------------------------------------------ */

struct writer {
        int dirfd;
};

static sw_err *
settle(struct writer *w, const char *path, const struct sw_layer_meta *m, bool mode)
{
        const struct timespec t = { m->mtime / 1000000000, m->mtime % 1000000000 };
        const struct timespec times[2] = { t, t };

        if (fchownat(w->dirfd, path, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
            (mode && fchmodat(w->dirfd, path, m->mode & 07777, 0) < 0) ||
            utimensat(w->dirfd, path, times, AT_SYMLINK_NOFOLLOW) < 0)
                return sw_err_sys(SW_E_IO, errno, "set the metadata of %s", path);
        return SW_OK;
}

static sw_err *
w_mkdir(void *arg, const char *path, const struct sw_layer_meta *m)
{
        struct writer *w = arg;

        if (mkdirat(w->dirfd, path, 0700) < 0 && errno != EEXIST)
                return sw_err_sys(SW_E_IO, errno, "make directory %s", path);
        return settle(w, path, m, true);
}

static sw_err *
w_file(void *arg, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        struct writer *w = arg;
        sw_auto(sw_fd) to = openat(w->dirfd, path,
                                   O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (to < 0)
                return sw_err_sys(SW_E_IO, errno, "make %s", path);
        while (len > 0) {
                ssize_t n = copy_file_range(fd, &off, to, NULL, (size_t) len, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return sw_err_sys(SW_E_IO, n ? errno : EIO, "write %s", path);
                len -= n;
        }
        return settle(w, path, m, true);
}

static sw_err *
w_symlink(void *arg, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct writer *w = arg;

        if (symlinkat(target, w->dirfd, path) < 0)
                return sw_err_sys(SW_E_IO, errno, "make link %s", path);
        return settle(w, path, m, false);
}

static sw_err *
w_hardlink(void *arg, const char *path, const char *existing)
{
        struct writer *w = arg;

        if (linkat(w->dirfd, existing, w->dirfd, path, 0) < 0)
                return sw_err_sys(SW_E_IO, errno, "link %s to %s", path, existing);
        return SW_OK;
}

static sw_err *
w_node(void *arg, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct writer *w = arg;

        if (mknodat(w->dirfd, path, type | 0600, dev) < 0)
                return sw_err_sys(SW_E_IO, errno, "make node %s", path);
        return settle(w, path, m, true);
}

static sw_err *
w_whiteout(void *arg, const char *path)
{
        struct writer *w = arg;

        return sw_path_remove(w->dirfd, path);
}

/* The root stays: only what is in it goes. */
static sw_err *
w_opaque(void *arg, const char *dir)
{
        struct writer *w = arg;
        sw_auto(sw_fd) fd = openat(w->dirfd, *dir ? dir : ".",
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        char path[32];
        char *const roots[] = { path, NULL };
        sw_err *err = SW_OK;
        FTSENT *e;

        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", dir);
        snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return sw_err_sys(SW_E_IO, errno, "read %s", dir);
        while (!err && (e = fts_read(fts)))
                if (e->fts_level == 1 && e->fts_info != FTS_DP) {
                        err = sw_path_remove(fd, e->fts_name);
                        fts_set(fts, e, FTS_SKIP);
                }
        fts_close(fts);
        return err;
}

static sw_err *
w_xattr(void *arg, const char *path, const char *name, const void *p, size_t n)
{
        struct writer *w = arg;
        sw_auto(sw_str) full = sw_asprintf("/proc/self/fd/%d/%s", w->dirfd, path);

        if (lsetxattr(full, name, p, n, 0) < 0)
                return sw_err_sys(SW_E_IO, errno, "set %s of %s", name, path);
        return SW_OK;
}

static void
w_abandon(void *arg)
{
        struct writer *w = arg;

        close(w->dirfd);
        free(w);
}

static sw_err *
w_finish(void *arg)
{
        w_abandon(arg);
        return SW_OK;
}

static const struct sw_layer_ops writer_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = w_mkdir,
        .file = w_file,
        .symlink = w_symlink,
        .hardlink = w_hardlink,
        .node = w_node,
        .whiteout = w_whiteout,
        .opaque = w_opaque,
        .xattr = w_xattr,
        .finish = w_finish,
        .abandon = w_abandon,
};

static sw_err *
@ID@_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **ops, void **w)
{
        int fd = -1;
        sw_err *err = open_snapshot(store, key, false, &fd);

        (void) ctx;
        if (err)
                return err;
        struct writer *writer = sw_new(struct writer);
        writer->dirfd = fd;
        *ops = &writer_ops;
        *w = writer;
        return SW_OK;
}

/* ---- diff ---------------------------------------------------------------------------------- */

/* Tell the writer about one entry at @path below @dirfd. */
static sw_err *
tell(int dirfd, const char *path, const FTSENT *e, const struct sw_layer_ops *ops, void *w)
{
        const struct stat *st = e->fts_statp;
        const struct sw_layer_meta m = {
                st->st_mode & 07777, st->st_uid, st->st_gid,
                (int64_t) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        };

        if (S_ISDIR(st->st_mode))
                return ops->mkdir(w, path, &m);
        if (S_ISLNK(st->st_mode)) {
                sw_auto(sw_str) target = NULL;
                sw_err *err = sw_path_readlink(dirfd, path, &target);

                return err ? err : ops->symlink(w, path, &m, target);
        }
        if (!S_ISREG(st->st_mode))
                return ops->node(w, path, &m, st->st_mode & S_IFMT, st->st_rdev);
        sw_auto(sw_fd) fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", path);
        return ops->file(w, path, &m, fd, 0, st->st_size);
}

static sw_err *
@ID@_diff(void *store, sw_ctx *ctx, const char *lower, const char *upper,
          const struct sw_layer_ops *ops, void *w)
{
        sw_auto(sw_fd) fd = -1;
        char root[32];
        char *const roots[] = { root, NULL };
        sw_err *err = open_snapshot(store, upper, true, &fd);
        FTSENT *e;

        if (!err && lower)
                err = ops->opaque(w, "");
        if (err)
                return err;
        int n = snprintf(root, sizeof(root), "/proc/self/fd/%d/.", fd);
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return sw_err_sys(SW_E_IO, errno, "read snapshot %s", upper);
        while (!err && (e = fts_read(fts))) {
                err = sw_ctx_check(ctx);
                if (!err && e->fts_level > 0 && e->fts_info != FTS_DP)
                        err = tell(fd, e->fts_path + n + 1, e, ops, w);
        }
        fts_close(fts);
        return err;
}

static sw_err *
@ID@_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        sw_auto(sw_fd) fd = -1;
        char root[32];
        char *const roots[] = { root, NULL };
        sw_err *err = open_snapshot(store, key, true, &fd);
        FTSENT *e;

        if (err)
                return err;
        snprintf(root, sizeof(root), "/proc/self/fd/%d/.", fd);
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return sw_err_sys(SW_E_IO, errno, "read snapshot %s", key);
        while (!err && (e = fts_read(fts))) {
                err = sw_ctx_check(ctx);
                if (e->fts_info == FTS_DP)
                        continue;
                out->bytes += e->fts_statp ? e->fts_statp->st_blocks * 512 : 0;
                out->inodes++;
        }
        fts_close(fts);
        return err;
}

static sw_err *
@ID@_remove(void *store, sw_ctx *ctx, const char *key)
{
        struct store *s = store;
        sw_err *err = sw_id_check("snapshot", key);
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);

        (void) ctx;
        if (!err)
                err = sw_path_remove(s->dirfd, name);
        if (!err)
                err = sw_path_remove(s->dirfd, key);
        return err;
}

static const struct sw_snapshotter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = @ID@_probe,
        .open = @ID@_open,
        .close = @ID@_close,
        .prepare = @ID@_prepare,
        .commit = @ID@_commit,
        .mount = @ID@_mount,
        .unmount = @ID@_unmount,
        .write = @ID@_write,
        .diff = @ID@_diff,
        .usage = @ID@_usage,
        .remove = @ID@_remove,
};

SW_PLUGIN(snapshotter_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_SNAPSHOTTER, "@NAME@"),
        .summary = "whole copies in plain directories",
        .ops = &ops.hdr,
};
