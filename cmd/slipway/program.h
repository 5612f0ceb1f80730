/*
 * cmd/slipway/program.h - what the verbs of slipway share: the program's own table and
 * ways to write results. Thread: main.
 */
#ifndef SLIPWAY_CMD_PROGRAM_H
#define SLIPWAY_CMD_PROGRAM_H

#include <slipway/json.h>

#include "cmd/slipway/cli.h"

/** program_init - the table of slipway with every verb linked in. */
void program_init(struct cli_program *p);
void program_release(struct cli_program *p);

/** out_text - write text that is harmless already to stdout, whole. Errors: SW_E_IO. */
SW_NODISCARD sw_err *out_text(const sw_buf *b);
/** out_json - the same for one document, ending with a newline; @doc is given. */
SW_NODISCARD sw_err *out_json(sw_json *doc);
/** json_text - a JSON string of @s, with bytes that are not UTF-8 replaced. */
sw_json *json_text(const char *s);

#endif
