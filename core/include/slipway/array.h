/*
 * slipway/array.h - growable arrays of any type, and the string list.
 *
 *      SW_ARRAY(int) v = {0};
 *      sw_array_push(&v, 42);
 *      for (size_t i = 0; i < v.n; i++) use(v.v[i]);
 *      sw_array_release(&v);           frees the array, not what elements point to
 *
 * Not thread-safe.
 */
#ifndef SLIPWAY_ARRAY_H
#define SLIPWAY_ARRAY_H

#include <slipway/mem.h>

SW_BEGIN_DECLS

/* v: elements; n: how many; cap: how many fit. {0} is an empty array. */
#define SW_ARRAY(T)                                                                        \
        struct {                                                                           \
                T *v;                                                                      \
                size_t n, cap;                                                             \
        }

/* What the macros call: room for @extra more elements of @size bytes. */
SW_API void *sw_array_grow(void *v, size_t n, size_t *cap, size_t extra, size_t size);

/* Room for @extra more; append one element; free the array. @a: pointer to the array,
 * evaluated more than once. */
#define sw_array_reserve(a, extra)                                                         \
        ((a)->v = (__typeof__((a)->v)) sw_array_grow((a)->v, (a)->n, &(a)->cap, (extra),   \
                                                     sizeof(*(a)->v)))
#define sw_array_push(a, ...)                                                              \
        do {                                                                               \
                sw_array_reserve((a), 1);                                                  \
                (a)->v[(a)->n++] = (__VA_ARGS__);                                          \
        } while (0)
#define sw_array_release(a)                                                                \
        do {                                                                               \
                free((a)->v);                                                              \
                (a)->v = NULL;                                                             \
                (a)->n = (a)->cap = 0;                                                     \
        } while (0)

/* A list of owned strings. */
typedef struct sw_strlist {
        char **v;
        size_t n, cap;
} sw_strlist;

SW_API void sw_strlist_add(sw_strlist *l, const char *s); /* copied */
SW_API void sw_strlist_take(sw_strlist *l, char *s);      /* given */
SW_API void sw_strlist_release(sw_strlist *l);            /* strings, too; empty again */
SW_API void sw_strlist_sort(sw_strlist *l);               /* by bytes */
SW_API bool sw_strlist_has(const sw_strlist *l, const char *s);
/** sw_strlist_split - add the parts of @s between @sep; empty parts are left out. */
SW_API void sw_strlist_split(sw_strlist *l, const char *s, char sep);
/** sw_strlist_join - "a, b, c" for sep ", "; from malloc. */
SW_API char *sw_strlist_join(const sw_strlist *l, const char *sep);

SW_DEFINE_AUTO(sw_strlist, sw_strlist_release)

SW_END_DECLS
#endif
