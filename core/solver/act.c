/*
 * core/solver/act.c - acts: calls that are in flight, and what comes back.
 *
 * An act belongs to the host from start until sw__core_finish(), then to the core, which
 * takes what it wants out of it and frees the rest. It keeps its vertex (and so the
 * vertices that are its inputs, and their results) alive.
 * Thread: scheduler only.
 */
#include "core/solver/internal.h"

struct sw__act *
sw__act_new(struct sw__core *c, struct sw__vx *v, enum sw__act_kind kind, uint32_t index)
{
        bool map = kind == SW__ACT_MAP && index == 0, run = kind == SW__ACT_RUN;
        size_t n_in = run ? v->n_inputs : kind == SW__ACT_CONTENT,
               n_deps = map * v->n_inputs;
        struct sw__act *act = sw_alloc(sizeof(*act) + n_deps * sizeof(struct sw_cache_dep) +
                                       n_in * sizeof(sw_result *));

        act->kind = kind;
        act->ops = v->ops;
        act->op = v->op;
        act->index = index;
        act->n_in = v->n_inputs;
        act->story = v->story;
        act->number = v->number;
        act->v = v;
        act->map.deps = n_deps ? (struct sw_cache_dep *) (act + 1) : NULL;
        act->in = (sw_result **) (act + 1);
        if (run || kind == SW__ACT_LOAD) {
                act->n_out = run ? v->n_outputs : 1;
                act->out = sw_alloc_array(act->n_out, sizeof(sw_result *));
        }
        v->acts++;
        c->live_acts++;
        return act;
}

void
sw__act_start(struct sw__core *c, struct sw__act *act)
{
        sw__trace_add(c->trace, SW__T_ACT, act->number, (uint8_t) act->kind, 0, act->index,
                      0);
        c->host->start(c->host_arg, act);
}

void
sw__act_cancel(struct sw__core *c, struct sw__act *act)
{
        if (act->cancelled || act->back) /* back: how it ended is what counts */
                return;
        act->cancelled = true;
        c->host->cancel(c->host_arg, act);
}

void
sw__act_free(struct sw__core *c, struct sw__act *act)
{
        for (uint32_t i = 0; i < act->n_out; i++)
                if (act->out[i])
                        c->host->release(c->host_arg, act->out[i]);
        for (uint32_t i = 0; act->map.deps && i < act->n_in; i++)
                free(act->map.deps[i].selector);
        free(act->out);
        free(act->load_id);
        free(act->before);
        free(act->now);
        sw_err_free(act->err);
        free(act);
        c->live_acts--;
}

void
sw__core_finish(struct sw__core *c, struct sw__act *act)
{
        act->back = true;
        act->next = NULL;
        *c->finished_end = act;
        c->finished_end = &act->next;
}
