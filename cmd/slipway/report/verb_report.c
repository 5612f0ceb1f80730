/*
 * cmd/slipway/report/verb_report.c - `slipway report`: a build as a page.
 * Thread: main.
 */
#include <unistd.h>

#include "cmd/slipway/report/report.h"

/* Without its story the record alone is worth a page. */
static sw_err *
open_story(past *p, const char *id, sw_history_story **out)
{
        sw_err *err = sw_history_story_open(p->history, id, out);

        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "told in the page");
        return SW_OK;
}

static sw_err *
write_page(past *p, const struct sw_history_build *b)
{
        sw_autoptr(sw_history_story) story = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        report r;
        sw_err *err = open_story(p, b->id, &story);

        if (err)
                return err;
        report_make(story, b, &r);
        report_page(&r, &p->store, &out);
        report_release(&r);
        return out_text(&out);
}

static sw_err *
run_report(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) found = { 0 };
        sw_err *err;

        if (isatty(STDOUT_FILENO))
                return sw_err_new(SW_E_USAGE,
                                  "the page is not written to a terminal: slipway report "
                                  "%s > report.html",
                                  cli_argument(call, 0));
        err = past_open(&p, call, true);
        if (!err)
                err = past_find(&p, cli_argument(call, 0), &found);
        return err ? err : write_page(&p, &found.v[0]);
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
