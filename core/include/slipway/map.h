/*
 * slipway/map.h - hash map from byte strings to pointers (uthash inside).
 *
 * Keys are copied; values are borrowed unless the map was made with a free function.
 * Iteration is in insertion order. Removing the current entry while iterating is allowed.
 * Keys may come from outside: the hash is keyed with a random value per process.
 * Not thread-safe.
 */
#ifndef SLIPWAY_MAP_H
#define SLIPWAY_MAP_H

#include <slipway/mem.h>

SW_BEGIN_DECLS

typedef struct sw_map sw_map;

struct sw_map_iter {
        const void *key; /* borrowed; NUL-terminated one past keylen */
        size_t keylen;
        void *value;
        void *next_; /* private */
};

/** sw_map_new - @free_value is called for each value dropped; NULL: values are borrowed. */
SW_API sw_map *sw_map_new(void (*free_value)(void *));
SW_API void sw_map_free(sw_map *m); /* NULL is fine */
SW_API size_t sw_map_count(const sw_map *m);

/** sw_map_set - add or replace (the old value is freed); returns true when it was new. */
SW_API bool sw_map_set(sw_map *m, const char *key, void *value);
SW_API bool sw_map_set_bytes(sw_map *m, const void *key, size_t keylen, void *value);
/** sw_map_get - the value or NULL. */
SW_API void *sw_map_get(const sw_map *m, const char *key);
SW_API void *sw_map_get_bytes(const sw_map *m, const void *key, size_t keylen);
SW_API bool sw_map_has(const sw_map *m, const char *key);
/** sw_map_remove - drop an entry and free its value; returns whether it was there. */
SW_API bool sw_map_remove(sw_map *m, const char *key);
SW_API bool sw_map_remove_bytes(sw_map *m, const void *key, size_t keylen);
/** sw_map_take - drop an entry without freeing its value, which is handed back. */
SW_API void *sw_map_take(sw_map *m, const char *key);

/*      struct sw_map_iter it = SW_MAP_ITER(m);
 *      while (sw_map_next(&it)) use(it.key, it.value);         */
SW_API struct sw_map_iter sw_map_iter(const sw_map *m);
#define SW_MAP_ITER(m) sw_map_iter(m)
SW_API bool sw_map_next(struct sw_map_iter *it);

SW_DEFINE_AUTOPTR(sw_map, sw_map_free)

SW_END_DECLS
#endif
