/*
 * cmd/slipway/verb_debug_solve_trace.c - print a recorded trace of the solver.
 *
 * The file is from outside: core/solver/trace_text.c trusts nothing in it.
 * Thread: main.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/slipway/program.h"
#include "core/base/input.h"
#include "core/solver/trace.h"

static sw_err *
put(void *arg, const char *text, size_t n)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        (void) arg;
        sw_buf_add(&b, text, n);
        return out_text(&b);
}

static sw_err *
run_solve_trace(const struct cli_call *call)
{
        const char *file = cli_argument(call, 0);

        if (!file || strcmp(file, "-") == 0)
                return sw__trace_replay(STDIN_FILENO, "standard input", put, NULL);

        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw__open_input(AT_FDCWD, file, &fd);
        if (err)
                return err;
        return sw__trace_replay(fd, file, put, NULL);
}

static const struct cli_arg solve_trace_args[] = {
        { .name = "FILE",
          .min = 0,
          .max = 1,
          .complete = CLI_FILES,
          .help = "the trace; - or nothing for standard input" },
        { .name = NULL },
};

CLI_VERB(debug_solve_trace) = {
        .name = "debug solve-trace",
        .summary = "print a recorded trace of the solver",
        .details =
                "Replays the events of a solver as text, one a line: time since the first, "
                "the vertex by its number, and what it did. A line like `v12.0: keys "
                "--inputs--> hit` is a step of output 0 of vertex 12; lines with `run` are "
                "about its operation. The digest of a vertex begins the line in which it "
                "is "
                "made.",
        .args = solve_trace_args,
        .run = run_solve_trace,
};
