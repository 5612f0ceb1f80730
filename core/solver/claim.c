/*
 * core/solver/claim.c - which vertices that run or want to run have a key in common.
 *
 * Two vertices have a common key when what the first will store is what the second would
 * find: equal cache map digests and, for every input, a key that both have (with the same
 * selector), or the same content. Registered are the vertices from READY to STOPPING, in
 * a table by cache map digest and key of input 0; what is found there is compared in full.
 *
 * The keys of a vertex do not change while it is registered: all its inputs are final.
 * Thread: scheduler only.
 */
#include <utlist.h>

#include "core/base/siphash.h"
#include "core/solver/internal.h"

/* A vertex in a bucket. */
struct member {
        struct sw__vx *v;
        struct sw__claim_bucket *bucket;
        struct member *prev, *next;
};

struct sw__claim_bucket {
        uint64_t hash;
        UT_hash_handle hh;
        struct member *members; /* utlist; in the order they came: the order of turns */
};

struct sw__claim {
        size_t n;
        struct member in[];
};

/* Keys do not come from outside; a fixed hash key will do, and gives equal runs. */
static uint64_t
hash_text(uint64_t seed, const char *s)
{
        return sw__siphash13(seed, 0x736c6970776179, s, strlen(s));
}

/* The root key that input @i has by its content, or NULL. */
static const struct sw__key *
content_key(const struct sw__vx *v, uint32_t i)
{
        return v->in[i].content ? &v->in[i].content->root : NULL;
}

static const char *
selector(const struct sw__vx *v, uint32_t i)
{
        return v->in[i].selector ? v->in[i].selector : "";
}

/* Hashes under which @v is found: of each cache map with each key of input 0. */
static size_t
n_hashes(const struct sw__vx *v)
{
        size_t keys = v->n_inputs ? v->in[0].edge->keys.n + 1 : 1;

        return v->n_maps * keys;
}

/* The n-th; false when there is none in that place. */
static bool
nth_hash(const struct sw__vx *v, size_t n, uint64_t *out)
{
        uint64_t h = hash_text((uintptr_t) v->cache, v->maps[n % v->n_maps]);
        size_t k = n / v->n_maps;

        if (v->n_inputs == 0) {
                *out = h;
                return true;
        }
        if (k < v->in[0].edge->keys.n) {
                h = hash_text(h, v->in[0].edge->keys.v[k].s);
                *out = hash_text(h, selector(v, 0));
                return true;
        }
        if (!content_key(v, 0))
                return false;
        *out = hash_text(h, content_key(v, 0)->s);
        return true;
}

static struct sw__claim_bucket *
bucket_get(struct sw__core *c, uint64_t hash)
{
        struct sw__claim_bucket *b;

        HASH_FIND(hh, c->claims, &hash, sizeof(hash), b);
        if (b)
                return b;
        b = sw_new(struct sw__claim_bucket);
        b->hash = hash;
        HASH_ADD(hh, c->claims, hash, sizeof(b->hash), b);
        return b;
}

void
sw__claim_add(struct sw__core *c, struct sw__vx *v)
{
        size_t max = n_hashes(v);
        uint64_t h;

        v->claim = sw_alloc(sizeof(*v->claim) + max * sizeof(v->claim->in[0]));
        for (size_t n = 0; n < max; n++) {
                struct member *m = &v->claim->in[v->claim->n];

                if (!nth_hash(v, n, &h))
                        continue;
                m->v = v;
                m->bucket = bucket_get(c, h);
                DL_APPEND(m->bucket->members, m);
                v->claim->n++;
        }
}

void
sw__claim_drop(struct sw__core *c, struct sw__vx *v)
{
        for (size_t i = 0; i < v->claim->n; i++) {
                struct sw__claim_bucket *b = v->claim->in[i].bucket;

                DL_DELETE(b->members, &v->claim->in[i]);
                if (!b->members) {
                        /* It is in the table. */
                        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
                        HASH_DELETE(hh, c->claims, b);
                        free(b);
                }
        }
        free(v->claim);
        v->claim = NULL;
}

/* ---- comparing ---- */

static bool
common_map(const struct sw__vx *a, const struct sw__vx *b)
{
        for (size_t i = 0; i < a->n_maps; i++)
                for (size_t j = 0; j < b->n_maps; j++)
                        if (strcmp(a->maps[i], b->maps[j]) == 0)
                                return true;
        return false;
}

/* Ids of derived keys mean something in their own place only. */
static bool
same_key(const struct sw__key *a, const struct sw__key *b)
{
        return a->place == b->place && strcmp(a->s, b->s) == 0;
}

static bool
common_input(const struct sw__vx *a, const struct sw__vx *b, uint32_t i)
{
        const struct sw__edge *x = a->in[i].edge, *y = b->in[i].edge;

        if (content_key(a, i) && content_key(b, i) &&
            strcmp(content_key(a, i)->s, content_key(b, i)->s) == 0)
                return true;
        if (strcmp(selector(a, i), selector(b, i)) != 0)
                return false;
        if (x == y)
                return true;
        for (size_t j = 0; j < x->keys.n; j++)
                for (size_t k = 0; k < y->keys.n; k++)
                        if (same_key(&x->keys.v[j], &y->keys.v[k]))
                                return true;
        return false;
}

static bool
common_key(const struct sw__vx *a, const struct sw__vx *b)
{
        if (a->cache != b->cache || a->n_inputs != b->n_inputs ||
            a->n_outputs != b->n_outputs || !common_map(a, b))
                return false;
        for (uint32_t i = 0; i < a->n_inputs; i++)
                if (!common_input(a, b, i))
                        return false;
        return true;
}

struct sw__vx *
sw__claim_holder(struct sw__core *c, struct sw__vx *v)
{
        (void) c;
        for (size_t i = 0; i < v->claim->n; i++)
                for (const struct member *m = v->claim->in[i].bucket->members; m;
                     m = m->next) {
                        struct sw__vx *o = m->v;
                        if (o != v && (o->run == SW__R_GOING || o->run == SW__R_STOPPING) &&
                            common_key(o, v))
                                return o;
                }
        return NULL;
}

struct sw__vx **
sw__claim_matches(struct sw__core *c, struct sw__vx *v, size_t *n)
{
        SW_ARRAY(struct sw__vx *) found = { 0 };
        uint64_t mark = ++c->n_marks;

        v->mark = mark;
        for (size_t i = 0; i < v->claim->n; i++)
                for (const struct member *m = v->claim->in[i].bucket->members; m;
                     m = m->next)
                        if (m->v->mark != mark && common_key(m->v, v)) {
                                m->v->mark = mark;
                                sw_array_push(&found, m->v);
                        }
        *n = found.n;
        return found.v;
}
