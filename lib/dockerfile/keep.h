/*
 * lib/dockerfile/keep.h - strings and structs in an arena. Private to lib/dockerfile.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_KEEP_H
#define SLIPWAY_LIB_DOCKERFILE_KEEP_H

#include "lib/dockerfile/arena.h"
#include "lib/dockerfile/said.h"

/** sw_df_dup - a copy; NULL gives NULL. */
char *sw_df_dup(struct sw_df_arena *a, const char *s);
/** sw_df_printf - what printf would print. */
char *sw_df_printf(struct sw_df_arena *a, const char *fmt, ...) SW_PRINTF(2, 3);

#define sw_df_new(a, T)          ((T *) sw_df_arena_take((a), sizeof(T)))
#define sw_df_new_array(a, T, n) ((T *) sw_df_arena_take((a), (n) * sizeof(T)))

#endif
