/*
 * cmd/slipway/progress/logpipe.h - the log of the program while a picture is drawn on the
 * same terminal: its lines wait in a pipe, to be shown above the picture.
 * Thread: one; the log any.
 */
#ifndef SLIPWAY_CMD_PROGRESS_LOGPIPE_H
#define SLIPWAY_CMD_PROGRESS_LOGPIPE_H

#include <slipway/buf.h>
#include <slipway/log.h>

struct logpipe {
        sw_log *log; /* NULL: it goes where it always did */
        int back;    /* there */
        int fds[2];
};

/** logpipe_open - @log: borrowed until logpipe_close(); @back: where it writes. Without
 *  a pipe nothing is changed. */
void logpipe_open(struct logpipe *p, sw_log *log, int back);
/** logpipe_read - what was logged meanwhile, appended to @out. Does not block. */
void logpipe_read(const struct logpipe *p, sw_buf *out);
/** logpipe_close - the log goes where it went before; what is left is appended to @out. */
void logpipe_close(struct logpipe *p, sw_buf *out);

#endif
