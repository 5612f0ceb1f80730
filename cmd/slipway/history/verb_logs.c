/*
 * cmd/slipway/history/verb_logs.c - `slipway history logs` and `explain`: the story of a
 * build, told again.
 * Thread: main.
 */
#include <unistd.h>

#include "cmd/slipway/build/report.h"
#include "cmd/slipway/history/past.h"
#include "cmd/slipway/program.h"

static void
show(void *arg, const struct sw_progress_batch *b)
{
        progress_take(arg, b);
}

static sw_err *
run_logs(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) found = { 0 };
        const char *mode = cli_str(call, "progress");
        progress *shown = NULL;
        sw_err *err = past_open(&p, call, true);

        if (!err)
                err = past_find(&p, cli_argument(call, 0), &found);
        if (!err)
                err = progress_open_on(STDOUT_FILENO, mode && *mode ? mode : "plain",
                                       &shown);
        if (!err)
                err = past_replay(&p, found.v[0].id, show, shown);
        if (!err) {
                progress_end(shown);
                err = progress_error(shown);
        }
        progress_close(shown);
        return err;
}

static void
take(void *arg, const struct sw_progress_batch *b)
{
        model_take(arg, b);
}

static sw_err *
run_explain(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) found = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        model m;
        sw_err *err = past_open(&p, call, true);

        if (!err)
                err = past_find(&p, cli_argument(call, 0), &found);
        if (err)
                return err;
        model_init(&m, false);
        err = past_replay(&p, found.v[0].id, take, &m);
        if (!err)
                report_add_explain(&out, &m);
        model_release(&m);
        return err ? err : out_text(&out);
}

static const struct cli_flag logs_flags[] = {
        { .name = "progress",
          .type = CLI_CHOICE,
          .value = "plain|tty|rawjson",
          .help = "how to show it" },
        { .name = NULL },
};

static const struct cli_arg args[] = {
        PAST_ARG(1),
        { .name = NULL },
};

CLI_VERB(history_logs) = {
        .name = "history logs",
        .summary = "show the progress of a build again",
        .details =
                "Prints what slipway build showed, to standard output; of a build that "
                "runs, what it showed so far. Of each step's output the beginning and the "
                "end are kept: slipway history inspect names the file that has all that a "
                "failed step printed.\n",
        .flags = logs_flags,
        .args = args,
        .run = run_logs,
};

CLI_VERB(history_explain) = {
        .name = "history explain",
        .summary = "tell of each step of a build why it ran, or that it was cached",
        .details = "The same as slipway build --explain, to standard output.\n",
        .args = args,
        .run = run_explain,
};
