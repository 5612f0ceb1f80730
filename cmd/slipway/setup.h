/*
 * cmd/slipway/setup.h - from the flags of the program to a configuration and a log. Verbs
 * that need neither do not pay for them. See plugins.h for plugins. Thread: main.
 */
#ifndef SLIPWAY_CMD_SETUP_H
#define SLIPWAY_CMD_SETUP_H

#include <slipway/config.h>
#include <slipway/log.h>

#include "cmd/slipway/cli.h"

/**
 * setup_config - defaults, file, environment and flags, in this order.
 * The file: --config, else SLIPWAY_CONFIG, else the default place, where none is fine.
 * Unknown variables are warned of. Errors: SW_E_CONFIG.
 */
SW_NODISCARD sw_err *setup_config(const struct cli_call *call, sw_config **out);
/** setup_config_file - the file as chosen above, whether or not it is there; from malloc.
 *  NULL: none is named and the user has no home directory. */
char *setup_config_file(const struct cli_call *call);
/** setup_load_file - sw_config_load(); every failing is SW_E_CONFIG, so that the exit
 *  status is that of wrong configuration. */
SW_NODISCARD sw_err *setup_load_file(sw_config *config, const char *path, bool required);

/** setup_warn_environment - say on stderr which variables are unknown (environ.h). */
void setup_warn_environment(const struct cli_call *call);

/** setup_log - a log on stderr as the configuration wants it. */
SW_NODISCARD sw_err *setup_log(const sw_config *config, sw_log **out);

#endif
