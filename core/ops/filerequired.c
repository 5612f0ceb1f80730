/*
 * core/ops/filerequired.c - paths that a copy is required to find: each has to be, or be
 * above, something that was copied.
 *
 * The content key of the step looks for them too, but there is none when a copy takes from
 * a tree that the same step makes. Thread: the draft's.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/ops/fileact.h"

struct sw__required {
        char *const *paths; /* as they were asked for; borrowed */
        size_t n;
        sw_strlist clean; /* the same, plain */
        bool *met;
};

struct sw__required *
sw__required_new(char *const *paths, size_t n)
{
        struct sw__required *r;

        if (!n)
                return NULL;
        r = sw_new(struct sw__required);
        r->paths = paths;
        r->n = n;
        r->met = sw_alloc_array(n, sizeof(*r->met));
        for (size_t i = 0; i < n; i++)
                sw_strlist_take(&r->clean, sw_path_join("/", paths[i]));
        return r;
}

void
sw__required_free(struct sw__required *r)
{
        if (!r)
                return;
        sw_strlist_release(&r->clean);
        free(r->met);
        free(r);
}

static bool
is_or_is_above(const char *above, const char *path)
{
        size_t n = strlen(above);

        return !n || (strncmp(path, above, n) == 0 && (!path[n] || path[n] == '/'));
}

void
sw__required_met(struct sw__required *r, const char *path, const char *rel)
{
        for (size_t i = 0; r && i < r->n; i++) {
                const char *want = r->clean.v[i] + 1; /* without the slash it begins with */

                r->met[i] = r->met[i] || is_or_is_above(want, path) ||
                            is_or_is_above(want, rel);
        }
}

sw_err *
sw__required_check(const struct sw__required *r)
{
        for (size_t i = 0; r && i < r->n; i++) {
                sw_auto(sw_buf) shown = SW_BUF_INIT;

                if (r->met[i])
                        continue;
                sw_buf_add_quoted(&shown, r->paths[i], strlen(r->paths[i]), 300);
                return sw_err_new(SW_E_NOT_FOUND, "%s: not found", shown.data);
        }
        return SW_OK;
}
