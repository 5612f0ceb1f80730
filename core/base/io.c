/*
 * core/base/io.c - writing all of a buffer to a descriptor.
 *
 * Thread: any; no state.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <slipway/io.h>

/* Whether a write that returned @w may be tried again; else *err says why not. */
static bool
go_on(int fd, ssize_t w, int *err)
{
        struct pollfd room = { .fd = fd, .events = POLLOUT };

        *err = w < 0 ? errno : EIO;
        if (*err == EINTR)
                return true;
        if (*err != EAGAIN)
                return false;
        return poll(&room, 1, -1) == 1 || errno == EINTR;
}

int
sw_write_all(int fd, const void *p, size_t n)
{
        const char *at = p;
        int err;

        while (n > 0) {
                ssize_t w = write(fd, at, n);

                if (w > 0) {
                        at += w;
                        n -= (size_t) w;
                } else if (!go_on(fd, w, &err)) {
                        return err;
                }
        }
        return 0;
}

int
sw_pwrite_all(int fd, const void *p, size_t n, int64_t at)
{
        const char *from = p;
        int err;

        while (n > 0) {
                ssize_t w = pwrite(fd, from, n, at);

                if (w > 0) {
                        from += w;
                        at += w;
                        n -= (size_t) w;
                } else if (!go_on(fd, w, &err)) {
                        return err;
                }
        }
        return 0;
}
