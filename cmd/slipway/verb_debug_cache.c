/*
 * cmd/slipway/verb_debug_cache.c - print what the cache knows in the form of a cache
 * configuration: records with their digests, inputs and selectors, layers of results.
 *
 * Keys are found from their results backwards, by links, without recursion, as chains are
 * long; the store may be damaged, so a key is looked at once, whatever leads to it. A key
 * is a record for each cache map that leads to it, which is nearly always one. Thread:
 * main.
 */
#include <inttypes.h>
#include <string.h>

#include <slipway/blob.h>
#include <slipway/map.h>

#include "cmd/slipway/program.h"
#include "cmd/slipway/usage.h"
#include "core/solver/keystore_lmdb.h"

struct link {
        sw_key_id parent, selector;
        sw_key_id digest; /* of the record that it is an input of */
        uint32_t input;
};

struct key {
        sw_key_id id;
        SW_ARRAY(struct link) links; /* that lead to it */
        SW_ARRAY(size_t) records;    /* places in the list */
        char *result;                /* its newest; NULL: none */
        int64_t created;             /* of that */
};

struct record {
        sw_key_id digest;
        size_t key;
};

typedef struct known {
        sw_keystore *ks;
        SW_ARRAY(struct key) keys;
        SW_ARRAY(struct record) records;
        sw_map *layers; /* "<parent> <layer>" -> its place in the list, plus one */
        sw_json *layer_list;
} known;

static void
known_release(known *k)
{
        for (size_t i = 0; i < k->keys.n; i++) {
                sw_array_release(&k->keys.v[i].links);
                sw_array_release(&k->keys.v[i].records);
                free(k->keys.v[i].result);
        }
        sw_array_release(&k->keys);
        sw_array_release(&k->records);
        sw_map_free(k->layers);
        json_decref(k->layer_list);
        sw__keystore_free(k->ks);
}
SW_DEFINE_AUTO(known, known_release)

static void
text_id(sw_key_id *out, const char *s)
{
        snprintf(out->s, sizeof(out->s), "%s", s);
}

/* ---- keys ---- */

static bool
add_key(void *arg, const char *id)
{
        known *k = arg;
        struct key key = { 0 };

        text_id(&key.id, id);
        sw_array_push(&k->keys, key);
        return true;
}

static bool
add_link(void *arg, const char *parent, const struct sw_key_link *link)
{
        struct key *key = arg;
        struct link l = { .input = link->input };

        if (l.input > SW_KEY_NOTE_MAX)
                return true; /* no op has so many */
        text_id(&l.parent, parent);
        text_id(&l.selector, link->selector);
        sw__key_root(link->digest, link->output, &l.digest);
        sw_array_push(&key->links, l);
        return true;
}

static bool
take_newest(void *arg, const struct sw_key_record *rec)
{
        struct key *key = arg;

        if (key->result && rec->created_at <= key->created)
                return true;
        free(key->result);
        key->result = sw_strdup(rec->result);
        key->created = rec->created_at;
        return true;
}

static size_t
key_at(const sw_map *at, const char *id)
{
        return (size_t) (uintptr_t) sw_map_get(at, id) - 1;
}

/* What leads to the keys that are there, and so on; @at: where each is, plus one. */
static sw_err *
follow(known *k, sw_map *at)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < k->keys.n; i++)
                sw_map_set(at, k->keys.v[i].id.s, (void *) (uintptr_t) (i + 1));
        for (size_t i = 0; i < k->keys.n && !err; i++) {
                struct key *key = &k->keys.v[i];

                err = k->ks->ops->walk_backlinks(k->ks, key->id.s, add_link, key);
                if (!err)
                        err = k->ks->ops->walk_records(k->ks, key->id.s, take_newest, key);
                for (size_t j = 0; j < k->keys.v[i].links.n && !err; j++) {
                        const sw_key_id parent = k->keys.v[i].links.v[j].parent;

                        if (sw_map_has(at, parent.s))
                                continue;
                        add_key(k, parent.s);
                        sw_map_set(at, parent.s, (void *) (uintptr_t) k->keys.n);
                }
        }
        return err;
}

/* ---- records ---- */

static int
by_digest(const void *a, const void *b)
{
        const struct record *x = a, *y = b;
        int c = strcmp(x->digest.s, y->digest.s);

        return c ? c : x->key < y->key ? -1 : 1;
}

static void
list_records_of(known *k, size_t i)
{
        const struct key *key = &k->keys.v[i];
        const size_t first = k->records.n;

        if (!key->links.n)
                sw_array_push(&k->records, (struct record){ key->id, i });
        for (size_t j = 0; j < key->links.n; j++) {
                const sw_key_id *digest = &key->links.v[j].digest;
                size_t r = first;

                while (r < k->records.n && strcmp(k->records.v[r].digest.s, digest->s) != 0)
                        r++;
                if (r == k->records.n)
                        sw_array_push(&k->records, (struct record){ *digest, i });
        }
}

static void
list_records(known *k)
{
        for (size_t i = 0; i < k->keys.n; i++)
                list_records_of(k, i);
        if (k->records.n)
                qsort(k->records.v, k->records.n, sizeof(*k->records.v), by_digest);
        for (size_t r = 0; r < k->records.n; r++)
                sw_array_push(&k->keys.v[k->records.v[r].key].records, r);
}

/* ---- as JSON ---- */

static int
by_place(const void *a, const void *b)
{
        json_int_t x = json_integer_value(json_object_get(*(sw_json *const *) a, "link"));
        json_int_t y = json_integer_value(json_object_get(*(sw_json *const *) b, "link"));

        return x < y ? -1 : x > y;
}

/* What record @r has for @input: [{selector, link}], by link. */
static sw_json *
input_json(const known *k, const sw_map *at, const struct record *r, uint32_t input)
{
        const struct key *key = &k->keys.v[r->key];
        SW_ARRAY(sw_json *) all = { 0 };
        sw_json *list = json_array();

        for (size_t i = 0; i < key->links.n; i++) {
                const struct link *l = &key->links.v[i];

                if (l->input != input || strcmp(l->digest.s, r->digest.s) != 0)
                        continue;
                const struct key *parent = &k->keys.v[key_at(at, l->parent.s)];
                for (size_t p = 0; p < parent->records.n; p++) {
                        sw_json *o = json_object();

                        if (l->selector.s[0])
                                json_object_set_new(o, "selector",
                                                    json_text(l->selector.s));
                        json_object_set_new(o, "link",
                                            json_integer(
                                                    (json_int_t) parent->records.v[p]));
                        sw_array_push(&all, o);
                }
        }
        if (all.n)
                qsort(all.v, all.n, sizeof(*all.v), by_place);
        for (size_t i = 0; i < all.n; i++)
                json_array_append_new(list, all.v[i]);
        sw_array_release(&all);
        return list;
}

/* The place of @layer on the one at @parent (-1: on nothing) in the list of layers. */
static int64_t
layer_place(known *k, int64_t parent, const struct sw_chain_layer *layer)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name = sw_asprintf("%" PRId64 " %s", parent, layer->id);
        const size_t there = (size_t) (uintptr_t) sw_map_get(k->layers, name);

        if (there)
                return (int64_t) there - 1;
        sw_json *o = json_object();
        if (layer->n_blobs)
                json_object_set_new(o, "blob",
                                    json_text(sw_digest_str(&layer->blobs[0].digest,
                                                            digest)));
        if (parent != 0) /* the reference leaves it out, too */
                json_object_set_new(o, "parent", json_integer(parent));
        json_array_append_new(k->layer_list, o);
        sw_map_set(k->layers, name, (void *) (uintptr_t) json_array_size(k->layer_list));
        return (int64_t) json_array_size(k->layer_list) - 1;
}

/* The place of the top layer of a result; -1: it has none, or has gone. */
static sw_err *
result_place(known *k, sw_worker *w, const char *result, int64_t *out)
{
        const char *id = strstr(result, "::");
        sw_autoptr(sw_ref) ref = NULL;
        sw_autoptr(sw_chain) chain = NULL;

        *out = -1;
        sw_err *err = id ? sw_worker_load(w, NULL, id + 2, &ref) : SW_OK;
        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "it was pruned since");
                return SW_OK;
        }
        if (!err && ref)
                err = sw_ref_chain(w, NULL, ref, &chain);
        for (size_t i = 0; chain && i < sw_chain_count(chain); i++)
                *out = layer_place(k, *out, sw_chain_get(chain, i));
        return err;
}

static sw_err *
record_json(known *k, sw_worker *w, const sw_map *at, const struct record *r, sw_json *o)
{
        const struct key *key = &k->keys.v[r->key];
        int64_t place = -1;
        uint32_t n = 0;

        /* What depends on nothing is loaded by its own source. */
        sw_err *err = key->result && key->links.n ? result_place(k, w, key->result, &place)
                                                  : SW_OK;
        if (err)
                return err;
        if (place >= 0)
                json_object_set_new(o, "layers",
                                    json_pack("[{s:I}]", "layer", (json_int_t) place));
        json_object_set_new(o, "digest", json_text(r->digest.s));
        for (size_t i = 0; i < key->links.n; i++)
                if (key->links.v[i].input >= n)
                        n = key->links.v[i].input + 1;
        if (!n)
                return SW_OK;
        sw_json *inputs = json_array();
        for (uint32_t i = 0; i < n; i++)
                json_array_append_new(inputs, input_json(k, at, r, i));
        json_object_set_new(o, "inputs", inputs);
        return SW_OK;
}

static sw_err *
print(known *k, sw_worker *w, const sw_map *at)
{
        sw_autoptr(sw_json) records = json_array();
        sw_err *err = SW_OK;

        k->layers = sw_map_new(NULL);
        k->layer_list = json_array();
        for (size_t r = 0; r < k->records.n && !err; r++) {
                sw_json *o = json_object();

                json_array_append_new(records, o);
                err = record_json(k, w, at, &k->records.v[r], o);
        }
        return err ? err
                   : out_json(json_pack("{s:O,s:O}", "records", records, "layers",
                                        k->layer_list));
}

static sw_err *
run_debug_cache(const struct cli_call *call)
{
        const char *id = cli_argument(call, 0);
        sw_auto(store) s = STORE_INIT;
        sw_auto(known) k = { 0 };
        sw_autoptr(sw_map) at = sw_map_new(NULL);
        sw_err *err = store_open(&s, call, false);

        if (err)
                return err;
        if (!s.root)
                return sw_err_new(SW_E_NOT_FOUND, "nothing is stored yet");
        k.ks = sw__keystore_lmdb_new(sw__root_meta(s.root));
        sw_auto(sw_str) result =
                id ? sw_asprintf("%s::%s", sw__root_worker_id(s.root), id) : NULL;
        err = result ? k.ks->ops->walk_by_result(k.ks, result, add_key, &k)
                     : k.ks->ops->walk_keys(k.ks, add_key, &k);
        if (!err && id && !k.keys.n)
                return sw_err_new(SW_E_NOT_FOUND,
                                  "%s is not the result of a step (slipway du lists them)",
                                  id);
        if (!err)
                err = follow(&k, at);
        if (err)
                return err;
        list_records(&k);
        return print(&k, sw__root_worker(s.root), at);
}

static const struct cli_arg debug_cache_args[] = {
        { .name = "ID",
          .min = 0,
          .max = 1,
          .help = "a tree, as slipway du -v names it: only what leads to it" },
        { .name = NULL },
};

CLI_VERB(debug_cache) = {
        .name = "debug cache",
        .summary = "print the records of the cache",
        .details =
                "Prints what is known of earlier builds in the form that BuildKit's cache "
                "configurations have (mode=max), as JSON. A record's digest is that of a "
                "step's cache map and output; its inputs say by which records, and by "
                "which selectors, the step is found again: those without inputs are "
                "sources and digests of content. A layer has its blob where one was made "
                "or fetched.",
        .args = debug_cache_args,
        .run = run_debug_cache,
};
