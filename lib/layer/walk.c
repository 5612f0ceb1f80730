/*
 * lib/layer/walk.c - a directory, told to a layer writer.
 *
 * A stack of frames, one per directory on the way to where the walk is. Only the root and
 * the deepest OPEN_FRAMES directories have a descriptor; another one is opened again, from
 * its nearest ancestor that has one, when the walk comes back to it.
 */
#include "lib/layer/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <slipway/map.h>
#include <slipway/text.h>
#include <slipway/time.h>

enum { OPEN_FRAMES = 64, LIST_ROOM = 65536, VALUE_ROOM = 65536 };

struct frame {
        int fd;           /* -1: closed for now */
        sw_strlist names; /* of its entries, sorted */
        size_t next;      /* of them */
        size_t path_len;  /* of the path of this directory, in walk.path */
        char *name;       /* of this directory in its parent; NULL: the root */
};

struct walk {
        sw_ctx *ctx;
        const struct sw_walk_opts *opts;
        const struct sw_layer_ops *ops;
        void *w;
        sw_buf path;   /* of the entry in hand, prefix included */
        sw_map *links; /* "dev:ino" -> the first path */
        SW_ARRAY(struct frame) frames;
        char *xattr_list, *xattr_value; /* room, made when first needed */
};

static const char *
shown(const struct walk *k)
{
        return k->path.len ? k->path.data : ".";
}

static sw_err *
failed(const struct walk *k, const char *doing)
{
        int e = errno;
        enum sw_code code = e == EACCES || e == EPERM ? SW_E_DENIED : SW_E_IO;

        return sw_err_sys(code, e, "%s %s", doing, shown(k));
}

/* ---- frames ---- */

static void
frame_release(struct frame *f)
{
        sw_fd_clear(&f->fd);
        sw_strlist_release(&f->names);
        free(f->name);
}

/* Read the names in a directory. @fd: given. */
static sw_err *
read_names(const struct walk *k, int fd, sw_strlist *out)
{
        DIR *dir = fdopendir(fd);
        struct dirent *e;

        if (!dir) {
                sw_err *err = failed(k, "read");

                close(fd);
                return err;
        }
        for (errno = 0; (e = readdir(dir)); errno = 0)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(out, e->d_name);
        sw_err *err = errno ? failed(k, "read") : SW_OK;
        closedir(dir);
        sw_strlist_sort(out);
        return err;
}

/* Enter the directory @fd (given), the path in hand. @name: of it in its parent. */
static sw_err *
push(struct walk *k, int fd, const char *name)
{
        struct frame f = { .fd = fd, .path_len = k->path.len, .name = sw_strdup(name) };
        int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_err *err = again < 0 ? failed(k, "open") : read_names(k, again, &f.names);

        if (err) {
                frame_release(&f);
                return err;
        }
        sw_array_push(&k->frames, f);
        if (k->frames.n > OPEN_FRAMES + 1)
                sw_fd_clear(&k->frames.v[k->frames.n - 1 - OPEN_FRAMES].fd);
        return SW_OK;
}

/* See that the topmost frame has its descriptor. */
static sw_err *
reopen(struct walk *k)
{
        size_t top = k->frames.n - 1, i = top;

        while (k->frames.v[i].fd < 0)
                i--;
        for (; i < top; i++) {
                struct frame *below = &k->frames.v[i + 1];

                below->fd = openat(k->frames.v[i].fd, below->name,
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (below->fd < 0)
                        return failed(k, "open again");
                if (i > 0 && top - i > OPEN_FRAMES)
                        sw_fd_clear(&k->frames.v[i].fd);
        }
        return SW_OK;
}

/* ---- one entry ---- */

static bool
is_overlays_own(const char *name)
{
        return sw_str_has_prefix(name, "trusted.overlay.") ||
               sw_str_has_prefix(name, "user.overlay.");
}

/* Tell one attribute of what is at /proc/self/fd/N (an O_PATH descriptor has no other
 * way). */
static sw_err *
tell_xattr(struct walk *k, const char *file, const char *name)
{
        ssize_t n = lgetxattr(file, name, k->xattr_value, VALUE_ROOM);

        if (n < 0)
                return errno == ENODATA ? SW_OK : failed(k, "read an attribute of");
        return k->ops->xattr(k->w, k->path.data, name, k->xattr_value, (size_t) n);
}

/* @dirfd, @name: the entry. */
static sw_err *
tell_xattrs(struct walk *k, int dirfd, const char *name)
{
        char file[64 + 256];
        sw_err *err = SW_OK;

        if (k->opts->no_xattrs)
                return SW_OK;
        if (!k->xattr_list) {
                k->xattr_list = sw_alloc(LIST_ROOM);
                k->xattr_value = sw_alloc(VALUE_ROOM);
        }
        snprintf(file, sizeof(file), "/proc/self/fd/%d/%s", dirfd, name);
        ssize_t n = llistxattr(file, k->xattr_list, LIST_ROOM);
        if (n < 0)
                return errno == ENOTSUP ? SW_OK : failed(k, "list the attributes of");
        sw_auto(sw_strlist) names = { 0 };
        for (const char *s = k->xattr_list; s < k->xattr_list + n; s += strlen(s) + 1)
                if (!is_overlays_own(s))
                        sw_strlist_add(&names, s);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n && !err; i++)
                err = tell_xattr(k, file, names.v[i]);
        return err;
}

static struct sw_layer_meta
meta_of(const struct walk *k, const struct stat *st)
{
        return (struct sw_layer_meta){
                .mode = st->st_mode & 07777,
                .uid = st->st_uid,
                .gid = st->st_gid,
                .mtime = k->opts->epoch != -1 ? k->opts->epoch
                                              : sw_time_from_spec(&st->st_mtim),
        };
}

static sw_err *
tell_file(struct walk *k, int dirfd, const char *name, const struct sw_layer_meta *m)
{
        struct stat st;
        sw_auto(sw_fd) fd =
                openat(dirfd, name,
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, &st) < 0)
                return failed(k, "open");
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_IO, "%s was changed while it was read", shown(k));
        return k->ops->file(k->w, k->path.data, m, fd, 0, st.st_size);
}

static sw_err *
tell_symlink(struct walk *k, int dirfd, const char *name, const struct sw_layer_meta *m)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

        if (n < 0)
                return failed(k, "read the link");
        target[n] = '\0';
        return k->ops->symlink(k->w, k->path.data, m, target);
}

/* Tell a hard link if it is another name of what was told; *told says so. */
static sw_err *
tell_link(struct walk *k, const struct stat *st, const struct sw_layer_meta *m, bool *told)
{
        char id[64];

        *told = false;
        if (st->st_nlink < 2)
                return SW_OK;
        snprintf(id, sizeof(id), "%llx:%llx", (unsigned long long) st->st_dev,
                 (unsigned long long) st->st_ino);
        const char *first = sw_map_get(k->links, id);
        if (!first) {
                sw_map_set(k->links, id, sw_strdup(k->path.data));
                return SW_OK;
        }
        *told = true;
        return k->ops->hardlink(k->w, k->path.data, first, m);
}

/* An entry that is no directory. */
static sw_err *
tell_leaf(struct walk *k, int dirfd, const char *name, const struct stat *st)
{
        struct sw_layer_meta m = meta_of(k, st);
        bool told;
        sw_err *err = tell_link(k, st, &m, &told);

        if (err || told)
                return err;
        if (S_ISREG(st->st_mode))
                err = tell_file(k, dirfd, name, &m);
        else if (S_ISLNK(st->st_mode))
                err = tell_symlink(k, dirfd, name, &m);
        else
                err = k->ops->node(k->w, k->path.data, &m, st->st_mode & S_IFMT,
                                   st->st_rdev);
        return err ? err : tell_xattrs(k, dirfd, name);
}

static sw_err *
tell_directory(struct walk *k, int dirfd, const char *name, const struct stat *st)
{
        struct sw_layer_meta m = meta_of(k, st);
        sw_auto(sw_fd) fd =
                openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return failed(k, "open");
        sw_err *err = k->ops->mkdir(k->w, k->path.data, &m);
        if (!err)
                err = tell_xattrs(k, dirfd, name);
        return err ? err : push(k, sw_fd_steal(&fd), name);
}

/* The next entry of the topmost frame, or leave that. */
static sw_err *
step(struct walk *k)
{
        struct frame *f = &k->frames.v[k->frames.n - 1];
        struct stat st;
        sw_err *err = sw_ctx_check(k->ctx);

        if (err)
                return err;
        sw_buf_truncate(&k->path, f->path_len);
        if (f->next == f->names.n) {
                frame_release(f);
                k->frames.n--;
                return SW_OK;
        }
        if (f->fd < 0 && (err = reopen(k)))
                return err;
        f = &k->frames.v[k->frames.n - 1];
        const char *name = f->names.v[f->next++];
        if (k->path.len)
                sw_buf_addc(&k->path, '/');
        sw_buf_adds(&k->path, name);
        if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return failed(k, "stat");
        return S_ISDIR(st.st_mode) ? tell_directory(k, f->fd, name, &st)
                                   : tell_leaf(k, f->fd, name, &st);
}

static sw_err *
tell_root(struct walk *k, int dirfd)
{
        struct stat st;

        if (k->opts->no_root)
                return SW_OK;
        if (fstat(dirfd, &st) < 0)
                return failed(k, "stat");
        struct sw_layer_meta m = meta_of(k, &st);
        sw_err *err = k->ops->mkdir(k->w, k->path.data, &m);
        return err ? err : tell_xattrs(k, dirfd, ".");
}

sw_err *
sw_layer_walk(sw_ctx *ctx, int dirfd, const struct sw_walk_opts *opts,
              const struct sw_layer_ops *ops, void *w)
{
        struct walk k = { .ctx = ctx, .opts = opts, .ops = ops, .w = w };
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        sw_buf_init(&k.path);
        sw_buf_adds(&k.path, opts->prefix ? opts->prefix : "");
        if (fd < 0) {
                sw_err *err = failed(&k, "open");

                sw_buf_release(&k.path);
                return err;
        }
        k.links = sw_map_new(free);
        sw_err *err = tell_root(&k, fd);
        if (!err)
                err = push(&k, sw_fd_steal(&fd), NULL);
        while (!err && k.frames.n)
                err = step(&k);
        while (k.frames.n)
                frame_release(&k.frames.v[--k.frames.n]);
        sw_array_release(&k.frames);
        sw_map_free(k.links);
        sw_buf_release(&k.path);
        free(k.xattr_list);
        free(k.xattr_value);
        return err;
}
