/*
 * core/config/keypath.c - dotted paths such as registry."docker.io".mirrors.
 *
 * In quotes, a backslash makes the next character literal, so that any name can be
 * written and read back.
 *
 * Thread: any.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "core/config/internal.h"

/* Whether @part can stand in a path without quotes. */
static bool
is_bare(const char *part)
{
        for (const char *p = part; *p; p++) {
                if (!isalnum((unsigned char) *p) && !strchr("_-", *p))
                        return false;
        }
        return *part != '\0';
}

void
sw__keypath_add(sw_buf *path, const char *part, bool user)
{
        if (path->len > 0)
                sw_buf_addc(path, '.');
        if (!user && is_bare(part)) {
                sw_buf_adds(path, part);
                return;
        }
        sw_buf_addc(path, '"');
        for (const char *p = part; *p; p++) {
                if (*p == '"' || *p == '\\')
                        sw_buf_addc(path, '\\');
                sw_buf_addc(path, *p);
        }
        sw_buf_addc(path, '"');
}

/* Read the quoted part after the quote at *@p; *@p is then behind the closing one. */
static bool
split_quoted(const char **p, sw_buf *part)
{
        const char *s = *p + 1;

        while (*s && *s != '"') {
                if (*s == '\\' && s[1])
                        s++;
                sw_buf_addc(part, *s++);
        }
        *p = s + 1;
        return *s == '"';
}

sw_err *
sw__keypath_split(const char *path, sw_strlist *parts)
{
        const char *p = path;

        for (;;) {
                sw_auto(sw_buf) part = SW_BUF_INIT;

                if (*p == '"') {
                        if (!split_quoted(&p, &part))
                                return sw_err_new(SW_E_CONFIG, "key lacks a closing quote");
                } else {
                        size_t len = strcspn(p, ".");

                        if (len == 0)
                                return sw_err_new(SW_E_CONFIG, "key has an empty part");
                        sw_buf_add(&part, p, len);
                        p += len;
                }
                sw_strlist_add(parts, part.data);
                if (*p == '\0')
                        return SW_OK;
                if (*p++ != '.')
                        return sw_err_new(SW_E_CONFIG, "key has text after a quote");
        }
}

void
sw__target_release(struct sw__target *t)
{
        sw_buf_release(&t->path);
        sw_strlist_release(&t->names);
        free(t->entry);
        t->entry = NULL;
}

/* Step into an array of tables by index. */
static sw_err *
step_index(struct sw__target *t, const char *part)
{
        if (*part == '\0' || strspn(part, "0123456789") != strlen(part))
                return sw_err_new(SW_E_CONFIG, "a list of tables takes a number here");
        t->node = sw__node_item(t->node);
        t->in_array = t->ends_in_name = true;
        sw_strlist_add(&t->names, t->path.data);
        sw_strlist_add(&t->names, part);
        sw__keypath_add(&t->path, part, false);
        return SW_OK;
}

static sw_err *
step(struct sw__target *t, const char *part, bool check_names)
{
        bool user;

        if (sw__node_kind(t->node) == SW__NODE_ARRAY)
                return step_index(t, part);

        if (sw__node_kind(t->node) == SW__NODE_LEAF) {
                if (sw__node_row(t->node)->type != SW_CONFIG_MAP || t->entry)
                        return sw_err_new(SW_E_CONFIG, "no keys below a single value");
                t->entry = sw_strdup(part);
                return SW_OK;
        }

        struct sw__node child;
        if (!sw__node_child(t->node, part, &child, &user))
                return sw__node_unknown(t->node, part);
        if (user) {
                sw_err *err = check_names ? sw__node_check_name(child, part) : SW_OK;
                if (err)
                        return err;
                sw_strlist_add(&t->names, t->path.data);
                sw_strlist_add(&t->names, part);
        }
        t->node = child;
        t->ends_in_name = user;
        sw__keypath_add(&t->path, part, user && sw__node_kind(child) != SW__NODE_LEAF);
        return SW_OK;
}

sw_err *
sw__target_resolve(struct sw__target *t, const char *key, bool check_names)
{
        sw_auto(sw_strlist) parts = { 0 };

        *t = (struct sw__target){ .node = sw__node_root(), .path = SW_BUF_INIT };

        sw_err *err = sw__keypath_split(key, &parts);
        for (size_t i = 0; !err && i < parts.n; i++)
                err = step(t, parts.v[i], check_names);
        return err;
}
