/*
 * cmd/slipway/verb_help.c - `slipway help [COMMAND]`: the same as --help after it.
 * Thread: main.
 */
#include <unistd.h>

#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

/* Parse the words as a command line of their own, with --help in front. */
static sw_err *
run_help(const struct cli_call *call)
{
        struct cli_call asked = CLI_CALL_INIT;
        SW_ARRAY(const char *) words = { 0 };

        sw_array_push(&words, call->program->name);
        for (size_t i = 0; i < call->args.n; i++)
                sw_array_push(&words, call->args.v[i]);
        sw_err *err = cli_parse(call->program, (int) words.n, words.v, &asked);
        if (!err && asked.args.n > 0)
                err = sw_err_new(SW_E_USAGE, "%s has no command of that name",
                                 asked.verb->name);
        if (!err) {
                sw_auto(sw_buf) help = SW_BUF_INIT;
                size_t width = term_width(STDOUT_FILENO);
                cli_add_help(&help, call->program, asked.verb,
                             width == 0 || width > 100 ? 80 : width);
                err = out_text(&help);
        }
        sw_array_release(&words);
        cli_call_release(&asked);
        return err;
}

static const struct cli_arg help_args[] = {
        { .name = "COMMAND",
          .min = 0,
          .max = CLI_MANY,
          .complete = CLI_VERBS,
          .help = "the command to explain, such as: plugins show" },
        { .name = NULL },
};

CLI_VERB(help) = {
        .name = "help",
        .summary = "explain a command",
        .args = help_args,
        .run = run_help,
};
