/*
 * cmd/slipway/setup.c - see setup.h. Thread: main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/environ.h"
#include "cmd/slipway/setup.h"
#include "core/config/schema.h"

/* ---- configuration ---- */

char *
setup_config_file(const struct cli_call *call)
{
        const char *path = cli_str(call, "config"), *env = getenv("SLIPWAY_CONFIG");

        if (path)
                return sw_strdup(path);
        if (env && *env)
                return sw_strdup(env);
        return sw__config_default_path();
}

sw_err *
setup_load_file(sw_config *config, const char *path, bool required)
{
        sw_err *err = sw_config_load(config, path, required);

        if (!err || sw_err_code(err) == SW_E_CONFIG || sw_err_code(err) == SW_E_NOMEM)
                return err;
        sw_err *wrong = sw_err_new(SW_E_CONFIG, "%s", sw_err_message(err));
        sw_err_drop(err, "a file that cannot be read is wrong configuration too");
        return wrong;
}

static sw_err *
load_file(const struct cli_call *call, sw_config *config)
{
        const char *env = getenv("SLIPWAY_CONFIG");
        bool named = cli_given(call, "config") || (env && *env);
        sw_auto(sw_str) path = setup_config_file(call);
        sw_err *err = path ? setup_load_file(config, path, named) : SW_OK;

        if (named && !cli_given(call, "config"))
                return sw_err_wrap(err, "SLIPWAY_CONFIG");
        return err;
}

static sw_err *
take_flags(const struct cli_call *call, sw_config *config)
{
        static const struct {
                const char *flag, *key, *where;
        } flags[] = {
                { "root", "root", "--root" },
                { "log-level", "log.level", "--log-level" },
                { "log-format", "log.format", "--log-format" },
        };

        if (cli_bool(call, "debug")) {
                sw_err *err = sw_config_set(config, "log.level", "debug", SW_FROM_FLAG,
                                            "--debug");
                if (err)
                        return err;
        }
        for (size_t i = 0; i < SW_COUNT(flags); i++) {
                const char *value = cli_str(call, flags[i].flag);
                if (!value)
                        continue;
                sw_err *err = sw_config_set(config, flags[i].key, value, SW_FROM_FLAG,
                                            flags[i].where);
                if (err)
                        return err;
        }
        return SW_OK;
}

void
setup_warn_environment(const struct cli_call *call)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        environ_add_unknown(&out, call->program, (const char *const *) environ);
        (void) fwrite(out.data, 1, out.len, stderr);
}

sw_err *
setup_config(const struct cli_call *call, sw_config **out)
{
        sw_autoptr(sw_config) config = sw_config_new();
        setup_warn_environment(call);
        sw_err *err = load_file(call, config);
        if (!err)
                err = sw_config_load_env(config, (const char *const *) environ);
        if (!err)
                err = take_flags(call, config);
        if (!err)
                *out = sw_steal(config);
        return err;
}

sw_err *
setup_log(const sw_config *config, sw_log **out)
{
        const char *name = sw_config_str(config, "log.level");
        const char *format = sw_config_str(config, "log.format");
        enum sw_log_level level = SW_LOG_INFO;

        if (name && *name) {
                sw_err *err = sw_log_level_parse(name, &level);
                if (err)
                        return sw_err_wrap(err, "log.level");
        }
        if (sw_config_bool(config, "debug") && level < SW_LOG_DEBUG)
                level = SW_LOG_DEBUG;
        if (sw_config_bool(config, "trace"))
                level = SW_LOG_TRACE;
        *out = sw_log_new(STDERR_FILENO, level,
                          sw_str_eq(format, "json") ? SW_LOG_JSON : SW_LOG_TEXT);
        return SW_OK;
}
