/*
 * core/store/view.c - views with their mounts, for the executor; trees that are only looked
 * at; directories for plugins.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>

#include "core/store/unpack.h"

/* What stands behind a view: a mount of the snapshotter's, or a look at a directory. */
struct view {
        sw_tree *tree; /* or NULL */
        struct sw_snapshot_mount m;
};

sw_err *
sw__worker_view(sw_worker *w, sw_ctx *ctx, sw_ref *r, struct sw_snapshot_mount *out)
{
        struct sw__held *h = sw__held_of(w, r);
        struct view *v = sw_new(struct view);
        sw_err *err;

        if (r && !h) {
                err = sw_ref_open(ctx, r, &v->tree);
                v->m.treefd = -1;
                v->m.dirfd = err ? -1 : sw_tree_fd(v->tree);
        } else {
                err = h ? sw__stack_ready(w, ctx, h->stack) : SW_OK;
                if (!err)
                        err = sw__snapshots_view(w->snaps, ctx,
                                                 sw__stack_of(h ? h->stack : NULL), &v->m);
        }
        if (err) {
                free(v);
                return err;
        }
        *out = (struct sw_snapshot_mount){ sizeof(*out), v->m.dirfd, v->m.treefd, v };
        return SW_OK;
}

sw_err *
sw__worker_unview(sw_worker *w, struct sw_snapshot_mount *m)
{
        struct view *v = m->handle;
        sw_err *err =
                v->tree ? sw_tree_close(v->tree) : sw__snapshots_unmount(w->snaps, &v->m);

        free(v);
        *m = (struct sw_snapshot_mount){ sizeof(*m), -1, -1, NULL };
        return err;
}

sw_err *
sw__worker_hashes(sw_worker *w, int *dirfd)
{
        return sw_path_mkdirs(w->rootfd, "hashes", 0700, dirfd);
}

sw_err *
sw__worker_look(sw_worker *w, sw_ctx *ctx, sw_ref *r, struct sw__look *out)
{
        const struct sw__held *h = sw__held_of(w, r);

        *out = (struct sw__look){ NULL, NULL };
        if (!h)
                return SW_OK;
        sw_err *err = sw__stack_ready(w, ctx, h->stack);
        return err ? err
                   : sw__snapshots_look(w->snaps, ctx, sw__stack_of(h->stack), &out->ops,
                                        &out->look);
}

sw_err *
sw_worker_state_dir(sw_worker *w, const char *kind_slash_name, int *dirfd)
{
        const char *slash = strchr(kind_slash_name, '/');
        sw_auto(sw_str) kind =
                sw_strndup(kind_slash_name, slash ? (size_t) (slash - kind_slash_name) : 0);
        sw_auto(sw_str) path = sw_asprintf("state/%s", kind_slash_name);
        sw_err *err = sw_id_check("kind of a plugin", kind);

        if (!err)
                err = sw_id_check("name of a plugin", slash + 1);
        if (!err)
                err = sw_path_mkdirs(w->rootfd, path, 0700, dirfd);
        return sw_err_wrap(err, "directory for the state of %s", kind_slash_name);
}
