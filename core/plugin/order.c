/*
 * core/plugin/order.c - needs: missing ones, cycles, and init in order.
 *
 * The check walks needs depth first. A module on the path walked that is met again closes
 * a cycle: everything on the path from it on is part of it. A module is marked broken when
 * the walk leaves it, so that its own reason is the one nearest to it.
 *
 * Thread: main.
 */
#include <assert.h>
#include <string.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

/* What stands between a module and its need, or NULL. */
static char *
obstacle(const struct sw_need *need, const struct sw__module *other)
{
        const char *kind = sw_kind_name(need->kind);

        if (!other)
                return sw_asprintf("needs %s/%s, which is not there: install the package "
                                   "slipway-%s-%s",
                                   kind, need->name, kind, need->name);
        if (other->info.state == SW_PLUGIN_DISABLED)
                return sw_asprintf(
                        "needs %s/%s, which is switched off in the configuration", kind,
                        need->name);
        if (other->info.state == SW_PLUGIN_BROKEN)
                return sw_asprintf("needs %s/%s, which is broken: %s", kind, need->name,
                                   other->info.reason);
        return NULL;
}

/* "a -> b -> a", from path[at] on, starting with path[from]. */
static char *
cycle_text(const sw__modules *path, size_t at, size_t from)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        size_t len = path->n - at;

        for (size_t i = 0; i < len; i++)
                sw_buf_addf(&text, "%s -> ", path->v[at + (from - at + i) % len]->id);
        sw_buf_adds(&text, path->v[from]->id);
        return sw_buf_detach(&text);
}

/* @m, which is on the path, was met again. */
static void
break_cycle(const sw__modules *path, const struct sw__module *m)
{
        size_t at = path->n;

        assert(path->v);
        while (path->v[at - 1] != m)
                at--;
        at--;
        for (size_t i = at; i < path->n; i++) {
                sw_auto(sw_str) text = cycle_text(path, at, i);

                if (path->v[i]->info.state != SW_PLUGIN_BROKEN)
                        (void) sw__module_break(path->v[i], SW_FAULT_NEED_CYCLE,
                                                "needs itself: %s", text);
        }
}

static void
visit(sw_host *h, struct sw__module *m, sw__modules *path)
{
        const struct sw_need *need = m->desc.needs;
        sw_auto(sw_str) first = NULL;

        if (m->visit == SW__ON_PATH)
                break_cycle(path, m);
        if (m->visit != SW__UNSEEN || m->info.state != SW_PLUGIN_CHECKED)
                return;
        m->visit = SW__ON_PATH;
        sw_array_push(path, m);
        for (; need && need->kind; need++) {
                struct sw__module *other = sw__host_ensure(h, need->kind, need->name);

                if (other)
                        visit(h, other, path);
                if (!first)
                        first = obstacle(need, other);
        }
        path->n--;
        m->visit = SW__SEEN;
        if (first && m->info.state != SW_PLUGIN_BROKEN)
                (void) sw__module_break(m, SW_FAULT_UNMET_NEED, "%s", first);
}

void
sw__order_check(sw_host *h, struct sw__module *m)
{
        sw__modules path = { 0 };

        visit(h, m, &path);
        sw_array_release(&path);
}

/* What sw_plugin_env.host_ points to. */
struct caller {
        const sw_host *host;
        const struct sw__module *module;
};

static const struct sw_ops_hdr *
env_need(const struct sw_plugin_env *env, unsigned kind, const char *name, void **self)
{
        const struct caller *c = (const struct caller *) env->host_;
        const struct sw_need *need = c->module->desc.needs;
        const struct sw__module *other;

        while (need && need->kind && (need->kind != kind || strcmp(need->name, name) != 0))
                need++;
        assert(need && need->kind && "not among the plugin's needs");
        other = sw__host_known(c->host, kind, name);
        assert(other && other->info.state == SW_PLUGIN_READY);
        if (self)
                *self = other->self;
        return other->desc.ops;
}

static bool
call_init(sw_host *h, struct sw__module *m)
{
        struct caller caller = { .host = h, .module = m };
        const struct sw_plugin_env env = {
                .size = sizeof(env),
                .options = m->options,
                .log = h->log,
                .need = env_need,
                .host_ = &caller,
                .config = h->config,
        };
        void *self = NULL;
        sw_autoptr(sw_err) err = m->desc.init ? m->desc.init(&env, &self) : SW_OK;

        /* Out-parameters count on success only: on error self is not looked at. */
        if (err)
                return sw__module_break(m, SW_FAULT_INIT, "%s", sw_err_message(err));
        m->self = self;
        sw__module_enter(m, SW_PLUGIN_READY);
        sw_array_push(&h->ready, m);
        return true;
}

void
sw__order_init(sw_host *h, struct sw__module *m)
{
        const struct sw_need *need = m->desc.needs;

        if (m->info.state != SW_PLUGIN_CHECKED)
                return;
        for (; need && need->kind; need++) {
                struct sw__module *other = sw__host_known(h, need->kind, need->name);

                if (other)
                        sw__order_init(h, other);
                sw_auto(sw_str) why = obstacle(need, other);
                if (why) {
                        (void) sw__module_break(m, SW_FAULT_UNMET_NEED, "%s", why);
                        return;
                }
        }
        (void) call_init(h, m);
}
