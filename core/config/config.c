/*
 * core/config/config.c - the configuration object: reading, setting, getting.
 *
 * Whatever changes a config first fills an empty one and then merges it, so that a
 * mistake leaves the config as it was.
 *
 * Thread: one fills it; then any may read. Invariant: each value in vals is filed under
 * the path that its row and the user's names make, and each of those names is in names.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "core/config/internal.h"

static void
free_names(void *names)
{
        sw_map_free(names);
}

sw_config *
sw__config_empty(void)
{
        sw_config *c = sw_new(sw_config);

        c->vals = sw_map_new(sw__val_free);
        c->names = sw_map_new(free_names);
        c->plugins = sw_map_new(sw__plugin_options_free);
        return c;
}

sw_config *
sw_config_new(void)
{
        sw_config *c = sw__config_empty();

        sw__config_defaults(c);
        return c;
}

void
sw_config_free(sw_config *c)
{
        if (!c)
                return;
        sw_map_free(c->plugins); /* borrows from vals */
        sw_map_free(c->vals);
        sw_map_free(c->names);
        free(c);
}

void
sw__config_put(sw_config *c, struct sw__val *v)
{
        sw_map_set(c->vals, v->key, v);
}

sw_map *
sw__config_names_of(sw_config *c, const char *path)
{
        sw_map *names = sw_map_get(c->names, path);

        if (!names) {
                names = sw_map_new(NULL);
                sw_map_set(c->names, path, names);
        }
        return names;
}

void
sw__config_name(sw_config *c, const char *path, const char *name)
{
        static char present;

        sw_map_set(sw__config_names_of(c, path), name, &present);
}

/* ---- reading ---- */

/* Merge what was read, or give back what was wrong. @fresh: given. */
static sw_err *
commit(sw_config *c, sw_config *fresh, struct sw__report *r)
{
        sw_err *err = sw__report_take(r);

        if (err)
                sw_config_free(fresh);
        else
                sw__config_merge(c, fresh);
        return err;
}

sw_err *
sw_config_load_text(sw_config *c, const char *name, const char *text, size_t len)
{
        struct sw__report r = { .name = name, .lines = SW_BUF_INIT };
        sw_config *fresh = sw__config_empty();

        sw__config_read(fresh, text, len, &r);
        return commit(c, fresh, &r);
}

sw_err *
sw_config_load(sw_config *c, const char *path, bool required)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, path, SW__CONFIG_MAX_SIZE);

        if (sw_err_code(err) == SW_E_NOT_FOUND && !required) {
                sw_err_drop(err, "it need not be there");
                return SW_OK;
        }
        if (sw_err_code(err) == SW_E_LIMIT) {
                struct sw__report r = { .name = path, .lines = SW_BUF_INIT };

                sw_err_drop(err, "said below as a mistake of the file");
                sw__report_too_large(&r);
                return sw__report_take(&r);
        }
        if (err)
                return sw_err_wrap(err, "read configuration");
        return sw_config_load_text(c, path, text.data, text.len);
}

/* ---- environment and flags ---- */

static const char *
env_get(const char *const *env, const char *name)
{
        size_t len = strlen(name);

        for (; *env; env++) {
                if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
                        return *env + len + 1;
        }
        return NULL;
}

/* The value of a row from its variable; lists are separated by commas. */
static sw_err *
value_from_env(const struct sw__config_key *row, const char *text, struct sw__val **out)
{
        struct sw__val *v = sw__val_new(row, row->path, SW_FROM_ENV, row->env);
        sw_auto(sw_strlist) items = { 0 };
        sw_err *err = SW_OK;

        if (row->type == SW_CONFIG_LIST)
                sw_strlist_split(&items, text, ',');
        else
                sw_strlist_add(&items, text);
        for (size_t i = 0; !err && i < items.n; i++)
                err = sw__val_add(v, items.v[i], strlen(items.v[i]), SW__ARGUMENT);
        if (err) {
                sw__val_free(v);
                return err;
        }
        sw__val_finish(v);
        *out = v;
        return SW_OK;
}

sw_err *
sw_config_load_env(sw_config *c, const char *const *env)
{
        struct sw__report r = { .lines = SW_BUF_INIT };
        sw_config *fresh = sw__config_empty();
        size_t n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        for (size_t i = 0; i < n; i++) {
                const char *text = rows[i].env ? env_get(env, rows[i].env) : NULL;
                struct sw__val *v;
                sw_err *err;

                if (!text || !*text) /* set to nothing counts as unset */
                        continue;
                r.name = rows[i].env;
                err = value_from_env(&rows[i], text, &v);
                if (err)
                        sw__report_add(&r, 0, 0, rows[i].path, err);
                else
                        sw__config_put(fresh, v);
        }
        return commit(c, fresh, &r);
}

/* Add "NAME=VALUE" to a map. */
static sw_err *
add_pair_from(struct sw__val *v, const char *value)
{
        const char *eq = strchr(value, '=');

        if (!eq || eq == value)
                return sw_err_new(SW_E_CONFIG, "must be NAME=VALUE");

        sw_auto(sw_str) name = sw_strndup(value, (size_t) (eq - value));
        return sw__val_add_pair(v, name, eq + 1, strlen(eq + 1), SW__ARGUMENT);
}

/* Whether a value is one more of @old: given before in the same place. */
static bool
goes_on(const struct sw__val *old, enum sw_config_origin origin, const char *where)
{
        return old && old->origin == origin && strcmp(old->where, where) == 0 &&
               (old->type == SW_CONFIG_LIST || old->row->check == SW__CHECK_OPTION);
}

static sw_err *
set_value(sw_config *c, const struct sw__target *t, struct sw__val *v, const char *value)
{
        const struct sw__val *old = sw_map_get(c->vals, t->path.data);

        if (t->entry)
                return sw__val_add_pair(v, t->entry, value, strlen(value), SW__ARGUMENT);
        if (v->type == SW_CONFIG_MAP)
                return add_pair_from(v, value);
        if (goes_on(old, v->origin, v->where)) {
                v->type = SW_CONFIG_LIST;
                for (size_t i = 0; i < old->items.n; i++)
                        sw_strlist_add(&v->items, old->items.v[i]);
        }
        return sw__val_add(v, value, strlen(value), SW__ARGUMENT);
}

/* Fill @fresh with the one value. */
static sw_err *
set_in(sw_config *c, sw_config *fresh, const char *key, const char *value,
       enum sw_config_origin origin, const char *where)
{
        sw_auto(sw__target) t = { 0 };
        sw_err *err = sw__target_resolve(&t, key, true);

        if (err)
                return err;
        if (t.in_array || sw__node_kind(t.node) == SW__NODE_ARRAY)
                return sw_err_new(SW_E_CONFIG,
                                  "a list of tables can be set in a file only");
        if (sw__node_kind(t.node) != SW__NODE_LEAF)
                return sw_err_new(SW_E_CONFIG, "is a table of keys; name one of them");

        struct sw__val *v = sw__val_new(sw__node_row(t.node), t.path.data, origin, where);
        err = set_value(c, &t, v, value);
        if (err) {
                sw__val_free(v);
                return err;
        }
        sw__val_finish(v);
        sw__config_put(fresh, v);
        for (size_t i = 0; i + 1 < t.names.n; i += 2)
                sw__config_name(fresh, t.names.v[i], t.names.v[i + 1]);
        return SW_OK;
}

sw_err *
sw_config_set(sw_config *c, const char *key, const char *value,
              enum sw_config_origin origin, const char *where)
{
        struct sw__report r = { .name = where, .lines = SW_BUF_INIT };
        sw_config *fresh = sw__config_empty();
        sw_err *err = set_in(c, fresh, key, value, origin, where);

        if (err)
                sw__report_add(&r, 0, 0, key, err);
        return commit(c, fresh, &r);
}

/* ---- getting ---- */

struct found {
        const struct sw__config_key *row; /* NULL: no such key */
        const struct sw__val *val;        /* NULL: unset */
        const char *entry;                /* value of the entry that was asked for */
        bool is_entry;
};

static struct found
find(const sw_config *c, const char *key)
{
        sw_auto(sw__target) t = { 0 };
        struct found f = { .val = sw_map_get(c->vals, key) };

        if (f.val) {
                f.row = f.val->row;
                return f;
        }
        sw_err *err = sw__target_resolve(&t, key, false);
        if (err) {
                sw_err_drop(err, "row says it");
                return f;
        }
        if (sw__node_kind(t.node) != SW__NODE_LEAF)
                return f;
        f.row = sw__node_row(t.node);
        f.val = sw_map_get(c->vals, t.path.data);
        f.is_entry = t.entry != NULL;
        if (f.is_entry && f.val)
                f.entry = sw__val_entry(f.val, t.entry);
        return f;
}

/* The default of a key below a name of the user's own; those have no value filed. */
static const char *
dynamic_default(struct found f)
{
        return f.row && sw__row_is_dynamic(f.row) ? f.row->dflt : NULL;
}

/* Whether a table is there: one with names of the user's own, or one so named. */
static bool
has_table(const sw_config *c, const char *key)
{
        sw_auto(sw__target) t = { 0 };
        sw_err *err = sw__target_resolve(&t, key, false);

        if (err) {
                sw_err_drop(err, "the answer is no");
                return false;
        }
        if (!t.ends_in_name)
                return sw_map_has(c->names, t.path.data);
        const sw_map *names = sw_map_get(c->names, t.names.v[t.names.n - 2]);
        return names && sw_map_has(names, t.names.v[t.names.n - 1]);
}

bool
sw_config_has(const sw_config *c, const char *key)
{
        struct found f = find(c, key);

        if (!f.row)
                return has_table(c, key);
        return f.is_entry ? f.entry != NULL : f.val || dynamic_default(f);
}

const char *
sw_config_str(const sw_config *c, const char *key)
{
        struct found f = find(c, key);

        assert(f.row && (f.row->type == SW_CONFIG_STRING || f.is_entry));
        if (f.is_entry)
                return f.entry;
        return f.val && f.val->items.n > 0 ? f.val->items.v[0] : dynamic_default(f);
}

bool
sw_config_bool(const sw_config *c, const char *key)
{
        struct found f = find(c, key);

        assert(f.row && f.row->type == SW_CONFIG_BOOL);
        return f.val ? f.val->num != 0 : sw_str_eq(dynamic_default(f), "true");
}

int64_t
sw_config_int(const sw_config *c, const char *key)
{
        struct found f = find(c, key);

        assert(f.row &&
               (f.row->type == SW_CONFIG_INT || f.row->type == SW_CONFIG_DURATION));
        return f.val ? f.val->num : 0;
}

const sw_strlist *
sw_config_list(const sw_config *c, const char *key)
{
        static const sw_strlist none = { 0 };
        struct found f = find(c, key);

        assert(f.row &&
               (f.row->type == SW_CONFIG_LIST || f.row->check == SW__CHECK_OPTION));
        return f.val ? &f.val->items : &none;
}

int64_t
sw_config_diskspace(const sw_config *c, const char *key, int64_t disk_total)
{
        struct found f = find(c, key);

        assert(f.row && f.row->type == SW_CONFIG_DISKSPACE);
        if (!f.val)
                return 0;
        if (!f.val->percent)
                return f.val->num;
        return disk_total / 100 * f.val->num + disk_total % 100 * f.val->num / 100;
}

void
sw_config_names(const sw_config *c, const char *key, sw_strlist *out)
{
        struct found f = find(c, key);
        sw_auto(sw__target) t = { 0 };

        if (f.val && f.val->type == SW_CONFIG_MAP && !f.is_entry) {
                for (size_t i = 0; i + 1 < f.val->items.n; i += 2)
                        sw_strlist_add(out, f.val->items.v[i]);
                return;
        }
        sw_err *err = sw__target_resolve(&t, key, false);
        const sw_map *names = err ? NULL : sw_map_get(c->names, t.path.data);
        if (err)
                sw_err_drop(err, "nothing is below it");
        if (!names)
                return;
        struct sw_map_iter it = SW_MAP_ITER(names);
        while (sw_map_next(&it))
                sw_strlist_add(out, it.key);
}

char *
sw_config_key(const char *part, ...)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;
        va_list ap;

        va_start(ap, part);
        for (; part; part = va_arg(ap, const char *))
                sw__keypath_add(&path, part, false);
        va_end(ap);
        return sw_buf_detach(&path);
}
