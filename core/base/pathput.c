/*
 * core/base/pathput.c - files that are written whole and checked when they are read again.
 *
 *      bytes | SHA-256 of the bytes
 *
 * A file gets its name when all of it is there, so that nothing is left of one whose writer
 * was killed. linkat(2) replaces nothing: what was there is removed just before, and who
 * reads at that moment finds none, as if none had ever been written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/cleanup.h>
#include <slipway/digest.h>
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

/* Bytes and what is behind them. */
struct sealed {
        const void *p;
        size_t n;
        sw_digest sum;
};

static int
write_sealed(int fd, const struct sealed *s)
{
        int err = sw_write_all(fd, s->p, s->n);

        return err ? err : sw_write_all(fd, s->sum.b, SW_DIGEST_LEN);
}

/* Where files without a name cannot be made. */
static int
put_renamed(int dirfd, const char *name, const struct sealed *s)
{
        char tmp[SW_ID_SIZE];
        sw_auto(sw_fd) fd = openat(dirfd, sw_id_new(tmp),
                                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int err = fd < 0 ? errno : write_sealed(fd, s);

        if (!err && renameat(dirfd, tmp, dirfd, name) != 0)
                err = errno;
        if (err && fd >= 0)
                (void) unlinkat(dirfd, tmp, 0);
        return err;
}

sw_err *
sw_path_put(int dirfd, const char *name, const void *p, size_t n)
{
        const struct sealed s = { p, n, sw_digest_of(p, n) };
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        char proc[40];
        int err;

        if (fd < 0) {
                err = put_renamed(dirfd, name, &s);
        } else {
                (void) snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
                err = write_sealed(fd, &s);
                if (!err)
                        err = put_link(dirfd, proc, name);
        }
        return err ? sw_err_sys(SW_E_IO, err, "write %s", name) : SW_OK;
}

/* The bytes are those that the sum is of; the sum goes. */
static bool
unseal(sw_buf *b)
{
        if (b->len < SW_DIGEST_LEN)
                return false;
        const size_t n = b->len - SW_DIGEST_LEN;
        const sw_digest sum = sw_digest_of(b->data, n);

        if (memcmp(sum.b, b->data + n, SW_DIGEST_LEN) != 0)
                return false;
        sw_buf_truncate(b, n);
        return true;
}

sw_err *
sw_path_get(int dirfd, const char *name, size_t limit, sw_buf *out)
{
        sw_err *err =
                sw_buf_read_file(out, dirfd, name,
                                 limit < SIZE_MAX - SW_DIGEST_LEN ? limit + SW_DIGEST_LEN
                                                                  : limit);

        if (!err && !unseal(out))
                err = sw_err_new(SW_E_CORRUPT, "%s is damaged", name);
        if (err)
                sw_buf_clear(out);
        return err;
}
