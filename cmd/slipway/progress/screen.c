/*
 * cmd/slipway/progress/screen.c - see screen.h. Thread: one at a time.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <slipway/text.h>

#include "cmd/slipway/progress/screen.h"

#define BEGIN "\033[?2026h\033[?25l\033[?7l"
#define END   "\033[J\033[?7h\033[?25h\033[?2026l" /* what was typed below goes, too */

enum { WIDTH = 80, HEIGHT = 24, WIDTH_MAX = 10000 };

/* Programs that break what is too long when they become narrower are the rule. */
static bool
reflows(void)
{
        const char *term = getenv("TERM");

        if (getenv("TMUX"))
                return true;
        return !getenv("XTERM_VERSION") && !getenv("STY") && !sw_str_eq(term, "linux");
}

void
screen_init(struct screen *s)
{
        *s = (struct screen){ .width = WIDTH, .height = HEIGHT, .reflows = reflows() };
}

static void
clear(screen_rows *rows)
{
        for (size_t i = 0; i < rows->n; i++)
                free(rows->v[i].text);
        rows->n = 0;
}

void
screen_release(struct screen *s)
{
        clear(&s->next);
        clear(&s->shown);
        sw_array_release(&s->next);
        sw_array_release(&s->shown);
}

void
screen_measure(struct screen *s, int fd)
{
        const char *columns = getenv("COLUMNS");
        struct winsize ws = { 0 };
        int64_t n = WIDTH;

        (void) ioctl(fd, TIOCGWINSZ, &ws);
        if (!ws.ws_col && columns)
                sw_err_drop(sw_parse_int(columns, 1, WIDTH_MAX, &n),
                            "a wrong COLUMNS is as good as none");
        s->width = ws.ws_col ? ws.ws_col : (size_t) n;
        s->height = ws.ws_row ? ws.ws_row : HEIGHT;
}

void
screen_add(struct screen *s, const char *text, size_t columns)
{
        sw_array_push(&s->next, (struct screen_row){ sw_strdup(text), columns });
}

void
screen_forget(struct screen *s)
{
        clear(&s->shown);
}

/* Rows of the terminal that the last picture takes now. */
static size_t
rows_taken(const struct screen *s)
{
        size_t n = 0;

        if (!s->reflows || s->width >= s->shown_width)
                return s->shown.n;
        for (size_t i = 0; i < s->shown.n; i++) {
                size_t columns = s->shown.v[i].columns;

                n += columns > s->width ? (columns + s->width - 1) / s->width : 1;
        }
        return n;
}

static bool
same_row(const struct screen *s, size_t i)
{
        return i < s->shown.n && strcmp(s->shown.v[i].text, s->next.v[i].text) == 0;
}

static bool
same_size(const struct screen *s)
{
        return s->width == s->shown_width && s->height == s->shown_height;
}

static bool
nothing_new(const struct screen *s)
{
        if (!same_size(s) || s->shown.n != s->next.n)
                return false;
        for (size_t i = 0; i < s->next.n; i++)
                if (!same_row(s, i))
                        return false;
        return true;
}

/* Up to the first row. What is above the terminal's top is out of reach: it stops there. */
static void
go_up(const struct screen *s, sw_buf *out)
{
        size_t up = rows_taken(s);

        if (up)
                sw_buf_addf(out, "\033[%zuA", up);
        sw_buf_adds(out, "\r");
}

void
screen_clear(struct screen *s, sw_buf *out)
{
        go_up(s, out);
        sw_buf_adds(out, "\033[J");
        clear(&s->shown);
}

void
screen_paint(struct screen *s, sw_buf *out)
{
        bool whole = !same_size(s);
        screen_rows was = s->shown;

        if (!nothing_new(s)) {
                sw_buf_adds(out, BEGIN);
                go_up(s, out);
                if (whole)
                        sw_buf_adds(out, "\033[J");
                for (size_t i = 0; i < s->next.n; i++) {
                        if (whole || !same_row(s, i)) {
                                sw_buf_adds(out, s->next.v[i].text);
                                sw_buf_adds(out, "\033[K");
                        }
                        sw_buf_adds(out, "\r\n");
                }
                sw_buf_adds(out, END);
        }
        s->shown = s->next;
        s->next = was;
        clear(&s->next);
        s->shown_width = s->width;
        s->shown_height = s->height;
}

void
screen_paint_last(struct screen *s, sw_buf *out)
{
        screen_paint(s, out);
        clear(&s->shown);
}
