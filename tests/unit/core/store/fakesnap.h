/*
 * tests/unit/core/store/fakesnap.h - a snapshotter of plain directories, for tests of what
 * stands above one: <key>/data is the layer, <key>/committed says so. A view is the top
 * layer alone. Counts its calls, and fails when told to.
 */
#ifndef SLIPWAY_TESTS_FAKESNAP_H
#define SLIPWAY_TESTS_FAKESNAP_H

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <slipway/path.h>
#include <slipway/snapshotter.h>

#include "core/store/refs.h"
#include "tests/unit/unit.h"

struct fake {
        int dirfd;
        atomic_int prepared, committed, removed, views, mounts;
        const char *fail;  /* the operation that fails */
        bool du;           /* usage is what du says */
        size_t lower_seen; /* layers of the lower stack of the last diff */
};

static inline sw_err *
fake_fail(struct fake *f, const char *op)
{
        if (f->fail && strcmp(f->fail, op) == 0)
                return sw_err_sys(SW_E_IO, ENOSPC, "fake %s", op);
        return SW_OK;
}

static sw_err *
fake_probe(void *self, sw_ctx *ctx, int dirfd)
{
        (void) ctx;
        (void) dirfd;
        return fake_fail(self, "probe");
}

static sw_err *
fake_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        struct fake *f = self;

        (void) ctx;
        f->dirfd = dirfd;
        *store = f;
        return fake_fail(f, "open");
}

static void
fake_close(void *self, void *store)
{
        (void) self;
        (void) store;
}

static sw_err *
fake_need(struct fake *f, const struct sw_stack *s)
{
        for (size_t i = 0; i < s->n; i++) {
                sw_auto(sw_str) path = sw_asprintf("%s/committed", s->keys[i]);

                if (faccessat(f->dirfd, path, F_OK, 0) < 0)
                        return sw_err_new(SW_E_NOT_FOUND, "layer %s of a stack",
                                          s->keys[i]);
        }
        return SW_OK;
}

static sw_err *
fake_prepare(void *store, sw_ctx *ctx, const char *key, const struct sw_stack *lower)
{
        struct fake *f = store;
        sw_auto(sw_str) data = sw_asprintf("%s/data", key);
        sw_err *err = fake_fail(f, "prepare");

        (void) ctx;
        f->prepared++;
        if (!err)
                err = fake_need(f, lower);
        if (err)
                return err;
        if (mkdirat(f->dirfd, key, 0755) < 0 || mkdirat(f->dirfd, data, 0755) < 0)
                return sw_err_sys(errno == EEXIST ? SW_E_EXISTS : SW_E_IO, errno,
                                  "prepare");
        return SW_OK;
}

static sw_err *
fake_commit(void *store, sw_ctx *ctx, const char *key)
{
        struct fake *f = store;
        sw_auto(sw_str) path = sw_asprintf("%s/committed", key);
        sw_err *err = fake_fail(f, "commit");

        (void) ctx;
        f->committed++;
        if (err)
                return err;
        sw_auto(sw_fd) fd = openat(f->dirfd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        return fd < 0 ? sw_err_sys(SW_E_IO, errno, "commit %s", key) : SW_OK;
}

static sw_err *
fake_open_data(struct fake *f, const char *key, struct sw_snapshot_mount *out)
{
        sw_auto(sw_str) path = sw_asprintf("%s/data", key);

        out->treefd = -1;
        out->handle = f;
        out->dirfd = openat(f->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return out->dirfd < 0 ? sw_err_sys(SW_E_NOT_FOUND, errno, "mount %s", key) : SW_OK;
}

static sw_err *
fake_mount(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_mount *out)
{
        struct fake *f = store;
        sw_err *err = fake_fail(f, "mount");

        (void) ctx;
        if (!err)
                err = fake_open_data(f, key, out);
        f->mounts += !err;
        return err;
}

static sw_err *
fake_view(void *store, sw_ctx *ctx, const struct sw_stack *s, struct sw_snapshot_mount *out)
{
        struct fake *f = store;
        sw_err *err = fake_need(f, s);

        (void) ctx;
        if (!err && s->n == 0) {
                out->dirfd = openat(f->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                out->treefd = -1;
        } else if (!err) {
                err = fake_open_data(f, s->keys[s->n - 1], out);
        }
        f->views += !err;
        return err;
}

static sw_err *
fake_unmount(void *store, struct sw_snapshot_mount *m)
{
        (void) store;
        (void) close(m->dirfd);
        return SW_OK;
}

struct fake_writer {
        struct fake *f;
        char *key;
};

static sw_err *fake_write(void *store, sw_ctx *ctx, const char *key,
                          const struct sw_layer_ops **ops, void **w);

static sw_err *
fake_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        struct fake_writer *fw = w;
        sw_auto(sw_str) full = sw_asprintf("%s/data/%s", fw->key, path);
        sw_auto(sw_fd) fd =
                openat(fw->f->dirfd, full, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

        (void) m;
        if (fd < 0 || write(fd, p, n) != (ssize_t) n)
                return sw_err_sys(SW_E_IO, errno, "write %s", path);
        return SW_OK;
}

static sw_err *
fake_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        struct fake_writer *fw = w;
        sw_auto(sw_str) full = sw_asprintf("%s/data/%s", fw->key, path);

        if ((mkdirat(fw->f->dirfd, full, 0700) < 0 && errno != EEXIST) ||
            fchmodat(fw->f->dirfd, full, m->mode, 0) < 0)
                return sw_err_sys(SW_E_IO, errno, "mkdir %s", path);
        return SW_OK;
}

static sw_err *
fake_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        struct fake_writer *fw = w;
        sw_auto(sw_str) full =
                sw_asprintf("/proc/self/fd/%d/%s/data/%s", fw->f->dirfd, fw->key, path);

        return setxattr(full, name, p, n, 0) < 0
                       ? sw_err_sys(SW_E_IO, errno, "attribute of %s", path)
                       : SW_OK;
}

static void
fake_abandon(void *w)
{
        struct fake_writer *fw = w;

        free(fw->key);
        free(fw);
}

static sw_err *
fake_finish(void *w)
{
        sw_err *err = fake_fail(((struct fake_writer *) w)->f, "finish");

        fake_abandon(w);
        return err;
}

static inline sw_err *
fake_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **ops,
           void **w)
{
        static const struct sw_layer_ops writer = {
                .hdr = SW_OPS_SIZE(struct sw_layer_ops),
                .mkdir = fake_mkdir,
                .data = fake_data,
                .xattr = fake_xattr,
                .finish = fake_finish,
                .abandon = fake_abandon,
        };
        sw_err *err = fake_fail(store, "write");

        (void) ctx;
        if (err)
                return err;
        struct fake_writer *fw = sw_new(struct fake_writer);
        fw->f = store;
        fw->key = sw_strdup(key);
        *ops = &writer;
        *w = fw;
        return SW_OK;
}

/* Tells one file, when the stacks differ. */
static sw_err *
fake_diff(void *store, sw_ctx *ctx, const struct sw_stack *lower,
          const struct sw_stack *upper, const struct sw_layer_ops *ops, void *w)
{
        const struct sw_layer_meta m = { .mode = 0644 };

        (void) ctx;
        ((struct fake *) store)->lower_seen = lower->n;
        if (lower->n == upper->n && lower->n &&
            strcmp(lower->keys[lower->n - 1], upper->keys[upper->n - 1]) == 0)
                return SW_OK;
        return ops->data(w, "diff", &m, "diff", 4);
}

static sw_err *
fake_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        struct fake *f = store;
        sw_auto(sw_str) cmd = sw_asprintf("/proc/%d/fd/%d/%s", getpid(), f->dirfd, key);
        struct stat st;

        (void) ctx;
        if (stat(cmd, &st) < 0)
                return sw_err_sys(SW_E_NOT_FOUND, errno, "usage of %s", key);
        *out = (struct sw_snapshot_usage){ *key ? 1000 : 0, 1 };
        if (f->du) {
                sw_auto(sw_str) du = sw_asprintf("du -s --block-size=1 %s %s/",
                                                 *key ? "" : "--max-depth=0 -S", cmd);
                FILE *p = popen(du, "r");
                long long n = -1;

                ck_assert_int_eq(fscanf(p, "%lld", &n), 1);
                pclose(p);
                out->bytes = n;
        }
        return SW_OK;
}

static sw_err *
fake_remove(void *store, sw_ctx *ctx, const char *key)
{
        struct fake *f = store;
        sw_err *err = fake_fail(f, "remove");

        (void) ctx;
        f->removed++;
        return err ? err : sw_path_remove(f->dirfd, key);
}

static sw_err *
fake_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        struct fake *f = store;
        DIR *d = fdopendir(openat(f->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct dirent *e;

        (void) ctx;
        while ((e = readdir(d)))
                if (*e->d_name != '.' && !fn(arg, e->d_name, true))
                        break;
        (void) closedir(d);
        return SW_OK;
}

static const struct sw_snapshotter_ops fake_ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = fake_probe,
        .open = fake_open,
        .close = fake_close,
        .prepare = fake_prepare,
        .commit = fake_commit,
        .mount = fake_mount,
        .view = fake_view,
        .unmount = fake_unmount,
        .write = fake_write,
        .diff = fake_diff,
        .usage = fake_usage,
        .remove = fake_remove,
        .list = fake_list,
};

/* A root with it. @boot: NULL: that of this machine. */
static inline sw_root *
fake_root_at(const char *dir, struct fake *f, const char *boot)
{
        const struct sw_root_opts opts = { .path = dir, .boot = boot };
        sw_root *r;

        *f = (struct fake){ .dirfd = -1 };
        ok(sw__root_open(&opts, &r));
        sw__root_use_snapshotter(r, "fake", &fake_ops, f);
        return r;
}

static inline sw_root *
fake_root(const char *dir, struct fake *f)
{
        return fake_root_at(dir, f, NULL);
}

/* How many layers the snapshotter has. */
static inline int
fake_layers(const char *dir)
{
        sw_auto(sw_str) path = sw_asprintf("%s/snapshots/fake", dir);
        DIR *d = opendir(path);
        struct dirent *e;
        int n = 0;

        while (d && (e = readdir(d)))
                n += *e->d_name != '.';
        if (d)
                closedir(d);
        return n;
}

#endif
