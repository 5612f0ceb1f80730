/*
 * core/config/load.c - from YAML events to values, led by the table of keys.
 *
 * What is wrong is reported with its place and passed over, so that one run finds all
 * mistakes of a file. Recursion follows the table, and YAML's depth is limited, so the
 * stack is too.
 *
 * Thread: that of the config.
 */
#include <string.h>

#include "core/config/internal.h"

struct loader {
        struct sw__yaml *yaml;
        struct sw__report *report;
        sw_config *into;
        sw_map *entries; /* whole names of the map at hand */
};

static void load_node(struct loader *l, struct sw__node node, const char *path);
static void load_map(struct loader *l, struct sw__val *v, const char *prefix);

/* Report at the event at hand. @err: given. */
static void
complain(struct loader *l, const char *key, sw_err *err)
{
        sw__yaml_complain(l->yaml, key, err);
}

/* The value at hand is of the wrong shape: say so and pass over it. */
static void
wrong_shape(struct loader *l, const char *key, const char *wanted)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        const char *is = e->type == SW__EV_LIST  ? "a list"
                         : e->type == SW__EV_MAP ? "a table of keys"
                         : e->null               ? "nothing"
                                                 : "a single value";

        if (e->type != SW__EV_ALIAS) /* reported already */
                complain(l, key, sw_err_new(SW_E_CONFIG, "must be %s, is %s", wanted, is));
        sw__yaml_skip(l->yaml, key);
}

/*
 * Read the key of the next entry of a table. False at its end or where reading stops.
 * @name: the key, from malloc, or NULL when it is unusable and its value was passed over.
 * @seen: the keys so far, with the line of each.
 */
static bool
next_key(struct loader *l, const char *path, sw_map *seen, char **name)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);

        *name = NULL;
        if (!sw__yaml_next(l->yaml, path) || e->type == SW__EV_END)
                return false;
        if (e->type != SW__EV_SCALAR || memchr(e->text, '\0', e->len)) {
                if (e->type != SW__EV_ALIAS)
                        complain(l, path,
                                 sw_err_new(SW_E_CONFIG, "a key must be plain text"));
                sw__yaml_skip(l->yaml, path);
        } else if (sw_map_has(seen, e->text)) {
                sw_auto(sw_buf) key = SW_BUF_INIT;

                sw_buf_adds(&key, path);
                sw__keypath_add(&key, e->text, false);
                complain(l, key.data,
                         sw_err_new(SW_E_CONFIG, "is given twice; first on line %d",
                                    *(const int *) sw_map_get(seen, e->text)));
        } else {
                sw_map_set(seen, e->text, sw_memdup(&e->line, sizeof(e->line)));
                *name = sw_strdup(e->text);
                return true;
        }
        if (!sw__yaml_next(l->yaml, path))
                return false;
        sw__yaml_skip(l->yaml, path);
        return true;
}

/* One key of a table and its value. */
static void
load_key(struct loader *l, struct sw__node table, const char *path, const char *name)
{
        sw_auto(sw_buf) key = SW_BUF_INIT;
        struct sw__node child;
        bool user = false;
        sw_err *err = SW_OK;

        if (!sw__node_child(table, name, &child, &user))
                err = sw__node_unknown(table, name);
        else if (user)
                err = sw__node_check_name(child, name);

        sw_buf_adds(&key, path);
        sw__keypath_add(&key, name, user && sw__node_kind(child) != SW__NODE_LEAF);
        if (err)
                complain(l, key.data, err);
        else if (user)
                sw__config_name(l->into, path, name);

        struct sw__event_info at = *sw__yaml_event(l->yaml);
        if (!sw__yaml_next(l->yaml, key.data))
                return;
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        if (!err && sw__node_kind(child) == SW__NODE_LEAF && e->null &&
            sw__node_row(child)->type != SW_CONFIG_LIST &&
            sw__node_row(child)->type != SW_CONFIG_MAP)
                sw__report_add(l->report, at.line, at.column, key.data,
                               sw_err_new(SW_E_CONFIG, "has no value; write one or leave "
                                                       "the key out"));
        else if (!err)
                load_node(l, child, key.data);
        else
                sw__yaml_skip(l->yaml, key.data);
}

/* The keys of a table, up to its end. */
static void
load_keys(struct loader *l, struct sw__node node, const char *path)
{
        sw_autoptr(sw_map) seen = sw_map_new(free);
        char *name;

        while (next_key(l, path, seen, &name)) {
                sw_auto(sw_str) owned = name;

                if (owned)
                        load_key(l, node, path, owned);
        }
}

static void
load_table(struct loader *l, struct sw__node node, const char *path)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);

        if (e->type == SW__EV_MAP)
                load_keys(l, node, path);
        else if (!e->null)
                wrong_shape(l, path, "a table of keys");
}

/* Keys that each entry of an array of tables must have. */
static void
check_needed(struct loader *l, struct sw__node item, const char *path, int line, int column)
{
        for (size_t i = item.first; i < item.end; i++) {
                struct sw__node row = { i, i + 1, item.off };
                sw_auto(sw_str) name = sw__node_part(row);
                sw_auto(sw_buf) key = SW_BUF_INIT;

                if (!sw__node_row(row)->needed)
                        continue;
                sw_buf_adds(&key, path);
                sw__keypath_add(&key, name, false);
                if (!sw_map_has(l->into->vals, key.data))
                        sw__report_add(l->report, line, column, path,
                                       sw_err_new(SW_E_CONFIG, "lacks the key %s", name));
        }
}

static void
load_array(struct loader *l, struct sw__node node, const char *path)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        struct sw__node item = sw__node_item(node);

        if (e->type != SW__EV_LIST && !e->null) {
                wrong_shape(l, path, "a list of tables");
                return;
        }
        (void) sw__config_names_of(l->into, path);
        if (e->null)
                return;
        for (size_t i = 0; sw__yaml_next(l->yaml, path) && e->type != SW__EV_END; i++) {
                sw_auto(sw_buf) key = SW_BUF_INIT;
                sw_auto(sw_str) index = sw_asprintf("%zu", i);
                size_t mistakes = l->report->n;
                int line = e->line, column = e->column;

                sw_buf_adds(&key, path);
                sw__keypath_add(&key, index, false);
                sw__config_name(l->into, path, index);
                load_table(l, item, key.data);
                if (l->report->n == mistakes)
                        check_needed(l, item, key.data, line, column);
        }
}

/* Take the scalar at hand as the value, or one item of it. */
static void
take_scalar(struct loader *l, struct sw__val *v)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        sw_err *err = e->null ? sw_err_new(SW_E_CONFIG, "an item has no value")
                              : sw__val_add(v, e->text, e->len, e->style);

        if (err)
                complain(l, v->key, err);
}

static void
load_list(struct loader *l, struct sw__val *v)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);

        while (sw__yaml_next(l->yaml, v->key) && e->type != SW__EV_END) {
                if (e->type == SW__EV_SCALAR)
                        take_scalar(l, v);
                else
                        wrong_shape(l, v->key, "a list of single values");
        }
}

/*
 * The value at hand of the entry @name of a map. In a tree, tables and lists below it
 * become further entries with dotted names; libyaml's depth limit bounds the recursion.
 */
static void
load_entry(struct loader *l, struct sw__val *v, const char *name)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        bool tree = v->row->check == SW__CHECK_TREE;

        if (e->type == SW__EV_SCALAR && !e->null) {
                sw_err *err = sw_map_set(l->entries, name, v)
                                      ? sw__val_add_pair(v, name, e->text, e->len, e->style)
                                      : sw_err_new(SW_E_CONFIG, "has two entries that come "
                                                                "to the same name");

                if (err)
                        complain(l, v->key, err);
        } else if (tree && e->type == SW__EV_MAP) {
                sw_auto(sw_str) prefix = sw_asprintf("%s.", name);

                load_map(l, v, prefix);
        } else if (tree && e->type == SW__EV_LIST) {
                for (size_t i = 0; sw__yaml_next(l->yaml, v->key) && e->type != SW__EV_END;
                     i++) {
                        sw_auto(sw_str) item = sw_asprintf("%s.%zu", name, i);

                        load_entry(l, v, item);
                }
        } else {
                wrong_shape(l, v->key, "a table of names and single values");
        }
}

/* The entries of a map. @prefix: of the names, in a tree; "" otherwise. */
static void
load_map(struct loader *l, struct sw__val *v, const char *prefix)
{
        sw_autoptr(sw_map) seen = sw_map_new(free);
        char *name;

        while (next_key(l, v->key, seen, &name)) {
                sw_auto(sw_str) owned = name;

                if (!owned)
                        continue;
                if (!sw__yaml_next(l->yaml, v->key))
                        return;
                sw_auto(sw_str) whole = sw_asprintf("%s%s", prefix, owned);
                load_entry(l, v, whole);
        }
}

static const char *
shape_of(const struct sw__val *v)
{
        if (v->row->check == SW__CHECK_OPTION)
                return "a single value or a list of them";
        if (v->type == SW_CONFIG_LIST)
                return "a list ([VALUE, …] or lines of - VALUE)";
        if (v->type == SW_CONFIG_MAP)
                return "a table of names and values";
        return "a single value";
}

static void
load_leaf(struct loader *l, const struct sw__config_key *row, const char *path)
{
        const struct sw__event_info *e = sw__yaml_event(l->yaml);
        struct sw__val *v = sw__val_new(row, path, SW_FROM_FILE, l->report->name);
        sw_autoptr(sw_map) entries = sw_map_new(NULL);
        size_t mistakes = l->report->n;
        bool many = row->type == SW_CONFIG_LIST || row->type == SW_CONFIG_MAP;

        l->entries = entries;
        v->line = e->line;
        v->column = e->column;
        if (row->check == SW__CHECK_OPTION && e->type == SW__EV_LIST)
                v->type = SW_CONFIG_LIST;

        if (v->type == SW_CONFIG_LIST && e->type == SW__EV_LIST)
                load_list(l, v);
        else if (v->type == SW_CONFIG_MAP && e->type == SW__EV_MAP)
                load_map(l, v, "");
        else if (!many && e->type == SW__EV_SCALAR)
                take_scalar(l, v);
        else if (!many || !e->null)
                wrong_shape(l, path, shape_of(v));

        bool single = v->type != SW_CONFIG_LIST && v->type != SW_CONFIG_MAP;
        if (l->report->n > mistakes || (single && v->items.n == 0)) {
                sw__val_free(v);
                return;
        }
        sw__val_finish(v);
        sw__config_put(l->into, v);
}

/* What begins with the event at hand is the value of @path. */
static void
load_node(struct loader *l, struct sw__node node, const char *path)
{
        switch (sw__node_kind(node)) {
        case SW__NODE_LEAF: load_leaf(l, sw__node_row(node), path); break;
        case SW__NODE_ARRAY: load_array(l, node, path); break;
        default: load_table(l, node, path); break;
        }
}

void
sw__config_read(sw_config *into, const char *text, size_t len, struct sw__report *r)
{
        sw_autoptr(sw__yaml) yaml = sw__yaml_new(text, len, r);
        struct loader l = { .yaml = yaml, .report = r, .into = into };

        if (!sw__yaml_begin(yaml))
                return;
        load_table(&l, sw__node_root(), "");
        sw__yaml_finish(yaml);
}
