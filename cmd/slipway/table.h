/*
 * cmd/slipway/table.h - tables on a terminal or in a pipe.
 *
 *      sw_auto(table) t = TABLE_INIT(heads);            heads: "KIND", "NAME", NULL
 *      table_add(&t, "exporter"); table_add(&t, "image");
 *      table_note(&t, "reason, on lines of its own below the row");
 *      table_print(&t, &out, term_width(1), term_colour(1));
 *
 * Cells and notes may hold anything: they pass term_add_text(). Columns are as wide as
 * their widest cell; on a terminal the last one is made to fit, and a cell wider than two
 * fifths of it sends the rest of its row to the next line. Thread: main.
 */
#ifndef SLIPWAY_CMD_TABLE_H
#define SLIPWAY_CMD_TABLE_H

#include <slipway/array.h>
#include <slipway/buf.h>

enum table_style { TABLE_PLAIN, TABLE_GOOD, TABLE_WARN, TABLE_BAD };

struct table_cell {
        char *text; /* harmless */
        enum table_style style;
};

typedef struct table {
        const char *const *heads; /* NULL-ended; borrowed */
        bool no_heads;            /* do not print them */
        bool wrap;                /* last column: broken at spaces, not cut on the left */
        SW_ARRAY(struct table_cell) cells;
        SW_ARRAY(char *) notes; /* one per row begun; NULL: none */
} table;
#define TABLE_INIT(HEADS)                                                                  \
        {                                                                                  \
                .heads = (HEADS)                                                           \
        }

/** table_add, table_add_styled - the next cell; a row is full after as many as heads. */
void table_add(struct table *t, const char *text);
void table_add_styled(struct table *t, const char *text, enum table_style style);
/** table_note - indented lines below the row that the last cell is in. */
void table_note(struct table *t, const char *text);
/** table_print - @width 0: nothing is cut or broken. */
void table_print(const struct table *t, sw_buf *out, size_t width, bool colour);
void table_release(struct table *t);

SW_DEFINE_AUTO(table, table_release)
#endif
