/*
 * lib/dockerfile/expand.c - words with quotes, escapes and variables, in one pass.
 *
 * Recursion goes where braces nest: read_until() reads plain text and calls dollar(), which
 * calls read_until() for the word of a modifier. What a word comes to is appended to a
 * buffer; at the outermost level it is also told to a collector of words, which blanks
 * outside of quotes divide. All that is ever appended counts (spend()), also what is
 * dropped later, so that no input costs more than its length and SW_DF_EXPAND_MAX.
 *
 * A variable that is not set counts as used where its name is read, whether or not a
 * default stands in for it. Bytes that are no UTF-8 are characters like any other.
 * No state; any thread.
 */
#include <slipway/map.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/letter.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/subst.h"

/* Divides text into words. */
struct collector {
        void (*tell)(void *arg, const char *word); /* NULL: nobody is interested */
        void *arg;
        sw_buf word;
};

struct reader {
        const struct sw_df_lex *lex;
        const char *p, *end;
        bool keep_escapes;
        int depth;
        size_t left;  /* bytes that may still be appended */
        sw_map *seen; /* names, for lex->matched and unmatched */
};

static sw_err *
spend(struct reader *r, size_t n)
{
        if (n <= r->left) {
                r->left -= n;
                return SW_OK;
        }
        return sw_err_new(SW_E_LIMIT, "variables make it longer than %d bytes",
                          SW_DF_EXPAND_MAX);
}

static void
end_word(struct collector *c)
{
        if (c->word.len)
                c->tell(c->arg, c->word.data);
        sw_buf_clear(&c->word);
}

/* Text that blanks divide. */
static void
collect(struct collector *c, const char *s, size_t n)
{
        if (!c || !c->tell)
                return;
        for (size_t i = 0, k; i < n; i += k) {
                k = sw_df_blank(s + i, n - i);
                if (!k) {
                        sw_buf_addc(&c->word, s[i]);
                        k = 1;
                } else if (c->word.len) {
                        end_word(c);
                }
        }
}

/* Text that they do not. */
static void
collect_raw(struct collector *c, const char *s, size_t n)
{
        if (!c || !c->tell)
                return;
        sw_buf_add(&c->word, s, n);
}

static void
note_name(struct reader *r, const char *name, bool set)
{
        sw_strlist *list = set ? r->lex->matched : r->lex->unmatched;

        if (!list)
                return;
        if (!r->seen)
                r->seen = sw_map_new(NULL);
        if (sw_map_set(r->seen, name, r))
                sw_strlist_add(list, name);
}

static const char *
value_of(struct reader *r, const char *name)
{
        const struct sw_df_lex *lex = r->lex;
        const char *value = lex->get ? lex->get(lex->arg, name, strlen(name)) : NULL;

        note_name(r, name, value != NULL);
        return value;
}

/* The name at r->p, from malloc; "" when there is none. Letters, digits and _; digits only
 * if it starts with one; or one special character. */
static char *
read_name(struct reader *r)
{
        const char *from = r->p;
        size_t k;

        if (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
                while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
                        r->p++;
        } else if (r->p < r->end && strchr("@*#?-$!", *r->p)) {
                r->p++;
        } else {
                while (r->p < r->end &&
                       (k = sw_df_letter(r->p, (size_t) (r->end - r->p))) != 0)
                        r->p += k;
        }
        return sw_strndup(from, (size_t) (r->p - from));
}

static sw_err *read_until(struct reader *r, char stop, struct collector *words,
                          sw_buf *out);

/* The word of a modifier, up to @stop. @missing: what is said when the text ends first. */
static sw_err *
read_operand(struct reader *r, char stop, bool keep_escapes, const char *missing,
             sw_buf *out)
{
        bool before = r->keep_escapes;
        sw_err *err;

        if (r->depth >= SW_DF_EXPAND_DEEP)
                return sw_err_new(SW_E_LIMIT, "variables nested deeper than %d",
                                  SW_DF_EXPAND_DEEP);
        r->depth++;
        r->keep_escapes = keep_escapes;
        err = read_until(r, stop, NULL, out);
        r->keep_escapes = before;
        r->depth--;
        if (err && r->p == r->end && sw_err_code(err) != SW_E_LIMIT) {
                sw_err_drop(err, "that the text ends too early says more");
                return sw_err_new(SW_E_INVALID, "syntax error: %s", missing);
        }
        return err;
}

static sw_err *
put(struct reader *r, const char *s, sw_buf *out)
{
        size_t n = strlen(s);
        sw_err *err = spend(r, n);

        if (!err)
                sw_buf_add(out, s, n);
        return err;
}

/* "${NAME" "OP" "word" "}" as it was, its word aside. */
static sw_err *
put_unset(struct reader *r, const char *name, const char *op, const char *word, sw_buf *out)
{
        sw_auto(sw_str) text = sw_asprintf("${%s%s%s}", name, op, word);

        return put(r, text, out);
}

static sw_err *
not_allowed(const char *name, const char *word, const char *otherwise)
{
        sw_auto(sw_str) shown = sw_df_plain(name);
        sw_auto(sw_str) why = sw_df_plain(*word ? word : otherwise);

        return sw_err_new(SW_E_INVALID, "%s: %s", shown, why);
}

static sw_err *
unsupported(const char *op)
{
        sw_auto(sw_str) shown = sw_df_plain(op);

        return sw_err_new(SW_E_INVALID, "unsupported modifier (%s) in substitution", shown);
}

/* ${NAME:-word} and its kin. @op: with or without the colon. */
static sw_err *
apply_default(struct reader *r, const char *name, const char *op, const char *word,
              const char *value, sw_buf *out)
{
        bool there = value && (*op != ':' || *value);

        switch (op[*op == ':']) {
        case '-': return put(r, there ? value : word, out);
        case '+': return there ? put(r, word, out) : SW_OK;
        case '?':
                if (!value)
                        return not_allowed(name, word, "is not allowed to be unset");
                if (!there)
                        return not_allowed(name, word, "is not allowed to be empty");
                return put(r, value, out);
        default: return unsupported(op);
        }
}

/* ${NAME#word} and its kin. */
static sw_err *
apply_trim(struct reader *r, char op, const char *word, const char *value, sw_buf *out)
{
        bool greedy = *word == op;
        sw_auto(sw_buf) trimmed = SW_BUF_INIT;
        sw_err *err = sw_df_subst_trim(op == '#' ? SW_DF_TRIM_PREFIX : SW_DF_TRIM_SUFFIX,
                                       greedy, word + greedy, value ? value : "", &trimmed);

        return err ? err : put(r, trimmed.data, out);
}

/* After ${NAME, at a modifier other than "/". */
static sw_err *
modified(struct reader *r, const char *name, const char *op, sw_buf *out)
{
        char last = op[strlen(op) - 1];
        bool trim = last == '#' || last == '%';
        sw_auto(sw_buf) word = SW_BUF_INIT;
        sw_err *err = read_operand(r, '}', trim, "missing '}'", &word);

        if (err)
                return err;
        const char *value = value_of(r, name);

        if (!value && r->lex->flags & SW_DF_KEEP_UNSET)
                return put_unset(r, name, op, word.data, out);
        return trim ? apply_trim(r, last, word.data, value, out)
                    : apply_default(r, name, op, word.data, value, out);
}

/* After ${NAME/ */
static sw_err *
replaced(struct reader *r, const char *name, sw_buf *out)
{
        bool all = r->p < r->end && *r->p == '/';
        sw_auto(sw_buf) pattern = SW_BUF_INIT, with = SW_BUF_INIT, result = SW_BUF_INIT;

        r->p += all;
        sw_err *err = read_operand(r, '/', true, "missing '/' in ${}", &pattern);

        if (!err)
                err = read_operand(r, '}', true, "missing '}'", &with);
        if (err)
                return err;
        const char *value = value_of(r, name);

        if (!value && r->lex->flags & SW_DF_KEEP_UNSET) {
                sw_buf_addf(&pattern, "/%s", with.data);
                return put_unset(r, name, "/", pattern.data, out);
        }
        err = sw_df_subst_replace(all, pattern.data, value ? value : "", with.data, r->left,
                                  &result);
        return err ? err : put(r, result.data, out);
}

/* After ${NAME: what comes next, one character or ':' and one; r->p is behind it. */
static sw_err *
read_modifier(struct reader *r, char op[8])
{
        size_t n = 0, colon = 0;

        if (r->p < r->end && *r->p == ':')
                op[n++] = *r->p++, colon = 1;
        if (r->p == r->end)
                return sw_err_new(SW_E_INVALID, "syntax error: missing '}'");
        do {
                op[n++] = *r->p++;
        } while (r->p < r->end && ((unsigned char) *r->p & 0xc0) == 0x80 && n < 6);
        op[n] = '\0';
        if (strchr("-+?", op[colon]) || (!colon && strchr("#%}/", op[0])))
                return SW_OK;
        return unsupported(op);
}

/* At the character after "${". */
static sw_err *
braces(struct reader *r, sw_buf *out)
{
        char op[8];
        sw_err *err;

        if (r->p == r->end)
                return sw_err_new(SW_E_INVALID, "syntax error: missing '}'");
        if (strchr("{}:", *r->p))
                return sw_err_new(SW_E_INVALID, "syntax error: bad substitution");
        sw_auto(sw_str) name = read_name(r);

        err = read_modifier(r, op);
        if (err)
                return err;
        if (op[0] == '/')
                return replaced(r, name, out);
        if (op[0] != '}')
                return modified(r, name, op, out);

        const char *value = value_of(r, name);

        if (!value && r->lex->flags & SW_DF_KEEP_UNSET)
                return put_unset(r, name, "", "", out);
        return value ? put(r, value, out) : SW_OK;
}

/* At a "$". */
static sw_err *
dollar(struct reader *r, sw_buf *out)
{
        r->p++;
        if (r->p < r->end && *r->p == '{') {
                r->p++;
                return braces(r, out);
        }
        sw_auto(sw_str) name = read_name(r);

        if (!*name)
                return put(r, "$", out);
        const char *value = value_of(r, name);

        if (value)
                return put(r, value, out);
        if (!(r->lex->flags & SW_DF_KEEP_UNSET))
                return SW_OK;
        sw_err *err = put(r, "$", out);

        return err ? err : put(r, name, out);
}

/* At a single quote: nothing is special up to the next one. */
static sw_err *
single_quote(struct reader *r, sw_buf *out)
{
        const char *from = r->p + 1;
        const char *stop = memchr(from, '\'', (size_t) (r->end - from));
        bool keep = r->lex->flags & SW_DF_KEEP_QUOTES;

        if (!stop) {
                r->p = r->end;
                return sw_err_new(SW_E_INVALID, "unexpected end of statement while looking "
                                                "for matching single-quote");
        }
        r->p = stop + 1;
        sw_buf_add(out, keep ? from - 1 : from, (size_t) (stop - from) + (keep ? 2 : 0));
        return spend(r, (size_t) (stop - from) + 2);
}

/* At an escape within double quotes: it works before ", $ and itself only. */
static void
quoted_escape(struct reader *r, sw_buf *out)
{
        char c = *r->p++;

        if (r->keep_escapes)
                sw_buf_addc(out, c);
        if (r->p == r->end)
                return;
        if (*r->p == '"' || *r->p == '$' || *r->p == r->lex->escape)
                c = *r->p++;
        else if (r->keep_escapes)
                return;
        sw_buf_addc(out, c);
}

/* At a double quote. */
static sw_err *
double_quote(struct reader *r, sw_buf *out)
{
        bool keep = r->lex->flags & SW_DF_KEEP_QUOTES;
        sw_err *err = SW_OK;

        r->p++;
        if (keep)
                sw_buf_addc(out, '"');
        while (!err && r->p < r->end && *r->p != '"') {
                err = spend(r, 1);
                if (err)
                        break;
                if (*r->p == '$')
                        err = dollar(r, out);
                else if (*r->p == r->lex->escape)
                        quoted_escape(r, out);
                else
                        sw_buf_addc(out, *r->p++);
        }
        if (err)
                return err;
        if (r->p == r->end)
                return sw_err_new(SW_E_INVALID, "unexpected end of statement while looking "
                                                "for matching double-quote");
        r->p++;
        if (keep)
                sw_buf_addc(out, '"');
        return SW_OK;
}

/* At an escape outside of quotes: the next character, whatever it is. */
static void
plain_escape(struct reader *r, struct collector *words, sw_buf *out)
{
        const char *escape = r->p++;

        if (r->keep_escapes) {
                collect_raw(words, escape, 1);
                sw_buf_addc(out, *escape);
        }
        if (r->p == r->end)
                return;
        const char *from = r->p++;

        while (r->p < r->end && ((unsigned char) *r->p & 0xc0) == 0x80)
                r->p++;
        collect_raw(words, from, (size_t) (r->p - from));
        sw_buf_add(out, from, (size_t) (r->p - from));
}

/* At "<<": blanks after it do not divide it from the name of its here-document. */
static sw_err *
here_operator(struct reader *r, struct collector *words, sw_buf *out)
{
        size_t n = 2 + strspn(r->p + 2, " \t\r");

        collect_raw(words, r->p, n);
        sw_buf_add(out, r->p, n);
        r->p += n;
        return spend(r, n);
}

/* One character, or what a special one stands for. */
static sw_err *
read_one(struct reader *r, struct collector *words, sw_buf *out)
{
        bool quotes = !(r->lex->flags & SW_DF_NO_QUOTES);
        size_t before = out->len;
        sw_err *err = SW_OK;

        if (*r->p == '$') {
                err = dollar(r, out);
                collect(words, out->data + before, out->len - before);
                return err;
        }
        if (quotes && (*r->p == '\'' || *r->p == '"')) {
                err = *r->p == '"' ? double_quote(r, out) : single_quote(r, out);
                collect_raw(words, out->data + before, out->len - before);
                return err;
        }
        if (quotes && r->p[0] == '<' && r->p[1] == '<')
                return here_operator(r, words, out);
        err = spend(r, 1);
        if (err)
                return err;
        if (*r->p == r->lex->escape) {
                plain_escape(r, words, out);
                return SW_OK;
        }

        size_t k = sw_df_blank(r->p, (size_t) (r->end - r->p));

        k = k ? k : 1;
        collect(words, r->p, k);
        sw_buf_add(out, r->p, k);
        r->p += k;
        return SW_OK;
}

/* Up to @stop, which is read, too; NUL: to the end. */
static sw_err *
read_until(struct reader *r, char stop, struct collector *words, sw_buf *out)
{
        sw_err *err = SW_OK;

        while (!err && r->p < r->end && (!stop || *r->p != stop))
                err = read_one(r, words, out);
        if (err || !stop)
                return err;
        if (r->p == r->end)
                return sw_err_new(
                        SW_E_INVALID,
                        "unexpected end of statement while looking for matching %c", stop);
        r->p++;
        return SW_OK;
}

static sw_err *
expand(const struct sw_df_lex *lex, const char *word, struct collector *words, sw_buf *out)
{
        size_t n = strlen(word);
        struct reader r = {
                .lex = lex,
                .p = word,
                .end = word + n,
                .keep_escapes = lex->flags & SW_DF_KEEP_ESCAPES,
                .left = SW_DF_EXPAND_MAX + 4 * n,
        };
        sw_err *err = read_until(&r, '\0', words, out);

        sw_map_free(r.seen);
        if (!err)
                return SW_OK;
        sw_auto(sw_str) shown = sw__shown(word, n);

        return sw_err_wrap(err, "failed to process %s", shown);
}

sw_err *
sw_df_expand(const struct sw_df_lex *lex, const char *word, sw_buf *out)
{
        size_t before = out->len;

        /* Most words have nothing in them. */
        if (!strpbrk(word, "$\"'") && !strchr(word, lex->escape)) {
                sw_buf_adds(out, word);
                return SW_OK;
        }
        sw_err *err = expand(lex, word, NULL, out);

        if (err)
                sw_buf_truncate(out, before);
        return err;
}

sw_err *
sw_df_expand_each(const struct sw_df_lex *lex, const char *word,
                  void (*tell)(void *arg, const char *word), void *arg)
{
        struct collector words = { tell, arg, SW_BUF_INIT };
        sw_auto(sw_buf) all = SW_BUF_INIT;
        sw_err *err = expand(lex, word, &words, &all);

        if (!err)
                end_word(&words);
        sw_buf_release(&words.word);
        return err;
}

static void
add_word(void *arg, const char *word)
{
        sw_strlist_add(arg, word);
}

sw_err *
sw_df_expand_words(const struct sw_df_lex *lex, const char *word, sw_strlist *out)
{
        size_t before = out->n;
        sw_err *err = sw_df_expand_each(lex, word, add_word, out);

        while (err && out->n > before)
                free(out->v[--out->n]);
        return err;
}
