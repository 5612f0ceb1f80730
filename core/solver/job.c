/*
 * core/solver/job.c - jobs and solves, inside the core.
 *
 * A job holds vertices; a solve wants results. A solve ends once: with all its results,
 * with the first failure that reaches a root, or cancelled; then it wants nothing any more,
 * and what nobody else wants stops by itself. That it has ended is told after the next
 * commit. Thread: scheduler only.
 */
#include <assert.h>

#include "core/solver/internal.h"

/* ---- notices ---- */

void
sw__notice_vertex(struct sw__core *c, struct sw__vx *v, bool cached, struct sw__failure *f)
{
        if (cached && v->told_cached)
                return;
        v->told_cached = cached;
        if (!v->story)
                return;
        sw_array_push(&c->notices, (struct sw__notice){
                                           .story = sw__story_vertex_ref(v->story),
                                           .time = c->host->now(c->host_arg),
                                           .cached = cached,
                                           .failure = sw__failure_ref(f),
                                   });
}

/* ---- the end of a solve ---- */

static void
forget_roots(struct sw__core *c, struct sw__csolve *s)
{
        for (uint32_t i = 0; i < s->n_roots; i++) {
                struct sw__edge *e = s->roots[i];

                for (size_t k = 0; k < e->solves.n; k++)
                        if (e->solves.v[k] == s) {
                                e->solves.v[k] = e->solves.v[--e->solves.n];
                                break;
                        }
                sw__edge_want(c, e, SW__RESULT, SW__NOTHING);
        }
        free(s->roots);
        s->roots = NULL;
}

/* @err: given; SW_OK: all results are there. */
static void
end_solve(struct sw__core *c, struct sw__csolve *s, sw_err *err)
{
        struct sw__job *job = s->job;

        assert(!s->ended);
        s->ended = true;
        s->err = err;
        if (!err) {
                s->results = sw_alloc_array(s->n_roots, sizeof(*s->results));
                for (uint32_t i = 0; i < s->n_roots; i++)
                        s->results[i] = sw__result_ref(s->roots[i]->result);
        }
        forget_roots(c, s);
        job->active--;
        for (size_t i = 0; i < job->solves.n; i++)
                if (job->solves.v[i] == s) {
                        job->solves.v[i] = job->solves.v[--job->solves.n];
                        break;
                }
        s->job = NULL;
        sw__trace_add(c->trace, SW__T_SOLVE_END, job->number, 0, err != NULL, 0, 0);
        sw_array_push(&c->notices, (struct sw__notice){ .solve = s });
}

/* The solves that wait for an edge, as they were before any of them ended. */
static struct sw__csolve **
waiting_solves(const struct sw__edge *e, size_t *n)
{
        *n = e->solves.n;
        return sw_memdup(e->solves.v, e->solves.n * sizeof(*e->solves.v));
}

void
sw__solve_edge_done(struct sw__core *c, struct sw__edge *e)
{
        size_t n;

        if (e->solves.n == 0)
                return;
        struct sw__csolve **all = waiting_solves(e, &n);
        for (size_t i = 0; i < n; i++) /* once for each root that this edge is */
                if (--all[i]->n_left == 0)
                        end_solve(c, all[i], SW_OK);
        free(all);
}

static void
fail_solve(struct sw__core *c, struct sw__csolve *s, const struct sw__failure *f)
{
        end_solve(c, s, sw_err_copy(f->err));
}

void
sw__solve_edge_failed(struct sw__core *c, struct sw__edge *e)
{
        size_t n;

        if (e->solves.n == 0)
                return;
        struct sw__csolve **all = waiting_solves(e, &n);
        for (size_t i = 0; i < n; i++)
                if (!all[i]->ended)
                        fail_solve(c, all[i], e->v->failure);
        free(all);
}

/* ---- solves ---- */

struct sw__csolve *
sw__core_solve(struct sw__core *c, struct sw__job *job, const struct sw_graph *g,
               void *cookie)
{
        struct sw__vx **loaded =
                sw_alloc_array(g->n_vertices ? g->n_vertices : 1, sizeof(struct sw__vx *));
        struct sw__csolve *s = sw_new(struct sw__csolve);

        assert(!job->ended);
        sw__trace_add(c->trace, SW__T_SOLVE, job->number, 0, 0, g->n_vertices, 0);
        for (uint32_t i = 0; i < g->n_vertices; i++)
                loaded[i] = sw__vx_load(c, job, &g->vertices[i], loaded);

        s->job = job;
        s->cookie = cookie;
        s->n_roots = s->n_left = g->n_roots;
        s->roots = sw_alloc_array(g->n_roots, sizeof(*s->roots));
        job->active++;
        sw_array_push(&job->solves, s);
        for (uint32_t i = 0; i < g->n_roots; i++) {
                s->roots[i] = &loaded[g->roots[i].vertex]->edges[g->roots[i].output];
                sw__push_tight(&s->roots[i]->solves, s);
                sw__edge_want(c, s->roots[i], SW__NOTHING, SW__RESULT);
                s->n_left -= s->roots[i]->state == SW__E_DONE;
        }
        free(loaded);
        if (s->n_left == 0)
                end_solve(c, s, SW_OK);
        return s;
}

void
sw__core_solve_cancel(struct sw__core *c, struct sw__csolve *s, sw_err *err)
{
        if (s->ended)
                sw_err_drop(err, "it has ended by itself");
        else
                end_solve(c, s, err);
}

void
sw__core_solve_free(struct sw__core *c, struct sw__csolve *s)
{
        assert(s->ended && s->told);
        for (uint32_t i = 0; s->results && i < s->n_roots; i++)
                c->host->release(c->host_arg, s->results[i]);
        free(s->results);
        sw_err_free(s->err);
        free(s);
}

/* ---- jobs ---- */

struct sw__job *
sw__core_job_new(struct sw__core *c, sw_cacheset *cache, unsigned max_running,
                 struct sw__story_job *story, void *cookie)
{
        struct sw__job *job = sw_new(struct sw__job);

        job->core = c;
        job->cookie = cookie;
        job->cache = sw__cacheset_ref(cache);
        job->story = story;
        job->max_running = max_running ? max_running : c->max_running;
        job->number = ++c->n_jobs;
        sw__trace_add(c->trace, SW__T_JOB, job->number, 0, 0, 0, 0);
        return job;
}

void
sw__job_mourned(struct sw__core *c, struct sw__job *job)
{
        if (job->ended && job->mourning == 0)
                sw_array_push(&c->notices, (struct sw__notice){ .idle = job });
}

void
sw__core_job_end(struct sw__core *c, struct sw__job *job)
{
        assert(!job->ended);
        while (job->solves.n)
                end_solve(c, job->solves.v[job->solves.n - 1],
                          sw_err_new(SW_E_CANCELLED, "the job was closed"));
        sw__ready_job_gone(c, job);
        job->mourning++; /* itself, so that it is not over before the loop is */
        for (size_t i = 0; i < job->members.n; i++)
                sw__vx_orphan(c, job->members.v[i], job);
        job->members.n = 0;
        job->ended = true;
        sw__trace_add(c->trace, SW__T_JOB_END, job->number, 0, 0, 0, 0);
        job->mourning--;
        sw__job_mourned(c, job);
}

void
sw__job_free(struct sw__job *job)
{
        assert(job->ended && job->mourning == 0 && job->running == 0 && job->active == 0);
        sw__cacheset_unref(job->cache);
        sw_array_release(&job->members);
        sw_array_release(&job->solves);
        free(job->ready);
        free(job);
}
