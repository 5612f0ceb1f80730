/*
 * lib/layer/tarfd.c - a descriptor as the sink of a tar archive.
 *
 * Headers and small files gather in a buffer; larger ones go from file to file within the
 * kernel where that works (copy_file_range), else through the buffer.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/io.h>
#include <slipway/mem.h>

#include "lib/layer/tar.h"

enum { BUF_SIZE = 256 * 1024, SMALL = 64 * 1024 };

static sw_err *
put_out(struct sw_tar_fd *f, const void *p, size_t n)
{
        int err = sw_write_all(f->fd, p, n);

        return err ? sw_err_sys(SW_E_IO, err, "write the archive") : SW_OK;
}

sw_err *
sw_tar_fd_flush(struct sw_tar_fd *f)
{
        size_t n = f->n;

        f->n = 0;
        return put_out(f, f->buf, n);
}

static sw_err *
fd_write(void *arg, const void *p, size_t n)
{
        struct sw_tar_fd *f = arg;
        sw_err *err;

        f->written += (int64_t) n;
        if (n > BUF_SIZE - f->n && (err = sw_tar_fd_flush(f)))
                return err;
        if (n >= BUF_SIZE)
                return put_out(f, p, n);
        memcpy(f->buf + f->n, p, n);
        f->n += n;
        return SW_OK;
}

/* Through the buffer. */
static sw_err *
copy_slowly(struct sw_tar_fd *f, int fd, int64_t off, int64_t len)
{
        while (len > 0) {
                if (f->n == BUF_SIZE) {
                        sw_err *err = sw_tar_fd_flush(f);

                        if (err)
                                return err;
                }
                size_t room = BUF_SIZE - f->n;
                ssize_t n = pread(fd, f->buf + f->n,
                                  (int64_t) room < len ? room : (size_t) len, off);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read");
                if (!n)
                        return sw_err_new(SW_E_IO, "it became shorter while it was read");
                f->n += (size_t) n;
                off += n;
                len -= n;
        }
        return SW_OK;
}

static sw_err *
fd_copy(void *arg, int fd, int64_t off, int64_t len)
{
        struct sw_tar_fd *f = arg;
        sw_err *err;

        f->written += len;
        if (len < SMALL || f->no_copy)
                return copy_slowly(f, fd, off, len);
        err = sw_tar_fd_flush(f);
        while (!err && len > 0) {
                off_t from = off;
                ssize_t n = copy_file_range(fd, &from, f->fd, NULL, (size_t) len, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0 && (n == 0 || errno == EXDEV || errno == EINVAL ||
                               errno == ENOSYS || errno == EOPNOTSUPP || errno == EBADF)) {
                        f->no_copy = n < 0;
                        return copy_slowly(f, fd, off, len);
                }
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "write the archive");
                off += n;
                len -= n;
        }
        return err;
}

void
sw_tar_fd_init(struct sw_tar_fd *f, int fd, struct sw_tar_sink *out)
{
        *f = (struct sw_tar_fd){ .fd = fd, .buf = sw_alloc(BUF_SIZE) };
        *out = (struct sw_tar_sink){ .write = fd_write, .copy = fd_copy, .arg = f };
}

void
sw_tar_fd_release(struct sw_tar_fd *f)
{
        free(f->buf);
        f->buf = NULL;
}
