/*
 * cmd/slipway/verb_version.c - `slipway version`: one line, as fast as a process can.
 * Thread: main.
 */
#include <slipway/plugin.h>

#include "cmd/slipway/program.h"

static sw_err *
run_version(const struct cli_call *call)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        (void) call;
        sw_buf_addf(&out, "slipway %s (plugin ABI %d.%d)\n", sw_version(), SW_ABI_MAJOR,
                    SW_ABI_MINOR);
        return out_text(&out);
}

CLI_VERB(version) = {
        .name = "version",
        .summary = "print the version of slipway and of its plugin ABI",
        .run = run_version,
};
