/*
 * core/config/merge.c - laying one set of values over another.
 *
 * Whatever the order of calls, the later origin wins: a file that is read after a flag
 * was set does not change what the flag said. Within one origin the later call wins.
 * Single values and lists are replaced whole, maps entry by entry, and a list of tables
 * is replaced whole.
 *
 * Thread: that of the config. Merging cannot fail, so a config is changed wholly or not
 * at all.
 */
#include <string.h>

#include "core/config/internal.h"

static bool
is_array(const char *path)
{
        sw_auto(sw__target) t = { 0 };
        sw_err *err = sw__target_resolve(&t, path, false);

        if (err) {
                sw_err_drop(err, "no such table, so no array");
                return false;
        }
        return sw__node_kind(t.node) == SW__NODE_ARRAY;
}

/* Whether @key is one of @arrays or below one. Dots inside quotes make no path that is
 * there, so they need no care. */
static bool
is_within(const char *key, const sw_map *arrays)
{
        for (const char *dot = strchr(key, '.'); dot; dot = strchr(dot + 1, '.')) {
                if (sw_map_get_bytes(arrays, key, (size_t) (dot - key)))
                        return true;
        }
        return sw_map_get(arrays, key) != NULL;
}

static void
drop_within(sw_map *from, const sw_map *arrays)
{
        struct sw_map_iter it = SW_MAP_ITER(from);

        while (sw_map_next(&it)) {
                if (is_within(it.key, arrays))
                        sw_map_remove(from, it.key);
        }
}

/* Forget the arrays of tables that @over brings anew. */
static void
drop_arrays(sw_config *c, const sw_config *over)
{
        sw_autoptr(sw_map) arrays = sw_map_new(NULL);
        struct sw_map_iter it = SW_MAP_ITER(over->names);

        while (sw_map_next(&it)) {
                if (is_array(it.key))
                        sw_map_set(arrays, it.key, arrays);
        }
        if (sw_map_count(arrays) == 0)
                return;
        drop_within(c->vals, arrays);
        drop_within(c->names, arrays);
}

static void
merge_names(sw_config *c, const sw_config *over)
{
        struct sw_map_iter tables = SW_MAP_ITER(over->names);

        while (sw_map_next(&tables)) {
                struct sw_map_iter names = SW_MAP_ITER(tables.value);

                (void) sw__config_names_of(c, tables.key);
                while (sw_map_next(&names))
                        sw__config_name(c, tables.key, names.key);
        }
}

/* Give @winner the entries of @loser that it lacks. */
static void
merge_entries(struct sw__val *winner, const struct sw__val *loser)
{
        const struct sw__val *from[] = { loser, winner };
        sw_autoptr(sw_map) entries = sw_map_new(NULL);
        sw_strlist items = { 0 };

        for (size_t f = 0; f < SW_COUNT(from); f++) {
                const sw_strlist *l = &from[f]->items;

                for (size_t i = 0; i + 1 < l->n; i += 2)
                        sw_map_set(entries, l->v[i], l->v[i + 1]);
        }
        struct sw_map_iter it = SW_MAP_ITER(entries);
        while (sw_map_next(&it)) {
                sw_strlist_add(&items, it.key);
                sw_strlist_add(&items, it.value);
        }
        sw_strlist_release(&winner->items);
        winner->items = items;
        sw__val_finish(winner);
}

/* @v: given. */
static void
merge_value(sw_config *c, struct sw__val *v)
{
        struct sw__val *old = sw_map_get(c->vals, v->key);
        bool wins = !old || v->origin >= old->origin;

        if (old && v->type == SW_CONFIG_MAP)
                merge_entries(wins ? v : old, wins ? old : v);
        if (wins)
                sw__config_put(c, v);
        else
                sw__val_free(v);
}

void
sw__config_merge(sw_config *c, sw_config *over)
{
        struct sw_map_iter it = SW_MAP_ITER(over->vals);

        drop_arrays(c, over);
        merge_names(c, over);
        while (sw_map_next(&it))
                merge_value(c, sw_map_take(over->vals, it.key));
        sw_config_free(over);
        sw__config_index_plugins(c);
}
