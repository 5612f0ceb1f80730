/*
 * tests/model/drive.c - hosts the solver's core in one thread, and watches it.
 *
 * Acts that the core starts wait in a list until the caller finishes one of them, in an
 * order of his choosing. What is watched:
 *
 *   - a solve that succeeds has the naive evaluator's values; one that fails was cancelled
 *     or has something in it that can fail, and names it
 *   - no two vertices that a key makes equal run at once (same caches, nothing volatile);
 *     none runs again whose result is stored, unless it ignores the cache; what ignores it
 *     gets a result that was made so, and now
 *   - jobs that trust other caches do not share; what no solve wants is cancelled
 *   - what is told to be done is committed
 *   - at rest no input is asked for what nobody waits for
 *   - bounds hold; everything ends; nothing is left over
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/model/model.h"

/* ---- ops ---- */

struct mop {
        struct world *w;
        const struct sense *sense;
        struct mvx vx;   /* as it was when the job named it */
        unsigned number; /* of the vertex in the world */
        bool ignore;
        sw_cacheset *set;
};

static void
op_free(void *op)
{
        struct mop *m = op;

        m->w->live_ops--;
        free(m);
}

static sw_err *
never(void *op, sw_op_call *call, sw_ctx *ctx, unsigned input, sw_result *in,
      char out[SW_KEY_TEXT_SIZE])
{
        (void) op, (void) call, (void) ctx, (void) input, (void) in, (void) out;
        return sw_err_new(SW_E_INTERNAL, "the host answers itself");
}

static const struct sw_op_ops mops = { .size = sizeof(mops),
                                       .content_key = never,
                                       .free = op_free };
static const struct sw_op_ops waiting_mops = { .size = sizeof(mops),
                                               .flags = SW_OP_WAITS_FOR_SOLVER,
                                               .content_key = never,
                                               .free = op_free };

/* ---- watching runs ---- */

static const char *
kid_key(const struct mop *m, char buf[64])
{
        snprintf(buf, 64, "%p %" PRIx64, (void *) m->set, m->vx.kid);
        return buf;
}

/* For the report: a vertex, and by which keys its inputs are known. */
static void
describe(const struct sw__vx *v)
{
        printf("# v%" PRIu64 " caches %p, %s run\n", v->number, (void *) v->cache,
               sw__run_state_name(v->run));
        for (uint32_t i = 0; i < v->n_inputs; i++) {
                const struct sw__edge *e = v->in[i].edge;

                printf("#   input %u: v%" PRIu64 ".%u %s, selector %s, content %s\n", i,
                       e->v->number, e->output, sw__edge_state_name(e->state),
                       v->in[i].selector ? v->in[i].selector : "-",
                       v->in[i].content ? v->in[i].content->digest : "-");
                for (size_t k = 0; k < e->keys.n; k++)
                        printf("#     key %u %s\n", e->keys.v[k].place, e->keys.v[k].s);
        }
}

/* All vertices with the definition key of @m. */
static void
describe_all(const struct drive *d, const struct mop *m)
{
        for (const struct sw__vx *h = d->core->table; h; h = h->hh.next)
                for (const struct sw__vx *v = h; v; v = v->variant)
                        if (((struct mop *) v->op)->vx.kid == m->vx.kid)
                                describe(v);
}

static void
run_starts(struct drive *d, struct sw__act *act)
{
        struct mop *m = act->op;
        /* no claim keeps these: their solves may contain their like */
        const bool waits = act->ops->flags & SW_OP_WAITS_FOR_SOLVER;
        char key[64];

        if (d->core->running > d->max_running)
                model_fail("%u ops run, %u may", d->core->running, d->max_running);
        if (act->v->charged && act->v->charged->running > d->job_max)
                model_fail("a job runs %u ops, %u may", act->v->charged->running,
                           d->job_max);
        if (d->limit.used > LIMIT_UNITS)
                model_fail("%" PRIu64 " units are used", d->limit.used);
        for (uint32_t i = 0; i < act->n_in; i++)
                if (!act->in[i])
                        model_fail("runs without its input %u", i);
        if (m->vx.tainted)
                return;
        kid_key(m, key);
        if (sw_map_has(d->running, key) || (!m->ignore && sw_map_has(d->w->succeeded, key)))
                describe_all(d, m);
        if (sw_map_has(d->running, key) && !waits)
                model_fail("two vertices with one definition key run at once");
        sw_map_set(d->running, key, act);
        if (!waits && !m->ignore && sw_map_has(d->w->succeeded, key))
                model_fail("runs again although its result is stored");
}

static void
run_ends(struct drive *d, struct sw__act *act)
{
        struct mop *m = act->op;
        char key[64];

        if (m->vx.tainted)
                return;
        kid_key(m, key);
        sw_map_remove(d->running, key);
        if (!act->err)
                sw_map_set(d->w->succeeded, key, d);
}

/* ---- the host ---- */

static void
note_need(struct need *did, const struct sw__act *act)
{
        unsigned v = ((const struct mop *) act->op)->number;

        did->runs |= act->kind == SW__ACT_RUN ? 1u << v : 0;
        did->loads[v] |= act->kind == SW__ACT_LOAD ? 1u << act->index : 0;
        did->contents[v] |= act->kind == SW__ACT_CONTENT ? 1u << act->index : 0;
}

static void
host_start(void *arg, struct sw__act *act)
{
        struct drive *d = arg;

        for (size_t i = 0; i < act->v->jobs.n; i++)
                if (act->v->jobs.v[i].job->cache != act->v->cache)
                        model_fail("a job shares a vertex that uses other caches");

        d->n_map += act->kind == SW__ACT_MAP;
        d->n_content += act->kind == SW__ACT_CONTENT;
        d->n_load += act->kind == SW__ACT_LOAD;
        d->n_run += act->kind == SW__ACT_RUN;
        note_need(&d->did, act);
        if (act->kind == SW__ACT_RUN)
                run_starts(d, act);
        sw_array_push(&d->pending, act);
}

static void
host_cancel(void *arg, struct sw__act *act)
{
        struct drive *d = arg;

        d->n_taken_back += act->kind != SW__ACT_MAP;
        for (size_t i = 0; i < d->pending.n; i++)
                if (d->pending.v[i] == act)
                        return;
        model_fail("cancels an act that is not in flight");
}

static void
host_release(void *arg, sw_result *r)
{
        (void) arg;
        sw__result_unref(r);
}

static void
host_free_op(void *arg, const struct sw_op_ops *ops, void *op)
{
        (void) arg;
        ops->free(op);
}

static bool
can_fail(const struct drive *d, const sw_err *err)
{
        char text[SW_DIGEST_STR_SIZE];
        const char *vertex = sw_err_vertex(err);

        for (unsigned i = 0; vertex && i < d->w->n_vx; i++) {
                const struct sense *s = d->w->vx[i].sense;
                if ((s->runs_ill || s->maps_ill || s->contents_ill) &&
                    strcmp(sw_digest_str(&d->w->vx[i].digest, text), vertex) == 0)
                        return true;
        }
        return false;
}

static void
check_end(struct drive *d, const struct msolve *m)
{
        const struct sw__csolve *s = m->s;
        bool ill = false;

        for (unsigned i = 0; i < m->n_roots; i++)
                ill |= d->w->vx[m->roots[i].vertex].ill;
        if (s->err) {
                if (sw_err_code(s->err) == SW_E_CANCELLED ? !m->cancelled
                                                          : !ill || !can_fail(d, s->err))
                        model_fail("solve failed: %s (%s)", sw_err_message(s->err),
                                   sw_err_vertex(s->err) ? sw_err_vertex(s->err) : "");
                return;
        }
        for (unsigned i = 0; i < m->n_roots; i++) {
                uint64_t want = naive_value(d->w, m->roots[i].vertex, m->roots[i].output);
                if (!s->results[i] || result_value(s->results[i]) != want)
                        model_fail("root %u has another value", i);
                const struct stored *made = result_find(d->w, sw__result_id(s->results[i]));
                if (m->ignore & (1u << m->roots[i].vertex) &&
                    (made->drive != d->number || !made->ignoring))
                        model_fail("root %u ignores the cache and got what is in it", i);
        }
}

static void
host_solve_done(void *arg, struct sw__csolve *s)
{
        struct drive *d = arg;
        struct msolve *m = s->cookie;

        if (d->core->group_writes)
                model_fail("told before it was committed");
        if (m->done || m->s != s)
                model_fail("a solve ended twice");
        m->done = true;
        check_end(d, m);
}

static void
host_job_idle(void *arg, void *cookie)
{
        struct mjob *j = cookie;

        (void) arg;
        j->idle = true;
}

static void
host_problem(void *arg, const sw_err *err)
{
        (void) arg;
        model_fail("key store: %s", sw_err_message(err));
}

static int64_t
host_now(void *arg)
{
        struct drive *d = arg;

        return ++d->clock;
}

static const struct sw__host host = {
        .start = host_start,
        .cancel = host_cancel,
        .release = host_release,
        .free_op = host_free_op,
        .solve_done = host_solve_done,
        .job_idle = host_job_idle,
        .problem = host_problem,
        .now = host_now,
        .mono = host_now,
};

/* ---- finishing acts ---- */

static void
do_run(struct drive *d, struct sw__act *act, const struct mop *m)
{
        uint64_t in[MAX_IN];

        if (m->sense->runs_ill) {
                act->err = sw_err_new(SW_E_STEP, "ill");
                return;
        }
        for (uint32_t i = 0; i < act->n_in; i++)
                in[i] = result_value(act->in[i]);
        for (uint32_t o = 0; o < act->n_out; o++) {
                act->out[o] = result_make(d->w, d->importing ? "remote" : "local",
                                          sense_value(m->sense, o, in));
                struct stored *made = result_find(d->w, sw__result_id(act->out[o]));
                made->drive = d->number;
                made->ignoring = m->ignore;
        }
}

static void
do_act(struct drive *d, struct sw__act *act)
{
        const struct mop *m = act->op;

        switch (act->kind) {
        case SW__ACT_MAP:
                if (m->sense->maps_ill && act->index + 1 == m->sense->n_maps)
                        act->err = sw_err_new(SW_E_STEP, "ill map");
                else
                        sense_map(m->sense, act->index, &act->map);
                break;
        case SW__ACT_CONTENT:
                if (m->sense->contents_ill)
                        act->err = sw_err_new(SW_E_STEP, "ill content");
                else
                        sense_content(m->sense, act->index, result_value(act->in[0]),
                                      act->content);
                break;
        case SW__ACT_LOAD:
                act->err = act->loader->load(act->loader->self, NULL, act->load_id,
                                             &act->out[0]);
                break;
        case SW__ACT_RUN: do_run(d, act, m); break;
        }
}

void
drive_finish(struct drive *d, unsigned pending)
{
        struct sw__act *act = d->pending.v[pending];

        d->pending.v[pending] = d->pending.v[--d->pending.n];
        /* An op may find no job to work for, whatever the core knows by now. */
        act->nobody = act->kind != SW__ACT_LOAD && !d->w->ch.exhaustive &&
                      choose(&d->w->ch, 40) == 0;
        if (act->nobody || (act->cancelled && choose(&d->w->ch, 3) != 0))
                act->err = sw_err_new(SW_E_CANCELLED, "stopped");
        else
                do_act(d, act);
        if (act->kind == SW__ACT_RUN)
                run_ends(d, act);
        sw__core_finish(d->core, act);
}

/* ---- moves ---- */

void
drive_init(struct drive *d, struct world *w, unsigned step_events)
{
        struct sw__core_opts opts = { .trace_events = 2048, .step_events = step_events };

        memset(d, 0, sizeof(*d));
        d->w = w;
        d->number = ++w->drives;
        d->max_running = opts.max_running = 1 + choose(&w->ch, 4);
        d->job_max = 1 + choose(&w->ch, 3);
        d->limit.units = LIMIT_UNITS;
        d->running = sw_map_new(NULL);
        d->core = sw__core_new(&host, d, &opts);
        now_driving = d;
}

unsigned
drive_job(struct drive *d, sw_cacheset *set)
{
        struct mjob *j = &d->jobs[d->n_jobs];

        j->job = sw__core_job_new(d->core, set, d->job_max, NULL, j);
        return d->n_jobs++;
}

static void
fill(struct drive *d, struct sw_vertex *def, unsigned v, bool ignore, sw_cacheset *set)
{
        const struct mvx *vx = &d->w->vx[v];
        struct mop *m = sw_new(struct mop);

        *m = (struct mop){ d->w, vx->sense, *vx, v, ignore, set };
        d->w->live_ops++;
        *def = (struct sw_vertex){
                .digest = vx->digest,
                .ops = vx->kid % 11 == 0 ? &waiting_mops : &mops,
                .op = m,
                .n_inputs = vx->sense->n_in,
                .n_outputs = vx->sense->n_out,
                .ignore_cache = ignore,
                .limit = vx->kid % 3 == 0 ? &d->limit : NULL,
                .units = 1 + vx->kid % 4,
        };
}

/* The vertices that @roots need, as bits; or all of them: what a frontend names and does
 * not use. */
static unsigned
closure(struct drive *d, const struct sw_vertex_input *roots, unsigned n_roots)
{
        unsigned need = 0;

        if (!d->w->closures && chance(&d->w->ch, 50))
                return UINT32_MAX;
        for (unsigned i = 0; i < n_roots; i++)
                need |= 1u << roots[i].vertex;
        for (unsigned i = d->w->n_vx; i-- > 0;)
                for (unsigned k = 0; need & (1u << i) && k < d->w->vx[i].sense->n_in; k++)
                        need |= 1u << d->w->vx[i].in[k].vertex;
        return need;
}

void
drive_solve(struct drive *d, unsigned job, const struct sw_vertex_input *roots,
            unsigned n_roots, unsigned ignore)
{
        struct msolve *m = &d->solves[d->n_solves++];
        struct sw__job *j = d->jobs[job].job;
        unsigned need = closure(d, roots, n_roots), at[MAX_VX];
        struct sw_vertex defs[MAX_VX];
        struct sw_vertex_input in[MAX_VX][MAX_IN], r[2];
        struct sw_graph g = { .vertices = defs, .roots = r, .n_roots = n_roots };

        for (unsigned i = 0; i < d->w->n_vx; i++) {
                if (!(need & (1u << i)))
                        continue;
                fill(d, &defs[g.n_vertices], i, ignore & (1u << i), j->cache);
                for (unsigned k = 0; k < d->w->vx[i].sense->n_in; k++) {
                        in[i][k] = d->w->vx[i].in[k];
                        in[i][k].vertex = at[in[i][k].vertex];
                }
                defs[g.n_vertices].inputs = in[i];
                at[i] = g.n_vertices++;
        }
        for (unsigned i = 0; i < n_roots; i++)
                r[i] = (struct sw_vertex_input){ at[roots[i].vertex], roots[i].output };
        m->job = job;
        m->n_roots = n_roots;
        m->ignore = ignore;
        memcpy(m->roots, roots, n_roots * sizeof(*roots));
        sw_err *err = sw__graph_check(&g);
        if (err)
                model_fail("graph: %s", sw_err_message(err));
        m->s = sw__core_solve(d->core, j, &g, m);
}

void
drive_cancel(struct drive *d, unsigned solve)
{
        struct msolve *m = &d->solves[solve];

        if (m->done)
                return;
        m->cancelled = true;
        sw__core_solve_cancel(d->core, m->s, sw_err_new(SW_E_CANCELLED, "by the test"));
}

void
drive_end_job(struct drive *d, unsigned job)
{
        struct mjob *j = &d->jobs[job];

        if (!j->job)
                return;
        for (unsigned i = 0; i < d->n_solves; i++)
                if (d->solves[i].job == job && !d->solves[i].done)
                        d->solves[i].cancelled = true;
        sw__core_job_end(d->core, j->job);
        j->job = NULL;
}

/* A job's queue has no more places than its vertices may have in it. */
static void
check_queue(const struct sw__job *j)
{
        size_t places = 0;

        for (size_t i = 0; i < j->members.n; i++) {
                const struct sw__vx *v = j->members.v[i];

                for (size_t k = 0; k < v->jobs.n; k++)
                        if (v->jobs.v[k].job == j) {
                                places += v->jobs.v[k].queued;
                                if (v->jobs.v[k].queued > 2)
                                        model_fail("v%" PRIu64 " is queued %u times",
                                                   v->number, v->jobs.v[k].queued);
                        }
        }
        if (places != j->ready_n)
                model_fail("%zu places in a queue, its vertices have %zu", j->ready_n,
                           places);
}

bool
drive_step(struct drive *d)
{
        bool more = sw__core_step(d->core);

        for (unsigned i = 0; i < d->n_jobs; i++)
                if (d->jobs[i].job)
                        check_queue(d->jobs[i].job);
        return more;
}

void
drive_flush(struct drive *d)
{
        sw__core_flush(d->core);
}

static bool
edge_waits(const struct sw__edge *e)
{
        switch (e->state) {
        case SW__E_MORE:
        case SW__E_CONTENT:
        case SW__E_EVAL: return true;
        case SW__E_PROBED: return e->wanted[SW__MORE_KEYS] || e->wanted[SW__RESULT];
        default: return false;
        }
}

/* At rest: an input is asked for more than it has given only while an edge waits for it. */
static void
check_asked(const struct sw__vx *v)
{
        bool waits = v->target != SW__ST_NONE;

        for (uint32_t o = 0; o < v->n_outputs; o++)
                waits |= edge_waits(&v->edges[o]);
        for (uint32_t i = 0; i < v->n_inputs && !waits; i++)
                if ((v->in[i].want > v->in[i].edge->level &&
                     v->in[i].edge->state != SW__E_FAILED) ||
                    (v->in[i].ahead && v->in[i].content_state == SW__CT_DECLARED))
                        model_fail("v%" PRIu64 " holds on to input %" PRIu32, v->number, i);
}

/* At rest: what is still in flight is for a solve that goes on, or was told to stop. */
static void
check_wanted(struct drive *d)
{
        bool going = false;

        for (unsigned i = 0; i < d->n_solves; i++)
                going |= !d->solves[i].done;
        for (size_t i = 0; i < d->pending.n; i++)
                if (!going && !d->pending.v[i]->cancelled)
                        model_fail("nobody wants an act that goes on");
        for (const struct sw__vx *h = d->core->table; h; h = h->hh.next)
                for (const struct sw__vx *v = h; v; v = v->variant)
                        check_asked(v);
}

void
drive_drain(struct drive *d)
{
        for (unsigned ticks = 0;; ticks++) {
                while (drive_step(d))
                        ;
                drive_flush(d);
                check_wanted(d);
                if (d->pending.n)
                        drive_finish(d, choose(&d->w->ch, (unsigned) d->pending.n));
                else if (!drive_step(d))
                        break;
                if (ticks > 100000)
                        model_fail("does not come to an end");
        }
        drive_flush(d);
        for (unsigned i = 0; i < d->n_solves; i++)
                if (!d->solves[i].done)
                        model_fail("solve %u is stuck", i);
}

static void
add_up(struct sw__coverage *sum, const struct sw__coverage *c)
{
        const uint64_t *from = &c->edge[0][0];
        uint64_t *to = &sum->edge[0][0];

        for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
                to[i] += from[i];
}

void
drive_release(struct drive *d, struct sw__coverage *sum)
{
        for (unsigned i = 0; i < d->n_jobs; i++)
                drive_end_job(d, i);
        drive_drain(d);
        for (unsigned i = 0; i < d->n_jobs; i++)
                if (!d->jobs[i].idle)
                        model_fail("job %u never ends", i);
        if (d->core->live_vertices || d->core->live_acts || d->limit.used ||
            d->core->running || d->core->claims)
                model_fail("%" PRIu64 " vertices, %" PRIu64 " acts are left over",
                           d->core->live_vertices, d->core->live_acts);
        for (unsigned i = 0; i < d->n_solves; i++)
                sw__core_solve_free(d->core, d->solves[i].s);
        add_up(sum, &d->core->coverage);
        if (getenv("TRACE")) {
                sw_auto(sw_buf) text = SW_BUF_INIT;
                sw__trace_print(d->core->trace, &text);
                printf("# build:\n%s", text.data);
        }
        sw__core_free(d->core);
        sw_array_release(&d->pending);
        sw_map_free(d->running);
        now_driving = NULL;
}
