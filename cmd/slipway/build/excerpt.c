/*
 * cmd/slipway/build/excerpt.c - see excerpt.h. Thread: any.
 */
#include <string.h>

#include <slipway/array.h>

#include "cmd/slipway/build/excerpt.h"
#include "cmd/slipway/progress/width.h"
#include "cmd/slipway/term.h"

#define RULE "--------------------\n"

enum { AROUND = 2, AROUND_ONE = 4, MARGIN = 11, LINES_MAX = 1000000 };

/* The lines of a text: begin of each, and one past the end of the last. */
typedef SW_ARRAY(const char *) lines;

/* What is after the last newline is a line, too, even when it is empty. */
static void
split(const struct excerpt *x, lines *out)
{
        const char *p = x->data, *end = p + x->len;

        while (out->n < LINES_MAX) {
                const char *nl = p < end ? memchr(p, '\n', (size_t) (end - p)) : NULL;

                sw_array_push(out, p);
                if (!nl)
                        break;
                p = nl + 1;
        }
        sw_array_push(out, end);
}

static int64_t
last_of(const struct sw_llb_range *r)
{
        return r->end_line < r->start_line ? r->start_line : r->end_line;
}

static bool
is_marked(const struct excerpt *x, int64_t line)
{
        for (size_t i = 0; i < x->n_ranges; i++)
                if (line >= x->ranges[i].start_line && line <= last_of(&x->ranges[i]))
                        return true;
        return false;
}

/* What is to be shown: the lines in question, grown up and down in turn. Each turn counts,
 * so that at an end of the text less is shown. */
static bool
choose(const struct excerpt *x, int64_t n, int64_t *from, int64_t *to)
{
        int64_t first = INT32_MAX, last = 0;
        int around;

        for (size_t i = 0; i < x->n_ranges; i++) {
                if (x->ranges[i].start_line < first)
                        first = x->ranges[i].start_line;
                if (last_of(&x->ranges[i]) > last)
                        last = last_of(&x->ranges[i]);
        }
        if (first < 1 || first > n)
                return false;
        *from = first;
        *to = last > n ? n : last;
        around = *from == *to ? AROUND_ONE : AROUND;
        for (int p = 0; p < around; p++) {
                if (*from > 1) {
                        (*from)--;
                        p++;
                }
                if (*to < n) {
                        (*to)++;
                        p++;
                }
        }
        return true;
}

/* Tabs stay: what is below a line has them at the same places. */
static void
add_piece(sw_buf *b, const char *s, size_t n)
{
        while (n > 0) {
                const char *tab = memchr(s, '\t', n);
                size_t len = tab ? (size_t) (tab - s) : n;
                sw_auto(sw_str) piece = sw_strndup(s, len);

                term_add_text(b, piece);
                if (tab)
                        sw_buf_addc(b, '\t');
                s += len + (tab != NULL);
                n -= len + (tab != NULL);
        }
}

/* As many columns of @c as the @n bytes at @s take on a terminal; tabs stay. */
static void
add_columns(sw_buf *b, const char *s, size_t n, char c)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        add_piece(&text, s, n);
        for (char *p = text.data; *p;) {
                size_t len = strcspn(p, "\t");
                sw_auto(sw_str) piece = sw_strndup(p, len);

                for (size_t i = width_of(piece); i > 0; i--)
                        sw_buf_addc(b, c);
                p += len;
                if (*p == '\t') {
                        sw_buf_addc(b, '\t');
                        p++;
                }
        }
}

static void
add_caret(sw_buf *b, const struct excerpt *x, const char *line, size_t n)
{
        size_t first = (size_t) x->first_char - 1, end = (size_t) x->end_char - 1;
        sw_auto(sw_buf) marks = SW_BUF_INIT;

        if (x->first_char < 1 || first >= n)
                return;
        if (x->end_char <= x->first_char)
                end = first + 1;
        if (end > n)
                end = n;
        add_columns(&marks, line, first, ' ');
        add_columns(&marks, line + first, end - first, '^');
        if (x->width && MARGIN + width_of(marks.data) > x->width)
                return;
        sw_buf_addf(b, "     |     %s%s%s\n", x->colour ? x->colour : "", marks.data,
                    x->colour ? "\033[0m" : "");
}

static void
add_line(sw_buf *b, const struct excerpt *x, const lines *all, int64_t i, bool caret)
{
        const char *line = all->v[i - 1];
        size_t n = (size_t) (all->v[i] - line);

        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
                n--;
        sw_buf_addf(b, " %3lld | %s ", (long long) i, is_marked(x, i) ? ">>>" : "   ");
        add_piece(b, line, n);
        sw_buf_addc(b, '\n');
        if (caret)
                add_caret(b, x, line, n);
}

void
excerpt_add(sw_buf *b, const struct excerpt *x)
{
        lines all = { 0 };
        int64_t from, to, first;

        split(x, &all);
        if (choose(x, (int64_t) all.n - 1, &from, &to)) {
                for (first = from; first < to && !is_marked(x, first); first++)
                        ;
                term_add_text(b, x->file);
                sw_buf_addf(b, ":%lld\n" RULE, (long long) first);
                for (int64_t i = from; i <= to; i++)
                        add_line(b, x, &all, i, i == first);
                sw_buf_adds(b, RULE);
        }
        sw_array_release(&all);
}
