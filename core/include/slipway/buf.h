/*
 * slipway/buf.h - a growing byte and string buffer.
 *
 * Embedded:  struct sw_buf b = SW_BUF_INIT; ... sw_buf_release(&b);
 * data is always NUL-terminated at data[len] (data is "" when empty), so that a buffer
 * of text is a C string. Growth that cannot be met ends the program (mem.h); bytes from
 * outside are limited by the caller before they are added.
 * Not thread-safe.
 */
#ifndef SLIPWAY_BUF_H
#define SLIPWAY_BUF_H

#include <stdarg.h>

#include <slipway/error.h>

SW_BEGIN_DECLS

typedef struct sw_buf {
        char *data; /* never NULL after init; NUL-terminated */
        size_t len; /* bytes, without the NUL */
        size_t cap; /* bytes allocated; 0 while data is the static empty string */
} sw_buf;

SW_API extern char sw_buf_empty[1];
#define SW_BUF_INIT                                                                        \
        {                                                                                  \
                sw_buf_empty, 0, 0                                                         \
        }

SW_API void sw_buf_init(sw_buf *b);    /* as SW_BUF_INIT */
SW_API void sw_buf_release(sw_buf *b); /* frees; the buffer is empty and usable again */
SW_API void sw_buf_clear(sw_buf *b);   /* empties, keeps the memory */
/** sw_buf_reserve - room for @extra more bytes and the NUL, so that data stays where it is
 *  while they are added. */
SW_API void sw_buf_reserve(sw_buf *b, size_t extra);
/** sw_buf_add, _addc, _adds, _addf, _vaddf - append bytes, a character, a string, what
 *  printf would print. What is appended may not be in the buffer itself. */
SW_API void sw_buf_add(sw_buf *b, const void *p, size_t n);
SW_API void sw_buf_addc(sw_buf *b, char c);
SW_API void sw_buf_adds(sw_buf *b, const char *s);
SW_API void sw_buf_addf(sw_buf *b, const char *fmt, ...) SW_PRINTF(2, 3);
SW_API void sw_buf_vaddf(sw_buf *b, const char *fmt, va_list ap) SW_PRINTF(2, 0);
SW_API void sw_buf_truncate(sw_buf *b, size_t len); /* keep the first @len <= b->len */

/** sw_buf_detach - the contents as a malloc'd string, handed to the caller; b is empty. */
SW_API char *sw_buf_detach(sw_buf *b);

/**
 * sw_buf_read_fd - append what is left in @fd.
 * @limit: SW_E_LIMIT when more than this many bytes come (the buffer then holds the first
 * @limit).
 * @what:  names the source in errors.
 * Blocks: yes.   Errors: SW_E_IO, SW_E_LIMIT.
 */
SW_API SW_NODISCARD sw_err *sw_buf_read_fd(sw_buf *b, int fd, size_t limit,
                                           const char *what);

/** sw_buf_read_file - the same for a path relative to @dirfd (AT_FDCWD allowed). A named
 *  pipe is SW_E_INVALID: opening one may wait for ever.
 *  Errors: SW_E_NOT_FOUND, SW_E_INVALID, SW_E_IO, SW_E_LIMIT. */
SW_API SW_NODISCARD sw_err *sw_buf_read_file(sw_buf *b, int dirfd, const char *path,
                                             size_t limit);

SW_DEFINE_AUTO(sw_buf, sw_buf_release)

SW_END_DECLS
#endif
