/*
 * core/ops/execmount.c - what a command mounts: from the definition to descriptors, and
 * from what it wrote to refs.
 *
 *      bind, output            a new layer on the input; its ref is the output
 *      bind, output, readonly  a view of the input, which is the output, too; the root is
 *                              written on all the same
 *      bind, no output         a new layer that is dropped afterwards; readonly: a view
 *      cache                   a tree that stays: execcache.c
 *
 * A selector is resolved once, below the tree, into a descriptor; nobody looks at the path
 * again. Everything opened is closed in reverse order, whatever failed.
 *
 * Thread: the one that runs the command.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>

#include "core/ops/exec.h"

static const char *
root_or_cwd(const Pb__Meta *meta)
{
        return meta->cwd[0] == '/' ? meta->cwd : "/";
}

static char *
absolute(const Pb__Meta *meta, const char *dest)
{
        sw_auto(sw_str) joined =
                dest[0] == '/' ? sw_strdup(dest) : sw_path_join(root_or_cwd(meta), dest);

        /* a cleaned absolute path has no ".." */
        return sw_path_join("/", joined);
}

/* ---- trees --------------------------------------------------------------------------- */

static sw_err *
open_layer(struct sw__exec *x, struct sw__exec_place *p)
{
        sw_auto(sw_str) what = sw_asprintf("mount %s from exec %s", p->dest, x->command);
        sw_err *err = sw_worker_layer(x->env->worker, x->ctx, p->input,
                                      SW_REF_DESC(.description = what), &p->layer);

        if (err)
                return err;
        return p == &x->places[x->root] ? sw_layer_mount_root(p->layer, x->ctx, &p->m)
                                        : sw_layer_mount(p->layer, x->ctx, &p->m);
}

static sw_err *
open_view(struct sw__exec *x, struct sw__exec_place *p)
{
        p->view.size = sizeof(p->view);
        sw_err *err = sw__worker_view(x->env->worker, x->ctx, p->input, &p->view);
        p->viewed = !err;
        p->m = &p->view;
        return err;
}

static sw_err *
open_cache(struct sw__exec *x, struct sw__exec_place *p)
{
        sw_auto(sw_buf) what = SW_BUF_INIT;
        const char *id = p->pb->cacheopt->id;
        sw_err *err;

        sw_buf_addf(&what, "cached mount %s from exec %s", p->dest, x->command);
        if (*id)
                sw_buf_addf(&what, " with id \"%s\"", id);
        err = sw__cache_take(x->env, x->ctx, p->cache_name, p->pb->cacheopt->sharing,
                             p->input, what.data, &p->cache);
        p->cache_taken = !err;
        p->m = &p->cache.m;
        return err;
}

static sw_err *
open_bind(struct sw__exec *x, struct sw__exec_place *p)
{
        bool root = p == &x->places[x->root];

        p->keeps_input = p->has_output && p->pb->readonly && p->input && !root;
        if (p->keeps_input || (!p->has_output && p->pb->readonly && p->input && !root))
                return open_view(x, p);
        return open_layer(x, p);
}

static sw_err *
select_part(const struct sw__exec *x, struct sw__exec_place *p)
{
        const char *selector = p == &x->places[x->root] ? "" : p->pb->selector;
        sw_err *err = sw_path_open(p->m->dirfd, selector, O_PATH, 0, &p->fd);

        return sw_err_wrap(err, "select what is mounted at %s", p->dest);
}

/* ---- caches: all of them before anything else, in the order of their names, so that two
 * commands that wait for each other's cannot be ------------------------------------------
 */

static int
by_cache_name(const void *a, const void *b)
{
        const struct sw__exec_place *const *x = a, *const *y = b;
        int order = strcmp((*x)->cache_name, (*y)->cache_name);

        return order ? order : (*x > *y) - (*x < *y);
}

static sw_err *
open_caches(struct sw__exec *x)
{
        struct sw__exec_place **list =
                sw_alloc_array(x->n_places, sizeof(struct sw__exec_place *));
        size_t n = 0;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < x->n_places; i++)
                if (x->places[i].cache_name)
                        list[n++] = &x->places[i];
        if (n > 1)
                qsort(list, n, sizeof(struct sw__exec_place *), by_cache_name);
        for (size_t i = 0; i < n && !err; i++) {
                if (i && strcmp(list[i]->cache_name, list[i - 1]->cache_name) == 0)
                        list[i]->m = list[i - 1]->m; /* one tree for both */
                else
                        err = open_cache(x, list[i]);
        }
        free(list);
        return err;
}

/* ---- opening ------------------------------------------------------------------------- */

/* What is written on, or what somebody else may still change, has to be layers of ours. */
static sw_err *
prepare_input(struct sw__exec *x, struct sw__exec_place *p, sw_ref *const *in)
{
        if (p->pb->input < 0 || !in[p->pb->input])
                return SW_OK;
        return sw_err_wrap(sw__ops_stored(x->env, x->ctx, in[p->pb->input], &p->input),
                           "input of the mount at %s", p->dest);
}

static sw_err *
open_place(struct sw__exec *x, struct sw__exec_place *p)
{
        sw_err *err = SW_OK;

        switch (p->pb->mounttype) {
        case PB__MOUNT_TYPE__SECRET:
                err = sw__exec_secret(x, p->pb->secretopt, &p->fd);
                break;
        case PB__MOUNT_TYPE__SSH: err = sw__exec_agent(x, p->pb->sshopt, &p->fd); break;
        case PB__MOUNT_TYPE__TMPFS: return SW_OK;
        case PB__MOUNT_TYPE__CACHE: return select_part(x, p);
        default: err = open_bind(x, p); return err ? err : select_part(x, p);
        }
        p->skipped = !err && p->fd < 0;
        return err;
}

static void
init_place(struct sw__exec *x, size_t i)
{
        struct sw__exec_place *p = &x->places[i];

        p->pb = x->pb->mounts[i];
        p->dest = absolute(x->pb->meta, p->pb->dest);
        p->has_output = sw__llb_mount_has_output(p->pb);
        p->view.dirfd = p->view.treefd = -1;
        p->fd = -1;
        if (strcmp(p->pb->dest, "/") == 0)
                x->root = i;
}

sw_err *
sw__exec_open_places(struct sw__exec *x, sw_ref *const *in)
{
        sw_err *err = SW_OK;

        x->n_places = x->pb->n_mounts;
        x->places = sw_alloc_array(x->n_places, sizeof(*x->places));
        for (size_t i = 0; i < x->n_places; i++)
                init_place(x, i);
        for (size_t i = 0; i < x->n_places && !err; i++) {
                struct sw__exec_place *p = &x->places[i];

                err = prepare_input(x, p, in);
                if (!err && p->pb->mounttype == PB__MOUNT_TYPE__CACHE)
                        p->cache_name = sw__cache_name(p->pb->cacheopt->id, p->input);
        }
        if (!err)
                err = open_caches(x);
        for (size_t i = 0; i < x->n_places && !err; i++)
                err = open_place(x, &x->places[i]);
        return err;
}

/* ---- for the executor ---------------------------------------------------------------- */

static void
add_tree(struct sw__exec *x, int tree)
{
        for (size_t i = 0; i < x->trees.n; i++)
                if (x->trees.v[i] == tree)
                        return;
        if (tree >= 0)
                sw_array_push(&x->trees, tree);
}

static size_t
depth(const char *path)
{
        size_t n = 0;

        for (; *path; path++)
                n += *path == '/';
        return n;
}

static void
add_mount(struct sw__exec *x, const struct sw__exec_place *p)
{
        struct sw_exec_mount m = { .type = SW_EXEC_BIND,
                                   .target = p->dest,
                                   .fd = p->fd,
                                   .readonly = p->pb->readonly };

        switch (p->pb->mounttype) {
        case PB__MOUNT_TYPE__TMPFS:
                m.type = SW_EXEC_TMPFS;
                m.nosuid = true;
                m.tmpfs_size = p->pb->tmpfsopt ? p->pb->tmpfsopt->size : 0;
                break;
        case PB__MOUNT_TYPE__SECRET:
                m.readonly = m.nosuid = m.nodev = true;
                m.noexec = !(p->pb->secretopt->mode & 0111);
                break;
        case PB__MOUNT_TYPE__SSH: m.readonly = m.nosuid = m.nodev = m.noexec = true; break;
        default: break;
        }
        /* by depth; equals in their order */
        size_t at = x->mounts.n;
        sw_array_push(&x->mounts, m);
        while (at > 0 && depth(x->mounts.v[at - 1].target) > depth(m.target)) {
                x->mounts.v[at] = x->mounts.v[at - 1];
                at--;
        }
        x->mounts.v[at] = m;
}

void
sw__exec_plan_mounts(struct sw__exec *x)
{
        for (size_t i = 0; i < x->n_places; i++) {
                const struct sw__exec_place *p = &x->places[i];

                if (p->m)
                        add_tree(x, p->m->treefd);
                if (i != x->root && !p->skipped)
                        add_mount(x, p);
        }
        add_tree(x, x->priv.tree);
}

/* ---- afterwards ---------------------------------------------------------------------- */

static sw_err *
output_of(struct sw__exec *x, struct sw__exec_place *p, sw_ref **out)
{
        sw_err *err;

        if (p->keeps_input) {
                *out = sw_ref_ref(p->input);
                return SW_OK;
        }
        if (!p->layer) { /* a cache hands on what it was laid over */
                *out = p->input ? sw_ref_ref(p->input) : NULL;
                return SW_OK;
        }
        sw_fd_clear(&p->fd);
        err = sw_layer_unmount(p->layer, x->ctx);
        p->m = NULL;
        if (!err)
                err = sw_layer_commit(sw_steal(p->layer), x->ctx, out);
        return sw_err_wrap(err, "keep what is mounted at %s", p->dest);
}

sw_err *
sw__exec_outputs(struct sw__exec *x, sw_ref **out, size_t n_out)
{
        size_t n = 0;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < x->n_places && !err; i++)
                if (x->places[i].has_output && n < n_out)
                        err = output_of(x, &x->places[i], &out[n++]);
        return err;
}

static sw_err *
close_place(struct sw__exec *x, struct sw__exec_place *p)
{
        sw_err *err = SW_OK;

        sw_fd_clear(&p->fd);
        sw_layer_abandon(p->layer);
        if (p->viewed)
                err = sw__worker_unview(x->env->worker, &p->view);
        if (p->cache_taken) {
                sw_err *given = sw__cache_give_back(x->env, &p->cache);

                if (err)
                        sw_err_drop(given, "the first error is the one to tell");
                err = err ? err : given;
        }
        sw_ref_unref(p->input);
        free(p->cache_name);
        free(p->dest);
        return err;
}

sw_err *
sw__exec_close_places(struct sw__exec *x)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < x->n_places; i++) /* some caches are in several places */
                sw_fd_clear(&x->places[i].fd);
        for (size_t i = x->n_places; i > 0; i--) {
                sw_err *closed = close_place(x, &x->places[i - 1]);

                if (err)
                        sw_err_drop(closed, "the first error is the one to tell");
                err = err ? err : closed;
        }
        free(x->places);
        x->places = NULL;
        x->n_places = 0;
        return err;
}
