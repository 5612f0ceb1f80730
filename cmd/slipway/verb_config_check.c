/*
 * cmd/slipway/verb_config_check.c - `slipway config check [FILE]`. Thread: main.
 */
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/plugins.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/setup.h"
#include "cmd/slipway/term.h"

/* Add to @b, one a line, what plugins say about their options. */
static void
add_option_faults(sw_buf *b, const sw_host *host)
{
        for (size_t i = 0; i < sw_host_count(host); i++) {
                const struct sw_plugin_info *info = sw_host_get(host, i);
                if (info->fault == SW_FAULT_OPTION_TYPE ||
                    info->fault == SW_FAULT_OPTION_UNKNOWN)
                        sw_buf_addf(b, "%s%s", b->len ? "\n" : "", info->reason);
        }
}

/* Options are known only to the plugins: open them, without initialising any. */
static sw_err *
check_options(const struct cli_call *call, const sw_config *config)
{
        sw_autoptr(sw_host) host = NULL;
        sw_auto(sw_buf) faults = SW_BUF_INIT;
        sw_err *err = plugins_host(call, config, NULL, &host);

        if (!err)
                err = sw_host_scan(host);
        if (!err)
                err = sw_host_check_config(host);
        if (err)
                return err;
        add_option_faults(&faults, host);
        return faults.len ? sw_err_new(SW_E_CONFIG, "%s", faults.data) : SW_OK;
}

static sw_err *
run_check(const struct cli_call *call)
{
        sw_autoptr(sw_config) config = sw_config_new();
        sw_auto(sw_str) in_force = setup_config_file(call);
        const char *path = cli_argument(call, 0);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        if (!path)
                path = in_force;
        if (!path)
                return sw_err_new(SW_E_USAGE, "FILE is missing, and there is no home "
                                              "directory to look for one in");
        setup_warn_environment(call);
        sw_err *err = setup_load_file(config, path, true);
        if (!err && !cli_bool(call, "no-plugins"))
                err = check_options(call, config);
        if (err)
                return err;
        term_add_text(&out, path);
        sw_buf_adds(&out, ": no mistakes\n");
        return out_text(&out);
}

static const struct cli_flag check_flags[] = {
        { .name = "no-plugins",
          .type = CLI_BOOL,
          .help = "do not check the options of plugins, which needs the plugins here" },
        { .name = NULL },
};

static const struct cli_arg check_args[] = {
        { .name = "FILE",
          .min = 0,
          .max = 1,
          .complete = CLI_FILES,
          .help = "the file to check; without it, the one that would be used" },
        { .name = NULL },
};

CLI_VERB(config_check) = {
        .name = "config check",
        .summary = "check a configuration file",
        .details = "Every mistake is one line with file, line, column, the key, and the "
                   "nearest key there is. Exit status 2 when there is any.\n",
        .flags = check_flags,
        .args = check_args,
        .run = run_check,
};
