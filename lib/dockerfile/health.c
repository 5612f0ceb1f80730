/* lib/dockerfile/health.c - HEALTHCHECK: durations as Go writes them, retries. Pure. */
#include <strings.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

enum { INTERVAL, TIMEOUT, START_PERIOD, START_INTERVAL, RETRIES, FLAGS };

/* Why @text is no duration, in Go's words. */
static sw_err *
bad_duration(const char *text)
{
        static const char *const units[] = { "ns", "us", "µs", "μs", "ms", "s", "m", "h" };
        sw_auto(sw_str) shown = sw__shown(text, SIZE_MAX);
        const char *p = text + strspn(text, "+-");

        while (*p) {
                size_t number = strspn(p, "0123456789."), unit, i = 0;

                unit = strcspn(p + number, "0123456789.");
                if (!number)
                        break;
                p += number;
                if (!unit)
                        return sw_err_new(SW_E_INVALID, "time: missing unit in duration %s",
                                          shown);
                while (i < SW_COUNT(units) &&
                       (strlen(units[i]) != unit || memcmp(units[i], p, unit) != 0))
                        i++;
                if (i == SW_COUNT(units)) {
                        sw_auto(sw_str) name = sw__shown(p, unit);

                        return sw_err_new(SW_E_INVALID,
                                          "time: unknown unit %s in duration %s", name,
                                          shown);
                }
                p += unit;
        }
        return sw_err_new(SW_E_INVALID, "time: invalid duration %s", shown);
}

static sw_err *
read_duration(const struct sw_df_flag *flag, int64_t *out)
{
        const char *s = flag->value.text;
        sw_err *err;

        if (!s || !*s)
                return SW_OK;
        size_t sign = *s == '+' || *s == '-';

        /* Our own parser takes a bare number for seconds. */
        if (s[sign + strspn(s + sign, "0123456789")] == '\0' && strcmp(s + sign, "0") != 0)
                return bad_duration(s);
        err = sw_duration_parse(s, out);
        if (err) {
                sw_err_drop(err, "said in the reference's words");
                return bad_duration(s);
        }
        if (*out != 0 && *out < SW_NS_PER_MS)
                return sw_err_new(SW_E_INVALID, "Interval \"%s\" cannot be less than 1ms",
                                  flag->name);
        return SW_OK;
}

static sw_err *
read_retries(const struct sw_df_flag *flag, int *out)
{
        const char *s = flag->value.text;
        int64_t n = 0;

        if (!s || !*s)
                return SW_OK;
        sw_err *err = sw_parse_int(s, INT32_MIN, INT32_MAX, &n);

        if (err) {
                size_t sign = *s == '+' || *s == '-';
                bool digits = s[sign] && !s[sign + strspn(s + sign, "0123456789")];
                sw_auto(sw_str) shown = sw__shown(s, SIZE_MAX);

                sw_err_drop(err, "said in the reference's words");
                return sw_err_new(SW_E_INVALID, "strconv.ParseInt: parsing %s: %s", shown,
                                  digits ? "value out of range" : "invalid syntax");
        }
        if (n < 0)
                return sw_err_new(SW_E_INVALID, "--retries cannot be negative (%d)",
                                  (int) n);
        *out = (int) n;
        return SW_OK;
}

static sw_err *
read_numbers(struct sw_df_typer *t, const struct sw_df_flag *f, struct sw_df_health *h)
{
        int64_t *const into[] = { &h->interval, &h->timeout, &h->start_period,
                                  &h->start_interval };
        sw_err *err = SW_OK;

        for (int i = INTERVAL; i < RETRIES; i++) {
                err = read_duration(&f[i], into[i]);
                if (err)
                        return sw_df_bad(t, &f[i].value, err);
        }
        err = read_retries(&f[RETRIES], &h->retries);
        return sw_df_bad(t, &f[RETRIES].value, err);
}

/* Test: how, and the command. */
static struct sw_df_strs
test_of(struct sw_df_typer *t, const char *how, struct sw_df_strs command)
{
        const char **v = sw_df_arena_take(t->arena, (command.n + 1) * sizeof(*v));

        v[0] = how;
        for (size_t i = 0; i < command.n; i++)
                v[i + 1] = command.v[i];
        return (struct sw_df_strs){ v, command.n + 1 };
}

static sw_err *
unknown_type(struct sw_df_typer *t, const char *type)
{
        sw_auto(sw_str) upper = sw_strdup(type);

        for (char *c = upper; *c; c++)
                *c = (char) (*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        sw_auto(sw_str) shown = sw__shown(upper, SIZE_MAX);

        return sw_df_bad(t, &t->node->args.v[0],
                         sw_err_new(SW_E_INVALID,
                                    "Unknown type %s in HEALTHCHECK (try CMD)", shown));
}

static sw_err *
type_none(struct sw_df_typer *t, struct sw_df_health *h)
{
        h->test = test_of(t, "NONE", (struct sw_df_strs){ NULL, 0 });
        if (t->node->args.n > 1)
                return sw_err_new(SW_E_INVALID, "HEALTHCHECK NONE takes no arguments");
        return SW_OK;
}

sw_err *
sw_df_type_health(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        struct sw_df_flag f[FLAGS] = {
                [INTERVAL] = { .name = "interval", .type = SW_DF_FLAG_STRING },
                [TIMEOUT] = { .name = "timeout", .type = SW_DF_FLAG_STRING },
                [START_PERIOD] = { .name = "start-period", .type = SW_DF_FLAG_STRING },
                [START_INTERVAL] = { .name = "start-interval", .type = SW_DF_FLAG_STRING },
                [RETRIES] = { .name = "retries", .type = SW_DF_FLAG_STRING },
        };
        const struct sw_df_words *args = &t->node->args;
        sw_err *err;

        if (!args->n)
                return sw_err_new(SW_E_INVALID,
                                  "HEALTHCHECK requires at least one argument");
        if (strcasecmp(args->v[0].text, "NONE") == 0)
                return type_none(t, &out->health);
        err = sw_df_flags_read(t, f, FLAGS);
        if (!err && strcasecmp(args->v[0].text, "CMD") != 0)
                err = unknown_type(t, args->v[0].text);
        if (!err && args->n < 2)
                err = sw_err_new(SW_E_INVALID, "Missing command after HEALTHCHECK CMD");
        if (err)
                return err;
        out->health.test =
                test_of(t, t->node->json ? "CMD" : "CMD-SHELL", sw_df_words_strs(t, 1));
        return read_numbers(t, f, &out->health);
}
