/*
 * cmd/slipway/plugins.c - see plugins.h. Thread: main.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cmd/slipway/plugins.h"
#include "cmd/slipway/setup.h"

/* A directory of the search path may be absent, but not one that was just asked for. */
static sw_err *
check_dirs(const sw_strlist *dirs)
{
        for (size_t i = 0; i < dirs->n; i++) {
                struct stat st;
                int err = stat(dirs->v[i], &st) != 0 ? errno
                          : S_ISDIR(st.st_mode)      ? 0
                                                     : ENOTDIR;
                if (err)
                        return sw_err_sys(SW_E_USAGE, err, "--plugin-dir %s", dirs->v[i]);
        }
        return SW_OK;
}

sw_err *
plugins_host(const struct cli_call *call, const sw_config *config, sw_log *log,
             sw_host **out)
{
        sw_auto(sw_strlist) dirs = { 0 };

        cli_list(call, "plugin-dir", &dirs);
        sw_err *err = check_dirs(&dirs);
        if (err)
                return err;
        sw_strlist_take(&dirs, NULL);
        struct sw_host_opts opts = {
                .dirs = (const char *const *) dirs.v,
                .path = getenv("SLIPWAY_PLUGIN_PATH"),
                .config = config,
                .log = log,
        };
        return sw_host_new(&opts, out);
}

sw_err *
plugins_open(plugins *p, const struct cli_call *call)
{
        bool logged = cli_bool(call, "debug") || cli_given(call, "log-level");
        sw_err *err = setup_config(call, &p->config);

        if (!err && logged)
                err = setup_log(p->config, &p->log);
        if (!err)
                err = plugins_host(call, p->config, p->log, &p->host);
        return err;
}

void
plugins_release(plugins *p)
{
        if (p->host)
                sw_host_free(p->host);
        if (p->log)
                sw_log_free(p->log);
        if (p->config)
                sw_config_free(p->config);
        *p = (plugins) PLUGINS_INIT;
}

char *
plugin_id(unsigned kind, const char *name)
{
        const char *kind_name = sw_kind_name(kind);

        return sw_asprintf("%s/%s", kind_name ? kind_name : "unknown", name);
}

char *
plugin_abi(const struct sw_plugin_info *info)
{
        if (info->abi_major == 0)
                return sw_strdup("");
        return sw_asprintf("%u.%u", info->abi_major, info->abi_minor);
}

sw_json *
plugin_json(const struct sw_plugin_info *info)
{
        sw_auto(sw_str) abi = plugin_abi(info);
        const char *kind = sw_kind_name(info->kind);
        bool faulty = info->fault != SW_FAULT_NONE;
        sw_json *o = json_object();

        json_object_set_new(o, "kind", json_text(kind ? kind : ""));
        json_object_set_new(o, "name", json_text(info->name));
        json_object_set_new(o, "version", json_text(info->version));
        json_object_set_new(o, "abi", json_text(abi));
        json_object_set_new(o, "file", json_text(info->file));
        json_object_set_new(o, "state", json_text(sw_plugin_state_name(info->state)));
        json_object_set_new(o, "fault",
                            json_text(faulty ? sw_plugin_fault_name(info->fault) : ""));
        json_object_set_new(o, "reason", json_text(info->reason));
        json_object_set_new(o, "summary", json_text(info->summary));
        return o;
}

const struct sw_plugin *
plugin_descriptor(const struct sw_plugin_info *info)
{
        switch (info->fault) {
        case SW_FAULT_BAD_DESCRIPTOR:
        case SW_FAULT_NO_DESCRIPTOR:
        case SW_FAULT_ABI_MAJOR: return NULL;
        default: return info->descriptor;
        }
}
