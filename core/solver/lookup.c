/*
 * core/solver/lookup.c - which keys of the stores belong to an edge, and which records.
 *
 * A derived key belongs to an edge when for every input one of the input's keys has a link
 * to it (keystore.h). Candidates are taken from an input that leads to few and sieved by
 * the others: a base image leads to whatever was ever copied onto it, the files to a few of
 * these. This is done anew whenever more is known of the inputs: it costs a few table
 * lookups, and nothing has to be kept for it.
 *
 * Stores are not to be trusted with the scheduler's time: what a vertex can be found by is
 * bounded by the numbers below. Beyond them there is a miss, never a wrong hit.
 *
 * Every place of the cache set is searched by itself: ids of derived keys mean nothing
 * elsewhere, ids of root keys mean the same everywhere.
 * Thread: scheduler only.
 */
#include "core/solver/internal.h"

#define FOUND_MIN  4   /* candidates of an input that is narrow */
#define FOUND_MAX  256 /* that are looked at in any case */
#define FOUND_WORK (4 * FOUND_MAX)
#define KEYS_MAX   64 /* of an edge, found */
#define DEAD_MAX   32 /* results that did not load: then the op runs */

void
sw__store_problem(struct sw__core *c, sw_err *err)
{
        if (!err)
                return;
        sw__trace_add(c->trace, SW__T_STORE_ERR, 0, 0, 0, 0, (uint64_t) sw_err_code(err));
        c->host->problem(c->host_arg, err);
        sw_err_drop(err, "the cache does not work: builds go on without");
}

bool
sw__key_add(struct sw__edge *e, uint8_t place, const char *id)
{
        struct sw__key k;

        for (size_t i = 0; i < e->keys.n; i++)
                if (e->keys.v[i].place == place && strcmp(e->keys.v[i].s, id) == 0)
                        return false;
        k.place = place;
        sw__key_text(k.s, id);
        sw__push_tight(&e->keys, k);
        return true;
}

const char *
sw__edge_root(struct sw__edge *e, uint8_t m)
{
        const struct sw__vx *v = e->v;

        if (e->n_roots < v->n_maps)
                e->roots = sw_realloc_array(e->roots, v->n_maps, sizeof(*e->roots));
        for (; e->n_roots < v->n_maps; e->n_roots++)
                sw__key_root(v->maps[e->n_roots], (int32_t) e->output,
                             &e->roots[e->n_roots]);
        return e->roots[m].s;
}

const struct sw__key *
sw__parents_next(struct sw__parents *p, const char **selector)
{
        const struct sw__edge *e = p->in->edge;

        while (p->n < e->keys.n) {
                const struct sw__key *k = &e->keys.v[p->n++];
                if (k->place == p->place || k->place == SW__PLACE_ROOT) {
                        *selector = p->in->selector ? p->in->selector : "";
                        return k;
                }
        }
        if (p->n == e->keys.n && p->in->content &&
            p->in->content->root.place == SW__PLACE_ROOT) {
                p->n++;
                *selector = "";
                return &p->in->content->root;
        }
        return NULL;
}

/* ---- candidates ---- */

/* One store, one cache map, one edge. */
struct probe {
        struct sw__core *c;
        struct sw__edge *e;
        sw_keystore *ks;
        uint8_t place;
        uint8_t m;
        const char *map;
};

static struct sw_key_link
link_of(const struct probe *p, uint32_t i, const char *selector)
{
        return (struct sw_key_link){
                .input = i,
                .output = (int32_t) p->e->output,
                .digest = p->map,
                .selector = selector,
        };
}

struct collector {
        struct sw__core *c;
        size_t limit;
        bool over;
};

static bool
add_found(void *arg, const char *id)
{
        struct collector *to = arg;
        struct sw__core *c = to->c;
        sw_key_id k;

        for (size_t i = 0; i < c->found.n; i++)
                if (strcmp(c->found.v[i].s, id) == 0)
                        return true;
        if (strlen(id) > SW_KEY_TEXT_MAX)
                return true; /* not one of ours */
        to->over = c->found.n == to->limit;
        if (to->over)
                return false;
        sw__key_text(k.s, id);
        sw_array_push(&c->found, k);
        return true;
}

/* Fill c->found with what input @i leads to; false: that is more than @limit. */
static bool
collect(struct probe *p, uint32_t i, size_t limit)
{
        struct sw__parents parents = { &p->e->v->in[i], p->place, 0 };
        struct collector to = { p->c, limit, false };
        const struct sw__key *k;
        const char *selector;

        p->c->found.n = 0;
        while (!to.over && (k = sw__parents_next(&parents, &selector)) != NULL) {
                struct sw_key_link link = link_of(p, i, selector);

                sw__store_problem(p->c, p->ks->ops->walk_links(p->ks, k->s, &link,
                                                               add_found, &to));
        }
        return !to.over;
}

static bool
has_child(struct probe *p, uint32_t i, const char *child)
{
        struct sw__parents parents = { &p->e->v->in[i], p->place, 0 };
        const struct sw__key *k;
        const char *selector;
        bool has = false;

        while (!has && (k = sw__parents_next(&parents, &selector)) != NULL) {
                struct sw_key_link link = link_of(p, i, selector);

                sw__store_problem(p->c,
                                  p->ks->ops->has_link(p->ks, k->s, &link, child, &has));
        }
        return has;
}

static void
sieve(struct probe *p, uint32_t i)
{
        size_t n = 0;

        for (size_t j = 0; j < p->c->found.n; j++)
                if (has_child(p, i, p->c->found.v[j].s))
                        p->c->found.v[n++] = p->c->found.v[j];
        p->c->found.n = n;
}

static bool
content_to_come(const struct sw__input *in)
{
        return in->content_state == SW__CT_DECLARED || in->content_state == SW__CT_PENDING;
}

/* Fill c->found from an input that leads to few keys; which one, or n_inputs when all are
 * open. */
static uint32_t
collect_narrow(struct probe *p, bool open)
{
        const struct sw__vx *v = p->e->v;
        uint32_t last = v->n_inputs;

        for (size_t limit = FOUND_MIN; limit <= FOUND_MAX; limit *= 8) {
                size_t left = FOUND_WORK / limit;

                for (uint32_t i = 0; i < v->n_inputs && left; i++) {
                        if (open && content_to_come(&v->in[i]))
                                continue;
                        last = i;
                        if (collect(p, i, limit))
                                return i;
                        left--;
                }
        }
        return last; /* all are wide: some of what one of them leads to */
}

/*
 * Fill c->found with what all inputs lead to. With @open, inputs whose content key is not
 * known yet are taken to lead anywhere; then true also when all are such.
 */
static bool
find(struct probe *p, bool open)
{
        const struct sw__vx *v = p->e->v;
        uint32_t from = collect_narrow(p, open);

        if (from == v->n_inputs)
                return true;
        for (uint32_t i = 0; i < v->n_inputs && p->c->found.n; i++)
                if (i != from && !(open && content_to_come(&v->in[i])))
                        sieve(p, i);
        return p->c->found.n != 0;
}

/* ---- records ---- */

struct pick {
        const struct sw__edge *e;
        uint8_t place;
        bool any; /* one is enough */
        bool found;
        int64_t created_at;
        int32_t priority;
        uint8_t best_place;
        char *id;
};

static bool
consider(void *arg, const struct sw_key_record *rec)
{
        struct pick *p = arg;

        const sw_strlist *dead = p->e->dead;

        if (dead && dead->n >= DEAD_MAX)
                return false;
        if (dead && sw_strlist_has(dead, rec->result))
                return true;
        if (p->any) {
                p->found = true;
                return false;
        }
        if (p->found &&
            (rec->created_at < p->created_at ||
             (rec->created_at == p->created_at && rec->priority >= p->priority)))
                return true;
        p->found = true;
        p->created_at = rec->created_at;
        p->priority = rec->priority;
        p->best_place = p->place;
        free(p->id);
        p->id = sw_strdup(rec->result);
        return true;
}

static void
look_through(struct sw__core *c, struct pick *p)
{
        const sw_cacheset *set = p->e->v->cache;

        for (uint8_t place = 0; place < set->n; place++)
                for (size_t i = 0; i < p->e->keys.n && !(p->any && p->found); i++) {
                        const struct sw__key *k = &p->e->keys.v[i];
                        sw_keystore *ks = set->places[place].keys;

                        if (k->place != place && k->place != SW__PLACE_ROOT)
                                continue;
                        p->place = place;
                        sw__store_problem(c, ks->ops->walk_records(ks, k->s, consider, p));
                }
}

char *
sw__lookup_best(struct sw__core *c, struct sw__edge *e, uint8_t *place)
{
        struct pick p = { .e = e };

        look_through(c, &p);
        *place = p.best_place;
        return p.id;
}

void
sw__lookup_drop(struct sw__core *c, struct sw__edge *e, uint8_t place, const char *id)
{
        sw_keystore *ks = e->v->cache->places[place].keys;

        if (place != 0)
                return; /* imported caches are only read */
        sw__group_open(c, ks);
        for (size_t i = 0; i < e->keys.n; i++)
                if (e->keys.v[i].place == place || e->keys.v[i].place == SW__PLACE_ROOT)
                        sw__store_problem(c, ks->ops->drop_record(ks, e->keys.v[i].s, id));
}

/* ---- lookups ---- */

static void
probe_root(struct probe *p)
{
        const char *root = sw__edge_root(p->e, p->m);
        bool there = false;

        sw__store_problem(p->c, p->ks->ops->exists(p->ks, root, &there));
        if (there)
                sw__key_add(p->e, SW__PLACE_ROOT, root);
}

static void
probe_derived(struct probe *p)
{
        if (!find(p, false))
                return;
        for (size_t i = 0; i < p->c->found.n && p->e->keys.n < KEYS_MAX; i++) {
                const char *id = p->c->found.v[i].s;
                sw__key_add(p->e, p->place, id);
                if (p->place == 0)
                        sw__keep_found(p->c, p->e, id);
        }
}

/* Call @fn for each store with each cache map that can be in it, until it returns true. */
static bool
each_probe(struct sw__core *c, struct sw__edge *e, bool (*fn)(struct probe *p, void *arg),
           void *arg)
{
        const struct sw__vx *v = e->v;

        for (size_t place = 0; place < v->cache->n; place++)
                for (uint8_t m = 0; m < v->n_maps; m++) {
                        struct probe p = {
                                c, e,         v->cache->places[place].keys, (uint8_t) place,
                                m, v->maps[m]
                        };
                        if (!sw__key_is_volatile(v->maps[m]) && fn(&p, arg))
                                return true;
                }
        return false;
}

static bool
probe_one(struct probe *p, void *arg)
{
        (void) arg;
        if (p->e->v->n_inputs)
                probe_derived(p);
        else
                probe_root(p);
        return false;
}

bool
sw__lookup(struct sw__core *c, struct sw__edge *e)
{
        struct pick p = { .e = e, .any = true };
        size_t before = e->keys.n;

        each_probe(c, e, probe_one, NULL);
        if (e->v->n_inputs == 0 && e->keys.n)
                sw__keep_roots(
                        e); /* known by one cache map: it is the same by the others */
        sw__keep_grown(c, e, before);
        look_through(c, &p);
        sw__trace_add(c->trace, SW__T_LOOKUP, e->v->number, p.found, 0, e->output,
                      e->keys.n);
        return p.found;
}

static bool
find_open(struct probe *p, void *arg)
{
        (void) arg;
        return find(p, true);
}

bool
sw__lookup_content_helps(struct sw__core *c, struct sw__edge *e)
{
        const struct sw__vx *v = e->v;
        bool any = false;

        for (uint32_t i = 0; i < v->n_inputs && !any; i++)
                any = content_to_come(&v->in[i]);
        return any && each_probe(c, e, find_open, NULL);
}

static bool
find_input(struct probe *p, void *arg)
{
        (void) collect(p, *(const uint32_t *) arg, 1);
        return p->c->found.n != 0;
}

bool
sw__lookup_input_known(struct sw__core *c, struct sw__edge *e, uint32_t i)
{
        return each_probe(c, e, find_input, &i);
}
