/*
 * cmd/slipway/report/html.c - text that is safe in a page, whatever it says.
 *
 * What is no character of a page (controls, broken UTF-8) becomes U+FFFD; so do characters
 * that turn the order of others around, which make one thing look like another.
 * Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/report/report.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* How many bytes the character at @s has; 0: it is none. */
static size_t
character(const char *s, size_t n)
{
        const unsigned char c = (unsigned char) *s;
        const size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

        return len <= n && sw_utf8_valid(s, len) ? len : 0;
}

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069; C1 controls; U+FEFF. */
static bool
is_tricky(const char *s, size_t len)
{
        const unsigned char *u = (const unsigned char *) s;

        if (len == 2)
                return u[0] == 0xc2 && u[1] < 0xa0;
        if (len != 3)
                return false;
        if (u[0] == 0xef && u[1] == 0xbb && u[2] == 0xbf)
                return true;
        if (u[0] != 0xe2)
                return false;
        return (u[1] == 0x80 && (u[2] == 0x8e || u[2] == 0x8f)) ||
               (u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
               (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9);
}

/* One character; returns how many bytes it took. */
static size_t
add_one(sw_buf *out, const char *s, size_t n)
{
        const size_t len = character(s, n);

        switch (*s) {
        case '&': sw_buf_adds(out, "&amp;"); return 1;
        case '<': sw_buf_adds(out, "&lt;"); return 1;
        case '>': sw_buf_adds(out, "&gt;"); return 1;
        case '"': sw_buf_adds(out, "&quot;"); return 1;
        case '\'': sw_buf_adds(out, "&#39;"); return 1;
        case '\n':
        case '\t': sw_buf_addc(out, *s); return 1;
        default: break;
        }
        if (!len || (unsigned char) *s < ' ' || *s == 0x7f || is_tricky(s, len))
                sw_buf_adds(out, REPLACEMENT);
        else
                sw_buf_add(out, s, len);
        return len ? len : 1;
}

void
html_add_n(sw_buf *out, const char *s, size_t n)
{
        while (n > 0) {
                const size_t k = add_one(out, s, n);

                s += k;
                n -= k;
        }
}

void
html_add(sw_buf *out, const char *s)
{
        html_add_n(out, s, strlen(s));
}

void
html_add_cut(sw_buf *out, const char *s, size_t columns)
{
        size_t n = strlen(s);

        for (; n > 0 && columns > 0; columns--) {
                const size_t k = add_one(out, *s == '\n' ? " " : s, n);

                s += k;
                n -= k;
        }
        if (n > 0)
                sw_buf_adds(out, "\xe2\x80\xa6");
}

/* ---- Logs ---- */

/* How long the escape sequence at @s is. */
static size_t
escape(const char *s, size_t n)
{
        size_t i = 2;

        if (n < 2)
                return 1;
        if (s[1] == '[') { /* parameters, and the byte that ends them */
                while (i < n && (unsigned char) s[i] >= 0x20 && (unsigned char) s[i] < 0x40)
                        i++;
                return i < n ? i + 1 : n;
        }
        if (s[1] == ']') { /* up to BEL or ESC \ */
                while (i < n && s[i] != '\a' && s[i] != '\n' && s[i] != '\033')
                        i++;
                if (i < n && s[i] == '\a')
                        return i + 1;
                return i + 1 < n && s[i] == '\033' && s[i + 1] == '\\' ? i + 2 : i;
        }
        return 2;
}

/* A line; of one that was written over again and again, what is left at the end. */
static void
add_line(sw_buf *out, const char *s, size_t n)
{
        const char *cr;

        while (n > 0 && s[n - 1] == '\r')
                n--;
        cr = memrchr(s, '\r', n);
        if (cr) {
                n -= (size_t) (cr + 1 - s);
                s = cr + 1;
        }
        while (n > 0) {
                const size_t k = *s == '\033' ? escape(s, n) : add_one(out, s, n);

                s += k;
                n -= k;
        }
}

void
html_add_log(sw_buf *out, const char *s, size_t n)
{
        while (n > 0) {
                const char *nl = memchr(s, '\n', n);
                const size_t len = nl ? (size_t) (nl - s) : n;

                add_line(out, s, len);
                if (!nl)
                        return;
                sw_buf_addc(out, '\n');
                s = nl + 1;
                n -= len + 1;
        }
}

/* ---- Words ---- */

void
html_add_name(sw_buf *out, const report *r, size_t step)
{
        const char *name = r->steps.v[step].s->name;

        if (*name)
                html_add_cut(out, name, 2000);
        else
                sw_buf_adds(out, "(unnamed)");
}

void
html_add_link(sw_buf *out, const report *r, size_t step)
{
        sw_buf_addf(out, "<a href=\"#s%zu\">", step + 1);
        html_add_name(out, r, step);
        sw_buf_adds(out, "</a>");
}

void
html_add_time(sw_buf *out, int64_t ns)
{
        const int64_t ms = ns / 1000000, s = ms / 1000;

        if (ms < 1000)
                sw_buf_addf(out, "%lld ms", (long long) ms);
        else if (s < 60)
                sw_buf_addf(out, "%.1f s", (double) ms / 1000);
        else if (s < 3600)
                sw_buf_addf(out, "%lld min %02lld s", (long long) (s / 60),
                            (long long) (s % 60));
        else
                sw_buf_addf(out, "%lld h %02lld min", (long long) (s / 3600),
                            (long long) (s / 60 % 60));
}
