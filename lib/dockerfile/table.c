/* lib/dockerfile/table.c - tables, and the lines of a text around a place in it. Pure. */
#include "core/base/utf8.h"
#include "lib/dockerfile/report.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/table.h"

void
sw_df_table_row(struct sw_df_table *t, const char *a, const char *b, const char *c)
{
        const char *const cells[SW_DF_TABLE_COLUMNS] = { a, b, c };

        for (size_t i = 0; i < t->columns && i < SW_DF_TABLE_COLUMNS; i++)
                sw_strlist_take(&t->cells, sw_df_plain(cells[i] ? cells[i] : ""));
}

/* Characters, which is as wide as a table knows them to be. */
static size_t
width(const char *s)
{
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

void
sw_df_table_end(struct sw_df_table *t, sw_buf *out)
{
        size_t widths[SW_DF_TABLE_COLUMNS] = { 0 };

        for (size_t i = 0; i < t->cells.n; i++) {
                size_t w = width(t->cells.v[i]), c = i % t->columns;

                widths[c] = w > widths[c] ? w : widths[c];
        }
        for (size_t i = 0; i < t->cells.n; i++) {
                size_t c = i % t->columns, w = width(t->cells.v[i]);

                sw_buf_adds(out, t->cells.v[i]);
                if (c + 1 == t->columns)
                        sw_buf_addc(out, '\n');
                else
                        sw_buf_addf(out, "%*s", (int) (widths[c] - w + t->gap), "");
        }
        sw_strlist_release(&t->cells);
}

enum {
        EXCERPT_LINE_MAX = 500,
        EXCERPT_LINES_MAX = 100,
        EXCERPT_AROUND = 2,
        EXCERPT_AROUND_ONE = 4
};

static int
count_lines(const struct sw_df_text *text)
{
        int n = 1;

        for (size_t i = 0; i < text->len; i++)
                n += text->data[i] == '\n';
        return n;
}

/* A line as it can be shown: tabs stay, its "\r" goes. */
static void
add_line(struct sw_df_span line, sw_buf *out)
{
        if (line.n && line.s[line.n - 1] == '\r')
                line.n--;
        if (line.n > EXCERPT_LINE_MAX)
                line.n = EXCERPT_LINE_MAX;
        while (line.n) {
                const char *tab = memchr(line.s, '\t', line.n);
                size_t n = tab ? (size_t) (tab - line.s) : line.n;

                sw__buf_add_escaped(out, line.s, n, n, '\0');
                if (tab)
                        sw_buf_addc(out, '\t');
                line.s += n + (tab != NULL);
                line.n -= n + (tab != NULL);
        }
        sw_buf_addc(out, '\n');
}

/* More lines before and after, in turns, as long as there are any. */
static void
widen(struct sw_df_range *r, int lines)
{
        int around = r->first == r->last ? EXCERPT_AROUND_ONE : EXCERPT_AROUND;

        for (int p = 0; p < around; p++) {
                if (r->first > 1) {
                        r->first--;
                        p++;
                }
                if (r->last < lines) {
                        r->last++;
                        p++;
                }
        }
}

void
sw_df_excerpt(const struct sw_df_text *text, struct sw_df_range range, sw_buf *out)
{
        int lines = count_lines(text), n = 0;
        struct sw_df_range shown;
        const char *p = text->data, *end = text->data + text->len;
        sw_auto(sw_str) file = sw_df_plain(text->file);

        if (range.first < 1 || range.first > lines)
                return;
        shown = range;
        shown.last = shown.last < lines ? shown.last : lines;
        widen(&shown, lines);
        if (shown.last - shown.first >= EXCERPT_LINES_MAX)
                shown.last = shown.first + EXCERPT_LINES_MAX - 1;
        sw_buf_addf(out, "%s:%d\n--------------------\n", file, range.first);
        while (p <= end && n < shown.last) {
                const char *stop = memchr(p, '\n', (size_t) (end - p));

                stop = stop ? stop : end;
                n++;
                if (n >= shown.first) {
                        sw_buf_addf(out, " %3d | %s ", n,
                                    n >= range.first && n <= range.last ? ">>>" : "   ");
                        add_line((struct sw_df_span){ p, (size_t) (stop - p) }, out);
                }
                p = stop + 1;
        }
        sw_buf_adds(out, "--------------------\n");
}
