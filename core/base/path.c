/*
 * core/base/path.c - paths below a directory descriptor: the calls, and openat2.
 *
 * openat2 answers almost every call. What it cannot answer for reasons of its own goes to
 * the walk (pathwalk.c), which follows the same rules:
 *
 *   ENOSYS          a kernel before 5.6
 *   EPERM           a seccomp filter that does not know it (or a true EPERM: then the
 *                   walk's answer is the same)
 *   EAGAIN          renames elsewhere on the machine, after MAX_AGAIN tries
 *   ELOOP, EXDEV    more than the kernel's 40 links, or a link of /proc
 *
 * Thread: any. The only state is the switch for tests.
 */
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <slipway/id.h>
#include <slipway/io.h>
#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "core/base/pathwalk.h"

#define MAX_AGAIN 16
/* As much of a path as a message shows. */
#define SHOWN 256
/* Not an errno: ask the walk. */
#define ASK_WALK (-1)

static atomic_bool force_walk;

void
sw__path_force_walk(bool on)
{
        atomic_store(&force_walk, on);
}

static int
code_of(int err)
{
        switch (err) {
        case ENOENT:
        case ENOTDIR: return SW_E_NOT_FOUND;
        case EEXIST: return SW_E_EXISTS;
        case EACCES:
        case EPERM: return SW_E_DENIED;
        case ELOOP:
        case ENAMETOOLONG: return SW_E_LIMIT;
        case EINVAL:
        case EISDIR: return SW_E_INVALID;
        case EBUSY: return SW_E_BUSY;
        case ENOMEM: return SW_E_NOMEM;
        default: return SW_E_IO;
        }
}

sw_err *
sw__path_err_at(struct sw_place place, int err, const char *verb, const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), SHOWN);
        return sw_err_new_at(place, code_of(err), err, "%s %s", verb, shown.data);
}

/* openat2 with the root as "/"; ASK_WALK when it has no answer. */
static int
in_root(int rootfd, const char *path, int flags, mode_t mode, int *fd)
{
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .mode = mode,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        if (atomic_load_explicit(&force_walk, memory_order_relaxed))
                return ASK_WALK;
        for (int again = 0; again < MAX_AGAIN;) {
                long got =
                        syscall(SYS_openat2, rootfd, *path ? path : "/", &how, sizeof(how));

                if (got >= 0) {
                        *fd = (int) got;
                        return 0;
                }
                if (errno == EAGAIN)
                        again++;
                else if (errno != EINTR)
                        break;
        }
        switch (errno) {
        case ENOSYS:
        case EPERM:
        case EAGAIN:
        case ELOOP:
        case EXDEV: return ASK_WALK;
        default: return errno;
        }
}

/* The same for a call that may make the file: we must know whether it did. */
static int
in_root_create(int rootfd, const char *path, int flags, mode_t mode, int *fd)
{
        struct stat st;
        size_t len = strlen(path);
        int err;

        if (len == 0 || path[len - 1] == '/')
                return ASK_WALK;
        if (!(flags & O_EXCL)) {
                err = in_root(rootfd, path, flags & ~O_CREAT, 0, fd);
                if (!err && fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode))
                        return EISDIR;
                if (err != ENOENT)
                        return err;
        }
        err = in_root(rootfd, path, flags | O_EXCL, mode, fd);
        if (!err)
                err = sw__exact_mode(*fd, mode);
        else if (err == EEXIST && !(flags & O_EXCL))
                err = ASK_WALK; /* a link that leads nowhere yet, or a race */
        return err;
}

/* What open(2) makes of flags it has no use for, so that openat2 does not refuse them. */
static int
normal_flags(int *flags, mode_t *mode)
{
        bool tmpfile = (*flags & O_TMPFILE) == O_TMPFILE;

        *flags |= O_CLOEXEC;
        if (*flags & O_PATH)
                *flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        else
                *flags |= O_NOCTTY; /* no terminal in a tree becomes ours */
        if (!(*flags & O_CREAT) && !tmpfile)
                *mode = 0;
        if (*mode & ~(mode_t) 07777)
                return EINVAL;
        /* a directory cannot be made by open; kernels disagree about who says so */
        return *flags & O_CREAT && *flags & O_DIRECTORY ? EINVAL : 0;
}

static int
open_path(int rootfd, const char *path, int flags, mode_t mode, int *out)
{
        sw_auto(sw_fd) fd = -1;
        int err = normal_flags(&flags, &mode);

        if (!err && strlen(path) >= PATH_MAX)
                err = ENAMETOOLONG;
        if (err)
                return err;
        if (flags & O_CREAT)
                err = in_root_create(rootfd, path, flags, mode, &fd);
        else
                err = in_root(rootfd, path, flags, mode, &fd);
        if (!err && (flags & O_TMPFILE) == O_TMPFILE)
                err = sw__exact_mode(fd, mode);
        if (err == ASK_WALK)
                err = sw__walk_open(rootfd, path, flags, mode, &fd);
        if (!err)
                *out = sw_fd_steal(&fd);
        return err;
}

sw_err *
sw_path_open(int rootfd, const char *path, int flags, mode_t mode, int *fd)
{
        int err = open_path(rootfd, path, flags, mode, fd);

        return err ? sw__path_err(err, "open", path) : SW_OK;
}

/* Split off a last component that is a plain name; NULL when it is not. */
static const char *
last_name(const char *path, size_t *dirlen, size_t *namelen)
{
        size_t end = strlen(path);

        while (end > 0 && path[end - 1] == '/')
                end--;
        *dirlen = end;
        while (*dirlen > 0 && path[*dirlen - 1] != '/')
                --*dirlen;
        const char *name = path + *dirlen;
        *namelen = end - *dirlen;
        if (*namelen == 0 || (*namelen == 1 && name[0] == '.') ||
            (*namelen == 2 && name[0] == '.' && name[1] == '.'))
                return NULL;
        return name;
}

static int
open_parent(int rootfd, const char *path, int *dirfd, char **base)
{
        size_t dirlen, namelen;

        if (strlen(path) >= PATH_MAX)
                return ENAMETOOLONG;
        const char *name = last_name(path, &dirlen, &namelen);
        if (!name)
                return sw__walk_parent(rootfd, path, dirfd, base);
        sw_auto(sw_str) dir = sw_strndup(path, dirlen);
        int err = in_root(rootfd, dir, O_PATH | O_DIRECTORY, 0, dirfd);
        if (err == ASK_WALK)
                return sw__walk_parent(rootfd, path, dirfd, base);
        if (err)
                return err;
        if (namelen > NAME_MAX) {
                sw_fd_clear(dirfd);
                return ENAMETOOLONG;
        }
        *base = sw_strndup(name, namelen);
        return 0;
}

sw_err *
sw_path_open_parent(int rootfd, const char *path, int *dirfd, char **base)
{
        int err = open_parent(rootfd, path, dirfd, base);

        return err ? sw__path_err(err, "open the directory of", path) : SW_OK;
}

sw_err *
sw_path_stat(int rootfd, const char *path, bool do_follow, struct stat *st)
{
        sw_auto(sw_fd) fd = -1;
        int err = open_path(rootfd, path, O_PATH | (do_follow ? 0 : O_NOFOLLOW), 0, &fd);

        if (!err && fstat(fd, st) != 0)
                err = errno;
        return err ? sw__path_err(err, "stat", path) : SW_OK;
}

sw_err *
sw_path_readlink(int rootfd, const char *path, char **target)
{
        sw_auto(sw_fd) fd = -1;
        char text[PATH_MAX + 1];
        struct stat st;
        ssize_t n = 0;
        int err = open_path(rootfd, path, O_PATH | O_NOFOLLOW, 0, &fd);

        if (!err && fstat(fd, &st) != 0)
                err = errno;
        if (!err && !S_ISLNK(st.st_mode))
                err = EINVAL;
        if (!err && (n = readlinkat(fd, "", text, sizeof(text))) < 0)
                err = errno;
        if (!err && (size_t) n == sizeof(text))
                err = ENAMETOOLONG;
        if (err)
                return sw__path_err(err, "read the symbolic link", path);
        *target = sw_strndup(text, (size_t) n);
        return SW_OK;
}

sw_err *
sw_path_mkdirs(int rootfd, const char *path, mode_t mode, int *fd)
{
        sw_auto(sw_fd) there = -1;
        int err =
                open_path(rootfd, path, (fd ? O_RDONLY : O_PATH) | O_DIRECTORY, 0, &there);

        if (!err && fd)
                *fd = sw_fd_steal(&there);
        if (err == ENOENT || err == ENOTDIR)
                err = sw__walk_mkdirs(rootfd, path, mode, fd);
        return err ? sw__path_err(err, "make the directory", path) : SW_OK;
}

/* A complete, synced file under a name that nobody else uses. */
static int
write_temporary(int dirfd, const char *name, const void *p, size_t n, mode_t mode)
{
        sw_auto(sw_fd) fd =
                openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600);
        if (fd < 0)
                return errno;
        int err = sw_write_all(fd, p, n);
        if (!err)
                err = sw__exact_mode(fd, mode);
        if (!err && fsync(fd) != 0)
                err = errno;
        if (close(sw_fd_steal(&fd)) != 0 && !err)
                err = errno;
        if (err)
                (void) unlinkat(dirfd, name, 0);
        return err;
}

static int
write_file(int dirfd, const char *base, const void *p, size_t n, mode_t mode)
{
        char id[SW_ID_SIZE];
        sw_auto(sw_fd) dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return errno;
        sw_auto(sw_str) temporary = sw_asprintf(".sw-%s.tmp", sw_id_new(id));
        int err = write_temporary(dir, temporary, p, n, mode);
        if (err)
                return err;
        if (renameat(dir, temporary, dir, base) != 0) {
                err = errno;
                (void) unlinkat(dir, temporary, 0);
                return err;
        }
        return fsync(dir) == 0 ? 0 : errno;
}

sw_err *
sw_path_write_file(int rootfd, const char *path, const void *p, size_t n, mode_t mode)
{
        sw_auto(sw_fd) dirfd = -1;
        sw_auto(sw_str) base = NULL;
        size_t len = strlen(path);
        int err = len && path[len - 1] == '/' ? EISDIR
                                              : open_parent(rootfd, path, &dirfd, &base);

        if (!err)
                err = write_file(dirfd, base, p, n, mode);
        return err ? sw__path_err(err, "write", path) : SW_OK;
}
