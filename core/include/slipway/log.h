/*
 * slipway/log.h - the log: for who runs the program (progress is for who waits).
 *
 * A logger is an object handed to whoever logs; there is no global one. Lines are
 * written whole, with one write(2) each: text "time level message key=value", or JSON.
 * Control bytes are escaped. Thread: any.
 */
#ifndef SLIPWAY_LOG_H
#define SLIPWAY_LOG_H

#include <slipway/error.h>

SW_BEGIN_DECLS

enum sw_log_level { SW_LOG_ERROR, SW_LOG_WARN, SW_LOG_INFO, SW_LOG_DEBUG, SW_LOG_TRACE };
enum sw_log_format { SW_LOG_TEXT, SW_LOG_JSON };

typedef struct sw_log sw_log;

/** sw_log_new - @fd: borrowed for the logger's life. */
SW_API sw_log *sw_log_new(int fd, enum sw_log_level max, enum sw_log_format format);
SW_API void sw_log_free(sw_log *log); /* NULL is fine; @fd stays open */
/** sw_log_set - change the level while running. */
SW_API void sw_log_set(sw_log *log, enum sw_log_level max);
/** sw_log_redirect - lines go to @fd from now on; borrowed, as that of sw_log_new() still
 *  is. None goes to the old one once it has returned. Thread: any.   Since: 0.1 */
SW_API void sw_log_redirect(sw_log *log, int fd);
/** sw_log_on - whether lines of that level are written: before making an expensive one. */
SW_API bool sw_log_on(const sw_log *log, enum sw_log_level level);
/** sw_log_line - @log NULL: dropped. @source: "kind/name" or NULL. */
SW_API void sw_log_line(sw_log *log, enum sw_log_level level, const char *source,
                        const char *fmt, ...) SW_PRINTF(4, 5);
/** sw_log_err - an error with all its messages; the trace at debug level. */
SW_API void sw_log_err(sw_log *log, enum sw_log_level level, const sw_err *err);
/** sw_log_level_parse - panic fatal error warn warning info debug trace (logrus names).
 *  Errors: SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_log_level_parse(const char *s, enum sw_log_level *out);

SW_DEFINE_AUTOPTR(sw_log, sw_log_free)

SW_END_DECLS
#endif
