/*
 * cmd/slipway/build/opts.h - what a frontend is told: flags of the command line as options
 * by the names BuildKit gave them.
 *
 * Of two values for one option the later one counts, --opt after the flags. The environment
 * says what they do not. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_OPTS_H
#define SLIPWAY_CMD_BUILD_OPTS_H

#include <slipway/exporter.h>

#include "cmd/slipway/cli.h"

typedef struct opts {
        SW_ARRAY(struct sw_attr) all; /* strings from malloc */
} opts;

/** opts_set - @value: copied, as @key is; it replaces what was said of @key before. */
void opts_set(opts *o, const char *key, const char *value);
/** opts_get - borrowed; NULL: nothing was said. */
const char *opts_get(const opts *o, const char *key);
/** opts_add_word - add @value to a list with commas between. */
void opts_add_word(opts *o, const char *key, const char *value);
/** opts_take - all flags that are about options. @env: "NAME=VALUE", NULL-ended. Errors:
 *  SW_E_USAGE. */
SW_NODISCARD sw_err *opts_take(opts *o, const struct cli_call *call,
                               const char *const *env);
/** opts_given - a flag that only a frontend can make something of; NULL: none was given. */
const char *opts_given(const struct cli_call *call);
void opts_release(opts *o);
SW_DEFINE_AUTO(opts, opts_release)

#endif
