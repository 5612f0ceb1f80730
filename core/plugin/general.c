/*
 * core/plugin/general.c - what the general configuration says that a plugin has an option
 * for: worker.oci and dns speak of the executor, whichever it is.
 *
 * An executor that declares an option of one of these names gets what is set there, unless
 * its own entry below "plugins" says otherwise. Defaults are the plugin's.
 * Thread: as the host's.
 */
#include <string.h>

#include "core/plugin/host_priv.h"

static const struct general {
        const char *option, *key;
} generals[] = {
        { "binary", "worker.oci.binary" },
        { "network", "worker.oci.networkMode" },
        { "cgroup-parent", "worker.oci.defaultCgroupParent" },
        { "apparmor-profile", "worker.oci.apparmor-profile" },
        { "selinux", "worker.oci.selinux" },
        { "no-process-sandbox", "worker.oci.noProcessSandbox" },
        { "nameservers", "dns.nameservers" },
        { "dns-options", "dns.options" },
        { "dns-search", "dns.searchDomains" },
};

static bool
is_declared(const struct sw_option *decl, const char *name)
{
        for (; decl && decl->name; decl++)
                if (strcmp(decl->name, name) == 0)
                        return true;
        return false;
}

static bool
is_given(const struct sw_config_option *given, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(given[i].name, name) == 0)
                        return true;
        return false;
}

static void
add(const struct general *g, const sw_config *config, struct sw__given *out)
{
        struct sw_config_value v;
        struct sw_config_option o = { .name = g->option };

        if (!sw_config_value(config, g->key, &v) || !v.set || v.origin == SW_FROM_DEFAULT)
                return;
        if (v.type == SW_CONFIG_LIST) {
                const sw_strlist *l = sw_config_list(config, g->key);

                o.is_list = true;
                o.values = (const char *const *) l->v;
                o.n_values = l->n;
        } else {
                out->text[out->n_texts] = v.text;
                o.values = &out->text[out->n_texts++];
                o.n_values = 1;
        }
        o.where = v.where;
        o.line = v.line;
        o.column = v.column;
        out->v[out->n++] = o;
}

void
sw__given_make(unsigned kind, const char *id, const struct sw_option *decl,
               const sw_config *config, struct sw__given *out)
{
        size_t n = 0;
        const struct sw_config_option *own =
                config ? sw_config_plugin(config, id, &n) : NULL;

        *out = (struct sw__given){ .n = n };
        out->v = sw_alloc_array(n + SW_COUNT(generals), sizeof(*out->v));
        out->text = sw_alloc_array(SW_COUNT(generals), sizeof(*out->text));
        if (n)
                memcpy(out->v, own, n * sizeof(*own));
        for (size_t i = 0; config && kind == SW_KIND_EXECUTOR && i < SW_COUNT(generals);
             i++)
                if (is_declared(decl, generals[i].option) &&
                    !is_given(own, n, generals[i].option))
                        add(&generals[i], config, out);
}

void
sw__given_release(struct sw__given *g)
{
        free(g->v);
        free((void *) g->text);
}
