/*
 * lib/dockerfile/typer.h - what the files that type instructions share: the one at work,
 * its flags, words as strings. Private.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_TYPER_H
#define SLIPWAY_LIB_DOCKERFILE_TYPER_H

#include <slipway/array.h>

#include "lib/dockerfile/arena.h"
#include "lib/dockerfile/instruct.h"

struct sw_df_typer {
        struct sw_df_arena *arena;
        const struct sw_df_opts *opts;
        const struct sw_df_node *node;
        struct sw_df_word bad; /* which word an error is about; text NULL: not known */
};

enum sw_df_flag_type { SW_DF_FLAG_BOOL, SW_DF_FLAG_STRING, SW_DF_FLAG_STRINGS };

/* A flag that an instruction knows, and what it was given. */
struct sw_df_flag {
        const char *name; /* "from" */
        enum sw_df_flag_type type;
        enum sw_df_maybe yes;          /* BOOL */
        struct sw_df_word value;       /* STRING; text NULL: not given */
        SW_ARRAY(const char *) values; /* STRINGS; released by sw_df_flags_end() */
};

/** sw_df_flags_read - the node's flags into @flags. Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_df_flags_read(struct sw_df_typer *t, struct sw_df_flag *flags,
                                      size_t n);
/** sw_df_flags_end - release what @flags hold; those of STRINGS are then gone. */
void sw_df_flags_end(struct sw_df_flag *flags, size_t n);
/** sw_df_flag_strs - the values of STRINGS, kept in the arena. */
struct sw_df_strs sw_df_flag_strs(struct sw_df_typer *t, const struct sw_df_flag *flag);

/** sw_df_words_strs - words @from.. as strings. */
struct sw_df_strs sw_df_words_strs(struct sw_df_typer *t, size_t from);

/** sw_df_bad - blame @word for @err; returns @err. */
sw_err *sw_df_bad(struct sw_df_typer *t, const struct sw_df_word *word, sw_err *err);

/** sw_df_cmd_type - the node as a command. Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_df_cmd_type(struct sw_df_typer *t, struct sw_df_cmd *out);

/* Those that have files of their own. */
SW_NODISCARD sw_err *sw_df_type_copy(struct sw_df_typer *t, struct sw_df_cmd *out);
SW_NODISCARD sw_err *sw_df_type_run(struct sw_df_typer *t, struct sw_df_cmd *out);
SW_NODISCARD sw_err *sw_df_type_health(struct sw_df_typer *t, struct sw_df_cmd *out);

/** sw_df_comment_of - of the comments above @node the text of "# NAME text"; "": none. */
const char *sw_df_comment_of(const struct sw_df_node *node, const char *name);

/* lintnode.c: rules that one look at the text finds. */
void sw_df_lint_from(struct sw_df_lint *lint, const struct sw_df_stage *stage);
void sw_df_lint_described(struct sw_df_lint *lint, const struct sw_df_node *node,
                          const char *what, const char *const *names, size_t n);
void sw_df_lint_program(struct sw_df_lint *lint, const sw_df_program *prog);

#endif
