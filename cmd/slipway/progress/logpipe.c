/*
 * cmd/slipway/progress/logpipe.c - see logpipe.h. Thread: one; the log any.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cmd/slipway/progress/logpipe.h"

void
logpipe_open(struct logpipe *p, sw_log *log, int back)
{
        *p = (struct logpipe){ .back = back };
        if (!log || pipe2(p->fds, O_CLOEXEC | O_NONBLOCK) != 0)
                return;
        p->log = log;
        sw_log_redirect(log, p->fds[1]);
}

void
logpipe_read(const struct logpipe *p, sw_buf *out)
{
        char piece[4096];
        ssize_t n;

        while (p->log && (n = read(p->fds[0], piece, sizeof(piece))) > 0)
                sw_buf_add(out, piece, (size_t) n);
}

void
logpipe_close(struct logpipe *p, sw_buf *out)
{
        if (!p->log)
                return;
        sw_log_redirect(p->log, p->back);
        logpipe_read(p, out);
        (void) close(p->fds[0]);
        (void) close(p->fds[1]);
        p->log = NULL;
}
