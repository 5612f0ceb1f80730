/*
 * lib/dockerfile/lint.h - the rules of `--check`: what they are called, which are asked
 * for, who is told; and the reports that frontends give (lint, outline, targets) as JSON
 * and as text.
 *
 *      struct sw_df_lint lint = { .tell = my_tell, .arg = me };
 *      err = sw_df_check_parse("skip=all;error=true", &lint.check);
 *      sw_df_lint_at(&lint, node, SW_DF_RULE_MAINTAINER_DEPRECATED, range, ...);
 *      err = sw_df_lint_error(&lint);
 *      sw_df_lint_release(&lint);
 *
 * Thread: one at a time for each struct.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_LINT_H
#define SLIPWAY_LIB_DOCKERFILE_LINT_H

#include "lib/dockerfile/parse.h"

/* In the order of the reference. Who finds them:
 *   P  sw_df_program_new(), in all stages
 *   S  sw_df_lint_last() and sw_df_lint_cmd(), which conversion calls for what it converts
 *   C  conversion, by the functions below
 *   E  sw_df_port_words() */
enum sw_df_rule {
        SW_DF_RULE_STAGE_NAME_CASING,              /* P */
        SW_DF_RULE_FROM_AS_CASING,                 /* P */
        SW_DF_RULE_NO_EMPTY_CONTINUATION,          /* P */
        SW_DF_RULE_CONSISTENT_INSTRUCTION_CASING,  /* P */
        SW_DF_RULE_DUPLICATE_STAGE_NAME,           /* P */
        SW_DF_RULE_RESERVED_STAGE_NAME,            /* P */
        SW_DF_RULE_JSON_ARGS_RECOMMENDED,          /* C */
        SW_DF_RULE_MAINTAINER_DEPRECATED,          /* P */
        SW_DF_RULE_UNDEFINED_ARG_IN_FROM,          /* C */
        SW_DF_RULE_WORKDIR_RELATIVE_PATH,          /* C */
        SW_DF_RULE_UNDEFINED_VAR,                  /* C */
        SW_DF_RULE_MULTIPLE_INSTRUCTIONS,          /* S */
        SW_DF_RULE_LEGACY_KEY_VALUE,               /* S */
        SW_DF_RULE_INVALID_BASE_IMAGE_PLATFORM,    /* C */
        SW_DF_RULE_REDUNDANT_TARGET_PLATFORM,      /* P */
        SW_DF_RULE_SECRETS_USED,                   /* S */
        SW_DF_RULE_INVALID_DEFAULT_ARG_IN_FROM,    /* C */
        SW_DF_RULE_FROM_PLATFORM_CONST,            /* P */
        SW_DF_RULE_COPY_IGNORED_FILE,              /* C */
        SW_DF_RULE_INVALID_DEFINITION_DESCRIPTION, /* P */
        SW_DF_RULE_EXPOSE_PROTO_CASING,            /* E */
        SW_DF_RULE_EXPOSE_INVALID_FORMAT,          /* E */
        SW_DF_RULES
};

struct sw_df_rule_info {
        const char *name;        /* "StageNameCasing" */
        const char *description; /* goes with every finding as its detail */
        const char *url;         /* or NULL */
        bool experimental;
};
const struct sw_df_rule_info *sw_df_rule_info(enum sw_df_rule rule);

/* Which rules are asked for: "# check=", BUILDKIT_DOCKERFILE_CHECK. {0}: all that are not
 * experimental. */
struct sw_df_check {
        uint64_t named; /* bit 1 << rule: it is to be skipped; an experimental one: tried */
        bool error;
};
/** sw_df_check_parse - "skip=A,B;error=true;experimental=all". Names of rules that we do
 *  not know name nothing. @out: replaced on success.
 *  Errors: SW_E_INVALID, "failed to parse check options: ...". */
SW_NODISCARD sw_err *sw_df_check_parse(const char *text, struct sw_df_check *out);
/** sw_df_check_of - of the directive of a Dockerfile, with its place; without one nothing
 *  is set. Errors: those of sw_df_check_parse(). */
SW_NODISCARD sw_err *sw_df_check_of(const sw_df_tree *tree, struct sw_df_check *out);

/* Something that a rule found. */
struct sw_df_finding {
        enum sw_df_rule rule;
        const char *message; /* borrowed during tell() */
        struct sw_df_range range;
};

struct sw_df_lint {
        struct sw_df_check check;
        void (*tell)(void *arg, const struct sw_df_finding *finding); /* NULL: nobody */
        void *arg;
        uint64_t found; /* rules that found something: bit 1 << rule */
        size_t told;    /* findings; after SW_DF_FINDINGS_MAX no more are told */
};
enum { SW_DF_FINDINGS_MAX = 1000 };
void sw_df_lint_release(struct sw_df_lint *lint); /* empty again */

/**
 * sw_df_lint_at - a rule found something: tell, unless it is not asked for.
 * @lint:  NULL: nothing is done.
 * @node:  whose comments may have "check=skip=..."; NULL: none.
 * @range: where.
 * The rest makes the message; the functions below do for each rule.
 */
void sw_df_lint_at(struct sw_df_lint *lint, const struct sw_df_node *node,
                   enum sw_df_rule rule, struct sw_df_range range, const char *fmt, ...)
        SW_PRINTF(5, 6);

/** sw_df_lint_error - with error=true and something found: SW_E_INVALID "lint violation
 *  found for rules: A, B". */
SW_NODISCARD sw_err *sw_df_lint_error(const struct sw_df_lint *lint);

struct sw_df_cmd;
/* CMD, ENTRYPOINT and HEALTHCHECK that a stage had last; zeroed at its beginning. */
struct sw_df_last {
        const struct sw_df_cmd *cmd, *entrypoint, *health;
};
/** sw_df_lint_last - what one instruction makes of those before it, triggers among them. */
void sw_df_lint_last(struct sw_df_lint *lint, struct sw_df_last *last,
                     const struct sw_df_cmd *cmd);
/** sw_df_lint_cmd - what one instruction says by itself; triggers, too. */
void sw_df_lint_cmd(struct sw_df_lint *lint, const struct sw_df_cmd *cmd);

/* Rules that need more than the instruction; the caller knows when they apply, the place is
 * the node's. @near: what may have been meant (sw_df_suggest()); NULL: nothing. */
void sw_df_lint_json_args(struct sw_df_lint *lint, const struct sw_df_node *node);
void sw_df_lint_undefined_arg_in_from(struct sw_df_lint *lint,
                                      const struct sw_df_node *node, const char *name,
                                      const char *near);
void sw_df_lint_workdir_relative(struct sw_df_lint *lint, const struct sw_df_node *node,
                                 const char *dir);
void sw_df_lint_undefined_var(struct sw_df_lint *lint, const struct sw_df_node *node,
                              const char *name, const char *near);
void sw_df_lint_base_platform(struct sw_df_lint *lint, const struct sw_df_node *node,
                              const char *image, const char *got, const char *wanted);
void sw_df_lint_default_arg_in_from(struct sw_df_lint *lint, const struct sw_df_node *node,
                                    const char *base);
void sw_df_lint_copy_ignored(struct sw_df_lint *lint, const struct sw_df_node *node,
                             const char *instruction, const char *file);

/** sw_df_suggest - the candidate at most two edits away from @word, the closest, the first
 *  of equals; NULL: none. Case counts if @exact. Borrowed. */
const char *sw_df_suggest(const char *word, const char *const *candidates, size_t n,
                          bool exact);

#endif
