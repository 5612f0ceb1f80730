/*
 * core/solver/cacheset.c - the places in which a job looks for results.
 *
 * Thread: any; counted.
 */
#include <assert.h>

#include "core/solver/internal.h"

sw_cacheset *
sw__cacheset_new(const struct sw_cache_place *places, size_t n)
{
        sw_cacheset *c = sw_alloc(sizeof(*c) + n * sizeof(c->places[0]));

        assert(n >= 1 && n <= SW_CACHESET_MAX);
        c->refs = 1;
        c->n = n;
        memcpy(c->places, places, n * sizeof(c->places[0]));
        return c;
}

sw_cacheset *
sw__cacheset_ref(sw_cacheset *c)
{
        __atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
        return c;
}

void
sw__cacheset_unref(sw_cacheset *c)
{
        if (c && __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
                free(c);
}
