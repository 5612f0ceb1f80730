/*
 * lib/dockerfile/words.c - one joined line as name, flags and arguments.
 *
 * Each instruction has its grammar (table grammars[]): lists that blanks divide, JSON
 * arrays, words in quotes, pairs, or the rest as it is. Words are copied into the arena
 * with their place in the line. Pure; linear in the length of the line.
 */
#include <jansson.h>

#include <slipway/array.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/words.h"

typedef SW_ARRAY(struct sw_df_word) word_list;

/* A word of the line itself, copied. */
static struct sw_df_word
take(const struct sw_df_cut *c, const char *from, const char *to)
{
        return (struct sw_df_word){
                sw_df_arena_str(c->arena, from, (size_t) (to - from)),
                (uint32_t) (from - c->line),
                (uint32_t) (to - c->line),
        };
}

static sw_err *
push(word_list *l, struct sw_df_word w)
{
        if (l->n >= SW_DF_WORDS_MAX)
                return sw_err_new(SW_E_LIMIT, "instruction with more than %d words",
                                  SW_DF_WORDS_MAX);
        sw_array_push(l, w);
        return SW_OK;
}

static void
keep(const struct sw_df_cut *c, word_list *l, struct sw_df_words *out)
{
        out->v = sw_df_arena_keep(c->arena, l->v, l->n, sizeof(*l->v));
        out->n = l->n;
        sw_array_release(l);
}

static sw_err *
cut_whole(const struct sw_df_cut *c, struct sw_df_span rest, word_list *out)
{
        return rest.n ? push(out, take(c, rest.s, rest.s + rest.n)) : SW_OK;
}

static sw_err *
cut_blanks(const struct sw_df_cut *c, struct sw_df_span rest, word_list *out)
{
        const char *p = rest.s, *end = rest.s + rest.n;
        sw_err *err = SW_OK;

        while (!err && p < end) {
                const char *from = p;

                while (p < end && !sw_df_blank_ascii(*p))
                        p++;
                err = push(out, take(c, from, p));
                while (p < end && sw_df_blank_ascii(*p))
                        p++;
        }
        return err;
}

/* Where the quoted part that starts at @p ends: one after the closing quote, or @end. */
static const char *
quoted_end(const char *p, const char *end, char escape)
{
        char quote = *p++;

        while (p < end && *p != quote) {
                if (*p == escape && quote != '\'' && p + 1 < end)
                        p++;
                p++;
        }
        return p < end ? p + 1 : end;
}

/* Where the word that starts at @p ends; an escape as the line's last byte is no part of
 * it: *@cut is where its text ends. */
static const char *
word_end(const char *p, const char *end, char escape, const char **cut)
{
        *cut = NULL;
        while (p < end && !sw_df_blank(p, (size_t) (end - p))) {
                if (*p == '"' || *p == '\'') {
                        p = quoted_end(p, end, escape);
                } else if (*p == escape) {
                        if (p + 1 == end) {
                                *cut = p;
                                return end;
                        }
                        p += 2;
                } else {
                        p++;
                }
        }
        p = p < end ? p : end;
        *cut = p;
        return p;
}

/* Words that blanks divide; not those in quotes, not escaped ones. All is kept. */
static sw_err *
cut_words(const struct sw_df_cut *c, struct sw_df_span rest, word_list *out)
{
        const char *p = rest.s, *end = rest.s + rest.n, *cut;
        sw_err *err = SW_OK;

        while (!err && p < end) {
                size_t blank = sw_df_blank(p, (size_t) (end - p));

                if (blank) {
                        p += blank;
                        continue;
                }
                const char *from = p;

                p = word_end(p, end, c->escape, &cut);
                if (cut > from)
                        err = push(out, take(c, from, cut));
        }
        return err;
}

/* "NAME rest", the form of old. */
static sw_err *
cut_legacy_pair(const struct sw_df_cut *c, struct sw_df_span rest, struct sw_df_node *node,
                word_list *out)
{
        const char *p = rest.s, *end = rest.s + rest.n, *name_end;
        sw_err *err;

        while (p < end && !sw_df_blank_ascii(*p))
                p++;
        if (p == end)
                return sw_err_new(SW_E_INVALID, "%s must have two arguments",
                                  sw_df_kind_name(node->kind));
        name_end = p;
        while (p < end && sw_df_blank_ascii(*p))
                p++;
        node->legacy_pair = true;
        err = push(out, take(c, rest.s, name_end));
        return err ? err : push(out, take(c, p, end));
}

static sw_err *
cut_pairs(const struct sw_df_cut *c, struct sw_df_span rest, struct sw_df_node *node,
          word_list *out, struct sw_df_word *bad)
{
        sw_err *err = cut_words(c, rest, out);

        if (err || !out->n)
                return err;
        if (!strchr(out->v[0].text, '=')) {
                out->n = 0;
                return cut_legacy_pair(c, rest, node, out);
        }
        for (size_t i = 0; i < out->n; i++) {
                if (strchr(out->v[i].text, '='))
                        continue;
                sw_auto(sw_str) shown = sw__shown(out->v[i].text, SIZE_MAX);

                *bad = out->v[i];
                return sw_err_new(SW_E_INVALID,
                                  "Syntax error - can't find = in %s. Must be of the form: "
                                  "name=value",
                                  shown);
        }
        return SW_OK;
}

static sw_err *
json_strings(const struct sw_df_cut *c, const json_t *array, struct sw_df_word whole,
             word_list *out)
{
        sw_err *err = SW_OK;
        size_t i;
        json_t *v;

        json_array_foreach(array, i, v)
        {
                if (!json_is_string(v))
                        return sw_err_new(SW_E_INVALID,
                                          "when using JSON array syntax, arrays must be "
                                          "comprised of strings only");
                if (memchr(json_string_value(v), '\0', json_string_length(v)))
                        return sw_err_new(SW_E_INVALID,
                                          "a string of the JSON array has a NUL character");
                whole.text = sw_df_arena_str(c->arena, json_string_value(v),
                                             json_string_length(v));
                err = push(out, whole);
                if (err)
                        break;
        }
        return err;
}

/* *@is: whether @rest is a JSON array; then its strings. What only looks like one is not:
 * a shell has brackets, too. */
static sw_err *
cut_json(const struct sw_df_cut *c, struct sw_df_span rest, bool *is, word_list *out)
{
        json_error_t why;

        *is = false;
        if (rest.n < 2 || rest.s[0] != '[' || rest.s[rest.n - 1] != ']')
                return SW_OK;
        json_t *array =
                json_loadb(rest.s, rest.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
        if (!array)
                return SW_OK;

        struct sw_df_word whole = { NULL, (uint32_t) (rest.s - c->line),
                                    (uint32_t) (rest.s - c->line + (ptrdiff_t) rest.n) };
        sw_err *err = json_strings(c, array, whole, out);

        json_decref(array);
        *is = true;
        return err;
}

static sw_err *
cut_json_or(const struct sw_df_cut *c, struct sw_df_span rest, struct sw_df_node *node,
            sw_err *(*otherwise)(const struct sw_df_cut *, struct sw_df_span, word_list *),
            word_list *out)
{
        sw_err *err = cut_json(c, rest, &node->json, out);

        return err || node->json ? err : otherwise(c, rest, out);
}

/* HEALTHCHECK: a type, and a command. */
static sw_err *
cut_health(const struct sw_df_cut *c, struct sw_df_span rest, struct sw_df_node *node,
           word_list *out)
{
        size_t n = 0;

        while (n < rest.n && !sw_df_blank(rest.s + n, rest.n - n))
                n++;
        if (!n)
                return SW_OK;
        sw_err *err = push(out, take(c, rest.s, rest.s + n));

        rest.s += n;
        rest.n -= n;
        return err ? err : cut_json_or(c, sw_df_trim_left(rest), node, cut_whole, out);
}

/* The instruction of an ONBUILD. One of another ONBUILD is not gone into: it is refused
 * when it is typed. */
static sw_err *
cut_sub(const struct sw_df_cut *c, struct sw_df_span rest, bool inner,
        struct sw_df_node *node, struct sw_df_word *bad)
{
        if (!rest.n || inner)
                return SW_OK;
        struct sw_df_node *sub = sw_df_arena_take(c->arena, sizeof(*sub));
        sw_err *err = sw_df_node_cut(c, rest, true, sub, bad);

        sub->line = c->line;
        node->sub = sub;
        return err;
}

static sw_err *
cut_args(const struct sw_df_cut *c, struct sw_df_span rest, bool inner,
         struct sw_df_node *node, word_list *out, struct sw_df_word *bad)
{
        switch (node->kind) {
        case SW_DF_ADD:
        case SW_DF_COPY:
        case SW_DF_VOLUME: return cut_json_or(c, rest, node, cut_blanks, out);
        case SW_DF_RUN:
        case SW_DF_CMD:
        case SW_DF_ENTRYPOINT:
        case SW_DF_SHELL: return cut_json_or(c, rest, node, cut_whole, out);
        case SW_DF_ENV:
        case SW_DF_LABEL: return cut_pairs(c, rest, node, out, bad);
        case SW_DF_ARG: return cut_words(c, rest, out);
        case SW_DF_EXPOSE:
        case SW_DF_FROM: return cut_blanks(c, rest, out);
        case SW_DF_HEALTHCHECK: return cut_health(c, rest, node, out);
        case SW_DF_ONBUILD: return cut_sub(c, rest, inner, node, bad);
        case SW_DF_USER:
        case SW_DF_WORKDIR:
        case SW_DF_STOPSIGNAL:
        case SW_DF_MAINTAINER: return cut_whole(c, rest, out);
        default: return SW_OK;
        }
}

/* One flag: quotes go, and the backslash before any character; whatever the escape
 * directive says. Returns where it ends. */
static const char *
flag_text(const char *p, const char *end, sw_buf *out)
{
        char quote = '\0';

        for (; p < end && (quote || !sw_df_blank(p, (size_t) (end - p))); p++) {
                if (quote ? *p == quote : *p == '"' || *p == '\'') {
                        quote = quote ? '\0' : *p;
                        continue;
                }
                if (*p == '\\' && ++p == end)
                        break;
                sw_buf_addc(out, *p);
        }
        return p;
}

/* The flags at the start of @rest; what is left is trimmed. */
static sw_err *
cut_flags(const struct sw_df_cut *c, struct sw_df_span *rest, word_list *out)
{
        const char *end = rest->s + rest->n;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = SW_OK;
        bool more = true;

        while (!err && more) {
                *rest = sw_df_trim_left(*rest);
                if (rest->n < 2 || rest->s[0] != '-' || rest->s[1] != '-')
                        break;
                const char *from = rest->s;

                sw_buf_clear(&text);
                rest->s = flag_text(from, end, &text);
                rest->n = (size_t) (end - rest->s);
                more = strcmp(text.data, "--") != 0;
                if (more)
                        err = push(out,
                                   (struct sw_df_word){
                                           sw_df_arena_str(c->arena, text.data, text.len),
                                           (uint32_t) (from - c->line),
                                           (uint32_t) (rest->s - c->line) });
        }
        *rest = sw_df_trim(*rest);
        return err;
}

sw_err *
sw_df_node_cut(const struct sw_df_cut *c, struct sw_df_span text, bool inner,
               struct sw_df_node *node, struct sw_df_word *bad)
{
        word_list flags = { 0 }, args = { 0 };
        size_t n = 0;

        text = sw_df_trim(text);
        while (n < text.n && !sw_df_blank_ascii(text.s[n]))
                n++;
        node->name = take(c, text.s, text.s + n);
        node->kind = sw_df_kind_of(text.s, n);

        struct sw_df_span rest = { text.s + n, text.n - n };
        sw_err *err = cut_flags(c, &rest, &flags);

        node->rest = take(c, rest.s, rest.s + rest.n);
        if (!err)
                err = cut_args(c, rest, inner, node, &args, bad);
        keep(c, &flags, &node->flags);
        keep(c, &args, &node->args);
        return err;
}
