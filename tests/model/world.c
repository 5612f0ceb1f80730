/*
 * tests/model/world.c - meanings, graphs, results and the naive evaluator.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/model/model.h"

/* ---- decisions ---- */

static uint64_t
random64(uint64_t *s)
{
        uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

unsigned
choose(struct chooser *ch, unsigned n)
{
        if (!ch->exhaustive)
                return (unsigned) (random64(&ch->rng) % n);
        if (n == 1)
                return 0;
        if (ch->depth == ch->n) { /* a decision not made before: take the first way */
                if (ch->n == ch->cap) {
                        ch->cap = ch->cap ? 2 * ch->cap : 64;
                        ch->path = sw_realloc_array(ch->path, ch->cap, 1);
                        ch->ways = sw_realloc_array(ch->ways, ch->cap, 1);
                }
                ch->path[ch->n] = 0;
                ch->ways[ch->n++] = (uint8_t) n;
        }
        assert(ch->ways[ch->depth] == n);
        return ch->path[ch->depth++];
}

bool
chance(struct chooser *ch, unsigned percent)
{
        return choose(ch, 100) < percent;
}

bool
choose_next(struct chooser *ch)
{
        while (ch->n && ch->path[ch->n - 1] + 1 == ch->ways[ch->n - 1])
                ch->n--;
        ch->depth = 0;
        if (ch->n == 0)
                return false;
        ch->path[ch->n - 1]++;
        return true;
}

/* ---- meaning ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
        uint64_t s = a ^ (b * UINT64_C(0xd6e8feb86659fd93));

        return random64(&s);
}

static uint64_t
content_of(const struct sense *s, unsigned input, uint64_t value)
{
        if (!(s->content & (1u << input)))
                return value;
        return s->collapse ? value % s->collapse : value;
}

uint64_t
sense_value(const struct sense *s, unsigned output, const uint64_t *in)
{
        uint64_t h = mix(s->id, output);

        for (unsigned i = 0; i < s->n_in; i++)
                h = mix(h, content_of(s, i, in[i]));
        return h;
}

void
sense_map(const struct sense *s, unsigned index, struct sw_cache_map *out)
{
        const char *scheme = s->is_volatile ? "random" : "sense";

        if (index == 0 && s->n_maps > 1)
                snprintf(out->digest, sizeof(out->digest), "%s:%" PRIx64 ".v%u", scheme,
                         s->id, s->variant);
        else
                snprintf(out->digest, sizeof(out->digest), "%s:%" PRIx64 ".%u", scheme,
                         s->id, index);
        out->more = index + 1 < s->n_maps;
        for (unsigned i = 0; index == 0 && i < s->n_in; i++) {
                out->deps[i].content = s->content & (1u << i);
                if (s->selectors & (1u << i))
                        out->deps[i].selector = sw_asprintf("part%u", i);
        }
}

void
sense_content(const struct sense *s, unsigned input, uint64_t value,
              char out[SW_KEY_TEXT_SIZE])
{
        snprintf(out, SW_KEY_TEXT_SIZE, "%s:%" PRIx64,
                 s->content_volatile ? "random" : "content", content_of(s, input, value));
}

struct sense *
world_sense(struct world *w, unsigned n_in)
{
        struct chooser *ch = &w->ch;
        struct sense *s = &w->senses[w->n_senses++];

        assert(w->n_senses <= MAX_SENSE);
        memset(s, 0, sizeof(*s));
        s->id = mix(w->n_senses, 77) >> 8;
        s->n_in = n_in;
        s->n_out = chance(ch, 30) ? 1 + choose(ch, MAX_OUT) : 1;
        s->n_maps = chance(ch, 30) ? 1 + choose(ch, 3) : 1;
        for (unsigned i = 0; i < n_in; i++) {
                s->content |= chance(ch, 40) ? 1u << i : 0;
                s->selectors |= chance(ch, 20) ? 1u << i : 0;
        }
        s->collapse = chance(ch, 60) ? 1 + choose(ch, 4) : 0;
        s->is_volatile = chance(ch, 4);
        s->content_volatile = chance(ch, 4);
        return s;
}

/* ---- graphs ---- */

unsigned
world_add(struct world *w, struct sense *s, const struct sw_vertex_input *in)
{
        struct mvx *v = &w->vx[w->n_vx];
        char name[32];

        memset(v, 0, sizeof(*v));
        v->sense = s;
        for (unsigned i = 0; i < s->n_in; i++)
                v->in[i] = in[i];
        snprintf(name, sizeof(name), "vertex %" PRIu64, ++w->digests);
        v->digest = sw_digest_of(name, strlen(name));
        return w->n_vx++;
}

static struct sw_vertex_input
random_edge(struct world *w, unsigned below)
{
        struct sw_vertex_input in = { 0 };

        /* The latest ones more often: deep graphs. */
        in.vertex = chance(&w->ch, 50) ? below - 1 : choose(&w->ch, below);
        in.output = choose(&w->ch, w->vx[in.vertex].sense->n_out);
        return in;
}

static unsigned
twin_of(struct world *w, unsigned v)
{
        /* Another vertex with the same meaning and, where one has a twin, its inputs. */
        for (unsigned i = 0; i < w->n_vx; i++)
                if (i != v && w->vx[i].sense == w->vx[v].sense)
                        return i;
        return v;
}

static void
add_twin(struct world *w)
{
        const struct mvx *v = &w->vx[choose(&w->ch, w->n_vx)];
        struct sw_vertex_input in[MAX_IN];

        for (unsigned i = 0; i < v->sense->n_in; i++) {
                in[i] = v->in[i];
                if (chance(&w->ch, 60))
                        in[i].vertex = twin_of(w, in[i].vertex);
                else if (chance(&w->ch, 30)) /* a twin of the op alone */
                        in[i] = random_edge(w, w->n_vx);
        }
        world_add(w, v->sense, in);
}

static void
new_graph(struct world *w, unsigned twins)
{
        unsigned n = 2 + choose(&w->ch, MAX_VX - 2);

        w->n_vx = w->n_senses = 0;
        while (w->n_vx < n) {
                struct sw_vertex_input in[MAX_IN];
                unsigned n_in = 0;

                if (w->n_vx && chance(&w->ch, twins)) {
                        add_twin(w);
                        continue;
                }
                if (w->n_vx && !chance(&w->ch, 25))
                        n_in = 1 + choose(&w->ch, chance(&w->ch, 60) ? 2 : MAX_IN);
                for (unsigned i = 0; i < n_in; i++)
                        in[i] = random_edge(w, w->n_vx);
                world_add(w, world_sense(w, n_in), in);
        }
        world_learn(w);
}

void
world_new_graph(struct world *w)
{
        new_graph(w, 25);
}

void
world_plain_graph(struct world *w)
{
        new_graph(w, 0);
}

/* Between builds: ops are edited, sources change, what failed works and the reverse. */
void
world_mutate(struct world *w)
{
        struct chooser *ch = &w->ch;

        for (unsigned i = 0; i < w->n_senses; i++) {
                struct sense *s = &w->senses[i];

                if (chance(ch, s->n_in ? 6 : 20))
                        s->id = mix(s->id, choose(ch, 4)) >> 8;
                if (chance(ch, 20))
                        s->variant = choose(ch, 3);
                s->runs_ill = chance(ch, 6);
                s->maps_ill = chance(ch, 1);
                s->contents_ill = s->content && chance(ch, 2);
        }
        if (chance(ch, 50)) /* the client made them anew: other digests, same meaning */
                for (unsigned i = 0; i < w->n_vx; i++) {
                        char name[32];
                        snprintf(name, sizeof(name), "vertex %" PRIu64, ++w->digests);
                        w->vx[i].digest = sw_digest_of(name, strlen(name));
                }
        world_learn(w);
}

static void
learn_input(const struct world *w, struct mvx *v, unsigned k)
{
        const struct mvx *in = &w->vx[v->in[k].vertex];

        v->ill |= in->ill;
        v->unsteady |= in->unsteady;
        if (v->sense->content & (1u << k)) {
                uint64_t value = naive_value(w, v->in[k].vertex, v->in[k].output);
                v->kid = mix(v->kid, content_of(v->sense, k, value));
                v->tainted |= v->sense->content_volatile;
        } else {
                v->kid = mix(mix(v->kid, in->kid), v->in[k].output);
                v->tainted |= in->tainted;
        }
}

void
world_learn(struct world *w)
{
        for (unsigned i = 0; i < w->n_vx; i++) {
                struct mvx *v = &w->vx[i];
                const struct sense *s = v->sense;

                v->kid = mix(s->id, s->n_maps > 1 ? s->variant + 1 : 0);
                v->tainted = v->unsteady = s->is_volatile;
                v->unsteady |= s->content && s->content_volatile;
                v->ill = s->runs_ill || s->maps_ill || s->contents_ill;
                for (unsigned k = 0; k < s->n_in; k++)
                        learn_input(w, v, k);
        }
}

uint64_t
naive_value(const struct world *w, unsigned v, unsigned output)
{
        const struct mvx *vx = &w->vx[v];
        uint64_t in[MAX_IN];

        for (unsigned i = 0; i < vx->sense->n_in; i++)
                in[i] = naive_value(w, vx->in[i].vertex, vx->in[i].output);
        return sense_value(vx->sense, output, in);
}

/* ---- results ---- */

struct object {
        struct world *w;
        uint64_t value;
};

static void
object_release(void *data)
{
        struct object *o = data;

        o->w->live_results--;
        free(o);
}

static const struct sw_result_ops object_ops = { sizeof(object_ops), object_release };

static sw_result *
object_new(struct world *w, const char *id, uint64_t value)
{
        struct object *o = sw_new(struct object);

        o->w = w;
        o->value = value;
        w->live_results++;
        return sw__result_new(id, &object_ops, o);
}

sw_result *
result_make(struct world *w, const char *worker, uint64_t value)
{
        struct stored *s = sw_new(struct stored);
        char id[40];

        s->value = value;
        snprintf(id, sizeof(id), "%s::%" PRIu64, worker, ++w->next_result);
        sw_map_set(w->results, id, s);
        return object_new(w, id, value);
}

uint64_t
result_value(const sw_result *r)
{
        return ((struct object *) sw__result_data(r))->value;
}

struct stored *
result_find(struct world *w, const char *id)
{
        return sw_map_get(w->results, id);
}

static sw_err *
load_local(void *self, sw_ctx *ctx, const char *id, sw_result **out)
{
        struct world *w = self;
        struct stored *s = result_find(w, id);

        (void) ctx;
        if (!s || s->gone)
                return sw_err_new(SW_E_NOT_FOUND, "result %s is gone", id);
        *out = object_new(w, id, s->value);
        return SW_OK;
}

static sw_err *
load_remote(void *self, sw_ctx *ctx, const char *id, sw_result **out)
{
        struct world *w = self;
        struct stored *s = result_find(w, id);

        (void) ctx;
        if (!s || s->gone)
                return sw_err_new(SW_E_NOT_FOUND, "result %s is gone", id);
        *out = result_make(w, "local", s->value);
        return SW_OK;
}

void
world_lose_results(struct world *w, unsigned percent)
{
        struct sw_map_iter it = SW_MAP_ITER(w->results);
        bool any = false;

        while (sw_map_next(&it)) {
                struct stored *s = it.value;

                if (s->gone || !chance(&w->ch, percent))
                        continue;
                s->gone = any = true;
                if (chance(&w->ch, 50)) {
                        sw_err_drop(w->local->ops->release(w->local, it.key), "mem");
                        sw_err_drop(w->remote->ops->release(w->remote, it.key), "mem");
                }
        }
        if (any) {
                sw_map_free(w->succeeded);
                w->succeeded = sw_map_new(NULL);
        }
}

/* ---- life ---- */

void
world_init(struct world *w, uint64_t seed)
{
        struct chooser ch = w->ch;

        memset(w, 0, sizeof(*w));
        w->ch = ch;
        if (!ch.exhaustive)
                w->ch.rng = seed;
        w->local = sw__keystore_mem_new();
        w->remote = sw__keystore_mem_new();
        w->loader = (struct sw_result_loader){ sizeof(w->loader), false, w, load_local };
        w->remote_loader =
                (struct sw_result_loader){ sizeof(w->loader), false, w, load_remote };
        struct sw_cache_place places[] = { { w->local, &w->loader },
                                           { w->remote, &w->remote_loader } };
        struct sw_cache_place remote_place = { w->remote, &w->loader };
        w->set[0] = sw__cacheset_new(places, 1);
        w->set[1] = sw__cacheset_new(places, 2);
        w->remote_set = sw__cacheset_new(&remote_place, 1);
        w->results = sw_map_new(free);
        w->succeeded = sw_map_new(NULL);
}

void
world_release(struct world *w)
{
        if (w->live_results || w->live_ops)
                model_fail("%ld results and %ld ops are left over", w->live_results,
                           w->live_ops);
        sw__cacheset_unref(w->set[0]);
        sw__cacheset_unref(w->set[1]);
        sw__cacheset_unref(w->remote_set);
        sw__keystore_free(w->local);
        sw__keystore_free(w->remote);
        sw_map_free(w->results);
        sw_map_free(w->succeeded);
}
