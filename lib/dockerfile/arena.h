/*
 * lib/dockerfile/arena.h - memory that is released all at once: what a tree or a program
 * points at. Private to lib/dockerfile. Not thread-safe while it grows.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_ARENA_H
#define SLIPWAY_LIB_DOCKERFILE_ARENA_H

#include <slipway/mem.h>

struct sw_df_arena;

struct sw_df_arena *sw_df_arena_new(void);
void sw_df_arena_free(struct sw_df_arena *a); /* NULL is fine */

/** sw_df_arena_take - @size zeroed bytes, aligned for anything. */
SW_MALLOC void *sw_df_arena_take(struct sw_df_arena *a, size_t size);
/** sw_df_arena_str - a copy of @n bytes, NUL-terminated. */
char *sw_df_arena_str(struct sw_df_arena *a, const char *s, size_t n);
/** sw_df_arena_keep - a copy of @n elements of @size bytes; NULL for none. */
void *sw_df_arena_keep(struct sw_df_arena *a, const void *v, size_t n, size_t size);

#endif
