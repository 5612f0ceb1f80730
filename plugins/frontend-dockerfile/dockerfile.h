/*
 * plugins/frontend-dockerfile/dockerfile.h - what the plugin's files share.
 *
 *   plugin.c   descriptor
 *   build.c    one build: load, convert for each platform, solve
 *   syntax.c   whether a syntax directive names what is built in
 *   requests.c questions that are answered instead
 *   warn.c     findings of checks become warnings
 *   result.c   what is said about the result
 */
#ifndef SLIPWAY_PLUGINS_FRONTEND_DOCKERFILE_H
#define SLIPWAY_PLUGINS_FRONTEND_DOCKERFILE_H

#include <slipway/frontend.h>

#include "lib/dockerfile/convert.h"
#include "lib/dockerfile/said.h"

/* The plugin's options. */
struct dockerfile {
        bool official; /* syntax directives that name the official frontend are answered
                          here */
};

/* What a syntax directive comes to. */
struct syntax {
        bool devices; /* RUN --device is allowed: it names a labs version */
};

/* Check the syntax that the text or a build argument asks for. Errors: SW_E_UNSUPPORTED
 * with what to do, when it is another frontend. */
SW_NODISCARD sw_err *syntax_check(const struct dockerfile *self, const sw_df_client *c,
                                  struct syntax *out);

/* What checks find is told as warnings of the build. */
void warn_init(struct sw_df_lint *lint, const sw_df_client *c);

/* Build for all platforms; see slipway/frontend.h. */
SW_NODISCARD sw_err *dockerfile_build(const struct dockerfile *self, sw_ctx *ctx,
                                      const struct sw_attr *opts, size_t n_opts,
                                      const struct sw_bridge *bridge,
                                      struct sw_frontend_result *out);

/* ---- result.c ---- */

/* Add "key: value"; @value: given. */
void result_add(struct sw_attr **list, size_t *n, const char *key, char *value);
/* What a conversion says of its tree. */
void result_describe(const sw_df_result *r, struct sw_export_ref *ref);
/* "refs.platforms". */
void result_platforms(const sw_df_config *c, struct sw_frontend_result *out);
/* Drop all that is in it. */
void result_release(struct sw_frontend_result *out);

#endif
