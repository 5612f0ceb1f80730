/*
 * lib/dockerfile/table.h - columns of text for people, each as wide as its widest cell.
 * Private. {0} with columns and gap set is an empty table.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_TABLE_H
#define SLIPWAY_LIB_DOCKERFILE_TABLE_H

#include <slipway/array.h>
#include <slipway/buf.h>

enum { SW_DF_TABLE_COLUMNS = 3 };

struct sw_df_table {
        size_t columns; /* at most SW_DF_TABLE_COLUMNS */
        size_t gap;     /* blanks between columns */
        sw_strlist cells;
};

/** sw_df_table_row - a row; NULL is an empty cell, cells beyond the columns are left out.
 *  What could steer a terminal is escaped. */
void sw_df_table_row(struct sw_df_table *t, const char *a, const char *b, const char *c);
/** sw_df_table_end - append it all; the table is empty again. */
void sw_df_table_end(struct sw_df_table *t, sw_buf *out);

#endif
