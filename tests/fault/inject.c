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
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
