/*
 * lib/dockerfile/arena.c - chunks of memory, handed out from the front.
 *
 * Chunks double in size up to CHUNK_MAX, so that a small Dockerfile takes little and a
 * large one few calls of malloc. What is larger than a chunk gets one of its own.
 */
#include <string.h>

#include "lib/dockerfile/arena.h"

enum { CHUNK_MIN = 4096, CHUNK_MAX = 256 * 1024, ALIGN = 16 };

struct chunk {
        struct chunk *next;
        size_t used, size;
        _Alignas(ALIGN) char data[];
};

struct sw_df_arena {
        struct chunk *first; /* the one that is being filled */
        size_t next_size;
};

struct sw_df_arena *
sw_df_arena_new(void)
{
        struct sw_df_arena *a = sw_new(struct sw_df_arena);

        a->next_size = CHUNK_MIN;
        return a;
}

void
sw_df_arena_free(struct sw_df_arena *a)
{
        if (!a)
                return;
        for (struct chunk *c = a->first, *next; c; c = next) {
                next = c->next;
                free(c);
        }
        free(a);
}

static struct chunk *
add_chunk(struct sw_df_arena *a, size_t size)
{
        struct chunk *c = sw_alloc(sizeof(*c) + size);

        c->size = size;
        c->next = a->first;
        a->first = c;
        return c;
}

void *
sw_df_arena_take(struct sw_df_arena *a, size_t size)
{
        size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
        struct chunk *c = a->first;

        if (!c || c->size - c->used < need) {
                c = add_chunk(a, need > a->next_size ? need : a->next_size);
                if (a->next_size < CHUNK_MAX)
                        a->next_size *= 2;
        }
        c->used += need;
        return c->data + c->used - need;
}

char *
sw_df_arena_str(struct sw_df_arena *a, const char *s, size_t n)
{
        char *copy = sw_df_arena_take(a, n + 1);

        if (n)
                memcpy(copy, s, n);
        return copy;
}

void *
sw_df_arena_keep(struct sw_df_arena *a, const void *v, size_t n, size_t size)
{
        if (!n)
                return NULL;

        void *copy = sw_df_arena_take(a, n * size);

        memcpy(copy, v, n * size);
        return copy;
}
