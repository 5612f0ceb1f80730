/*
 * core/solver/core.c - the core's turn of work: what came back, what follows, what is told.
 *
 * Thread: scheduler only.
 */
#include <assert.h>

#include <slipway/time.h>

#include "core/solver/internal.h"

#define STEP_EVENTS 256

struct sw__core *
sw__core_new(const struct sw__host *host, void *arg, const struct sw__core_opts *opts)
{
        struct sw__core *c = sw_new(struct sw__core);

        c->host = host;
        c->host_arg = arg;
        c->story = opts->story;
        c->max_running = opts->max_running ? opts->max_running : 1;
        c->step_events = opts->step_events ? opts->step_events : STEP_EVENTS;
        c->trace = sw__trace_new(opts->trace_events ? opts->trace_events : 65536,
                                 host->mono, arg);
        c->todo_end = &c->todo;
        c->finished_end = &c->finished;
        c->turns_end = &c->turns;
        return c;
}

void
sw__core_free(struct sw__core *c)
{
        assert(!c->live_vertices && !c->live_acts && !c->todo && !c->notices.n);
        assert(!c->claims && !c->running && !c->group_writes);
        sw__trace_free(c->trace);
        sw_array_release(&c->notices);
        sw_array_release(&c->found);
        sw_array_release(&c->digests);
        free(c);
}

static void
end_act(struct sw__core *c, struct sw__act *act)
{
        struct sw__vx *v = act->v;

        sw__trace_add(c->trace, SW__T_ACT_END, v->number, (uint8_t) act->kind,
                      (uint8_t) ((act->err != NULL) | act->cancelled << 1), act->index,
                      act->err ? (uint64_t) sw_err_code(act->err) : 0);
        v->acts--;
        switch (act->kind) {
        case SW__ACT_MAP: sw__map_arrived(c, act); break;
        case SW__ACT_CONTENT: sw__gather_content(c, act); break;
        case SW__ACT_LOAD: sw__edge_loaded(c, act); break;
        case SW__ACT_RUN: sw__run_ended(c, act); break;
        }
        sw__act_free(c, act);
        sw__vx_maybe_free(c, v);
}

static void
end_acts(struct sw__core *c, unsigned max)
{
        while (c->finished && max--) {
                struct sw__act *act = c->finished;

                c->finished = act->next;
                if (!c->finished)
                        c->finished_end = &c->finished;
                end_act(c, act);
        }
}

bool
sw__core_step(struct sw__core *c)
{
        c->n_steps++;
        sw__trace_tick(c->trace);
        end_acts(c, c->step_events);
        (void) sw__edge_work(c, c->step_events);
        sw__ready_run(c);
        sw__vx_free_all(c);
        return c->todo || c->finished;
}

bool
sw__core_group_due(struct sw__core *c)
{
        if (!c->group_writes) /* nothing keeps what there is to tell */
                return c->notices.n != 0;
        return c->group_writes >= SW_KEYSTORE_GROUP_MAX ||
               c->host->mono(c->host_arg) - c->group_since >=
                       SW_KEYSTORE_GROUP_MS * SW_NS_PER_MS;
}

static void
commit(struct sw__core *c)
{
        if (!c->group_writes)
                return;
        sw__trace_add(c->trace, SW__T_COMMIT, 0, 0, 0, 0, c->group_writes);
        c->group_writes = 0;
        sw__store_problem(c, c->open_store->ops->commit(c->open_store));
}

static void
give_notice(struct sw__core *c, struct sw__notice *n)
{
        if (n->solve) {
                n->solve->told = true;
                c->host->solve_done(c->host_arg, n->solve);
        } else if (n->idle) {
                void *cookie = n->idle->cookie;

                sw__job_free(n->idle);
                c->host->job_idle(c->host_arg, cookie);
        } else {
                sw__story_failed(n->story, n->time, n->cached,
                                 n->failure ? n->failure->err : SW_OK);
                sw__story_vertex_unref(n->story);
                sw__failure_unref(n->failure);
        }
}

void
sw__core_flush(struct sw__core *c)
{
        commit(c);
        /* What is told may lead to more being told. */
        for (size_t i = 0; i < c->notices.n; i++) {
                struct sw__notice n = c->notices.v[i];
                give_notice(c, &n);
        }
        c->notices.n = 0;
}
