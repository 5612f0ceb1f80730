/* cmd/slipway/build/input.c - see input.h. */
#include "cmd/slipway/build/input.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <slipway/mem.h>

#define PIECE (64 * 1024)

static sw_err *
wait_for(sw_cancel *cancel)
{
        struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                               { .fd = -1, .events = POLLIN } };
        sw_err *err = sw_cancel_fd(cancel, &p[1].fd);

        while (!err && !p[0].revents) {
                if (poll(p, 2, -1) < 0 && errno != EINTR)
                        return sw_err_sys(SW_E_IO, errno, "wait for standard input");
                err = sw_cancel_check(cancel);
        }
        return err;
}

sw_err *
input_read(sw_cancel *cancel, void *p, size_t n, size_t *got)
{
        sw_err *err = wait_for(cancel);
        ssize_t r;

        if (err)
                return err;
        do
                r = read(STDIN_FILENO, p, n);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return sw_err_sys(SW_E_IO, errno, "read standard input");
        *got = (size_t) r;
        return SW_OK;
}

sw_err *
input_read_all(sw_cancel *cancel, size_t limit, sw_buf *out)
{
        sw_auto(sw_str) piece = sw_alloc(PIECE);
        size_t got = 1;
        sw_err *err = SW_OK;

        while (!err && got > 0) {
                err = input_read(cancel, piece, PIECE, &got);
                if (!err && got > limit - out->len)
                        return sw_err_new(SW_E_LIMIT,
                                          "standard input has more than %zu bytes", limit);
                if (!err)
                        sw_buf_add(out, piece, got);
        }
        return err;
}
