/*
 * core/ops/resolve.c - paths from outside, resolved in a tree that is not mounted as it
 * will be: a base with changes over it, or a listing.
 *
 * Component by component: what was resolved stays free of symlinks, ".." takes its last
 * component away and never leaves the root, the target of a symlink takes the place of the
 * symlink in what is still to do. The rules are those of slipway/path.h.
 * Thread: any.
 */
#include <limits.h>
#include <string.h>

#include <slipway/text.h>

#include "core/ops/view.h"

struct walk {
        sw_buf done;    /* plain */
        sw_str rest;    /* what is still to do */
        const char *at; /* in rest */
        unsigned links;
};

static void
step_up(sw_buf *done)
{
        const char *slash = strrchr(done->data, '/');

        sw_buf_truncate(done, slash ? (size_t) (slash - done->data) : 0);
}

static sw_err *
too_much(const char *path, const char *what)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), 256);
        return sw_err_new(SW_E_LIMIT, "%s: %s", shown.data, what);
}

/* The target of a symlink goes before the rest. */
static void
put_target(struct walk *w, size_t parent_len, const char *target)
{
        char *rest = sw_asprintf("%s/%s", target, w->at);

        free(w->rest);
        w->rest = rest;
        w->at = rest;
        sw_buf_truncate(&w->done, target[0] == '/' ? 0 : parent_len);
}

static bool
is_last(const char *at)
{
        return at[strspn(at, "/")] == '\0';
}

static sw_err *
step(struct walk *w, bool follow_last, sw__link_fn *fn, void *arg)
{
        size_t n = strcspn(w->at, "/"), parent = w->done.len;
        const char *name = w->at;
        sw_auto(sw_str) target = NULL;
        sw_err *err;

        w->at += n;
        w->at += strspn(w->at, "/");
        if (n == 1 && name[0] == '.')
                return SW_OK;
        if (n == 2 && name[0] == '.' && name[1] == '.') {
                step_up(&w->done);
                return SW_OK;
        }
        if (w->done.len)
                sw_buf_addc(&w->done, '/');
        sw_buf_add(&w->done, name, n);
        if (!follow_last && is_last(w->at))
                return SW_OK;
        err = fn(arg, w->done.data, &target);
        if (err || !target)
                return err;
        if (++w->links > SW_PATH_MAX_LINKS)
                return too_much(w->done.data, "too many levels of symbolic links");
        if (strlen(target) + strlen(w->at) >= 2 * PATH_MAX)
                return too_much(w->done.data, "the path is too long");
        put_target(w, parent, target);
        return SW_OK;
}

sw_err *
sw__resolve(const char *path, bool follow_last, sw__link_fn *fn, void *arg, char **out)
{
        struct walk w = { .done = SW_BUF_INIT };
        sw_err *err = SW_OK;

        if (strlen(path) >= PATH_MAX)
                return too_much(path, "the path is too long");
        w.rest = sw_strdup(path);
        w.at = w.rest + strspn(w.rest, "/");
        while (!err && *w.at) {
                err = step(&w, follow_last, fn, arg);
                w.at += strspn(w.at, "/");
                if (!err && w.done.len >= PATH_MAX)
                        err = too_much(w.done.data, "the path is too long");
        }
        free(w.rest);
        if (err)
                sw_buf_release(&w.done);
        else
                *out = sw_buf_detach(&w.done);
        return err;
}
