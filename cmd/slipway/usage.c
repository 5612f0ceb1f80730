/*
 * cmd/slipway/usage.c - see usage.h. Thread: main.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/setup.h"
#include "cmd/slipway/term.h"
#include "cmd/slipway/usage.h"

/* ---- the root ---- */

sw_err *
store_open(store *s, const struct cli_call *call, bool read_only)
{
        struct stat st;
        sw_err *err = plugins_open(&s->plugins, call);

        if (!err && !s->plugins.log)
                err = setup_log(s->plugins.config, &s->plugins.log);
        if (err)
                return err;
        const char *path = sw_config_str(s->plugins.config, "root");
        if (!path)
                return sw_err_new(SW_E_CONFIG, "no root: give --root DIR");
        sw_auto(sw_str) version = sw_path_join(path, "VERSION");
        if (stat(version, &st) < 0 && errno == ENOENT)
                return SW_OK; /* nothing is stored; none is made to say so */
        const struct sw_root_opts opts = {
                .path = path,
                .host = s->plugins.host, /* the snapshotter is the one that is in use */
                .log = s->plugins.log,
                .read_only = read_only,
        };
        return sw__root_open(&opts, &s->root);
}

void
store_release(store *s)
{
        sw__root_close(s->root);
        plugins_release(&s->plugins);
}

/* ---- how to look ---- */

/* Members are those of usage_json(). */
static const struct template_field fields[] = { { "ID", "id" },
                                                { "Mutable", "mutable" },
                                                { "InUse", "inUse" },
                                                { "Size", "size" },
                                                { "CreatedAt", "createdAt" },
                                                { "LastUsedAt", "lastUsedAt" },
                                                { "UsageCount", "usageCount" },
                                                { "Parents", "parents" },
                                                { "Description", "description" },
                                                { "RecordType", "recordType" },
                                                { "Shared", "shared" },
                                                { NULL, NULL } };

static sw_err *
read_filter(const struct cli_call *call, sw_filter **out)
{
        sw_auto(sw_strlist) exprs = { 0 };

        if (!cli_given(call, "filter"))
                return SW_OK;
        cli_list(call, "filter", &exprs);
        sw_err *err = sw__filter_new(&exprs, out);
        if (!err)
                return SW_OK;
        sw_err *usage = sw_err_new(SW_E_USAGE, "--filter: %s", sw_err_message(err));
        sw_err_drop(err, "told as a mistake of the command line");
        return usage;
}

sw_err *
usage_look_read(const struct cli_call *call, usage_look *out)
{
        const char *format = cli_str(call, "format");
        sw_err *err = read_filter(call, &out->filter);

        if (!err && format && *format)
                err = template_parse(format, fields, &out->format);
        out->verbose = cli_bool(call, "verbose");
        return err;
}

void
usage_look_release(usage_look *l)
{
        sw__filter_free(l->filter);
        template_free(l->format);
}

/* ---- records as JSON ---- */

static sw_json *
time_json(int64_t ns)
{
        char text[SW_TIME_STR_SIZE];

        return ns ? json_string(sw_time_str(ns, text)) : json_null();
}

sw_json *
usage_json(const struct sw_usage *u)
{
        sw_json *o = json_object(), *parents = json_null();

        if (u->parents && u->parents->n) {
                parents = json_array();
                for (size_t i = 0; i < u->parents->n; i++)
                        json_array_append_new(parents, json_text(u->parents->v[i]));
        }
        json_object_set_new(o, "id", json_text(u->id));
        json_object_set_new(o, "mutable", json_boolean(u->is_mutable));
        json_object_set_new(o, "inUse", json_boolean(u->in_use));
        json_object_set_new(o, "size", json_integer(u->size));
        json_object_set_new(o, "createdAt", time_json(u->created));
        json_object_set_new(o, "lastUsedAt", time_json(u->last_used));
        json_object_set_new(o, "usageCount", json_integer(u->usage_count));
        json_object_set_new(o, "parents", parents);
        json_object_set_new(o, "description", json_text(u->description));
        json_object_set_new(o, "recordType", json_text(u->type));
        json_object_set_new(o, "shared", json_boolean(u->shared));
        return o;
}

/* ---- columns ---- */

void
tabs_add(tabs *t, ...)
{
        const char *cell;
        size_t n = 0;
        va_list ap;

        va_start(ap, t);
        for (; (cell = va_arg(ap, const char *)); n++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                term_add_text(&b, cell);
                sw_strlist_take(&t->cells, sw_buf_detach(&b));
        }
        va_end(ap);
        sw_array_push(&t->rows, n);
}

/* Width of column @col: a place more than its widest cell, up to the next tab stop. */
static size_t
column_width(const tabs *t, size_t col)
{
        size_t width = 0, first = 0;

        for (size_t r = 0; r < t->rows.n; r++) {
                if (col + 1 < t->rows.v[r]) {
                        const size_t n = term_len(t->cells.v[first + col]);

                        width = n + 1 > width ? n + 1 : width;
                }
                first += t->rows.v[r];
        }
        return (width + 7) / 8 * 8;
}

void
tabs_print(tabs *t, sw_buf *out)
{
        size_t widths[8] = { 0 }, at = 0;

        for (size_t c = 0; c < SW_COUNT(widths); c++)
                widths[c] = column_width(t, c);
        for (size_t r = 0; r < t->rows.n; r++) {
                for (size_t c = 0; c < t->rows.v[r]; c++, at++) {
                        size_t n = term_len(t->cells.v[at]);

                        sw_buf_adds(out, t->cells.v[at]);
                        for (;
                             c + 1 < t->rows.v[r] && c < SW_COUNT(widths) && n < widths[c];
                             n = n / 8 * 8 + 8)
                                sw_buf_addc(out, '\t');
                }
                sw_buf_addc(out, '\n');
        }
        tabs_release(t);
}

void
tabs_release(tabs *t)
{
        sw_strlist_release(&t->cells);
        sw_array_release(&t->rows);
}

/* ---- records as text ---- */

void
usage_add_head(tabs *t)
{
        tabs_add(t, "ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED", NULL);
}

void
usage_add_row(tabs *t, const struct sw_usage *u)
{
        char size[32];
        sw_auto(sw_str) id = sw_asprintf("%s%s", u->id, u->is_mutable ? "*" : "");
        sw_auto(sw_str) padded = sw_asprintf("%-71s", id);
        sw_auto(sw_str) text =
                sw_asprintf("%s%s", sw_size_str(u->size, size), u->shared ? "*" : "");

        tabs_add(t, padded, u->in_use ? "false      " : "true       ", text, "", NULL);
}

/* "2026-11-21 08:30:00.25 +0000 UTC" */
static char *
go_time(int64_t ns)
{
        char text[SW_TIME_STR_SIZE];
        char *t;

        (void) sw_time_str(ns, text);
        t = strchr(text, 'T');
        if (t)
                *t = ' ';
        return sw_asprintf("%.*s +0000 UTC", (int) strcspn(text, "Z"), text);
}

void
usage_add_verbose(sw_buf *out, const struct sw_usage *u)
{
        sw_auto(tabs) t = { 0 };
        char size[32];
        sw_auto(sw_str) created = go_time(u->created);
        sw_auto(sw_str) used = go_time(u->last_used);
        sw_auto(sw_str) count = sw_asprintf("%lld", (long long) u->usage_count);

        tabs_add(&t, "ID:", u->id, NULL);
        if (u->parents && u->parents->n) {
                sw_auto(sw_str) parents = sw_strlist_join(u->parents, ";");

                tabs_add(&t, "Parents:", parents, NULL);
        }
        tabs_add(&t, "Created at:", created, NULL);
        tabs_add(&t, "Mutable:", u->is_mutable ? "true" : "false", NULL);
        tabs_add(&t, "Reclaimable:", u->in_use ? "false" : "true", NULL);
        tabs_add(&t, "Shared:", u->shared ? "true" : "false", NULL);
        tabs_add(&t, "Size:", sw_size_str(u->size, size), NULL);
        if (*u->description)
                tabs_add(&t, "Description:", u->description, NULL);
        tabs_add(&t, "Usage count:", count, NULL);
        if (u->last_used)
                tabs_add(&t, "Last used:", used, NULL);
        if (*u->type)
                tabs_add(&t, "Type:", u->type, NULL);
        tabs_print(&t, out);
        sw_buf_addc(out, '\n');
}
