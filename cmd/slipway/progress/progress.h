/*
 * cmd/slipway/progress/progress.h - shows how a build goes, on stderr.
 *
 *      progress_open("auto", &p)
 *      progress_trace(p, fd, "build.trace")     every update as JSON too; optional
 *      progress_follow(p, sub)                  until the story's end
 *      ... progress_model(p) ...
 *      progress_close(p)
 *
 * A printer is a table of functions; modes are in progress.c. An output that fails (a
 * closed stderr, a full disk) stops the printing, not the build. Thread: main.
 */
#ifndef SLIPWAY_CMD_PROGRESS_PROGRESS_H
#define SLIPWAY_CMD_PROGRESS_PROGRESS_H

#include <slipway/log.h>

#include "cmd/slipway/progress/model.h"

typedef struct progress progress;

/* Where a printer writes. */
struct progress_out {
        int fd;
        sw_buf buf;      /* written and emptied after each call of a printer */
        int failed;      /* errno of the write that failed; nothing is written after it */
        int64_t written; /* when (monotonic) the last write was over; 0: none was */
        bool terminal, colour;
        sw_buf above; /* lines of others, for a printer that draws over what is there */
};

struct progress_printer {
        /* step - something is new (@b may be NULL: only time went by). */
        void (*step)(void *self, model *m, const struct sw_progress_batch *b,
                     struct progress_out *out);
        /* end - the story has ended. */
        void (*end)(void *self, model *m, struct progress_out *out);
        void (*free)(void *self);
        int64_t tick; /* call step so often (ns) though nothing is new; 0: never */
        bool lines;   /* it takes the lines of model_step.lines */
        bool above;   /* it takes progress_out.above */
};

/** progress_open - @mode: as given to --progress. Errors: SW_E_USAGE: no such mode,
 *  or no terminal for "tty". */
SW_NODISCARD sw_err *progress_open(const char *mode, progress **out);
/** progress_open_on - the same to another descriptor than stderr. */
SW_NODISCARD sw_err *progress_open_on(int fd, const char *mode, progress **out);
/** progress_mode - what auto and the environment came to: "plain", "tty", "rawjson" or
 *  "quiet"; static. */
const char *progress_mode(const progress *p);
/** progress_log - while a picture is drawn, lines of @log (borrowed until
 *  progress_end()) are shown above it. */
void progress_log(progress *p, sw_log *log);
/** progress_trace - @fd: borrowed. */
void progress_trace(progress *p, int fd);
/** progress_follow - @sub: given. */
void progress_follow(progress *p, sw_subscription *sub);
/** progress_take, progress_end - the same by hand: @b is what is new, or NULL when only
 *  time went by; then that the story has ended. */
void progress_take(progress *p, const struct sw_progress_batch *b);
void progress_end(progress *p);
model *progress_model(progress *p);
/** progress_trace_error - why the trace is not whole; SW_OK when it is. @name: of the file.
 */
SW_NODISCARD sw_err *progress_trace_error(const progress *p, const char *name);
/** progress_error - why not everything was shown; SW_OK when it was. */
SW_NODISCARD sw_err *progress_error(const progress *p);
void progress_close(progress *p);

/* plain.c, tty.c, rawjson.c: self of each is made here, *ops set. */
void *plain_new(const struct progress_printer **ops);
void *tty_new(const struct progress_printer **ops);
void *rawjson_new(const struct progress_printer **ops);

/* What printers share (progress.c). */
/** progress_add_name - the name of a step, cut where the environment wants it so. */
void progress_add_name(sw_buf *b, const char *name, const struct progress_out *out);
/** progress_add_text - as it is, or harmless where it goes to a terminal. */
void progress_add_text(sw_buf *b, const char *text, const struct progress_out *out);
/** progress_add_line - the same for a line of a log, whose colours a terminal gets. */
void progress_add_line(sw_buf *b, const char *line, const struct progress_out *out);
/** progress_add_failures - the last lines of every step that failed. */
void progress_add_failures(const model *m, struct progress_out *out);
/** progress_add_amount - " 1.20MB / 3.00MB", " 1.20MB" or nothing. */
void progress_add_amount(sw_buf *b, int64_t current, int64_t total);

#endif
