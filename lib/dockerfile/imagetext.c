/* lib/dockerfile/imagetext.c - see imageconf.h: values as Go's fmt prints them. */
#include <inttypes.h>
#include <string.h>

#include <slipway/time.h>

#include "lib/dockerfile/imageconf.h"

/* One character of UTF-8; 0 bytes when it is none. */
static size_t
decode(const unsigned char *s, uint32_t *out)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
        uint32_t c;

        if (s[0] < 0xc2 || s[0] > 0xf4)
                return 0;
        c = s[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return 0;
        *out = c;
        return n;
}

/* Of what is not ASCII: whether Go prints it as it is. Spaces, formats, private use and
 * what stands for nothing are escaped. */
static bool
printable(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } no[] = {
                { 0x80, 0xa0 },        { 0xad, 0xad },     { 0x1680, 0x1680 },
                { 0x180e, 0x180e },    { 0x2000, 0x200f }, { 0x2028, 0x202f },
                { 0x205f, 0x206f },    { 0x3000, 0x3000 }, { 0xe000, 0xf8ff },
                { 0xfeff, 0xfeff },    { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
                { 0xe0000, 0x10ffff },
        };

        for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
                if (c >= no[i].first && c <= no[i].last)
                        return i == sizeof(no) / sizeof(no[0]) - 1 && c >= 0xe0100 &&
                               c <= 0xe01ef;
        return true;
}

static void
add_ascii(sw_buf *b, unsigned char c)
{
        static const char names[] = "\aa\bb\ff\nn\rr\tt\vv\"\"\\\\";

        for (size_t i = 0; names[i]; i += 2)
                if (c == (unsigned char) names[i]) {
                        sw_buf_addc(b, '\\');
                        sw_buf_addc(b, names[i + 1]);
                        return;
                }
        if (c < 0x20 || c == 0x7f)
                sw_buf_addf(b, "\\x%02x", c);
        else
                sw_buf_addc(b, (char) c);
}

void
sw_df_add_quoted(sw_buf *b, const char *s)
{
        const unsigned char *p = (const unsigned char *) s;

        sw_buf_addc(b, '"');
        while (*p) {
                uint32_t c = 0;
                size_t n = *p < 0x80 ? 1 : decode(p, &c);

                if (*p < 0x80)
                        add_ascii(b, *p);
                else if (!n)
                        sw_buf_addf(b, "\\x%02x", *p);
                else if (printable(c))
                        sw_buf_add(b, p, n);
                else
                        sw_buf_addf(b, c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
                p += n ? n : 1;
        }
        sw_buf_addc(b, '"');
}

void
sw_df_add_quoted_list(sw_buf *b, const struct sw_df_list *l)
{
        sw_buf_addc(b, '[');
        for (size_t i = 0; i < l->n; i++) {
                if (i)
                        sw_buf_addc(b, ' ');
                sw_df_add_quoted(b, l->v[i]);
        }
        sw_buf_addc(b, ']');
}

void
sw_df_add_plain_list(sw_buf *b, const struct sw_df_list *l)
{
        sw_buf_addc(b, '[');
        for (size_t i = 0; i < l->n; i++) {
                if (i)
                        sw_buf_addc(b, ' ');
                sw_buf_adds(b, l->v[i]);
        }
        sw_buf_addc(b, ']');
}

void
sw_df_add_health(sw_buf *b, const struct sw_df_image_health *h)
{
        char interval[SW_TIME_STR_SIZE], timeout[SW_TIME_STR_SIZE];
        char period[SW_TIME_STR_SIZE], start[SW_TIME_STR_SIZE];

        sw_buf_adds(b, "{Test:");
        sw_df_add_plain_list(b, &h->test);
        sw_buf_addf(
                b,
                " Interval:%s Timeout:%s StartPeriod:%s StartInterval:%s Retries:%" PRId64
                "}",
                sw_duration_str(h->interval, interval),
                sw_duration_str(h->timeout, timeout),
                sw_duration_str(h->start_period, period),
                sw_duration_str(h->start_interval, start), h->retries);
}
