/*
 * core/ops/view.c - see view.h. Plain paths are opened with openat2(2), no symlink followed
 * and nothing above the root; without that call, component by component.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/view.h"

/* ---- opening plain paths ------------------------------------------------------------ */

/* Directory by directory, for kernels without openat2. */
static int
open_stepwise(int rootfd, const char *path, int flags)
{
        sw_auto(sw_fd) dir = openat(rootfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const char *slash;
        char name[NAME_MAX + 1];

        while (dir >= 0 && (slash = strchr(path, '/'))) {
                size_t n = (size_t) (slash - path);
                int next;

                if (n > NAME_MAX) {
                        errno = ENAMETOOLONG;
                        return -1;
                }
                memcpy(name, path, n);
                name[n] = '\0';
                next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return -1;
                (void) close(dir);
                dir = next;
                path = slash + 1;
        }
        return dir < 0 ? -1 : openat(dir, path, flags | O_NOFOLLOW | O_CLOEXEC);
}

/* open(2) of a plain path. */
static int
open_plain(int rootfd, const char *path, int flags)
{
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_NOFOLLOW | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int fd;

        if (rootfd < 0) {
                errno = ENOENT;
                return -1;
        }
        if (!*path)
                return openat(rootfd, ".", flags | O_NOFOLLOW | O_CLOEXEC);
        if (!strchr(path, '/'))
                return openat(rootfd, path, flags | O_NOFOLLOW | O_CLOEXEC);
        do
                fd = (int) syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EINTR || errno == EAGAIN));
        return fd >= 0 || (errno != ENOSYS && errno != EPERM)
                       ? fd
                       : open_stepwise(rootfd, path, flags);
}

char *
sw__path_shown(const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        size_t n = strlen(path);

        sw_buf_add_quoted(&shown, path, n, 300);
        if (shown.len == n + 2) /* nothing had to be escaped */
                return sw_strdup(path);
        return sw_buf_detach(&shown);
}

static bool
is_missing(int err)
{
        return err == ENOENT || err == ENOTDIR || err == ELOOP;
}

static sw_err *
path_error(int err, const char *verb, const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, *path ? path : "/", *path ? strlen(path) : 1, 300);
        if (is_missing(err))
                return sw_err_sys(SW_E_NOT_FOUND, ENOENT, "%s %s", verb, shown.data);
        return sw_err_sys(err == EACCES || err == EPERM ? SW_E_DENIED : SW_E_IO, err,
                          "%s %s", verb, shown.data);
}

static sw_err *
changed(const char *path, const char *how)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), 300);
        return sw_err_new(SW_E_BUSY, "%s was %s while it was being copied", shown.data,
                          how);
}

/* ---- views -------------------------------------------------------------------------- */

void
sw__view_of_dir(int dirfd, struct sw__view *out)
{
        *out = (struct sw__view){ .rootfd = dirfd, .dir = dirfd };
}

/* Names of one file all lead to the first of them, which is marked. */
static void
view_of_list(const struct sw_listing *l, struct sw__view *out)
{
        *out = (struct sw__view){ .rootfd = -1, .dir = -1, .list = l };
        for (size_t i = 0; i < l->n; i++) {
                if (!l->v[i].same_as || l->v[i].same_as > i)
                        continue;
                if (!out->linked)
                        out->linked = sw_alloc_array(l->n, sizeof(bool));
                out->linked[l->v[i].same_as - 1] = true;
        }
}

static sw_err *
open_stored(sw_worker *w, sw_ctx *ctx, sw_ref *ref, struct sw__view *out)
{
        struct sw_snapshot_mount mount = { .size = sizeof(mount) };

        sw__view_of_dir(-1, out);
        sw_err *err = sw__worker_look(w, ctx, ref, &out->look);
        if (err || out->look.ops)
                return err;
        err = sw__worker_view(w, ctx, ref, &mount);
        if (err)
                return err;
        out->worker = w;
        out->mount = mount;
        out->mounted = true;
        out->rootfd = mount.dirfd;
        return SW_OK;
}

sw_err *
sw__view_open(sw_worker *w, sw_ctx *ctx, sw_ref *ref, struct sw__view *out)
{
        const struct sw_listing *list = ref ? sw_ref_listing(ref) : NULL;

        if (!ref) {
                sw__view_of_dir(-1, out);
                return SW_OK;
        }
        if (list) {
                view_of_list(list, out);
        } else {
                sw_err *err = open_stored(w, ctx, ref, out);

                if (err)
                        return err;
        }
        out->ref = sw_ref_ref(ref);
        return SW_OK;
}

sw_err *
sw__view_close(struct sw__view *v)
{
        sw_err *err = SW_OK;

        if (v->mounted)
                err = sw__worker_unview(v->worker, &v->mount);
        if (v->look.ops)
                v->look.ops->look_close(v->look.look);
        sw_fd_clear(&v->dir);
        sw_ref_unref(v->ref);
        free(v->linked);
        *v = (struct sw__view){ .rootfd = -1, .dir = -1 };
        return err;
}

void
sw__view_drop(struct sw__view *v)
{
        sw_err_drop(sw__view_close(v), "nothing was written to it");
}

/* ---- looking ------------------------------------------------------------------------ */

static void
fill_from_list(const struct sw__view *v, size_t i, struct sw__view_entry *out)
{
        const struct sw_entry *e = &v->list->v[i];
        size_t first = i;

        while (v->list->v[first].same_as && v->list->v[first].same_as <= first)
                first = v->list->v[first].same_as - 1;
        *out = (struct sw__view_entry){ .index = i };
        out->st.st_mode = e->mode;
        out->st.st_uid = e->uid;
        out->st.st_gid = e->gid;
        out->st.st_size = e->size;
        out->st.st_rdev = e->rdev;
        out->st.st_mtim = sw_time_to_spec(e->mtime);
        out->st.st_ino = first + 1;
        out->st.st_nlink = first != i || (v->linked && v->linked[i]) ? 2 : 1;
}

static sw_err *
lstat_listed(const struct sw__view *v, const char *path, struct sw__view_entry *out)
{
        const struct sw_entry *e;

        if (!*path) {
                *out = (struct sw__view_entry){ .st = { .st_mode = S_IFDIR | 0755,
                                                        .st_nlink = 1 } };
                return SW_OK;
        }
        e = sw_listing_find(v->list, path);
        if (!e)
                return path_error(ENOENT, "stat", path);
        fill_from_list(v, (size_t) (e - v->list->v), out);
        return SW_OK;
}

sw_err *
sw__view_lstat(const struct sw__view *v, const char *path, struct sw__view_entry *out)
{
        sw_auto(sw_fd) fd = -1;

        if (v->list)
                return lstat_listed(v, path, out);
        if (v->look.ops)
                return v->look.ops->look_stat(v->look.look, path, &out->st);
        if (!*path && v->rootfd < 0) {
                *out = (struct sw__view_entry){ .st = { .st_mode = S_IFDIR | 0755,
                                                        .st_nlink = 1 } };
                return SW_OK;
        }
        if (v->rootfd >= 0 && !strchr(path, '/')) { /* nothing on the way: one call does */
                if (fstatat(v->rootfd, path, &out->st,
                            AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH)) != 0)
                        return path_error(errno, "stat", path);
                return SW_OK;
        }
        fd = open_plain(v->rootfd, path, O_PATH);
        if (fd < 0 || fstat(fd, &out->st) != 0)
                return path_error(errno, "stat", path);
        return SW_OK;
}

sw_err *
sw__view_readlink(const struct sw__view *v, const char *path, char **out)
{
        sw_auto(sw_fd) fd = -1;
        const struct sw_entry *e;
        char target[PATH_MAX];
        ssize_t n;

        if (v->list) {
                e = sw_listing_find(v->list, path);
                if (!e || !e->link)
                        return path_error(EINVAL, "read link", path);
                *out = sw_strdup(e->link);
                return SW_OK;
        }
        if (v->look.ops) {
                sw_err *err = v->look.ops->look_open(v->look.look, path, O_PATH, &fd);

                if (err)
                        return err;
        } else {
                fd = open_plain(v->rootfd, path, O_PATH);
        }
        n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));
        if (n < 0)
                return path_error(errno, "read link", path);
        if ((size_t) n == sizeof(target))
                return path_error(ENAMETOOLONG, "read link", path);
        *out = sw_strndup(target, (size_t) n);
        return SW_OK;
}

static sw_err *
names_listed(const struct sw_listing *l, const char *path, sw_strlist *out)
{
        size_t first, n = sw_listing_below(l, path, &first), skip = *path ? 1 : 0;
        size_t prefix = *path ? strlen(path) + 1 : 0;

        if (!n && *path)
                return path_error(ENOENT, "read directory", path);
        for (size_t i = first + skip, end = first + n; i < end;) {
                size_t at;

                sw_strlist_add(out, l->v[i].path + prefix);
                i += S_ISDIR(l->v[i].mode) ? sw_listing_below(l, l->v[i].path, &at) : 1;
        }
        return SW_OK;
}

static sw_err *
read_names(DIR *dir, const char *path, sw_strlist *out)
{
        const struct dirent *e;

        while ((errno = 0, e = readdir(dir)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(out, e->d_name);
        return errno ? path_error(errno, "read directory", path) : SW_OK;
}

sw_err *
sw__view_names(const struct sw__view *v, const char *path, sw_strlist *out)
{
        int fd;
        DIR *dir;
        sw_err *err;

        if (v->list)
                return names_listed(v->list, path, out);
        if (v->look.ops)
                return v->look.ops->look_names(v->look.look, path, out);
        if (v->rootfd < 0 && !*path)
                return SW_OK;
        fd = open_plain(v->rootfd, path, O_RDONLY | O_DIRECTORY);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                err = path_error(errno, "read directory", path);
                if (fd >= 0)
                        (void) close(fd);
                return err;
        }
        err = read_names(dir, path, out);
        (void) closedir(dir);
        if (!err)
                sw_strlist_sort(out);
        return err;
}

/* ---- reading files ------------------------------------------------------------------ */

sw_err *
sw__view_open_file(const struct sw__view *v, const char *path,
                   const struct sw__view_entry *e, int *out, struct stat *st)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err;

        if (v->list && *path) {
                err = sw_listing_open(v->list, e->index, &fd, st);
                if (err)
                        return err;
                *out = sw_fd_steal(&fd);
                return SW_OK;
        }
        if (v->look.ops) {
                err = v->look.ops->look_open(v->look.look, path,
                                             O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
                if (err)
                        return err;
        } else {
                fd = open_plain(v->list ? v->list->dirfd : v->rootfd, path,
                                O_RDONLY | O_NONBLOCK | O_NOCTTY);
        }
        if (fd < 0 && is_missing(errno))
                return changed(path, "removed or replaced");
        if (fd < 0 || fstat(fd, st) != 0)
                return path_error(errno, "open", path);
        if (!v->list && (st->st_ino != e->st.st_ino || st->st_dev != e->st.st_dev ||
                         (st->st_mode & S_IFMT) != (e->st.st_mode & S_IFMT)))
                return changed(path, "replaced");
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

sw_err *
sw__view_check_file(const struct sw__view *v, const char *path,
                    const struct sw__view_entry *e, int fd, const struct stat *st)
{
        struct stat now;

        if (v->mounted || v->look.ops) /* layers do not change */
                return SW_OK;
        if (v->list)
                return sw_listing_check(v->list, e->index, fd, st);
        if (fstat(fd, &now) != 0)
                return path_error(errno, "stat", path);
        if (now.st_size != st->st_size || now.st_mtim.tv_sec != st->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != st->st_mtim.tv_nsec)
                return changed(path, "changed");
        return SW_OK;
}

sw_err *
sw__view_open_node(const struct sw__view *v, const char *path,
                   const struct sw__view_entry *e, int *out)
{
        int root = v->list ? v->list->dirfd : v->rootfd, fd;

        *out = -1;
        if (v->look.ops)
                return v->look.ops->look_open(v->look.look, path, O_PATH, out);
        if (root < 0)
                return SW_OK;
        fd = open_plain(root, path, O_PATH);
        if (fd < 0 && is_missing(errno))
                return changed(path, "removed or replaced");
        if (fd < 0)
                return path_error(errno, "open", path);
        (void) e;
        *out = fd;
        return SW_OK;
}

static sw_err *
link_at(void *arg, const char *path, char **target)
{
        const struct sw__view *v = arg;
        struct sw__view_entry e = { 0 };
        sw_err *err = sw__view_lstat(v, path, &e);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "nothing stands there");
                return SW_OK;
        }
        if (err || !S_ISLNK(e.st.st_mode))
                return err;
        return sw__view_readlink(v, path, target);
}

sw_err *
sw__view_resolve(const struct sw__view *v, const char *path, bool follow_last, char **out)
{
        return sw__resolve(path, follow_last, link_at, (void *) v, out);
}

/* @max: the file may not be larger; SIZE_MAX: any. */
static sw_err *
open_regular(const struct sw__view *v, const char *path, const char *shown, size_t max,
             int *fd)
{
        sw_auto(sw_str) plain = NULL;
        struct sw__view_entry e = { 0 };
        struct stat st;
        sw_err *err = sw__view_resolve(v, path, true, &plain);

        if (!err)
                err = sw__view_lstat(v, plain, &e);
        if (!err && !S_ISREG(e.st.st_mode))
                err = sw_err_new(SW_E_INVALID, "%s is not a regular file", shown);
        if (!err && (uint64_t) e.st.st_size > max)
                err = sw_err_new(SW_E_LIMIT, "%s has more than %zu bytes", shown, max);
        return err ? err : sw__view_open_file(v, plain, &e, fd, &st);
}

sw_err *
sw__view_read(const struct sw__view *v, const char *path, size_t limit, sw_buf *out)
{
        sw_auto(sw_str) shown = sw__path_shown(path);
        sw_auto(sw_fd) fd = -1;
        sw_err *err = open_regular(v, path, shown, limit, &fd);

        return err ? err : sw_buf_read_fd(out, fd, limit, shown);
}

sw_err *
sw__view_read_start(const struct sw__view *v, const char *path, size_t n, sw_buf *out)
{
        sw_auto(sw_str) shown = sw__path_shown(path);
        sw_auto(sw_fd) fd = -1;
        sw_err *err = open_regular(v, path, shown, SIZE_MAX, &fd);

        if (!err)
                err = sw_buf_read_fd(out, fd, n, shown);
        if (sw_err_code(err) != SW_E_LIMIT)
                return err;
        sw_err_drop(err, "there is more of it, which is fine");
        return SW_OK;
}
