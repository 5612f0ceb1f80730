/*
 * lib/snapdir/writer.c - the layer writer of a directory in diff form.
 *
 * Directories get permission bits and times last (finish), children before parents: so a
 * directory that its owner may not write can be filled, set-group-id is not inherited, and
 * times stay. Files get what they lack over what a new file has anyway (struct snapdir's
 * facts): for most that is nothing but the time.
 *
 * Thread: as slipway/layer.h says; the directories have a lock, names in them are told by
 * one thread each.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/io.h>
#include <slipway/time.h>

#include "lib/snapdir/writer_priv.h"

/* How often an entry is replaced while we try to make it; how much of a stream is taken at
 * once. */
enum { TRIES = 3, STREAM_ROOM = 256 << 10 };

static sw_err *
check_meta(const struct sw_layer_meta *m)
{
        if (m->mode & ~(mode_t) 07777)
                return sw_err_new(SW_E_INVALID, "mode %o has more than permission bits",
                                  (unsigned) m->mode);
        return SW_OK;
}

/* Owner and time of an entry that is not opened; @fresh: it has our ids. */
static sw_err *
settle_at(const struct writer *w, const struct place *at, const struct sw_layer_meta *m)
{
        const struct timespec t = sw_time_to_spec(m->mtime), times[2] = { t, t };

        if ((m->uid != w->s->uid || m->gid != w->s->gid) &&
            fchownat(at->dir->fd, at->base, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "set the owner of", at->base);
        if (utimensat(at->dir->fd, at->base, times, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "set the time of", at->base);
        return SW_OK;
}

/* Owner, mode and time of a file that was just made with @m->mode. */
static sw_err *
settle(const struct writer *w, int fd, const struct sw_layer_meta *m, const char *path)
{
        const struct timespec t = sw_time_to_spec(m->mtime), times[2] = { t, t };
        const bool chowned = m->uid != w->s->uid || m->gid != w->s->gid;

        if (chowned && fchown(fd, m->uid, m->gid) < 0)
                return snapdir_err(errno, "set the owner of", path);
        if ((m->mode & (07000 | w->s->lost)) && fchmod(fd, m->mode) < 0)
                return snapdir_err(errno, "set the mode of", path);
        if (futimens(fd, times) < 0)
                return snapdir_err(errno, "set the time of", path);
        return SW_OK;
}

/* From now on the layer is no tree by itself. */
static sw_err *
note_hides(struct writer *w)
{
        char path[SNAPDIR_PATH];

        if (atomic_load_explicit(&w->noted, memory_order_relaxed))
                return SW_OK;
        (void) snprintf(path, sizeof(path), "a/%s/hides", w->key);
        sw_auto(sw_fd) fd = openat(w->s->dirfd, path,
                                   O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return snapdir_err(errno, "make", path);
        atomic_store_explicit(&w->noted, true, memory_order_relaxed);
        return SW_OK;
}

/* ---- directories ------------------------------------------------------------------- */

/* Take every attribute off a directory that is told again. */
static sw_err *
drop_attrs(const struct place *at)
{
        sw_auto(sw_strlist) names = { 0 };
        char path[300];
        sw_err *err = snapdir_attr_list(at->dir->fd, at->base, &names);

        snapdir_proc_path(path, at->dir->fd, at->base);
        for (size_t i = 0; i < names.n && !err; i++)
                if (lremovexattr(path, names.v[i]) < 0 && errno != ENODATA)
                        err = snapdir_err(errno, "remove attribute", names.v[i]);
        return err;
}

static sw_err *
set_opaque(struct writer *w, int dirfd, const char *name)
{
        char path[300];
        sw_err *err = note_hides(w);

        if (err)
                return err;
        snapdir_proc_path(path, dirfd, name);
        if (lsetxattr(path, snapdir_attr_opaque(w->s), "y", 1, 0) < 0)
                return snapdir_err(errno, "make opaque", name ? name : ".");
        return SW_OK;
}

/* A directory that is there: it is joined, with new metadata. */
static sw_err *
join_dir(const struct place *at, const struct stat *st, const struct sw_layer_meta *m)
{
        sw_err *err = drop_attrs(at);

        if (err)
                return err;
        if ((st->st_uid != m->uid || st->st_gid != m->gid) &&
            fchownat(at->dir->fd, at->base, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "set the owner of", at->base);
        if (fchmodat(at->dir->fd, at->base, (m->mode & 0777) | 0700, 0) < 0)
                return snapdir_err(errno, "set the mode of", at->base);
        return SW_OK;
}

/* Make the directory, or join the one that is there. *made: the mode it has now. */
static sw_err *
make_dir(struct writer *w, const struct place *at, const char *path,
         const struct sw_layer_meta *m, mode_t *made)
{
        const mode_t mode = (m->mode & 0777) | 0700;
        struct stat st;
        bool over = false;

        for (int i = 0; i < TRIES; i++) {
                if (mkdirat(at->dir->fd, at->base, mode) == 0) {
                        *made = mode & ~w->s->lost;
                        if ((m->uid != w->s->uid || m->gid != w->s->gid) &&
                            fchownat(at->dir->fd, at->base, m->uid, m->gid,
                                     AT_SYMLINK_NOFOLLOW) < 0)
                                return snapdir_err(errno, "set the owner of", path);
                        /* what was told to be gone stays gone */
                        return over ? set_opaque(w, at->dir->fd, at->base) : SW_OK;
                }
                if (errno != EEXIST)
                        return snapdir_err(errno, "make directory", path);
                if (fstatat(at->dir->fd, at->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return snapdir_err(errno, "look at", path);
                if (S_ISDIR(st.st_mode)) {
                        *made = mode;
                        return join_dir(at, &st, m);
                }
                over = true;
                sw_err *err = writer_clear(w, at, path);
                if (err)
                        return err;
        }
        return snapdir_err(EBUSY, "make directory", path);
}

static sw_err *
tell_root(struct writer *w, const struct sw_layer_meta *m)
{
        const struct place at = { &w->root, "." };
        struct stat st;

        if (fstat(w->root.fd, &st) < 0)
                return snapdir_err(errno, "look at", ".");
        w->root.meta = *m;
        w->root.made = (m->mode & 0777) | 0700;
        return join_dir(&at, &st, m);
}

static sw_err *
w_mkdir(void *arg, const char *path, const struct sw_layer_meta *m)
{
        struct writer *w = arg;
        struct place at;
        mode_t made = 0;
        sw_err *err = check_meta(m);

        if (err || !*path)
                return err ? err : tell_root(w, m);
        err = writer_enter(w, path, &at);
        if (err)
                return err;
        err = make_dir(w, &at, path, m, &made);
        if (!err) {
                struct wdir *d = writer_dir_add(w, &at, path);

                d->meta = *m;
                d->made = made;
        }
        writer_leave(w, &at);
        return err;
}

static sw_err *
w_opaque(void *arg, const char *path)
{
        struct writer *w = arg;
        struct wdir *d;
        sw_err *err = writer_dir(w, path, &d);

        if (err)
                return err;
        if (d != &w->root) {
                err = set_opaque(w, d->fd, NULL);
        } else {
                char from[SNAPDIR_PATH], to[SNAPDIR_PATH];

                (void) snprintf(from, sizeof(from), "a/%s/fs", w->key);
                (void) snprintf(to, sizeof(to), "a/%s/fo", w->key);
                if (*w->partner)
                        err = snapdir_err(EINVAL, "files are shared already, make opaque",
                                          ".");
                else if (renameat(w->s->dirfd, from, w->s->dirfd, to) < 0 &&
                         errno != ENOENT)
                        err = snapdir_err(errno, "make opaque", ".");
                w->opaque = !err;
        }
        writer_dir_put(w, d);
        return err;
}

/* ---- files ------------------------------------------------------------------------- */

/* Make an empty file in place of whatever is there. */
static sw_err *
create(struct writer *w, const struct place *at, const char *path, mode_t mode, int *fd)
{
        for (int i = 0; i < TRIES; i++) {
                *fd = openat(at->dir->fd, at->base,
                             O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                             mode & 0777);
                if (*fd >= 0)
                        return SW_OK;
                if (errno != EEXIST)
                        break;
                sw_err *err = writer_clear(w, at, path);
                if (err)
                        return err;
        }
        return snapdir_err(errno, "make", path);
}

/* Where the bytes of a file are: the first of these that is set. */
struct contents {
        sw_err *(*read)(void *arg, void *p, size_t n, size_t *got);
        void *arg;
        const void *p;
        int fd; /* from @off */
        int64_t off, len;
};

static sw_err *
fill_by_reading(const struct writer *w, int out, const struct contents *c)
{
        sw_auto(sw_str) room =
                sw_alloc(c->len < STREAM_ROOM ? (size_t) c->len + 1 : STREAM_ROOM);
        sw_err *err = SW_OK;

        for (int64_t left = c->len; left > 0 && !err;) {
                size_t got = 0;

                err = c->read(c->arg, room,
                              left < STREAM_ROOM ? (size_t) left : STREAM_ROOM, &got);
                if (!err && !got)
                        err = sw_err_new(SW_E_IO,
                                         "its data end early: %lld bytes are missing",
                                         (long long) left);
                int failed = err ? 0 : sw_write_all(out, room, got);
                if (failed)
                        err = sw_err_sys(SW_E_IO, failed, "write");
                if (!err)
                        err = sw_cancel_check(w->cancel);
                left -= (int64_t) got;
        }
        return err;
}

static sw_err *
fill(struct writer *w, int out, const struct contents *c)
{
        if (c->read)
                return fill_by_reading(w, out, c);
        if (!c->p)
                return snapdir_copy(c->fd, c->off, c->len, out, &w->no_clone, w->cancel);
        int failed = sw_write_all(out, c->p, (size_t) c->len);
        return failed ? sw_err_sys(SW_E_IO, failed, "write") : SW_OK;
}

static sw_err *
make_file(struct writer *w, const char *path, const struct sw_layer_meta *m,
          const struct contents *c)
{
        sw_auto(sw_fd) out = -1;
        struct place at;
        sw_err *err = check_meta(m);

        if (!err)
                err = sw_cancel_check(w->cancel);
        if (!err)
                err = writer_enter(w, path, &at);
        if (err)
                return err;
        err = create(w, &at, path, m->mode, &out);
        if (!err)
                err = fill(w, out, c);
        if (!err)
                err = settle(w, out, m, path);
        if (!err && close(sw_fd_steal(&out)) < 0)
                err = sw_err_sys(SW_E_IO, errno, "close");
        writer_leave(w, &at);
        return sw_err_wrap(err, "write %s", at.base);
}

static sw_err *
w_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        if (fd < 0)
                return sw_err_new(SW_E_INVALID, "no descriptor to read from");
        return make_file(w, path, m,
                         &(struct contents){ .fd = fd, .off = off, .len = len });
}

static sw_err *
w_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        return make_file(w, path, m,
                         &(struct contents){ .p = n ? p : "", .len = (int64_t) n });
}

static sw_err *
w_stream(void *w, const char *path, const struct sw_layer_meta *m,
         sw_err *(*read)(void *arg, void *p, size_t n, size_t *got), void *arg, int64_t len)
{
        if (len < 0)
                return sw_err_new(SW_E_INVALID, "%s: a file of %lld bytes", path,
                                  (long long) len);
        return make_file(w, path, m,
                         &(struct contents){ .read = read, .arg = arg, .len = len });
}

/* ---- other entries ----------------------------------------------------------------- */

static sw_err *
w_symlink(void *arg, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct writer *w = arg;
        struct place at;
        sw_err *err = check_meta(m);

        if (!err && (!*target || strlen(target) >= PATH_MAX))
                err = sw_err_new(*target ? SW_E_LIMIT : SW_E_INVALID,
                                 "target of a symlink: must have 1 to %d bytes",
                                 PATH_MAX - 1);
        if (!err)
                err = writer_enter(w, path, &at);
        if (err)
                return err;
        for (int i = 0; i < TRIES && !err; i++) {
                if (symlinkat(target, at.dir->fd, at.base) == 0) {
                        err = settle_at(w, &at, m);
                        break;
                }
                err = errno == EEXIST && i + 1 < TRIES
                              ? writer_clear(w, &at, path)
                              : snapdir_err(errno, "make symlink", path);
        }
        writer_leave(w, &at);
        return err;
}

/* Whether @at is something that can have another name. */
static sw_err *
check_linkable(const struct writer *w, const struct place *at, const char *path,
               struct stat *st)
{
        if (fstatat(at->dir->fd, at->base, st, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "look at", path);
        if (S_ISDIR(st->st_mode) || snapdir_is_whiteout(w->s, at->dir->fd, at->base, st))
                return snapdir_err(EINVAL, "a directory has one name:", path);
        return SW_OK;
}

static sw_err *
link_places(struct writer *w, const struct place *from, const struct place *to,
            const char *path, const struct stat *st)
{
        struct stat there;

        for (int i = 0; i < TRIES; i++) {
                if (linkat(from->dir->fd, from->base, to->dir->fd, to->base, 0) == 0)
                        return SW_OK;
                if (errno != EEXIST)
                        break;
                if (fstatat(to->dir->fd, to->base, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                    there.st_dev == st->st_dev && there.st_ino == st->st_ino)
                        return SW_OK; /* told before */
                sw_err *err = writer_clear(w, to, path);
                if (err)
                        return err;
        }
        return snapdir_err(errno, "make hard link", path);
}

static sw_err *
w_hardlink(void *arg, const char *path, const char *existing, const struct sw_layer_meta *m)
{
        struct writer *w = arg;
        struct place from, to;
        struct stat st;
        (void) m; /* it is the file's, which has it */
        sw_err *err = writer_enter(w, existing, &from);

        if (err)
                return err;
        err = writer_enter(w, path, &to);
        if (!err) {
                err = writer_check_own(w, &from);
                if (!err)
                        err = check_linkable(w, &from, existing, &st);
                if (!err)
                        err = link_places(w, &from, &to, path, &st);
                writer_leave(w, &to);
        }
        writer_leave(w, &from);
        return err;
}

/* mknod in place of whatever is there. */
static sw_err *
make_node(struct writer *w, const struct place *at, const char *path, mode_t mode,
          dev_t dev)
{
        const bool whiteout = S_ISCHR(mode) && dev == makedev(0, 0);

        for (int i = 0; i < TRIES; i++) {
                if ((whiteout ? snapdir_make_whiteout(w->s, at->dir->fd, at->base)
                              : mknodat(at->dir->fd, at->base, mode, dev)) == 0)
                        return SW_OK;
                if (errno != EEXIST)
                        break;
                sw_err *err = writer_clear(w, at, path);
                if (err)
                        return err;
        }
        return snapdir_err(errno, "make node", path);
}

static sw_err *
w_node(void *arg, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct writer *w = arg;
        struct place at;
        sw_err *err = check_meta(m);

        if (!err && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
            type != S_IFSOCK)
                err = snapdir_err(EINVAL, "not a type of node:", path);
        if (!err && type == S_IFCHR && dev == makedev(0, 0))
                err = snapdir_err(EINVAL, "device 0:0 stands for a whiteout:", path);
        if (!err)
                err = writer_enter(w, path, &at);
        if (err)
                return err;
        err = make_node(w, &at, path, type | (m->mode & 0777),
                        type == S_IFCHR || type == S_IFBLK ? dev : 0);
        if (!err && (m->uid != w->s->uid || m->gid != w->s->gid) &&
            fchownat(at.dir->fd, at.base, m->uid, m->gid, AT_SYMLINK_NOFOLLOW) < 0)
                err = snapdir_err(errno, "set the owner of", path);
        /* it was just made by us, in a directory only we write: no link to follow */
        if (!err && (m->mode & (07000 | w->s->lost)) &&
            fchmodat(at.dir->fd, at.base, m->mode, 0) < 0)
                err = snapdir_err(errno, "set the mode of", path);
        if (!err) {
                struct sw_layer_meta rest = *m;

                rest.uid = w->s->uid;
                rest.gid = w->s->gid;
                err = settle_at(w, &at, &rest);
        }
        writer_leave(w, &at);
        return err;
}

/* overlayfs leaves whiteouts out of the listing of a directory only when it is merged or
 * says that it was copied up: an origin that is empty says so. */
static sw_err *
mark_hiding(struct writer *w, struct wdir *d)
{
        if (d->hides || d == &w->root)
                return SW_OK;
        if (fsetxattr(d->fd, snapdir_attr_origin(w->s), "", 0, XATTR_CREATE) < 0 &&
            errno != EEXIST)
                return snapdir_err(errno, "mark as having whiteouts:", d->path);
        d->hides = true;
        return SW_OK;
}

static sw_err *
w_whiteout(void *arg, const char *path)
{
        struct writer *w = arg;
        struct place at;
        sw_err *err = note_hides(w);

        if (!err)
                err = writer_enter(w, path, &at);
        if (err)
                return err;
        err = make_node(w, &at, path, S_IFCHR, makedev(0, 0));
        if (!err)
                err = mark_hiding(w, at.dir);
        writer_leave(w, &at);
        return err;
}

static sw_err *
w_xattr(void *arg, const char *path, const char *name, const void *p, size_t n)
{
        struct writer *w = arg;
        struct place at;
        char full[300];
        sw_err *err = SW_OK;

        if (snapdir_attr_private(name))
                return snapdir_err(EINVAL,
                                   "attributes of overlayfs's own cannot be set:", name);
        if (!*path) {
                if (fsetxattr(w->root.fd, name, p, n, 0) < 0)
                        err = snapdir_err(errno, "set attribute", name);
                return err;
        }
        err = writer_enter(w, path, &at);
        if (err)
                return err;
        snapdir_proc_path(full, at.dir->fd, at.base);
        err = writer_check_own(w, &at);
        if (!err && lsetxattr(full, name, p, n, 0) < 0)
                err = sw_err_wrap(snapdir_err(errno, "set attribute", name), "%s", at.base);
        writer_leave(w, &at);
        return err;
}

/* ---- begin and end ----------------------------------------------------------------- */

static void
w_abandon(void *arg)
{
        struct writer *w = arg;

        writer_dirs_release(w);
        pthread_mutex_destroy(&w->lock);
        sw_cancel_unref(w->cancel);
        free(w);
}

/* Give a directory what it gets last. */
static sw_err *
finish_dir(struct writer *w, struct wdir *d)
{
        struct wdir *above = NULL;
        struct place at = { &w->root, "." };
        sw_err *err = SW_OK;

        if (d->gone)
                return SW_OK;
        if (d->parent) {
                err = writer_dir(w, d->parent->path, &above);
                if (err)
                        return err;
                at = (struct place){ above, d->base };
        }
        const struct timespec t = sw_time_to_spec(d->meta.mtime), times[2] = { t, t };
        if (d->made != d->meta.mode && fchmodat(at.dir->fd, at.base, d->meta.mode, 0) < 0)
                err = snapdir_err(errno, "set the mode of", d->path);
        if (!err && utimensat(at.dir->fd, at.base, times, AT_SYMLINK_NOFOLLOW) < 0)
                err = snapdir_err(errno, "set the time of", d->path);
        if (above)
                writer_dir_put(w, above);
        return err;
}

static sw_err *
w_finish(void *arg)
{
        struct writer *w = arg;
        sw_err *err = sw_cancel_check(w->cancel);

        for (size_t i = w->order.n; i-- > 0 && !err;)
                err = finish_dir(w, w->order.v[i]);
        if (!err)
                err = finish_dir(w, &w->root);
        w_abandon(w);
        return err;
}

static const struct sw_layer_ops writer_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = w_mkdir,
        .file = w_file,
        .data = w_data,
        .symlink = w_symlink,
        .hardlink = w_hardlink,
        .node = w_node,
        .whiteout = w_whiteout,
        .opaque = w_opaque,
        .xattr = w_xattr,
        .finish = w_finish,
        .abandon = w_abandon,
        .stream = w_stream,
        .share = writer_share,
};

sw_err *
snapdir_write(struct snapdir *s, sw_ctx *ctx, const char *key,
              const struct sw_layer_ops **ops, void **out)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        bool opaque;
        sw_err *err = sw_id_check("layer", key);

        if (!err)
                err = snapdir_open_layer(s, 'a', key, &fd, &opaque);
        if (err)
                return err;
        if (fstat(fd, &st) < 0)
                return snapdir_err(errno, "look at layer", key);
        struct writer *w = sw_new(struct writer);
        w->s = s;
        w->cancel = sw_ctx_cancel(ctx) ? sw_cancel_ref(sw_ctx_cancel(ctx)) : NULL;
        (void) snprintf(w->key, sizeof(w->key), "%s", key);
        pthread_mutex_init(&w->lock, NULL);
        w->dirs = sw_map_new(NULL);
        w->root.fd = sw_fd_steal(&fd);
        w->root.twin = w->partnerfd = -1;
        w->opaque = opaque;
        w->root.path = (char *) "";
        w->root.base = "";
        w->root.made = st.st_mode & 07777;
        w->root.meta = (struct sw_layer_meta){
                .mode = st.st_mode & 07777,
                .uid = st.st_uid,
                .gid = st.st_gid,
                .mtime = sw_time_from_spec(&st.st_mtim),
        };
        *ops = &writer_ops;
        *out = w;
        return SW_OK;
}
