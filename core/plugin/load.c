/*
 * core/plugin/load.c - make plugins ready, all or one, and look them up.
 *
 * The configuration has the last word: a plugin it calls required and that is not ready is
 * an error, and so are options for a plugin that is not there. Everything else that is
 * broken stays aside.
 *
 * Threads: any, under the host's lock.
 */
#include <assert.h>
#include <string.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

enum { ID_SHOWN = 100 }; /* bytes of a key that may be anything */

/* Error for what is wrong with an entry of "plugins": at its first option where it has
 * one. */
static sw_err *
config_error(const sw_host *h, const char *id, const char *what)
{
        sw_auto(sw_buf) place = SW_BUF_INIT;
        size_t n = 0;
        const struct sw_config_option *o = sw_config_plugin(h->config, id, &n);

        if (n > 0) {
                sw__option_place(&place, id, &o[0]);
        } else {
                sw_buf_adds(&place, "plugins.");
                sw_buf_add_quoted(&place, id, strlen(id), ID_SHOWN);
        }
        return sw_err_new(SW_E_CONFIG, "%s: %s", place.data, what);
}

/* A key below "plugins" that is not "kind/name". */
static sw_err *
config_bad_id(const sw_host *h, const char *id)
{
        const char *kinds[SW_KIND_COUNT - 1], *near;
        sw_auto(sw_str) kind = sw_strndup(id, strcspn(id, "/"));
        sw_auto(sw_str) what = NULL;

        for (unsigned k = 1; k < SW_KIND_COUNT; k++)
                kinds[k - 1] = sw_kind_name(k);
        near = sw_near(kind, kinds, SW_COUNT(kinds));
        if (near && strcmp(near, kind) != 0)
                what = sw_asprintf("not a plugin: no such kind (did you mean %s/?)", near);
        else
                what = sw_strdup(
                        "not a plugin: KIND/NAME is wanted, such as exporter/image");
        return config_error(h, id, what);
}

/* Whether what the configuration says of one plugin makes sense here. */
static sw_err *
config_check_one(const sw_host *h, const char *id)
{
        const char *slash = strchr(id, '/');
        sw_auto(sw_str) kind_text = sw_strndup(id, strcspn(id, "/"));
        unsigned kind = sw_kind_parse(kind_text);
        const struct sw__module *m;
        bool required;
        size_t n = 0;

        if (!slash || !kind || !sw__plugin_name_ok(slash + 1))
                return config_bad_id(h, id);
        m = sw__host_known(h, kind, slash + 1);
        (void) sw_config_plugin(h->config, id, &n);
        required = sw_config_plugin_required(h->config, id);
        /* The wishes for a plugin are looked up by its own name, never by another. */
        if (m && strcmp(m->id, id) != 0 &&
            (n > 0 || required || !sw_config_plugin_enabled(h->config, id))) {
                sw_auto(sw_str) what =
                        sw_asprintf("provided by %s: write this below plugins.\"%s\"",
                                    m->id, m->id);
                return config_error(h, id, what);
        }
        if (m)
                return SW_OK;

        sw_auto(sw_str) missing = sw__missing_text(h, kind, slash + 1);
        if (required)
                return sw_err_new(SW_E_NOT_FOUND, "%s, and the configuration requires it",
                                  missing);
        return n > 0 ? config_error(h, id, missing) : SW_OK;
}

static sw_err *
check_config_locked(const sw_host *h)
{
        sw_auto(sw_strlist) ids = { 0 };

        if (h->config)
                sw_config_names(h->config, "plugins", &ids);
        for (size_t i = 0; i < ids.n; i++) {
                sw_err *err = config_check_one(h, ids.v[i]);

                if (err)
                        return err;
        }
        return SW_OK;
}

sw_err *
sw_host_check_config(const sw_host *h)
{
        sw_err *err;

        sw__host_lock(h);
        err = check_config_locked(h);
        sw__host_unlock(h);
        return err;
}

/* The reason of the first required plugin that can no longer become ready. */
static sw_err *
required_check(const sw_host *h)
{
        for (size_t i = 0; h->config && i < h->modules.n; i++) {
                const struct sw__module *m = h->modules.v[i];

                if (m->info.fault == SW_FAULT_DUPLICATE || !m->kind ||
                    !sw_config_plugin_required(h->config, m->id))
                        continue;
                if (m->info.state == SW_PLUGIN_BROKEN)
                        return sw_err_copy(m->err);
                if (m->info.state == SW_PLUGIN_DISABLED)
                        return sw_err_new(SW_E_CONFIG,
                                          "plugins.\"%s\": both required and "
                                          "switched off",
                                          m->id);
        }
        return SW_OK;
}

static void
log_broken(const sw_host *h)
{
        for (size_t i = 0; i < h->modules.n; i++) {
                const struct sw_plugin_info *p = &h->modules.v[i]->info;

                if (p->state == SW_PLUGIN_BROKEN)
                        sw_log_line(h->log, SW_LOG_WARN, h->modules.v[i]->id, "%s: %s",
                                    p->file, p->reason);
        }
}

static sw_err *
load_locked(sw_host *h)
{
        sw_err *err;

        if (h->loaded)
                return SW_OK;
        err = sw_host_scan(h);
        if (!err)
                err = check_config_locked(h);
        if (!err)
                err = required_check(h);
        for (size_t i = 0; i < h->modules.n && !err; i++) {
                sw__order_init(h, h->modules.v[i]);
                err = required_check(h);
        }
        h->loaded = !err;
        log_broken(h);
        return err;
}

sw_err *
sw_host_load(sw_host *h)
{
        sw_err *err;

        sw__host_lock(h);
        err = load_locked(h);
        sw__host_unlock(h);
        return err;
}

/* Why a module that was found cannot be used; SW_OK when it can. */
static sw_err *
module_error(const struct sw__module *m)
{
        switch (m->info.state) {
        case SW_PLUGIN_READY: return SW_OK;
        case SW_PLUGIN_BROKEN: return sw_err_copy(m->err);
        case SW_PLUGIN_DISABLED:
                return sw_err_new(SW_E_CONFIG, "plugin %s is %s: plugins.\"%s\".enabled",
                                  m->id, m->info.reason, m->id);
        default:
                return sw_err_new(SW_E_INTERNAL, "plugin %s was found but not loaded",
                                  m->id);
        }
}

static sw_err *
missing_error(const sw_host *h, unsigned kind, const char *name)
{
        sw_auto(sw_str) text = sw__missing_text(h, kind, name);

        return sw_err_new(SW_E_NOT_FOUND, "%s", text);
}

static sw_err *
require_locked(sw_host *h, unsigned kind, const char *name)
{
        struct sw__module *m = sw__host_ensure(h, kind, name);

        if (!m)
                return missing_error(h, kind, name);
        sw__order_check(h, m);
        sw__order_init(h, m);
        return module_error(m);
}

sw_err *
sw_host_require(sw_host *h, unsigned kind, const char *name)
{
        sw_err *err;

        sw__host_lock(h);
        err = require_locked(h, kind, name);
        sw__host_unlock(h);
        return err;
}

static sw_err *
lookup_locked(const sw_host *h, unsigned kind, const char *name,
              const struct sw_ops_hdr **ops, void **self)
{
        const struct sw__module *m = sw__host_known(h, kind, name);
        sw_err *err;

        if (!m)
                return missing_error(h, kind, name);
        err = module_error(m);
        if (err)
                return err;
        if (ops)
                *ops = m->desc.ops;
        if (self)
                *self = m->self;
        return SW_OK;
}

sw_err *
sw_host_lookup(const sw_host *h, unsigned kind, const char *name,
               const struct sw_ops_hdr **ops, void **self)
{
        sw_err *err;

        sw__host_lock(h);
        err = lookup_locked(h, kind, name, ops, self);
        sw__host_unlock(h);
        return err;
}
