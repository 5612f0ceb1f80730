/*
 * core/base/utf8.h - the UTF-8 decoder of text.c and json.c, and text made safe to print.
 */
#ifndef SLIPWAY_BASE_UTF8_H
#define SLIPWAY_BASE_UTF8_H

#include <slipway/buf.h>

/* Decode the character that starts at @s[0], n >= 1: returns its length, 1 to 4, or 0 when
 * the bytes are no character (overlong, surrogate, above U+10FFFF, cut). */
static inline size_t
sw__utf8_decode(const char *s, size_t n, uint32_t *out)
{
        const unsigned char *p = (const unsigned char *) s;
        unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
        size_t len;
        uint32_t c;

        if (p[0] < 0x80) {
                *out = p[0];
                return 1;
        }
        if (p[0] < 0xc2 || p[0] > 0xf4)
                return 0;
        len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        if (n < len)
                return 0;
        if (p[0] == 0xe0)
                low = 0xa0;
        else if (p[0] == 0xed)
                high = 0x9f;
        else if (p[0] == 0xf0)
                low = 0x90;
        else if (p[0] == 0xf4)
                high = 0x8f;
        if (p[1] < low || p[1] > high)
                return 0;
        c = p[0] & (0x7fU >> len);
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        *out = c;
        return len;
}

/* Append @s with everything that a terminal could take for a command, or that is not
 * UTF-8, as \xNN per byte; @quote, if not NUL, and then the backslash get a backslash.
 * After @max bytes of @s it is cut with "…". */
SW_API void sw__buf_add_escaped(sw_buf *b, const char *s, size_t len, size_t max,
                                char quote);

/* @s (@len bytes, or SIZE_MAX for a C string) quoted and cut for a message; from malloc. */
SW_API char *sw__shown(const char *s, size_t len);

#endif
