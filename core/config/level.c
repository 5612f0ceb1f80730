/*
 * core/config/level.c - walking the table of keys part by part.
 *
 * A place in the table is a run of rows that share a prefix, so that nothing is built at
 * start: the table itself is the tree. Rows that share a prefix stand together.
 *
 * Thread: any; nothing is written.
 */
#include <string.h>

#include <slipway/plugin.h>

#include "core/config/internal.h"

static const struct sw__config_key *
row_at(size_t i)
{
        size_t n;

        return &sw__config_schema(&n)[i];
}

/* Length of the first part of @p: up to its dot, which quotes and <> may hold too. */
static size_t
part_len(const char *p)
{
        if (*p == '"')
                return (size_t) (strchr(p + 1, '"') - p) + 1;
        if (*p == '<')
                return (size_t) (strchr(p + 1, '>') - p) + 1;
        return strcspn(p, ".");
}

static const char *
part_at(struct sw__node n, size_t row)
{
        return row_at(row)->path + n.off;
}

/* Whether the part at @p, of the table, is written @name. */
static bool
part_is(const char *p, const char *name)
{
        size_t len = part_len(p);

        if (*p == '<' || *p == '[')
                return false;
        if (*p == '"') {
                p++;
                len -= 2;
        }
        return strlen(name) == len && memcmp(p, name, len) == 0;
}

/* The rows from @row on that share the part at n.off. */
static struct sw__node
child_from(struct sw__node n, size_t row)
{
        const char *part = part_at(n, row);
        size_t len = part_len(part);
        size_t end = row + 1;

        while (end < n.end && part_len(part_at(n, end)) == len &&
               memcmp(part_at(n, end), part, len) == 0)
                end++;
        return (struct sw__node){ row, end, n.off + len + (part[len] == '.') };
}

struct sw__node
sw__node_root(void)
{
        size_t n;

        sw__config_schema(&n);
        return (struct sw__node){ 0, n, 0 };
}

enum sw__node_kind
sw__node_kind(struct sw__node n)
{
        switch (*part_at(n, n.first)) {
        case '\0': return SW__NODE_LEAF;
        case '[': return SW__NODE_ARRAY;
        case '<': return SW__NODE_NAMED;
        default: return SW__NODE_TABLE;
        }
}

const struct sw__config_key *
sw__node_row(struct sw__node n)
{
        return row_at(n.first);
}

bool
sw__row_is_dynamic(const struct sw__config_key *row)
{
        return strpbrk(row->path, "<[") != NULL;
}

bool
sw__node_next(struct sw__node n, struct sw__node *child)
{
        size_t row = child->end ? child->end : n.first;

        if (row >= n.end)
                return false;
        *child = child_from(n, row);
        return true;
}

bool
sw__node_fixed(struct sw__node parent, struct sw__node child)
{
        char c = *part_at(parent, child.first);

        return c != '<' && c != '[';
}

bool
sw__node_child(struct sw__node n, const char *name, struct sw__node *child, bool *user)
{
        struct sw__node at = { 0 };
        struct sw__node own = { 0 };

        while (sw__node_next(n, &at)) {
                const char *part = part_at(n, at.first);

                if (part_is(part, name)) {
                        *child = at;
                        *user = false;
                        return true;
                }
                if (*part == '<')
                        own = at;
        }
        *child = own;
        *user = own.end > 0;
        return *user;
}

struct sw__node
sw__node_item(struct sw__node n)
{
        return child_from(n, n.first);
}

char *
sw__node_part(struct sw__node n)
{
        const char *part = part_at(n, n.first);
        size_t len = part_len(part);
        bool wrapped = *part == '"' || *part == '<';

        return wrapped ? sw_strndup(part + 1, len - 2) : sw_strndup(part, len);
}

/* The names that may stand below @n. */
static void
known_names(struct sw__node n, sw_strlist *out)
{
        struct sw__node at = { 0 };

        while (sw__node_next(n, &at)) {
                struct sw__node here = { at.first, at.end, n.off };

                if (sw__node_fixed(n, at))
                        sw_strlist_take(out, sw__node_part(here));
        }
}

/* The path of a row that ends in @name, for a key written at the wrong level; or NULL. */
static const char *
path_ending_in(const char *name)
{
        struct sw__node all = sw__node_root();

        for (size_t i = all.first; i < all.end; i++) {
                const char *p = row_at(i)->path;

                for (; *p; p += part_len(p), p += *p == '.') {
                        if (p[part_len(p)] == '\0' && part_is(p, name))
                                return row_at(i)->path;
                }
        }
        return NULL;
}

sw_err *
sw__node_unknown(struct sw__node n, const char *name)
{
        sw_auto(sw_strlist) known = { 0 };

        if (strcmp(name, "<<") == 0)
                return sw_err_new(SW_E_CONFIG, "merge keys are not supported: they hide "
                                               "where a value comes from");

        known_names(n, &known);
        const char *near = sw_near(name, (const char *const *) known.v, known.n);
        if (near)
                return sw_err_new(SW_E_CONFIG, "unknown key (did you mean %s?)", near);

        near = path_ending_in(name);
        if (near)
                return sw_err_new(SW_E_CONFIG, "unknown key here (did you mean %s?)", near);

        sw_auto(sw_str) list = sw_strlist_join(&known, ", ");
        return sw_err_new(SW_E_CONFIG, "unknown key (known here: %s)", list);
}

static sw_err *
check_host(const char *name)
{
        if (strstr(name, "://"))
                return sw_err_new(SW_E_CONFIG, "a registry is named HOST or HOST:PORT, "
                                               "without a scheme; for plain HTTP set its "
                                               "key http");
        if (!sw__made_of(name, "._:[]-"))
                return sw_err_new(SW_E_CONFIG, "a registry is named HOST or HOST:PORT");
        return SW_OK;
}

/* "unknown kind …" with the nearest one. */
static SW_NODISCARD sw_err *
unknown_kind(const char *kind)
{
        const char *known[SW_KIND_COUNT];
        size_t n = 0;

        for (unsigned k = 1; k < SW_KIND_COUNT; k++)
                known[n++] = sw_kind_name(k);
        const char *near = sw_near(kind, known, n);
        if (near)
                return sw_err_new(SW_E_CONFIG,
                                  "unknown kind of plugin: %s (did you mean %s?)", kind,
                                  near);
        return sw_err_new(SW_E_CONFIG, "unknown kind of plugin: %s", kind);
}

static sw_err *
check_plugin(const char *name)
{
        const char *slash = strchr(name, '/');
        sw_auto(sw_str) kind = sw_strndup(name, slash ? (size_t) (slash - name) : 0);

        if (!slash || !sw__check_name(kind) || !sw__check_name(slash + 1))
                return sw_err_new(SW_E_CONFIG, "a plugin is named KIND/NAME, such as "
                                               "exporter/image");
        return sw_kind_parse(kind) ? SW_OK : unknown_kind(kind);
}

sw_err *
sw__node_check_name(struct sw__node child, const char *name)
{
        const char *path = row_at(child.first)->path;
        const char *open = path + child.off;

        while (*open != '<')
                open--;
        if (sw_str_has_prefix(open, "<HOST>"))
                return check_host(name);
        if (sw_str_has_prefix(open, "<KIND/NAME>"))
                return check_plugin(name);
        if (!sw__check_name(name))
                return sw_err_new(SW_E_CONFIG, "not a name of an option: letters, digits, "
                                               "'.', '_' and '-'");
        return SW_OK;
}
