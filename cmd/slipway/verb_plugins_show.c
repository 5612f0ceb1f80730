/*
 * cmd/slipway/verb_plugins_show.c - `slipway plugins show KIND/NAME`: one plugin with its
 * options and the values in force. Thread: main.
 */
#include <string.h>
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/plugins.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

static const char *
option_type_name(enum sw_option_type type)
{
        switch (type) {
        case SW_OPT_STRING: return "string";
        case SW_OPT_BOOL: return "bool";
        case SW_OPT_INT: return "int";
        case SW_OPT_SIZE: return "size";
        case SW_OPT_DURATION: return "duration";
        case SW_OPT_LIST: return "list";
        }
        return "unknown";
}

static sw_err *
unknown_kind(const char *kind, size_t len)
{
        const char *names[SW_KIND_COUNT];
        sw_auto(sw_str) copy = sw_strndup(kind, len);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_strlist) all = { 0 };

        for (unsigned k = 1; k < SW_KIND_COUNT; k++) {
                names[k - 1] = sw_kind_name(k);
                sw_strlist_add(&all, names[k - 1]);
        }
        const char *near = sw_near(copy, names, SW_KIND_COUNT - 1);
        sw_buf_add_quoted(&b, kind, len, 64);
        sw_buf_adds(&b, " is not a kind of plugin");
        if (near)
                return sw_err_new(SW_E_USAGE, "%s; did you mean %s?", b.data, near);
        sw_auto(sw_str) list = sw_strlist_join(&all, ", ");
        return sw_err_new(SW_E_USAGE, "%s; the kinds are %s", b.data, list);
}

/* Take "KIND/NAME" apart. @name: borrowed from @text. */
static sw_err *
parse_id(const char *text, unsigned *kind, const char **name)
{
        const char *slash = strchr(text, '/');

        if (!slash || slash == text || !slash[1]) {
                sw_auto(sw_buf) b = SW_BUF_INIT;
                sw_buf_add_quoted(&b, text, strlen(text), 64);
                return sw_err_new(SW_E_USAGE, "%s is not KIND/NAME, such as exporter/image",
                                  b.data);
        }
        sw_auto(sw_str) word = sw_strndup(text, (size_t) (slash - text));
        *kind = sw_kind_parse(word);
        if (*kind == 0)
                return unknown_kind(text, (size_t) (slash - text));
        *name = slash + 1;
        return SW_OK;
}

/* The value the configuration gives to an option: the option, or NULL. */
static const struct sw_config_option *
configured(const sw_config *config, const struct sw_plugin_info *info, const char *option)
{
        sw_auto(sw_str) id = sw_asprintf("%s/%s", sw_kind_name(info->kind), info->name);
        size_t n = 0;
        const struct sw_config_option *o = sw_config_plugin(config, id, &n);

        for (size_t i = 0; i < n; i++)
                if (strcmp(o[i].name, option) == 0)
                        return &o[i];
        return NULL;
}

static char *
value_text(const struct sw_config_option *o)
{
        sw_auto(sw_strlist) values = { 0 };

        for (size_t i = 0; i < o->n_values; i++)
                sw_strlist_add(&values, o->values[i]);
        return sw_strlist_join(&values, ", ");
}

static char *
value_origin(const struct sw_config_option *o)
{
        if (o->line > 0)
                return sw_asprintf("%s:%d:%d", o->where, o->line, o->column);
        return sw_strdup(o->where);
}

/* ---- JSON ---- */

static sw_json *
option_json(const sw_config *config, const struct sw_plugin_info *info,
            const struct sw_option *opt)
{
        const struct sw_config_option *set = configured(config, info, opt->name);
        sw_json *o = json_object();

        json_object_set_new(o, "name", json_text(opt->name));
        json_object_set_new(o, "type", json_text(option_type_name(opt->type)));
        json_object_set_new(o, "default", opt->dflt ? json_text(opt->dflt) : json_null());
        json_object_set_new(o, "help", json_text(opt->help ? opt->help : ""));
        if (set) {
                sw_auto(sw_str) origin = value_origin(set);
                sw_json *values = json_array();
                for (size_t i = 0; i < set->n_values; i++)
                        json_array_append_new(values, json_text(set->values[i]));
                json_object_set_new(o, "values", values);
                json_object_set_new(o, "from", json_text(origin));
        }
        return o;
}

static sw_err *
print_json(const sw_config *config, const struct sw_plugin_info *info)
{
        const struct sw_plugin *d = plugin_descriptor(info);
        sw_json *o = plugin_json(info);
        sw_json *provides = json_array(), *needs = json_array(), *options = json_array();

        for (const char *const *s = d ? d->provides : NULL; s && *s; s++)
                json_array_append_new(provides, json_text(*s));
        for (const struct sw_need *n = d ? d->needs : NULL; n && n->kind; n++) {
                sw_auto(sw_str) id = plugin_id(n->kind, n->name);
                json_array_append_new(needs, json_text(id));
        }
        for (const struct sw_option *p = d ? d->options : NULL; p && p->name; p++)
                json_array_append_new(options, option_json(config, info, p));
        json_object_set_new(o, "provides", provides);
        json_object_set_new(o, "needs", needs);
        json_object_set_new(o, "options", options);
        return out_json(o);
}

/* ---- text ---- */

static void
add_pair(table *t, const char *name, const char *value)
{
        if (!*value)
                return;
        table_add(t, name);
        table_add(t, value);
}

static void
add_facts(sw_buf *out, const struct sw_plugin_info *info, size_t width)
{
        static const char *const heads[] = { "", "", NULL };
        const struct sw_plugin *d = plugin_descriptor(info);
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_strlist) provides = { 0 }, needs = { 0 };
        sw_auto(sw_str) abi = plugin_abi(info);

        for (const char *const *s = d ? d->provides : NULL; s && *s; s++)
                sw_strlist_take(&provides, plugin_id(info->kind, *s));
        for (const struct sw_need *n = d ? d->needs : NULL; n && n->kind; n++)
                sw_strlist_take(&needs, plugin_id(n->kind, n->name));
        sw_auto(sw_str) provides_text = sw_strlist_join(&provides, ", ");
        sw_auto(sw_str) needs_text = sw_strlist_join(&needs, ", ");
        t.no_heads = t.wrap = true;
        add_pair(&t, "Version:", info->version);
        add_pair(&t, "ABI:", abi);
        add_pair(&t, "File:", info->file);
        add_pair(&t, "State:", sw_plugin_state_name(info->state));
        add_pair(&t, "Reason:", info->reason);
        add_pair(&t, "Provides:", provides_text);
        add_pair(&t, "Needs:", needs_text);
        table_print(&t, out, width, false);
}

static void
add_option(table *t, const sw_config *config, const struct sw_plugin_info *info,
           const struct sw_option *opt)
{
        const struct sw_config_option *set = configured(config, info, opt->name);

        table_add(t, opt->name);
        table_add(t, option_type_name(opt->type));
        table_add(t, opt->dflt ? opt->dflt : "-");
        if (set) {
                sw_auto(sw_str) value = value_text(set);
                sw_auto(sw_str) origin = value_origin(set);
                table_add(t, value);
                table_add(t, origin);
        } else {
                table_add(t, opt->dflt ? opt->dflt : "-");
                table_add(t, opt->dflt ? "default" : "-");
        }
        table_note(t, opt->help ? opt->help : "");
}

static sw_err *
print_text(const sw_config *config, const struct sw_plugin_info *info)
{
        static const char *const heads[] = { "OPTION", "TYPE", "DEFAULT",
                                             "VALUE",  "FROM", NULL };
        const struct sw_plugin *d = plugin_descriptor(info);
        size_t width = term_width(STDOUT_FILENO);
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(sw_str) id = plugin_id(info->kind, info->name);

        term_add_text(&out, id);
        sw_buf_adds(&out, " - ");
        term_add_text(&out, info->summary);
        sw_buf_adds(&out, "\n\n");
        add_facts(&out, info, width);
        for (const struct sw_option *o = d ? d->options : NULL; o && o->name; o++)
                add_option(&t, config, info, o);
        sw_buf_addc(&out, '\n');
        if (t.cells.n > 0)
                table_print(&t, &out, width, false);
        else
                sw_buf_adds(&out, "It has no options.\n");
        return out_text(&out);
}

static sw_err *
run_show(const struct cli_call *call)
{
        sw_auto(plugins) p = PLUGINS_INIT;
        unsigned kind = 0;
        const char *name = NULL;
        sw_err *err = parse_id(cli_argument(call, 0), &kind, &name);

        if (!err)
                err = plugins_open(&p, call);
        if (err)
                return err;
        sw_err *loading = sw_host_load(p.host);
        const struct sw_plugin_info *info = sw_host_find(p.host, kind, name);
        if (!info) {
                err = sw_host_lookup(p.host, kind, name, NULL, NULL);
                sw_err_drop(loading, "that the plugin asked for is missing comes first");
                return err;
        }
        err = cli_bool(call, "json") ? print_json(p.config, info)
                                     : print_text(p.config, info);
        if (!err)
                return loading;
        sw_err_drop(loading, "nobody can read what was loaded");
        return err;
}

static const struct cli_flag show_flags[] = {
        { .name = "json", .type = CLI_BOOL, .help = "print a JSON object" },
        { .name = NULL },
};

static const struct cli_arg show_args[] = {
        { .name = "KIND/NAME",
          .min = 1,
          .max = 1,
          .complete = CLI_PLUGINS,
          .help = "the plugin, such as exporter/image" },
        { .name = NULL },
};

CLI_VERB(plugins_show) = {
        .name = "plugins show",
        .summary = "show one plugin: its options with types, defaults, help and values",
        .details = "A value comes from below plugins in the configuration:\n"
                   "\n"
                   "    plugins:\n"
                   "      exporter/image:\n"
                   "        compression: zstd\n"
                   "\n"
                   "The object of --json has the members of \"slipway plugins --json\" and "
                   "provides, needs and options.\n",
        .flags = show_flags,
        .args = show_args,
        .run = run_show,
};
