/*
 * core/solver/graph.c - the shared graph: vertices come, are shared, and go.
 *
 * A job that names a vertex gets the one that is there, if that is in every respect what
 * the job would have made: same digest, same inputs (the very same vertices), both ignoring
 * the cache or both not, same caches, not failed. Otherwise it gets its own. So a graph
 * whose vertex failed is built anew for the next who asks, a vertex above one that ignores
 * the cache is not mixed up with its namesake above one that does not, and no vertex that
 * is in the graph ever changes.
 *
 * A vertex that no job holds is dead: it is not found any more. It is freed when nothing of
 * it is in flight and no consumer is left, consumers before inputs, from a list.
 *
 * Invariant: who holds a vertex holds its inputs, so a dead vertex has dead consumers only.
 * Thread: scheduler only.
 */
#include <assert.h>

#include "core/solver/internal.h"

/* ---- finding ---- */

static bool
same_inputs(const struct sw__vx *v, const struct sw_vertex *def,
            struct sw__vx *const *loaded)
{
        for (uint32_t i = 0; i < def->n_inputs; i++) {
                const struct sw_vertex_input *in = &def->inputs[i];
                if (v->in[i].edge != &loaded[in->vertex]->edges[in->output])
                        return false;
        }
        return true;
}

/* A digest is as good as any hash of it. */
static unsigned
hash_of(const sw_digest *d)
{
        unsigned hash;

        memcpy(&hash, d->b, sizeof(hash));
        return hash;
}

/* The newest with that digest. */
static struct sw__vx *
head_of(struct sw__core *c, const sw_digest *d)
{
        struct sw__vx *v;

        HASH_FIND_BYHASHVALUE(hh, c->table, d, sizeof(*d), hash_of(d), v);
        return v;
}

/* The one from @v on that the job would have made. */
static struct sw__vx *
find(struct sw__vx *v, const struct sw__job *job, const struct sw_vertex *def,
     struct sw__vx *const *loaded)
{
        for (; v; v = v->variant)
                if (!v->failure && v->cache == job->cache &&
                    v->ignore_cache == def->ignore_cache && v->n_inputs == def->n_inputs &&
                    v->n_outputs == def->n_outputs && same_inputs(v, def, loaded))
                        return v;
        return NULL;
}

/* @head: the newest so far, or NULL. */
static void
table_add(struct sw__core *c, struct sw__vx *v, struct sw__vx *head)
{
        if (head)
                HASH_DELETE(hh, c->table, head);
        v->variant = head;
        HASH_ADD_BYHASHVALUE(hh, c->table, digest, sizeof(v->digest), hash_of(&v->digest),
                             v);
}

static void
table_drop(struct sw__core *c, struct sw__vx *v)
{
        struct sw__vx *head = head_of(c, &v->digest);

        if (head == v) {
                struct sw__vx *next = v->variant;

                HASH_DELETE(hh, c->table, v);
                if (next)
                        HASH_ADD_BYHASHVALUE(hh, c->table, digest, sizeof(next->digest),
                                             hash_of(&next->digest), next);
                return;
        }
        while (head->variant != v)
                head = head->variant;
        head->variant = v->variant;
}

/* ---- making ---- */

static struct sw__story_vertex *
tell(struct sw__core *c, const struct sw_vertex *def, struct sw__vx *const *loaded)
{
        if (!c->story)
                return NULL;
        c->digests.n = 0;
        for (uint32_t i = 0; i < def->n_inputs; i++)
                sw_array_push(&c->digests, loaded[def->inputs[i].vertex]->digest);
        return sw__story_vertex_new(c->story, &def->digest, c->digests.v, def->n_inputs);
}

static void
connect(struct sw__vx *v, const struct sw_vertex *def, struct sw__vx *const *loaded)
{
        for (uint32_t i = 0; i < def->n_inputs; i++) {
                const struct sw_vertex_input *in = &def->inputs[i];
                struct sw__edge *e = &loaded[in->vertex]->edges[in->output];

                v->in[i].edge = e;
                v->in[i].back = (uint32_t) e->consumers.n;
                sw__push_tight(&e->consumers, (struct sw__consumer){ v, i });
                e->v->n_consumers++;
        }
}

static struct sw__vx *
make(struct sw__core *c, struct sw__job *job, const struct sw_vertex *def,
     struct sw__vx *const *loaded, struct sw__vx *head)
{
        struct sw__vx *v =
                sw_alloc(sizeof(*v) + (size_t) def->n_outputs * sizeof(v->edges[0]) +
                         (size_t) def->n_inputs * sizeof(v->in[0]));

        v->digest = def->digest;
        v->number = ++c->n_vertices;
        v->ops = def->ops;
        v->op = def->op;
        v->cache = sw__cacheset_ref(job->cache);
        v->limit = def->ops->flags & SW_OP_WAITS_FOR_SOLVER ? NULL : def->limit;
        v->units = def->units;
        v->ignore_cache = def->ignore_cache;
        v->n_inputs = def->n_inputs;
        v->n_outputs = def->n_outputs;
        v->in = (struct sw__input *) &v->edges[v->n_outputs];
        if (v->n_inputs == 0)
                v->stage = SW__ST_RESULTS;
        for (uint32_t o = 0; o < v->n_outputs; o++) {
                v->edges[o].v = v;
                v->edges[o].output = o;
        }
        connect(v, def, loaded);
        v->story = tell(c, def, loaded);
        table_add(c, v, head);
        c->live_vertices++;
        uint64_t begin;
        memcpy(&begin, v->digest.b, sizeof(begin));
        sw__trace_add(c->trace, SW__T_VERTEX, v->number, 0, 0, v->n_inputs, begin);
        return v;
}

static bool
holds(const struct sw__vx *v, const struct sw__job *job)
{
        for (size_t i = v->jobs.n; i-- > 0;)
                if (v->jobs.v[i].job == job)
                        return true;
        return false;
}

struct sw__vx *
sw__vx_load(struct sw__core *c, struct sw__job *job, const struct sw_vertex *def,
            struct sw__vx *const *loaded)
{
        struct sw__vx *head = head_of(c, &def->digest), *v = find(head, job, def, loaded);

        if (v)
                c->host->free_op(c->host_arg, def->ops, def->op);
        else
                v = make(c, job, def, loaded, head);
        if (holds(v, job)) {
                if (!job->active) /* it was left out while nothing of it was going */
                        sw__ready_join(c, job, v);
                return v;
        }
        sw__push_tight(&v->jobs, (struct sw__holder){ .job = job });
        sw_array_push(&job->members, v);
        sw__ready_join(c, job, v);
        if (job->story && v->story)
                sw__story_join(job->story, v->story, def->name, def->group);
        return v;
}

/* ---- going ---- */

void
sw__vx_orphan(struct sw__core *c, struct sw__vx *v, struct sw__job *job)
{
        for (size_t i = 0; i < v->jobs.n; i++)
                if (v->jobs.v[i].job == job) {
                        v->jobs.v[i] = v->jobs.v[--v->jobs.n];
                        break;
                }
        if (v->jobs.n) {
                sw__ready_hand_over(c, v, job);
                return;
        }
        table_drop(c, v);
        v->dead = true;
        v->mourner = job;
        job->mourning++;
        sw__vx_maybe_free(c, v);
}

void
sw__vx_maybe_free(struct sw__core *c, struct sw__vx *v)
{
        if (!v->dead || v->freeing || v->acts || v->n_consumers || v->n_queued || v->claim)
                return;
        v->freeing = true;
        v->next_free = c->free_list;
        c->free_list = v;
}

static void
disconnect(struct sw__core *c, struct sw__vx *v)
{
        for (uint32_t i = 0; i < v->n_inputs; i++) {
                struct sw__input *in = &v->in[i];
                struct sw__edge *e = in->edge;
                struct sw__consumer *last = &e->consumers.v[e->consumers.n - 1];

                sw__edge_want(c, e, in->want, SW__NOTHING);
                e->consumers.v[in->back] = *last;
                last->v->in[last->input].back = in->back;
                e->consumers.n--;
                e->v->n_consumers--;
                free(in->selector);
                free(in->content);
                sw__vx_maybe_free(c, e->v);
        }
}

static void
free_edge(struct sw__core *c, struct sw__edge *e)
{
        assert(!e->act && !e->queued && e->consumers.n == 0 && e->solves.n == 0);
        if (e->result)
                c->host->release(c->host_arg, e->result);
        if (e->dead)
                sw_strlist_release(e->dead);
        free(e->dead);
        free(e->roots);
        sw_array_release(&e->keys);
        sw_array_release(&e->consumers);
        sw_array_release(&e->solves);
}

static void
vx_free(struct sw__core *c, struct sw__vx *v)
{
        struct sw__job *mourner = v->mourner;

        assert(!v->acts && !v->claim && !v->run_act && !v->map_act);
        disconnect(c, v);
        for (uint32_t o = 0; o < v->n_outputs; o++) {
                free_edge(c, &v->edges[o]);
                if (v->out)
                        c->host->release(c->host_arg, v->out[o]);
        }
        sw__trace_add(c->trace, SW__T_GONE, v->number, 0, 0, 0, 0);
        c->host->free_op(c->host_arg, v->ops, v->op);
        if (v->story)
                sw__story_vertex_unref(v->story);
        sw__failure_unref(v->failure);
        sw__cacheset_unref(v->cache);
        free(v->maps);
        free(v->out);
        sw_array_release(&v->jobs);
        free(v);
        c->live_vertices--;
        mourner->mourning--;
        sw__job_mourned(c, mourner);
}

void
sw__vx_free_all(struct sw__core *c)
{
        while (c->free_list) {
                struct sw__vx *v = c->free_list;

                c->free_list = v->next_free;
                vx_free(c, v);
        }
}

/* ---- checking ---- */

static sw_err *
check_input(const struct sw_graph *g, uint32_t v, const char *what, uint32_t n,
            const struct sw_vertex_input *in, uint32_t bound)
{
        char digest[SW_DIGEST_STR_SIZE] = "";

        if (in->vertex < bound && in->output < g->vertices[in->vertex].n_outputs)
                return SW_OK;
        if (v < g->n_vertices)
                (void) sw_digest_str(&g->vertices[v].digest, digest);
        if (in->vertex >= bound)
                return sw_err_new(SW_E_INVALID,
                                  "%s %u of vertex %u %s is vertex %u, which %s", what, n,
                                  v, digest, in->vertex,
                                  in->vertex < g->n_vertices ? "does not come before it"
                                                             : "is not there");
        return sw_err_new(SW_E_INVALID,
                          "%s %u of vertex %u %s is output %u of vertex %u, which "
                          "has %u",
                          what, n, v, digest, in->output, in->vertex,
                          g->vertices[in->vertex].n_outputs);
}

sw_err *
sw__graph_check(const struct sw_graph *g)
{
        uint64_t size = (uint64_t) g->n_vertices + g->n_roots;

        for (uint32_t v = 0; v < g->n_vertices; v++) {
                const struct sw_vertex *def = &g->vertices[v];

                size += (uint64_t) def->n_inputs + def->n_outputs;
                if (size > SW_GRAPH_MAX)
                        return sw_err_new(SW_E_LIMIT,
                                          "graph of more than %d vertices, inputs and "
                                          "outputs",
                                          SW_GRAPH_MAX);
                if (def->n_outputs == 0)
                        return sw_err_new(SW_E_INVALID, "vertex %u has no output", v);
                for (uint32_t i = 0; i < def->n_inputs; i++) {
                        sw_err *err = check_input(g, v, "input", i, &def->inputs[i], v);
                        if (err)
                                return err;
                }
        }
        for (uint32_t i = 0; i < g->n_roots; i++) {
                sw_err *err = check_input(g, g->n_vertices, "root", i, &g->roots[i],
                                          g->n_vertices);
                if (err)
                        return err;
        }
        if (g->n_roots == 0 || size > SW_GRAPH_MAX)
                return sw_err_new(g->n_roots ? SW_E_LIMIT : SW_E_INVALID,
                                  "graph with %u roots", g->n_roots);
        return SW_OK;
}
