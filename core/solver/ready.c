/*
 * core/solver/ready.c - whose turn it is: vertices that could run, and places to run in.
 *
 * Each job has a queue of the vertices that it wants to run, first come first served; jobs
 * that have some take turns. A vertex that several jobs want stands in all their queues and
 * is charged to the job whose turn started it. What was started or left meanwhile is found
 * in the queues by its state and skipped, and when it is wanted again it has the place that
 * it still stands in. So a vertex stands in a queue at most twice: where it came, and at
 * the front, once its limit has units for it.
 *
 * Bounds: max_running ops in all, job->max_running for one job, and the units of limits. A
 * vertex that comes to its turn while its limit is used up waits at the limit, first come
 * first served, and goes to the front of its queues when there are units for it.
 *
 * A vertex in a queue belongs to that queue's job, so it lives at least as long.
 * Thread: scheduler only.
 */
#include <assert.h>

#include <utlist.h>

#include "core/solver/internal.h"

/* ---- queues ---- */

static void
ring_grow(struct sw__job *j)
{
        size_t cap = j->ready_cap ? 2 * j->ready_cap : 16;
        struct sw__vx **ring = sw_alloc_array(cap, sizeof(*ring));

        for (size_t i = 0; i < j->ready_n; i++)
                ring[i] = j->ready[(j->ready_head + i) & (j->ready_cap - 1)];
        free(j->ready);
        j->ready = ring;
        j->ready_cap = cap;
        j->ready_head = 0;
}

/* Give @h, of @v, a place in its job's queue, unless there is one that will do. */
static void
ring_push(struct sw__holder *h, struct sw__vx *v, bool front)
{
        struct sw__job *j = h->job;

        if (h->queued > front)
                return;
        h->queued++;
        if (j->ready_n == j->ready_cap)
                ring_grow(j);
        if (front)
                j->ready_head = (j->ready_head - 1) & (j->ready_cap - 1);
        j->ready[(j->ready_head + (front ? 0 : j->ready_n)) & (j->ready_cap - 1)] = v;
        j->ready_n++;
}

static struct sw__vx *
ring_pop(struct sw__job *j)
{
        struct sw__vx *v = j->ready[j->ready_head];

        j->ready_head = (j->ready_head + 1) & (j->ready_cap - 1);
        j->ready_n--;
        for (size_t i = 0; i < v->jobs.n; i++)
                if (v->jobs.v[i].job == j)
                        v->jobs.v[i].queued--;
        return v;
}

static void
turn_add(struct sw__core *c, struct sw__job *j)
{
        if (j->in_turn || j->ready_n == 0 || j->running >= j->max_running)
                return;
        j->in_turn = true;
        j->next_turn = NULL;
        *c->turns_end = j;
        c->turns_end = &j->next_turn;
}

static struct sw__job *
turn_pop(struct sw__core *c)
{
        struct sw__job *j = c->turns;

        if (!j)
                return NULL;
        c->turns = j->next_turn;
        if (!c->turns)
                c->turns_end = &c->turns;
        j->in_turn = false;
        return j;
}

static void
push(struct sw__core *c, struct sw__vx *v, bool front)
{
        bool any = false;

        /* Jobs that hold it but have nothing going are asked only when there is no other:
         * the news that nobody wants it may still be on its way, and be overtaken. */
        for (size_t i = 0; i < v->jobs.n; i++)
                any = any || v->jobs.v[i].job->active;
        for (size_t i = 0; i < v->jobs.n; i++) {
                struct sw__holder *h = &v->jobs.v[i];

                if (any && !h->job->active)
                        continue;
                ring_push(h, v, front);
                turn_add(c, h->job);
        }
}

void
sw__ready_push(struct sw__core *c, struct sw__vx *v)
{
        push(c, v, false);
}

void
sw__ready_join(struct sw__core *c, struct sw__job *job, struct sw__vx *v)
{
        if (v->run != SW__R_READY)
                return;
        for (size_t i = 0; i < v->jobs.n; i++)
                if (v->jobs.v[i].job == job)
                        ring_push(&v->jobs.v[i], v, false);
        turn_add(c, job);
}

void
sw__ready_hand_over(struct sw__core *c, struct sw__vx *v, struct sw__job *job)
{
        if (v->charged == job) {
                job->running--;
                v->charged = v->jobs.v[0].job;
                v->charged->running++;
        }
        if (v->run == SW__R_READY) /* it may have stood in the queue of that job alone */
                push(c, v, false);
}

void
sw__ready_job_gone(struct sw__core *c, struct sw__job *job)
{
        struct sw__job **p = &c->turns;

        while (*p && *p != job)
                p = &(*p)->next_turn;
        if (*p) {
                *p = job->next_turn;
                if (!*p)
                        c->turns_end = p;
        }
        job->in_turn = false;
        free(job->ready);
        job->ready = NULL;
        job->ready_n = job->ready_cap = job->ready_head = 0;
}

/* ---- limits ---- */

static uint64_t
units_of(const struct sw__vx *v)
{
        return v->units < v->limit->units ? v->units : v->limit->units;
}

static bool
fits(const struct sw__vx *v)
{
        const sw_limit *l = v->limit;

        return l->units == 0 || l->used == 0 || l->used + units_of(v) <= l->units;
}

static void
take_units(struct sw__vx *v)
{
        v->units_held = units_of(v);
        v->holds_units = true;
        v->limit->used += v->units_held;
}

static void
limit_leave(struct sw__vx *v)
{
        if (!v->waits_for_units)
                return;
        DL_DELETE2(v->limit->waiting, v, limit_prev, limit_next);
        v->waits_for_units = false;
}

/* Who comes first gets units, held for him until his turn comes: later ones cannot take
 * them away, however much more he needs than they do. */
static void
limit_wake(struct sw__core *c, sw_limit *l)
{
        while (l->waiting && fits(l->waiting)) {
                struct sw__vx *v = l->waiting;

                limit_leave(v);
                take_units(v);
                push(c, v, true);
        }
}

static void
limit_wait(struct sw__vx *v)
{
        if (v->waits_for_units)
                return;
        DL_APPEND2(v->limit->waiting, v, limit_prev, limit_next);
        v->waits_for_units = true;
}

static void
give_units(struct sw__core *c, struct sw__vx *v)
{
        if (!v->holds_units)
                return;
        v->holds_units = false;
        v->limit->used -= v->units_held;
        limit_wake(c, v->limit);
}

/* Whether @v may run as far as its limit goes; then it holds its units. */
static bool
limit_pass(struct sw__vx *v)
{
        if (!v->limit || v->holds_units)
                return true;
        if (v->limit->waiting || !fits(v))
                return false;
        take_units(v);
        return true;
}

void
sw__ready_leave_limit(struct sw__core *c, struct sw__vx *v)
{
        limit_leave(v);
        give_units(c, v);
        if (v->limit) /* he may have been the one who did not fit */
                limit_wake(c, v->limit);
}

void
sw__core_limit_set(struct sw__core *c, sw_limit *l, uint64_t units)
{
        l->units = units;
        limit_wake(c, l);
}

/* ---- places ---- */

void
sw__ready_charge(struct sw__core *c, struct sw__vx *v, struct sw__job *job)
{
        if (v->ops->flags & SW_OP_WAITS_FOR_SOLVER)
                return;
        v->charged = job;
        job->running++;
        c->running++;
}

void
sw__ready_discharge(struct sw__core *c, struct sw__vx *v)
{
        give_units(c, v);
        if (!v->charged)
                return;
        assert(v->charged->running > 0 && c->running > 0);
        v->charged->running--;
        c->running--;
        turn_add(c, v->charged);
        v->charged = NULL;
}

/*
 * Whether a record has turned up since the vertex was looked up: it may have waited long,
 * and claims are known only to jobs of this process that have the same caches.
 */
static bool
turned_up(struct sw__core *c, struct sw__vx *v)
{
        bool found = false;

        if (v->ignore_cache || v->looked_up == c->n_steps)
                return false;
        for (uint32_t o = 0; o < v->n_outputs && !found; o++)
                found = v->edges[o].state == SW__E_RUN && sw__lookup(c, &v->edges[o]);
        return found;
}

static void
try_start(struct sw__core *c, struct sw__job *j, struct sw__vx *v)
{
        const bool waits = v->ops->flags & SW_OP_WAITS_FOR_SOLVER;

        if (v->run != SW__R_READY)
                return; /* started by another job's turn, or left */
        if (!waits && sw__claim_holder(c, v)) {
                sw__ready_leave_limit(c, v);
                sw__run_step(c, v, SW__RE_BLOCK, NULL);
        } else if (!limit_pass(v)) {
                limit_wait(v);
        } else if (turned_up(c, v)) {
                sw__run_step(c, v, SW__RE_FOUND, NULL);
        } else {
                sw__run_step(c, v, SW__RE_START, j);
        }
}

void
sw__ready_run(struct sw__core *c)
{
        struct sw__job *j;

        while (c->running < c->max_running && (j = turn_pop(c)) != NULL) {
                if (j->ready_n && j->running < j->max_running)
                        try_start(c, j, ring_pop(j));
                turn_add(c, j);
        }
}
