/*
 * cmd/slipway/build/flags.h - the flags of slipway build: those of buildctl's, and those
 * that people know from docker build. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_FLAGS_H
#define SLIPWAY_CMD_BUILD_FLAGS_H

#include <slipway/host.h>
#include <slipway/log.h>

#include "cmd/slipway/build/opts.h"

extern const struct cli_flag build_flags[];

/** flags_check - flags that exclude each other. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *flags_check(const struct cli_call *call);
/** flags_refuse - what is asked for and cannot be had: caches whose plugin is not there,
 *  attestations. Errors: SW_E_NOT_FOUND naming the plugin and its package,
 *  SW_E_UNSUPPORTED, SW_E_USAGE. */
SW_NODISCARD sw_err *flags_refuse(const struct cli_call *call, sw_host *host);
/** flags_warn - of build arguments that ask clients of BuildKit for something. */
void flags_warn(const opts *o, sw_log *log);

#endif
