/*
 * lib/dockerfile/epoch.c - SOURCE_DATE_EPOCH: a number, or something whose time is looked
 * up: the main context, a named one, a stage that is one remote ADD. What has no time
 * leaves it unset. See convert_priv.h; reference 12.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <slipway/definition.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/dockerfile/convert_priv.h"
#include "lib/dockerfile/gitref.h"

#define EPOCH     "SOURCE_DATE_EPOCH"
#define EPOCH_MAX (INT64_MAX / SW_NS_PER_SEC)

/* ---- Remote sources, as ADD takes them ---- */

bool
sw_df__is_url(const char *s)
{
        return sw_str_has_prefix(s, "http://") || sw_str_has_prefix(s, "https://");
}

/* What two hexadecimal digits stand for; 0: there are none, or a NUL. */
static int
escaped_byte(const char *s)
{
        static const char digits[] = "0123456789abcdef";
        int byte = 0;

        for (int i = 0; i < 2; i++) {
                const char *at =
                        s[i] ? strchr(digits, tolower((unsigned char) s[i])) : NULL;

                if (!at)
                        return 0;
                byte = byte * 16 + (int) (at - digits);
        }
        return byte;
}

const char *
sw_df__url_file(struct sw_df_arena *a, const char *url)
{
        const char *host = strstr(url, "://"), *path;
        sw_auto(sw_buf) decoded = SW_BUF_INIT;
        sw_auto(sw_str) base = NULL;
        size_t n;

        host = host ? host + 3 : url;
        n = strcspn(host, "?#");
        path = (const char *) memchr(host, '/', n);
        for (const char *p = path; p && p < host + n; p++) {
                int byte = *p == '%' ? escaped_byte(p + 1) : 0;

                if (byte) {
                        sw_buf_addc(&decoded, (char) byte);
                        p += 2;
                } else {
                        sw_buf_addc(&decoded, *p);
                }
        }
        base = sw_path_base(decoded.data);
        if (strcmp(base, ".") == 0 || strcmp(base, "/") == 0)
                return "__unnamed__";
        return sw_df_dup(a, base);
}

/* What the flag and the reference say of ".git". */
static sw_err *
keep_git_dir(const struct sw_df_copy *copy, const sw_df_gitref *g, bool *out)
{
        enum sw_df_maybe said = copy->keep_git_dir;

        if (said != SW_DF_UNSET && g->keep_git_dir != SW_DF_UNSET &&
            said != g->keep_git_dir)
                return sw_df_err(SW_E_INVALID, "inconsistent keep-git-dir configuration");
        if (g->keep_git_dir != SW_DF_UNSET)
                said = g->keep_git_dir;
        *out = said == SW_DF_YES;
        return SW_OK;
}

sw_err *
sw_df__git_source(const struct sw_df_copy *copy, const char *src, const char *checksum,
                  const char *name, bool *is_git, sw_state **out)
{
        sw_auto(sw_df_gitref) g = { .remote = NULL };
        bool keep = false;
        sw_err *err = sw_df_gitref_parse(src, is_git, &g);

        if (err || !*is_git)
                return err;
        if (g.like_local) {
                *is_git = false;
                return SW_OK;
        }
        err = keep_git_dir(copy, &g, &keep);
        if (!err && checksum && *checksum && *g.checksum &&
            strcmp(checksum, g.checksum) != 0)
                err = sw_df_err(SW_E_INVALID, "checksum mismatch \"%s\" != \"%s\"",
                                checksum, g.checksum);
        if (err)
                return err;
        if (*g.checksum)
                checksum = g.checksum;
        return sw_llb_git(g.remote, NULL,
                          SW_LLB_GIT(.ref = *g.ref ? g.ref : NULL,
                                     .subdir = *g.subdir ? g.subdir : NULL,
                                     .checksum = checksum && *checksum ? checksum : NULL,
                                     .mtime = *g.mtime ? g.mtime : NULL,
                                     .keep_git_dir = keep,
                                     .skip_submodules = g.submodules == SW_DF_NO,
                                     .fetch_by_commit = g.fetch_by_commit == SW_DF_YES),
                          SW_LLB_OPTS(.name = name), out);
}

/* ---- The time of a tree ---- */

/* The one source op of a definition; *id NULL: it has none, or several. */
static sw_err *
find_source(const sw_buf *def, sw_json **doc, const char **id, const sw_json **attrs)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_llb_dump(def->data, def->len, SW_LLB_DUMP_JSON, &text);
        size_t n = 0;

        *id = NULL;
        for (char *line = text.data; !err && *line;) {
                size_t len = strcspn(line, "\n");
                sw_autoptr(sw_json) one = NULL;
                const sw_json *source;

                err = sw_json_parse("op", line, len, &one);
                source = json_object_get(json_object_get(json_object_get(one, "Op"), "Op"),
                                         "source");
                if (source && ++n == 1) {
                        *id = json_string_value(json_object_get(source, "identifier"));
                        *attrs = json_object_get(source, "attrs");
                        *doc = sw_steal(one);
                }
                line += len + (line[len] == '\n');
        }
        if (n != 1)
                *id = NULL;
        return err;
}

static sw_err *
ask_time(struct conv *c, const char *id, const sw_json *attrs, const char *title,
         sw_df_source_meta *out)
{
        size_t n = json_object_size(attrs), i = 0;
        struct sw_attr *list = sw_df_new_array(c->arena, struct sw_attr, n);
        const char *key;
        sw_json *value;

        json_object_foreach((sw_json *) (uintptr_t) attrs, key, value)
        {
                list[i].key = key;
                list[i++].value = json_string_value(value) ?: "";
        }
        const struct sw_bridge_source req = {
                .size = sizeof(req),
                .identifier = id,
                .attrs = list,
                .n_attrs = n,
                .platform = c->req->platform,
                .title = title,
        };

        return sw_df_client_resolve(c->client, &req, out);
}

/* Of an archive whose server does not say: that of its newest file. */
static sw_err *
time_in_archive(struct conv *c, const sw_state *state, const char *file, bool is_main)
{
        sw_df_client *client = c->client;

        if (is_main && !client->archive)
                return SW_OK; /* it is a Dockerfile */
        if (is_main)
                return sw_df_client_newest(client, client->dockerfile, NULL, &c->has_epoch,
                                           &c->epoch);
        return file ? sw_df_client_newest(client, state, file, &c->has_epoch, &c->epoch)
                    : SW_OK;
}

static sw_err *
time_of(struct conv *c, const sw_state *state, bool is_main, const char *title)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_auto(sw_df_source_meta) meta = { .size = sizeof(meta) };
        sw_autoptr(sw_json) doc = NULL;
        const char *id = NULL;
        const sw_json *attrs = NULL;
        sw_err *err = sw_state_marshal(state, SW_LLB_OPTS(.caps = c->client->caps), &def);

        if (!err && def.len)
                err = find_source(&def, &doc, &id, &attrs);
        if (err || !id || (!sw_df__is_url(id) && !sw_str_has_prefix(id, "git://")))
                return err;
        err = ask_time(c, id, attrs, title, &meta);
        if (err)
                return err;
        c->has_epoch = meta.has_time;
        c->epoch = meta.time;
        if (c->has_epoch || !sw_df__is_url(id))
                return SW_OK;
        return time_in_archive(c, state,
                               json_string_value(json_object_get(attrs, "http.filename")),
                               is_main);
}

/* ---- A stage that is one remote ADD ---- */

static sw_err *
stage_word(struct conv *c, struct sw_df_env *env, const char *word, const char **out)
{
        const struct sw_df_lex lex = { .escape = c->program->tree->escape,
                                       .get = sw_df_env_get_n,
                                       .arg = env };
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = word ? sw_df_expand(&lex, word, &b) : SW_OK;

        *out = word ? sw_df_arena_str(c->arena, b.data, b.len) : NULL;
        return err;
}

static sw_err *
stage_args(struct conv *c, const struct sw_df_cmd *cmd, struct sw_df_env *env)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < cmd->kvs.n && !err; i++) {
                const struct sw_df_kv *kv = &cmd->kvs.v[i];
                const char *value = sw_df_table_get(&c->build_args, kv->key);

                if (!value)
                        err = stage_word(c, env, kv->value, &value);
                if (!err && value)
                        sw_df_env_set(c->arena, env, kv->key, value);
        }
        return err;
}

static sw_err *
stage_source(struct conv *c, const struct sw_df_copy *copy, struct sw_df_env *env,
             sw_state **out)
{
        const char *src = NULL, *sum = NULL;
        bool is_git = false;
        sw_err *err;

        if (copy->n_inlines || copy->sources.n != 1)
                return sw_df_err(SW_E_INVALID, EPOCH " stage must contain exactly one "
                                                     "remote ADD source");
        err = stage_word(c, env, copy->sources.v[0], &src);
        if (!err)
                err = stage_word(c, env, copy->checksum, &sum);
        if (!err)
                err = sw_df__git_source(copy, src, sum, NULL, &is_git, out);
        if (err || is_git)
                return err;
        if (!sw_df__is_url(src))
                return sw_df_err(SW_E_INVALID, EPOCH " stage source must be a single "
                                                     "HTTP(S) or Git ADD");
        return sw_llb_http(src,
                           SW_LLB_HTTP(.filename = sw_df__url_file(c->arena, src),
                                       .checksum = sum && *sum ? sum : NULL),
                           NULL, out);
}

static sw_err *
stage_state(struct conv *c, const struct sw_df_stage *st, sw_state **out)
{
        struct sw_df_env env = { .v = NULL };
        const char *base = NULL;
        sw_err *err;

        sw_df_env_copy(c->arena, &c->globals, &env);
        sw_df_env_unset(&env, EPOCH);
        err = stage_word(c, &env, st->base, &base);
        if (err)
                return sw_df_wrap(err, "failed to process source stage base name \"%s\"",
                                  st->base);
        if (!base || strcmp(base, SCRATCH) != 0)
                return sw_df_err(SW_E_INVALID, EPOCH " stage must use FROM scratch");
        for (size_t i = 0; i < st->n_cmds && !err; i++) {
                const struct sw_df_cmd *cmd = &st->cmds[i];

                if (cmd->kind == SW_DF_ARG)
                        err = stage_args(c, cmd, &env);
                else if (cmd->kind != SW_DF_ADD)
                        err = sw_df_err(SW_E_INVALID,
                                        EPOCH " stage does not meet source-only "
                                              "requirements: unsupported %s instruction",
                                        cmd->name);
                else if (*out)
                        err = sw_df_err(SW_E_INVALID, EPOCH " stage must contain exactly "
                                                            "one remote ADD");
                else
                        err = stage_source(c, &cmd->copy, &env, out);
        }
        if (!err && !*out)
                err = sw_df_err(SW_E_INVALID,
                                EPOCH " stage must contain exactly one remote ADD");
        return err;
}

/* ---- Which it is ---- */

static sw_err *
time_of_stage(struct conv *c, const char *name)
{
        for (size_t i = 0; i < c->program->n_stages; i++) {
                const struct sw_df_stage *st = &c->program->stages[i];
                sw_autoptr(sw_state) state = NULL;
                sw_err *err;

                if (!*st->name || strcasecmp(st->name, name) != 0)
                        continue;
                err = sw_df_blame(stage_state(c, st, &state), &c->client->text, st->range);
                if (err)
                        return err;
                return time_of(c, state, false,
                               sw_df_printf(c->arena,
                                            "[internal] resolve " EPOCH " source stage %s",
                                            st->name));
        }
        return sw_df_err(SW_E_INVALID, "invalid " EPOCH ": %s", name);
}

static sw_err *
time_of_name(struct conv *c, const char *name)
{
        struct sw_df_named n = { .name = NULL };
        struct sw_df_image image;
        sw_autoptr(sw_state) state = NULL;
        bool has_image;
        sw_err *err;

        if (strcmp(name, "context") == 0) {
                err = sw_df_client_main(c->client, NULL, &state);
                return err ? err
                           : time_of(c, state, true,
                                     "[internal] resolve main build context metadata");
        }
        err = sw_df_client_named(c->client, name, NULL, &n);
        if (err)
                return sw_df_wrap(err, "invalid " EPOCH ": %s", name);
        if (!n.name)
                return time_of_stage(c, name);
        err = sw_df_client_named_load(c->client, &n, NULL, &state, &image, &has_image);
        return err ? err
                   : time_of(c, state, false,
                             sw_df_printf(c->arena,
                                          "[internal] resolve " EPOCH " named context %s",
                                          name));
}

/* Let the argument be the time that was found, where it was given. */
static void
set_arg(struct conv *c)
{
        char text[32];
        struct sw_df_table kept = { .v = NULL };
        const char *value;

        (void) snprintf(text, sizeof(text), "%lld", (long long) c->epoch);
        value = sw_df_dup(c->arena, text);
        sw_df_table_settle(&c->build_args);
        for (size_t i = 0; i < c->build_args.n; i++) {
                const struct sw_df_entry *e = &c->build_args.v[i];
                bool it = strcmp(e->key, EPOCH) == 0;

                if (!it || c->has_epoch)
                        sw_df_table_set(c->arena, &kept, e->key, it ? value : e->value);
        }
        c->build_args = kept;
        if (!sw_df_env_get(&c->globals, EPOCH))
                return;
        if (c->has_epoch)
                sw_df_env_set(c->arena, &c->globals, EPOCH, value);
        else
                sw_df_env_unset(&c->globals, EPOCH);
}

sw_err *
sw_df__epoch(struct conv *c)
{
        const char *value = sw_df_table_get(&c->build_args, EPOCH);
        char text[SW_TIME_STR_SIZE];
        sw_err *err = SW_OK;

        if (!value)
                value = sw_df_env_get(&c->globals, EPOCH);
        if (!value)
                return SW_OK;
        if (*value) {
                err = sw_parse_int(value, INT64_MIN, INT64_MAX, &c->epoch);
                c->has_epoch = !err;
                if (err) {
                        sw_err_drop(err, "a name, then");
                        err = time_of_name(c, value);
                }
        }
        if (!err && c->has_epoch && (c->epoch > EPOCH_MAX || c->epoch < -EPOCH_MAX))
                err = sw_df_err(SW_E_INVALID, "invalid " EPOCH ": %s", value);
        if (err)
                return err;
        set_arg(c);
        c->epoch_text = sw_df_dup(c->arena, sw_time_str(c->epoch * SW_NS_PER_SEC, text));
        return SW_OK;
}
