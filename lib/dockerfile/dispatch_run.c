/* lib/dockerfile/dispatch_run.c - RUN. See convert_priv.h; reference 7 and 10. */
#include <string.h>

#include "lib/dockerfile/convert_priv.h"

#define PIPES "/dev/pipes/"

/* A step being put together. */
struct step {
        struct conv *c;
        struct stage *st;
        const struct sw_df_cmd *cmd;
        sw_run *run;
        struct sw_df_list args;
        const char *suffix; /* of its name; "" */
};
typedef struct step step;

static void
step_release(step *s)
{
        sw_run_free(s->run);
}
SW_DEFINE_AUTO(step, step_release)

/* ---- Here-documents ---- */

/* "echo one...": the first line, and whether there are more. */
static const char *
summarize(struct sw_df_arena *a, const char *text, size_t len)
{
        static const char blanks[] = " \t\n\v\f\r";
        size_t n;

        while (len && strchr(blanks, *text)) {
                text++;
                len--;
        }
        while (len && strchr(blanks, text[len - 1]))
                len--;
        for (n = 0; n < len && text[n] != '\n'; n++)
                ;
        return sw_df_printf(a, " (%.*s%s)",
                            (int) (n && n < len && text[n - 1] == '\r' ? n - 1 : n), text,
                            n < len ? "..." : "");
}

/* The document is a program of its own: a file for the container. */
static sw_err *
mount_script(step *s, const char *name, const sw_buf *data)
{
        struct conv *c = s->c;
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        sw_autoptr(sw_state) file = NULL;
        const struct sw_llb_opts *opts =
                SW_LLB_OPTS(.name = "[internal] preparing inline document",
                            .platform = s->st->platform);
        sw_err *err = sw_files_mkfile(f, name, 0755, data->data, data->len, NULL);

        if (!err)
                err = sw_state_files(nothing, f, opts, &file);
        if (!err)
                err = sw_run_mount(s->run, PIPES, file,
                                   SW_LLB_MOUNT(.selector = "/", .readonly = true));
        sw_df_list_add(c->arena, &s->args, sw_df_printf(c->arena, PIPES "%s", name));
        return err;
}

/* "RUN <<EOF": the document is the script. */
static sw_err *
take_script(step *s)
{
        const struct sw_df_heredoc *doc = &s->cmd->run.heredocs[0];
        const char *os = s->st->image.os;
        sw_auto(sw_buf) data = SW_BUF_INIT;

        if (doc->chomp)
                sw_df_chomp(doc->content, doc->len, &data);
        else
                sw_buf_add(&data, doc->content, doc->len);
        s->suffix = summarize(s->c->arena, doc->content, doc->len);
        if (strncmp(data.data, "#!", 2) == 0 && !(os && strcmp(os, "windows") == 0))
                return mount_script(s, doc->name, &data);
        sw_df_list_add(s->c->arena, &s->args,
                       sw_df_arena_str(s->c->arena, data.data, data.len));
        return SW_OK;
}

/* Documents and command line as they were written, for the shell to read. */
static void
take_documents(step *s)
{
        const struct sw_df_run *r = &s->cmd->run;
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, r->line.args.v[0]);
        for (size_t i = 0; i < r->n_heredocs; i++) {
                sw_buf_addc(&b, '\n');
                sw_buf_add(&b, r->heredocs[i].content, r->heredocs[i].len);
                sw_buf_adds(&b, r->heredocs[i].name);
        }
        sw_df_list_add(s->c->arena, &s->args, sw_df_arena_str(s->c->arena, b.data, b.len));
}

static sw_err *
take_args(step *s)
{
        const struct sw_df_run *r = &s->cmd->run;
        struct sw_df_line line = { .shell = r->line.shell };
        struct sw_df_list full;
        sw_err *err = SW_OK;

        if (!r->n_heredocs) {
                sw_df__command_line(s->c, s->st, &r->line, &s->args);
                return SW_OK;
        }
        if (r->line.args.n != 1 || !r->line.shell)
                return sw_df_err(SW_E_INVALID, "parsing produced an invalid run command");
        if (sw_df_heredoc_word(r->line.args.v[0], NULL))
                err = take_script(s);
        else
                take_documents(s);
        line.args = (struct sw_df_strs){ s->args.v, s->args.n };
        sw_df__command_line(s->c, s->st, &line, &full);
        s->args = full;
        return err;
}

/* ---- Its name, its place in the history ---- */

/* "RUN |2 A=1 B= /bin/sh -c make". */
static const char *
history_text(const step *s, const struct sw_df_env *env)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "RUN");
        if (s->st->n_args)
                sw_buf_addf(&b, " |%zu", s->st->n_args);
        for (size_t i = 0; i < s->st->n_args; i++) {
                const struct arg *a = &s->st->args[i];

                sw_buf_addc(&b, ' ');
                sw_buf_adds(&b, a->key);
                sw_buf_addc(&b, '=');
                sw_buf_adds(&b, sw_df_env_get(env, a->key) ?: a->value ?: "");
        }
        for (size_t i = 0; i < s->args.n; i++) {
                sw_buf_addc(&b, ' ');
                sw_buf_adds(&b, s->args.v[i]);
        }
        sw_buf_adds(&b, " # buildkit");
        return sw_df_arena_str(s->c->arena, b.data, b.len);
}

/* Its variables, and stars for those that are secrets. */
static void
masked_env(const step *s, const struct sw_df_mount *mounts, struct sw_df_env *out)
{
        bool copied = false;

        *out = s->st->env;
        for (size_t i = 0; i < s->cmd->run.mounts.n; i++) {
                if (mounts[i].type != SW_DF_MOUNT_SECRET || !mounts[i].env)
                        continue;
                if (!copied)
                        sw_df_env_copy(s->c->arena, &s->st->env, out);
                copied = true;
                sw_df_env_set(s->c->arena, out, sw_df_dup(s->c->arena, mounts[i].env),
                              "****");
        }
}

static sw_err *
step_name(step *s, const struct sw_df_mount *mounts, const char **out)
{
        sw_autoptr(sw_platform) p = NULL;
        struct sw_df_env env;
        const struct sw_df_lex lex = {
                .escape = s->c->program->tree->escape,
                .flags = SW_DF_KEEP_QUOTES | SW_DF_KEEP_UNSET,
                .get = sw_df_env_get_n,
                .arg = &env,
        };
        const char *text =
                *s->suffix ? sw_df_printf(s->c->arena, "%s%s", s->cmd->text, s->suffix)
                           : s->cmd->text;
        sw_err *err = SW_OK;

        if (s->c->config->multi_platform)
                err = sw_state_get_platform(s->st->state, NULL, &p);
        if (err)
                return err;
        masked_env(s, mounts, &env);
        *out = sw_df__step_name(s->c, s->st, sw_df__step_text(s->c, &lex, text), p,
                                &s->st->env);
        return SW_OK;
}

/* ---- What it runs with ---- */

/* A state with the values of this command alone. */
static sw_err *
own_values(step *s)
{
        const sw_df_config *cfg = s->c->config;
        const struct sw_df_run *r = &s->cmd->run;
        sw_autoptr(sw_state) in = sw_state_ref(s->st->state);
        sw_err *err = SW_OK;

        if (r->security_given)
                sw_state_replace(&in,
                                 sw_state_security(in, r->insecure
                                                               ? SW_LLB_SECURITY_INSECURE
                                                               : SW_LLB_SECURITY_SANDBOX));
        if (r->network != SW_DF_NET_DEFAULT)
                sw_state_replace(&in, sw_state_network(in, r->network == SW_DF_NET_HOST
                                                                   ? SW_LLB_NETWORK_HOST
                                                                   : SW_LLB_NETWORK_NONE));
        for (size_t i = 0; i < cfg->n_ulimits && !err; i++) {
                sw_state *next = NULL;

                err = sw_state_ulimit(in, cfg->ulimits[i].name, cfg->ulimits[i].soft,
                                      cfg->ulimits[i].hard, &next);
                if (!err)
                        sw_state_replace(&in, next);
        }
        for (size_t i = 0; i < cfg->n_hosts && !err; i++) {
                sw_state *next = NULL;

                err = sw_state_add_host(in, cfg->hosts[i].name, cfg->hosts[i].ip, &next);
                if (!err)
                        sw_state_replace(&in, next);
        }
        if (*cfg->cgroup_parent)
                sw_state_replace(&in, sw_state_cgroup_parent(in, cfg->cgroup_parent));
        sw_run_in(s->run, in);
        return err;
}

static sw_err *
add_devices(step *s)
{
        const struct sw_df_run *r = &s->cmd->run;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < r->n_devices && !err; i++)
                err = sw_run_device(s->run, r->devices[i].name, !r->devices[i].required);
        return err;
}

static sw_err *
add_shm(step *s)
{
        if (s->c->config->shm_size <= 0)
                return SW_OK;
        return sw_run_mount(s->run, "/dev/shm", NULL,
                            SW_LLB_MOUNT(.tmpfs = true,
                                         .tmpfs_size = s->c->config->shm_size));
}

static sw_err *
end_step(step *s, const char *name)
{
        struct conv *c = s->c;
        const struct sw_llb_pair description = { COMMAND_KEY, s->cmd->text };
        struct sw_llb_location where;
        const char **args = sw_df_new_array(c->arena, const char *, s->args.n + 1);
        sw_state *root = NULL;
        sw_err *err;

        if (s->args.n)
                memcpy(args, s->args.v, s->args.n * sizeof(*args));
        sw_run_args(s->run, args);
        sw_df__locate(c, s->cmd->range, &where);
        err = sw_run_end(s->run,
                         SW_LLB_OPTS(.name = name, .description = &description,
                                     .n_description = 1, .locations = &where,
                                     .n_locations = 1, .ignore_cache = s->st->ignore_cache,
                                     .resources = c->config->has_resources
                                                          ? &c->config->resources
                                                          : NULL),
                         &root);
        if (err)
                return err;
        sw_state_replace(&s->st->state, root);
        c->made += s->st->env.bytes; /* every step has all of it */
        sw_df__commit(c, s->st, history_text(s, &s->st->env), true);
        return SW_OK;
}

/* ---- All of it ---- */

struct expander {
        struct conv *c;
        struct stage *st;
        const struct sw_df_cmd *cmd;
};

static sw_err *
expand_word(void *arg, const char *word, sw_buf *out)
{
        const struct expander *e = (const struct expander *) arg;
        const char *text = NULL;
        sw_err *err = sw_df__expand(e->c, e->st, e->cmd, word, 0, &text);

        if (!err)
                sw_buf_adds(out, text);
        return err;
}

static sw_err *
run_with(step *s, struct command *cmd, const struct sw_df_mount *mounts)
{
        const char *name = NULL;
        sw_err *err = sw_df__count_inherited(s->c, s->st->env.n_keys + s->st->n_args);

        if (!err)
                err = take_args(s);
        if (!err && s->c->has_proxy)
                err = sw_run_proxy(s->run, &s->c->proxy);
        if (!err)
                err = sw_df__mounts(s->c, s->st, cmd, mounts, s->run);
        if (!err)
                err = own_values(s);
        if (!err)
                err = add_devices(s);
        if (!err)
                err = step_name(s, mounts, &name);
        if (!err)
                err = add_shm(s);
        return err ? err : end_step(s, name);
}

sw_err *
sw_df__run(struct conv *c, struct stage *st, struct command *cmd)
{
        const struct sw_df_cmd *src = cmd->cmd;
        struct expander expander = { c, st, src };
        size_t n = src->run.mounts.n, k = 0;
        struct sw_df_mount *mounts = sw_df_new_array(c->arena, struct sw_df_mount, n);
        sw_auto(step) s = { c, st, src, sw_run_new(st->state), { .v = NULL }, "" };
        sw_err *err = SW_OK;

        sw_df__use_path(c, st->paths, "/");
        for (; k < n && !err; k++)
                err = sw_df_mount_parse(src->run.mounts.v[k], expand_word, &expander,
                                        &mounts[k]);
        if (!err)
                err = run_with(&s, cmd, mounts);
        while (k--)
                sw_df_mount_release(&mounts[k]);
        return err;
}
