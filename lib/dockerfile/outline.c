/* lib/dockerfile/outline.c - what a target asks for. See convert_priv.h; reference 15. */
#include <string.h>

#include "lib/dockerfile/convert_priv.h"

struct arg_info *
sw_df__note_arg(struct conv *c, struct arg_info **list, const struct sw_df_kv *kv,
                const char *value, struct sw_df_range range)
{
        struct arg_info *a = sw_df_new(c->arena, struct arg_info);

        *a = (struct arg_info){
                .key = kv->key,
                .value = value,
                .comment = kv->comment ?: "",
                .range = range,
                .next = *list,
        };
        *list = a;
        return a;
}

void
sw_df__note_need(struct conv *c, struct need **list, const char *name, bool required,
                 struct sw_df_range range)
{
        struct need *n;

        for (n = *list; n; n = n->next)
                if (strcmp(n->need.name, name) == 0)
                        return;
        n = sw_df_new(c->arena, struct need);
        n->need = (struct sw_df_outline_need){ sw_df_dup(c->arena, name), required, range };
        n->next = *list;
        *list = n;
}

/* ---- Gathering ---- */

struct gather {
        struct conv *c;
        struct sw_df_arena *arena; /* the result's */
        SW_ARRAY(struct sw_df_outline_arg) args;
        SW_ARRAY(struct sw_df_outline_need) secrets, agents;
        sw_map *seen_args, *seen_secrets, *seen_agents;
};

/* The argument that counts of those of one name: the stage's own, else the global one. */
static struct arg_info *
find_info(const struct gather *g, const struct stage *st, const char *key)
{
        for (const struct stage *s = st; s; s = s->base)
                for (struct arg_info *a = s->arg_infos; a; a = a->next)
                        if (strcmp(a->key, key) == 0)
                                return a;
        for (struct arg_info *a = g->c->global_infos; a; a = a->next)
                if (strcmp(a->key, key) == 0)
                        return a;
        return NULL;
}

static void
add_arg(struct gather *g, const struct stage *st, const char *key, unsigned deep)
{
        struct arg_info *a = find_info(g, st, key);

        if (!a || deep > 100 || !sw_map_set(g->seen_args, key, g))
                return;
        sw_array_push(&g->args, (struct sw_df_outline_arg){
                                        .name = sw_df_dup(g->arena, a->key),
                                        .description = sw_df_dup(g->arena, a->comment),
                                        .value = sw_df_dup(g->arena, a->value),
                                        .range = a->range,
                                });
        for (size_t i = 0; i < a->n_deps; i++)
                add_arg(g, st, a->deps[i], deep + 1);
}

static void
add_stage(struct gather *g, const struct stage *st)
{
        for (size_t i = 0; i < st->used_args.n; i++)
                add_arg(g, st, st->used_args.v[i].key, 0);
        for (const struct need *n = st->secrets; n; n = n->next)
                if (sw_map_set(g->seen_secrets, n->need.name, g))
                        sw_array_push(&g->secrets, n->need);
        for (const struct need *n = st->agents; n; n = n->next)
                if (sw_map_set(g->seen_agents, n->need.name, g))
                        sw_array_push(&g->agents, n->need);
}

static int
by_line(const void *a, const void *b)
{
        const struct sw_df_outline_need *x = (const struct sw_df_outline_need *) a;
        const struct sw_df_outline_need *y = (const struct sw_df_outline_need *) b;
        int c = (x->range.first > y->range.first) - (x->range.first < y->range.first);

        return c ? c : strcmp(x->name, y->name);
}

static int
args_by_line(const void *a, const void *b)
{
        const struct sw_df_outline_arg *x = (const struct sw_df_outline_arg *) a;
        const struct sw_df_outline_arg *y = (const struct sw_df_outline_arg *) b;
        int c = (x->range.first > y->range.first) - (x->range.first < y->range.first);

        return c ? c : strcmp(x->name, y->name);
}

static const struct sw_df_outline_need *
keep_needs(struct gather *g, struct sw_df_outline_need *v, size_t n)
{
        if (!n)
                return NULL;
        qsort(v, n, sizeof(*v), by_line);
        for (size_t i = 0; i < n; i++)
                v[i].name = sw_df_dup(g->arena, v[i].name);
        return (const struct sw_df_outline_need *) sw_df_arena_keep(g->arena, v, n,
                                                                    sizeof(*v));
}

void
sw_df__outline(struct conv *c, struct stage *target, sw_df_result *out)
{
        struct gather g = {
                .c = c,
                .arena = out->arena,
                .seen_args = sw_map_new(NULL),
                .seen_secrets = sw_map_new(NULL),
                .seen_agents = sw_map_new(NULL),
        };
        struct sw_df_outline *o = &out->outline;

        add_stage(&g, target);
        for (size_t i = 0; i < c->n_stages; i++)
                if (c->stages[i]->reachable && c->stages[i] != target)
                        add_stage(&g, c->stages[i]);
        if (g.args.n)
                qsort(g.args.v, g.args.n, sizeof(*g.args.v), args_by_line);
        o->name = sw_df_dup(out->arena, target->src ? target->src->name : "");
        o->description = sw_df_dup(out->arena, target->src ? target->src->comment : "");
        o->n_args = g.args.n;
        o->args = (const struct sw_df_outline_arg *) sw_df_arena_keep(out->arena, g.args.v,
                                                                      g.args.n,
                                                                      sizeof(*g.args.v));
        o->n_secrets = g.secrets.n;
        o->secrets = keep_needs(&g, g.secrets.v, g.secrets.n);
        o->n_ssh = g.agents.n;
        o->ssh = keep_needs(&g, g.agents.v, g.agents.n);
        sw_array_release(&g.args);
        sw_array_release(&g.secrets);
        sw_array_release(&g.agents);
        sw_map_free(g.seen_args);
        sw_map_free(g.seen_secrets);
        sw_map_free(g.seen_agents);
}
