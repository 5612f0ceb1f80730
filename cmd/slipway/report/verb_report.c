/*
 * cmd/slipway/report/verb_report.c - `slipway report`: a build as a page.
 * Thread: main.
 */
#include <unistd.h>

#include "cmd/slipway/report/report.h"

static sw_err *
run_report(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) found = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        report r = { .b = NULL };
        sw_err *err;

        if (isatty(STDOUT_FILENO))
                return sw_err_new(SW_E_USAGE,
                                  "the page is not written to a terminal: "
                                  "slipway report %s > report.html",
                                  cli_argument(call, 0));
        err = past_open(&p, call, true);
        if (!err)
                err = past_find(&p, cli_argument(call, 0), &found);
        if (err)
                return err;
        err = report_make(&p, &found.v[0], &r);
        if (!err)
                report_page(&r, &p.store, &out);
        report_release(&r);
        return err ? err : out_text(&out);
}

static const struct cli_arg args[] = {
        PAST_ARG(1),
        { .name = NULL },
};

CLI_VERB(report) = {
        .name = "report",
        .summary = "write a page about a build",
        .details =
                "Writes one HTML page to standard output that says why the build failed, "
                "where its time went and why steps were not found in the cache, and shows "
                "its steps over time, its graph, logs, warnings and the sizes of layers:\n"
                "\n"
                "    slipway report latest > report.html\n"
                "\n"
                "The page stands alone: it loads nothing, and may be sent to others. "
                "Everything but zoom and search works without scripts. Logs and options "
                "are "
                "in it as they are; passwords in URLs and options that are named like a "
                "secret are not.\n",
        .args = args,
        .run = run_report,
};
