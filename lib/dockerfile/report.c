/*
 * lib/dockerfile/report.c - answers about a Dockerfile, as JSON and as text. Pure.
 *
 * The JSON is what Go's encoding/json makes of the reference's structs: members in order,
 * empty ones left out, two blanks a level.
 */
#include <slipway/array.h>
#include <slipway/json.h>

#include "lib/dockerfile/report.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/table.h"

struct json {
        sw_buf *out;
        int depth;
        bool any; /* the object or array at work has a member */
};

static void
new_line(struct json *j)
{
        sw_buf_addc(j->out, '\n');
        for (int i = 0; i < j->depth; i++)
                sw_buf_adds(j->out, "  ");
}

/* A member; @key NULL: an element. */
static void
member(struct json *j, const char *key)
{
        if (j->any)
                sw_buf_addc(j->out, ',');
        if (j->depth)
                new_line(j);
        if (key)
                sw_buf_addf(j->out, "\"%s\": ", key);
        j->any = true;
}

static void
open_as(struct json *j, const char *key, char bracket)
{
        member(j, key);
        sw_buf_addc(j->out, bracket);
        j->depth++;
        j->any = false;
}

static void
close_as(struct json *j, char bracket)
{
        j->depth--;
        if (j->any)
                new_line(j);
        sw_buf_addc(j->out, bracket);
        j->any = true;
}

static void
put_null(struct json *j, const char *key)
{
        member(j, key);
        sw_buf_adds(j->out, "null");
}

/* A string, empty or not. */
static void
put_str(struct json *j, const char *key, const char *s)
{
        member(j, key);
        sw_json_add_str(j->out, s ? s : "", s ? strlen(s) : 0);
}

static void
put_some(struct json *j, const char *key, const char *s)
{
        if (s && *s)
                put_str(j, key, s);
}

static void
put_true(struct json *j, const char *key, bool value)
{
        if (!value)
                return;
        member(j, key);
        sw_buf_adds(j->out, "true");
}

static void
put_line(struct json *j, const char *key, int line)
{
        open_as(j, key, '{');
        member(j, "line");
        sw_buf_addf(j->out, "%d", line);
        close_as(j, '}');
}

enum { RANGES_MAX = 1000 };

/* A range for each line, as everything that names a place in a Dockerfile has them; for
 * what is longer than a person would write, one for all. */
static void
put_location(struct json *j, struct sw_df_range r)
{
        int step = r.last - r.first >= RANGES_MAX ? r.last - r.first : 0;

        if (r.first < 1)
                return;
        open_as(j, "location", '{');
        open_as(j, "ranges", '[');
        for (int line = r.first; line <= r.last; line += step + 1) {
                open_as(j, NULL, '{');
                put_line(j, "start", line);
                put_line(j, "end", line + step);
                close_as(j, '}');
        }
        close_as(j, ']');
        close_as(j, '}');
}

/* The text itself, for those that show places in it. */
static void
put_sources(struct json *j, const struct sw_df_text *text)
{
        open_as(j, "sources", '[');
        member(j, NULL);
        sw_json_add_base64(j->out, text->data, text->len);
        close_as(j, ']');
}

static void
put_finding(struct json *j, const struct sw_df_found *f)
{
        open_as(j, NULL, '{');
        put_str(j, "ruleName", f->rule);
        put_some(j, "description", f->description);
        put_some(j, "url", f->url);
        put_some(j, "detail", f->message);
        put_location(j, f->range);
        close_as(j, '}');
}

static void
put_source_info(struct json *j, const struct sw_df_lint_report *r)
{
        if (!r->n_found && r->error_range.first < 1) {
                put_null(j, "sources");
                return;
        }
        open_as(j, "sources", '[');
        open_as(j, NULL, '{');
        put_some(j, "filename", r->text.file);
        if (r->text.len) {
                member(j, "data");
                sw_json_add_base64(j->out, r->text.data, r->text.len);
        }
        put_str(j, "language", "Dockerfile");
        close_as(j, '}');
        close_as(j, ']');
}

void
sw_df_lint_json(const struct sw_df_lint_report *r, sw_buf *out)
{
        struct json j = { .out = out };

        open_as(&j, NULL, '{');
        if (!r->n_found)
                put_null(&j, "warnings");
        else
                open_as(&j, "warnings", '[');
        for (size_t i = 0; i < r->n_found; i++)
                put_finding(&j, &r->found[i]);
        if (r->n_found)
                close_as(&j, ']');
        put_source_info(&j, r);
        if (r->error) {
                open_as(&j, "buildError", '{');
                put_str(&j, "message", r->error);
                put_location(&j, r->error_range);
                close_as(&j, '}');
        }
        close_as(&j, '}');
}

/* By line, then as they were found. */
static int
by_line(const void *a, const void *b)
{
        const struct sw_df_found *x = *(const struct sw_df_found *const *) a;
        const struct sw_df_found *y = *(const struct sw_df_found *const *) b;

        if (x->range.first != y->range.first)
                return x->range.first < y->range.first ? -1 : 1;
        return x < y ? -1 : x > y;
}

void
sw_df_lint_text(const struct sw_df_lint_report *r, sw_buf *out)
{
        const struct sw_df_found **sorted = sw_alloc_array(r->n_found + 1, sizeof(*sorted));

        for (size_t i = 0; i < r->n_found; i++)
                sorted[i] = &r->found[i];
        qsort((void *) sorted, r->n_found, sizeof(*sorted), by_line);
        for (size_t i = 0; i < r->n_found; i++) {
                const struct sw_df_found *f = sorted[i];

                sw_buf_addf(out, "\nWARNING: %s", f->rule);
                if (f->url)
                        sw_buf_addf(out, " - %s", f->url);
                sw_buf_addf(out, "\n%s\n", f->message);
                sw_df_excerpt(&r->text, f->range, out);
        }
        free((void *) sorted);
        if (r->error) {
                sw_buf_addf(out, "%s\n", r->error);
                sw_df_excerpt(&r->text, r->error_range, out);
        }
}

const char *
sw_df_lint_status(const struct sw_df_lint_report *r)
{
        return r->n_found || r->error ? "1" : "0";
}

static void
put_needs(struct json *j, const char *key, const char *id,
          const struct sw_df_outline_need *v, size_t n)
{
        if (!n)
                return;
        open_as(j, key, '[');
        for (size_t i = 0; i < n; i++) {
                open_as(j, NULL, '{');
                put_str(j, id, v[i].name);
                put_true(j, "required", v[i].required);
                put_location(j, v[i].range);
                close_as(j, '}');
        }
        close_as(j, ']');
}

static void
put_args(struct json *j, const struct sw_df_outline *o)
{
        if (!o->n_args)
                return;
        open_as(j, "args", '[');
        for (size_t i = 0; i < o->n_args; i++) {
                open_as(j, NULL, '{');
                put_str(j, "name", o->args[i].name);
                put_some(j, "description", o->args[i].description);
                put_some(j, "value", o->args[i].value);
                put_location(j, o->args[i].range);
                close_as(j, '}');
        }
        close_as(j, ']');
}

void
sw_df_outline_json(const struct sw_df_outline *o, sw_buf *out)
{
        struct json j = { .out = out };

        open_as(&j, NULL, '{');
        put_some(&j, "name", o->name);
        put_some(&j, "description", o->description);
        put_args(&j, o);
        put_needs(&j, "secrets", "name", o->secrets, o->n_secrets);
        put_needs(&j, "ssh", "name", o->ssh, o->n_ssh);
        put_needs(&j, "cache", "ID", o->caches, o->n_caches);
        put_sources(&j, &o->text);
        close_as(&j, '}');
}

static void
put_need_table(const char *heading, const struct sw_df_outline_need *v, size_t n,
               sw_buf *out)
{
        struct sw_df_table t = { .columns = 2, .gap = 3 };

        if (!n)
                return;
        sw_df_table_row(&t, heading, "REQUIRED", NULL);
        for (size_t i = 0; i < n; i++)
                sw_df_table_row(&t, v[i].name, v[i].required ? "true" : "", NULL);
        sw_df_table_end(&t, out);
        sw_buf_addc(out, '\n');
}

static void
put_arg_table(const struct sw_df_outline *o, sw_buf *out)
{
        struct sw_df_table t = { .columns = 3, .gap = 3 };

        if (!o->n_args)
                return;
        sw_df_table_row(&t, "BUILD ARG", "VALUE", "DESCRIPTION");
        for (size_t i = 0; i < o->n_args; i++)
                sw_df_table_row(&t, o->args[i].name, o->args[i].value,
                                o->args[i].description);
        sw_df_table_end(&t, out);
        sw_buf_addc(out, '\n');
}

void
sw_df_outline_text(const struct sw_df_outline *o, sw_buf *out)
{
        struct sw_df_table t = { .columns = 2, .gap = 3 };
        bool named = o->name && *o->name, described = o->description && *o->description;

        if (named || described) {
                sw_df_table_row(&t, "TARGET:", named ? o->name : "(default)", NULL);
                if (described)
                        sw_df_table_row(&t, "DESCRIPTION:", o->description, NULL);
                sw_df_table_end(&t, out);
                sw_buf_addc(out, '\n');
        }
        put_arg_table(o, out);
        put_need_table("SECRET", o->secrets, o->n_secrets, out);
        put_need_table("SSH", o->ssh, o->n_ssh, out);
}

void
sw_df_targets_json(const struct sw_df_targets *t, sw_buf *out)
{
        struct json j = { .out = out };

        open_as(&j, NULL, '{');
        open_as(&j, "targets", '[');
        for (size_t i = 0; i < t->n; i++) {
                const struct sw_df_target *v = &t->v[i];

                open_as(&j, NULL, '{');
                put_some(&j, "name", v->name);
                put_true(&j, "default", v->is_default);
                put_some(&j, "description", v->description);
                put_some(&j, "base", v->base);
                put_some(&j, "platform", v->platform);
                put_location(&j, v->range);
                close_as(&j, '}');
        }
        close_as(&j, ']');
        put_sources(&j, &t->text);
        close_as(&j, '}');
}

void
sw_df_targets_text(const struct sw_df_targets *t, sw_buf *out)
{
        struct sw_df_table table = { .columns = 2, .gap = 3 };

        sw_df_table_row(&table, "TARGET", "DESCRIPTION", NULL);
        for (size_t i = 0; i < t->n; i++) {
                const struct sw_df_target *v = &t->v[i];
                bool named = v->name && *v->name;
                sw_auto(sw_str) name = sw_asprintf("%s%s%s", named ? v->name : "",
                                                   named && v->is_default ? " " : "",
                                                   v->is_default ? "(default)" : "");

                if (*name)
                        sw_df_table_row(&table, name, v->description, NULL);
        }
        sw_df_table_end(&table, out);
}

static const struct question {
        const char *name, *about, *option, *option_about;
} questions[] = {
        { "frontend.outline", "List all parameters current build target supports", "target",
          "Target build stage" },
        { "frontend.targets", "List all targets current build supports", NULL, NULL },
        { "frontend.subrequests.describe", "List available subrequest types", NULL, NULL },
};

static void
put_named(struct json *j, const char *name, const char *about)
{
        open_as(j, NULL, '{');
        put_str(j, "name", name);
        put_str(j, "description", about);
        close_as(j, '}');
}

static void
put_question(struct json *j, const struct question *q)
{
        open_as(j, NULL, '{');
        put_str(j, "name", q->name);
        put_str(j, "version", "1.0.0");
        put_str(j, "type", "rpc");
        put_str(j, "description", q->about);
        if (q->option) {
                open_as(j, "opts", '[');
                put_named(j, q->option, q->option_about);
                close_as(j, ']');
        } else {
                put_null(j, "opts");
        }
        put_null(j, "inputs");
        open_as(j, "metadata", '[');
        put_named(j, "result.json", "");
        put_named(j, "result.txt", "");
        close_as(j, ']');
        put_null(j, "refs");
        close_as(j, '}');
}

void
sw_df_describe_json(sw_buf *out)
{
        struct json j = { .out = out };

        open_as(&j, NULL, '[');
        for (size_t i = 0; i < SW_COUNT(questions); i++)
                put_question(&j, &questions[i]);
        close_as(&j, ']');
}

void
sw_df_describe_text(sw_buf *out)
{
        struct sw_df_table t = { .columns = 3, .gap = 1 };

        sw_df_table_row(&t, "NAME", "VERSION", "DESCRIPTION");
        for (size_t i = 0; i < SW_COUNT(questions); i++)
                sw_df_table_row(&t, questions[i].name + strlen("frontend."), "1.0.0",
                                questions[i].about);
        sw_df_table_end(&t, out);
}
