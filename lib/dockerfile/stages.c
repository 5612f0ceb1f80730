/*
 * lib/dockerfile/stages.c - global arguments; which stages there are, what they are made
 * of, what they need of each other. See convert_priv.h.
 */
#include <inttypes.h>
#include <string.h>

#include <slipway/imagename.h>
#include <slipway/text.h>

#include "lib/dockerfile/convert_priv.h"

/* ---- Arguments before the first FROM ---- */

static void
set_default(struct conv *c, const char *key, const char *value)
{
        const char *given = sw_df_table_get(&c->build_args, key);

        sw_df_env_set(c->arena, &c->globals, key, given ?: value ?: "");
}

static void
set_defaults(struct conv *c)
{
        const sw_platform *b = c->config->build_platform, *t = c->target;
        const struct sw_df_stage *last = &c->program->stages[c->program->n_stages - 1];
        const char *target = *c->config->target ? c->config->target : last->name;
        sw_auto(sw_str) build = sw_platform_str(b);

        set_default(c, "BUILDPLATFORM", sw_df_dup(c->arena, build));
        set_default(c, "BUILDOS", b->os);
        set_default(c, "BUILDOSVERSION", b->os_version);
        set_default(c, "BUILDARCH", b->arch);
        set_default(c, "BUILDVARIANT", b->variant);
        set_default(c, "TARGETPLATFORM", sw_df_platform_text(c->arena, t));
        set_default(c, "TARGETOS", t->os);
        set_default(c, "TARGETOSVERSION", t->os_version);
        set_default(c, "TARGETARCH", t->arch);
        set_default(c, "TARGETVARIANT", t->variant);
        set_default(c, "TARGETSTAGE", *target ? target : "default");
}

/* Values of global arguments into @env; without @c->build_args when @defaults. */
static sw_err *
add_global(struct conv *c, const struct sw_df_cmd *cmd, const struct sw_df_kv *kv,
           bool defaults, struct sw_df_env *env)
{
        const char *value = defaults ? NULL : sw_df_table_get(&c->build_args, kv->key);
        sw_auto(sw_strlist) matched = { NULL, 0, 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        const struct sw_df_lex lex = {
                .escape = c->program->tree->escape,
                .get = sw_df_env_get_n,
                .arg = env,
                .matched = &matched,
        };
        struct arg_info *info;

        if (!value && kv->value) {
                sw_err *err = sw_df_expand(&lex, kv->value, &out);

                if (!err)
                        err = sw_df__count_made(c, out.len);
                if (err)
                        return sw_df_blame(err, &c->client->text, cmd->range);
                value = sw_df_arena_str(c->arena, out.data, out.len);
        }
        if (value)
                sw_df_env_set(c->arena, env, kv->key, value);
        if (defaults)
                return SW_OK;
        info = sw_df__note_arg(c, &c->global_infos, kv, value, cmd->range);
        info->deps = sw_df_new_array(c->arena, const char *, matched.n);
        for (size_t i = 0; i < matched.n; i++)
                info->deps[info->n_deps++] = sw_df_dup(c->arena, matched.v[i]);
        return SW_OK;
}

static sw_err *
add_globals(struct conv *c, bool defaults, struct sw_df_env *env)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < c->program->n_globals && !err; i++) {
                const struct sw_df_cmd *cmd = &c->program->globals[i];

                for (size_t k = 0; k < cmd->kvs.n && !err; k++)
                        err = add_global(c, cmd, &cmd->kvs.v[k], defaults, env);
                if (!err && env->n_keys > SW_DF_VARIABLES_MAX)
                        err = sw_df_err(SW_E_LIMIT, "more than %d global arguments",
                                        SW_DF_VARIABLES_MAX);
        }
        return err;
}

/* Whether bases are names of images also when no build argument is given. */
static void
check_default_bases(struct conv *c)
{
        struct sw_df_env env = { .v = NULL };
        sw_err *err;

        if (!c->lint)
                return;
        sw_df_env_copy(c->arena, &c->globals, &env);
        err = add_globals(c, true, &env);
        for (size_t i = 0; i < c->program->n_stages && !err; i++) {
                const struct sw_df_stage *src = &c->program->stages[i];
                const struct sw_df_lex lex = {
                        .escape = c->program->tree->escape,
                        .get = sw_df_env_get_n,
                        .arg = &env,
                };
                sw_auto(sw_image_name) name = { .host = NULL };
                sw_auto(sw_buf) out = SW_BUF_INIT;

                err = sw_df_expand(&lex, src->base, &out);
                if (err)
                        break;
                err = sw_image_name_parse(out.data, &name);
                if (err)
                        sw_df_lint_default_arg_in_from(c->lint, src->node, src->base);
                sw_err_drop(sw_steal(err), "told");
        }
        sw_err_drop(err, "comes up again, and counts then");
}

sw_err *
sw_df__globals(struct conv *c)
{
        set_defaults(c);
        check_default_bases(c);
        return add_globals(c, false, &c->globals);
}

/* ---- One stage ---- */

static struct stage *
find_stage(const struct conv *c, const char *name)
{
        sw_auto(sw_str) lower = sw_strdup(name);

        for (char *p = lower; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char) (*p - 'A' + 'a');
        return (struct stage *) sw_map_get(c->by_name, lower);
}

static struct stage *
new_stage(struct conv *c)
{
        struct stage *st = sw_df_new(c->arena, struct stage);

        st->paths = sw_df_new(c->arena, sw_df_paths);
        st->label = st->text = "";
        st->dir = "/";
        return st;
}

static sw_err *
add_stage(struct conv *c, struct stage *st)
{
        if (c->n_stages >= SW_DF_STAGES_MAX)
                return sw_df_err(SW_E_LIMIT, "more than %d stages", SW_DF_STAGES_MAX);
        if (c->n_stages == c->cap_stages) {
                c->cap_stages = c->cap_stages ? c->cap_stages * 2 : 16;
                c->stages = (struct stage **) sw_realloc_array(c->stages, c->cap_stages,
                                                               sizeof(*c->stages));
        }
        c->stages[c->n_stages++] = st;
        st->base = (struct stage *) sw_map_get(c->by_name, st->base_name);
        if (st->src && *st->src->name)
                (void) sw_map_set(c->by_name, st->src->name, st);
        return SW_OK;
}

struct word { /* of FROM, expanded */
        sw_buf text;
        sw_strlist matched, unmatched;
};

static void
word_release(struct word *w)
{
        sw_buf_release(&w->text);
        sw_strlist_release(&w->matched);
        sw_strlist_release(&w->unmatched);
}
typedef struct word word;
SW_DEFINE_AUTO(word, word_release)

static void
report_unset_args(struct conv *c, const struct sw_df_stage *src, const word *w)
{
        const char **keys;

        if (!c->lint || !w->unmatched.n)
                return;
        keys = (const char **) sw_alloc_array(c->globals.n_keys + 1, sizeof(*keys));
        sw_df_env_keys(&c->globals, keys);
        for (size_t i = 0; i < w->unmatched.n && c->lint->told < SW_DF_FINDINGS_MAX; i++) {
                const char *name = w->unmatched.v[i];
                bool declared = false;

                for (struct arg_info *a = c->global_infos; a && !declared; a = a->next)
                        declared = strcmp(a->key, name) == 0;
                if (!declared)
                        sw_df_lint_undefined_arg_in_from(c->lint, src->node, name,
                                                         sw_df_suggest(name, keys,
                                                                       c->globals.n_keys,
                                                                       true));
        }
        free(keys);
}

static sw_err *
expand_from(struct conv *c, const struct sw_df_stage *src, const char *text, word *w)
{
        const struct sw_df_lex lex = {
                .escape = c->program->tree->escape,
                .get = sw_df_env_get_n,
                .arg = &c->globals,
                .matched = &w->matched,
                .unmatched = &w->unmatched,
        };
        sw_err *err = sw_df_expand(&lex, text, &w->text);

        report_unset_args(c, src, w);
        return err ? err : sw_df__count_made(c, w->text.len);
}

static void
use_args(struct conv *c, struct stage *st, const sw_strlist *names)
{
        for (size_t i = 0; i < names->n; i++)
                sw_df_table_set(c->arena, &st->used_args, sw_df_dup(c->arena, names->v[i]),
                                "");
}

/* An error with what may have been meant, if one of the unset names is close to one. */
static sw_err *
suggest_any(struct conv *c, const sw_strlist *unset, enum sw_code code, const char *message)
{
        const char **keys =
                (const char **) sw_alloc_array(c->globals.n_keys + 1, sizeof(*keys));
        const char *near = NULL;
        sw_err *err;

        sw_df_env_keys(&c->globals, keys);
        for (size_t i = 0; i < unset->n && !near; i++)
                near = sw_df__near(unset->v[i], keys, c->globals.n_keys);
        err = near ? sw_df_err(code, "%s (did you mean %s?)", message, near)
                   : sw_df_err(code, "%s", message);
        free(keys);
        return err;
}

static sw_err *
take_platform(struct conv *c, struct stage *st, const struct sw_df_stage *src)
{
        sw_auto(word) w = { SW_BUF_INIT, { NULL, 0, 0 }, { NULL, 0, 0 } };
        sw_autoptr(sw_platform) p = NULL;
        sw_err *err;

        if (!*src->platform)
                return SW_OK;
        err = expand_from(c, src, src->platform, &w);
        if (err)
                return sw_df_wrap(err, "failed to process arguments for platform %s",
                                  w.text.data);
        if (!w.text.len) {
                sw_auto(sw_str) text =
                        sw_asprintf("empty platform value from expression %s",
                                    src->platform);

                return suggest_any(c, &w.unmatched, SW_E_INVALID, text);
        }
        err = sw_platform_parse(w.text.data, &p);
        if (err) {
                sw_err *better =
                        suggest_any(c, &w.unmatched, SW_E_INVALID, sw_err_message(err));

                sw_err_free(err);
                return sw_df_wrap(better, "failed to parse platform %s", src->platform);
        }
        use_args(c, st, &w.matched);
        st->platform = sw_df_platform_copy(c->arena, p);
        return SW_OK;
}

/* The context that takes the place of the whole stage. */
static sw_err *
take_context(struct conv *c, struct stage *st)
{
        const char *name = st->src->name;

        if (!*name || strcmp(name, SCRATCH) == 0 || strcmp(name, "context") == 0)
                return SW_OK;
        return sw_df_client_named(c->client, name, st->platform ?: c->req->platform,
                                  &st->named);
}

static void
count_steps(struct conv *c, struct stage *st)
{
        st->n_steps = strcmp(st->base_name, SCRATCH) != 0 && !st->base;
        for (size_t i = 0; i < st->src->n_cmds; i++) {
                enum sw_df_kind kind = st->src->cmds[i].kind;

                st->n_steps += kind == SW_DF_ADD || kind == SW_DF_COPY ||
                               kind == SW_DF_RUN || kind == SW_DF_WORKDIR;
        }
        st->ignore_cache = sw_df_config_ignores_cache(c->config, st->src->name);
}

static sw_err *
make_stage(struct conv *c, const struct sw_df_stage *src)
{
        sw_auto(word) w = { SW_BUF_INIT, { NULL, 0, 0 }, { NULL, 0, 0 } };
        struct stage *st = new_stage(c);
        sw_err *err = expand_from(c, src, src->base, &w);

        if (!err && !w.text.len)
                err = sw_df_err(SW_E_INVALID, "base name (%s) should not be blank",
                                src->base);
        if (err)
                return err;
        st->src = src;
        st->base_name = sw_df_arena_str(c->arena, w.text.data, w.text.len);
        st->text = src->text;
        st->range = src->range;
        st->label =
                *src->name ? src->name : sw_df_printf(c->arena, "stage-%zu", src->index);
        err = take_platform(c, st, src);
        if (!err)
                err = take_context(c, st);
        if (!err)
                err = add_stage(c, st);
        if (err)
                return err;
        if (st->named.name) {
                st->base = NULL;
                return SW_OK;
        }
        use_args(c, st, &w.matched);
        count_steps(c, st);
        return SW_OK;
}

/* ---- What instructions take from elsewhere ---- */

static sw_err *
source_stage(struct conv *c, const char *name, struct sw_df_range range, struct stage **out)
{
        *out = find_stage(c, name);
        if (*out)
                return SW_OK;
        *out = new_stage(c);
        (*out)->base_name = sw_df_dup(c->arena, name);
        (*out)->range = range;
        (*out)->unregistered = true;
        return add_stage(c, *out);
}

static sw_err *
copy_source(struct conv *c, const struct sw_df_cmd *cmd, struct stage **out)
{
        const struct sw_df_lex lex = { .escape = c->program->tree->escape };
        const char *from = cmd->copy.from;
        sw_auto(sw_buf) expanded = SW_BUF_INIT;
        int64_t index;
        sw_err *err = sw_df_expand(&lex, from, &expanded);

        if (err)
                return err;
        if (strcmp(expanded.data, from) != 0)
                return sw_df_err(SW_E_INVALID,
                                 "variable expansion is not supported for --from, define "
                                 "a new stage with FROM using ARG from global scope as a "
                                 "workaround");
        err = sw_parse_int(from, INT64_MIN, INT64_MAX, &index);
        if (err) {
                sw_err_drop(err, "a name, then");
                return source_stage(c, from, cmd->range, out);
        }
        if (index < 0 || (uint64_t) index >= c->n_stages)
                return sw_df_err(SW_E_INVALID, "invalid stage index %" PRId64, index);
        *out = c->stages[index];
        return SW_OK;
}

/* What a --mount takes its tree from: its from=, else scratch, whatever its type will turn
 * out to be when its variables are replaced. */
static sw_err *
mount_from(const char *value, sw_buf *out)
{
        sw_auto(sw_strlist) fields = { NULL, 0, 0 };
        sw_err *err = sw_csv_split(value, &fields);

        sw_buf_clear(out);
        for (size_t i = 0; i < fields.n && !err; i++) {
                sw_auto(sw_str) key = NULL;
                const char *v;

                if (!strchr(fields.v[i], '='))
                        continue;
                err = sw_csv_pair(fields.v[i], &key, &v);
                if (!err && strcmp(key, "from") == 0) {
                        sw_buf_clear(out);
                        sw_buf_adds(out, v);
                }
        }
        if (!err && !out->len)
                sw_buf_adds(out, SCRATCH);
        return err;
}

static void
add_dep(struct conv *c, struct stage *st, struct stage *on, struct sw_df_range range)
{
        struct dep *d = sw_df_new(c->arena, struct dep);

        *d = (struct dep){ on, range, st->deps };
        st->deps = d;
}

sw_err *
sw_df__sources(struct conv *c, struct stage *st, struct command *cmd)
{
        const struct sw_df_cmd *src = cmd->cmd;
        sw_auto(sw_buf) from = SW_BUF_INIT;
        sw_err *err = SW_OK;

        if (src->kind == SW_DF_COPY && src->copy.from) {
                err = copy_source(c, src, &cmd->from);
                if (!err)
                        add_dep(c, st, cmd->from, src->range);
        }
        if (src->kind != SW_DF_RUN)
                return err;
        cmd->mounts = sw_df_new_array(c->arena, struct stage *, src->run.mounts.n);
        for (size_t i = 0; i < src->run.mounts.n && !err; i++) {
                static const struct sw_df_range nowhere;

                err = mount_from(src->run.mounts.v[i], &from);
                if (!err)
                        err = source_stage(c, from.data, nowhere, &cmd->mounts[i]);
                if (!err)
                        add_dep(c, st, cmd->mounts[i], src->range);
        }
        return err;
}

static sw_err *
take_commands(struct conv *c, struct stage *st)
{
        sw_err *err = SW_OK;

        st->n_commands = st->src->n_cmds;
        st->commands = sw_df_new_array(c->arena, struct command, st->n_commands);
        for (size_t i = 0; i < st->n_commands && !err; i++) {
                st->commands[i].cmd = &st->src->cmds[i];
                err = sw_df__sources(c, st, &st->commands[i]);
        }
        return err;
}

/* ---- Cycles ---- */

struct walk {
        struct stage *stage;
        struct dep *next;
};

enum { NEW, OPEN, DONE };

sw_err *
sw_df__check_cycles(struct conv *c)
{
        struct walk *stack = sw_df_new_array(c->arena, struct walk, c->n_stages + 1);

        for (size_t i = 0; i < c->n_stages; i++)
                c->stages[i]->mark = NEW;
        for (size_t i = 0; i < c->n_stages; i++) {
                size_t n = 0;

                if (c->stages[i]->mark != NEW)
                        continue;
                stack[n++] = (struct walk){ c->stages[i], c->stages[i]->deps };
                c->stages[i]->mark = OPEN;
                while (n) {
                        struct walk *top = &stack[n - 1];
                        struct dep *d = top->next;

                        if (!d) {
                                top->stage->mark = DONE;
                                n--;
                                continue;
                        }
                        top->next = d->next;
                        if (d->stage->mark == OPEN)
                                return sw_df_blame(
                                        sw_df_err(
                                                SW_E_INVALID,
                                                "circular dependency detected on stage: %s",
                                                c->stages[i]->label),
                                        &c->client->text, d->range);
                        if (d->stage->mark == NEW) {
                                d->stage->mark = OPEN;
                                stack[n++] = (struct walk){ d->stage, d->stage->deps };
                        }
                }
        }
        return SW_OK;
}

void
sw_df__reach(struct conv *c, struct stage *target)
{
        struct stage **stack =
                (struct stage **) sw_alloc_array(c->n_stages + 1, sizeof(*stack));
        size_t n = 0;

        for (size_t i = 0; i < c->n_stages; i++)
                c->stages[i]->reachable = false;
        target->reachable = true;
        stack[n++] = target;
        while (n) {
                struct stage *st = stack[--n];

                if (st->base && !st->base->reachable) {
                        st->base->reachable = true;
                        stack[n++] = st->base;
                }
                for (struct dep *d = st->deps; d; d = d->next)
                        if (!d->stage->reachable) {
                                d->stage->reachable = true;
                                stack[n++] = d->stage;
                        }
        }
        free(stack);
}

/* ---- All of them ---- */

size_t
sw_df__stage_names(const struct conv *c, const char **out)
{
        size_t n = 0;

        for (size_t i = 0; i < c->n_stages; i++)
                if (c->stages[i]->src && *c->stages[i]->src->name)
                        out[n++] = c->stages[i]->src->name;
        return n;
}

static sw_err *
find_target(struct conv *c, struct stage **out)
{
        const char *name = c->config->target, *near;
        const char **names;
        sw_err *err;

        *out = *name ? find_stage(c, name) : c->stages[c->n_stages - 1];
        if (*out)
                return SW_OK;
        names = (const char **) sw_alloc_array(c->n_stages, sizeof(*names));
        near = sw_df__near(name, names, sw_df__stage_names(c, names));
        err = sw_df_err(SW_E_INVALID, "target stage \"%s\" could not be found%s%s%s", name,
                        near ? " (did you mean " : "", near ?: "", near ? "?)" : "");
        free(names);
        return err;
}

sw_err *
sw_df__stages(struct conv *c, struct stage **target)
{
        sw_err *err = SW_OK;
        size_t n = c->program->n_stages;

        for (size_t i = 0; i < n && !err; i++)
                err = sw_df_blame(make_stage(c, &c->program->stages[i]), &c->client->text,
                                  c->program->stages[i].range);
        if (!err)
                err = find_target(c, target);
        for (size_t i = 0; i < n && !err; i++)
                err = take_commands(c, c->stages[i]);
        if (!err)
                err = sw_df__check_cycles(c);
        if (!err && c->n_stages == 1)
                c->stages[0]->label = "";
        return err;
}
