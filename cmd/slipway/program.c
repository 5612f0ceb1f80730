/*
 * cmd/slipway/program.c - see program.h. Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/slipway/program.h"

static const struct cli_flag program_flags[] = {
        { .name = "config",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "read the configuration from FILE" },
        { .name = "root",
          .type = CLI_STRING,
          .complete = CLI_DIRS,
          .value = "DIR",
          .help = "keep content, snapshots and metadata below DIR" },
        { .name = "plugin-dir",
          .type = CLI_LIST,
          .complete = CLI_DIRS,
          .value = "DIR",
          .help = "search DIR for plugins before every other place" },
        { .name = "debug",
          .type = CLI_BOOL,
          .help = "log everything, and show where in the program an error came up" },
        { .name = "log-level",
          .type = CLI_CHOICE,
          .value = "error|warn|info|debug|trace",
          .help = "log this and what is more severe" },
        { .name = "log-format",
          .type = CLI_CHOICE,
          .value = "text|json",
          .help = "write the log in this form" },
        { .name = "help", .letter = 'h', .type = CLI_BOOL, .help = "print help and end" },
        { .name = "version", .type = CLI_BOOL, .help = "print the version and end" },
        { .name = NULL },
};

static const struct cli_env program_env[] = {
        { "SLIPWAY_CONFIG", "the configuration file, where --config does not name one" },
        { "SLIPWAY_PLUGIN_PATH",
          "directories with plugins, apart by colons, searched after "
          "those of --plugin-dir" },
        { "SLIPWAY_ROOT", "where content, snapshots and metadata are kept, unless --root "
                          "says so" },
        { "NO_COLOR", "when set and not empty, nothing is coloured" },
        { "COLUMNS", "the width that tables on a terminal are made for" },
        { NULL, NULL },
};

void
program_init(struct cli_program *p)
{
        *p = (struct cli_program){
                .name = "slipway",
                .summary = "build container images and other artefacts from source",
                .details =
                        "A toolkit of modules: every source, executor, snapshotter, "
                        "frontend, exporter and cache is a plugin that is loaded when it "
                        "is needed. Flags may stand before and after the command; after "
                        "\"--\" every word is an argument.\n",
                .flags = program_flags,
                .env = program_env,
        };
        cli_linked_verbs(&p->verbs, &p->n_verbs);
}

void
program_release(struct cli_program *p)
{
        free((void *) p->verbs);
        p->verbs = NULL;
        p->n_verbs = 0;
}

/* ---- output ---- */

void
out_text(const sw_buf *b)
{
        (void) fwrite(b->data, 1, b->len, stdout); /* main() looks at ferror() */
}

void
out_json(sw_json *doc)
{
        (void) json_dumpf(doc, stdout, JSON_INDENT(2));
        (void) fputc('\n', stdout);
        json_decref(doc);
}

sw_json *
json_text(const char *s)
{
        sw_json *j = json_string(s);

        if (j)
                return j;
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_json_add_str(&b, s, strlen(s));
        return json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
}
