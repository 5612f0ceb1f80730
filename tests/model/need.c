/*
 * tests/model/need.c - what a build has to evaluate, found naively.
 *
 * By recursion, one thing after the other, from the key store as it is before the build:
 * first the keys that need no evaluation, then those that do, then the results; and nothing
 * of what one part of the graph found out is used by another. That is the order of
 * docs and design, without its cleverness: what is evaluated, loaded or has its content
 * looked at by the solver must be among what is marked here, whatever it does side by side.
 *
 * For graphs in which every op has a meaning of its own. Others find what is made of their
 * like in the same build, and how much that is depends on the order.
 */
#include <assert.h>
#include <stdio.h>

#include "tests/model/model.h"

struct nkey {
        bool root; /* means the same in every place */
        unsigned place;
        char s[SW_KEY_TEXT_SIZE];
};

struct nkeys {
        SW_ARRAY(struct nkey) v;
};

struct nedge {
        bool keyed, more, done, hit;
        unsigned maps; /* asked for so far; that another output had more is luck */
        struct nkeys keys;
        sw_strlist dead;
};

struct nvx {
        const struct mvx *vx;
        char map[3][SW_KEY_TEXT_SIZE];
        char selector[MAX_IN][16];
        unsigned contents; /* bits: inputs whose content key is known */
        char content[MAX_IN][SW_KEY_TEXT_SIZE];
        struct nedge e[MAX_OUT];
};

struct naive {
        struct world *w;
        unsigned places;
        struct nvx v[MAX_VX];
        struct need *need;
};

/* ---- lookups ---- */

static sw_keystore *
store_of(const struct naive *n, unsigned place)
{
        return place ? n->w->remote : n->w->local;
}

static bool
add_id(void *arg, const char *id)
{
        sw_strlist_add(arg, id);
        return true;
}

static bool
any_record(void *arg, const struct sw_key_record *rec)
{
        sw_strlist_add(arg, rec->result);
        return true;
}

/* Call @fn for each key that input @i is a parent by; true when one does. */
static bool
each_parent(struct naive *n, unsigned v, unsigned i, unsigned place,
            bool (*fn)(sw_keystore *ks, const char *parent, const char *selector,
                       void *arg),
            void *arg)
{
        struct nvx *nv = &n->v[v];
        const struct sw_vertex_input *in = &nv->vx->in[i];
        const struct nkeys *keys = &n->v[in->vertex].e[in->output].keys;
        sw_keystore *ks = store_of(n, place);
        bool any = false;

        for (size_t k = 0; k < keys->v.n; k++)
                if (keys->v.v[k].root || keys->v.v[k].place == place)
                        any |= fn(ks, keys->v.v[k].s, nv->selector[i], arg);
        if (nv->contents & (1u << i) && !sw__key_is_volatile(nv->content[i])) {
                sw_key_id root;
                sw__key_root(nv->content[i], SW_KEY_OUTPUT_CONTENT, &root);
                any |= fn(ks, root.s, "", arg);
        }
        return any;
}

struct hop {
        struct sw_key_link link;
        const char *child;
        sw_strlist *children;
};

static bool
collect(sw_keystore *ks, const char *parent, const char *selector, void *arg)
{
        struct hop *h = arg;

        h->link.selector = selector;
        sw_err_drop(ks->ops->walk_links(ks, parent, &h->link, add_id, h->children), "mem");
        return true;
}

static bool
leads_to(sw_keystore *ks, const char *parent, const char *selector, void *arg)
{
        struct hop *h = arg;
        bool has = false;

        h->link.selector = selector;
        sw_err_drop(ks->ops->has_link(ks, parent, &h->link, h->child, &has), "mem");
        return has;
}

/* Whether every input that is not in @open leads to @child. */
static bool
all_lead(struct naive *n, unsigned v, unsigned place, struct hop *h, const char *child,
         unsigned open)
{
        bool all = true;

        h->child = child;
        for (unsigned i = 0; i < n->v[v].vx->sense->n_in && all; i++) {
                h->link.input = i;
                all = open & (1u << i) || each_parent(n, v, i, place, leads_to, h);
        }
        return all;
}

static bool
has_key(const struct nkeys *keys, unsigned place, const char *id)
{
        for (size_t k = 0; k < keys->v.n; k++)
                if ((keys->v.v[k].root || keys->v.v[k].place == place) &&
                    strcmp(keys->v.v[k].s, id) == 0)
                        return true;
        return false;
}

static void
add_key(struct nkeys *keys, bool root, unsigned place, const char *id)
{
        struct nkey k = { .root = root, .place = place };

        if (has_key(keys, place, id))
                return;
        snprintf(k.s, sizeof(k.s), "%s", id);
        sw_array_push(&keys->v, k);
}

/* The keys by one cache map in one place, those of inputs in @open being anything; added to
 * @keys unless that is NULL. Whether there are any. */
static bool
find_derived(struct naive *n, unsigned v, unsigned output, unsigned place, unsigned m,
             unsigned open, struct nkeys *keys)
{
        sw_strlist found = { 0 };
        struct hop h = { .link = { .output = (int32_t) output, .digest = n->v[v].map[m] },
                         .children = &found };
        unsigned first = 0;
        bool any = false;

        while (first < n->v[v].vx->sense->n_in && open & (1u << first))
                first++;
        if (first == n->v[v].vx->sense->n_in)
                return true;
        h.link.input = first;
        each_parent(n, v, first, place, collect, &h);
        for (size_t i = 0; i < found.n; i++) {
                if (!all_lead(n, v, place, &h, found.v[i], open))
                        continue;
                any = true;
                if (keys)
                        add_key(keys, false, place, found.v[i]);
        }
        sw_strlist_release(&found);
        return any;
}

static bool
find_root(struct naive *n, unsigned v, unsigned output, unsigned place, unsigned m)
{
        sw_keystore *ks = store_of(n, place);
        sw_key_id root;
        bool there = false;

        sw__key_root(n->v[v].map[m], (int32_t) output, &root);
        sw_err_drop(ks->ops->exists(ks, root.s, &there), "mem");
        return there;
}

/* By each cache map in each place, as find_derived(). */
static bool
find(struct naive *n, unsigned v, unsigned output, unsigned open, struct nkeys *keys)
{
        struct nvx *nv = &n->v[v];
        const unsigned maps = nv->e[output].maps;
        bool any = false;

        for (unsigned place = 0; place < n->places; place++)
                for (unsigned m = 0; m < maps; m++) {
                        if (sw__key_is_volatile(nv->map[m]))
                                continue;
                        if (nv->vx->sense->n_in)
                                any |= find_derived(n, v, output, place, m, open, keys);
                        else
                                any |= find_root(n, v, output, place, m);
                }
        for (unsigned m = 0; any && keys && nv->vx->sense->n_in == 0 && m < maps; m++) {
                sw_key_id root;
                sw__key_root(nv->map[m], (int32_t) output, &root);
                if (!sw__key_is_volatile(nv->map[m]))
                        add_key(keys, true, 0, root.s);
        }
        return any;
}

/* The results that its keys have records of, short of those that did not load. */
static void
records(struct naive *n, struct nedge *e, sw_strlist *out)
{
        sw_strlist all = { 0 };

        for (unsigned place = 0; place < n->places; place++)
                for (size_t k = 0; k < e->keys.v.n; k++) {
                        sw_keystore *ks = store_of(n, place);

                        if (e->keys.v.v[k].root || e->keys.v.v[k].place == place)
                                sw_err_drop(ks->ops->walk_records(ks, e->keys.v.v[k].s,
                                                                  any_record, &all),
                                            "mem");
                }
        for (size_t i = 0; i < all.n; i++)
                if (!sw_strlist_has(&e->dead, all.v[i]))
                        sw_strlist_add(out, all.v[i]);
        sw_strlist_release(&all);
}

static bool
look_up(struct naive *n, unsigned v, unsigned output)
{
        struct nedge *e = &n->v[v].e[output];
        sw_strlist out = { 0 };

        find(n, v, output, 0, &e->keys);
        records(n, e, &out);
        e->hit = out.n != 0;
        sw_strlist_release(&out);
        return e->hit;
}

/* ---- the three steps ---- */

static void evaluate(struct naive *n, unsigned v, unsigned output);

static void
to_keys(struct naive *n, unsigned v, unsigned output)
{
        struct nvx *nv = &n->v[v];
        struct nedge *e = &nv->e[output];

        if (e->keyed)
                return;
        e->keyed = true;
        for (unsigned i = 0; i < nv->vx->sense->n_in; i++)
                to_keys(n, nv->vx->in[i].vertex, nv->vx->in[i].output);
        for (unsigned m = 1; m <= nv->vx->sense->n_maps; m++) {
                e->maps = m;
                if (look_up(n, v, output))
                        break;
        }
        e->more = e->hit || nv->vx->sense->n_in == 0;
}

static void
learn_contents(struct naive *n, unsigned v)
{
        struct nvx *nv = &n->v[v];

        for (unsigned i = 0; i < nv->vx->sense->n_in; i++) {
                const struct sw_vertex_input *in = &nv->vx->in[i];

                if (!(nv->vx->sense->content & (1u << i)) || nv->contents & (1u << i))
                        continue;
                evaluate(n, in->vertex, in->output);
                sense_content(nv->vx->sense, i, naive_value(n->w, in->vertex, in->output),
                              nv->content[i]);
                nv->contents |= 1u << i;
                n->need->contents[v] |= 1u << i;
        }
}

static void
to_more(struct naive *n, unsigned v, unsigned output)
{
        struct nvx *nv = &n->v[v];
        struct nedge *e = &nv->e[output];
        unsigned open = nv->vx->sense->content & ~nv->contents;

        to_keys(n, v, output);
        if (e->more)
                return;
        e->more = true;
        for (unsigned i = 0; i < nv->vx->sense->n_in; i++)
                to_more(n, nv->vx->in[i].vertex, nv->vx->in[i].output);
        if (look_up(n, v, output) || !open || !find(n, v, output, open, NULL))
                return;
        learn_contents(n, v);
        look_up(n, v, output);
}

/* Whether one of the results is there. */
static bool
load(struct naive *n, unsigned v, unsigned output)
{
        struct nedge *e = &n->v[v].e[output];
        sw_strlist out = { 0 };
        bool there = false;

        n->need->loads[v] |= 1u << output;
        records(n, e, &out);
        for (size_t i = 0; i < out.n; i++) {
                const struct stored *s = result_find(n->w, out.v[i]);

                if (s && !s->gone)
                        there = true;
                else
                        sw_strlist_add(&e->dead, out.v[i]);
        }
        sw_strlist_release(&out);
        return there;
}

static void
evaluate(struct naive *n, unsigned v, unsigned output)
{
        struct nvx *nv = &n->v[v];
        struct nedge *e = &nv->e[output];

        assert(nv->vx); /* of the world */
        to_more(n, v, output);
        if (e->done)
                return;
        e->done = true;
        if (e->hit && load(n, v, output))
                return;
        for (unsigned i = 0; i < nv->vx->sense->n_in; i++)
                evaluate(n, nv->vx->in[i].vertex, nv->vx->in[i].output);
        learn_contents(n, v);
        e->maps = nv->vx->sense->n_maps;
        if (!look_up(n, v, output) || !load(n, v, output))
                n->need->runs |= 1u << v;
}

/* ---- all of it ---- */

static void
describe_op(struct nvx *nv)
{
        for (unsigned m = 0; m < nv->vx->sense->n_maps; m++) {
                struct sw_cache_dep deps[MAX_IN] = { 0 };
                struct sw_cache_map map = { .deps = deps };

                sense_map(nv->vx->sense, m, &map);
                snprintf(nv->map[m], sizeof(nv->map[m]), "%s", map.digest);
                for (unsigned i = 0; m == 0 && i < nv->vx->sense->n_in; i++)
                        if (deps[i].selector)
                                snprintf(nv->selector[i], sizeof(nv->selector[i]), "%s",
                                         deps[i].selector);
                for (unsigned i = 0; i < MAX_IN; i++)
                        free(deps[i].selector);
        }
}

void
naive_need(struct world *w, unsigned places, struct sw_vertex_input root, struct need *need)
{
        struct naive *n = sw_new(struct naive);

        memset(need, 0, sizeof(*need));
        *n = (struct naive){ .w = w, .places = places, .need = need };
        for (unsigned v = 0; v < w->n_vx; v++) {
                n->v[v].vx = &w->vx[v];
                describe_op(&n->v[v]);
        }
        evaluate(n, root.vertex, root.output);
        for (unsigned v = 0; v < w->n_vx; v++)
                for (unsigned o = 0; o < MAX_OUT; o++) {
                        sw_array_release(&n->v[v].e[o].keys.v);
                        sw_strlist_release(&n->v[v].e[o].dead);
                }
        free(n);
}
