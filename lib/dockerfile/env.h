/*
 * lib/dockerfile/env.h - variables of a stage: in the order in which they were set last,
 * found in logarithmic time. Memory is the arena's. Private to lib/dockerfile.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_ENV_H
#define SLIPWAY_LIB_DOCKERFILE_ENV_H

#include "lib/dockerfile/keep.h"

struct sw_df_var {
        const char *key, *value; /* value NULL: set again later, or taken away */
};

/* {0} is an empty one. */
struct sw_df_env {
        struct sw_df_var *v; /* in order; some without a value */
        size_t n, cap;
        size_t *by_key; /* indexes of those with a value, sorted by key */
        size_t n_keys, cap_keys;
        size_t bytes; /* of keys and values */
};

/** sw_df_env_set - set again, it moves to the end. Both strings are kept. */
void sw_df_env_set(struct sw_df_arena *a, struct sw_df_env *e, const char *key,
                   const char *value);
void sw_df_env_unset(struct sw_df_env *e, const char *key);
/** sw_df_env_get - NULL: not set. */
const char *sw_df_env_get(const struct sw_df_env *e, const char *key);
/** sw_df_env_get_n - the same for @len bytes; of the type that sw_df_lex.get has. */
const char *sw_df_env_get_n(void *env, const char *key, size_t len);
void sw_df_env_copy(struct sw_df_arena *a, const struct sw_df_env *src,
                    struct sw_df_env *out);
/** sw_df_env_keys - names, in order; @out: room for e->n_keys. */
void sw_df_env_keys(const struct sw_df_env *e, const char **out);

#endif
