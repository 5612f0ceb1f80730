/* plugins/frontend-dockerfile/build.h - one build, for build.c and requests.c. */
#ifndef SLIPWAY_PLUGINS_FRONTEND_DOCKERFILE_BUILD_H
#define SLIPWAY_PLUGINS_FRONTEND_DOCKERFILE_BUILD_H

#include "plugins/frontend-dockerfile/dockerfile.h"

/* All that a build owns. */
typedef struct build {
        const struct dockerfile *self;
        sw_ctx *ctx;
        const struct sw_bridge *bridge;
        sw_df_config *config;
        sw_df_client *client;
        sw_df_tree *tree;
        sw_df_program *program;
        struct syntax syntax;
        uint64_t found; /* rules that found something while it was parsed */
} build;

typedef struct sw_df_lint checks;
SW_DEFINE_AUTO(checks, sw_df_lint_release)

/* Which checks the build is asked for, by an option or by the text. */
SW_NODISCARD sw_err *build_check_options(const build *b, struct sw_df_lint *out);
/* Parse and type the text. @lint: or NULL. */
SW_NODISCARD sw_err *build_parse(build *b, struct sw_df_lint *lint);
/* Answer the question @id. */
SW_NODISCARD sw_err *build_answer(build *b, const char *id, struct sw_frontend_result *out);

#endif
