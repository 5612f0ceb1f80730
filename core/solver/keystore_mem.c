/*
 * core/solver/keystore_mem.c - the key store in memory.
 *
 * For tests and programs that keep nothing. Everything is reached through hash tables:
 * nodes by id, link groups by (parent, link), results by id. Texts that links share
 * (digests, selectors) are interned, so that a group is found by comparing pointers. Ids
 * come from imports, too: they are hashed with a key that nobody knows.
 *
 * Invariants:
 *   M1  a child is in a group exactly when the group is in the child's back list
 *   M2  a node has a record of a result exactly when the result lists the node
 *   M3  a group without children does not exist
 * Thread: one at a time (the scheduler's).
 */
#include "core/solver/keystore.h"

#include <slipway/array.h>
#include <slipway/map.h>

#include "core/base/random.h"
#include "core/base/siphash.h"
#include "core/solver/tight.h"

#define uthash_fatal(msg) abort()
#include <uthash.h>

struct group;
struct node;

struct result {
        SW_ARRAY(struct node *) nodes;
        UT_hash_handle hh;
        char id[];
};

struct record {
        struct result *result;
        int64_t created_at;
        int32_t priority;
};

struct node {
        SW_ARRAY(struct record) records;
        SW_ARRAY(struct group *) out;  /* links from this key */
        SW_ARRAY(struct group *) back; /* groups this key is a child in */
        UT_hash_handle hh;
        char id[];
};

struct text {
        size_t refs;
        UT_hash_handle hh;
        char id[];
};

/* No padding: hashed and compared as bytes. */
struct group_key {
        struct node *parent;
        struct text *digest;
        struct text *selector;
        uint32_t input;
        int32_t output;
};

struct group {
        struct group_key key;
        SW_ARRAY(struct node *) children;
        UT_hash_handle hh;
};

struct store {
        sw_keystore base;
        struct node *nodes;
        struct group *groups;
        struct result *results;
        struct text *texts;
        sw_map *notes; /* digest -> sw_strlist */
        uint64_t seed[2];
};

static struct store *
store_of(sw_keystore *ks)
{
        return (struct store *) ks;
}

/* ---- texts, nodes, groups ---- */

static unsigned
hash_of(const struct store *st, const void *p, size_t n)
{
        return (unsigned) sw__siphash13(st->seed[0], st->seed[1], p, n);
}

/* Tables of texts, nodes and results: the element whose `id` is @TEXT, or NULL. */
#define FIND(TABLE, TEXT, ELEMENT)                                                         \
        HASH_FIND_BYHASHVALUE(hh, st->TABLE, TEXT, strlen(TEXT),                           \
                              hash_of(st, TEXT, strlen(TEXT)), ELEMENT)
/* The same, made when it is not there. */
#define GET(TABLE, TEXT, ELEMENT)                                                          \
        do {                                                                               \
                const size_t len_ = strlen(TEXT);                                          \
                const unsigned hash_ = hash_of(st, TEXT, len_);                            \
                HASH_FIND_BYHASHVALUE(hh, st->TABLE, TEXT, len_, hash_, ELEMENT);          \
                if (ELEMENT)                                                               \
                        break;                                                             \
                (ELEMENT) = sw_alloc(sizeof(*(ELEMENT)) + len_ + 1);                       \
                memcpy((ELEMENT)->id, TEXT, len_);                                         \
                HASH_ADD_BYHASHVALUE(hh, st->TABLE, id[0], len_, hash_, ELEMENT);          \
        } while (0)

static struct text *
text_find(struct store *st, const char *s)
{
        struct text *t;

        FIND(texts, s, t);
        return t;
}

/* The text, with the references it has. */
static struct text *
text_get(struct store *st, const char *s)
{
        struct text *t;

        GET(texts, s, t);
        return t;
}

static void
text_drop(struct store *st, struct text *t)
{
        if (--t->refs)
                return;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in there */
        HASH_DELETE(hh, st->texts, t);
        free(t);
}

static struct node *
node_find(struct store *st, const char *id)
{
        struct node *n;

        FIND(nodes, id, n);
        return n;
}

static struct node *
node_get(struct store *st, const char *id)
{
        struct node *n;

        GET(nodes, id, n);
        return n;
}

static void
node_free(struct store *st, struct node *n)
{
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is in the table lives */
        HASH_DELETE(hh, st->nodes, n);
        sw_array_release(&n->records);
        sw_array_release(&n->out);
        sw_array_release(&n->back);
        free(n);
}

static bool
node_is_bare(const struct node *n)
{
        return n->records.n == 0 && n->out.n == 0;
}

static struct group *
group_find(struct store *st, const char *parent, const struct sw_key_link *link)
{
        struct group_key k = { .input = link->input, .output = link->output };
        struct group *g = NULL;

        k.parent = node_find(st, parent);
        if (!k.parent || k.parent->out.n == 0)
                return NULL;
        k.digest = text_find(st, link->digest);
        k.selector = text_find(st, link->selector);
        if (k.digest && k.selector)
                HASH_FIND_BYHASHVALUE(hh, st->groups, &k, sizeof(k),
                                      hash_of(st, &k, sizeof(k)), g);
        return g;
}

static struct group *
group_get(struct store *st, const char *parent, const struct sw_key_link *link)
{
        struct group_key k = { .input = link->input, .output = link->output };
        struct group *g;

        k.parent = node_get(st, parent);
        k.digest = text_get(st, link->digest);
        k.selector = text_get(st, link->selector);
        unsigned hash = hash_of(st, &k, sizeof(k));
        HASH_FIND_BYHASHVALUE(hh, st->groups, &k, sizeof(k), hash, g);
        if (g)
                return g;
        g = sw_new(struct group);
        g->key = k;
        k.digest->refs++;
        k.selector->refs++;
        HASH_ADD_BYHASHVALUE(hh, st->groups, key, sizeof(g->key), hash, g);
        sw__push_tight(&k.parent->out, g);
        return g;
}

/* Take @p out of an array of pointers, order not kept. */
#define array_drop(a, p)                                                                   \
        do {                                                                               \
                for (size_t i_ = 0; i_ < (a)->n; i_++)                                     \
                        if ((a)->v[i_] == (p)) {                                           \
                                (a)->v[i_] = (a)->v[--(a)->n];                             \
                                break;                                                     \
                        }                                                                  \
        } while (0)

static void
group_free(struct store *st, struct group *g)
{
        array_drop(&g->key.parent->out, g);
        HASH_DELETE(hh, st->groups, g);
        text_drop(st, g->key.digest);
        text_drop(st, g->key.selector);
        sw_array_release(&g->children);
        free(g);
}

static bool
group_has(const struct group *g, const struct node *child)
{
        /* The shorter list: a popular base has many children, a child few ways to it. */
        if (child->back.n < g->children.n) {
                for (size_t i = 0; i < child->back.n; i++)
                        if (child->back.v[i] == g)
                                return true;
                return false;
        }
        for (size_t i = 0; i < g->children.n; i++)
                if (g->children.v[i] == child)
                        return true;
        return false;
}

static struct sw_key_link
group_link(const struct group *g)
{
        return (struct sw_key_link){
                .input = g->key.input,
                .output = g->key.output,
                .digest = g->key.digest->id,
                .selector = g->key.selector->id,
        };
}

/* ---- reads ---- */

static sw_err *
mem_exists(sw_keystore *ks, const char *id, bool *out)
{
        struct node *n = node_find(store_of(ks), id);

        *out = n && (!node_is_bare(n) || n->back.n);
        return SW_OK;
}

static sw_err *
mem_walk_links(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
               sw_key_id_fn *fn, void *arg)
{
        struct group *g = group_find(store_of(ks), parent, link);

        for (size_t i = 0; g && i < g->children.n; i++)
                if (!fn(arg, g->children.v[i]->id))
                        break;
        return SW_OK;
}

static sw_err *
mem_has_link(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
             const char *child, bool *out)
{
        struct group *g = group_find(store_of(ks), parent, link);
        struct node *n = g ? node_find(store_of(ks), child) : NULL;

        *out = n && group_has(g, n);
        return SW_OK;
}

static sw_err *
mem_walk_records(sw_keystore *ks, const char *id, sw_key_record_fn *fn, void *arg)
{
        struct node *n = node_find(store_of(ks), id);

        for (size_t i = 0; n && i < n->records.n; i++) {
                struct sw_key_record rec = {
                        .result = n->records.v[i].result->id,
                        .created_at = n->records.v[i].created_at,
                        .priority = n->records.v[i].priority,
                };
                if (!fn(arg, &rec))
                        break;
        }
        return SW_OK;
}

static sw_err *
mem_walk_backlinks(sw_keystore *ks, const char *child, sw_key_backlink_fn *fn, void *arg)
{
        struct node *n = node_find(store_of(ks), child);

        for (size_t i = 0; n && i < n->back.n; i++) {
                struct sw_key_link link = group_link(n->back.v[i]);
                if (!fn(arg, n->back.v[i]->key.parent->id, &link))
                        break;
        }
        return SW_OK;
}

static struct result *
result_find(struct store *st, const char *id)
{
        struct result *r;

        FIND(results, id, r);
        return r;
}

static sw_err *
mem_walk_by_result(sw_keystore *ks, const char *result, sw_key_id_fn *fn, void *arg)
{
        struct result *r = result_find(store_of(ks), result);

        for (size_t i = 0; r && i < r->nodes.n; i++)
                if (!fn(arg, r->nodes.v[i]->id))
                        break;
        return SW_OK;
}

static sw_err *
mem_walk_keys(sw_keystore *ks, sw_key_id_fn *fn, void *arg)
{
        struct node *n, *tmp;

        HASH_ITER(hh, store_of(ks)->nodes, n, tmp)
        if (n->records.n && !fn(arg, n->id))
                break;
        return SW_OK;
}

static sw_err *
mem_recall(sw_keystore *ks, const char *digest, bool *known, sw_key_note_fn *fn, void *arg)
{
        sw_strlist *note = sw_map_get(store_of(ks)->notes, digest);

        *known = note != NULL;
        for (size_t i = 0; note && i < note->n; i++)
                if (!fn(arg, (uint32_t) i, note->v[i]))
                        break;
        return SW_OK;
}

/* ---- writes ---- */

static sw_err *
mem_add_link(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
             const char *child)
{
        struct store *st = store_of(ks);
        sw_err *err = sw__key_check_link(parent, link, child);

        if (err)
                return err;

        struct node *n = node_get(st, child);
        struct group *g = group_get(st, parent, link);
        if (group_has(g, n))
                return SW_OK;
        sw__push_tight(&g->children, n);
        sw__push_tight(&n->back, g);
        return SW_OK;
}

static struct result *
result_get(struct store *st, const char *id)
{
        struct result *r;

        GET(results, id, r);
        return r;
}

static sw_err *
mem_add_record(sw_keystore *ks, const char *id, const struct sw_key_record *rec)
{
        struct store *st = store_of(ks);
        sw_err *err = sw__key_check_record(id, rec->result);

        if (err)
                return err;
        struct node *n = node_get(st, id);
        struct record *r = NULL;
        for (size_t i = 0; i < n->records.n && !r; i++)
                if (strcmp(n->records.v[i].result->id, rec->result) == 0)
                        r = &n->records.v[i];
        if (!r) {
                struct result *res = result_get(st, rec->result);

                sw__push_tight(&res->nodes, n);
                sw__push_tight(&n->records, (struct record){ .result = res });
                r = &n->records.v[n->records.n - 1];
        }
        r->created_at = rec->created_at;
        r->priority = rec->priority;
        return SW_OK;
}

static void
node_drop_result(struct node *n, struct result *res)
{
        for (size_t i = 0; i < n->records.n; i++)
                if (n->records.v[i].result == res) {
                        n->records.v[i] = n->records.v[--n->records.n];
                        return;
                }
}

static void
result_free(struct store *st, struct result *res)
{
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is in the table lives */
        HASH_DELETE(hh, st->results, res);
        sw_array_release(&res->nodes);
        free(res);
}

static sw_err *
mem_drop_record(sw_keystore *ks, const char *id, const char *result)
{
        struct store *st = store_of(ks);
        struct node *n = node_find(st, id);
        struct result *res = result_find(st, result);

        if (!n || !res)
                return SW_OK;
        node_drop_result(n, res);
        array_drop(&res->nodes, n);
        if (res->nodes.n == 0)
                result_free(st, res);
        return SW_OK;
}

/* Remove a key that leads nowhere; parents that become bare are added to @todo. */
static void
node_remove(struct store *st, struct node *n, struct node ***todo, size_t *n_todo,
            size_t *cap)
{
        while (n->back.n) {
                struct group *g = n->back.v[--n->back.n];
                struct node *parent = g->key.parent;

                array_drop(&g->children, n);
                if (g->children.n)
                        continue;
                group_free(st, g);
                if (!node_is_bare(parent) || parent == n)
                        continue;
                *todo = sw_array_grow(*todo, *n_todo, cap, 1, sizeof(**todo));
                (*todo)[(*n_todo)++] = parent;
        }
        node_free(st, n);
}

static sw_err *
mem_release(sw_keystore *ks, const char *result)
{
        struct store *st = store_of(ks);
        struct result *res = result_find(st, result);
        struct node **todo = NULL;
        size_t n_todo = 0, cap = 0;

        if (!res)
                return SW_OK;
        for (size_t i = 0; i < res->nodes.n; i++) {
                struct node *n = res->nodes.v[i];

                node_drop_result(n, res);
                if (!node_is_bare(n))
                        continue;
                todo = sw_array_grow(todo, n_todo, &cap, 1, sizeof(*todo));
                todo[n_todo++] = n;
        }
        result_free(st, res);
        /* A node becomes bare once, so it is in the list once. */
        while (n_todo)
                node_remove(st, todo[--n_todo], &todo, &n_todo, &cap);
        free(todo);
        return SW_OK;
}

static void
note_free(void *p)
{
        sw_strlist_release(p);
        free(p);
}

static sw_err *
mem_remember(sw_keystore *ks, const char *digest, const char *const *content, size_t n)
{
        sw_err *err = sw__key_check_note(digest, content, n);

        if (err)
                return err;
        sw_strlist *note = sw_new(sw_strlist);
        for (size_t i = 0; i < n; i++)
                sw_strlist_add(note, content[i]);
        sw_map_set(store_of(ks)->notes, digest, note);
        return SW_OK;
}

static sw_err *
mem_commit(sw_keystore *ks)
{
        (void) ks;
        return SW_OK;
}

/* ---- life ---- */

static void
mem_free(sw_keystore *ks)
{
        struct store *st = store_of(ks);
        struct group *g, *tg;
        struct node *n, *tn;
        struct result *r, *tr;
        struct text *t, *tt;

        HASH_ITER(hh, st->groups, g, tg)
        {
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is in the table lives */
                HASH_DELETE(hh, st->groups, g);
                sw_array_release(&g->children);
                free(g);
        }
        HASH_ITER(hh, st->nodes, n, tn)
        node_free(st, n);
        HASH_ITER(hh, st->results, r, tr)
        result_free(st, r);
        HASH_ITER(hh, st->texts, t, tt)
        {
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is in the table lives */
                HASH_DELETE(hh, st->texts, t);
                free(t);
        }
        sw_map_free(st->notes);
        free(st);
}

static const struct sw_keystore_ops mem_ops = {
        .size = sizeof(struct sw_keystore_ops),
        .name = "memory",
        .exists = mem_exists,
        .walk_links = mem_walk_links,
        .has_link = mem_has_link,
        .walk_records = mem_walk_records,
        .walk_backlinks = mem_walk_backlinks,
        .walk_by_result = mem_walk_by_result,
        .walk_keys = mem_walk_keys,
        .recall = mem_recall,
        .add_link = mem_add_link,
        .add_record = mem_add_record,
        .drop_record = mem_drop_record,
        .release = mem_release,
        .remember = mem_remember,
        .commit = mem_commit,
        .free = mem_free,
};

sw_keystore *
sw__keystore_mem_new(void)
{
        struct store *st = sw_new(struct store);

        st->base.ops = &mem_ops;
        st->notes = sw_map_new(note_free);
        sw__random(st->seed, sizeof(st->seed));
        return &st->base;
}
