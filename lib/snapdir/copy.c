/*
 * lib/snapdir/copy.c - the contents of one file.
 *
 * In this order: a reflink; for what is small, read and write, which is quicker than
 * setting anything else up; copy_file_range for each range that has data; read and write
 * where that is refused. Thread: any; no state.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <slipway/io.h>

#include "lib/snapdir/snapdir.h"

enum { SMALL = 64 << 10, BUFFER = 256 << 10 };
/* Between two looks at the cancel token. */
#define STEP (INT64_C(16) << 20)

static sw_err *
ended_early(void)
{
        return sw_err_new(SW_E_IO, "the file is shorter than it was said to be; did it "
                                   "change while it was read?");
}

/* Read and write [off, off + len) of @in, to @to of @out. */
static sw_err *
copy_plain(int in, int64_t off, int64_t len, int out, int64_t to, void *buffer, size_t size,
           sw_cancel *cancel)
{
        while (len > 0) {
                const size_t want = (uint64_t) len < size ? (size_t) len : size;
                ssize_t n = pread(in, buffer, want, off);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read");
                if (n == 0)
                        return ended_early();
                int failed = sw_pwrite_all(out, buffer, (size_t) n, to);
                if (failed)
                        return sw_err_sys(SW_E_IO, failed, "write");
                off += n;
                to += n;
                len -= n;
                sw_err *err = sw_cancel_check(cancel);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
copy_small(int in, int64_t off, int64_t len, int out)
{
        char buffer[SMALL];

        return copy_plain(in, off, len, out, 0, buffer, sizeof(buffer), NULL);
}

/* One range with data. */
static sw_err *
copy_data(int in, int64_t off, int64_t len, int out, int64_t to, sw_cancel *cancel)
{
        while (len > 0) {
                ssize_t n = copy_file_range(in, &off, out, &to,
                                            (size_t) (len < STEP ? len : STEP), 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                len -= n;
                sw_err *err = sw_cancel_check(cancel);
                if (err)
                        return err;
        }
        if (len == 0)
                return SW_OK;
        /* refused, or a file whose size the kernel does not know: reading tells */
        sw_auto(sw_str) buffer = sw_alloc(BUFFER);
        return copy_plain(in, off, len, out, to, buffer, BUFFER, cancel);
}

/* The ranges with data of a file that has holes. */
static sw_err *
copy_sparse(int in, int64_t off, int64_t len, int out, sw_cancel *cancel)
{
        const int64_t end = off + len;
        int64_t at = off;

        while (at < end) {
                int64_t data = lseek(in, at, SEEK_DATA);
                if (data < 0 && errno == ENXIO)
                        break;
                int64_t hole = data < 0 ? end : lseek(in, data, SEEK_HOLE);
                if (data < 0)
                        data = at;
                if (hole < 0 || hole > end)
                        hole = end;
                if (data >= end)
                        break;
                sw_err *err = copy_data(in, data, hole - data, out, data - off, cancel);
                if (err)
                        return err;
                at = hole;
        }
        if (ftruncate(out, len) < 0)
                return sw_err_sys(SW_E_IO, errno, "set the size");
        return SW_OK;
}

static bool
share_blocks(int in, int64_t off, int64_t len, int out, atomic_bool *no_clone)
{
        struct file_clone_range r = { .src_fd = in,
                                      .src_offset = (uint64_t) off,
                                      .src_length = (uint64_t) len };

        if (atomic_load_explicit(no_clone, memory_order_relaxed))
                return false;
        if (ioctl(out, FICLONERANGE, &r) == 0)
                return true;
        if (errno == EOPNOTSUPP || errno == ENOTTY || errno == ENOSYS || errno == EPERM)
                atomic_store_explicit(no_clone, true, memory_order_relaxed);
        return false;
}

sw_err *
snapdir_copy(int in, int64_t off, int64_t len, int out, atomic_bool *no_clone,
             sw_cancel *cancel)
{
        struct stat st;

        if (off < 0 || len < 0 || off > INT64_MAX - len)
                return sw_err_new(SW_E_INVALID, "a range of a file from %lld, %lld bytes",
                                  (long long) off, (long long) len);
        if (len == 0 || share_blocks(in, off, len, out, no_clone))
                return SW_OK;
        if (len <= SMALL)
                return copy_small(in, off, len, out);
        if (fstat(in, &st) < 0)
                return sw_err_sys(SW_E_IO, errno, "look at the file");
        if (S_ISREG(st.st_mode) && st.st_size < off + len)
                return ended_early();
        if (S_ISREG(st.st_mode) && st.st_blocks * 512 < st.st_size)
                return copy_sparse(in, off, len, out, cancel);
        return copy_data(in, off, len, out, 0, cancel);
}
