/*
 * cmd/slipway/verb_plugins.c - `slipway plugins`: which plugins there are, and why one of
 * them cannot be used. Loads and initialises them all, as a build would.
 * Thread: main.
 */
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/plugins.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

static void
add_row(table *t, const struct sw_plugin_info *info)
{
        sw_auto(sw_str) abi = plugin_abi(info);
        const char *kind = sw_kind_name(info->kind);
        enum table_style style = TABLE_PLAIN;

        if (info->state == SW_PLUGIN_READY)
                style = TABLE_GOOD;
        if (info->state == SW_PLUGIN_BROKEN)
                style = TABLE_BAD;
        table_add(t, kind ? kind : "-");
        table_add(t, *info->name ? info->name : "-");
        table_add(t, *info->version ? info->version : "-");
        table_add(t, *abi ? abi : "-");
        table_add_styled(t, sw_plugin_state_name(info->state), style);
        table_add(t, info->file);
        if (*info->reason)
                table_note(t, info->reason);
}

/* Nothing found deserves to be told where it was looked for. */
static void
add_no_plugins(const sw_host *host, sw_buf *out)
{
        sw_auto(sw_strlist) dirs = { 0 };

        sw_host_dirs(host, &dirs);
        sw_buf_adds(out, "No plugins found in:\n");
        for (size_t i = 0; i < dirs.n; i++) {
                sw_buf_adds(out, "    ");
                term_add_text(out, dirs.v[i]);
                sw_buf_addc(out, '\n');
        }
}

static sw_err *
print_table(const sw_host *host)
{
        static const char *const heads[] = { "KIND",  "NAME", "VERSION", "ABI",
                                             "STATE", "FILE", NULL };
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < sw_host_count(host); i++)
                add_row(&t, sw_host_get(host, i));
        if (sw_host_count(host) == 0)
                add_no_plugins(host, &out);
        else
                table_print(&t, &out, term_width(STDOUT_FILENO),
                            term_colour(STDOUT_FILENO));
        return out_text(&out);
}

static sw_err *
print_json(const sw_host *host)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < sw_host_count(host); i++)
                json_array_append_new(list, plugin_json(sw_host_get(host, i)));
        return out_json(list);
}

/* KIND/NAME a line, for completion and scripts. */
static sw_err *
print_names(const sw_host *host)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < sw_host_count(host); i++) {
                const struct sw_plugin_info *info = sw_host_get(host, i);
                if (!*info->name || !sw_kind_name(info->kind) ||
                    sw_host_find(host, info->kind, info->name) != info)
                        continue; /* a name it may not have */
                sw_buf_addf(&out, "%s/", sw_kind_name(info->kind));
                term_add_text(&out, info->name);
                sw_buf_addc(&out, '\n');
        }
        return out_text(&out);
}

/* What was found is printed also when loading failed: it shows why. */
static sw_err *
run_plugins(const struct cli_call *call)
{
        sw_auto(plugins) p = PLUGINS_INIT;
        sw_err *err = plugins_open(&p, call);

        if (err)
                return err;
        sw_err *loading = sw_host_load(p.host);
        if (cli_bool(call, "json"))
                err = print_json(p.host);
        else if (cli_bool(call, "quiet"))
                err = print_names(p.host);
        else
                err = print_table(p.host);
        if (!err)
                return loading;
        sw_err_drop(loading, "nobody can read what was loaded");
        return err;
}

static const struct cli_flag plugins_flags[] = {
        { .name = "json",
          .type = CLI_BOOL,
          .help = "print a JSON array with one object per plugin" },
        { .name = "quiet",
          .letter = 'q',
          .type = CLI_BOOL,
          .help = "print only KIND/NAME of each plugin" },
        { .name = NULL },
};

CLI_VERB(plugins) = {
        .name = "plugins",
        .summary = "list the plugins, and say why one cannot be used",
        .details =
                "Every plugin of the search path is loaded and initialised. A plugin is "
                "ready, broken, or disabled by the configuration; one that is broken is "
                "listed with the reason and does not stop the others, unless the "
                "configuration calls it required.\n"
                "\n"
                "Directories are searched in this order: --plugin-dir, "
                "SLIPWAY_PLUGIN_PATH, "
                "pluginDirs of the configuration, then the directory plugins are installed "
                "to. Of two plugins of one name the first one found counts.\n"
                "\n"
                "The objects of --json have the members kind, name, version, abi, file, "
                "state, fault, reason and summary, all of them strings; those that are not "
                "known are empty. The member fault is one of: unreadable, not-a-module, "
                "unresolved, no-descriptor, bad-descriptor, abi-major, abi-minor, "
                "duplicate, unmet-need, need-cycle, option-type, option-unknown, "
                "init-failed.\n",
        .flags = plugins_flags,
        .run = run_plugins,
};
