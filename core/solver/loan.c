/*
 * core/solver/loan.c - jobs on loan to ops: sw__op_with_job().
 *
 * Which jobs hold a vertex is the scheduler's to know, so an op's thread asks it for a job
 * and tells it when it is done with that. In between the loan stands in the job's list: who
 * closes or cancels the job recalls it by the loan's own token, and closing waits until the
 * list is empty. So nothing of a job is used after sw__job_close() has returned, although
 * an op goes on for the others.
 *
 * Invariants:
 *   L1  a job is lent only while it holds the vertex and was neither closed nor cancelled
 *   L2  job->n_loans is the length of job->loans
 * Thread: the op's, but for lend, take_back and recall, which are the scheduler's.
 */
#include <assert.h>

#include <slipway/array.h>

#include "core/solver/host.h"

struct sw__loan {
        sw_op_call *call;
        sw_job *job;              /* NULL: there was none */
        sw_cancel *token;         /* the call's child; cancelled when the job is recalled */
        bool recalled;            /* the scheduler's while it is in the list */
        bool blamed;              /* a job that was asked could not help */
        SW_ARRAY(uint64_t) asked; /* numbers of the jobs that had their turn */
        struct sw__loan *next;
};

/* ---- the scheduler's side ---- */

static bool
was_asked(const struct sw__loan *l, uint64_t number)
{
        for (size_t i = 0; i < l->asked.n; i++)
                if (l->asked.v[i] == number)
                        return true;
        return false;
}

static struct sw__job *
choose(const struct sw__loan *l)
{
        const struct sw__vx *v = l->call->act->v;
        struct sw__job *best = NULL;

        for (size_t i = 0; i < v->jobs.n; i++) {
                struct sw__job *j = v->jobs.v[i].job;
                const sw_job *job = j->cookie;

                if (was_asked(l, j->number) || sw_cancelled(job->cancel))
                        continue;
                if (!best || (j->active && !best->active))
                        best = j;
        }
        return best;
}

static void
lend(void *arg)
{
        struct sw__loan *l = arg;
        struct sw__job *j = choose(l);

        l->job = NULL;
        if (!j) {
                l->call->act->nobody = !l->blamed;
                return;
        }
        sw_array_push(&l->asked, j->number);
        l->job = j->cookie;
        l->recalled = false;
        l->token = sw_cancel_new(l->call->token);
        l->next = l->job->loans;
        l->job->loans = l;
        pthread_mutex_lock(&l->call->solver->lock);
        l->job->n_loans++;
        pthread_mutex_unlock(&l->call->solver->lock);
}

static void
take_back(void *arg)
{
        struct sw__loan *l = arg, **p = &l->job->loans;
        sw_solver *s = l->call->solver;

        while (*p != l)
                p = &(*p)->next;
        *p = l->next;
        /* The last thing that is done with the job: it may be gone after. */
        pthread_mutex_lock(&s->lock);
        l->job->n_loans--;
        pthread_cond_broadcast(&s->ended);
        pthread_mutex_unlock(&s->lock);
}

void
sw__loans_recall(sw_job *job)
{
        for (struct sw__loan *l = job->loans; l; l = l->next) {
                l->recalled = true;
                sw_cancel_now(l->token, "the job that it was done for is over");
        }
}

/* ---- the op's side ---- */

/* The context of a loan has the session of its job. */
static sw_err *
lend_own(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        const struct sw__loan *l = lender;

        return fn(arg, ctx, l->job->session);
}

static sw_err *
use(struct sw__loan *l, sw_err *(*fn)(void *arg, sw_ctx *ctx, const struct sw_op_job *job),
    void *arg)
{
        const struct sw__act *act = l->call->act;
        sw_solver *s = l->call->solver;
        sw_ctx *ctx = sw_ctx_new(l->token, s->log, act->story ? &sw__story_sink : NULL,
                                 act->story, NULL);
        bool solves = act->kind == SW__ACT_RUN && act->ops->flags & SW_OP_WAITS_FOR_SOLVER;
        struct sw_op_job job = { solves ? l->job : NULL, l->job->session, l->job->client };
        sw_ctx_set_lender(ctx, lend_own, l);
        sw_err *err = fn(arg, ctx, &job);

        sw_ctx_free(ctx);
        sw__solver_call(s, take_back, l);
        sw_cancel_unref(sw_steal(l->token));
        return err;
}

/* Whether another job may do better than the one that led to @err. */
static bool
ask_another(const struct sw__loan *l, const sw_err *err)
{
        switch (sw_err_code(err)) {
        case SW_E_NOT_FOUND:
        case SW_E_DENIED:
        case SW_E_UNSUPPORTED: return true;
        default: return l->recalled && !sw_cancelled(l->call->token);
        }
}

sw_err *
sw__op_with_job(sw_op_call *call,
                sw_err *(*fn)(void *arg, sw_ctx *ctx, const struct sw_op_job *job),
                void *arg)
{
        struct sw__loan l = { .call = call };
        sw_err *first = SW_OK, *err;

        assert(call);
        for (;;) {
                err = sw_cancel_check(call->token);
                if (err)
                        break;
                sw__solver_call(call->solver, lend, &l);
                if (!l.job) {
                        err = first ? sw_steal(first)
                                    : sw_err_new(SW_E_CANCELLED, "no job wants the step");
                        break;
                }
                err = use(&l, fn, arg);
                if (!err || !ask_another(&l, err))
                        break;
                if (first || l.recalled) {
                        sw_err_drop(err, "another job is asked");
                } else {
                        first = err;
                        l.blamed = true;
                }
        }
        sw_err_free(first);
        sw_array_release(&l.asked);
        return err;
}

struct borrower {
        sw_session_fn *fn;
        void *arg;
};

static sw_err *
with_session(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        const struct borrower *b = arg;

        return b->fn(b->arg, ctx, job->session);
}

sw_err *
sw__op_lend(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        struct borrower b = { fn, arg };

        (void) ctx; /* that of the loan is used */
        return sw__op_with_job(lender, with_session, &b);
}
