/*
 * core/solver/solver_job.c - jobs and solves as callers of solver.h have them.
 *
 * Thread: any, but for what arrives as a message or call on the scheduler's.
 */
#include <assert.h>

#include "core/solver/host.h"
#include "core/solver/internal.h"

/* ---- jobs ---- */

struct job_call {
        sw_job *job;
        sw_cacheset *cache;
        unsigned max_running;
};

static void
job_begin(void *arg)
{
        struct job_call *c = arg;
        sw_solver *s = c->job->solver;

        c->job->core =
                sw__core_job_new(s->core, c->cache, c->max_running, c->job->story, c->job);
}

static void
job_cancelled(void *reader, struct sw__message *m)
{
        sw_job *job = (sw_job *) ((char *) m - offsetof(sw_job, cancel_message));
        sw_solver *s = reader;
        struct sw__job *core = job->core;

        sw__loans_recall(job);
        while (core->solves.n)
                sw__core_solve_cancel(s->core, core->solves.v[core->solves.n - 1],
                                      sw_cancel_check(job->cancel));
}

/* On whatever thread cancels. */
static void
on_cancel(void *arg)
{
        sw_job *job = arg;

        sw__inbox_push(&job->solver->inbox, &job->cancel_message);
}

sw_err *
sw__job_new(sw_solver *s, const struct sw_job_opts *opts, sw_job **out)
{
        sw_cacheset *cache = opts->cache ? opts->cache : s->cache;

        /* Writes to another store would be committed by nobody. */
        if (cache->places[0].keys != s->cache->places[0].keys)
                return sw_err_new(SW_E_INVALID,
                                  "job %s: its caches do not begin with the local store",
                                  opts->id ? opts->id : "");
        sw_job *job = sw_new(sw_job);
        struct job_call c = {
                .job = job,
                .cache = cache,
                .max_running = opts->max_running ? opts->max_running : s->max_per_job,
        };

        job->solver = s;
        job->session = opts->session;
        job->client = opts->client;
        job->story = sw__story_job_new(s->story);
        job->cancel_message.fn = job_cancelled;
        sw__solver_call(s, job_begin, &c);
        if (opts->cancel) {
                job->cancel = sw_cancel_ref(opts->cancel);
                job->cancel_handle = sw_cancel_on(job->cancel, on_cancel, job);
        }
        sw_log_line(s->log, SW_LOG_DEBUG, "core/solver", "job %s begins",
                    opts->id ? opts->id : "");
        *out = job;
        return SW_OK;
}

static void
job_end(void *arg)
{
        sw_job *job = arg;

        sw__loans_recall(job);
        sw__core_job_end(job->solver->core, job->core);
        sw__work_job_gone(job->solver, job);
        job->core = NULL; /* it goes when it is idle */
}

void
sw__job_close(sw_job *job)
{
        sw_solver *s;

        if (!job)
                return;
        s = job->solver;
        if (job->cancel)
                sw_cancel_off(job->cancel, job->cancel_handle);
        sw__solver_call(s, job_end, job);
        pthread_mutex_lock(&s->lock);
        while (!job->idle || job->n_loans)
                pthread_cond_wait(&s->ended, &s->lock);
        pthread_mutex_unlock(&s->lock);
        sw__story_job_end(job->story);
        if (job->cancel)
                sw_cancel_unref(job->cancel);
        free(job);
}

sw_subscription *
sw__job_subscribe(sw_job *job)
{
        return sw__story_subscribe(job->story, false);
}

sw_subscription *
sw__job_subscribe_whole(sw_job *job)
{
        return sw__story_subscribe(job->story, true);
}

void
sw__job_why(sw_job *job, bool (*fn)(void *arg, const struct sw_progress_vertex *v),
            void *arg)
{
        sw__story_why_walk(job->story, fn, arg);
}

struct sw__story_vertex *
sw__job_step(sw_job *job, const sw_digest *digest, const char *name)
{
        struct sw__story_vertex *v =
                sw__story_vertex_new(job->solver->story, digest, NULL, 0);

        sw__story_join(job->story, v, name, NULL);
        return v;
}

struct sw__story_vertex *
sw__job_warnings(sw_job *job)
{
        return sw__story_warnings(job->story);
}

/* ---- solves ---- */

void
sw__solve_unref(sw_solve *solve)
{
        if (__atomic_sub_fetch(&solve->refs, 1, __ATOMIC_ACQ_REL))
                return;
        if (solve->n_results) {
                struct sw__garbage *g = sw_alloc_array(solve->n_results, sizeof(*g));

                for (uint32_t i = 0; i < solve->n_results; i++)
                        g[i].result = solve->results[i];
                sw__host_dispose(solve->solver, g, solve->n_results);
        }
        free(solve->results);
        sw_err_free(solve->err);
        free(solve);
}

struct solve_call {
        sw_job *job;
        const struct sw_graph *graph;
        sw_solve *solve;
        sw_err *err; /* it did not begin */
};

static void
solve_begin(void *arg)
{
        struct solve_call *c = arg;
        struct sw__core *core = c->job->solver->core;

        /* An op that closing the job waits for may still come with a solve. */
        if (!c->job->core) {
                c->err = sw_err_new(SW_E_CANCELLED, "the job was closed");
                return;
        }
        sw_err *err = sw_cancel_check(c->job->cancel);
        c->solve->core = sw__core_solve(core, c->job->core, c->graph, c->solve);
        if (err)
                sw__core_solve_cancel(core, c->solve->core, err);
}

static void
free_ops(const struct sw_graph *g)
{
        for (uint32_t i = 0; i < g->n_vertices; i++)
                if (g->vertices[i].ops->free)
                        g->vertices[i].ops->free(g->vertices[i].op);
}

sw_err *
sw__solve_start(sw_job *job, const struct sw_graph *graph, sw_solve **out)
{
        sw_err *err = sw__graph_check(graph);

        if (err) {
                free_ops(graph);
                return err;
        }
        sw_solve *solve = sw_new(sw_solve);
        struct solve_call c = { job, graph, solve, NULL };
        solve->refs = 2;
        solve->solver = job->solver;
        solve->done_fn = graph->done;
        solve->arg = graph->arg;
        sw__solver_call(job->solver, solve_begin, &c);
        if (c.err) {
                free_ops(graph);
                free(solve);
                return c.err;
        }
        *out = solve;
        return SW_OK;
}

struct cancel_call {
        struct sw__message message;
        sw_solve *solve; /* ref'd */
        sw_err *err;
};

static void
cancel_arrived(void *reader, struct sw__message *m)
{
        struct cancel_call *c = (struct cancel_call *) m;
        sw_solver *s = reader;

        if (c->solve->core)
                sw__core_solve_cancel(s->core, c->solve->core, c->err);
        else
                sw_err_drop(c->err, "it has ended by itself");
        sw__solve_unref(c->solve);
        free(c);
}

void
sw__solve_cancel(sw_solve *s, const char *reason)
{
        struct cancel_call *c = sw_new(struct cancel_call);

        __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
        c->message.fn = cancel_arrived;
        c->solve = s;
        c->err = sw_err_new(SW_E_CANCELLED, "%s", reason ? reason : "cancelled");
        sw__inbox_push(&s->solver->inbox, &c->message);
}

static bool
is_done(sw_solve *s)
{
        bool done;

        pthread_mutex_lock(&s->solver->lock);
        done = s->done;
        pthread_mutex_unlock(&s->solver->lock);
        return done;
}

sw_err *
sw__solve_wait(sw_solve *s)
{
        assert(!pthread_equal(pthread_self(), s->solver->thread));
        pthread_mutex_lock(&s->solver->lock);
        while (!s->done)
                pthread_cond_wait(&s->solver->ended, &s->solver->lock);
        pthread_mutex_unlock(&s->solver->lock);
        return sw_err_copy(s->err);
}

sw_result *
sw__solve_result(const sw_solve *s, uint32_t i)
{
        return i < s->n_results ? s->results[i] : NULL;
}

void
sw__solve_free(sw_solve *s)
{
        if (!s)
                return;
        if (!is_done(s))
                sw__solve_cancel(s, "nobody waits for it");
        sw__solve_unref(s);
}
