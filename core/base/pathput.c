/*
 * core/base/pathput.c - small files that are written whole.
 *
 * A file gets its name when all of it is there, so that nothing is left of one whose writer
 * was killed. linkat(2) replaces nothing: what was there is removed just before, and who
 * reads at that moment finds none, as if none had ever been written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <slipway/cleanup.h>
#include <slipway/id.h>
#include <slipway/io.h>
#include <slipway/path.h>

#define TRIES 16 /* somebody else puts the same file */

static int
put_link(int dirfd, const char *of, const char *name)
{
        for (int i = 0; i < TRIES; i++) {
                if (linkat(AT_FDCWD, of, dirfd, name, AT_SYMLINK_FOLLOW) == 0)
                        return 0;
                if (errno != EEXIST)
                        return errno;
                if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
                        return errno;
        }
        return EBUSY;
}

/* Where files without a name cannot be made. */
static int
put_renamed(int dirfd, const char *name, const void *p, size_t n)
{
        char tmp[SW_ID_SIZE];
        sw_auto(sw_fd) fd = openat(dirfd, sw_id_new(tmp),
                                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int err = fd < 0 ? errno : sw_write_all(fd, p, n);

        if (!err && renameat(dirfd, tmp, dirfd, name) != 0)
                err = errno;
        if (err && fd >= 0)
                (void) unlinkat(dirfd, tmp, 0);
        return err;
}

sw_err *
sw_path_put(int dirfd, const char *name, const void *p, size_t n)
{
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        char proc[40];
        int err;

        if (fd < 0) {
                err = put_renamed(dirfd, name, p, n);
        } else {
                (void) snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
                err = sw_write_all(fd, p, n);
                if (!err)
                        err = put_link(dirfd, proc, name);
        }
        return err ? sw_err_sys(SW_E_IO, err, "write %s", name) : SW_OK;
}
