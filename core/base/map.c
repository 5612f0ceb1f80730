/*
 * core/base/map.c - the hash map: uthash, keyed by SipHash.
 *
 * uthash keeps its entries on a list in the order they came, which is the order of
 * iteration. An iterator holds the entry after the current one, so that the current one
 * may go. An entry is one allocation with its key behind it.
 * Thread: one at a time per map; the key of the hash is drawn once per process.
 */
#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <slipway/map.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/base/siphash.h"

#define HASH_FUNCTION(keyptr, keylen, hashv)                                               \
        do {                                                                               \
                (hashv) = hash_key((keyptr), (keylen));                                    \
        } while (0)
#define uthash_malloc(size) sw_alloc(size)
#define uthash_fatal(msg)   sw__nomem(0)
static unsigned hash_key(const void *key, size_t keylen);
#include <uthash.h>

struct entry {
        UT_hash_handle hh;
        void *value;
        char key[]; /* NUL-terminated one past its length */
};

struct sw_map {
        struct entry *head; /* first in order; NULL when empty */
        void (*free_value)(void *);
};

/* Drawn once, read by every thread afterwards. */
static struct {
        pthread_once_t once;
        uint64_t k[2];
} seed = { .once = PTHREAD_ONCE_INIT };

static void
draw_seed(void)
{
        sw__random(seed.k, sizeof(seed.k));
}

static unsigned
hash_key(const void *key, size_t keylen)
{
        return (unsigned) sw__siphash13(seed.k[0], seed.k[1], key, keylen);
}

sw_map *
sw_map_new(void (*free_value)(void *))
{
        sw_map *m = sw_new(sw_map);

        (void) pthread_once(&seed.once, draw_seed);
        m->free_value = free_value;
        return m;
}

static void
drop_value(const sw_map *m, void *value)
{
        if (m->free_value && value)
                m->free_value(value);
}

void
sw_map_free(sw_map *m)
{
        struct entry *e, *next;

        if (!m)
                return;
        e = m->head;
        HASH_CLEAR(hh, m->head);
        for (; e; e = next) {
                next = (struct entry *) e->hh.next;
                drop_value(m, e->value);
                free(e);
        }
        free(m);
}

size_t
sw_map_count(const sw_map *m)
{
        return HASH_COUNT(m->head);
}

static struct entry *
find(const sw_map *m, const void *key, size_t keylen)
{
        struct entry *e;

        if (keylen > UINT32_MAX) /* uthash counts in unsigned; no such key was added */
                return NULL;
        HASH_FIND(hh, m->head, key, keylen, e);
        return e;
}

static struct entry *
entry_new(const void *key, size_t keylen, void *value)
{
        struct entry *e = (struct entry *) sw_alloc(sizeof(*e) + keylen + 1);

        if (keylen)
                memcpy(e->key, key, keylen);
        e->value = value;
        return e;
}

bool
sw_map_set(sw_map *m, const char *key, void *value)
{
        return sw_map_set_bytes(m, key, strlen(key), value);
}

bool
sw_map_set_bytes(sw_map *m, const void *key, size_t keylen, void *value)
{
        struct entry *e = find(m, key, keylen);

        assert(keylen <= UINT32_MAX);
        if (e) {
                void *old = e->value;

                e->value = value;
                if (old != value)
                        drop_value(m, old);
                return false;
        }
        e = entry_new(key, keylen, value);
        HASH_ADD_KEYPTR(hh, m->head, e->key, keylen, e);
        return true;
}

void *
sw_map_get(const sw_map *m, const char *key)
{
        return sw_map_get_bytes(m, key, strlen(key));
}

void *
sw_map_get_bytes(const sw_map *m, const void *key, size_t keylen)
{
        struct entry *e = find(m, key, keylen);

        return e ? e->value : NULL;
}

bool
sw_map_has(const sw_map *m, const char *key)
{
        return find(m, key, strlen(key)) != NULL;
}

/* Unlink and free the entry of a key; its value, if there was one, into *@value. */
static bool
unlink_key(sw_map *m, const void *key, size_t keylen, void **value)
{
        struct entry *e = find(m, key, keylen);

        if (!e)
                return false;
        *value = e->value;
        HASH_DELETE(hh, m->head, e);
        free(e);
        return true;
}

bool
sw_map_remove(sw_map *m, const char *key)
{
        return sw_map_remove_bytes(m, key, strlen(key));
}

bool
sw_map_remove_bytes(sw_map *m, const void *key, size_t keylen)
{
        void *value;

        if (!unlink_key(m, key, keylen, &value))
                return false;
        drop_value(m, value); /* last: it may come back to this map */
        return true;
}

void *
sw_map_take(sw_map *m, const char *key)
{
        void *value = NULL;

        (void) unlink_key(m, key, strlen(key), &value);
        return value;
}

struct sw_map_iter
sw_map_iter(const sw_map *m)
{
        return (struct sw_map_iter){ .next_ = m->head };
}

bool
sw_map_next(struct sw_map_iter *it)
{
        struct entry *e = (struct entry *) it->next_;

        if (!e) {
                *it = (struct sw_map_iter){ 0 };
                return false;
        }
        it->key = e->key;
        it->keylen = e->hh.keylen;
        it->value = e->value;
        it->next_ = e->hh.next;
        return true;
}
