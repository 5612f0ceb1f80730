/*
 * core/solver/edge.c - state machine of one edge: (vertex, output number).
 *
 *                                  +------> HIT ----> LOADING -+-> DONE
 *                                  |         ^           | gone
 *   IDLE -> KEYS -> (ALT ->) ------+         |           v
 *                    miss |        |         |         EVAL -> RUN -> DONE
 *                         v        |         |           ^       |
 *                       KEYED -> MORE -> CONTENT         |       +--> FAILED
 *                                  |         |           |
 *                             miss +------> PROBED ------+
 *
 * IDLE, KEYED, PROBED and HIT rest: the edge has given what it was asked for and waits
 * for more to be wanted. The others work, and fall back to where they can rest when what
 * they work for is not wanted any more. A vertex that ignores the cache goes from IDLE to
 * PROBED at once: it has no keys to offer before it has run.
 *
 * Events carry no data. They say that a fact may have changed (a map came, the inputs
 * reached a stage, demand rose or fell, the vertex has results or an error); the step
 * looks at the fact. On entering a state the edge looks at all facts that the state
 * depends on and posts to itself what holds already, so an event that came in a state where
 * it meant nothing is not missed. edge_step[] lists every legal pair of state and event.
 *
 * Invariants, checked by edge_check() after each step:
 *   I1  a working state has something outstanding: an act, inputs being gathered, a
 *       vertex in the run machine, or an event that is still queued
 *   I2  a final edge has nothing outstanding
 *   I3  keys are added, never removed; the level never falls
 *   I4  a resting edge of which more is wanted has an event queued
 *   I5  an edge has a result exactly when it is DONE
 * Thread: scheduler only. Terms: docs/glossary.md.
 */
#include <assert.h>

#include "core/solver/internal.h"

typedef void edge_step_fn(struct sw__core *c, struct sw__edge *e);

static edge_step_fn idle_want, to_idle, keys_check, look_again, to_keyed, to_more,
        more_inputs, content_inputs, to_eval, load_next, stop_load, loaded, gone, stopped,
        eval_check, found_check, to_probed, let_go, take_result, fail;

static edge_step_fn *const edge_step[SW__E_STATES][SW__EV_EVENTS] = {
        [SW__E_IDLE] = { [SW__EV_WANT] = idle_want, [SW__EV_RAN] = take_result },
        [SW__E_KEYS] = { [SW__EV_UNWANT] = to_idle,
                         [SW__EV_MAP] = keys_check,
                         [SW__EV_INPUTS] = keys_check,
                         [SW__EV_RAN] = take_result,
                         [SW__EV_FAIL] = fail },
        [SW__E_ALT] = { [SW__EV_UNWANT] = to_idle,
                        [SW__EV_MAP] = look_again,
                        [SW__EV_FAIL] = fail },
        [SW__E_KEYED] = { [SW__EV_WANT] = to_more, [SW__EV_RAN] = take_result },
        [SW__E_MORE] = { [SW__EV_UNWANT] = to_keyed,
                         [SW__EV_INPUTS] = more_inputs,
                         [SW__EV_RAN] = take_result,
                         [SW__EV_FAIL] = fail,
                         [SW__EV_MISS] = to_probed },
        [SW__E_CONTENT] = { [SW__EV_UNWANT] = to_keyed,
                            [SW__EV_INPUTS] = content_inputs,
                            [SW__EV_RAN] = take_result,
                            [SW__EV_FAIL] = fail },
        [SW__E_PROBED] = { [SW__EV_WANT] = to_eval,
                           [SW__EV_UNWANT] = let_go,
                           [SW__EV_RAN] = take_result },
        [SW__E_HIT] = { [SW__EV_WANT] = load_next, [SW__EV_RAN] = take_result },
        [SW__E_LOADING] = { [SW__EV_UNWANT] = stop_load,
                            [SW__EV_LOADED] = loaded,
                            [SW__EV_GONE] = gone },
        [SW__E_STOPPING] = { [SW__EV_LOADED] = loaded, [SW__EV_GONE] = stopped },
        [SW__E_EVAL] = { [SW__EV_UNWANT] = to_probed,
                         [SW__EV_MAP] = eval_check,
                         [SW__EV_INPUTS] = eval_check,
                         [SW__EV_RAN] = take_result,
                         [SW__EV_FAIL] = fail },
        [SW__E_RUN] = { [SW__EV_UNWANT] = to_probed,
                        [SW__EV_RAN] = take_result,
                        [SW__EV_FAIL] = fail,
                        [SW__EV_FOUND] = found_check },
};

/* What a state is. */
static const struct edge_trait {
        const char *name;
        uint8_t gives;     /* level that consumers may count on once it was entered */
        uint8_t works_for; /* level it works for; 0: it rests or is final */
        uint8_t stage;     /* of the inputs, that it waits for */
        bool map;          /* waits for a cache map */
        bool final;
} traits[SW__E_STATES] = {
        [SW__E_IDLE] = { "idle" },
        [SW__E_KEYS] = { "keys", 0, SW__KEYS, SW__ST_KEYS, true },
        [SW__E_ALT] = { "alt", 0, SW__KEYS, 0, true },
        [SW__E_KEYED] = { "keyed", SW__KEYS },
        [SW__E_MORE] = { "more-keys", SW__KEYS, SW__MORE_KEYS, SW__ST_MORE_KEYS },
        [SW__E_CONTENT] = { "content", SW__KEYS, SW__MORE_KEYS, SW__ST_CONTENT },
        [SW__E_PROBED] = { "probed", SW__MORE_KEYS },
        [SW__E_HIT] = { "hit", SW__MORE_KEYS },
        [SW__E_LOADING] = { "loading", SW__MORE_KEYS, SW__RESULT },
        [SW__E_STOPPING] = { "stopping", SW__MORE_KEYS },
        [SW__E_EVAL] = { "eval", SW__MORE_KEYS, SW__RESULT, SW__ST_RESULTS, true },
        [SW__E_RUN] = { "run", SW__MORE_KEYS, SW__RESULT },
        [SW__E_DONE] = { "done", SW__RESULT, 0, 0, false, true },
        [SW__E_FAILED] = { "failed", 0, 0, 0, false, true },
};

static const char *const event_names[SW__EV_EVENTS] = { "want",   "unwant", "map", "inputs",
                                                        "loaded", "gone",   "ran", "fail",
                                                        "found",  "miss" };

/* The order in which events that wait together are taken. */
static const uint8_t event_order[] = { SW__EV_RAN,  SW__EV_FAIL,   SW__EV_UNWANT,
                                       SW__EV_MAP,  SW__EV_INPUTS, SW__EV_WANT,
                                       SW__EV_MISS, SW__EV_FOUND };

bool
sw__edge_step_is_legal(unsigned state, unsigned event)
{
        return state < SW__E_STATES && event < SW__EV_EVENTS && edge_step[state][event];
}

const char *
sw__edge_state_name(unsigned state)
{
        return state < SW__E_STATES ? traits[state].name : "?";
}

const char *
sw__edge_event_name(unsigned event)
{
        return event < SW__EV_EVENTS ? event_names[event] : "?";
}

enum sw__stage
sw__edge_stage(const struct sw__edge *e)
{
        return traits[e->state].stage;
}

bool
sw__edge_wants_map(const struct sw__edge *e)
{
        return traits[e->state].map;
}

/* ---- facts ---- */

static unsigned
demand(const struct sw__edge *e)
{
        for (unsigned level = SW__RESULT; level > SW__NOTHING; level--)
                if (e->wanted[level])
                        return level;
        return SW__NOTHING;
}

static bool
maps_complete(const struct sw__vx *v)
{
        return v->n_maps && !v->map_more;
}

bool
sw__edge_keeps(const struct sw__edge *e)
{
        switch (e->state) {
        case SW__E_MORE:
        case SW__E_CONTENT: return true;
        case SW__E_PROBED: return demand(e) >= SW__MORE_KEYS;
        default: return false;
        }
}

/* What the inputs of an edge at rest are still asked for, nobody waits for any more. */
static bool
holds_on(const struct sw__edge *e)
{
        return e->state == SW__E_PROBED && !sw__edge_keeps(e) && sw__gather_holds(e->v);
}

/* Whether the fact that @ev speaks of holds, as far as the state of @e cares. */
static bool
holds(const struct sw__edge *e, enum sw__edge_event ev)
{
        const struct edge_trait *t = &traits[e->state];
        const struct sw__vx *v = e->v;

        switch (ev) {
        case SW__EV_WANT: return !t->works_for && demand(e) > t->gives;
        case SW__EV_UNWANT: return t->works_for ? demand(e) < t->works_for : holds_on(e);
        case SW__EV_MAP: return v->n_maps > e->maps_tried;
        case SW__EV_INPUTS: return t->stage && v->stage >= t->stage;
        case SW__EV_RAN: return v->run == SW__R_DONE;
        case SW__EV_FAIL: return v->failure != NULL;
        case SW__EV_FOUND: return v->run == SW__R_NONE;
        case SW__EV_MISS: return e->missed;
        default: return false;
        }
}

static void
post(struct sw__core *c, struct sw__edge *e, enum sw__edge_event ev)
{
        if (!edge_step[e->state][ev])
                return;
        e->pending |= (uint16_t) (1u << ev);
        if (e->queued)
                return;
        e->queued = true;
        e->v->n_queued++;
        e->next = NULL;
        *c->todo_end = e;
        c->todo_end = &e->next;
}

void
sw__edge_post_all(struct sw__core *c, struct sw__vx *v, enum sw__edge_event ev)
{
        for (uint32_t o = 0; o < v->n_outputs; o++)
                post(c, &v->edges[o], ev);
}

void
sw__edge_missed(struct sw__core *c, struct sw__edge *e)
{
        e->missed = true;
        post(c, e, SW__EV_MISS);
}

void
sw__edge_want(struct sw__core *c, struct sw__edge *e, unsigned before, unsigned now)
{
        if (before == now)
                return;
        if (before)
                e->wanted[before]--;
        if (now)
                e->wanted[now]++;
        if (holds(e, SW__EV_WANT))
                post(c, e, SW__EV_WANT);
        else if (holds(e, SW__EV_UNWANT))
                post(c, e, SW__EV_UNWANT);
}

/* ---- entering a state ---- */

static void
raise_level(struct sw__core *c, struct sw__edge *e, uint8_t level)
{
        if (level <= e->level)
                return;
        e->level = level;
        for (size_t i = 0; i < e->consumers.n; i++)
                sw__gather_input(c, e->consumers.v[i].v, e->consumers.v[i].input);
}

static void
finish(struct sw__core *c, struct sw__edge *e)
{
        if (e->state == SW__E_DONE) {
                sw__solve_edge_done(c, e);
                return;
        }
        for (size_t i = 0; i < e->consumers.n; i++)
                sw__gather_failed(c, e->consumers.v[i].v, e->consumers.v[i].input);
        sw__solve_edge_failed(c, e);
}

static void
enter(struct sw__core *c, struct sw__edge *e, enum sw__edge_state state)
{
        struct sw__vx *v = e->v;
        bool was_run = e->state == SW__E_RUN;

        e->state = (uint8_t) state;
        e->missed = false;
        for (unsigned ev = 0; ev < SW__EV_EVENTS; ev++)
                if (!edge_step[state][ev])
                        e->pending &= (uint16_t) ~(1u << ev);

        if (state == SW__E_RUN && (v->in_run++ == 0 || v->run == SW__R_NONE))
                sw__run_step(c, v, SW__RE_NEED, NULL);
        if (was_run && --v->in_run == 0 && sw__run_waits(v))
                sw__run_step(c, v, SW__RE_LEAVE, NULL);

        sw__map_update(c, v);
        sw__gather_update(c, v);
        if (state == SW__E_MORE)
                sw__gather_ahead(c, e);
        for (unsigned i = 0; i < SW_COUNT(event_order); i++)
                if (edge_step[state][event_order[i]] && holds(e, event_order[i]))
                        post(c, e, event_order[i]);
        raise_level(c, e, traits[state].gives);
        if (traits[state].final)
                finish(c, e);
}

/* ---- keys ---- */

static void
hit(struct sw__core *c, struct sw__edge *e)
{
        if (e->v->run == SW__R_NONE)
                sw__notice_vertex(c, e->v, true, NULL);
        enter(c, e, SW__E_HIT);
}

static void
idle_want(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, e->v->ignore_cache ? SW__E_PROBED : SW__E_KEYS);
}

static void
to_idle(struct sw__core *c, struct sw__edge *e)
{
        e->maps_tried = 0;
        enter(c, e, SW__E_IDLE);
}

/* A cache map came that was not tried yet. */
static void
look_again(struct sw__core *c, struct sw__edge *e)
{
        struct sw__vx *v = e->v;

        if (!holds(e, SW__EV_MAP))
                return;
        e->maps_tried = v->n_maps;
        if (sw__lookup(c, e))
                hit(c, e);
        else if (v->map_more)
                enter(c, e, SW__E_ALT);
        else /* without inputs there is nothing more to be known */
                enter(c, e, v->n_inputs ? SW__E_KEYED : SW__E_PROBED);
}

static void
keys_check(struct sw__core *c, struct sw__edge *e)
{
        if (e->v->stage >= SW__ST_KEYS)
                look_again(c, e);
}

static void
to_more(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, SW__E_MORE);
}

static void
to_keyed(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, SW__E_KEYED);
}

static void
more_inputs(struct sw__core *c, struct sw__edge *e)
{
        if (sw__lookup(c, e))
                hit(c, e);
        else if (sw__lookup_content_helps(c, e))
                enter(c, e, SW__E_CONTENT);
        else
                enter(c, e, SW__E_PROBED);
}

static void
content_inputs(struct sw__core *c, struct sw__edge *e)
{
        if (sw__lookup(c, e))
                hit(c, e);
        else
                enter(c, e, SW__E_PROBED);
}

/* ---- loading ---- */

static void
load_next(struct sw__core *c, struct sw__edge *e)
{
        uint8_t place = 0;
        char *id = sw__lookup_best(c, e, &place);

        if (!id) {
                enter(c, e, SW__E_EVAL);
                return;
        }
        e->act = sw__act_new(c, e->v, SW__ACT_LOAD, e->output);
        e->act->e = e;
        e->act->loader = e->v->cache->places[place].loader;
        e->act->load_id = id;
        e->act->place = place;
        enter(c, e, SW__E_LOADING);
        sw__act_start(c, e->act);
}

static void
stop_load(struct sw__core *c, struct sw__edge *e)
{
        struct sw__act *act = e->act;

        enter(c, e, SW__E_STOPPING);
        sw__act_cancel(c, act);
}

static void
loaded(struct sw__core *c, struct sw__edge *e)
{
        struct sw__act *act = e->act;

        e->act = NULL;
        e->result = sw_steal(act->out[0]);
        if (act->place != 0)
                sw__keep_imported(c, e);
        else
                sw__keep_loaded(c, e);
        enter(c, e, SW__E_DONE);
}

static void
gone(struct sw__core *c, struct sw__edge *e)
{
        struct sw__act *act = e->act;

        e->act = NULL;
        if (!e->dead)
                e->dead = sw_new(sw_strlist);
        sw_strlist_add(e->dead, act->load_id);
        if (sw_err_code(act->err) != SW_E_CANCELLED)
                sw__lookup_drop(c, e, act->place, act->load_id);
        load_next(c, e);
}

static void
stopped(struct sw__core *c, struct sw__edge *e)
{
        e->act = NULL;
        enter(c, e, SW__E_HIT);
}

/* ---- running ---- */

static void
to_eval(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, SW__E_EVAL);
}

/* Resting again, from what was begun for the result; or for good: it cannot be found. */
static void
to_probed(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, SW__E_PROBED);
}

/* Nobody waits for what the inputs were asked for. */
static void
let_go(struct sw__core *c, struct sw__edge *e)
{
        sw__gather_update(c, e->v);
}

static void
to_run(struct sw__core *c, struct sw__edge *e)
{
        e->v->looked_up = c->n_steps;
        enter(c, e, SW__E_RUN);
}

static void
eval_check(struct sw__core *c, struct sw__edge *e)
{
        struct sw__vx *v = e->v;

        e->maps_tried = v->n_maps;
        if (!maps_complete(v))
                sw__map_update(c, v);
        else if (v->stage < SW__ST_RESULTS)
                return;
        else if (!v->ignore_cache && sw__lookup(c, e))
                hit(c, e);
        else
                to_run(c, e);
}

/* The vertex let go of its turn because one of its edges has a record now. */
static void
found_check(struct sw__core *c, struct sw__edge *e)
{
        if (sw__lookup(c, e))
                hit(c, e);
        else
                enter(c, e, SW__E_EVAL);
}

static void
take_result(struct sw__core *c, struct sw__edge *e)
{
        e->result = sw__result_ref(e->v->out[e->output]);
        enter(c, e, SW__E_DONE);
}

static void
fail(struct sw__core *c, struct sw__edge *e)
{
        enter(c, e, SW__E_FAILED);
}

/* ---- stepping ---- */

static bool
outstanding(const struct sw__edge *e)
{
        const struct sw__vx *v = e->v;

        switch (e->state) {
        case SW__E_LOADING:
        case SW__E_STOPPING: return e->act != NULL;
        case SW__E_RUN: return v->run >= SW__R_READY && v->run <= SW__R_STOPPING;
        case SW__E_ALT: return v->map_act != NULL;
        case SW__E_MORE:
        case SW__E_CONTENT: return v->target != 0;
        default: return v->map_act != NULL || v->target != 0;
        }
}

static void
edge_check(const struct sw__edge *e, size_t keys_before, uint8_t level_before)
{
        const struct edge_trait *t = &traits[e->state];

        assert(!t->works_for || e->pending || outstanding(e));           /* I1 */
        assert(!t->final || (!e->act && !e->pending));                   /* I2 */
        assert(e->keys.n >= keys_before && e->level >= level_before);    /* I3 */
        assert(t->works_for || t->final || e->state == SW__E_STOPPING || /* I4 */
               !holds(e, SW__EV_WANT) || e->pending);
        assert((e->result != NULL) == (e->state == SW__E_DONE)); /* I5 */
}

static void
step(struct sw__core *c, struct sw__edge *e, enum sw__edge_event ev)
{
        unsigned state = e->state;
        size_t keys = e->keys.n;
        uint8_t level = e->level;

        assert(edge_step[state][ev]);
        edge_step[state][ev](c, e);
        c->coverage.edge[state][ev]++;
        sw__trace_add(c->trace, SW__T_EDGE, e->v->number, (uint8_t) state, (uint8_t) ev,
                      e->output, e->state);
        edge_check(e, keys, level);
}

void
sw__edge_loaded(struct sw__core *c, struct sw__act *act)
{
        step(c, act->e, act->err ? SW__EV_GONE : SW__EV_LOADED);
}

static struct sw__edge *
pop(struct sw__core *c)
{
        struct sw__edge *e = c->todo;

        if (!e)
                return NULL;
        c->todo = e->next;
        if (!c->todo)
                c->todo_end = &c->todo;
        e->queued = false;
        e->v->n_queued--;
        return e;
}

static void
work_one(struct sw__core *c, struct sw__edge *e)
{
        for (unsigned i = 0; i < SW_COUNT(event_order); i++) {
                unsigned ev = event_order[i];

                if (!(e->pending & (1u << ev)))
                        continue;
                e->pending &= (uint16_t) ~(1u << ev);
                if (holds(e, ev))
                        step(c, e, ev);
                break;
        }
        /* What is left keeps its turn behind the others. */
        for (unsigned ev = 0; e->pending && ev < SW__EV_EVENTS; ev++)
                if (e->pending & (1u << ev))
                        post(c, e, ev);
        sw__vx_maybe_free(c, e->v);
}

unsigned
sw__edge_work(struct sw__core *c, unsigned max)
{
        struct sw__edge *e;
        unsigned n = 0;

        while (n < max && (e = pop(c)) != NULL) {
                work_one(c, e);
                n++;
        }
        return n;
}
