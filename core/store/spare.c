/*
 * core/store/spare.c - see spare.h.
 */
#include "core/store/spare.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <slipway/mem.h>
#include <slipway/io.h>

enum {
        FULL = 16 << 10,    /* bytes left: nothing can be written */
        NEARLY = 256 << 10, /* a transaction may fail */
        PLENTY = 16 << 20   /* the spare takes it from nobody */
};

/* Bytes that this user may still write. */
static uint64_t
room(int dirfd)
{
        struct statvfs v;

        if (fstatvfs(dirfd, &v) < 0)
                return UINT64_MAX;
        return (uint64_t) (geteuid() == 0 ? v.f_bfree : v.f_bavail) * v.f_frsize;
}

void
sw__spare_make(int dirfd)
{
        struct stat st;

        if (fstatat(dirfd, SW__SPARE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
            room(dirfd) < PLENTY)
                return;
        sw_auto(sw_fd) fd = openat(dirfd, SW__SPARE_NAME,
                                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        /* Blocks, not a size; a file system that promises none has no use for the file. */
        if (fd >= 0 && fallocate(fd, 0, 0, SW__SPARE_SIZE) < 0)
                (void) unlinkat(dirfd, SW__SPARE_NAME, 0);
}

void
sw__spare_use(int dirfd)
{
        if (room(dirfd) < NEARLY)
                (void) unlinkat(dirfd, SW__SPARE_NAME, 0);
}

bool
sw__spare_disk_is_full(int dirfd)
{
        return room(dirfd) < FULL;
}
