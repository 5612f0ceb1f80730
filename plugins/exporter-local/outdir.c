/*
 * plugins/exporter-local/outdir.c - entries into a directory of the user's.
 *
 * Directories get their mode and time at the end, the deepest first, since a mode may keep
 * us from writing and every entry changes the time. Of the way to an entry only the last
 * directory used has a descriptor: what is told comes sorted, so it is mostly the right
 * one; else the way is gone again from the root, one name at a time, following nothing.
 */
#include "plugins/exporter-local/outdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <slipway/array.h>
#include <slipway/id.h>
#include <slipway/io.h>
#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/snapdir/snapdir.h"
#include "plugins/exporter-local/mirror.h"

struct told_dir {
        char *path;
        struct sw_layer_meta meta;
};

struct outdir {
        sw_ctx *ctx;
        int root; /* borrowed */
        struct outdir_opts opts;
        const char *source; /* platform in hand */
        uid_t uid;
        gid_t gid;
        /* The directory used last. */
        char *dir; /* its path; NULL: none */
        sw_fd dirfd;
        SW_ARRAY(struct told_dir) dirs;
        sw_map *told; /* path -> platform; only for unique and mirror */
        bool warned_xattr;
        atomic_bool no_clone; /* blocks cannot be shared with files of this directory */
};

static sw_err *
failed(const char *doing, const char *path)
{
        int e = errno;

        return sw_err_sys(e == EACCES || e == EPERM ? SW_E_DENIED : SW_E_IO, e, "%s %s",
                          doing, *path ? path : ".");
}

/* ---- finding the directory of an entry ---- */

/* Go from the root to @path. */
static sw_err *
walk_to(const outdir *o, const char *path, int *out)
{
        sw_auto(sw_fd) fd = openat(o->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_strlist) names = { 0 };

        sw_strlist_split(&names, path, '/');
        for (size_t i = 0; i < names.n && fd >= 0; i++) {
                int next = openat(fd, names.v[i],
                                  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                int e = errno;

                sw_fd_clear(&fd);
                fd = next;
                errno = e;
        }
        if (fd < 0)
                return failed("open directory", path);
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

/* The directory of @path, borrowed, and the name in it. */
static sw_err *
parent_of(outdir *o, const char *path, int *dirfd, const char **name)
{
        const char *slash = strrchr(path, '/');
        size_t len = slash ? (size_t) (slash - path) : 0;

        *name = slash ? slash + 1 : path;
        if (!o->dir || strncmp(o->dir, path, len) != 0 || o->dir[len]) {
                sw_auto(sw_str) dir = sw_strndup(path, len);

                sw_fd_clear(&o->dirfd);
                free(o->dir);
                o->dir = NULL;
                sw_err *err = walk_to(o, dir, &o->dirfd);
                if (err)
                        return err;
                o->dir = sw_steal(dir);
        }
        *dirfd = o->dirfd;
        return SW_OK;
}

/* Note that @path was told. @leaf: it is no directory. */
static sw_err *
note(outdir *o, const char *path, bool leaf)
{
        if (!o->told)
                return SW_OK;
        const char *before = sw_map_get(o->told, path);
        if (before && leaf && o->opts.unique)
                return sw_err_new(
                        SW_E_EXISTS,
                        "cannot overwrite %s from %s with %s when split option is "
                        "disabled",
                        path, before, o->source);
        sw_map_set(o->told, path, sw_strdup(o->source));
        return SW_OK;
}

/* ---- putting an entry in its place ---- */

/* Move what was made as @temp over @name, which may be anything. */
static sw_err *
put(int dirfd, const char *temp, const char *name, const char *path)
{
        if (!renameat(dirfd, temp, dirfd, name))
                return SW_OK;
        if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST)
                return failed("replace", path);
        sw_err *err = sw_path_remove(dirfd, name);
        if (!err && renameat(dirfd, temp, dirfd, name) < 0)
                err = failed("replace", path);
        return sw_err_wrap(err, "remove the directory %s", path);
}

/* Where an entry goes, and the name under which it is made. */
struct place {
        int dirfd; /* borrowed */
        const char *name;
        char temp[SW_ID_SIZE + 16];
};

/* An entry that is no directory begins. */
static sw_err *
begin(outdir *o, const char *path, struct place *at)
{
        char id[SW_ID_SIZE];
        sw_err *err = note(o, path, true);

        snprintf(at->temp, sizeof(at->temp), ".slipway-%s", sw_id_new(id));
        return err ? err : parent_of(o, path, &at->dirfd, &at->name);
}

/* What was made goes to its place; @err: what went wrong before. */
static sw_err *
end(const struct place *at, const char *path, sw_err *err)
{
        if (!err)
                err = put(at->dirfd, at->temp, at->name, path);
        if (err)
                (void) unlinkat(at->dirfd, at->temp, 0);
        return err;
}

/* The mode a file gets here; see the header. */
static mode_t
mode_here(const outdir *o, const struct sw_layer_meta *m)
{
        mode_t mode = m->mode & 07777;

        if (m->uid != o->uid)
                mode &= ~(mode_t) S_ISUID;
        if (m->gid != o->gid)
                mode &= ~(mode_t) S_ISGID;
        return mode;
}

static void
times_of(const struct sw_layer_meta *m, struct timespec t[2])
{
        t[0] = t[1] = sw_time_to_spec(m->mtime);
}

/* ---- files ---- */

/* Give the file its metadata, and its name; @err: of its data. */
static sw_err *
settle(outdir *o, const struct place *at, int fd, const char *path,
       const struct sw_layer_meta *m, sw_err *err)
{
        struct timespec t[2];

        times_of(m, t);
        if (!err && (fchmod(fd, mode_here(o, m)) < 0 || futimens(fd, t) < 0))
                err = failed("set the mode of", path);
        if (close(fd) < 0 && !err)
                err = failed("close", path);
        return end(at, path, err);
}

static sw_err *
begin_file(outdir *o, const char *path, struct place *at, int *fd)
{
        sw_err *err = begin(o, path, at);

        if (err)
                return err;
        *fd = openat(at->dirfd, at->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return *fd < 0 ? failed("create", path) : SW_OK;
}

static void
wrote(outdir *o, int64_t bytes)
{
        if (o->opts.wrote)
                o->opts.wrote(o->opts.arg, bytes);
}

static sw_err *
o_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        outdir *o = w;
        struct place at;
        int to;
        sw_err *err = begin_file(o, path, &at, &to);

        if (err)
                return err;
        err = sw_err_wrap(snapdir_copy(fd, off, len, to, &o->no_clone,
                                       sw_ctx_cancel(o->ctx)),
                          "write %s", path);
        wrote(o, len);
        return settle(o, &at, to, path, m, err);
}

static sw_err *
o_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        outdir *o = w;
        struct place at;
        int to;
        sw_err *err = begin_file(o, path, &at, &to);

        if (err)
                return err;
        errno = sw_write_all(to, p, n);
        if (errno)
                err = failed("write", path);
        wrote(o, (int64_t) n);
        return settle(o, &at, to, path, m, err);
}

/* ---- the rest ---- */

static sw_err *
o_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        outdir *o = w;
        const char *name;
        struct stat st;
        int dirfd;
        sw_err *err = note(o, path, false);

        if (!*path)
                return err;
        if (!err)
                err = parent_of(o, path, &dirfd, &name);
        if (err)
                return err;
        if (mkdirat(dirfd, name, 0700) < 0) {
                if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return failed("make directory", path);
                if (!S_ISDIR(st.st_mode) &&
                    (unlinkat(dirfd, name, 0) < 0 || mkdirat(dirfd, name, 0700) < 0))
                        return failed("replace by a directory", path);
                /* One that cannot be written is made so until the end. */
                if (S_ISDIR(st.st_mode) && (st.st_mode & 0700) != 0700)
                        (void) fchmodat(dirfd, name, 0700, 0);
        }
        sw_array_push(&o->dirs, (struct told_dir){ sw_strdup(path), *m });
        return SW_OK;
}

static sw_err *
o_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct place at;
        struct timespec t[2];
        sw_err *err = begin(w, path, &at);

        if (err)
                return err;
        if (symlinkat(target, at.dirfd, at.temp) < 0)
                return failed("make link", path);
        times_of(m, t);
        if (utimensat(at.dirfd, at.temp, t, AT_SYMLINK_NOFOLLOW) < 0)
                err = failed("set the time of", path);
        return end(&at, path, err);
}

static sw_err *
o_hardlink(void *w, const char *path, const char *existing, const struct sw_layer_meta *m)
{
        const char *slash = strrchr(existing, '/');
        sw_auto(sw_str) dir = sw_strndup(existing, slash ? (size_t) (slash - existing) : 0);
        sw_auto(sw_fd) from = -1;
        struct place at;
        sw_err *err = walk_to(w, dir, &from);

        (void) m;
        if (!err)
                err = begin(w, path, &at);
        if (err)
                return err;
        if (linkat(from, slash ? slash + 1 : existing, at.dirfd, at.temp, 0) < 0)
                return failed("link", path);
        err = end(&at, path, SW_OK);
        /* A rename of two names of one file does nothing and leaves both. */
        (void) unlinkat(at.dirfd, at.temp, 0);
        return err;
}

static sw_err *
o_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct place at;
        struct timespec t[2];
        sw_err *err = begin(w, path, &at);

        if (err)
                return err;
        if (mknodat(at.dirfd, at.temp, type | 0600, dev) < 0)
                return failed("make device", path);
        mode_t mode = mode_here(w, m);
        if (type == S_IFCHR || type == S_IFBLK) /* the host's own, by their numbers */
                mode &= 0600;
        times_of(m, t);
        if (fchmodat(at.dirfd, at.temp, mode, 0) < 0 ||
            utimensat(at.dirfd, at.temp, t, AT_SYMLINK_NOFOLLOW) < 0)
                err = failed("set the mode of", path);
        return end(&at, path, err);
}

/* A whole tree is told: there is nothing to hide. */
static sw_err *
o_hide(void *w, const char *path)
{
        (void) w;
        return sw_err_new(SW_E_INTERNAL, "%s: a directory has no whiteouts", path);
}

static sw_err *
o_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        outdir *o = w;
        char file[64 + 256];
        const char *base;
        int dirfd;

        if (!sw_str_has_prefix(name, "user.") && strcmp(name, "security.capability") != 0)
                return SW_OK;
        if (!*path)
                return SW_OK;
        sw_err *err = parent_of(o, path, &dirfd, &base);
        if (err)
                return err;
        snprintf(file, sizeof(file), "/proc/self/fd/%d/%s", dirfd, base);
        if (!lsetxattr(file, name, p, n, 0))
                return SW_OK;
        if (errno != ENOTSUP && errno != EPERM && errno != EACCES)
                return failed("set an attribute of", path);
        if (!o->warned_xattr)
                sw_progress_warn(o->ctx, "attribute %s of %s cannot be set here: %s", name,
                                 path, strerror(errno));
        o->warned_xattr = true;
        return SW_OK;
}

/* ---- the end ---- */

static sw_err *
settle_dir(outdir *o, const struct told_dir *d)
{
        const char *name;
        struct timespec t[2];
        int dirfd;
        sw_err *err = parent_of(o, d->path, &dirfd, &name);

        if (err)
                return err;
        times_of(&d->meta, t);
        if (fchmodat(dirfd, name, mode_here(o, &d->meta), 0) < 0 ||
            utimensat(dirfd, name, t, AT_SYMLINK_NOFOLLOW) < 0)
                return failed("set the mode of", d->path);
        return SW_OK;
}

static void
o_abandon(void *w)
{
        outdir *o = w;

        for (size_t i = 0; i < o->dirs.n; i++)
                free(o->dirs.v[i].path);
        sw_array_release(&o->dirs);
        sw_map_free(o->told);
        sw_fd_clear(&o->dirfd);
        free(o->dir);
        free(o);
}

static sw_err *
o_finish(void *w)
{
        outdir *o = w;
        sw_err *err = o->opts.mirror ? mirror_remove(o->ctx, o->root, o->told) : SW_OK;

        for (size_t i = o->dirs.n; i > 0 && !err; i--)
                err = settle_dir(o, &o->dirs.v[i - 1]);
        o_abandon(o);
        return err;
}

const struct sw_layer_ops *
outdir_ops(void)
{
        static const struct sw_layer_ops ops = {
                .hdr = SW_OPS_SIZE(struct sw_layer_ops),
                .mkdir = o_mkdir,
                .file = o_file,
                .data = o_data,
                .symlink = o_symlink,
                .hardlink = o_hardlink,
                .node = o_node,
                .whiteout = o_hide,
                .opaque = o_hide,
                .xattr = o_xattr,
                .finish = o_finish,
                .abandon = o_abandon,
        };

        return &ops;
}

outdir *
outdir_new(sw_ctx *ctx, int dirfd, const struct outdir_opts *opts)
{
        outdir *o = sw_new(outdir);

        o->ctx = ctx;
        o->root = dirfd;
        o->opts = *opts;
        o->source = "";
        o->uid = geteuid();
        o->gid = getegid();
        o->dirfd = -1;
        o->told = opts->unique || opts->mirror ? sw_map_new(free) : NULL;
        return o;
}

void
outdir_source(outdir *o, const char *platform)
{
        o->source = platform;
}
