/*
 * core/base/log.c - the log: one line, one write(2).
 *
 *      text  2026-11-21T08:30:00.25Z warning message source=exporter/image
 *      json  {"time":"…","level":"warning","msg":"message","source":"exporter/image"}
 *
 * Thread: any. The line is made without a lock; the lock is held around the write alone,
 * so that a line longer than a pipe takes in one piece is not cut by another thread's.
 * A log that cannot be written is no reason to fail: the line, or the rest of it, is lost.
 */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include <slipway/json.h>
#include <slipway/log.h>
#include <slipway/mem.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/base/utf8.h"

/* A message from a hostile peer must not fill the disk: the rest is cut. */
#define MAX_VALUE 32768
/* How long a full non-blocking pipe may hold up its writer. */
#define FULL_PIPE_MS 100

struct sw_log {
        int fd; /* under the lock */
        atomic_int max;
        enum sw_log_format format;
        pthread_mutex_t write_lock;
        bool cut; /* the last line could not be written to its end; under the lock */
};

/* One "key=value" of a line; value NULL leaves it out. */
struct field {
        const char *key, *value;
};

static const char *const level_names[] = {
        [SW_LOG_ERROR] = "error", [SW_LOG_WARN] = "warning", [SW_LOG_INFO] = "info",
        [SW_LOG_DEBUG] = "debug", [SW_LOG_TRACE] = "trace",
};

sw_log *
sw_log_new(int fd, enum sw_log_level max, enum sw_log_format format)
{
        sw_log *log = sw_new(sw_log);

        log->fd = fd;
        log->format = format;
        atomic_init(&log->max, (int) max);
        pthread_mutex_init(&log->write_lock, NULL);
        return log;
}

void
sw_log_free(sw_log *log)
{
        if (!log)
                return;
        pthread_mutex_destroy(&log->write_lock);
        free(log);
}

void
sw_log_set(sw_log *log, enum sw_log_level max)
{
        atomic_store_explicit(&log->max, (int) max, memory_order_relaxed);
}

void
sw_log_redirect(sw_log *log, int fd)
{
        pthread_mutex_lock(&log->write_lock);
        log->fd = fd;
        log->cut = false;
        pthread_mutex_unlock(&log->write_lock);
}

bool
sw_log_on(const sw_log *log, enum sw_log_level level)
{
        return log && (int) level <= atomic_load_explicit(&log->max, memory_order_relaxed);
}

/* Whether a value needs quotes to be told from what follows. */
static bool
is_bare(const char *s)
{
        if (!*s)
                return false;
        for (; *s; s++)
                if (*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f ||
                    *s & 0x80)
                        return false;
        return true;
}

static void
make_text(sw_buf *b, const char *level, const char *msg, const struct field *f, size_t n)
{
        char now[SW_TIME_STR_SIZE];

        sw_buf_addf(b, "%s %s ", sw_time_str(sw_time_now(), now), level);
        sw__buf_add_escaped(b, msg, strlen(msg), MAX_VALUE, 0);
        for (size_t i = 0; i < n; i++) {
                if (!f[i].value)
                        continue;
                sw_buf_addf(b, " %s=", f[i].key);
                if (is_bare(f[i].value) && strlen(f[i].value) <= MAX_VALUE)
                        sw_buf_adds(b, f[i].value);
                else
                        sw_buf_add_quoted(b, f[i].value, strlen(f[i].value), MAX_VALUE);
        }
        sw_buf_addc(b, '\n');
}

static void
add_member(sw_buf *b, const char *key, const char *value)
{
        sw_buf_addc(b, b->len ? ',' : '{');
        sw_json_add_str(b, key, strlen(key));
        sw_buf_addc(b, ':');
        sw_json_add_str(b, value, strnlen(value, MAX_VALUE));
}

static void
make_json(sw_buf *b, const char *level, const char *msg, const struct field *f, size_t n)
{
        char now[SW_TIME_STR_SIZE];

        add_member(b, "time", sw_time_str(sw_time_now(), now));
        add_member(b, "level", level);
        add_member(b, "msg", msg);
        for (size_t i = 0; i < n; i++)
                if (f[i].value)
                        add_member(b, f[i].key, f[i].value);
        sw_buf_adds(b, "}\n");
}

/* Write it all; false when nobody takes it. @done: bytes that were taken. */
static bool
write_some(int fd, const char *p, size_t n, size_t *done)
{
        for (*done = 0; *done < n;) {
                ssize_t taken = write(fd, p + *done, n - *done);
                struct pollfd full = { .fd = fd, .events = POLLOUT };

                if (taken > 0)
                        *done += (size_t) taken;
                else if (errno == EAGAIN && poll(&full, 1, FULL_PIPE_MS) == 1)
                        continue;
                else if (errno != EINTR)
                        return false;
        }
        return true;
}

static void
write_line(sw_log *log, const char *p, size_t n)
{
        size_t done;

        pthread_mutex_lock(&log->write_lock);
        if (log->cut)
                log->cut = !write_some(log->fd, "\n", 1, &done);
        if (!log->cut && !write_some(log->fd, p, n, &done))
                log->cut = done > 0;
        pthread_mutex_unlock(&log->write_lock);
}

static void
log_fields(sw_log *log, enum sw_log_level level, const char *msg, const struct field *f,
           size_t n)
{
        sw_auto(sw_buf) line = SW_BUF_INIT;

        if (log->format == SW_LOG_JSON)
                make_json(&line, level_names[level], msg, f, n);
        else
                make_text(&line, level_names[level], msg, f, n);
        write_line(log, line.data, line.len);
}

void
sw_log_line(sw_log *log, enum sw_log_level level, const char *source, const char *fmt, ...)
{
        int saved = errno; /* who logs about errno reads it afterwards */

        if (!sw_log_on(log, level))
                return;
        sw_auto(sw_buf) msg = SW_BUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        sw_buf_vaddf(&msg, fmt, ap);
        va_end(ap);
        log_fields(log, level, msg.data, &(struct field){ "source", source }, 1);
        errno = saved;
}

/* One line per message of the error, with its place in the source. */
static void
log_trace(sw_log *log, const sw_err *err)
{
        sw_auto(sw_str) trace = sw_err_trace(err);
        char *rest = trace;

        while (rest && *rest) {
                char *line = strsep(&rest, "\n");

                if (*line)
                        sw_log_line(log, SW_LOG_DEBUG, sw_err_plugin(err), "trace: %s",
                                    line);
        }
}

void
sw_log_err(sw_log *log, enum sw_log_level level, const sw_err *err)
{
        int saved = errno;

        if (!err || !sw_log_on(log, level))
                return;
        const struct field f[] = {
                { "code", sw_err_code_name(sw_err_code(err)) },
                { "source", sw_err_plugin(err) },
                { "vertex", sw_err_vertex(err) },
        };
        log_fields(log, level, sw_err_message(err), f, SW_COUNT(f));
        if (sw_log_on(log, SW_LOG_DEBUG))
                log_trace(log, err);
        errno = saved;
}

sw_err *
sw_log_level_parse(const char *s, enum sw_log_level *out)
{
        static const struct {
                const char *name;
                enum sw_log_level level;
        } names[] = {
                { "panic", SW_LOG_ERROR },  { "fatal", SW_LOG_ERROR },
                { "error", SW_LOG_ERROR },  { "warn", SW_LOG_WARN },
                { "warning", SW_LOG_WARN }, { "info", SW_LOG_INFO },
                { "debug", SW_LOG_DEBUG },  { "trace", SW_LOG_TRACE },
        };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                if (strcasecmp(s, names[i].name) != 0)
                        continue;
                *out = names[i].level;
                return SW_OK;
        }
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_buf_add_quoted(&shown, s, strlen(s), 40);
        return sw_err_new(SW_E_INVALID,
                          "%s is not a log level: one of panic, fatal, error, warn, info, "
                          "debug, trace",
                          shown.data);
}
