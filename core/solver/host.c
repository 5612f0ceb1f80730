/*
 * core/solver/host.c - does what the core asks for: calls ops on workers, tells, cleans up.
 *
 * An act that is not fast becomes a flight: it goes to a pool with a cancellation token of
 * its own and comes back as a message. How many ops run at once is the core's to say; for
 * the other calls work.c does. Ops that wait for the solver have a pool of their
 * own with room for more of them than can nest in earnest; beyond that they fail instead of
 * waiting for each other.
 *
 * Thread: the scheduler's, but for flight_run and dispose.
 */
#include <slipway/time.h>

#include "core/solver/host.h"

#define WAITS_MAX 512

/* ---- calling ops ---- */

/* Which files changed, before the op runs: so it is known while it runs. */
static void
explain(struct sw__act *act, sw_op_call *oc, sw_ctx *ctx)
{
        sw_auto(sw_strlist) paths = { 0 };
        sw_err *err;

        if (!act->before || !act->ops->changed_paths)
                return;
        err = act->ops->changed_paths(act->op, oc, ctx, act->index, act->in[act->index],
                                      act->before, act->now, &paths);
        if (!err && act->story)
                sw__story_paths(act->story, (const char *const *) paths.v, paths.n);
        sw_err_drop(err, "the build does not depend on the explanation");
}

/* @oc: NULL on the scheduler's thread. */
static void
call(struct sw__act *act, sw_op_call *oc, sw_ctx *ctx)
{
        switch (act->kind) {
        case SW__ACT_MAP:
                act->err = act->ops->cache_map(act->op, oc, ctx, act->index, &act->map);
                break;
        case SW__ACT_CONTENT:
                act->err = act->ops->content_key(act->op, oc, ctx, act->index, act->in[0],
                                                 act->content);
                break;
        case SW__ACT_LOAD:
                act->err = act->loader->load(act->loader->self, ctx, act->load_id,
                                             &act->out[0]);
                break;
        case SW__ACT_RUN:
                if (oc)
                        explain(act, oc, ctx);
                act->err = act->ops->execute(act->op, oc, ctx, act->in, act->n_in, act->out,
                                             act->n_out);
                break;
        }
        if (!act->err && act->kind == SW__ACT_LOAD && !act->out[0])
                act->err =
                        sw_err_new(SW_E_INTERNAL, "load of %s gave nothing", act->load_id);
}

static void
arrive(sw_solver *s, struct sw__flight *f)
{
        sw__core_finish(s->core, f->call.act);
        sw_cancel_unref(f->call.token);
        free(f);
}

static void
flight_landed(void *reader, struct sw__message *m)
{
        struct sw__flight *f = (struct sw__flight *) m;
        struct sw__act *act = f->call.act;
        sw_solver *s = reader;

        if (act->kind != SW__ACT_RUN)
                sw__work_done(s, f);
        else if (act->ops->flags & SW_OP_WAITS_FOR_SOLVER)
                s->n_waits--;
        arrive(s, f);
}

static void
flight_run(void *arg)
{
        struct sw__flight *f = arg;
        struct sw__act *act = f->call.act;
        sw_ctx *ctx = sw_ctx_new(f->call.token, f->call.solver->log,
                                 act->story ? &sw__story_sink : NULL, act->story, NULL);

        sw_ctx_set_lender(ctx, sw__op_lend, &f->call);
        act->err = sw_cancel_check(f->call.token);
        if (!act->err)
                call(act, &f->call, ctx);
        sw_ctx_free(ctx);
        sw__inbox_push(&f->call.solver->inbox, &f->message);
}

static bool
is_fast(const struct sw__act *act)
{
        switch (act->kind) {
        case SW__ACT_MAP: return act->ops->flags & SW_OP_FAST_CACHE_MAP;
        case SW__ACT_CONTENT: return act->ops->flags & SW_OP_FAST_CONTENT_KEY;
        case SW__ACT_LOAD: return act->loader->fast;
        case SW__ACT_RUN: return act->ops->flags & SW_OP_FAST_EXECUTE;
        }
        return false;
}

/* The pool for an op, or NULL with act->err set. */
static sw_pool *
pool_for(sw_solver *s, struct sw__act *act)
{
        if (!(act->ops->flags & SW_OP_WAITS_FOR_SOLVER))
                return s->runs;
        if (s->n_waits >= WAITS_MAX) {
                act->err = sw_err_new(SW_E_LIMIT,
                                      "%d builds inside of builds are waiting already",
                                      WAITS_MAX);
                return NULL;
        }
        s->n_waits++;
        return s->waits;
}

void
sw__flight_start(sw_solver *s, struct sw__flight *f, sw_pool *pool)
{
        sw_err *err = sw_pool_submit(pool, flight_run, f);

        if (err) { /* otherwise the flight is the worker's now */
                f->call.act->err = err;
                sw__inbox_push(&s->inbox, &f->message);
        }
}

static void
host_start(void *arg, struct sw__act *act)
{
        sw_solver *s = arg;

        if (is_fast(act)) {
                call(act, NULL, s->fast_ctx);
                sw__core_finish(s->core, act);
                return;
        }
        sw_pool *pool = act->kind == SW__ACT_RUN ? pool_for(s, act) : NULL;
        if (act->err) {
                sw__core_finish(s->core, act);
                return;
        }
        struct sw__flight *f = sw_new(struct sw__flight);
        f->message.fn = flight_landed;
        f->call = (struct sw_op_call){ s, act, sw_cancel_new(NULL) };
        act->host = f;
        if (pool)
                sw__flight_start(s, f, pool);
        else
                sw__work_add(s, f);
}

static void
host_cancel(void *arg, struct sw__act *act)
{
        struct sw__flight *f = act->host;
        sw_solver *s = arg;

        if (!f)
                return;
        sw_cancel_now(f->call.token, "the step is not wanted any more");
        if (act->kind != SW__ACT_RUN && sw__work_remove(s, f)) {
                act->err = sw_cancel_check(f->call.token);
                arrive(s, f);
        }
}

/* ---- the janitor ---- */

struct load {
        size_t n;
        struct sw__garbage *v;
};

static void
sweep(void *arg)
{
        struct load *load = arg;

        for (size_t i = 0; i < load->n; i++) {
                struct sw__garbage *g = &load->v[i];

                if (g->result)
                        sw__result_unref(g->result);
                else if (g->ops->free)
                        g->ops->free(g->op);
        }
        free(load->v);
        free(load);
}

void
sw__host_dispose(sw_solver *s, struct sw__garbage *g, size_t n)
{
        struct load *load = sw_new(struct load);
        sw_err *err;

        load->n = n;
        load->v = g;
        err = sw_pool_submit(s->janitor, sweep, load);
        if (err) {
                sw_err_drop(err, "there is no thread at all: do it here");
                sweep(load);
        }
}

void
sw__host_sweep(sw_solver *s)
{
        if (s->garbage.n == 0)
                return;
        sw__host_dispose(s, s->garbage.v, s->garbage.n);
        s->garbage.v = NULL;
        s->garbage.n = s->garbage.cap = 0;
}

struct barrier {
        sw_solver *solver;
        bool reached;
};

static void
reach(void *arg)
{
        struct barrier *b = arg;

        pthread_mutex_lock(&b->solver->lock);
        b->reached = true;
        pthread_cond_broadcast(&b->solver->ended);
        pthread_mutex_unlock(&b->solver->lock);
}

void
sw__host_await_sweep(sw_solver *s)
{
        struct barrier b = { s, false };
        sw_err *err = sw_pool_submit(s->janitor, reach, &b);

        if (err) {
                sw_err_drop(err, "there is no thread: then nothing waits for it, either");
                return;
        }
        pthread_mutex_lock(&s->lock);
        while (!b.reached)
                pthread_cond_wait(&s->ended, &s->lock);
        pthread_mutex_unlock(&s->lock);
}

static void
host_release(void *arg, sw_result *r)
{
        sw_solver *s = arg;

        sw_array_push(&s->garbage, (struct sw__garbage){ .result = r });
}

static void
host_free_op(void *arg, const struct sw_op_ops *ops, void *op)
{
        sw_solver *s = arg;

        sw_array_push(&s->garbage, (struct sw__garbage){ .ops = ops, .op = op });
}

/* ---- telling ---- */

static void
host_solve_done(void *arg, struct sw__csolve *cs)
{
        sw_solver *s = arg;
        sw_solve *solve = cs->cookie;

        solve->results = sw_steal(cs->results);
        solve->n_results = solve->results ? cs->n_roots : 0;
        solve->err = sw_steal(cs->err);
        solve->core = NULL;
        sw__core_solve_free(s->core, cs);
        /* Before whoever waits comes back, and takes what the callback uses with him. */
        if (solve->done_fn)
                solve->done_fn(solve->arg, solve);
        pthread_mutex_lock(&s->lock);
        solve->done = true;
        pthread_cond_broadcast(&s->ended);
        pthread_mutex_unlock(&s->lock);
        sw__solve_unref(solve);
}

static void
host_job_idle(void *arg, void *cookie)
{
        sw_solver *s = arg;
        sw_job *job = cookie;

        pthread_mutex_lock(&s->lock);
        job->idle = true;
        pthread_cond_broadcast(&s->ended);
        pthread_mutex_unlock(&s->lock);
}

/* A broken store fails at every step: say it the first time, and now and then. */
static void
host_problem(void *arg, const sw_err *err)
{
        sw_solver *s = arg;

        if (s->problems++ % 1000 == 0)
                sw_log_line(s->log, SW_LOG_WARN, "core/solver",
                            "the build cache does not work, building without it: %s",
                            sw_err_message(err));
}

static int64_t
host_now(void *arg)
{
        (void) arg;
        return sw_time_now();
}

static int64_t
host_mono(void *arg)
{
        (void) arg;
        return sw_time_mono();
}

const struct sw__host sw__thread_host = {
        .start = host_start,
        .cancel = host_cancel,
        .release = host_release,
        .free_op = host_free_op,
        .solve_done = host_solve_done,
        .job_idle = host_job_idle,
        .problem = host_problem,
        .now = host_now,
        .mono = host_mono,
};
