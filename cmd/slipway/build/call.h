/*
 * cmd/slipway/build/call.h - --check and --call: a question to the frontend instead of a
 * build. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_CALL_H
#define SLIPWAY_CMD_BUILD_CALL_H

#include <slipway/engine.h>

#include "cmd/slipway/build/opts.h"

typedef struct call {
        bool asked; /* nothing is built */
        bool lint, json;
} call;

/** call_take - the question becomes an option. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *call_take(call *c, const struct cli_call *cli, opts *o);
/** call_print - the answer, on standard output. Errors: SW_E_IO; SW_E_INVALID: a check
 *  found something. */
SW_NODISCARD sw_err *call_print(const call *c, const sw_build *b);

#endif
