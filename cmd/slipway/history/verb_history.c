/*
 * cmd/slipway/history/verb_history.c - `slipway history`: what was built here.
 * Thread: main.
 */
#include <stdio.h>
#include <unistd.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/history/past.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

static sw_json *
list_json(const sw_history_list *l)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < l->n; i++)
                json_array_append_new(list, past_json(&l->v[i]));
        return list;
}

static sw_err *
print_format(const sw_history_list *l, const char *format)
{
        sw_autoptr(template) t = NULL;
        sw_autoptr(sw_json) list = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err = template_parse(format, past_fields, &t);

        if (err)
                return err;
        list = list_json(l);
        err = template_run(t, list, &out);
        sw_buf_addc(&out, '\n');
        return err ? err : out_text(&out);
}

static sw_err *
print_ids(const sw_history_list *l)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < l->n; i++)
                sw_buf_addf(&out, "%s\n", l->v[i].id);
        return out_text(&out);
}

static enum table_style
style_of(const struct sw_history_build *b)
{
        switch (b->state) {
        case SW_HISTORY_COMPLETED: return TABLE_GOOD;
        case SW_HISTORY_FAILED: return TABLE_BAD;
        case SW_HISTORY_RUNNING: return TABLE_PLAIN;
        default: return TABLE_WARN;
        }
}

static void
add_row(table *t, const struct sw_history_build *b)
{
        char took[32], began[SW_TIME_STR_SIZE], steps[64];
        sw_auto(sw_str) what = past_what(b);

        (void) snprintf(steps, sizeof(steps), "%d, %d cached", b->steps, b->cached_steps);
        table_add(t, b->id);
        table_add_styled(t, past_state(b), style_of(b));
        table_add(t, sw_time_str(b->created / SW_NS_PER_SEC * SW_NS_PER_SEC, began));
        table_add(t, past_took(b, took));
        table_add(t, b->completed ? steps : "-");
        table_add(t, b->pinned ? "*" : "");
        table_add(t, what);
}

static sw_err *
print_table(const sw_history_list *l)
{
        static const char *const heads[] = { "BUILD", "STATUS", "BEGAN", "TOOK",
                                             "STEPS", "PINNED", "WHAT",  NULL };
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < l->n; i++)
                add_row(&t, &l->v[i]);
        table_print(&t, &out, term_width(STDOUT_FILENO), term_colour(STDOUT_FILENO));
        return out_text(&out);
}

/* Leave those that are asked for. */
static sw_err *
choose(const struct cli_call *call, sw_history_list *l)
{
        past_filter filter = { .exprs = { 0 } };
        const char *limit = cli_str(call, "limit");
        int64_t max = INT64_MAX;
        size_t n = 0;
        sw_err *err = SW_OK;

        cli_list(call, "filter", &filter.exprs);
        err = past_filter_check(&filter);
        if (!err && limit)
                err = sw_parse_int(limit, 0, INT32_MAX, &max);
        if (err && sw_err_code(err) != SW_E_USAGE) {
                sw_err_drop(err, "told better");
                err = sw_err_new(SW_E_USAGE, "--limit: \"%.50s\" is no number", limit);
        }
        for (size_t i = 0; i < l->n && !err && (int64_t) n < max; i++)
                if (past_filter_match(&filter, &l->v[i]))
                        l->v[n++] = l->v[i];
        l->n = n;
        sw_strlist_release(&filter.exprs);
        return err;
}

static sw_err *
run_history(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) l = { 0 };
        const char *format = cli_str(call, "format");
        sw_err *err = past_open(&p, call, true);

        if (!err)
                err = past_builds(&p, &l);
        if (!err)
                err = choose(call, &l);
        if (err)
                return err;
        if (cli_bool(call, "quiet"))
                return print_ids(&l);
        if (cli_bool(call, "json"))
                return out_json(list_json(&l));
        return format && *format ? print_format(&l, format) : print_table(&l);
}

static const struct cli_flag history_flags[] = {
        { .name = "filter",
          .letter = 'f',
          .type = CLI_LIST,
          .value = "FILTER",
          .help = "only builds that match; several filters are alternatives" },
        { .name = "limit",
          .letter = 'n',
          .type = CLI_STRING,
          .value = "N",
          .help = "at most this many, the newest ones" },
        { .name = "quiet", .letter = 'q', .type = CLI_BOOL, .help = "print ids alone" },
        { .name = "json", .type = CLI_BOOL, .help = "print a JSON list" },
        { .name = "format",
          .type = CLI_STRING,
          .value = "TEMPLATE",
          .help = "print the list through a template; json is one" },
        { .name = NULL },
};

CLI_VERB(history) = {
        .name = "history",
        .summary = "show what was built here",
        .details =
                "Lists the builds of this root, the newest first. A build that was killed, "
                "or whose machine went down, is shown as interrupted. Builds beyond "
                "history.maxEntries that ended longer ago than history.maxAge are "
                "forgotten when another one ends, save those that are pinned; with "
                "history.enabled set to false in the configuration nothing is kept.\n"
                "\n"
                "A filter is one or more conditions with commas between them, all of which "
                "must hold: ref, status (running, completed, error, canceled, interrupted) "
                "and repository are compared with = and !=; startedAt, completedAt (a "
                "time, or a duration ago) and duration with <, <=, > and >= too:\n"
                "\n"
                "    slipway history --filter 'status=error,startedAt>24h'\n"
                "\n"
                "Templates are those of slipway du, with the fields Ref, Status, Pinned, "
                "CreatedAt, CompletedAt, Duration (in nanoseconds), What, Frontend, "
                "FrontendAttrs, Exporters, ExporterResponse, Error, NumTotalSteps, "
                "NumCompletedSteps, NumCachedSteps and NumWarnings.\n"
                "\n"
                "Passwords in URLs, and the values of options and build arguments that are "
                "named like a secret, are not kept.\n",
        .flags = history_flags,
        .run = run_history,
};
