/*
 * core/base/buf.c - the growing buffer.
 *
 * Invariants: data != NULL; data[len] == 0; cap == 0 exactly while data is sw_buf_empty,
 * which is shared by all threads and therefore never written; otherwise len < cap.
 * Thread: one at a time per buffer.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/buf.h>

#include "core/base/input.h"
#include "core/base/mem.h"

enum { FIRST_CAP = 64, READ_CHUNK = 64 * 1024 };

char sw_buf_empty[1] = { 0 };

void
sw_buf_init(sw_buf *b)
{
        b->data = sw_buf_empty;
        b->len = b->cap = 0;
}

void
sw_buf_release(sw_buf *b)
{
        if (b->cap)
                free(b->data);
        sw_buf_init(b);
}

void
sw_buf_truncate(sw_buf *b, size_t len)
{
        assert(len <= b->len);
        b->len = len;
        if (b->cap)
                b->data[len] = '\0';
}

void
sw_buf_clear(sw_buf *b)
{
        sw_buf_truncate(b, 0);
}

void
sw_buf_reserve(sw_buf *b, size_t extra)
{
        size_t need, cap;

        if (__builtin_add_overflow(b->len, extra, &need) || need == SIZE_MAX)
                sw__nomem(SIZE_MAX);
        need++; /* the NUL */
        if (need <= b->cap)
                return;
        cap = b->cap > SIZE_MAX / 2 ? need : b->cap * 2;
        if (cap < FIRST_CAP)
                cap = FIRST_CAP;
        if (cap < need)
                cap = need;
        b->data = (char *) sw_realloc_array(b->cap ? b->data : NULL, cap, 1);
        b->cap = cap;
        b->data[b->len] = '\0';
}

void
sw_buf_add(sw_buf *b, const void *p, size_t n)
{
        if (n == 0)
                return;
        sw_buf_reserve(b, n);
        memcpy(b->data + b->len, p, n);
        b->len += n;
        b->data[b->len] = '\0';
}

void
sw_buf_addc(sw_buf *b, char c)
{
        sw_buf_reserve(b, 1);
        b->data[b->len++] = c;
        b->data[b->len] = '\0';
}

void
sw_buf_adds(sw_buf *b, const char *s)
{
        sw_buf_add(b, s, strlen(s));
}

void
sw_buf_addf(sw_buf *b, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(b, fmt, ap);
        va_end(ap);
}

void
sw_buf_vaddf(sw_buf *b, const char *fmt, va_list ap)
{
        va_list again;
        size_t room;
        int n;

        sw_buf_reserve(b, FIRST_CAP - 1);
        room = b->cap - b->len;
        va_copy(again, ap);
        n = vsnprintf(b->data + b->len, room, fmt, again);
        va_end(again);
        if (n >= 0 && (size_t) n >= room) {
                sw_buf_reserve(b, (size_t) n);
                n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
        }
        if (n < 0) /* longer than INT_MAX, or the formatter ran out of memory */
                sw__nomem(SIZE_MAX);
        b->len += (size_t) n;
}

char *
sw_buf_detach(sw_buf *b)
{
        char *s;

        sw_buf_reserve(b, 0);
        s = b->data;
        sw_buf_init(b);
        return s;
}

/* read(2) that waits on a non-blocking descriptor and starts again after a signal. */
static ssize_t
read_some(int fd, void *p, size_t n)
{
        for (;;) {
                ssize_t got = read(fd, p, n);

                if (got >= 0)
                        return got;
                if (errno == EAGAIN || errno == EWOULDBLOCK) {
                        struct pollfd pfd = { .fd = fd, .events = POLLIN };

                        if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
                                return -1;
                } else if (errno != EINTR) {
                        return -1;
                }
        }
}

/* How much room to make at first: a regular file's size is known, one byte more finds
 * its end without growing. Never above the limit, whatever the file system says. */
static size_t
expected_size(int fd, size_t limit)
{
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
                return 0;
        return (uintmax_t) st.st_size < limit ? (size_t) st.st_size + 1 : 0;
}

sw_err *
sw_buf_read_fd(sw_buf *b, int fd, size_t limit, const char *what)
{
        size_t expect = expected_size(fd, limit), came = 0;

        for (;;) {
                size_t left = limit - came, want = READ_CHUNK;
                ssize_t got;

                if (expect > came)
                        want = expect - came;
                if (want > left) /* one byte over the limit tells the end from too much */
                        want = left + 1;
                sw_buf_reserve(b, want);
                got = read_some(fd, b->data + b->len, want);
                if (got < 0) {
                        int err = errno;

                        b->data[b->len] = '\0';
                        return sw_err_sys(SW_E_IO, err, "read %s", what);
                }
                if ((size_t) got > left) {
                        b->len += left;
                        b->data[b->len] = '\0';
                        return sw_err_new(SW_E_LIMIT, "%s: longer than %zu bytes", what,
                                          limit);
                }
                came += (size_t) got;
                b->len += (size_t) got;
                b->data[b->len] = '\0';
                if (got == 0)
                        return SW_OK;
        }
}

sw_err *
sw_buf_read_file(sw_buf *b, int dirfd, const char *path, size_t limit)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw__open_input(dirfd, path, &fd);

        return err ? err : sw_buf_read_fd(b, fd, limit, path);
}
