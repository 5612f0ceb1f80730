/*
 * core/solver/run.c - a vertex whose op has to run: claim, wait for a place, run, share.
 *
 *                +---------------- FREED -----------------+
 *                v                                        |
 *   NONE ----> READY ---------- BLOCK --------------> BLOCKED
 *     ^ NEED     | ^ START/AGAIN                          |
 *     |          v |                                      | SHARED
 *     |        GOING --- OK --> DONE <--------------------+
 *     | ERR      | LEAVE |  ERR
 *     +------ STOPPING   +-----> FAILED
 *
 * The claim. A vertex claims its keys by being GOING or STOPPING, that is as long as its op
 * runs, and no longer. Another vertex with one of these keys that comes to its turn is
 * BLOCKED. When the first succeeds, its results are handed to all that wait (SHARED),
 * before anything else happens; when it fails or is stopped they go back to READY (FREED)
 * and the first to get a place runs. So for one key there is one op running at a time, and
 * none is run again whose result is at hand.
 *
 * Why this cannot deadlock: the holder of a claim waits for nothing in here. It has all its
 * inputs and its place; only its op stands between it and the end. Those that wait hold
 * neither a claim nor a place nor units of a limit. An op that waits for another solve
 * (SW_OP_WAITS_FOR_SOLVER) takes no place, and no claim keeps it from running: its solve
 * may contain a vertex with its own key. What it starts is shared all the same, vertex by
 * vertex. That its solve does not contain the very vertex is the op's to see to.
 *
 * Vertices that ignore the cache wait like the others, but take results only from others
 * that ignore it: otherwise they run after the first.
 *
 * Invariants, checked by run_check() after each step:
 *   R1  GOING and STOPPING have exactly one act; no other state has one
 *   R2  READY to STOPPING are registered with the claims, the others are not
 *   R3  READY, BLOCKED and GOING have an edge that waits for them
 *   R4  results are there exactly when DONE
 * Thread: scheduler only.
 */
#include <assert.h>

#include "core/solver/internal.h"

typedef void run_step_fn(struct sw__core *c, struct sw__vx *v, void *arg);

static run_step_fn need, leave, leave_going, block, start, found, freed, shared, ran_ok,
        ran_err, again, stopped_err, stay;

static run_step_fn *const run_step[SW__R_STATES][SW__RE_EVENTS] = {
        [SW__R_NONE] = { [SW__RE_NEED] = need },
        [SW__R_READY] = { [SW__RE_LEAVE] = leave,
                          [SW__RE_BLOCK] = block,
                          [SW__RE_START] = start,
                          [SW__RE_FOUND] = found,
                          [SW__RE_SHARED] = shared },
        [SW__R_BLOCKED] = { [SW__RE_LEAVE] = leave,
                            [SW__RE_FREED] = freed,
                            [SW__RE_SHARED] = shared },
        [SW__R_GOING] = { [SW__RE_LEAVE] = leave_going,
                          [SW__RE_OK] = ran_ok,
                          [SW__RE_ERR] = ran_err,
                          [SW__RE_AGAIN] = again },
        [SW__R_STOPPING] = { [SW__RE_NEED] = stay,
                             [SW__RE_LEAVE] = stay,
                             [SW__RE_OK] = ran_ok,
                             [SW__RE_ERR] = stopped_err },
};

static const char *const state_names[SW__R_STATES] = {
        "none", "ready", "blocked", "going", "stopping", "done", "failed",
};
static const char *const event_names[SW__RE_EVENTS] = {
        "need", "leave", "block", "start", "found", "freed", "shared", "ok", "err", "again",
};

bool
sw__run_step_is_legal(unsigned state, unsigned event)
{
        return state < SW__R_STATES && event < SW__RE_EVENTS && run_step[state][event];
}

const char *
sw__run_state_name(unsigned state)
{
        return state < SW__R_STATES ? state_names[state] : "?";
}

const char *
sw__run_event_name(unsigned event)
{
        return event < SW__RE_EVENTS ? event_names[event] : "?";
}

bool
sw__run_waits(const struct sw__vx *v)
{
        return v->run >= SW__R_READY && v->run <= SW__R_STOPPING;
}

static void
run_check(const struct sw__vx *v)
{
        bool runs = v->run == SW__R_GOING || v->run == SW__R_STOPPING;
        bool waits = v->run == SW__R_READY || v->run == SW__R_BLOCKED;

        assert(runs == (v->run_act != NULL));                       /* R1 */
        assert((runs || waits) == (v->claim != NULL));              /* R2 */
        assert(!(waits || v->run == SW__R_GOING) || v->in_run > 0); /* R3 */
        assert((v->out != NULL) == (v->run == SW__R_DONE));         /* R4 */
}

void
sw__run_step(struct sw__core *c, struct sw__vx *v, enum sw__run_event ev, void *arg)
{
        unsigned state = v->run;

        assert(run_step[state][ev]);
        run_step[state][ev](c, v, arg);
        c->coverage.run[state][ev]++;
        sw__trace_add(c->trace, SW__T_RUN, v->number, (uint8_t) state, (uint8_t) ev, 0,
                      v->run);
        run_check(v);
}

/* ---- waiting ---- */

static void
need(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) arg;
        v->run = SW__R_READY;
        sw__claim_add(c, v);
        sw__ready_push(c, v);
}

static void
leave(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) arg;
        sw__ready_leave_limit(c, v);
        sw__claim_drop(c, v);
        v->run = SW__R_NONE;
}

static void
block(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) c;
        (void) arg;
        v->run = SW__R_BLOCKED;
}

static void
found(struct sw__core *c, struct sw__vx *v, void *arg)
{
        leave(c, v, arg);
        sw__edge_post_all(c, v, SW__EV_FOUND);
}

static void
freed(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) arg;
        v->run = SW__R_READY;
        sw__ready_push(c, v);
}

static void
stay(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) c;
        (void) v;
        (void) arg;
}

/* ---- running ---- */

/* @arg: the job whose turn it is. */
static void
start(struct sw__core *c, struct sw__vx *v, void *arg)
{
        struct sw__act *act = sw__act_new(c, v, SW__ACT_RUN, 0);

        for (uint32_t i = 0; i < v->n_inputs; i++)
                act->in[i] = v->in[i].edge->result;
        sw__why_decide(c, v, &act->before, &act->now);
        act->index = v->why_input;
        sw__ready_charge(c, v, arg);
        v->run = SW__R_GOING;
        v->run_act = act;
        if (v->story)
                sw__story_started(v->story, c->host->now(c->host_arg));
        sw__act_start(c, act);
}

static void
leave_going(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) arg;
        v->run = SW__R_STOPPING;
        sw__act_cancel(c, v->run_act);
}

static void
act_over(struct sw__core *c, struct sw__vx *v)
{
        v->run_act = NULL;
        sw__ready_discharge(c, v);
}

/* Those that were blocked by @v, which has ended without a result, get their turn. */
static void
free_others(struct sw__core *c, struct sw__vx *v)
{
        size_t n;
        struct sw__vx **match = sw__claim_matches(c, v, &n);

        for (size_t i = 0; i < n; i++)
                if (match[i]->run == SW__R_BLOCKED)
                        sw__run_step(c, match[i], SW__RE_FREED, NULL);
        free(match);
}

static void
share(struct sw__core *c, struct sw__vx *v)
{
        size_t n;
        struct sw__vx **match = sw__claim_matches(c, v, &n);

        for (size_t i = 0; i < n; i++) {
                if (match[i]->run != SW__R_READY && match[i]->run != SW__R_BLOCKED)
                        continue;
                if (!match[i]->ignore_cache || v->ignore_cache)
                        sw__run_step(c, match[i], SW__RE_SHARED, v);
                else if (match[i]->run == SW__R_BLOCKED)
                        sw__run_step(c, match[i], SW__RE_FREED, NULL);
        }
        free(match);
}

static void
ran_ok(struct sw__core *c, struct sw__vx *v, void *arg)
{
        struct sw__act *act = arg;

        act_over(c, v);
        v->out = sw_steal(act->out);
        act->n_out = 0;
        v->run = SW__R_DONE;
        sw__keep_outputs(c, v);
        sw__keep_note(c, v);
        share(c, v);
        sw__claim_drop(c, v);
        sw__notice_vertex(c, v, false, NULL);
        sw__edge_post_all(c, v, SW__EV_RAN);
}

/* @arg: the vertex with a common key that has just succeeded. */
static void
shared(struct sw__core *c, struct sw__vx *v, void *arg)
{
        struct sw__vx *from = arg;

        sw__ready_leave_limit(c, v);
        sw__claim_drop(c, v);
        v->out = sw_alloc_array(v->n_outputs, sizeof(sw_result *));
        for (uint32_t o = 0; o < v->n_outputs; o++) {
                v->out[o] = sw__result_ref(from->out[o]);
                sw__keep_shared(c, &v->edges[o], &from->edges[o]);
        }
        v->run = SW__R_DONE;
        sw__notice_vertex(c, v, true, NULL);
        sw__edge_post_all(c, v, SW__EV_RAN);
}

static void
ran_err(struct sw__core *c, struct sw__vx *v, void *arg)
{
        struct sw__act *act = arg;

        act_over(c, v);
        v->run = SW__R_FAILED;
        free_others(c, v);
        sw__claim_drop(c, v);
        sw__vx_fail(c, v, sw_steal(act->err));
}

/* It is still wanted: by a job that came as the last one left. */
static void
again(struct sw__core *c, struct sw__vx *v, void *arg)
{
        (void) arg;
        act_over(c, v);
        v->run = SW__R_READY;
        sw__ready_push(c, v);
        free_others(c, v);
}

/* Subscribers see that it does not run any more. At once: nothing was stored that has to be
 * committed before, and the next start shall not be overtaken. */
static void
tell_stopped(struct sw__core *c, const struct sw__vx *v, const struct sw__act *act)
{
        if (v->story)
                sw__story_failed(v->story, c->host->now(c->host_arg), false, act->err);
}

static void
stopped_err(struct sw__core *c, struct sw__vx *v, void *arg)
{
        act_over(c, v);
        if (v->in_run) { /* wanted again meanwhile */
                v->run = SW__R_READY;
                sw__ready_push(c, v);
        } else {
                v->run = SW__R_NONE;
                tell_stopped(c, v, arg);
        }
        free_others(c, v);
        if (v->run == SW__R_NONE)
                sw__claim_drop(c, v);
}

/* An op must hand out all its outputs. */
static sw_err *
check_outputs(const struct sw__act *act)
{
        for (uint32_t o = 0; o < act->n_out; o++)
                if (!act->out[o])
                        return sw_err_new(SW_E_INTERNAL, "the op left output %u out", o);
        return SW_OK;
}

void
sw__run_ended(struct sw__core *c, struct sw__act *act)
{
        enum sw__run_event ev = SW__RE_OK;

        if (!act->err)
                act->err = check_outputs(act);
        if (act->err)
                ev = act->nobody && act->v->run == SW__R_GOING ? SW__RE_AGAIN : SW__RE_ERR;
        sw__run_step(c, act->v, ev, act);
}
