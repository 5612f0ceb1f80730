/*
 * tests/unit/core/ops/applied.h - a layer writer that applies what it is told to a
 * directory, and holds the teller to the rules of slipway/layer.h: plain paths, parents
 * first, links only to what was told.
 *
 * The directory begins as a copy of the base; so after finish() it is the tree that the
 * layer makes of it.
 */
#ifndef SLIPWAY_TESTS_OPS_APPLIED_H
#define SLIPWAY_TESTS_OPS_APPLIED_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <slipway/layer.h>
#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/time.h>

#include "tests/unit/unit.h"

struct applied {
        int fd;
        sw_map *told; /* path -> 'd' or 'f' */
        pthread_mutex_t lock;
        sw_buf log; /* a line for each call but file() and data() */
        unsigned calls, files;
};

static void
applied_check(struct applied *a, const char *path, bool dir)
{
        sw_auto(sw_str) clean = sw_path_clean(path);
        sw_auto(sw_str) parent = sw_strdup(path);
        char *slash = strrchr(parent, '/');

        pthread_mutex_lock(&a->lock);
        a->calls++;
        ck_assert_msg(!*path || strcmp(clean, path) == 0, "path %s is not plain", path);
        ck_assert_msg(path[0] != '/' && strncmp(path, "..", 3) != 0, "path %s", path);
        if (slash)
                *slash = '\0';
        else
                parent[0] = '\0';
        if (*path)
                ck_assert_msg(sw_map_get(a->told, parent) == (void *) 'd',
                              "%s is told before its parent", path);
        (void) sw_map_set(a->told, path, (void *) (intptr_t) (dir ? 'd' : 'f'));
        pthread_mutex_unlock(&a->lock);
}

static void
applied_clear(struct applied *a, const char *path)
{
        if (*path)
                ok(sw_path_remove(a->fd, path));
}

static void
applied_times(struct applied *a, const char *path, const struct sw_layer_meta *m)
{
        struct timespec t[2] = { { 0, UTIME_OMIT }, sw_time_to_spec(m->mtime) };

        ck_assert_int_eq(utimensat(a->fd, *path ? path : ".", t, AT_SYMLINK_NOFOLLOW), 0);
}

static void
applied_settle(struct applied *a, const char *path, const struct sw_layer_meta *m,
               bool mode)
{
        const char *p = *path ? path : ".";

        ck_assert_int_eq(fchownat(a->fd, p, m->uid, m->gid, AT_SYMLINK_NOFOLLOW), 0);
        if (mode)
                ck_assert_int_eq(fchmodat(a->fd, p, m->mode, 0), 0);
        applied_times(a, path, m);
}

static sw_err *
applied_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        struct applied *a = w;
        struct stat st;

        applied_check(a, path, true);
        if (*path &&
            (fstatat(a->fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))) {
                applied_clear(a, path);
                ck_assert_int_eq(mkdirat(a->fd, path, 0700), 0);
        }
        applied_settle(a, path, m, true);
        return SW_OK;
}

static sw_err *
applied_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p,
             size_t n)
{
        struct applied *a = w;
        int fd;

        applied_check(a, path, false);
        applied_clear(a, path);
        fd = openat(a->fd, path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, p, n), (ssize_t) n);
        close(fd);
        applied_settle(a, path, m, true);
        pthread_mutex_lock(&a->lock);
        a->files++;
        pthread_mutex_unlock(&a->lock);
        return SW_OK;
}

static sw_err *
applied_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
             int64_t len)
{
        char *p = malloc((size_t) len + 1);
        ssize_t n = 0;
        sw_err *err;

        while (n < len) {
                ssize_t got = pread(fd, p + n, (size_t) (len - n), off + n);

                if (got <= 0) {
                        free(p);
                        return sw_err_new(SW_E_IO, "%s ends early", path);
                }
                n += got;
        }
        err = applied_data(w, path, m, p, (size_t) len);
        free(p);
        return err;
}

static sw_err *
applied_symlink(void *w, const char *path, const struct sw_layer_meta *m,
                const char *target)
{
        struct applied *a = w;

        applied_check(a, path, false);
        applied_clear(a, path);
        ck_assert_int_eq(symlinkat(target, a->fd, path), 0);
        applied_settle(a, path, m, false);
        return SW_OK;
}

static sw_err *
applied_hardlink(void *w, const char *path, const char *existing,
                 const struct sw_layer_meta *m)
{
        struct applied *a = w;
        struct stat st;

        (void) m;
        ck_assert_msg(sw_map_get(a->told, existing) == (void *) 'f',
                      "%s links to %s, which was not told", path, existing);
        applied_check(a, path, false);
        applied_clear(a, path);
        ck_assert_int_eq(fstatat(a->fd, existing, &st, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert_uint_eq(st.st_mode & 07777, m->mode);
        ck_assert_int_eq(linkat(a->fd, existing, a->fd, path, 0), 0);
        return SW_OK;
}

static sw_err *
applied_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type,
             dev_t dev)
{
        struct applied *a = w;

        if (S_ISCHR(type) && dev == 0)
                return sw_err_new(SW_E_INVALID, "%s is a whiteout", path);
        applied_check(a, path, false);
        applied_clear(a, path);
        ck_assert_int_eq(mknodat(a->fd, path, type | 0600, dev), 0);
        applied_settle(a, path, m, true);
        return SW_OK;
}

static sw_err *
applied_whiteout(void *w, const char *path)
{
        struct applied *a = w;

        applied_check(a, path, false);
        (void) sw_map_remove(a->told, path);
        applied_clear(a, path);
        return SW_OK;
}

static sw_err *
applied_opaque(void *w, const char *dir)
{
        struct applied *a = w;
        int fd = openat(a->fd, *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fdopendir(fd);
        struct dirent *e;

        ck_assert(sw_map_get(a->told, dir) == (void *) 'd');
        while ((e = readdir(d)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        ok(sw_path_remove(fd, e->d_name));
        closedir(d);
        return SW_OK;
}

static sw_err *
applied_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        struct applied *a = w;
        char proc[PATH_MAX];

        ck_assert(strncmp(name, "trusted.overlay.", 16) != 0);
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", a->fd, path);
        if (lsetxattr(proc, name, p, n, 0) != 0)
                return sw_err_sys(SW_E_IO, errno, "xattr %s of %s", name, path);
        return SW_OK;
}

static sw_err *
applied_finish(void *w)
{
        (void) w;
        return SW_OK;
}

static void
applied_abandon(void *w)
{
        (void) w;
}

static const struct sw_layer_ops applied_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = applied_mkdir,
        .file = applied_file,
        .data = applied_data,
        .symlink = applied_symlink,
        .hardlink = applied_hardlink,
        .node = applied_node,
        .whiteout = applied_whiteout,
        .opaque = applied_opaque,
        .xattr = applied_xattr,
        .finish = applied_finish,
        .abandon = applied_abandon,
};

/* @fd: borrowed. */
static void
applied_init(struct applied *a, int fd)
{
        *a = (struct applied){ .fd = fd, .told = sw_map_new(NULL), .log = SW_BUF_INIT };
        pthread_mutex_init(&a->lock, NULL);
}

static void
applied_release(struct applied *a)
{
        sw_map_free(a->told);
        sw_buf_release(&a->log);
        pthread_mutex_destroy(&a->lock);
}

/* ---- trees as text ---- */

static void
applied_list_into(int fd, const char *path, bool times, sw_buf *out)
{
        int dirfd = openat(fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_strlist) names = { 0 };
        DIR *d = fdopendir(dirfd);
        struct dirent *e;

        ck_assert_ptr_nonnull(d);
        while ((e = readdir(d)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(&names, e->d_name);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n; i++) {
                sw_auto(sw_str) p =
                        sw_asprintf("%s%s%s", path, *path ? "/" : "", names.v[i]);
                char text[4096];
                struct stat st;
                ssize_t n = 0;

                ck_assert_int_eq(fstatat(fd, p, &st, AT_SYMLINK_NOFOLLOW), 0);
                sw_buf_addf(out, "%s %o %u:%u", p, st.st_mode, st.st_uid, st.st_gid);
                if (times && !S_ISDIR(st.st_mode))
                        sw_buf_addf(out, " @%ld.%09ld", (long) st.st_mtim.tv_sec,
                                    st.st_mtim.tv_nsec);
                if (S_ISLNK(st.st_mode))
                        n = readlinkat(fd, p, text, sizeof(text));
                if (S_ISREG(st.st_mode)) {
                        int f = openat(fd, p, O_RDONLY | O_CLOEXEC);

                        n = read(f, text, sizeof(text));
                        close(f);
                        if (st.st_nlink > 1)
                                sw_buf_addf(out, " links=%u", (unsigned) st.st_nlink);
                }
                sw_buf_adds(out, " ");
                sw_buf_add(out, text, (size_t) (n > 0 ? n : 0));
                sw_buf_adds(out, "\n");
                if (S_ISDIR(st.st_mode))
                        applied_list_into(fd, p, times, out);
        }
        closedir(d);
}

/* Everything below @fd, a line each: type, mode, owner, time of what is no directory,
 * links, the beginning of the data. From malloc. */
static char *
applied_list(int fd, bool times)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        applied_list_into(fd, "", times, &b);
        return sw_buf_detach(&b);
}

#endif
