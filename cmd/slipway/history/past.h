/*
 * cmd/slipway/history/past.h - builds that were: what the verbs about them share. Thread:
 * main.
 */
#ifndef SLIPWAY_CMD_HISTORY_PAST_H
#define SLIPWAY_CMD_HISTORY_PAST_H

#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/usage.h"
#include "core/engine/history.h"

/* The history of a root, released with it. */
typedef struct past {
        store store;
        sw_history *history; /* NULL: there is no root yet */
} past;
#define PAST_INIT                                                                          \
        {                                                                                  \
                STORE_INIT, NULL                                                           \
        }

/** past_open - that of the root that the configuration names. @read_only: for looking. */
SW_NODISCARD sw_err *past_open(past *p, const struct cli_call *call, bool read_only);
void past_release(past *p);
SW_DEFINE_AUTO(past, past_release)

/** past_builds - all, also where there is no root. */
SW_NODISCARD sw_err *past_builds(past *p, sw_history_list *out);
/** past_find - as sw_history_find(). Errors: SW_E_NOT_FOUND, SW_E_USAGE (several). */
SW_NODISCARD sw_err *past_find(past *p, const char *asked, sw_history_list *out);
/** past_replay - every part of the story of the build @id to @fn. One that ends in damage
 * is told with a warning on stderr. */
SW_NODISCARD sw_err *past_replay(past *p, const char *id,
                                 void (*fn)(void *arg, const struct sw_progress_batch *b),
                                 void *arg);

/** past_what - what was built, in few words: what BUILDKIT_BUILD_NAME says, else
 *  names of images or the context and the Dockerfile, and a target; from malloc. */
char *past_what(const struct sw_history_build *b);
/** past_took - "1.2s", or how long it has been running. */
const char *past_took(const struct sw_history_build *b, char out[32]);
/** past_state - "completed", "failed", "cancelled", "running", "interrupted". */
const char *past_state(const struct sw_history_build *b);
/** past_json - the record as {{json .}} shows it. */
sw_json *past_json(const struct sw_history_build *b);
extern const struct template_field past_fields[]; /* of those members */

/* Which builds: --filter, as BuildKit's history has it. */
typedef struct past_filter {
        sw_strlist exprs;
} past_filter;
/** past_filter_check - that every expression can be read. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *past_filter_check(const past_filter *f);
/** past_filter_match - whether one of them holds, or there is none. */
bool past_filter_match(const past_filter *f, const struct sw_history_build *b);

/* An argument that names a build, and its help. */
#define PAST_ARG(MAX)                                                                      \
        {                                                                                  \
                .name = "BUILD", .min = 1, .max = (MAX), .complete = CLI_BUILDS,           \
                .help = "an id or its beginning, latest, or ^N for the N-th before that"   \
        }

#endif
