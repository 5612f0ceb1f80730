/*
 * cmd/slipway/client.h - what the user of a command line offers to what it runs: flags to a
 * local session. Thread: main.
 */
#ifndef SLIPWAY_CMD_CLIENT_H
#define SLIPWAY_CMD_CLIENT_H

#include <slipway/localsession.h>

#include "cmd/slipway/cli.h"

/** client_add - call @add with each value of @flag. Errors: SW_E_USAGE, naming both. */
SW_NODISCARD sw_err *client_add(sw_local_session *client, const struct cli_call *call,
                                const char *flag,
                                sw_err *(*add)(sw_local_session *, const char *) );

#endif
