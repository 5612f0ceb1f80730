/*
 * cmd/slipway/cli.h - the command line as tables.
 *
 * A verb is one static table in its own file: name, flags, arguments, help and what to
 * run. The parser, --help, the man pages and bash completion all read that table, so they
 * cannot disagree. Verbs nest by name: "plugins show" lies below "plugins". A file that
 * writes
 *
 *      CLI_VERB(plugins_show) = { .name = "plugins show", .run = run_show, ... };
 *
 * and is linked into the program has added the verb; there is no list to edit.
 *
 * Flags: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, -x=VALUE; switches: --name,
 * --name=false, -x, several in one word (-xy). Flags and arguments may be mixed; after
 * "--" everything is an argument. The program's own flags are known everywhere.
 *
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_CLI_H
#define SLIPWAY_CMD_CLI_H

#include <limits.h>

#include <slipway/array.h>
#include <slipway/buf.h>

enum cli_type {
        CLI_BOOL,   /* a switch: true, false, 1, 0 … after '=' */
        CLI_STRING, /* the last one given counts */
        CLI_LIST,   /* may be given several times */
        CLI_CHOICE, /* one of the words in .value, separated by '|' */
};

/* What completion offers for a value. */
enum cli_complete {
        CLI_NOTHING,
        CLI_FILES,
        CLI_DIRS,
        CLI_PLUGINS, /* KIND/NAME of the plugins that are there */
        CLI_VERBS,   /* words that begin a command */
        CLI_IMAGES,  /* names of images that are kept */
        CLI_BUILDS,  /* ids of builds in the history */
};

struct cli_flag {
        const char *name; /* without dashes; NULL ends the list */
        char letter;      /* short form; 0: none */
        enum cli_type type;
        enum cli_complete complete;
        const char *value; /* placeholder, "FILE"; for CLI_CHOICE "text|json" */
        const char *help;  /* one sentence without its full stop */
};

#define CLI_MANY UINT_MAX

struct cli_arg {
        const char *name; /* placeholder, "FILE"; NULL ends the list */
        unsigned min, max;
        enum cli_complete complete;
        const char *help;
};

struct cli_env {
        const char *name; /* NULL ends the list */
        const char *help;
};

struct cli_call;

struct cli_verb {
        const char *name;    /* "plugins show" */
        const char *summary; /* one line, begins with a small letter, no full stop */
        const char *details; /* paragraphs apart by an empty line; lines that begin with a
                                space are shown as they are; or NULL */
        const struct cli_flag *flags;                /* or NULL */
        const struct cli_arg *args;                  /* or NULL */
        sw_err *(*run)(const struct cli_call *call); /* NULL: only groups other verbs */
        bool hidden; /* not in help, man pages and completion */
};

struct cli_program {
        const char *name;
        const char *summary;
        const char *details;
        const struct cli_flag *flags; /* known to every verb */
        const struct cli_env *env;
        const struct cli_verb *const *verbs;
        size_t n_verbs;
};

/* Register a verb with the program it is linked into: see cli_linked_verbs(). */
#define CLI_VERB(ID)                                                                       \
        static const struct cli_verb cli_verb_##ID;                                        \
        static const struct cli_verb *const cli_verb_entry_##ID                            \
                __attribute__((used, section("sw_cli_verbs"))) = &cli_verb_##ID;           \
        static const struct cli_verb cli_verb_##ID

/** cli_linked_verbs - set verbs and n_verbs to what CLI_VERB registered, sorted by name.
 *  @verbs: an array from malloc, handed to the caller. */
void cli_linked_verbs(const struct cli_verb *const **verbs, size_t *n);

/* One flag as given. */
struct cli_value {
        const struct cli_flag *flag;
        const char *text; /* borrowed from argv; "" for a switch without a value */
        bool on;          /* switches */
};

/* A parsed command line. Strings are borrowed from argv. */
struct cli_call {
        const struct cli_program *program;
        const struct cli_verb *verb; /* NULL: no verb was given */
        SW_ARRAY(struct cli_value) values;
        SW_ARRAY(const char *) args;
};
#define CLI_CALL_INIT                                                                      \
        {                                                                                  \
                .verb = NULL                                                               \
        }

/**
 * cli_parse - take the words of a command line apart.
 * @call: CLI_CALL_INIT; filled as far as it went also when this fails, so that errors can
 * name the verb and --help given before a mistake is known.
 * The number of arguments is not checked: see cli_check_args().
 * Errors: SW_E_USAGE, the message without a program name in front.
 */
SW_NODISCARD sw_err *cli_parse(const struct cli_program *p, int argc,
                               const char *const *argv, struct cli_call *call);
/** cli_check_args - there are as many arguments as the verb takes. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *cli_check_args(const struct cli_call *call);
void cli_call_release(struct cli_call *call);

/* Values by the name of the flag, which must be in the verb's or the program's table. */
bool cli_given(const struct cli_call *call, const char *flag);
bool cli_bool(const struct cli_call *call, const char *flag);
const char *cli_str(const struct cli_call *call, const char *flag); /* or NULL */
void cli_list(const struct cli_call *call, const char *flag, sw_strlist *out);
/** cli_argument - the @i-th argument, or NULL. */
const char *cli_argument(const struct cli_call *call, size_t i);

/* Looking into the tables. */
const struct cli_verb *cli_find_verb(const struct cli_program *p, const char *name);
/** cli_is_below - whether @v lies directly below the verb or group @parent (""). */
bool cli_is_below(const struct cli_verb *v, const char *parent);
/** cli_last_word - "show" of "plugins show". */
const char *cli_last_word(const struct cli_verb *v);
bool cli_takes_value(const struct cli_flag *f);

/**
 * cli_check_tables - the tables are consistent: names, parents, no flag twice, help
 * everywhere, optional arguments last. For tests and for the build.
 * Errors: SW_E_INTERNAL naming verb and flag.
 */
SW_NODISCARD sw_err *cli_check_tables(const struct cli_program *p);

/** cli_add_usage - "slipway plugins [FLAGS] KIND/NAME", without a newline. */
void cli_add_usage(sw_buf *out, const struct cli_program *p, const struct cli_verb *v);
/** cli_add_help - what --help prints for @v, or for the program when NULL. */
void cli_add_help(sw_buf *out, const struct cli_program *p, const struct cli_verb *v,
                  size_t width);
/**
 * cli_add_man - man page in mdoc: "slipway", or "slipway-VERB" which covers everything
 * below VERB too.
 * @date: ns since the epoch.   Errors: SW_E_NOT_FOUND.
 */
SW_NODISCARD sw_err *cli_add_man(sw_buf *out, const struct cli_program *p, const char *page,
                                 int64_t date);
/** cli_add_bash - a completion script for bash. */
void cli_add_bash(sw_buf *out, const struct cli_program *p);

#endif
