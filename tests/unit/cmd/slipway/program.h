/*
 * tests/unit/cmd/slipway/program.h - a small program with every kind of flag, argument and
 * nesting, for the tests of the command line.
 */
#ifndef SLIPWAY_TESTS_PROGRAM_H
#define SLIPWAY_TESTS_PROGRAM_H

#include "cmd/slipway/cli.h"

static sw_err *
run_nothing(const struct cli_call *call)
{
        (void) call;
        return SW_OK;
}

static const struct cli_flag test_flags[] = {
        { .name = "config",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "read FILE" },
        { .name = "debug", .type = CLI_BOOL, .help = "say more" },
        { .name = "help", .letter = 'h', .type = CLI_BOOL, .help = "print help" },
        { .name = NULL },
};

static const struct cli_flag build_flags[] = {
        { .name = "output",
          .letter = 'o',
          .type = CLI_LIST,
          .value = "SPEC",
          .help = "where results go, with a path such as ./it's-here" },
        { .name = "progress",
          .type = CLI_CHOICE,
          .value = "auto|plain",
          .help = "how to show" },
        { .name = "jobs",
          .letter = 'j',
          .type = CLI_STRING,
          .value = "N",
          .help = "how many" },
        { .name = "quiet", .letter = 'q', .type = CLI_BOOL, .help = "say nothing" },
        { .name = NULL },
};
static const struct cli_arg build_args[] = {
        { .name = "DIR", .min = 1, .max = 1, .complete = CLI_DIRS, .help = "the context" },
        { .name = "EXTRA", .min = 0, .max = 2, .help = "up to two more" },
        { .name = NULL },
};
static const struct cli_verb build_verb = {
        .name = "build",
        .summary = "build things",
        .details = "First paragraph, quite long so that it has to be broken somewhere when "
                   "it is shown.\n\n    literal \\line -x\n      .deeper\n\nLast one.\n",
        .flags = build_flags,
        .args = build_args,
        .run = run_nothing,
};

static const struct cli_flag list_flags[] = {
        { .name = "json", .type = CLI_BOOL, .help = "print JSON" },
        { .name = NULL },
};
static const struct cli_verb list_verb = {
        .name = "list",
        .summary = "list things",
        .flags = list_flags,
        .run = run_nothing,
};
static const struct cli_arg many_args[] = {
        { .name = "NAME", .min = 1, .max = CLI_MANY, .help = "what to show" },
        { .name = NULL },
};
static const struct cli_verb list_show_verb = {
        .name = "list show",
        .summary = "show one thing",
        .args = many_args,
        .run = run_nothing,
};
static const struct cli_verb group_verb = { .name = "store", .summary = "group of verbs" };
static const struct cli_verb prune_verb = {
        .name = "store prune",
        .summary = "remove what nobody needs",
        .run = run_nothing,
};
static const struct cli_verb secret_verb = {
        .name = "secret",
        .summary = "not shown",
        .run = run_nothing,
        .hidden = true,
};

static const struct cli_verb *const test_verbs[] = {
        &build_verb, &list_verb, &list_show_verb, &secret_verb, &group_verb, &prune_verb,
};

static const struct cli_env test_env[] = {
        { "TEST_CONFIG", "the file" },
        { NULL, NULL },
};

static const struct cli_program test_program = {
        .name = "prog",
        .summary = "a program",
        .details = "Its details.\n",
        .flags = test_flags,
        .env = test_env,
        .verbs = test_verbs,
        .n_verbs = SW_COUNT(test_verbs),
};

#endif
