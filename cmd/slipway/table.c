/*
 * cmd/slipway/table.c - see table.h. Thread: main.
 */
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

#define GAP         2 /* spaces between columns */
#define NOTE_INDENT 4
#define LAST_MIN    12 /* a last column narrower than this is not worth cutting to */

static char *
harmless(const char *text)
{
        sw_buf b = SW_BUF_INIT;

        term_add_text(&b, text);
        return sw_buf_detach(&b);
}

static size_t
n_columns(const struct table *t)
{
        size_t n = 0;

        while (t->heads[n])
                n++;
        return n;
}

void
table_add_styled(struct table *t, const char *text, enum table_style style)
{
        if (t->cells.n % n_columns(t) == 0)
                sw_array_push(&t->notes, NULL);
        struct table_cell cell = { harmless(text), style };
        sw_array_push(&t->cells, cell);
}

void
table_add(struct table *t, const char *text)
{
        table_add_styled(t, text, TABLE_PLAIN);
}

void
table_note(struct table *t, const char *text)
{
        char **note = &t->notes.v[t->notes.n - 1];

        free(*note);
        *note = harmless(text);
}

void
table_release(struct table *t)
{
        for (size_t i = 0; i < t->cells.n; i++)
                free(t->cells.v[i].text);
        for (size_t i = 0; i < t->notes.n; i++)
                free(t->notes.v[i]);
        sw_array_release(&t->cells);
        sw_array_release(&t->notes);
}

/* Cells wider than @cap do not count: they stand on a line of their own. */
static size_t
column_width(const struct table *t, size_t col, size_t cols, size_t cap)
{
        size_t width = t->no_heads ? 0 : term_len(t->heads[col]);

        for (size_t i = col; i < t->cells.n; i += cols) {
                size_t n = term_len(t->cells.v[i].text);
                if (n > width && n <= cap)
                        width = n;
        }
        return width;
}

static void
add_styled(sw_buf *out, const char *text, enum table_style style, bool colour)
{
        static const char *const codes[] = {
                [TABLE_GOOD] = "32", [TABLE_WARN] = "33", [TABLE_BAD] = "31"
        };

        if (colour && codes[style])
                sw_buf_addf(out, "\033[%sm%s\033[0m", codes[style], text);
        else
                sw_buf_adds(out, text);
}

/* @text without its first characters, so that with an ellipsis it takes @room columns. */
static const char *
cut_left(const char *text, size_t room)
{
        size_t drop = term_len(text) - (room - 1);

        while (drop > 0) {
                text++;
                while (((unsigned char) *text & 0xc0) == 0x80)
                        text++;
                drop--;
        }
        return text;
}

/* The last cell of a row; @at: the column it begins at. */
static void
add_last(const struct table *t, sw_buf *out, const struct table_cell *cell, size_t at,
         size_t width, bool colour)
{
        bool fits = width == 0 || at + term_len(cell->text) <= width;
        bool worth = width >= at + LAST_MIN;

        if (t->wrap && !fits && worth) {
                term_add_wrapped(out, cell->text, at, width);
                return;
        }
        if (!t->wrap && !fits && worth) {
                sw_buf_adds(out, "…");
                add_styled(out, cut_left(cell->text, width - at), cell->style, colour);
        } else {
                add_styled(out, cell->text, cell->style, colour);
        }
        sw_buf_addc(out, '\n');
}

static void
add_row(const struct table *t, sw_buf *out, const struct table_cell *cells,
        const size_t *widths, size_t cols, size_t width, bool colour)
{
        size_t at = 0;

        for (size_t c = 0; c + 1 < cols; c++) {
                size_t len = term_len(cells[c].text);
                add_styled(out, cells[c].text, cells[c].style, colour);
                at += widths[c] + GAP;
                if (len > widths[c]) {
                        sw_buf_addc(out, '\n');
                        term_pad(out, at);
                } else {
                        term_pad(out, widths[c] - len + GAP);
                }
        }
        add_last(t, out, &cells[cols - 1], at, width, colour);
}

/* Spaces at the end of the line just written help nobody. */
static void
trim_line(sw_buf *out)
{
        size_t len = out->len - 1;

        while (len > 0 && out->data[len - 1] == ' ')
                len--;
        sw_buf_truncate(out, len);
        sw_buf_addc(out, '\n');
}

static void
add_heads(const struct table *t, sw_buf *out, const size_t *widths, size_t cols)
{
        for (size_t c = 0; c + 1 < cols; c++) {
                sw_buf_adds(out, t->heads[c]);
                term_pad(out, widths[c] - term_len(t->heads[c]) + GAP);
        }
        sw_buf_addf(out, "%s\n", t->heads[cols - 1]);
}

void
table_print(const struct table *t, sw_buf *out, size_t width, bool colour)
{
        size_t cols = n_columns(t), cap = width ? width * 2 / 5 : SIZE_MAX;
        SW_ARRAY(size_t) widths = { 0 };

        for (size_t c = 0; c < cols; c++)
                sw_array_push(&widths, column_width(t, c, cols, cap));
        if (!t->no_heads)
                add_heads(t, out, widths.v, cols);
        for (size_t row = 0; (row + 1) * cols <= t->cells.n; row++) {
                add_row(t, out, &t->cells.v[row * cols], widths.v, cols, width, colour);
                trim_line(out);
                if (t->notes.v[row]) {
                        term_pad(out, NOTE_INDENT);
                        term_add_wrapped(out, t->notes.v[row], NOTE_INDENT, width);
                }
        }
        sw_array_release(&widths);
}
