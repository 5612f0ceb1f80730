/*
 * core/solver/keep.c - what is written to the local key store.
 *
 * An output gets a local key, with links from every key of every input, and a record of its
 * result. Vertices whose result came from an imported cache get the same, and so do the
 * vertices below them that were only keyed: their keys are known here by imported ids, and
 * what is stored here must be found again without the import.
 *
 * Never written: keys whose cache map digests are all volatile, and what can only be
 * reached through such keys. They get a volatile id, so that claims can compare them.
 * Thread: scheduler only.
 */
#include "core/solver/internal.h"

static sw_keystore *
local(const struct sw__vx *v)
{
        return v->cache->places[0].keys;
}

void
sw__group_open(struct sw__core *c, sw_keystore *ks)
{
        if (c->group_writes++)
                return;
        c->open_store = ks;
        c->group_since = c->host->mono(c->host_arg);
}

/* ---- keys ---- */

static const struct sw__key *
local_key(const struct sw__edge *e)
{
        for (size_t i = 0; i < e->keys.n; i++)
                if (e->keys.v[i].place == 0 || e->keys.v[i].place == SW__PLACE_ROOT)
                        return &e->keys.v[i];
        return NULL;
}

static bool
has_own_key(const struct sw__edge *e)
{
        for (size_t i = 0; i < e->keys.n; i++)
                if (e->keys.v[i].place == 0 || e->keys.v[i].place >= SW__PLACE_ROOT)
                        return true;
        return false;
}

/* Link the keys of input @i to @key. */
static void
link_input(struct sw__core *c, struct sw__edge *e, const char *key, const char *map,
           uint32_t i)
{
        sw_keystore *ks = local(e->v);
        struct sw__parents parents = { &e->v->in[i], 0, 0 };
        struct sw_key_link link = { .input = i,
                                    .output = (int32_t) e->output,
                                    .digest = map };
        const struct sw__key *k;

        while ((k = sw__parents_next(&parents, &link.selector)) != NULL) {
                sw__group_open(c, ks);
                sw__store_problem(c, ks->ops->add_link(ks, k->s, &link, key));
        }
}

/* Whether a key of input @i does not lead to @key by cache map @map. */
static bool
lacks_link(struct sw__core *c, struct sw__edge *e, const char *key, const char *map,
           uint32_t i)
{
        sw_keystore *ks = local(e->v);
        struct sw__parents parents = { &e->v->in[i], 0, 0 };
        struct sw_key_link link = { .input = i,
                                    .output = (int32_t) e->output,
                                    .digest = map };
        const struct sw__key *k;
        bool has = true;

        while (has && (k = sw__parents_next(&parents, &link.selector)) != NULL)
                sw__store_problem(c, ks->ops->has_link(ks, k->s, &link, key, &has));
        return !has;
}

/* Whatever keys input @i has, and by every cache map: they lead to @key. */
static void
complete_input(struct sw__core *c, struct sw__edge *e, const char *key, uint32_t i)
{
        const struct sw__vx *v = e->v;

        if (v->n_maps == 1 && v->in[i].edge->keys.n + (v->in[i].content != NULL) < 2)
                return; /* the one link is that by which @key was found */
        for (uint8_t m = 0; m < v->n_maps; m++)
                if (!sw__key_is_volatile(v->maps[m]) &&
                    lacks_link(c, e, key, v->maps[m], i))
                        link_input(c, e, key, v->maps[m], i);
}

void
sw__keep_found(struct sw__core *c, struct sw__edge *e, const char *key)
{
        for (uint32_t i = 0; i < e->v->n_inputs; i++)
                complete_input(c, e, key, i);
}

/* @e, an input of @v, has more keys than when @v was looked up. */
static void
link_grown(struct sw__core *c, struct sw__vx *v, uint32_t input)
{
        for (uint32_t o = 0; o < v->n_outputs; o++) {
                struct sw__edge *e = &v->edges[o];

                for (size_t i = 0; i < e->keys.n; i++)
                        if (e->keys.v[i].place == 0)
                                complete_input(c, e, e->keys.v[i].s, input);
        }
}

void
sw__keep_grown(struct sw__core *c, struct sw__edge *e, size_t before)
{
        if (e->keys.n == before || e->level == SW__NOTHING)
                return;
        for (size_t i = 0; i < e->consumers.n; i++)
                link_grown(c, e->consumers.v[i].v, e->consumers.v[i].input);
}

/* Whether a key of the vertex could be found again in the local store. */
static bool
reachable(const struct sw__vx *v)
{
        bool map = false;

        for (uint8_t m = 0; m < v->n_maps; m++)
                map = map || !sw__key_is_volatile(v->maps[m]);
        for (uint32_t i = 0; map && i < v->n_inputs; i++) {
                struct sw__parents parents = { &v->in[i], 0, 0 };
                const char *selector;

                map = sw__parents_next(&parents, &selector) != NULL;
        }
        return map;
}

void
sw__keep_roots(struct sw__edge *e)
{
        if (e->v->n_maps == 1 && e->keys.n)
                return; /* it has it */
        for (uint8_t m = 0; m < e->v->n_maps; m++) {
                const char *root = sw__edge_root(e, m);

                sw__key_add(e,
                            sw__key_is_volatile(root) ? SW__PLACE_VOLATILE : SW__PLACE_ROOT,
                            root);
        }
}

/* ---- what an imported cache knows beyond this build ---- */

struct backlink {
        char parent[SW_KEY_TEXT_SIZE], digest[SW_KEY_TEXT_SIZE], selector[SW_KEY_TEXT_SIZE];
        uint32_t input;
        int32_t output;
};

struct backlinks {
        const struct sw__edge *e;
        SW_ARRAY(struct backlink) all;
};

#define BACKLINKS_MAX 256

/* Whether a link can lead to the key of @e at all. */
static bool
is_link_of(const struct sw__edge *e, const struct sw_key_link *link)
{
        const struct sw__vx *v = e->v;

        if (link->input >= v->n_inputs || link->output != (int32_t) e->output)
                return false;
        for (uint8_t m = 0; m < v->n_maps; m++)
                if (strcmp(link->digest, v->maps[m]) == 0)
                        return true;
        return false;
}

static bool
copy_text(char out[SW_KEY_TEXT_SIZE], const char *text)
{
        size_t n = strlen(text);

        if (n <= SW_KEY_TEXT_MAX)
                memcpy(out, text, n + 1);
        return n <= SW_KEY_TEXT_MAX;
}

static bool
take_backlink(void *arg, const char *parent, const struct sw_key_link *link)
{
        struct backlinks *b = arg;
        struct backlink l = { .input = link->input, .output = link->output };

        if (!is_link_of(b->e, link) || !copy_text(l.parent, parent) ||
            !copy_text(l.digest, link->digest) || !copy_text(l.selector, link->selector))
                return true;
        sw_array_push(&b->all, l);
        return b->all.n < BACKLINKS_MAX;
}

static bool
not_root(void *arg, const char *parent, const struct sw_key_link *link)
{
        (void) parent;
        (void) link;
        *(bool *) arg = false;
        return false;
}

/*
 * @e is @theirs in the store @far and @ours in the local one. Links from root keys mean the
 * same in both: content keys above all, which this build had no reason to compute. Taken
 * are those of this op alone: an import has a say in what it was asked for and nothing
 * else.
 */
static void
copy_root_links(struct sw__core *c, struct sw__edge *e, sw_keystore *far,
                const char *theirs, const char *ours)
{
        struct backlinks b = { .e = e };
        sw_keystore *ks = local(e->v);

        sw__store_problem(c, far->ops->walk_backlinks(far, theirs, take_backlink, &b));
        for (size_t i = 0; i < b.all.n; i++) {
                const struct backlink *l = &b.all.v[i];
                struct sw_key_link link = { l->input, l->output, l->digest, l->selector };
                bool root = !sw__key_is_volatile(l->parent);

                if (root)
                        sw__store_problem(c, far->ops->walk_backlinks(far, l->parent,
                                                                      not_root, &root));
                if (!root)
                        continue;
                sw__group_open(c, ks);
                sw__store_problem(c, ks->ops->add_link(ks, l->parent, &link, ours));
        }
        sw_array_release(&b.all);
}

static void
copy_far_links(struct sw__core *c, struct sw__edge *e, const char *ours)
{
        const sw_cacheset *set = e->v->cache;

        for (size_t i = 0; i < e->keys.n; i++) {
                const struct sw__key *k = &e->keys.v[i];

                if (k->place != 0 && k->place < set->n)
                        copy_root_links(c, e, set->places[k->place].keys, k->s, ours);
        }
}

/* ---- keys ---- */

/*
 * Give an edge whose inputs have theirs its local key. There may be one by now that it was
 * not looked up by: made by a job with other caches, or by another process.
 */
static void
key_edge(struct sw__core *c, struct sw__edge *e)
{
        sw_key_id id;

        if (e->v->n_inputs == 0) {
                sw__keep_roots(e);
                return;
        }
        if (!reachable(e->v)) {
                if (!has_own_key(e)) {
                        sw__key_new_volatile(&id);
                        sw__key_add(e, SW__PLACE_VOLATILE, id.s);
                }
                return;
        }
        if (!local_key(e))
                (void) sw__lookup(c, e);
        const struct sw__key *k = local_key(e);
        if (!k) {
                sw__key_new(&c->keys, &id);
                sw__key_add(e, 0, id.s);
                k = local_key(e);
        }
        copy_far_links(c, e, k->s);
        for (uint8_t m = 0; m < e->v->n_maps; m++)
                for (uint32_t i = 0;
                     !sw__key_is_volatile(e->v->maps[m]) && i < e->v->n_inputs; i++)
                        link_input(c, e, k->s, e->v->maps[m], i);
}

/* The same for an edge whose inputs may lack theirs: depth first, without recursion. */
static void
key_deep(struct sw__core *c, struct sw__edge *top)
{
        struct frame {
                struct sw__edge *e;
                uint32_t next;
        };
        SW_ARRAY(struct frame) stack = { 0 };

        sw_array_push(&stack, (struct frame){ top, 0 });
        while (stack.n) {
                struct frame *f = &stack.v[stack.n - 1];

                while (f->next < f->e->v->n_inputs &&
                       has_own_key(f->e->v->in[f->next].edge))
                        f->next++;
                if (f->next < f->e->v->n_inputs) {
                        struct sw__edge *in = f->e->v->in[f->next++].edge;
                        sw_array_push(&stack, (struct frame){ in, 0 });
                        continue;
                }
                size_t before = f->e->keys.n;
                key_edge(c, f->e);
                sw__keep_grown(c, f->e, before);
                stack.n--;
        }
        sw_array_release(&stack);
}

/* ---- records ---- */

static void
add_record(struct sw__core *c, struct sw__edge *e, const sw_result *r)
{
        sw_keystore *ks = local(e->v);
        struct sw_key_record rec = {
                .result = sw__result_id(r),
                .created_at = c->host->now(c->host_arg),
        };

        if (!rec.result)
                return;
        for (size_t i = 0; i < e->keys.n; i++) {
                const struct sw__key *k = &e->keys.v[i];

                if (k->place != 0 && k->place != SW__PLACE_ROOT)
                        continue;
                sw__group_open(c, ks);
                sw__store_problem(c, ks->ops->add_record(ks, k->s, &rec));
                if (k->place == 0)
                        return; /* one derived key is enough, all links lead to it */
        }
}

void
sw__keep_outputs(struct sw__core *c, struct sw__vx *v)
{
        for (uint32_t o = 0; o < v->n_outputs; o++) {
                struct sw__edge *e = &v->edges[o];
                size_t before = e->keys.n;

                key_edge(c, e);
                add_record(c, e, v->out[o]);
                sw__keep_grown(c, e, before);
        }
}

void
sw__keep_loaded(struct sw__core *c, struct sw__edge *e)
{
        if (e->v->n_inputs == 0 && e->keys.n > 1)
                add_record(c, e, e->result);
}

void
sw__keep_imported(struct sw__core *c, struct sw__edge *e)
{
        key_deep(c, e);
        add_record(c, e, e->result);
}

void
sw__keep_shared(struct sw__core *c, struct sw__edge *e, const struct sw__edge *from)
{
        size_t before = e->keys.n;

        for (size_t i = 0; i < from->keys.n; i++)
                sw__key_add(e, from->keys.v[i].place, from->keys.v[i].s);
        key_edge(c, e);
        add_record(c, e, e->v->out[e->output]);
        sw__keep_grown(c, e, before);
}

void
sw__keep_note(struct sw__core *c, struct sw__vx *v)
{
        sw_keystore *ks = local(v);
        const char **content = NULL;
        size_t n = 0;

        if (!ks->ops->remember || sw__key_is_volatile(v->maps[0]))
                return;
        for (uint32_t i = 0; i < v->n_inputs; i++)
                if (v->in[i].content)
                        n = i + 1;
        if (n)
                content = sw_alloc_array(n, sizeof(*content));
        for (size_t i = 0; i < n; i++)
                content[i] = v->in[i].content ? v->in[i].content->digest : "";
        sw__group_open(c, ks);
        sw__store_problem(c, ks->ops->remember(ks, v->maps[0], content, n));
        free(content);
}
