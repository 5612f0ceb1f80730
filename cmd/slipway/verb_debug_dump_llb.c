/*
 * cmd/slipway/verb_debug_dump_llb.c - print a definition.
 *
 * Thread: main.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/definition.h>

#include "cmd/slipway/program.h"

static sw_err *
read_definition(const char *file, sw_buf *in)
{
        if (strcmp(file, "-") == 0)
                return sw_buf_read_fd(in, STDIN_FILENO, SW_DEFINITION_MAX_BYTES,
                                      "standard input");
        return sw_buf_read_file(in, AT_FDCWD, file, SW_DEFINITION_MAX_BYTES);
}

static sw_err *
run_dump_llb(const struct cli_call *call)
{
        const char *file = cli_argument(call, 0);
        bool dot = cli_bool(call, "dot"), tree = cli_bool(call, "tree");
        sw_auto(sw_buf) in = SW_BUF_INIT, out = SW_BUF_INIT;
        sw_err *err;

        if (dot && tree)
                return sw_err_new(SW_E_USAGE, "--dot and --tree do not go together");
        err = read_definition(file ? file : "-", &in);
        if (err)
                return err;
        err = sw_llb_dump(in.data, in.len,
                          dot    ? SW_LLB_DUMP_DOT
                          : tree ? SW_LLB_DUMP_TREE
                                 : SW_LLB_DUMP_JSON,
                          &out);
        if (err)
                return sw_err_wrap(err, "%s", file ? file : "standard input");
        return out_text(&out);
}

static const struct cli_flag dump_llb_flags[] = {
        { .name = "dot", .type = CLI_BOOL, .help = "write a graph for graphviz" },
        { .name = "tree", .type = CLI_BOOL, .help = "draw what comes from what" },
        { .name = NULL },
};

static const struct cli_arg dump_llb_args[] = {
        { .name = "FILE",
          .min = 0,
          .max = 1,
          .complete = CLI_FILES,
          .help = "the definition; - or nothing for standard input" },
        { .name = NULL },
};

CLI_VERB(debug_dump_llb) = {
        .name = "debug dump-llb",
        .summary = "print a build definition",
        .details =
                "Prints one operation per line, as JSON with its digest and metadata, in "
                "the order of the definition. The definition need not be valid: what is "
                "wrong with it is told by building it.",
        .flags = dump_llb_flags,
        .args = dump_llb_args,
        .run = run_dump_llb,
};

CLI_VERB(debug) = {
        .name = "debug",
        .summary = "look at what builds are made of",
};
