/* lib/dockerfile/span.c - white space and words for messages. Pure. */
#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"

enum { PLAIN_MAX = 200 };

static bool
is_blank(uint32_t c)
{
        return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 ||
               c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
               c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t
sw_df_blank(const char *s, size_t n)
{
        uint32_t c = 0;

        if ((unsigned char) s[0] < 0x80)
                return is_blank((unsigned char) s[0]) ? 1 : 0;

        size_t len = sw__utf8_decode(s, n, &c);

        return len && is_blank(c) ? len : 0;
}

struct sw_df_span
sw_df_trim_left(struct sw_df_span s)
{
        for (size_t k; s.n && (k = sw_df_blank(s.s, s.n)) != 0;) {
                s.s += k;
                s.n -= k;
        }
        return s;
}

/* Bytes of the white space that ends at @s.s[s.n - 1]; 0: there is none. */
static size_t
blank_before(struct sw_df_span s)
{
        size_t k = 1;

        while (k < s.n && k < 4 && ((unsigned char) s.s[s.n - k] & 0xc0) == 0x80)
                k++;
        return sw_df_blank(s.s + s.n - k, k) == k ? k : 0;
}

struct sw_df_span
sw_df_trim(struct sw_df_span s)
{
        s = sw_df_trim_left(s);
        for (size_t k; s.n && (k = blank_before(s)) != 0;)
                s.n -= k;
        return s;
}

char *
sw_df_plain(const char *s)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw__buf_add_escaped(&b, s, strlen(s), PLAIN_MAX, '\0');
        return sw_buf_detach(&b);
}
