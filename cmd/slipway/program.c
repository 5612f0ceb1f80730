/*
 * cmd/slipway/program.c - see program.h. Thread: main.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <slipway/io.h>

#include "cmd/slipway/program.h"
#include "core/config/schema.h"

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
        { "SLIPWAY_SUMMARY", "when it is off, builds end without a summary" },
        { "NO_COLOR", "when set and not empty, nothing is coloured" },
        { "COLUMNS", "the width that tables on a terminal are made for" },
};

/* Those above and those of the table of configuration keys; from malloc. */
static struct cli_env *
all_env(void)
{
        size_t n_keys = 0, n = 0;
        const struct sw__config_key *keys = sw__config_schema(&n_keys);
        struct cli_env *all =
                sw_alloc_array(SW_COUNT(program_env) + n_keys + 1, sizeof(*all));

        for (size_t i = 0; i < SW_COUNT(program_env); i++)
                all[n++] = program_env[i];
        for (size_t i = 0; i < n_keys; i++)
                if (keys[i].env)
                        all[n++] = (struct cli_env){ keys[i].env, keys[i].help };
        return all;
}

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
                .env = all_env(),
        };
        cli_linked_verbs(&p->verbs, &p->n_verbs);
}

void
program_release(struct cli_program *p)
{
        free((void *) p->verbs);
        free((void *) p->env);
        p->verbs = NULL;
        p->n_verbs = 0;
}

/* ---- output ---- */

sw_err *
out_text(const sw_buf *b)
{
        int err = sw_write_all(STDOUT_FILENO, b->data, b->len);

        return err ? sw_err_sys(SW_E_IO, err, "write to standard output") : SW_OK;
}

static int
add_piece(const char *piece, size_t len, void *buf)
{
        sw_buf_add(buf, piece, len);
        return 0;
}

sw_err *
out_json(sw_json *doc)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        int failed = json_dump_callback(doc, add_piece, &b, JSON_INDENT(2));

        json_decref(doc);
        if (failed)
                return sw_err_new(SW_E_INTERNAL, "the result cannot be written as JSON");
        sw_buf_addc(&b, '\n');
        return out_text(&b);
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
