/*
 * cmd/slipway/environ.h - variables of the environment that mean nothing to slipway.
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_ENVIRON_H
#define SLIPWAY_CMD_ENVIRON_H

#include "cmd/slipway/cli.h"

/** environ_add_unknown - a line of warning, harmless for a terminal, for each variable in
 *  @env that is named as those of the program are and is none of them, with the nearest
 *  one. What is set to nothing counts as unset. @env: ends with NULL. */
void environ_add_unknown(sw_buf *out, const struct cli_program *p, const char *const *env);

#endif
