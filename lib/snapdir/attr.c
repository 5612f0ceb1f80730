/*
 * lib/snapdir/attr.c - extended attributes of the diff form, and errors of paths.
 *
 * Thread: any; no state.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/text.h>

#include "lib/snapdir/snapdir.h"

const char *
snapdir_attr_opaque(const struct snapdir *s)
{
        return s->userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

const char *
snapdir_attr_origin(const struct snapdir *s)
{
        return s->userxattr ? "user.overlay.origin" : "trusted.overlay.origin";
}

bool
snapdir_attr_private(const char *name)
{
        return sw_str_has_prefix(name, "trusted.overlay.") ||
               sw_str_has_prefix(name, "user.overlay.");
}

void
snapdir_proc_path(char out[300], int dirfd, const char *name)
{
        (void) snprintf(out, 300, "/proc/self/fd/%d/%s", dirfd, name ? name : "");
}

static ssize_t
get_attr(int dirfd, const char *name, const char *attr, void *value, size_t size)
{
        if (!name || !*name)
                return fgetxattr(dirfd, attr, value, size);
        sw_auto(sw_str) path = sw_asprintf("/proc/self/fd/%d/%s", dirfd, name);
        return lgetxattr(path, attr, value, size);
}

static ssize_t
list_attrs(int dirfd, const char *name, char *list, size_t size)
{
        char path[300];

        if (!name || !*name)
                return flistxattr(dirfd, list, size);
        snapdir_proc_path(path, dirfd, name);
        return llistxattr(path, list, size);
}

sw_err *
snapdir_is_opaque(const struct snapdir *s, int dirfd, const char *name, bool *yes)
{
        char value;
        ssize_t n;

        n = get_attr(dirfd, name, snapdir_attr_opaque(s), &value, 1);
        if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
                return snapdir_err(errno, "look at", name ? name : ".");
        *yes = n == 1 && value == 'y';
        return SW_OK;
}

/* Component by component: for paths the kernel does not take at once. */
static int
open_walk(int dirfd, const char *path)
{
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        while (fd >= 0 && *path) {
                const size_t n = strcspn(path, "/");
                char name[NAME_MAX + 1];

                if (n > NAME_MAX) {
                        errno = ENAMETOOLONG;
                        return -1;
                }
                memcpy(name, path, n);
                name[n] = '\0';
                int next =
                        openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return -1;
                sw_fd_clear(&fd);
                fd = next;
                path += n;
                path += strspn(path, "/");
        }
        return sw_fd_steal(&fd);
}

int
snapdir_open_dir(int dirfd, const char *path)
{
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };

        if (strlen(path) < PATH_MAX) {
                long fd =
                        syscall(SYS_openat2, dirfd, *path ? path : ".", &how, sizeof(how));

                if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN))
                        return (int) fd;
        }
        return open_walk(dirfd, path);
}

/* ---- whiteouts --------------------------------------------------------------------- */

/* Permission bits of a file that is a whiteout: unusual, so that others need no look at
 * their attributes; its owner may read those. */
#define WHITEOUT_MODE 01400

static const char *
attr_whiteout(const struct snapdir *s)
{
        return s->userxattr ? "user.overlay.whiteout" : "trusted.overlay.whiteout";
}

bool
snapdir_is_whiteout(const struct snapdir *s, int dirfd, const char *name,
                    const struct stat *st)
{
        char value;

        if (S_ISCHR(st->st_mode))
                return st->st_rdev == makedev(0, 0);
        return s->file_whiteouts && S_ISREG(st->st_mode) && st->st_size == 0 &&
               (st->st_mode & 07777) == WHITEOUT_MODE &&
               get_attr(dirfd, name, attr_whiteout(s), &value, 1) >= 0;
}

int
snapdir_make_whiteout(const struct snapdir *s, int dirfd, const char *name)
{
        if (!s->file_whiteouts)
                return mknodat(dirfd, name, S_IFCHR, makedev(0, 0));
        sw_auto(sw_fd) fd =
                openat(dirfd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                       0600);
        if (fd < 0)
                return -1;
        if (fsetxattr(fd, attr_whiteout(s), "y", 1, 0) == 0 &&
            fchmod(fd, WHITEOUT_MODE) == 0)
                return 0;
        const int sys = errno;
        (void) unlinkat(dirfd, name, 0); /* the first error is told */
        errno = sys;
        return -1;
}

static int
code_of(int sys)
{
        switch (sys) {
        case ENOENT:
        case ENOTDIR: return SW_E_NOT_FOUND;
        case EEXIST: return SW_E_EXISTS;
        case ENAMETOOLONG:
        case EMLINK:
        case E2BIG: return SW_E_LIMIT;
        case EINVAL:
        case EISDIR: return SW_E_INVALID;
        case ENOMEM: return SW_E_NOMEM;
        default: return SW_E_IO;
        }
}

sw_err *
snapdir_err_at(struct sw_place place, int sys, const char *doing, const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), 256);
        return sw_err_new_at(place, code_of(sys), sys, "%s %s", doing, shown.data);
}

static int
by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

sw_err *
snapdir_attr_list(int dirfd, const char *name, sw_strlist *names)
{
        char small[1024];
        sw_auto(sw_str) large = NULL;
        char *list = small;

        ssize_t n = list_attrs(dirfd, name, small, sizeof(small));
        if (n < 0 && errno == ERANGE) {
                list = large = sw_alloc(XATTR_LIST_MAX);
                n = list_attrs(dirfd, name, large, XATTR_LIST_MAX);
        }
        if (n < 0)
                return errno == EOPNOTSUPP ? SW_OK
                                           : snapdir_err(errno, "list attributes of",
                                                         name ? name : ".");
        size_t first = names->n;
        for (const char *p = list; p < list + n; p += strlen(p) + 1)
                if (!snapdir_attr_private(p) && strcmp(p, "security.selinux") != 0)
                        sw_strlist_add(names, p);
        if (names->n - first > 1)
                qsort(names->v + first, names->n - first, sizeof(*names->v), by_name);
        return SW_OK;
}

sw_err *
snapdir_attr_get(int dirfd, const char *name, const char *attr, sw_buf *value)
{
        for (size_t room = 256;; room = XATTR_SIZE_MAX) {
                sw_buf_reserve(value, room + 1);
                ssize_t n = get_attr(dirfd, name, attr, value->data + value->len, room);
                if (n >= 0) {
                        value->len += (size_t) n;
                        value->data[value->len] = '\0';
                        return SW_OK;
                }
                if (errno != ERANGE || room == XATTR_SIZE_MAX)
                        return snapdir_err(errno, "read attribute", attr);
        }
}

sw_err *
snapdir_like(int fd, int from)
{
        sw_auto(sw_strlist) names = { 0 };
        struct stat st;

        if (fstat(from, &st) < 0)
                return snapdir_err(errno, "look at", ".");
        sw_err *err = snapdir_attr_list(from, NULL, &names);
        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_buf) value = SW_BUF_INIT;

                err = snapdir_attr_get(from, NULL, names.v[i], &value);
                if (!err && fsetxattr(fd, names.v[i], value.data, value.len, 0) < 0)
                        err = snapdir_err(errno, "set attribute", names.v[i]);
        }
        if (err)
                return err;
        const struct timespec times[2] = { st.st_atim, st.st_mtim };
        if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0 ||
            futimens(fd, times) < 0)
                return snapdir_err(errno, "make", "a directory like another");
        return SW_OK;
}
