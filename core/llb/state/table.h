/*
 * core/llb/state/table.h - addresses of our own objects, with a number, to what a
 * marshalling has worked out of them so far. Many small questions, no removal, nothing from
 * outside in the keys; sw_map is for everything else. {0} is an empty table. Not
 * thread-safe.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_TABLE_H
#define SLIPWAY_CORE_LLB_STATE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* What a key has: one or the other, as the user of the table knows. */
union datum {
        void *p;
        size_t n;
};

struct slot {
        const void *key; /* NULL: free */
        int64_t number;
        union datum datum;
};

struct table {
        struct slot *slots;
        size_t n, cap; /* cap is 0 or a power of two, at least twice n */
};

/* What the key has, or NULL; valid until something is added. */
const union datum *sw__llb_table_find(const struct table *t, const void *key,
                                      int64_t number);
/* The same for a pointer: NULL when it is not there. */
void *sw__llb_table_get(const struct table *t, const void *key, int64_t number);
/* Add a key that is not there yet. */
void sw__llb_table_add(struct table *t, const void *key, int64_t number, union datum datum);
void sw__llb_table_put(struct table *t, const void *key, void *p); /* number 0, a pointer */
void sw__llb_table_release(struct table *t);

#endif
