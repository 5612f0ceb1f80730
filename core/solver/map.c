/*
 * core/solver/map.c - cache maps: asked for one after the other, as long as they are
 * wanted.
 *
 * Thread: scheduler only.
 */
#include <stdio.h>

#include "core/solver/internal.h"

/* An op that always has one more would keep its vertex from ever being run. */
#define MAPS_MAX 16

static bool
edge_lacks_map(const struct sw__edge *e)
{
        const struct sw__vx *v = e->v;

        if (!sw__edge_wants_map(e))
                return false;
        if (v->n_maps == 0)
                return true;
        return v->map_more && (e->state == SW__E_EVAL || e->maps_tried == v->n_maps);
}

void
sw__map_update(struct sw__core *c, struct sw__vx *v)
{
        bool wanted = false;

        if (!v->map_act && v->n_maps && !v->map_more)
                return; /* all are here */
        for (uint32_t o = 0; o < v->n_outputs && !wanted; o++)
                wanted = edge_lacks_map(&v->edges[o]);
        if (wanted && !v->map_act) {
                v->map_act = sw__act_new(c, v, SW__ACT_MAP, v->n_maps);
                sw__act_start(c, v->map_act);
        } else if (!wanted && v->map_act) {
                sw__act_cancel(c, v->map_act);
        }
}

static sw_err *
check_map(const struct sw__vx *v, const struct sw_cache_map *m, unsigned index)
{
        if (!m->digest[0] || !memchr(m->digest, '\0', sizeof(m->digest)))
                return sw_err_new(SW_E_INTERNAL, "cache map %u has no digest", index);
        if (index == 0 && v->n_inputs && !m->deps)
                return sw_err_new(SW_E_INTERNAL, "cache map 0 has lost its inputs");
        if (m->more && index + 1 >= MAPS_MAX)
                return sw_err_new(SW_E_LIMIT, "more than %d cache maps", MAPS_MAX);
        for (uint32_t i = 0; m->deps && i < v->n_inputs; i++) {
                const char *selector = m->deps[i].selector;
                if (selector && strlen(selector) > SW_KEY_TEXT_MAX)
                        return sw_err_new(SW_E_INTERNAL,
                                          "cache map %u: selector of input %u is %zu "
                                          "characters long",
                                          index, i, strlen(selector));
                if (m->deps[i].content && !v->ops->content_key)
                        return sw_err_new(SW_E_INTERNAL,
                                          "cache map %u declares content of input %u, "
                                          "which the op cannot tell",
                                          index, i);
        }
        return SW_OK;
}

static void
take_deps(struct sw__vx *v, struct sw_cache_map *m)
{
        for (uint32_t i = 0; i < v->n_inputs; i++) {
                struct sw_cache_dep *dep = &m->deps[i];

                v->in[i].content_state = dep->content ? SW__CT_DECLARED : SW__CT_NONE;
                if (dep->selector && dep->selector[0])
                        v->in[i].selector = sw_steal(dep->selector);
        }
}

void
sw__map_arrived(struct sw__core *c, struct sw__act *act)
{
        struct sw__vx *v = act->v;
        sw_err *err = sw_steal(act->err);

        v->map_act = NULL;
        if (!err)
                err = check_map(v, &act->map, act->index);
        if (err && (act->cancelled || act->nobody)) {
                sw_err_drop(err, "nobody wanted it then");
                sw__map_update(c, v);
                return;
        }
        if (err) {
                sw__vx_fail(c, v, err);
                return;
        }
        v->maps = sw_realloc_array(v->maps, v->n_maps + 1u, sizeof(v->maps[0]));
        memcpy(v->maps[v->n_maps++], act->map.digest, sizeof(v->maps[0]));
        v->map_more = act->map.more;
        if (act->index == 0 && v->n_inputs) {
                take_deps(v, &act->map);
                sw__gather_map(c, v);
        }
        sw__edge_post_all(c, v, SW__EV_MAP);
}
