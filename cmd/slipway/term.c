/*
 * cmd/slipway/term.c - see term.h. Thread: main.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <slipway/text.h>

#include "cmd/slipway/term.h"

/* Bytes of the UTF-8 sequence that begins with @c; 0 when none does. */
static size_t
sequence_len(unsigned char c)
{
        if (c < 0x80)
                return 1;
        if (c >= 0xc2 && c < 0xe0)
                return 2;
        if (c >= 0xe0 && c < 0xf0)
                return 3;
        return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/* C0 and C1 controls, DEL, and the marks that reorder what is shown. */
static bool
is_harmful(const unsigned char *s, size_t n)
{
        if (n == 1)
                return s[0] < 0x20 || s[0] == 0x7f;
        if (n == 2)
                return s[0] == 0xc2 && s[1] < 0xa0;
        if (n != 3 || s[0] != 0xe2)
                return false;
        if (s[1] == 0x80)
                return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae);
        return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

void
term_add_text(sw_buf *b, const char *s)
{
        const unsigned char *p = (const unsigned char *) s;
        size_t left = strlen(s);

        while (left > 0) {
                size_t n = sequence_len(*p);
                bool good = n > 0 && n <= left && sw_utf8_valid((const char *) p, n) &&
                            !is_harmful(p, n);
                if (n == 0 || n > left || (!good && !is_harmful(p, n)))
                        n = 1;
                if (good)
                        sw_buf_add(b, p, n);
                else
                        for (size_t i = 0; i < n; i++)
                                sw_buf_addf(b, "\\x%02x", p[i]);
                p += n;
                left -= n;
        }
}

size_t
term_width(int fd)
{
        const char *columns = getenv("COLUMNS");
        struct winsize ws;
        int64_t n;

        if (!isatty(fd))
                return 0;
        if (columns) {
                sw_err *err = sw_parse_int(columns, 20, 10000, &n);
                if (!err)
                        return (size_t) n;
                sw_err_drop(err, "a wrong COLUMNS is as good as none");
        }
        if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
                return ws.ws_col;
        return 80;
}

bool
term_colour(int fd)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        if (!isatty(fd) || (no_color && *no_color))
                return false;
        return term && *term && strcmp(term, "dumb") != 0;
}

size_t
term_len(const char *s)
{
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

void
term_pad(sw_buf *b, size_t n)
{
        while (n-- > 0)
                sw_buf_addc(b, ' ');
}

/* Code points in @n bytes. */
static size_t
columns(const char *s, size_t n)
{
        size_t cols = 0;

        for (size_t i = 0; i < n; i++)
                cols += ((unsigned char) s[i] & 0xc0) != 0x80;
        return cols;
}

/* One paragraph, up to @end; @col: where the line stands. Returns the new column. */
static void
add_paragraph(sw_buf *b, const char *s, const char *end, size_t indent, size_t width)
{
        size_t col = indent;
        bool first = true;

        while (s < end) {
                s += strspn(s, " \n");
                if (s >= end)
                        break;
                size_t n = strcspn(s, " \n");
                size_t cols = columns(s, n);
                if (!first && width > 0 && col + 1 + cols > width) {
                        sw_buf_addc(b, '\n');
                        term_pad(b, indent);
                        col = indent;
                } else if (!first) {
                        sw_buf_addc(b, ' ');
                        col++;
                }
                sw_buf_add(b, s, n);
                col += cols;
                s += n;
                first = false;
        }
        sw_buf_addc(b, '\n');
}

void
term_add_wrapped(sw_buf *b, const char *text, size_t indent, size_t width)
{
        bool first = true;

        if (!*text)
                sw_buf_addc(b, '\n');
        while (*text) {
                const char *end = strchrnul(text, '\n');
                bool literal = *text == ' ';
                if (end == text) { /* an empty line */
                        sw_buf_addc(b, '\n');
                        text++;
                        continue;
                }
                while (!literal && *end && end[1] && end[1] != '\n' && end[1] != ' ')
                        end = strchrnul(end + 1, '\n');
                if (!first)
                        term_pad(b, indent);
                first = false;
                if (literal) {
                        sw_buf_add(b, text, (size_t) (end - text));
                        sw_buf_addc(b, '\n');
                } else {
                        add_paragraph(b, text, end, indent, width);
                }
                text = *end ? end + 1 : end;
        }
}
