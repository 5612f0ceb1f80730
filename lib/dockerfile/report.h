/*
 * lib/dockerfile/report.h - what frontends answer to questions about a Dockerfile (lint,
 * outline, targets): plain structs in, JSON (as Go writes it, indented by two blanks) and
 * text for people out. Reference section 15.
 *
 * Everything in the structs is borrowed; NULL and "" are left out. Pure; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_REPORT_H
#define SLIPWAY_LIB_DOCKERFILE_REPORT_H

#include "lib/dockerfile/parse.h"

struct sw_df_found { /* of a rule; make it from a sw_df_finding and sw_df_rule_info() */
        const char *rule, *description, *url;
        const char *message;
        struct sw_df_range range;
};
struct sw_df_lint_report {
        struct sw_df_text text;
        const struct sw_df_found *found;
        size_t n_found;
        const char *error; /* why the build would fail; NULL: it would not */
        struct sw_df_range error_range;
};
void sw_df_lint_json(const struct sw_df_lint_report *r, sw_buf *out);
void sw_df_lint_text(const struct sw_df_lint_report *r, sw_buf *out);
/** sw_df_lint_status - result.statuscode: "0" or "1". */
const char *sw_df_lint_status(const struct sw_df_lint_report *r);

struct sw_df_outline_arg {
        const char *name, *description, *value; /* value NULL: none */
        struct sw_df_range range;
};
struct sw_df_outline_need { /* a secret, an agent, a cache */
        const char *name;
        bool required;
        struct sw_df_range range;
};
struct sw_df_outline {
        struct sw_df_text text;
        const char *name, *description; /* of the target */
        const struct sw_df_outline_arg *args;
        size_t n_args;
        const struct sw_df_outline_need *secrets, *ssh, *caches;
        size_t n_secrets, n_ssh, n_caches;
};
void sw_df_outline_json(const struct sw_df_outline *o, sw_buf *out);
void sw_df_outline_text(const struct sw_df_outline *o, sw_buf *out);

struct sw_df_target {
        const char *name, *description, *base, *platform;
        bool is_default;
        struct sw_df_range range;
};
struct sw_df_targets {
        struct sw_df_text text;
        const struct sw_df_target *v;
        size_t n;
};
void sw_df_targets_json(const struct sw_df_targets *t, sw_buf *out);
void sw_df_targets_text(const struct sw_df_targets *t, sw_buf *out);

/** sw_df_describe_json, sw_df_describe_text - the list of questions that can be asked. */
void sw_df_describe_json(sw_buf *out);
void sw_df_describe_text(sw_buf *out);

/** sw_df_excerpt - append the lines around @range, as errors and findings show them:
 *  "Dockerfile:3", lines with numbers, those of the range marked. */
void sw_df_excerpt(const struct sw_df_text *text, struct sw_df_range range, sw_buf *out);

#endif
