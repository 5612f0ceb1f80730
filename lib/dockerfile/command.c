/*
 * lib/dockerfile/command.c - nodes as commands: counts of arguments, their forms, the texts
 * of mistakes. ADD, COPY, RUN and HEALTHCHECK have files of their own. Pure.
 */
#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

static sw_err *
no_flags(struct sw_df_typer *t)
{
        return sw_df_flags_read(t, NULL, 0);
}

static sw_err *
at_least_one(const struct sw_df_node *node)
{
        return node->args.n ? SW_OK
                            : sw_err_new(SW_E_INVALID, "%s requires at least one argument",
                                         sw_df_kind_name(node->kind));
}

static sw_err *
type_word(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        if (t->node->args.n != 1)
                return sw_err_new(SW_E_INVALID, "%s requires exactly one argument",
                                  out->name);
        out->word = t->node->args.v[0].text;
        return no_flags(t);
}

const char *
sw_df_comment_of(const struct sw_df_node *node, const char *name)
{
        size_t n = strlen(name);

        for (size_t i = 0; n && i < node->n_comments; i++)
                if (strncmp(node->comments[i], name, n) == 0 && node->comments[i][n] == ' ')
                        return node->comments[i] + n + 1;
        return "";
}

static sw_err *
blank_name(const struct sw_df_cmd *cmd)
{
        return sw_err_new(SW_E_INVALID, "%s names can not be blank", cmd->name);
}

/* "key=value" into *@kv; @must: there has to be a "=". */
static sw_err *
split_pair(struct sw_df_typer *t, const struct sw_df_cmd *cmd, const struct sw_df_word *w,
           struct sw_df_kv *kv)
{
        size_t n = strcspn(w->text, "=");

        kv->where = *w;
        kv->key = sw_df_arena_str(t->arena, w->text, n);
        kv->value = w->text[n] ? w->text + n + 1 : NULL;
        kv->comment = cmd->kind == SW_DF_ARG ? sw_df_comment_of(t->node, kv->key) : "";
        return n ? SW_OK : sw_df_bad(t, w, blank_name(cmd));
}

static sw_err *
type_pairs(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        const struct sw_df_words *args = &t->node->args;
        sw_err *err = no_flags(t);

        if (!err)
                err = at_least_one(t->node);
        if (err)
                return err;
        size_t n = t->node->legacy_pair ? 1 : args->n;
        struct sw_df_kv *v = sw_df_arena_take(t->arena, n * sizeof(*v));

        out->kvs = (struct sw_df_kvs){ v, n };
        if (t->node->legacy_pair) {
                v[0] = (struct sw_df_kv){ args->v[0].text, args->v[1].text, "",
                                          args->v[0] };
                return SW_OK;
        }
        for (size_t i = 0; !err && i < n; i++)
                err = split_pair(t, out, &args->v[i], &v[i]);
        return err;
}

static sw_err *
type_line(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        out->line = (struct sw_df_line){ sw_df_words_strs(t, 0), !t->node->json };
        return no_flags(t);
}

static sw_err *
type_shell(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        sw_err *err = no_flags(t);

        if (!err)
                err = at_least_one(t->node);
        if (!err && !t->node->json)
                err = sw_df_bad(t, &t->node->rest,
                                sw_err_new(SW_E_INVALID,
                                           "SHELL requires the arguments to be in JSON "
                                           "form"));
        out->strs = sw_df_words_strs(t, 0);
        return err;
}

static int
by_bytes(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static sw_err *
type_expose(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        sw_err *err = at_least_one(t->node);

        if (!err)
                err = no_flags(t);
        if (err)
                return err;
        out->strs = sw_df_words_strs(t, 0);
        qsort((void *) out->strs.v, out->strs.n, sizeof(*out->strs.v), by_bytes);
        return SW_OK;
}

static sw_err *
type_volume(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        const struct sw_df_words *args = &t->node->args;
        sw_err *err = at_least_one(t->node);

        if (!err)
                err = no_flags(t);
        if (err)
                return err;
        const char **v = sw_df_arena_take(t->arena, args->n * sizeof(*v));

        for (size_t i = 0; i < args->n; i++) {
                struct sw_df_span s = { args->v[i].text, strlen(args->v[i].text) };

                s = sw_df_trim(s);
                if (!s.n)
                        return sw_df_bad(t, &args->v[i],
                                         sw_err_new(SW_E_INVALID,
                                                    "VOLUME specified can not be an empty "
                                                    "string"));
                v[i] = sw_df_arena_str(t->arena, s.s, s.n);
        }
        out->strs = (struct sw_df_strs){ v, args->n };
        return SW_OK;
}

/* The text of a trigger as an image's configuration has it: what follows ONBUILD, and the
 * here-documents with the lines that end them. */
static const char *
trigger_text(struct sw_df_typer *t)
{
        const struct sw_df_node *node = t->node;
        const char *from = node->line + node->name.end;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        struct sw_df_span s = sw_df_trim_left((struct sw_df_span){ from, strlen(from) });

        sw_buf_add(&text, s.s, s.n);
        for (size_t i = 0; i < node->n_heredocs; i++) {
                sw_buf_addc(&text, '\n');
                sw_buf_add(&text, node->heredocs[i].content, node->heredocs[i].len);
                sw_buf_adds(&text, node->heredocs[i].name);
        }
        return sw_df_arena_str(t->arena, text.data, text.len);
}

static sw_err *
type_onbuild(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        const struct sw_df_node *sub = t->node->sub;
        sw_err *err;

        if (!sub)
                return sw_err_new(SW_E_INVALID, "ONBUILD requires at least one argument");
        err = no_flags(t);
        if (err)
                return err;
        if (sub->kind == SW_DF_ONBUILD)
                err = sw_err_new(SW_E_INVALID,
                                 "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
        else if (sub->kind == SW_DF_FROM || sub->kind == SW_DF_MAINTAINER)
                err = sw_err_new(SW_E_INVALID, "%s isn't allowed as an ONBUILD trigger",
                                 sw_df_kind_name(sub->kind));
        out->trigger = trigger_text(t);
        return sw_df_bad(t, &sub->name, err);
}

static sw_err *
unknown_instruction(struct sw_df_typer *t)
{
        const char *names[SW_DF_KINDS];
        size_t n = 0;

        for (int k = SW_DF_UNKNOWN + 1; k < SW_DF_KINDS; k++)
                names[n++] = sw_df_kind_name((enum sw_df_kind) k);
        const char *near = sw_df_suggest(t->node->name.text, names, n, false);
        sw_auto(sw_str) shown = sw_df_plain(t->node->name.text);

        return sw_df_bad(t, &t->node->name,
                         sw_err_new(SW_E_INVALID, "unknown instruction: %s%s%s%s", shown,
                                    near ? " (did you mean " : "", near ? near : "",
                                    near ? "?)" : ""));
}

static sw_err *(*const types[SW_DF_KINDS])(struct sw_df_typer *, struct sw_df_cmd *) = {
        [SW_DF_ADD] = sw_df_type_copy,  [SW_DF_ARG] = type_pairs,
        [SW_DF_CMD] = type_line,        [SW_DF_COPY] = sw_df_type_copy,
        [SW_DF_ENTRYPOINT] = type_line, [SW_DF_ENV] = type_pairs,
        [SW_DF_EXPOSE] = type_expose,   [SW_DF_HEALTHCHECK] = sw_df_type_health,
        [SW_DF_LABEL] = type_pairs,     [SW_DF_MAINTAINER] = type_word,
        [SW_DF_ONBUILD] = type_onbuild, [SW_DF_RUN] = sw_df_type_run,
        [SW_DF_SHELL] = type_shell,     [SW_DF_STOPSIGNAL] = type_word,
        [SW_DF_USER] = type_word,       [SW_DF_VOLUME] = type_volume,
        [SW_DF_WORKDIR] = type_word,
};

sw_err *
sw_df_cmd_type(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        const struct sw_df_node *node = t->node;
        struct sw_df_span text =
                sw_df_trim((struct sw_df_span){ node->line, strlen(node->line) });

        if (!types[node->kind])
                return unknown_instruction(t);
        *out = (struct sw_df_cmd){
                .kind = node->kind,
                .name = sw_df_kind_name(node->kind),
                .text = sw_df_arena_str(t->arena, text.s, text.n),
                .range = node->range,
                .node = node,
        };
        return types[node->kind](t, out);
}
