/*
 * cmd/slipway/verb_version.c - `slipway version`: one line, as fast as a process can.
 * Thread: main.
 */
#include <stdio.h>

#include <slipway/plugin.h>

#include "cmd/slipway/cli.h"

static sw_err *
run_version(const struct cli_call *call)
{
        (void) call;
        (void) printf("slipway %s (plugin ABI %d.%d)\n", sw_version(), SW_ABI_MAJOR,
                      SW_ABI_MINOR);
        return SW_OK;
}

CLI_VERB(version) = {
        .name = "version",
        .summary = "print the version of slipway and of its plugin ABI",
        .run = run_version,
};
