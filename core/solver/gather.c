/*
 * core/solver/gather.c - how far the inputs of a vertex have got.
 *
 * Edges of a vertex wait for stages of all its inputs: their keys, more keys, content keys,
 * results. The vertex asks each input for what the highest awaited stage needs and counts
 * the inputs that do not have it yet, so that an input's news costs the same whether the
 * vertex has one input or ten thousand.
 *
 * Invariants:
 *   G1  target is 0 or above stage; n_missing counts the inputs with ok == false
 *   G2  stage never falls: what inputs have given they do not take back
 *   G3  while target is not 0, in[i].want is what the target needs of input i
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
retarget(struct sw__core *c, struct sw__vx *v, unsigned stage)
{
        v->target = (uint8_t) stage;
        v->n_missing = 0;
        for (uint32_t i = 0; i < v->n_inputs; i++) {
                struct sw__input *in = &v->in[i];
                unsigned level = level_needed(in, stage), before = in->want;

                in->ok = stage != SW__ST_NONE && satisfied(in, stage);
                v->n_missing += !in->ok;
                in->want = (uint8_t) level;
                sw__edge_want(c, in->edge, before, level);
                if (needs_content(in, stage))
                        start_content(c, v, i);
                else if (in->act)
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
        unsigned stage = SW__ST_NONE;

        for (uint32_t o = 0; o < v->n_outputs; o++) {
                unsigned s = sw__edge_stage(&v->edges[o]);
                stage = s > stage ? s : stage;
        }
        if (stage <= v->stage)
                stage = SW__ST_NONE;
        if (stage != v->target)
                retarget(c, v, stage);
}

void
sw__gather_input(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        struct sw__input *in = &v->in[i];

        if (v->target == SW__ST_NONE || in->ok)
                return;
        if (needs_content(in, v->target))
                start_content(c, v, i);
        if (!satisfied(in, v->target))
                return;
        in->ok = true;
        assert(v->n_missing > 0);
        if (--v->n_missing == 0)
                reached(c, v);
}

void
sw__gather_failed(struct sw__core *c, struct sw__vx *v, uint32_t i)
{
        const struct sw__input *in = &v->in[i];

        if (v->target != SW__ST_NONE && !in->ok && in->want > in->edge->level)
                sw__vx_fail_with(c, v, in->edge->v->failure);
}

void
sw__gather_map(struct sw__core *c, struct sw__vx *v)
{
        /* Inputs were gathered before it was known which of them have content keys. */
        if (v->target >= SW__ST_CONTENT)
                retarget(c, v, v->target);
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
        if (!act->err &&
            (!act->content[0] || !memchr(act->content, '\0', SW_KEY_TEXT_SIZE)))
                act->err = sw_err_new(SW_E_INTERNAL, "content key of input %u is no text",
                                      act->index);
        if (!act->err) {
                in->content = content_new(act->content);
                in->content_state = SW__CT_DONE;
                sw__gather_input(c, v, act->index);
                return;
        }
        in->content_state = SW__CT_DECLARED;
        if (!act->cancelled && !act->nobody)
                sw__vx_fail(c, v, sw_steal(act->err));
        else if (needs_content(in, v->target))
                start_content(c, v, act->index);
}
