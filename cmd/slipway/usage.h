/*
 * cmd/slipway/usage.h - records of disk usage on paper: what `slipway du` and
 * `slipway prune` share. Thread: main.
 */
#ifndef SLIPWAY_CMD_USAGE_H
#define SLIPWAY_CMD_USAGE_H

#include "cmd/slipway/plugins.h"
#include "cmd/slipway/template.h"
#include "core/store/refs.h"

/* A root and what it borrows, released together. */
typedef struct store {
        plugins plugins;
        sw_root *root; /* NULL: there is none yet */
} store;
#define STORE_INIT                                                                         \
        {                                                                                  \
                PLUGINS_INIT, NULL                                                         \
        }

/** store_open - the root that the configuration names. One that is not there stays so.
 *  @read_only: for looking. */
SW_NODISCARD sw_err *store_open(store *s, const struct cli_call *call, bool read_only);
void store_release(store *s);
SW_DEFINE_AUTO(store, store_release)

/** usage_filter - of the flag --filter. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *usage_filter(const struct cli_call *call, sw_filter **out);
/** usage_json - the record as {{json .}} shows it. */
sw_json *usage_json(const struct sw_usage *u);
extern const struct template_field usage_fields[];

/* Lines in columns that tabs fill up, as the reference prints them. */
typedef struct tabs {
        sw_strlist cells;      /* in rows */
        SW_ARRAY(size_t) rows; /* cells in each */
} tabs;
/** tabs_add - a row; the last cell is not filled up. NULL ends it. */
void tabs_add(tabs *t, ...) __attribute__((sentinel));
/** tabs_print - append all rows, and forget them. */
void tabs_print(tabs *t, sw_buf *out);
void tabs_release(tabs *t);
SW_DEFINE_AUTO(tabs, tabs_release)

void usage_add_head(tabs *t);
void usage_add_row(tabs *t, const struct sw_usage *u);
/** usage_add_verbose - all that is known, one line each, and an empty line. */
void usage_add_verbose(sw_buf *out, const struct sw_usage *u);

#endif
