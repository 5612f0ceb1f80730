/*
 * core/solver/work.c - calls of ops that are no runs: whose turn it is.
 *
 * Cache maps, content keys and loads take no place among the running ops, but threads all
 * the same. Each job has a queue of them, jobs that have some take turns, and none has more
 * than SW__WORK_JOB_MAX going: so what a job with ten thousand slow content keys leaves to
 * the others does not depend on how slow they are.
 *
 * A call for a vertex that several jobs hold counts for one of them, and for another one of
 * them once that is over.
 *
 * Invariants:
 *   W1  a load stands in solver->turns exactly when something waits in it and it may have
 *       more going
 *   W2  n_work is the number of flights in the pool; it is below SW__WORK_MAX only when no
 *       load stands in turns
 * Thread: scheduler only.
 */
#include <utlist.h>

#include "core/solver/host.h"

static void
turn_update(sw_solver *s, struct sw__workload *w)
{
        bool due = w->n_waiting && w->n_going < SW__WORK_JOB_MAX;

        if (due && !w->in_turn)
                DL_APPEND(s->turns, w);
        else if (!due && w->in_turn)
                /* It stands in the list. */
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
                DL_DELETE(s->turns, w);
        w->in_turn = due;
}

static void
wait_in(sw_solver *s, struct sw__workload *w, struct sw__flight *f)
{
        f->load = w;
        f->waiting = true;
        DL_APPEND(w->waiting, f);
        w->n_waiting++;
        turn_update(s, w);
}

static void
leave(sw_solver *s, struct sw__flight *f)
{
        struct sw__workload *w = f->load;

        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it stands in the list */
        DL_DELETE(w->waiting, f);
        w->n_waiting--;
        f->waiting = false;
        f->load = NULL;
        turn_update(s, w);
}

static void
start_some(sw_solver *s)
{
        while (s->turns && s->n_work < SW__WORK_MAX) {
                struct sw__workload *w = s->turns;
                struct sw__flight *f = w->waiting;

                DL_DELETE(s->turns, w); /* to the end, if it stays */
                w->in_turn = false;
                leave(s, f);
                f->load = w;
                DL_APPEND(w->going, f);
                w->n_going++;
                turn_update(s, w);
                s->n_work++;
                sw__flight_start(s, f, s->work);
        }
}

/* The least loaded of the jobs that hold the vertex, of those with a solve going if there
 * is one. */
static struct sw__workload *
load_for(sw_solver *s, const struct sw__flight *f)
{
        const struct sw__vx *v = f->call.act->v;
        const struct sw__job *best = NULL;
        struct sw__workload *load = &s->orphans;

        for (size_t i = 0; i < v->jobs.n; i++) {
                const struct sw__job *j = v->jobs.v[i].job;
                struct sw__workload *w = &((sw_job *) j->cookie)->work;

                if (best && best->active && !j->active)
                        continue;
                if (best && (best->active || !j->active) &&
                    load->n_waiting + load->n_going <= w->n_waiting + w->n_going)
                        continue;
                best = j;
                load = w;
        }
        return load;
}

void
sw__work_add(sw_solver *s, struct sw__flight *f)
{
        wait_in(s, load_for(s, f), f);
        start_some(s);
}

void
sw__work_done(sw_solver *s, struct sw__flight *f)
{
        struct sw__workload *w = f->load;

        DL_DELETE(w->going, f);
        w->n_going--;
        s->n_work--;
        turn_update(s, w);
        start_some(s);
}

bool
sw__work_remove(sw_solver *s, struct sw__flight *f)
{
        if (!f->waiting)
                return false;
        leave(s, f);
        return true;
}

void
sw__work_job_gone(sw_solver *s, sw_job *job)
{
        struct sw__workload *w = &job->work;

        while (w->waiting) {
                struct sw__flight *f = w->waiting;

                leave(s, f);
                wait_in(s, load_for(s, f), f);
        }
        while (w->going) {
                struct sw__flight *f = w->going;

                DL_DELETE(w->going, f);
                w->n_going--;
                f->load = load_for(s, f);
                DL_APPEND(f->load->going, f);
                f->load->n_going++;
                turn_update(s, f->load);
        }
        start_some(s);
}
