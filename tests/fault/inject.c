/*
 * tests/fault/inject.c - allocations and system calls that fail when told to.
 *
 * The memory functions go on to the C library's own names, or to a sanitizer's, as dlsym()
 * may allocate itself. Everything else goes on to what dlsym() finds.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <slipway/api.h>

#include "tests/fault/inject.h"

static struct {
        enum inject_mode mode;
        long left; /* calls until the one that fails */
        bool fired;
        const char *call; /* the last one that was made to fail */
} state;

void
inject_arm(enum inject_mode mode, long n)
{
        state.fired = false;
        state.left = n;
        state.mode = mode;
}

bool
inject_disarm(void)
{
        state.mode = INJECT_NONE;
        return state.fired;
}

const char *
inject_call(void)
{
        return state.fired ? state.call : "nothing";
}

/* Count one call made in @mode; whether it is the n-th or, with @rest, a later one. */
static bool
due(enum inject_mode mode, bool rest, const char *call)
{
        if (state.mode != mode || (state.fired && !rest))
                return false;
        if (state.left > 0)
                state.left--;
        if (state.left > 0)
                return false;
        state.fired = true;
        state.call = call;
        return true;
}

static bool
no_memory(const char *call)
{
        if (!due(INJECT_MEM_ONE, false, call) && !due(INJECT_MEM_REST, true, call))
                return false;
        errno = ENOMEM;
        return true;
}

static bool
no_call(int err, const char *call)
{
        if (!due(INJECT_SYS_ONE, false, call) && !due(INJECT_SYS_REST, true, call))
                return false;
        errno = err;
        return true;
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__interceptor_malloc(size_t n) __attribute__((weak));
extern void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *p, size_t n) __attribute__((weak));

SW_API void *
malloc(size_t n)
{
        if (no_memory(__func__))
                return NULL;
        return __interceptor_malloc ? __interceptor_malloc(n) : __libc_malloc(n);
}

SW_API void *
calloc(size_t n, size_t size)
{
        if (no_memory(__func__))
                return NULL;
        return __interceptor_calloc ? __interceptor_calloc(n, size)
                                    : __libc_calloc(n, size);
}

SW_API void *
realloc(void *p, size_t n)
{
        if (no_memory(__func__))
                return NULL;
        return __interceptor_realloc ? __interceptor_realloc(p, n) : __libc_realloc(p, n);
}

/* The next definition of this function: the C library's. */
#define REAL(f)                                                                            \
        static __typeof__(f) *real;                                                        \
        if (!real)                                                                         \
        real = (__typeof__(f) *) dlsym(RTLD_NEXT, #f)

SW_API int
open(const char *path, int flags, ...)
{
        REAL(open);
        va_list ap;

        va_start(ap, flags);
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
        va_end(ap);
        return no_call(EMFILE, __func__) ? -1 : real(path, flags, mode);
}

SW_API int
openat(int dirfd, const char *path, int flags, ...)
{
        REAL(openat);
        va_list ap;

        va_start(ap, flags);
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
        va_end(ap);
        return no_call(EMFILE, __func__) ? -1 : real(dirfd, path, flags, mode);
}

/* How many bytes a read may give; -1: it fails. */
static ssize_t
readable(size_t n, const char *call)
{
        if (due(INJECT_READ_EINTR, false, call)) {
                errno = EINTR;
                return -1;
        }
        if (due(INJECT_READ_SHORT, true, call) && n > 1)
                n = 1;
        return no_call(EIO, call) ? -1 : (ssize_t) n;
}

SW_API ssize_t
read(int fd, void *p, size_t n)
{
        REAL(read);
        ssize_t most = readable(n, __func__);

        return most < 0 ? -1 : real(fd, p, (size_t) most);
}

SW_API ssize_t
pread(int fd, void *p, size_t n, off_t off)
{
        REAL(pread);
        ssize_t most = readable(n, __func__);

        return most < 0 ? -1 : real(fd, p, (size_t) most, off);
}

SW_API int
stat(const char *path, struct stat *st)
{
        REAL(stat);
        return no_call(EIO, __func__) ? -1 : real(path, st);
}

SW_API int
lstat(const char *path, struct stat *st)
{
        REAL(lstat);
        return no_call(EIO, __func__) ? -1 : real(path, st);
}

SW_API int
fstat(int fd, struct stat *st)
{
        REAL(fstat);
        return no_call(EIO, __func__) ? -1 : real(fd, st);
}

SW_API int
fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
        REAL(fstatat);
        return no_call(EIO, __func__) ? -1 : real(dirfd, path, st, flags);
}

SW_API void *
mmap(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
        REAL(mmap);
        return no_call(ENOMEM, __func__) ? MAP_FAILED : real(p, n, prot, flags, fd, off);
}

SW_API DIR *
opendir(const char *path)
{
        REAL(opendir);
        return no_call(EMFILE, __func__) ? NULL : real(path);
}

SW_API DIR *
fdopendir(int fd)
{
        REAL(fdopendir);
        return no_call(ENOMEM, __func__) ? NULL : real(fd);
}

SW_API struct dirent *
readdir(DIR *dir)
{
        REAL(readdir);
        return no_call(EIO, __func__) ? NULL : real(dir);
}

/* Calls that give -1 when they fail. */
#define WRAP(type, name, params, args, err)                                                \
        SW_API type name params                                                            \
        {                                                                                  \
                REAL(name);                                                                \
                return no_call(err, __func__) ? -1 : real args;                            \
        }

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), ENOSPC)
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t off), (fd, p, n, off), ENOSPC)
WRAP(int, ftruncate, (int fd, off_t n), (fd, n), EIO)
WRAP(ssize_t, copy_file_range,
     (int in, off_t *in_off, int out, off_t *out_off, size_t n, unsigned flags),
     (in, in_off, out, out_off, n, flags), EIO)
WRAP(int, flock, (int fd, int op), (fd, op), ENOLCK)
WRAP(int, mkdirat, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode), ENOSPC)
WRAP(int, mknodat, (int dirfd, const char *path, mode_t mode, dev_t dev),
     (dirfd, path, mode, dev), ENOSPC)
WRAP(int, symlinkat, (const char *target, int dirfd, const char *path),
     (target, dirfd, path), ENOSPC)
WRAP(ssize_t, readlinkat, (int dirfd, const char *path, char *p, size_t n),
     (dirfd, path, p, n), EIO)
WRAP(int, linkat, (int from, const char *a, int to, const char *b, int flags),
     (from, a, to, b, flags), ENOSPC)
WRAP(int, unlinkat, (int dirfd, const char *path, int flags), (dirfd, path, flags), EIO)
WRAP(int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b), EIO)
WRAP(int, renameat2, (int from, const char *a, int to, const char *b, unsigned flags),
     (from, a, to, b, flags), EIO)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), EIO)
WRAP(int, fchmodat, (int dirfd, const char *path, mode_t mode, int flags),
     (dirfd, path, mode, flags), EIO)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), EIO)
WRAP(int, fchownat, (int dirfd, const char *path, uid_t uid, gid_t gid, int flags),
     (dirfd, path, uid, gid, flags), EIO)
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times), EIO)
WRAP(int, utimensat,
     (int dirfd, const char *path, const struct timespec times[2], int flags),
     (dirfd, path, times, flags), EIO)
WRAP(int, fsetxattr, (int fd, const char *name, const void *p, size_t n, int flags),
     (fd, name, p, n, flags), ENOSPC)
WRAP(int, lsetxattr,
     (const char *path, const char *name, const void *p, size_t n, int flags),
     (path, name, p, n, flags), ENOSPC)
WRAP(ssize_t, fgetxattr, (int fd, const char *name, void *p, size_t n), (fd, name, p, n),
     EIO)
WRAP(ssize_t, lgetxattr, (const char *path, const char *name, void *p, size_t n),
     (path, name, p, n), EIO)
WRAP(ssize_t, flistxattr, (int fd, char *p, size_t n), (fd, p, n), EIO)
WRAP(ssize_t, llistxattr, (const char *path, char *p, size_t n), (path, p, n), EIO)
