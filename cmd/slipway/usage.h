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

/* How records are chosen and printed. */
typedef struct usage_look {
        sw_filter *filter; /* NULL: all */
        template *format;  /* NULL: none */
        bool verbose;
} usage_look;
/* The flags for it; --format is each verb's own, as what it prints differs. */
#define USAGE_LOOK_FLAGS                                                                   \
        { .name = "filter",                                                                \
          .letter = 'f',                                                                   \
          .type = CLI_LIST,                                                                \
          .value = "FILTER",                                                               \
          .help = "only records that match; several filters are alternatives" },           \
        {                                                                                  \
                .name = "verbose", .letter = 'v', .type = CLI_BOOL,                        \
                .help = "print all that is known of each record"                           \
        }
/** usage_look_read - from the command line, into a zeroed @out. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *usage_look_read(const struct cli_call *call, usage_look *out);
void usage_look_release(usage_look *l);
SW_DEFINE_AUTO(usage_look, usage_look_release)

/** usage_json - the record as {{json .}} shows it. */
sw_json *usage_json(const struct sw_usage *u);

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
