/*
 * core/solver/gather.c - how far the inputs of a vertex have got.
 *
 * Edges of a vertex wait for stages of all its inputs: their keys, more keys, content keys,
 * results. The vertex asks each input for what the highest awaited stage needs and counts
 * the inputs that do not have it yet, so that an input's news costs the same whether the
 * vertex has one input or ten thousand.
 *
 * Looking ahead. An edge in MORE waits for keys of all its inputs, and one of them may be
 * long in coming, where something has to run for them. Meanwhile the others are looked at.
 * Of an input at MORE_KEYS no other keys will come before it has its result. Where none of
 * those it has leads on from it in any store, by an op like this one, then
 *
 *      its content key is to come:  the edge can be found by that content alone, and
 *                                   nobody above can be found but by this edge's keys or
 *                                   its result, which takes this input's. So whatever the
 *                                   other inputs turn out to be, the input's result and
 *                                   content are needed: they are wanted at once (ahead)
 *      otherwise:                   the edge cannot be found at all (sw__edge_missed)
 *
 * So what does not depend on each other is evaluated side by side, and nothing is that a
 * hit would have spared: save where another job stores the missing link in the meantime,
 * and then what is not needed any more is let go of.
 *
 * What was asked stays asked while an edge goes on from MORE to CONTENT and while it rests
 * in PROBED with somebody waiting for more of it: letting go when the stage is reached
 * would stop what the next state wants again. It is let go of with a hit, or when the
 * edges are not wanted any more.
 *
 * Invariants:
 *   G1  target is 0 or above stage; n_missing counts the inputs with ok == false
 *   G2  stage never falls: what inputs have given they do not take back
 *   G3  in[i].want is RESULT where the input is wanted ahead, else what the stage in asked
 *       needs of it; while target is not 0, that is at least the target
 *   G4  with target 0, asked is at MORE_KEYS or CONTENT only while an edge is in MORE or
 *       CONTENT, or in PROBED and wanted at MORE_KEYS or more, or has an event queued
 *   G5  an input is wanted ahead only with asked at MORE_KEYS or above
 * Thread: scheduler only.
 */
#include <assert.h>

#include "core/solver/internal.h"

/* What a stage needs of one input. */
static unsigned
level_needed(const struct sw__input *in, unsigned stage)
{
        switch (stage) {
        case SW__ST_KEYS: return SW__KEYS;
        case SW__ST_MORE_KEYS: return SW__MORE_KEYS;
        case SW__ST_CONTENT:
                return in->content_state == SW__CT_NONE ? SW__MORE_KEYS : SW__RESULT;
        case SW__ST_RESULTS: return SW__RESULT;
        default: return SW__NOTHING;
        }
}

static bool
needs_content(const struct sw__input *in, unsigned stage)
{
        return stage >= SW__ST_CONTENT && in->content_state != SW__CT_NONE;
}

static bool
satisfied(const struct sw__input *in, unsigned stage)
{
        return in->edge->level >= level_needed(in, stage) &&
               (!needs_content(in, stage) || in->content_state == SW__CT_DONE);
}

static void
start_content(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        struct sw__input *in = &v->in[i];

        if (in->content_state != SW__CT_DECLARED || in->edge->state != SW__E_DONE)
                return;
        in->content_state = SW__CT_PENDING;
        in->act = sw__act_new(c, v, SW__ACT_CONTENT, i);
        in->act->in[0] = in->edge->result;
        sw__act_start(c, in->act);
}

static void
reached(struct sw__core *c, struct sw__vx *v)
{
        v->stage = v->target;
        v->target = SW__ST_NONE;
        sw__trace_add(c->trace, SW__T_STAGE, v->number, v->stage, 0, 0, 0);
        sw__edge_post_all(c, v, SW__EV_INPUTS);
}

static void
want(struct sw__core *c, struct sw__input *in, unsigned level)
{
        unsigned before = in->want;

        in->want = (uint8_t) level;
        sw__edge_want(c, in->edge, before, level);
}

/* Of many that use one result the contents that are needed later are made one after the
 * other: a tree's hashes are shared, and all at once would be in each other's way. */
static void
start_ahead(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        struct sw__input *in = &v->in[i];
        struct sw__edge *e = in->edge;

        if (in->content_state != SW__CT_DECLARED || e->state != SW__E_DONE)
                return;
        if (!e->ahead_act) {
                start_content(c, v, i);
                e->ahead_act = in->act;
        } else if (e->ahead_next > in->back) {
                e->ahead_next = in->back;
        }
}

/* That of @act is there: whose turn it is now. */
static void
next_ahead(struct sw__core *c, struct sw__edge *e, const struct sw__act *act)
{
        if (e->ahead_act != act)
                return;
        e->ahead_act = NULL;
        while (!e->ahead_act && e->ahead_next < e->consumers.n) {
                const struct sw__consumer *k = &e->consumers.v[e->ahead_next++];

                if (k->v->in[k->input].ahead)
                        start_ahead(c, k->v, k->input);
        }
}

/* Begin to find out what of an input is to be known for @stage, or in any case. */
static void
see_to_content(struct sw__core *c, struct sw__vx *v, uint32_t i, unsigned stage)
{
        if (needs_content(&v->in[i], stage))
                start_content(c, v, i);
        else if (v->in[i].ahead)
                start_ahead(c, v, i);
}

/* Gather for @stage; 0: for nothing, but keep what was asked for up to @keep. */
static void
retarget(struct sw__core *c, struct sw__vx *v, unsigned stage, unsigned keep)
{
        v->target = (uint8_t) stage;
        v->asked = (uint8_t) (stage > keep ? stage : keep);
        v->n_missing = 0;
        for (uint32_t i = 0; i < v->n_inputs; i++) {
                struct sw__input *in = &v->in[i];

                in->ok = stage != SW__ST_NONE && satisfied(in, stage);
                v->n_missing += !in->ok;
                in->ahead = in->ahead && v->asked >= SW__ST_MORE_KEYS;
                want(c, in, in->ahead ? SW__RESULT : level_needed(in, v->asked));
                see_to_content(c, v, i, stage);
                if (in->act && !in->ahead && !needs_content(in, stage))
                        sw__act_cancel(c, in->act);
        }
        if (stage == SW__ST_NONE)
                return;
        if (v->n_missing == 0) {
                reached(c, v);
                return;
        }
        for (uint32_t i = 0; i < v->n_inputs; i++)
                if (v->in[i].edge->state == SW__E_FAILED)
                        sw__gather_failed(c, v, i);
}

void
sw__gather_update(struct sw__core *c, struct sw__vx *v)
{
        unsigned stage = SW__ST_NONE, keep = SW__ST_NONE;

        for (uint32_t o = 0; o < v->n_outputs; o++) {
                unsigned s = sw__edge_stage(&v->edges[o]);
                stage = s > stage ? s : stage;
                if (sw__edge_keeps(&v->edges[o]) && v->asked >= SW__ST_MORE_KEYS)
                        keep = SW__ST_MORE_KEYS;
        }
        if (stage <= v->stage)
                stage = SW__ST_NONE;
        if (stage != v->target ||
            (stage == SW__ST_NONE && keep == SW__ST_NONE && sw__gather_holds(v)))
                retarget(c, v, stage, keep);
}

bool
sw__gather_holds(const struct sw__vx *v)
{
        return v->asked == SW__ST_MORE_KEYS || v->asked == SW__ST_CONTENT;
}

/* ---- looking ahead ---- */

static void
look_at(struct sw__core *c, struct sw__edge *e, uint32_t i)
{
        struct sw__vx *v = e->v;
        struct sw__input *in = &v->in[i];

        if (in->edge->level < SW__MORE_KEYS || sw__lookup_input_known(c, e, i))
                return;
        if (in->content_state == SW__CT_NONE || in->content_state == SW__CT_DONE) {
                sw__edge_missed(c, e);
                return;
        }
        if (in->ahead)
                return;
        in->ahead = true;
        want(c, in, SW__RESULT);
        start_ahead(c, v, i);
        if (in->edge->state == SW__E_FAILED)
                sw__gather_failed(c, v, i);
}

/* There is news of an input, and the stage is not reached yet. */
static void
look_ahead(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        for (uint32_t o = 0; o < v->n_outputs; o++)
                if (v->edges[o].state == SW__E_MORE && !v->edges[o].missed)
                        look_at(c, &v->edges[o], i);
}

void
sw__gather_ahead(struct sw__core *c, struct sw__edge *e)
{
        const struct sw__vx *v = e->v;

        if (v->stage >= SW__ST_MORE_KEYS) /* what is there decides */
                return;
        for (uint32_t i = 0; i < v->n_inputs && !e->missed; i++)
                look_at(c, e, i);
}

/* ---- news ---- */

void
sw__gather_input(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        struct sw__input *in = &v->in[i];

        see_to_content(c, v, i, v->target);
        if (v->target == SW__ST_NONE || in->ok || !satisfied(in, v->target))
                return;
        in->ok = true;
        assert(v->n_missing > 0);
        if (--v->n_missing == 0)
                reached(c, v);
        else
                look_ahead(c, v, i);
}

void
sw__gather_failed(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        const struct sw__input *in = &v->in[i];

        if (v->target != SW__ST_NONE && (!in->ok || in->ahead) &&
            in->want > in->edge->level)
                sw__vx_fail_with(c, v, in->edge->v->failure);
}

void
sw__gather_map(struct sw__core *c, struct sw__vx *v)
{
        /* Inputs were gathered before it was known which of them have content keys. */
        if (v->target >= SW__ST_CONTENT)
                retarget(c, v, v->target, SW__ST_NONE);
}

static struct sw__content *
content_new(const char *digest)
{
        struct sw__content *ct = sw_new(struct sw__content);
        sw_key_id root;

        memcpy(ct->digest, digest, sizeof(ct->digest));
        sw__key_root(digest, SW_KEY_OUTPUT_CONTENT, &root);
        memcpy(ct->root.s, root.s, sizeof(root.s));
        ct->root.place = sw__key_is_volatile(root.s) ? SW__PLACE_VOLATILE : SW__PLACE_ROOT;
        return ct;
}

void
sw__gather_content(struct sw__core *c, struct sw__act *act)
{
        struct sw__vx *v = act->v;
        struct sw__input *in = &v->in[act->index];

        in->act = NULL;
        next_ahead(c, in->edge, act);
        if (!act->err &&
            (!act->content[0] || !memchr(act->content, '\0', SW_KEY_TEXT_SIZE)))
                act->err = sw_err_new(SW_E_INTERNAL, "content key of input %u is no text",
                                      act->index);
        if (!act->err) {
                in->content = content_new(act->content);
                in->content_state = SW__CT_DONE;
                sw__gather_input(c, v, act->index);
                if (in->ahead && v->target != SW__ST_NONE)
                        look_ahead(c, v, act->index);
                return;
        }
        in->content_state = SW__CT_DECLARED;
        if (!act->cancelled && !act->nobody)
                sw__vx_fail(c, v, sw_steal(act->err));
        else
                see_to_content(c, v, act->index, v->target);
}
