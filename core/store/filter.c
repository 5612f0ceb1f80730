/*
 * core/store/filter.c - filter expressions over records of disk usage (containerd's).
 *
 *      filter    := selector ("," selector)*             all of them must hold
 *      selector  := field [("==" | "!=" | "~=") value]   without a value: it is there
 *      value     := a Go string in " ", or up to the next ',' or white space;
 *                   after ~= also /regular expression/ or |regular expression|
 *
 * A record matches when any of the filters does; no filters, or an empty one, match all.
 * Fields that say yes or no are there when it is yes, with the value "true". Regular
 * expressions are POSIX extended ones, and match anywhere in the value.
 *
 * Expressions may come from outside: lengths are limited, and so is repetition in regular
 * expressions, which regcomp(3) would spend memory on. Back-references, with which matching
 * takes exponential time, are refused.
 * Thread: a filter is immutable; any.
 */
#include <regex.h>
#include <string.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "core/store/refs.h"

enum { EXPR_MAX = 4096, REGEX_MAX = 256, COUNT_MAX = 255, FILTERS_MAX = 256 };

enum operator{ PRESENT, EQUAL, NOT_EQUAL, MATCHES };

static const char *const fields[] = { "id",    "parents", "description",
                                      "inuse", "mutable", "immutable",
                                      "type",  "shared",  "private" };

struct selector {
        size_t field; /* index into fields */
        enum operator op;
        char *value;
        bool compiled;
        regex_t re;
};

struct conjunction {
        SW_ARRAY(struct selector) all;
};

struct sw_filter {
        SW_ARRAY(struct conjunction) any;
};

/* ---- parsing ---- */

struct scan {
        const char *expr, *at;
};

static sw_err *
bad(const struct scan *s, const char *what)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_add_quoted(&b, s->expr, strlen(s->expr), 200);
        return sw_err_new(SW_E_INVALID, "filter %s: %s at byte %zu", b.data, what,
                          (size_t) (s->at - s->expr));
}

static void
skip_space(struct scan *s)
{
        s->at += strspn(s->at, " \t\r\n");
}

static sw_err *
scan_field(struct scan *s, size_t *field)
{
        const size_t n =
                strspn(s->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_.");
        sw_auto(sw_str) name = sw_strndup(s->at, n);

        if (n == 0)
                return bad(s, "the name of a field is missing");
        for (size_t i = 0; i < SW_COUNT(fields); i++) {
                if (strcmp(fields[i], name) == 0) {
                        *field = i;
                        s->at += n;
                        return SW_OK;
                }
        }
        const char *near = sw_near(name, fields, SW_COUNT(fields));
        sw_auto(sw_str) what =
                sw_asprintf("there is no field %.50s%s%s%s", name,
                            near ? " (did you mean " : "", near ? near : "",
                            near ? "?)"
                                 : "; there are id, parents, description, inuse, "
                                   "mutable, immutable, type, shared and private");
        return bad(s, what);
}

static enum operator scan_operator(struct scan *s)
{
        static const char *const texts[] = {
                [EQUAL] = "==", [NOT_EQUAL] = "!=", [MATCHES] = "~="
        };

        for (size_t i = EQUAL; i < SW_COUNT(texts); i++)
                if (strncmp(s->at, texts[i], 2) == 0) {
                        s->at += 2;
                        return (enum operator) i;
                }
        return PRESENT;
}

static int
hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The escape after a backslash, of Go's that can come up. */
static sw_err *
scan_escape(struct scan *s, sw_buf *out)
{
        static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
        const char *known = *s->at ? strchr(from, *s->at) : NULL;

        if (known) {
                sw_buf_addc(out, to[known - from]);
                s->at++;
                return SW_OK;
        }
        if (*s->at == 'x' && hex_digit(s->at[1]) >= 0 && hex_digit(s->at[2]) >= 0) {
                const int c = hex_digit(s->at[1]) * 16 + hex_digit(s->at[2]);

                if (c == 0)
                        return bad(s, "a NUL");
                sw_buf_addc(out, (char) c);
                s->at += 3;
                return SW_OK;
        }
        return bad(s, "unknown escape");
}

static sw_err *
scan_quoted(struct scan *s, sw_buf *out)
{
        const char quote = *s->at++;

        while (*s->at && *s->at != quote) {
                if (*s->at != '\\') {
                        sw_buf_addc(out, *s->at++);
                        continue;
                }
                s->at++;
                if (quote != '"' && *s->at && *s->at != quote) {
                        sw_buf_addc(out, '\\'); /* the regular expression's own */
                        sw_buf_addc(out, *s->at++);
                        continue;
                }
                if (quote != '"' && *s->at) {
                        sw_buf_addc(out, *s->at++);
                        continue;
                }
                sw_err *err = scan_escape(s, out);
                if (err)
                        return err;
        }
        if (!*s->at)
                return bad(s, "a quote is not closed");
        s->at++;
        return SW_OK;
}

static sw_err *
scan_value(struct scan *s, enum operator op, sw_buf *out)
{
        skip_space(s);
        if (*s->at == '"' || (op == MATCHES && (*s->at == '/' || *s->at == '|')))
                return scan_quoted(s, out);
        const size_t n = strcspn(s->at, ", \t\r\n");
        if (n == 0)
                return bad(s, "the value is missing");
        sw_buf_add(out, s->at, n);
        s->at += n;
        return SW_OK;
}

/* In a bracket "\1" would mean two characters; it is not worth being told apart. */
static bool
has_back_reference(const char *re)
{
        for (; *re; re++)
                if (*re == '\\' && re[1] && *++re >= '1' && *re <= '9')
                        return true;
        return false;
}

/* Whether it counts in two places, or far. */
static bool
counts_much(const char *re)
{
        const char *brace = strchr(re, '{');
        unsigned n = 0;

        for (const char *p = brace ? brace + 1 : ""; *p && *p != '}'; p++) {
                n = *p >= '0' && *p <= '9' ? n * 10 + (unsigned) (*p - '0') : 0;
                if (n > COUNT_MAX)
                        return true;
        }
        return brace && strchr(brace + 1, '{');
}

static sw_err *
compile(struct scan *s, struct selector *sel)
{
        char why[128];

        if (strlen(sel->value) > REGEX_MAX || counts_much(sel->value))
                return bad(s,
                           "a regular expression that is too long, or counts far or twice");
        if (has_back_reference(sel->value))
                return bad(s, "back-references are not supported");
        int rc = regcomp(&sel->re, sel->value, REG_EXTENDED | REG_NOSUB);
        if (rc) {
                (void) regerror(rc, &sel->re, why, sizeof(why));
                return bad(s, why);
        }
        sel->compiled = true;
        return SW_OK;
}

static sw_err *
scan_selector(struct scan *s, struct conjunction *c)
{
        struct selector sel = { 0 };
        sw_auto(sw_buf) value = SW_BUF_INIT;
        sw_err *err = scan_field(s, &sel.field);

        if (err)
                return err;
        skip_space(s);
        sel.op = scan_operator(s);
        if (sel.op != PRESENT)
                err = scan_value(s, sel.op, &value);
        sel.value = sw_buf_detach(&value);
        if (!err && sel.op == MATCHES)
                err = compile(s, &sel);
        sw_array_push(&c->all, sel);
        return err;
}

static sw_err *
parse(const char *expr, struct conjunction *c)
{
        struct scan s = { expr, expr };

        if (strnlen(expr, EXPR_MAX + 1) > EXPR_MAX)
                return sw_err_new(SW_E_LIMIT, "a filter of more than %d bytes", EXPR_MAX);
        skip_space(&s);
        if (!*s.at)
                return SW_OK; /* matches everything */
        for (;;) {
                sw_err *err = scan_selector(&s, c);

                if (err)
                        return err;
                skip_space(&s);
                if (!*s.at)
                        return SW_OK;
                if (*s.at != ',')
                        return bad(&s, "a comma is missing");
                s.at++;
                skip_space(&s);
        }
}

sw_err *
sw__filter_new(const sw_strlist *exprs, sw_filter **out)
{
        sw_filter *f = sw_new(sw_filter);
        sw_err *err = SW_OK;

        if (exprs->n > FILTERS_MAX)
                err = sw_err_new(SW_E_LIMIT, "more than %d filters", FILTERS_MAX);
        for (size_t i = 0; i < exprs->n && !err; i++) {
                struct conjunction c = { 0 };

                err = parse(exprs->v[i], &c);
                sw_array_push(&f->any, c);
        }
        if (err) {
                sw__filter_free(f);
                return err;
        }
        *out = f;
        return SW_OK;
}

void
sw__filter_free(sw_filter *f)
{
        if (!f)
                return;
        for (size_t i = 0; i < f->any.n; i++) {
                struct conjunction *c = &f->any.v[i];

                for (size_t j = 0; j < c->all.n; j++) {
                        free(c->all.v[j].value);
                        if (c->all.v[j].compiled)
                                regfree(&c->all.v[j].re);
                }
                sw_array_release(&c->all);
        }
        sw_array_release(&f->any);
        free(f);
}

/* ---- matching ---- */

/* The value of a field, or NULL when it is not there. @join: for those made up here. */
static const char *
value_of(size_t field, const struct sw_usage *u, sw_str *join)
{
        const char *name = fields[field];

        if (strcmp(name, "id") == 0)
                return *u->id ? u->id : NULL;
        if (strcmp(name, "description") == 0)
                return u->description && *u->description ? u->description : NULL;
        if (strcmp(name, "type") == 0)
                return u->type;
        if (strcmp(name, "parents") == 0) {
                if (u->parents && u->parents->n)
                        *join = sw_strlist_join(u->parents, ";");
                return *join;
        }
        if (strcmp(name, "inuse") == 0)
                return u->in_use ? "true" : NULL;
        if (strcmp(name, "mutable") == 0)
                return u->is_mutable ? "true" : NULL;
        if (strcmp(name, "immutable") == 0)
                return u->is_mutable ? NULL : "true";
        if (strcmp(name, "shared") == 0)
                return u->shared ? "true" : NULL;
        return u->shared ? NULL : "true"; /* private */
}

static bool
holds(const struct selector *sel, const struct sw_usage *u)
{
        sw_auto(sw_str) join = NULL;
        const char *v = value_of(sel->field, u, &join);

        switch (sel->op) {
        case PRESENT: return v != NULL;
        case EQUAL: return v && strcmp(v, sel->value) == 0;
        case NOT_EQUAL: return !v || strcmp(v, sel->value) != 0;
        case MATCHES: return v && regexec(&sel->re, v, 0, NULL, 0) == 0;
        default: return false;
        }
}

bool
sw__filter_match(const sw_filter *f, const struct sw_usage *u)
{
        if (!f || f->any.n == 0)
                return true;
        for (size_t i = 0; i < f->any.n; i++) {
                const struct conjunction *c = &f->any.v[i];
                size_t j = 0;

                while (j < c->all.n && holds(&c->all.v[j], u))
                        j++;
                if (j == c->all.n)
                        return true;
        }
        return false;
}
