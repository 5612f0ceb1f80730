/*
 * lib/dockerfile/dispatch_config.c - instructions that change the configuration. See
 * convert_priv.h; reference 9 and 12.
 */
#include <string.h>
#include <strings.h>

#include "lib/dockerfile/convert_priv.h"

/* ---- Variables ---- */

static sw_err *
env(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        size_t n = cmd->kvs.n;
        struct arg *v = sw_df_new_array(c->arena, struct arg, n);
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n && !err; i++) {
                err = sw_df__expand(c, st, cmd, cmd->kvs.v[i].key, 0, &v[i].key);
                if (!err)
                        err = sw_df__expand(c, st, cmd, cmd->kvs.v[i].value, 0,
                                            &v[i].value);
        }
        sw_buf_adds(&text, "ENV");
        for (size_t i = 0; i < n && !err; i++) {
                sw_buf_addf(&text, " %s=%s", v[i].key, v[i].value);
                err = sw_df__set_env(c, st, v[i].key, v[i].value);
                if (!err)
                        sw_df_image_set_env(c->arena, &st->image, v[i].key, v[i].value);
        }
        if (!err)
                sw_df__commit(c, st, sw_df_arena_str(c->arena, text.data, text.len), false);
        return err;
}

static sw_err *
label(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = SW_OK;

        sw_buf_adds(&text, "LABEL");
        for (size_t i = 0; i < cmd->kvs.n && !err; i++) {
                const char *key = NULL, *value = NULL;

                err = sw_df__expand(c, st, cmd, cmd->kvs.v[i].key, 0, &key);
                if (!err)
                        err = sw_df__expand(c, st, cmd, cmd->kvs.v[i].value, 0, &value);
                if (err)
                        return err;
                sw_df_table_set(c->arena, &st->image.labels, key, value);
                sw_buf_addf(&text, " %s=%s", key, value);
        }
        sw_df__commit(c, st, sw_df_arena_str(c->arena, text.data, text.len), false);
        return SW_OK;
}

static bool
is_env(const char *key)
{
        return strcmp(key, "BUILDKIT_SBOM_SCAN_CONTEXT") != 0 &&
               strcmp(key, "BUILDKIT_SBOM_SCAN_STAGE") != 0;
}

/* The value an argument gets: given, its default, the global one; NULL: none. @global: it
 * is the global one. */
static sw_err *
arg_value(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
          const struct sw_df_kv *kv, const char **out, bool *global)
{
        *out = sw_df_table_get(&c->build_args, kv->key);
        *global = false;
        if (*out)
                return SW_OK;
        if (kv->value)
                return sw_df__expand(c, st, cmd, kv->value, 0, out);
        *out = sw_df_env_get(&c->globals, kv->key);
        *global = *out != NULL;
        return SW_OK;
}

static sw_err *
one_arg(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
        const struct sw_df_kv *kv, sw_buf *text)
{
        const char *value;
        bool global;
        sw_err *err = arg_value(c, st, cmd, kv, &value, &global);

        if (!err && value && is_env(kv->key))
                err = sw_df__set_env(c, st, kv->key, value);
        if (!err && st->n_args >= SW_DF_VARIABLES_MAX)
                err = sw_df_err(SW_E_LIMIT, "more than %d arguments in one stage",
                                SW_DF_VARIABLES_MAX);
        if (err)
                return err;
        if (!global)
                (void) sw_df__note_arg(c, &st->arg_infos, kv, value, cmd->range);
        sw_df_table_set(c->arena, &st->used_args, kv->key, "");
        sw_df__add_arg(c, st, (struct arg){ kv->key, value });
        sw_buf_addf(text, " %s%s%s", kv->key, value ? "=" : "", value ?: "");
        return SW_OK;
}

static sw_err *
arg(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = SW_OK;

        sw_buf_adds(&text, "ARG");
        for (size_t i = 0; i < cmd->kvs.n && !err; i++)
                err = one_arg(c, st, cmd, &cmd->kvs.v[i], &text);
        if (!err)
                sw_df__commit(c, st, sw_df_arena_str(c->arena, text.data, text.len), false);
        return err;
}

/* ---- Directory and user ---- */

void
sw_df__user(struct stage *st, const char *user)
{
        st->image.user = user;
        sw_state_replace(&st->state, sw_state_user(st->state, user));
}

static sw_err *
make_dir(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd, const char *dir)
{
        sw_autoptr(sw_files) f = sw_files_new();
        const struct sw_df_lex lex = {
                .escape = c->program->tree->escape,
                .get = sw_df_env_get_n,
                .arg = &st->env,
        };
        const char *text = sw_df__step_text(c, &lex, cmd->text);
        const char *name = sw_df__step_name(c, st, text, st->platform, &st->env);
        const char *user = st->image.user;
        struct sw_llb_location where;
        sw_state *made = NULL;
        sw_err *err = sw_files_mkdir(f, dir, 0755,
                                     SW_LLB_FILE(.parents = true,
                                                 .owner = user && *user ? user : NULL,
                                                 .has_time = c->has_epoch,
                                                 .time = c->epoch * 1000000000));

        sw_df__locate(c, cmd->range, &where);
        if (!err)
                err = sw_state_files(st->state, f,
                                     SW_LLB_OPTS(.name = name, .platform = st->platform,
                                                 .locations = &where, .n_locations = 1),
                                     &made);
        if (!err)
                sw_state_replace(&st->state, made);
        return err;
}

sw_err *
sw_df__workdir(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
               const char *dir)
{
        const char *now = st->image.workdir ?: "";
        sw_err *err = SW_OK;

        if (cmd && !st->workdir_set && dir[0] != '/')
                sw_df_lint_workdir_relative(c->lint, cmd->node, dir);
        if (cmd)
                st->workdir_set = true;
        dir = sw_df__path(c, *now ? now : "/", dir, false);
        st->image.workdir = dir;
        st->dir = dir;
        sw_state_replace(&st->state, sw_state_dir(st->state, dir));
        if (!cmd)
                return SW_OK;
        if (strcmp(dir, "/") != 0)
                err = make_dir(c, st, cmd, dir);
        if (!err)
                sw_df__commit(c, st, sw_df_printf(c->arena, "WORKDIR %s", dir),
                              strcmp(dir, "/") != 0);
        return err;
}

/* ---- Command lines ---- */

void
sw_df__command_line(struct conv *c, struct stage *st, const struct sw_df_line *line,
                    struct sw_df_list *out)
{
        sw_auto(sw_buf) joined = SW_BUF_INIT;
        const struct sw_df_list *shell = &st->image.shell;
        bool windows = st->image.os && strcmp(st->image.os, "windows") == 0;

        *out = (struct sw_df_list){ .v = NULL };
        for (size_t i = 0; i < line->args.n && !line->shell; i++)
                sw_df_list_add(c->arena, out, line->args.v[i]);
        if (!line->shell)
                return;
        for (size_t i = 0; i < shell->n; i++)
                sw_df_list_add(c->arena, out, shell->v[i]);
        if (!shell->n) {
                sw_df_list_add(c->arena, out, windows ? "cmd" : "/bin/sh");
                if (windows)
                        sw_df_list_add(c->arena, out, "/S");
                sw_df_list_add(c->arena, out, windows ? "/C" : "-c");
        }
        for (size_t i = 0; i < line->args.n; i++) {
                if (i)
                        sw_buf_addc(&joined, ' ');
                sw_buf_adds(&joined, line->args.v[i]);
        }
        sw_df_list_add(c->arena, out, sw_df_arena_str(c->arena, joined.data, joined.len));
}

static void
commit_list(struct conv *c, struct stage *st, const char *name, const struct sw_df_list *l,
            bool quoted)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_buf_addf(&text, "%s ", name);
        if (quoted)
                sw_df_add_quoted_list(&text, l);
        else
                sw_df_add_plain_list(&text, l);
        sw_df__commit(c, st, sw_df_arena_str(c->arena, text.data, text.len), false);
}

static sw_err *
cmd_or_entrypoint(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        bool entrypoint = cmd->kind == SW_DF_ENTRYPOINT;
        struct sw_df_list *list = entrypoint ? &st->image.entrypoint : &st->image.cmd;

        if (cmd->line.shell && !st->image.shell.n)
                sw_df_lint_json_args(c->lint, cmd->node);
        sw_df__command_line(c, st, &cmd->line, list);
        if (entrypoint && !st->cmd_set)
                st->image.cmd = (struct sw_df_list){ .v = NULL };
        if (!entrypoint) {
                st->cmd_set = true;
                st->image.args_escaped = true;
        }
        commit_list(c, st, cmd->name, list, true);
        return SW_OK;
}

static sw_err *
health(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        struct sw_df_image_health *h = sw_df_new(c->arena, struct sw_df_image_health);
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_df_list_copy(c->arena, &h->test, cmd->health.test.v, cmd->health.test.n);
        h->interval = cmd->health.interval;
        h->timeout = cmd->health.timeout;
        h->start_period = cmd->health.start_period;
        h->start_interval = cmd->health.start_interval;
        h->retries = cmd->health.retries;
        st->image.health = h;
        sw_buf_adds(&text, "HEALTHCHECK ");
        sw_df_add_health(&text, h);
        sw_df__commit(c, st, sw_df_arena_str(c->arena, text.data, text.len), false);
        return SW_OK;
}

/* ---- Lists ---- */

/* The words of EXPOSE, expanded and divided again. */
static sw_err *
port_words(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd, sw_strlist *out)
{
        sw_auto(sw_strlist) unmatched = { NULL, 0, 0 };
        const struct sw_df_lex lex = {
                .escape = c->program->tree->escape,
                .get = sw_df_env_get_n,
                .arg = &st->env,
                .unmatched = c->lint ? &unmatched : NULL,
        };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < cmd->strs.n && !err; i++)
                err = sw_df_expand_words(&lex, cmd->strs.v[i], out);
        sw_df__report_unset(c, st, cmd, &unmatched);
        return err;
}

static sw_err *
expose(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        sw_auto(sw_strlist) words = { NULL, 0, 0 }, ports = { NULL, 0, 0 };
        struct sw_df_list list = { .v = NULL };
        sw_err *err = port_words(c, st, cmd, &words);

        for (size_t i = 0; i < words.n && !err; i++) {
                err = sw_df_port_words(words.v[i], c->lint, cmd, &ports);
                if (!err && c->ports + ports.n > SW_DF_PORTS_MAX)
                        err = sw_df_err(SW_E_LIMIT, "more than %d ports", SW_DF_PORTS_MAX);
        }
        if (err)
                return err;
        c->ports += ports.n;
        for (size_t i = 0; i < ports.n; i++) {
                const char *port = sw_df_dup(c->arena, ports.v[i]);

                sw_df_list_add(c->arena, &list, port);
                sw_df_table_set(c->arena, &st->image.ports, port, NULL);
        }
        commit_list(c, st, "EXPOSE", &list, false);
        return SW_OK;
}

static sw_err *
volume(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        struct sw_df_list list = { .v = NULL };
        sw_err *err = sw_df__expand_list(c, st, cmd, &cmd->strs, &list);

        for (size_t i = 0; i < list.n && !err; i++) {
                if (!*list.v[i])
                        return sw_df_err(SW_E_INVALID,
                                         "VOLUME specified can not be an empty string");
                sw_df_table_set(c->arena, &st->image.volumes, list.v[i], NULL);
        }
        if (!err)
                commit_list(c, st, "VOLUME", &list, false);
        return err;
}

static sw_err *
shell(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        sw_df_list_copy(c->arena, &st->image.shell, cmd->strs.v, cmd->strs.n);
        commit_list(c, st, "SHELL", &st->image.shell, false);
        return SW_OK;
}

/* ---- Single words ---- */

/* "SIGTERM", "term", "15", "RTMIN+3". */
static bool
is_signal(const char *s)
{
        static const char *const names[] = {
                "ABRT", "ALRM", "BUS",   "CHLD",   "CLD",  "CONT", "FPE",    "HUP",
                "ILL",  "INT",  "IO",    "IOT",    "KILL", "PIPE", "POLL",   "PROF",
                "PWR",  "QUIT", "SEGV",  "STKFLT", "STOP", "SYS",  "TERM",   "TRAP",
                "TSTP", "TTIN", "TTOU",  "URG",    "USR1", "USR2", "VTALRM", "WINCH",
                "XCPU", "XFSZ", "RTMIN", "RTMAX",
        };
        size_t n = strspn(s, "0123456789");

        if (n && !s[n])
                return strtol(s, NULL, 10) > 0 || strspn(s, "0") < n;
        if (strncasecmp(s, "SIG", 3) == 0)
                s += 3;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcasecmp(names[i], s) == 0)
                        return true;
        if (strncasecmp(s, "RTMIN+", 6) != 0 && strncasecmp(s, "RTMAX-", 6) != 0)
                return false;
        n = strspn(s + 6, "0123456789");
        return n && n < 3 && !s[6 + n] && strtol(s + 6, NULL, 10) > 0 &&
               strtol(s + 6, NULL, 10) < 16;
}

static sw_err *
single_word(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd)
{
        const char *word = cmd->word;
        sw_err *err = SW_OK;

        if (cmd->kind != SW_DF_MAINTAINER)
                err = sw_df__expand(c, st, cmd, cmd->word, 0, &word);
        if (err)
                return err;
        switch (cmd->kind) {
        case SW_DF_WORKDIR: return sw_df__workdir(c, st, cmd, word);
        case SW_DF_USER: sw_df__user(st, word); break;
        case SW_DF_STOPSIGNAL:
                if (!is_signal(word))
                        return sw_df_err(SW_E_INVALID, "invalid signal: %s", word);
                st->image.stop_signal = word;
                break;
        default: st->image.author = word; break;
        }
        sw_df__commit(c, st, sw_df_printf(c->arena, "%s %s", cmd->name, word), false);
        return SW_OK;
}

sw_err *
sw_df__configure(struct conv *c, struct stage *st, struct command *command)
{
        const struct sw_df_cmd *cmd = command->cmd;

        switch (cmd->kind) {
        case SW_DF_ENV: return env(c, st, cmd);
        case SW_DF_LABEL: return label(c, st, cmd);
        case SW_DF_ARG: return arg(c, st, cmd);
        case SW_DF_CMD:
        case SW_DF_ENTRYPOINT: return cmd_or_entrypoint(c, st, cmd);
        case SW_DF_HEALTHCHECK: return health(c, st, cmd);
        case SW_DF_EXPOSE: return expose(c, st, cmd);
        case SW_DF_VOLUME: return volume(c, st, cmd);
        case SW_DF_SHELL: return shell(c, st, cmd);
        case SW_DF_ONBUILD:
                sw_df_list_add(c->arena, &st->image.onbuild, cmd->trigger);
                return SW_OK;
        default: return single_word(c, st, cmd);
        }
}
