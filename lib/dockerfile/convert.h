/*
 * lib/dockerfile/convert.h - a Dockerfile's program becomes a definition.
 *
 *      err = sw_df_convert(&(struct sw_df_convert){ .client = client, .program = prog },
 *                          &result);
 *      ... result->definition, result->config ...
 *      sw_df_result_free(result);
 *
 * Definitions, names of steps, source locations and image configurations are those that
 * BuildKit's Dockerfile frontend makes of the same input, byte for byte where they are
 * hashed. Errors carry their place in the Dockerfile.
 *
 * Work is in proportion to the input; what one stage hands on to the next (variables,
 * arguments) is limited as a whole.
 * Thread: one for each conversion; several at once need a client each.   Blocks: yes, when
 * the client does.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_CONVERT_H
#define SLIPWAY_LIB_DOCKERFILE_CONVERT_H

#include "lib/dockerfile/client.h"
#include "lib/dockerfile/instruct.h"
#include "lib/dockerfile/report.h"

/* Limits. */
enum {
        SW_DF_STAGES_MAX = 20000,    /* with those that stand for images of COPY --from */
        SW_DF_INHERIT_MAX = 2000000, /* variables and arguments handed on, all together */
        SW_DF_VARIABLES_MAX = 20000, /* of one stage */
        SW_DF_PORTS_MAX = 200000,    /* written into a history, all together */
        SW_DF_TRIGGERS_MAX = 20000,  /* of ONBUILD that are run, all together */
        SW_DF_MADE_MAX = 64 << 20,   /* bytes that variables come to, wherever they go */
};

struct sw_df_convert {
        sw_df_client *client;         /* that has loaded the text */
        const sw_df_program *program; /* of that text */
        const sw_platform *platform;  /* NULL: none was asked for */
        struct sw_df_lint *lint;      /* or NULL */
        bool all_stages; /* also those that the target does not need: for checks */
        bool outline;    /* the result's is wanted */
        bool no_marshal; /* no definition is wanted: for questions */
        bool devices;    /* RUN --device is allowed */
};

typedef struct sw_df_result {
        sw_buf definition;
        sw_buf config;      /* containerimage.config */
        sw_buf base_config; /* containerimage.base.config; empty: there is no base image */
        bool has_epoch;
        int64_t epoch;                /* s */
        struct sw_df_outline outline; /* but for its text; if asked for */
        struct sw_df_arena *arena;    /* private: what the outline points at */
} sw_df_result;

/** sw_df_convert - @out: handed back. */
SW_NODISCARD sw_err *sw_df_convert(const struct sw_df_convert *req, sw_df_result **out);
void sw_df_result_free(sw_df_result *r); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_df_result, sw_df_result_free)

#endif
