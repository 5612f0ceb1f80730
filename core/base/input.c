/*
 * core/base/input.c - see input.h. Thread: any.
 */
#include "core/base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <slipway/mem.h>

/* Of pipes, only those without a name have the magic of pipefs. */
static bool
is_named_pipe(int fd)
{
        struct stat st;
        struct statfs fs;

        return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
               (fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC);
}

sw_err *
sw__open_input(int dirfd, const char *path, int *out)
{
        sw_auto(sw_fd) fd = -1;
        int flags;

        do
                fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        while (fd < 0 && errno == EINTR);
        if (fd < 0) {
                bool absent = errno == ENOENT || errno == ENOTDIR;

                return sw_err_sys(absent ? SW_E_NOT_FOUND : SW_E_IO, errno, "open %s",
                                  path);
        }
        if (is_named_pipe(fd))
                return sw_err_new(SW_E_INVALID,
                                  "open %s: a named pipe, which may never end; give a "
                                  "file, or <(command)",
                                  path);
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", path);
        *out = sw_fd_steal(&fd);
        return SW_OK;
}
