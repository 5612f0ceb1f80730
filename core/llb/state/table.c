/*
 * core/llb/state/table.c - open addressing, linear probing.
 */
#include <slipway/mem.h>

#include "core/llb/state/table.h"

enum { FIRST_CAP = 16 };

/* All bits of both take part: addresses come in regular steps, which a mere product would
 * send to regular places. */
static uint64_t
mix(const void *key, int64_t number)
{
        uint64_t h = (uintptr_t) key + (uint64_t) number * UINT64_C(0x9e3779b97f4a7c15);

        h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
        h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        return h ^ h >> 33;
}

/* Where the key is, or the free slot it would go to. cap is not 0. */
static struct slot *
probe(const struct table *t, const void *key, int64_t number)
{
        size_t i = (size_t) mix(key, number) & (t->cap - 1);

        while (t->slots[i].key && (t->slots[i].key != key || t->slots[i].number != number))
                i = (i + 1) & (t->cap - 1);
        return &t->slots[i];
}

const union datum *
sw__llb_table_find(const struct table *t, const void *key, int64_t number)
{
        const struct slot *s = t->cap ? probe(t, key, number) : NULL;

        return s && s->key ? &s->datum : NULL;
}

void *
sw__llb_table_get(const struct table *t, const void *key, int64_t number)
{
        const union datum *d = sw__llb_table_find(t, key, number);

        return d ? d->p : NULL;
}

static void
grow(struct table *t)
{
        struct table bigger = { .n = t->n, .cap = t->cap ? t->cap * 2 : FIRST_CAP };

        bigger.slots = (struct slot *) sw_alloc_array(bigger.cap, sizeof(*bigger.slots));
        for (size_t i = 0; i < t->cap; i++)
                if (t->slots[i].key)
                        *probe(&bigger, t->slots[i].key, t->slots[i].number) = t->slots[i];
        free(t->slots);
        *t = bigger;
}

void
sw__llb_table_add(struct table *t, const void *key, int64_t number, union datum datum)
{
        if ((t->n + 1) * 2 > t->cap)
                grow(t);
        *probe(t, key, number) = (struct slot){ key, number, datum };
        t->n++;
}

void
sw__llb_table_put(struct table *t, const void *key, void *p)
{
        sw__llb_table_add(t, key, 0, (union datum){ .p = p });
}

void
sw__llb_table_release(struct table *t)
{
        free(t->slots);
        *t = (struct table){ NULL, 0, 0 };
}
