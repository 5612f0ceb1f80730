/*
 * lib/layer/tar.c - the tar writer: one entry in hand, written when the next one comes.
 *
 *      NOTHING -> HELD (an entry, its attributes being told) -> written -> NOTHING
 *
 * All state is under the lock. Format: POSIX.1-2001 pax interchange format.
 */
#include "lib/layer/tar.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <slipway/buf.h>
#include <slipway/time.h>

#include "lib/layer/spool.h"
#include "lib/layer/tarhead.h"

enum { READ_SIZE = 256 * 1024 };

struct sw_tar {
        pthread_mutex_t lock;
        sw_ctx *ctx;
        struct sw_tar_sink sink;
        int64_t latest; /* no time is later than this */
        /* The entry in hand. */
        bool held;
        struct sw_tar_entry e;
        sw_buf name, link;
        sw_buf xattrs;    /* pax records of it */
        sw_strlist names; /* of the attributes that are in xattrs, as records to sort */
        int fd;           /* data of a file: a duplicate; -1: from memory or none */
        int64_t off;
        sw_buf data;
        char *room; /* for a sink without copy() */
};

/* ---- writing what is in hand ---- */

static sw_err *
write_padding(sw_tar *t, int64_t len)
{
        static const char zeros[SW_TAR_BLOCK];
        size_t over = (size_t) (len % SW_TAR_BLOCK);

        return over ? t->sink.write(t->sink.arg, zeros, SW_TAR_BLOCK - over) : SW_OK;
}

/* Data through memory. */
static sw_err *
copy_through(sw_tar *t)
{
        int64_t left = t->e.size, off = t->off;

        if (!t->room)
                t->room = sw_alloc(READ_SIZE);
        while (left > 0) {
                size_t want = left < READ_SIZE ? (size_t) left : READ_SIZE;
                ssize_t n = pread(t->fd, t->room, want, off);
                sw_err *err = sw_ctx_check(t->ctx);

                if (err)
                        return err;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read %s", t->name.data);
                if (!n)
                        return sw_err_new(SW_E_IO, "%s became shorter while it was read",
                                          t->name.data);
                err = t->sink.write(t->sink.arg, t->room, (size_t) n);
                if (err)
                        return err;
                off += n;
                left -= n;
        }
        return SW_OK;
}

static sw_err *
write_data(sw_tar *t)
{
        sw_err *err;

        if (!t->e.size)
                return SW_OK;
        if (t->fd < 0)
                err = t->sink.write(t->sink.arg, t->data.data, t->data.len);
        else if (t->sink.copy)
                err = sw_err_wrap(t->sink.copy(t->sink.arg, t->fd, t->off, t->e.size), "%s",
                                  t->name.data);
        else
                err = copy_through(t);
        return err ? err : write_padding(t, t->e.size);
}

static sw_err *
write_held(sw_tar *t)
{
        sw_auto(sw_buf) head = SW_BUF_INIT;
        sw_err *err;

        if (!t->held)
                return sw_ctx_check(t->ctx);
        t->held = false;
        sw_strlist_sort(&t->names);
        t->e.name = t->name.data;
        t->e.link = t->link.data;
        err = sw_tar_head(&head, &t->e, &t->names, &t->xattrs);
        if (!err)
                err = t->sink.write(t->sink.arg, head.data, head.len);
        if (!err)
                err = write_data(t);
        sw_fd_clear(&t->fd);
        return err;
}

/* Begin an entry: write the one in hand, take this one. Call with the lock held. */
static sw_err *
hold(sw_tar *t, const char *path, char type, const struct sw_layer_meta *m)
{
        sw_err *err = write_held(t);

        if (err)
                return err;
        t->e = (struct sw_tar_entry){ .type = type };
        t->e.mode = m->mode & 07777;
        t->e.uid = m->uid;
        t->e.gid = m->gid;
        t->e.mtime = sw_time_to_spec(m->mtime < t->latest ? m->mtime : t->latest)
                             .tv_sec; /* rounded down */
        sw_buf_clear(&t->name);
        sw_buf_adds(&t->name, path);
        sw_buf_clear(&t->link);
        sw_buf_clear(&t->xattrs);
        sw_strlist_release(&t->names);
        sw_buf_clear(&t->data);
        t->held = true;
        return SW_OK;
}

/* ---- the table ---- */

static sw_err *
t_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        sw_tar *t = w;

        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '5', m);
        if (!err)
                sw_buf_adds(&t->name, *path ? "/" : "./");
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
t_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        sw_tar *t = w;

        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '0', m);
        if (!err) {
                t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (t->fd < 0)
                        err = sw_err_sys(SW_E_IO, errno, "keep %s open", path);
                t->off = off;
                t->e.size = len;
                t->held = !err;
        }
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
t_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        sw_tar *t = w;

        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '0', m);
        if (!err) {
                sw_buf_add(&t->data, p, n);
                t->e.size = (int64_t) n;
        }
        pthread_mutex_unlock(&t->lock);
        return err;
}

/* The attributes of a file come after its data and stand before them in an archive: they
 * are kept until then. */
static sw_err *
keep_stream(sw_tar *t, sw_err *(*read)(void *arg, void *p, size_t n, size_t *got),
            void *arg, int64_t len)
{
        if (len > SW_SPOOL_MEMORY)
                return sw_spool_fill(t->ctx, read, arg, len, &t->fd);
        sw_buf_reserve(&t->data, (size_t) len);
        while (t->data.len < (size_t) len) {
                size_t got = 0;
                sw_err *err = read(arg, t->data.data + t->data.len,
                                   (size_t) len - t->data.len, &got);

                if (err || !got)
                        return err ? err : sw_err_new(SW_E_IO, "its data end early");
                t->data.len += got;
        }
        return SW_OK;
}

static sw_err *
t_stream(void *w, const char *path, const struct sw_layer_meta *m,
         sw_err *(*read)(void *arg, void *p, size_t n, size_t *got), void *arg, int64_t len)
{
        sw_tar *t = w;

        if (len < 0)
                return sw_err_new(SW_E_INVALID, "%s: a file of %lld bytes", path,
                                  (long long) len);
        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '0', m);
        if (!err) {
                err = sw_err_wrap(keep_stream(t, read, arg, len), "%s", path);
                t->off = 0;
                t->e.size = len;
                t->held = !err;
        }
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
t_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct sw_layer_meta link = *m;
        sw_tar *t = w;

        link.mode = 0777;
        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '2', &link);
        if (!err)
                sw_buf_adds(&t->link, target);
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
t_hardlink(void *w, const char *path, const char *existing, const struct sw_layer_meta *m)
{
        sw_tar *t = w;

        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, '1', m);
        if (!err)
                sw_buf_adds(&t->link, existing);
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
t_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        sw_tar *t = w;
        char c = type == S_IFCHR ? '3' : type == S_IFBLK ? '4' : '6';

        if (type == S_IFSOCK) {
                sw_progress_warn(t->ctx, "%s is a socket: left out, archives have none",
                                 path);
                return SW_OK;
        }
        pthread_mutex_lock(&t->lock);
        sw_err *err = hold(t, path, c, m);
        if (!err && type != S_IFIFO) {
                t->e.dev_major = major(dev);
                t->e.dev_minor = minor(dev);
        }
        pthread_mutex_unlock(&t->lock);
        return err;
}

static sw_err *
marker(sw_tar *t, const char *dir, size_t dir_len, const char *name)
{
        const struct sw_layer_meta m = { .mode = 0 };
        sw_auto(sw_str) path =
                sw_asprintf("%.*s%s%s", (int) dir_len, dir, dir_len ? "/" : "", name);

        return t_data(t, path, &m, "", 0);
}

static sw_err *
t_whiteout(void *w, const char *path)
{
        const char *slash = strrchr(path, '/');
        sw_auto(sw_str) name = sw_asprintf(".wh.%s", slash ? slash + 1 : path);

        return marker(w, path, slash ? (size_t) (slash - path) : 0, name);
}

static sw_err *
t_opaque(void *w, const char *dir)
{
        return marker(w, dir, strlen(dir), ".wh..wh..opq");
}

static sw_err *
t_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        sw_tar *t = w;
        size_t len = strlen(path);

        pthread_mutex_lock(&t->lock);
        bool its = t->held && !strncmp(t->name.data, path, len) &&
                   (!t->name.data[len] || !strcmp(t->name.data + len, "/") || !*path);
        sw_err *err = its ? sw_tar_xattr(&t->names, &t->xattrs, name, p, n)
                          : sw_err_new(SW_E_INVALID,
                                       "attribute %s of %s comes after another entry", name,
                                       path);
        pthread_mutex_unlock(&t->lock);
        return err;
}

static void
release(sw_tar *t)
{
        sw_fd_clear(&t->fd);
        sw_buf_release(&t->name);
        sw_buf_release(&t->link);
        sw_buf_release(&t->xattrs);
        sw_strlist_release(&t->names);
        sw_buf_release(&t->data);
        free(t->room);
        pthread_mutex_destroy(&t->lock);
        free(t);
}

static sw_err *
t_finish(void *w)
{
        static const char end[2 * SW_TAR_BLOCK];
        sw_tar *t = w;
        sw_err *err = write_held(t);

        if (!err)
                err = t->sink.write(t->sink.arg, end, sizeof(end));
        release(t);
        return err;
}

static void
t_abandon(void *w)
{
        release(w);
}

const struct sw_layer_ops *
sw_tar_ops(void)
{
        static const struct sw_layer_ops ops = {
                .hdr = SW_OPS_SIZE(struct sw_layer_ops),
                .mkdir = t_mkdir,
                .file = t_file,
                .data = t_data,
                .symlink = t_symlink,
                .hardlink = t_hardlink,
                .node = t_node,
                .whiteout = t_whiteout,
                .opaque = t_opaque,
                .xattr = t_xattr,
                .finish = t_finish,
                .abandon = t_abandon,
                .stream = t_stream,
        };

        return &ops;
}

void
sw_tar_clamp(sw_tar *t, int64_t latest)
{
        t->latest = latest;
}

sw_tar *
sw_tar_new(sw_ctx *ctx, const struct sw_tar_sink *sink)
{
        sw_tar *t = sw_new(struct sw_tar);

        pthread_mutex_init(&t->lock, NULL);
        t->ctx = ctx;
        t->sink = *sink;
        t->fd = -1;
        t->latest = INT64_MAX;
        sw_buf_init(&t->name);
        sw_buf_init(&t->link);
        sw_buf_init(&t->xattrs);
        sw_buf_init(&t->data);
        return t;
}
