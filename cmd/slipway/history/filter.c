/*
 * cmd/slipway/history/filter.c - --filter of the history.
 *
 * "status=error,duration>1m": all conditions between commas hold. Fields are those of
 * BuildKit's history, and its ways to compare. Thread: main.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/history/past.h"

enum field { REF, STATUS, REPOSITORY, STARTED, COMPLETED, DURATION, N_FIELDS };
enum op { EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST };

struct condition {
        enum field field;
        enum op op;
        char *value;
        int64_t number; /* ns, of a time or duration */
};

static const char *const field_names[N_FIELDS] = {
        "ref", "status", "repository", "startedAt", "completedAt", "duration",
};

/* ---- Reading ---- */

static bool
read_op(const char **at, enum op *out)
{
        static const struct {
                const char *text;
                enum op op;
        } ops[] = { { "!=", UNEQUAL }, { "<=", AT_MOST }, { ">=", AT_LEAST },
                    { "==", EQUAL },   { "=", EQUAL },    { "<", LESS },
                    { ">", MORE } };

        for (size_t i = 0; i < SW_COUNT(ops); i++)
                if (sw_str_has_prefix(*at, ops[i].text)) {
                        *at += strlen(ops[i].text);
                        *out = ops[i].op;
                        return true;
                }
        return false;
}

static sw_err *
wrong(const char *text, const char *why)
{
        return sw_err_new(SW_E_USAGE, "--filter: \"%.100s\": %s", text, why);
}

/* A point in time: RFC 3339, or a duration before now. */
static bool
read_time(const char *s, int64_t *out)
{
        sw_err *err = sw_time_parse(s, out);

        if (!err)
                return true;
        sw_err_drop(err, "it may be a duration");
        err = sw_duration_parse(s, out);
        *out = sw_time_now() - *out;
        sw_err_drop(err, "told by the caller");
        return !err;
}

static sw_err *
read_number(const char *text, struct condition *c)
{
        sw_err *err;

        if (c->field == STARTED || c->field == COMPLETED)
                return read_time(c->value, &c->number)
                               ? SW_OK
                               : wrong(text, "no time, such as 2026-11-21T18:00:00Z or 24h "
                                             "(ago)");
        err = sw_duration_parse(c->value, &c->number);
        if (!err)
                return SW_OK;
        sw_err_drop(err, "told better");
        return wrong(text, "no duration, such as 90s or 1h30m");
}

static sw_err *
read_condition(const char *text, struct condition *c)
{
        const size_t n = strcspn(text, "=!<>");
        const char *at = text + n;

        for (c->field = REF; c->field < N_FIELDS; c->field++)
                if (strlen(field_names[c->field]) == n &&
                    strncmp(text, field_names[c->field], n) == 0)
                        break;
        if (c->field == N_FIELDS)
                return wrong(text, "fields are ref, status, repository, startedAt, "
                                   "completedAt and duration");
        if (!read_op(&at, &c->op))
                return wrong(text, "a comparison is missing: =, !=, <, <=, > or >=");
        if (c->field < STARTED && c->op != EQUAL && c->op != UNEQUAL)
                return wrong(text, "only = and != are known of this field");
        c->value = sw_strdup(at);
        return c->field < STARTED ? SW_OK : read_number(text, c);
}

/* ---- Matching ---- */

static bool
compare(enum op op, int64_t a, int64_t b)
{
        switch (op) {
        case EQUAL: return a == b;
        case UNEQUAL: return a != b;
        case LESS: return a < b;
        case AT_MOST: return a <= b;
        case MORE: return a > b;
        default: return a >= b;
        }
}

static const char *
text_of(const struct sw_history_build *b, enum field field)
{
        const char *s = NULL;

        if (field == REF)
                return b->id;
        if (field == STATUS)
                return sw_history_state_name(b->state);
        s = sw_attr_get(b->attrs, b->n_attrs, "vcs:source");
        return s ? s : sw_attr_get(b->attrs, b->n_attrs, "context");
}

static bool
holds(const struct condition *c, const struct sw_history_build *b)
{
        switch (c->field) {
        case STARTED: return compare(c->op, b->created, c->number);
        case COMPLETED: return b->completed && compare(c->op, b->completed, c->number);
        case DURATION:
                return b->completed && compare(c->op, b->completed - b->created, c->number);
        default: break;
        }
        const char *text = text_of(b, c->field);
        bool same = sw_str_eq(text ? text : "", c->value);

        /* our own words for states are known, too */
        if (c->field == STATUS)
                same |= sw_str_eq(past_state(b), c->value);
        return same == (c->op == EQUAL);
}

/* Whether all conditions of @expr hold for @b; without one only whether they can be read.
 */
static sw_err *
look(const char *expr, const struct sw_history_build *b, bool *out)
{
        sw_auto(sw_strlist) parts = { 0 };
        sw_err *err = SW_OK;

        *out = true;
        sw_strlist_split(&parts, expr, ',');
        for (size_t i = 0; i < parts.n && !err; i++) {
                struct condition c = { .value = NULL };

                err = read_condition(parts.v[i], &c);
                if (!err && b)
                        *out &= holds(&c, b);
                free(c.value);
        }
        return err;
}

sw_err *
past_filter_check(const past_filter *f)
{
        sw_err *err = SW_OK;
        bool all;

        for (size_t i = 0; i < f->exprs.n && !err; i++)
                err = look(f->exprs.v[i], NULL, &all);
        return err;
}

bool
past_filter_match(const past_filter *f, const struct sw_history_build *b)
{
        bool any = f->exprs.n == 0;

        for (size_t i = 0; i < f->exprs.n && !any; i++) {
                sw_err *err = look(f->exprs.v[i], b, &any);

                sw_err_drop(err, "it was checked");
        }
        return any;
}
