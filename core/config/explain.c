/*
 * core/config/explain.c - every key, its value and where that came from.
 *
 * Thread: any; nothing is written.
 */
#include <string.h>

#include "core/config/internal.h"

struct walk {
        const sw_config *c;
        void (*fn)(void *arg, const struct sw_config_value *v);
        void *arg;
};

static void walk_node(const struct walk *w, struct sw__node node, const char *path);

/* Describe the key of @row at @key; @v: its value, or NULL. */
static void
describe(const struct sw__config_key *row, const char *key, const struct sw__val *v,
         struct sw_config_value *out)
{
        bool dflt = !v && row->dflt && sw__row_is_dynamic(row);

        *out = (struct sw_config_value){
                .key = v ? v->key : key,
                .type = v ? v->type : row->type,
                .text = v      ? v->text
                        : dflt ? row->dflt
                               : "",
                .origin = v ? v->origin : SW_FROM_DEFAULT,
                .where = v ? v->where : "",
                .line = v ? v->line : 0,
                .column = v ? v->column : 0,
                .set = v || dflt,
                .help = row->help,
        };
}

bool
sw_config_value(const sw_config *c, const char *key, struct sw_config_value *out)
{
        sw_auto(sw__target) t = { 0 };
        sw_err *err = sw__target_resolve(&t, key, false);

        if (err) {
                sw_err_drop(err, "the answer is no");
                return false;
        }
        if (sw__node_kind(t.node) != SW__NODE_LEAF)
                return false;

        const struct sw__val *v = sw_map_get(c->vals, t.path.data);
        const char *entry = t.entry && v ? sw__val_entry(v, t.entry) : NULL;
        describe(sw__node_row(t.node), key, v, out);
        if (t.entry) {
                out->key = key;
                out->type = SW_CONFIG_STRING;
                out->text = entry ? entry : "";
                out->set = entry != NULL;
        }
        return true;
}

/* A key, or all below it. */
static void
walk_child(const struct walk *w, struct sw__node child, const char *path, const char *part,
           bool user)
{
        sw_auto(sw_buf) key = SW_BUF_INIT;
        struct sw_config_value value;

        sw_buf_adds(&key, path);
        sw__keypath_add(&key, part, user);
        if (sw__node_kind(child) != SW__NODE_LEAF) {
                walk_node(w, child, key.data);
                return;
        }
        describe(sw__node_row(child), key.data, sw_map_get(w->c->vals, key.data), &value);
        w->fn(w->arg, &value);
}

/* The names or indexes that are there. */
static void
walk_names(const struct walk *w, struct sw__node child, const char *path, bool user)
{
        const sw_map *names = sw_map_get(w->c->names, path);

        if (!names)
                return;
        struct sw_map_iter it = SW_MAP_ITER(names);
        while (sw_map_next(&it))
                walk_child(w, child, path, it.key, user);
}

static void
walk_node(const struct walk *w, struct sw__node node, const char *path)
{
        struct sw__node child = { 0 };

        while (sw__node_next(node, &child)) {
                struct sw__node here = { child.first, child.end, node.off };
                sw_auto(sw_str) part = sw__node_part(here);

                if (sw__node_fixed(node, child))
                        walk_child(w, child, path, part, false);
                else
                        walk_names(w, child, path,
                                   sw__node_kind(here) == SW__NODE_NAMED &&
                                           sw__node_kind(child) != SW__NODE_LEAF);
        }
}

void
sw_config_each(const sw_config *c, void (*fn)(void *arg, const struct sw_config_value *v),
               void *arg)
{
        struct walk w = { c, fn, arg };

        walk_node(&w, sw__node_root(), "");
}
