/*
 * core/llb/state/table.h - addresses of our own objects, with a number, to values: what a
 * marshalling has worked out so far. Many small questions, no removal, nothing from outside
 * in the keys; sw_map is for everything else. {0} is an empty table. Not thread-safe.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_TABLE_H
#define SLIPWAY_CORE_LLB_STATE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct slot {
        const void *key; /* NULL: free */
        int64_t number;
        uintptr_t value;
};

struct table {
        struct slot *slots;
        size_t n, cap; /* cap is 0 or a power of two, at least twice n */
};

/* The value, or 0. */
uintptr_t sw__llb_table_get(const struct table *t, const void *key, int64_t number);
/* A key that is not there yet; @value is not 0. */
void sw__llb_table_add(struct table *t, const void *key, int64_t number, uintptr_t value);
void sw__llb_table_release(struct table *t);

#endif
