/*
 * lib/dockerfile/subst.c - patterns over values, without trying again and again.
 *
 * A pattern is segments of fixed width with stars between them. From the last segment to
 * the first, reach[s] is the end of the best match of the segments so far that starts at
 * byte s, or -1: a star in front takes the best of all starts up to the end of the line.
 * That costs length x stars, and the comparisons of segments; COST_MAX limits both.
 * Pure.
 */
#include <slipway/array.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/subst.h"

enum {
        ANY = 256,  /* element: one character; below: that byte */
        STAR = 257, /* element: between segments */
        COST_MAX = 1 << 26,
};

struct pattern {
        SW_ARRAY(uint16_t) el;
        size_t stars;
};

static sw_err *
bad_escape(const char *pattern, const char *at)
{
        size_t left = strnlen(at, 4), n = 0; /* 0: the pattern ends here */
        uint32_t c;

        if (left)
                n = sw__utf8_decode(at, left, &c);
        n = left && !n ? 1 : n;
        sw_auto(sw_str) one = sw_strndup(at, n);
        sw_auto(sw_str) escape = sw_df_plain(one);
        sw_auto(sw_str) shown = sw_df_plain(pattern);

        return sw_err_new(SW_E_INVALID,
                          "invalid pattern (%s) in substitution: invalid escape '\\%s'",
                          shown, escape);
}

static sw_err *
compile(const char *text, struct pattern *out)
{
        for (const char *p = text; *p; p++) {
                uint16_t el = (unsigned char) *p;

                if (*p == '*')
                        el = STAR;
                else if (*p == '?')
                        el = ANY;
                else if (*p == '\\' && (p[1] == '}' || p[1] == '/'))
                        continue;
                else if (*p == '\\') {
                        p++;
                        if (*p != '*' && *p != '?' && *p != '\\')
                                return bad_escape(text, p);
                        el = (unsigned char) *p;
                }
                out->stars += el == STAR;
                sw_array_push(&out->el, el);
        }
        return SW_OK;
}

struct subject {
        const char *s;
        size_t n;
        bool greedy;
        bool to_end; /* a match ends where the value does */
};

/* Where elements from..to end when they match at @at; -1: they do not. */
static int32_t
match_at(const struct pattern *p, size_t from, size_t to, const struct subject *v,
         size_t at)
{
        uint32_t c;

        for (; from < to; from++) {
                size_t k = 1;

                if (at >= v->n)
                        return -1;
                if (p->el.v[from] == ANY) {
                        k = sw__utf8_decode(v->s + at, v->n - at, &c);
                        if (!k || v->s[at] == '\n')
                                return -1;
                } else if ((unsigned char) v->s[at] != p->el.v[from]) {
                        return -1;
                }
                at += k;
        }
        return (int32_t) at;
}

/* Of two ends, either of which may be -1. */
static int32_t
better(const struct subject *v, int32_t a, int32_t b)
{
        if (a < 0 || b < 0)
                return a < 0 ? b : a;
        return v->greedy == (a > b) ? a : b;
}

/* reach[] of a star and what follows it, from reach[] of what follows it. */
static void
add_star(const struct subject *v, int32_t *reach)
{
        for (size_t s = v->n; s-- > 0;)
                if (v->s[s] != '\n')
                        reach[s] = better(v, reach[s], reach[s + 1]);
}

/* reach[] of the segment from..to and what follows it. @last: nothing does. */
static void
add_segment(const struct pattern *p, size_t from, size_t to, const struct subject *v,
            bool last, int32_t *reach)
{
        for (size_t s = 0; s <= v->n; s++) {
                int32_t end = match_at(p, from, to, v, s);

                /* Entries before s are not looked at again: matches end at s or later. */
                if (end >= 0 && last && v->to_end && (size_t) end != v->n)
                        end = -1;
                reach[s] = end < 0 || last ? end : reach[end];
        }
}

/* For each start the end of the best match, or -1; from malloc. */
static sw_err *
match_all(const char *text, const struct subject *v, int32_t **out)
{
        struct pattern p = { 0 };
        sw_err *err = compile(text, &p);

        if (!err && (v->n > INT32_MAX / 2 || (p.el.n + 1) * (v->n + 1) > COST_MAX))
                err = sw_err_new(
                        SW_E_LIMIT,
                        "a pattern of %zu bytes over a value of %zu is too long to "
                        "be matched",
                        p.el.n, v->n);
        if (!err) {
                int32_t *reach = sw_alloc_array(v->n + 1, sizeof(*reach));
                size_t to = p.el.n;
                bool last = true;

                for (;;) {
                        size_t from = to;

                        while (from > 0 && p.el.v[from - 1] != STAR)
                                from--;
                        add_segment(&p, from, to, v, last, reach);
                        last = false;
                        if (from == 0)
                                break;
                        add_star(v, reach);
                        to = from - 1;
                }
                *out = reach;
        }
        sw_array_release(&p.el);
        return err;
}

sw_err *
sw_df_subst_trim(enum sw_df_trim side, bool greedy, const char *pattern, const char *value,
                 sw_buf *out)
{
        struct subject v = { value, strlen(value), greedy, side == SW_DF_TRIM_SUFFIX };
        int32_t *reach = NULL;
        sw_err *err = match_all(pattern, &v, &reach);

        if (err)
                return err;
        if (side == SW_DF_TRIM_PREFIX) {
                size_t cut = reach[0] < 0 ? 0 : (size_t) reach[0];

                sw_buf_add(out, value + cut, v.n - cut);
        } else {
                size_t keep = v.n;

                for (size_t s = 0; s <= v.n; s++)
                        if (reach[s] >= 0) {
                                keep = s;
                                if (greedy)
                                        break;
                        }
                sw_buf_add(out, value, keep);
        }
        free(reach);
        return SW_OK;
}

sw_err *
sw_df_subst_replace(bool all, const char *pattern, const char *value, const char *with,
                    size_t max, sw_buf *out)
{
        struct subject v = { value, strlen(value), true, false };
        int32_t *reach = NULL;
        size_t with_len = strlen(with), done = 0, before = out->len;
        sw_err *err = match_all(pattern, &v, &reach);

        for (size_t s = 0; !err && s <= v.n;) {
                size_t end = reach[s] < 0 ? s : (size_t) reach[s];

                /* An empty match right after another is part of that one. */
                if (reach[s] >= 0 && (end > done || s == 0)) {
                        sw_buf_add(out, value + done, s - done);
                        sw_buf_add(out, with, with_len);
                        done = end;
                        if (!all)
                                break;
                }
                s = end > s ? end : s + 1;
                if (out->len - before > max)
                        err = sw_err_new(SW_E_LIMIT, "a value of more than %zu bytes", max);
        }
        if (!err)
                sw_buf_add(out, value + done, v.n - done);
        free(reach);
        return err;
}
