/*
 * core/config/plugin.c - options of plugins, by plugin.
 *
 * Options are values like others; the host wants them as one array per plugin. The
 * arrays borrow from the values and are made anew whenever values changed.
 *
 * Thread: made by that of the config, read by any.
 */
#include <assert.h>
#include <string.h>

#include "core/config/internal.h"

struct options {
        SW_ARRAY(struct sw_config_option) list;
        sw_strlist names; /* what list's names borrow */
};

void
sw__plugin_options_free(void *options)
{
        struct options *o = options;

        if (!o)
                return;
        sw_array_release(&o->list);
        sw_strlist_release(&o->names);
        free(o);
}

static void
add_option(sw_config *c, const struct sw__val *v)
{
        sw_auto(sw_strlist) parts = { 0 };
        sw_err *err = sw__keypath_split(v->key, &parts);

        assert(!err && parts.n == 3); /* plugins, KIND/NAME, OPTION */
        if (err)
                return;

        struct options *o = sw_map_get(c->plugins, parts.v[1]);
        if (!o) {
                o = sw_new(struct options);
                sw_map_set(c->plugins, parts.v[1], o);
        }
        sw_strlist_add(&o->names, parts.v[2]);
        sw_array_push(&o->list, (struct sw_config_option){
                                        .name = o->names.v[o->names.n - 1],
                                        .values = (const char *const *) v->items.v,
                                        .n_values = v->items.n,
                                        .is_list = v->type == SW_CONFIG_LIST,
                                        .where = v->where,
                                        .line = v->line,
                                        .column = v->column,
                                });
}

void
sw__config_index_plugins(sw_config *c)
{
        struct sw_map_iter it = SW_MAP_ITER(c->vals);

        sw_map_free(c->plugins);
        c->plugins = sw_map_new(sw__plugin_options_free);
        while (sw_map_next(&it)) {
                const struct sw__val *v = it.value;

                if (v->row->check == SW__CHECK_OPTION)
                        add_option(c, v);
        }
}

const struct sw_config_option *
sw_config_plugin(const sw_config *c, const char *kind_slash_name, size_t *n)
{
        const struct options *o = sw_map_get(c->plugins, kind_slash_name);

        *n = o ? o->list.n : 0;
        return o ? o->list.v : NULL;
}

static bool
plugin_flag(const sw_config *c, const char *kind_slash_name, const char *flag)
{
        sw_auto(sw_str) key =
                sw_config_key("plugins", kind_slash_name, flag, (char *) NULL);

        return sw_config_bool(c, key);
}

bool
sw_config_plugin_enabled(const sw_config *c, const char *kind_slash_name)
{
        return plugin_flag(c, kind_slash_name, "enabled");
}

bool
sw_config_plugin_required(const sw_config *c, const char *kind_slash_name)
{
        return plugin_flag(c, kind_slash_name, "required");
}
