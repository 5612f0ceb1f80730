/*
 * cmd/slipway/verb_config_explain.c - `slipway config explain`: every key in force, its
 * value, and where the value came from. Thread: main.
 */
#include <string.h>
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/program.h"
#include "cmd/slipway/setup.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

/* What sw_config_each() carries along; one of @t and @json is used. */
struct explain {
        bool changed; /* leave out defaults and what is not set */
        table *t;
        sw_json *json;
};

static const char *
origin_name(enum sw_config_origin origin)
{
        switch (origin) {
        case SW_FROM_DEFAULT: return "default";
        case SW_FROM_FILE: return "file";
        case SW_FROM_ENV: return "environment";
        case SW_FROM_FLAG: return "flag";
        }
        return "unknown";
}

/* Where exactly: "FILE:LINE:COLUMN", the variable, the flag, or "default". */
static char *
place(const struct sw_config_value *v)
{
        if (!v->set)
                return sw_strdup("not set");
        if (v->origin == SW_FROM_DEFAULT)
                return sw_strdup("default");
        if (v->line > 0)
                return sw_asprintf("%s:%d:%d", v->where, v->line, v->column);
        return sw_strdup(v->where);
}

static void
add_json(sw_json *list, const struct sw_config_value *v)
{
        sw_json *o = json_object();

        json_object_set_new(o, "key", json_text(v->key));
        json_object_set_new(o, "value", v->set ? json_text(v->text) : json_null());
        json_object_set_new(o, "origin",
                            json_text(v->set ? origin_name(v->origin) : "not set"));
        json_object_set_new(o, "where", json_text(v->set ? v->where : ""));
        if (v->set && v->line > 0) {
                json_object_set_new(o, "line", json_integer(v->line));
                json_object_set_new(o, "column", json_integer(v->column));
        }
        json_object_set_new(o, "help", json_text(v->help ? v->help : ""));
        json_array_append_new(list, o);
}

static void
add_value(void *arg, const struct sw_config_value *v)
{
        struct explain *e = arg;

        if (e->changed && (!v->set || v->origin == SW_FROM_DEFAULT))
                return;
        if (e->json) {
                add_json(e->json, v);
                return;
        }
        sw_auto(sw_str) from = place(v);
        table_add(e->t, v->key);
        table_add(e->t, v->set ? v->text : "-");
        table_add(e->t, from);
}

static sw_err *
run_explain(const struct cli_call *call)
{
        static const char *const heads[] = { "KEY", "VALUE", "FROM", NULL };
        sw_autoptr(sw_config) config = NULL;
        sw_auto(table) t = TABLE_INIT(heads);
        struct explain e = { .changed = cli_bool(call, "changed"), .t = &t };
        sw_err *err = setup_config(call, &config);

        if (err)
                return err;
        if (cli_bool(call, "json"))
                e.json = json_array();
        sw_config_each(config, add_value, &e);
        if (e.json)
                return out_json(e.json);
        sw_auto(sw_buf) out = SW_BUF_INIT;
        if (t.cells.n > 0)
                table_print(&t, &out, term_width(STDOUT_FILENO), false);
        else
                sw_buf_adds(&out, "Everything is at its default.\n");
        return out_text(&out);
}

static const struct cli_flag explain_flags[] = {
        { .name = "json",
          .type = CLI_BOOL,
          .help = "print a JSON array with one object per key" },
        { .name = "changed",
          .type = CLI_BOOL,
          .help = "leave out what is at its default or not set" },
        { .name = NULL },
};

CLI_VERB(config_explain) = {
        .name = "config explain",
        .summary = "show every key in force, its value and where it came from",
        .flags = explain_flags,
        .run = run_explain,
};
