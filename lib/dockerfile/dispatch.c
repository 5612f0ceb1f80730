/*
 * lib/dockerfile/dispatch.c - instructions, one after the other. See convert_priv.h.
 */
#include <string.h>

#include <slipway/path.h>

#include "lib/dockerfile/convert_priv.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- Words ---- */

static bool
is_declared(const struct stage *st, const char *name)
{
        return sw_df_table_get(&st->arg_places, name) ||
               strcmp(name, "BUILDKIT_SBOM_SCAN_CONTEXT") == 0 ||
               strcmp(name, "BUILDKIT_SBOM_SCAN_STAGE") == 0;
}

void
sw_df__report_unset(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
                    const sw_strlist *unmatched)
{
        const char **keys = NULL;

        if (!c->lint)
                return;
        /* To look for what was meant takes long; not for what nobody is told. */
        for (size_t i = 0; i < unmatched->n && c->lint->told < SW_DF_FINDINGS_MAX; i++) {
                if (is_declared(st, unmatched->v[i]))
                        continue;
                if (!keys) {
                        keys = (const char **) sw_alloc_array(st->env.n_keys + 1,
                                                              sizeof(*keys));
                        sw_df_env_keys(&st->env, keys);
                }
                sw_df_lint_undefined_var(c->lint, cmd->node, unmatched->v[i],
                                         sw_df__near(unmatched->v[i], keys,
                                                     st->env.n_keys));
        }
        free(keys);
}

sw_err *
sw_df__expand(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
              const char *word, unsigned flags, const char **out)
{
        sw_auto(sw_strlist) unmatched = { NULL, 0, 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        const struct sw_df_lex lex = {
                .escape = flags & SW_DF_NO_QUOTES ? '\\' : c->program->tree->escape,
                .flags = flags,
                .get = sw_df_env_get_n,
                .arg = &st->env,
                .unmatched = c->lint ? &unmatched : NULL,
        };
        sw_err *err;

        *out = word;
        if (!word || !strpbrk(word, "$\\`'\""))
                return SW_OK;
        err = sw_df_expand(&lex, word, &b);
        sw_df__report_unset(c, st, cmd, &unmatched);
        if (!err)
                err = sw_df__count_made(c, b.len);
        if (!err)
                *out = sw_df_arena_str(c->arena, b.data, b.len);
        return err;
}

sw_err *
sw_df__expand_list(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
                   const struct sw_df_strs *in, struct sw_df_list *out)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < in->n && !err; i++) {
                const char *word = NULL;

                err = sw_df__expand(c, st, cmd, in->v[i], 0, &word);
                if (!err)
                        sw_df_list_add(c->arena, out, word);
        }
        return err;
}

/* ---- What instructions share ---- */

sw_err *
sw_df__count_inherited(struct conv *c, size_t n)
{
        if (n > SW_DF_INHERIT_MAX || c->inherited > SW_DF_INHERIT_MAX - n)
                return sw_df_err(SW_E_LIMIT,
                                 "stages and commands get more than %d variables, "
                                 "arguments and triggers, all together",
                                 SW_DF_INHERIT_MAX);
        c->inherited += n;
        return SW_OK;
}

sw_err *
sw_df__count_made(struct conv *c, size_t n)
{
        c->made += n;
        if (c->made <= SW_DF_MADE_MAX)
                return SW_OK;
        return sw_df_err(SW_E_LIMIT,
                         "variables make more than %d bytes of words, environments and "
                         "history, all together",
                         SW_DF_MADE_MAX);
}

sw_err *
sw_df__set_env(struct conv *c, struct stage *st, const char *key, const char *value)
{
        if (st->env.n_keys >= SW_DF_VARIABLES_MAX)
                return sw_df_err(SW_E_LIMIT, "more than %d variables in one stage",
                                 SW_DF_VARIABLES_MAX);
        sw_df_env_set(c->arena, &st->env, key, value);
        sw_state_replace(&st->state, sw_state_env(st->state, key, value));
        return SW_OK;
}

void
sw_df__add_arg(struct conv *c, struct stage *st, struct arg arg)
{
        const char *at = sw_df_table_get(&st->arg_places, arg.key);

        if (at) { /* the place of the first, the value of the last */
                st->args[strtoul(at, NULL, 10)].value = arg.value;
                return;
        }
        if (st->n_args == st->cap_args) {
                size_t cap = st->cap_args ? st->cap_args * 2 : 8;
                struct arg *v = sw_df_new_array(c->arena, struct arg, cap);

                if (st->n_args)
                        memcpy(v, st->args, st->n_args * sizeof(*v));
                st->args = v;
                st->cap_args = cap;
        }
        sw_df_table_set(c->arena, &st->arg_places, arg.key,
                        sw_df_printf(c->arena, "%zu", st->n_args));
        st->args[st->n_args++] = arg;
}

void
sw_df__use_path(struct conv *c, sw_df_paths *paths, const char *path)
{
        sw_auto(sw_str) full = NULL;

        if (strcmp(path, "/") == 0) { /* every RUN's */
                sw_df_table_set(c->arena, paths, "/", NULL);
                return;
        }
        full = sw_path_join("/", path);
        sw_df_table_set(c->arena, paths, sw_df_dup(c->arena, full), NULL);
}

void
sw_df__commit(struct conv *c, struct stage *st, const char *what, bool layer)
{
        c->made += strlen(what);
        sw_df_image_add_history(c->arena, &st->image, what, !layer,
                                c->has_epoch ? c->epoch_text : NULL);
}

const char *
sw_df__path(struct conv *c, const char *dir, const char *path, bool keep_slash)
{
        const char *full = *path ? path : dir;
        size_t n = strlen(path);
        sw_auto(sw_str) joined = NULL;
        bool slash;

        if (full[0] != '/') {
                sw_auto(sw_str) top = sw_path_join("/", dir);

                joined = sw_path_join(top, full);
                full = joined;
        }
        slash = n && path[n - 1] == '/' && full[strlen(full) - 1] != '/';
        if (keep_slash && slash)
                return sw_df_printf(c->arena, "%s/", full);
        if (keep_slash && n >= 2 && strcmp(path + n - 2, "/.") == 0)
                return sw_df_printf(c->arena, "%s%s.", full,
                                    strcmp(full, "/") == 0 ? "" : "/");
        return sw_df_dup(c->arena, full);
}

/* ---- A stage begins ---- */

static sw_err *
inherit(struct conv *c, struct stage *st)
{
        struct stage *base = st->base;
        sw_err *err;

        if (!base)
                return SW_OK;
        err = sw_df__count_inherited(c, base->env.n_keys + base->n_args +
                                                base->image.labels.n + base->image.ports.n +
                                                base->image.volumes.n);
        if (err)
                return err;
        sw_state_replace(&st->state, sw_state_ref(base->state));
        st->platform = base->platform;
        sw_df_image_copy(c->arena, &base->image, &st->image);
        st->image.onbuild = (struct sw_df_list){ .v = NULL };
        st->base_image = base->base_image;
        st->paths = base->paths;
        st->workdir_set = base->workdir_set;
        st->dir = base->dir;
        sw_df_env_copy(c->arena, &base->env, &st->env);
        for (size_t i = 0; i < base->n_args; i++)
                sw_df__add_arg(c, st, base->args[i]);
        return SW_OK;
}

static bool
has_path(const struct sw_df_image *img)
{
        for (size_t i = 0; i < img->env.n; i++)
                if (strncmp(img->env.v[i], "PATH=", 5) == 0 ||
                    strcmp(img->env.v[i], "PATH") == 0)
                        return true;
        return false;
}

static sw_err *
set_image_env(struct conv *c, struct stage *st)
{
        const struct sw_df_image *img = &st->image;
        sw_err *err = sw_df__count_inherited(c, img->env.n);

        for (size_t i = 0; i < img->env.n && !err; i++) {
                const char *eq = strchr(img->env.v[i], '=');
                size_t n = eq ? (size_t) (eq - img->env.v[i]) : strlen(img->env.v[i]);

                err = sw_df__set_env(c, st, sw_df_arena_str(c->arena, img->env.v[i], n),
                                     eq ? eq + 1 : "");
        }
        return err;
}

/* Values of the image become those of the state. */
static sw_err *
begin_stage(struct conv *c, struct stage *st)
{
        sw_err *err = inherit(c, st);

        if (err)
                return err;
        if (!st->platform)
                st->platform = c->target;
        if (!has_path(&st->image) && strcmp(st->platform->os, "windows") != 0)
                sw_df_list_add(c->arena, &st->image.env, "PATH=" DEFAULT_PATH);
        err = set_image_env(c, st);
        if (!err && *c->config->hostname)
                sw_state_replace(&st->state,
                                 sw_state_hostname(st->state, c->config->hostname));
        if (!err && st->image.workdir && *st->image.workdir)
                err = sw_df__workdir(c, st, NULL, st->image.workdir);
        if (!err && st->image.user && *st->image.user)
                sw_df__user(st, st->image.user);
        if (!err)
                sw_state_replace(&st->state,
                                 sw_state_network(st->state, c->config->network));
        return err;
}

/* ---- All of them ---- */

static sw_err *
dispatch(struct conv *c, struct stage *st, struct command *cmd)
{
        st->step_onbuild = cmd->onbuild;
        sw_df_lint_last(c->lint, &st->last, cmd->cmd);
        sw_df_lint_cmd(c->lint, cmd->cmd);
        switch (cmd->cmd->kind) {
        case SW_DF_RUN: return sw_df__run(c, st, cmd);
        case SW_DF_ADD:
        case SW_DF_COPY: return sw_df__copy(c, st, cmd);
        default: return sw_df__configure(c, st, cmd);
        }
}

static sw_err *
dispatch_stage(struct conv *c, struct stage *st)
{
        sw_err *err;

        st->dispatched = true;
        err = sw_df_blame(begin_stage(c, st), &c->client->text, st->range);
        for (size_t i = 0; i < st->n_commands && !err; i++) {
                err = sw_ctx_check(c->client->ctx);
                if (!err)
                        err = dispatch(c, st, &st->commands[i]);
                if (!err)
                        err = sw_df__count_made(c, 0);
                err = sw_df_blame(err, &c->client->text, st->commands[i].cmd->range);
        }
        return err;
}

sw_err *
sw_df__dispatch_all(struct conv *c)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < c->n_stages && !err; i++) {
                struct stage *st = c->stages[i];

                if (!st->dispatched && (st->reachable || c->req->all_stages))
                        err = dispatch_stage(c, st);
        }
        return err;
}
