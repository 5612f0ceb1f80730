/*
 * core/ops/execcopy.c - trees that are nobody's layers, copied into one.
 *
 * A directory of the client's may change while a command runs, and a listing is no
 * directory at all: neither can be mounted. What is read is checked to be what was listed.
 * Thread: the one that runs the command.
 */
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/path.h>

#include "core/ops/exec.h"
#include "core/ops/view.h"

#define DEPTH_MAX 1024

struct copying {
        sw_ctx *ctx;
        struct sw__view *view;
        const struct sw_layer_ops *ops;
        void *w;
};

static struct sw_layer_meta
meta_of(const struct stat *st)
{
        return (struct sw_layer_meta){ .mode = st->st_mode & 07777,
                                       .uid = st->st_uid,
                                       .gid = st->st_gid,
                                       .mtime = st->st_mtim.tv_sec * INT64_C(1000000000) +
                                                st->st_mtim.tv_nsec };
}

static sw_err *
copy_file(struct copying *c, const char *path, const struct sw__view_entry *e)
{
        const struct sw_layer_meta meta = meta_of(&e->st);
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = sw__view_open_file(c->view, path, e, &fd, &st);

        if (!err)
                err = c->ops->file(c->w, path, &meta, fd, 0, st.st_size);
        return err ? err : sw__view_check_file(c->view, path, e, fd, &st);
}

static sw_err *
copy_symlink(struct copying *c, const char *path, const struct sw__view_entry *e)
{
        const struct sw_layer_meta meta = meta_of(&e->st);
        sw_auto(sw_str) target = NULL;
        sw_err *err = sw__view_readlink(c->view, path, &target);

        return err ? err : c->ops->symlink(c->w, path, &meta, target);
}

static sw_err *copy_entry(struct copying *c, const char *path, int depth);

static sw_err *
copy_dir(struct copying *c, const char *path, const struct sw__view_entry *e, int depth)
{
        const struct sw_layer_meta meta = meta_of(&e->st);
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = c->ops->mkdir(c->w, path, &meta);

        if (!err)
                err = sw_ctx_check(c->ctx);
        if (!err)
                err = sw__view_names(c->view, path, &names);
        if (!err && depth == DEPTH_MAX)
                err = sw_err_new(SW_E_LIMIT, "directories are nested deeper than %d",
                                 DEPTH_MAX);
        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_str) below = sw_path_join(path, names.v[i]);

                err = copy_entry(c, below, depth + 1);
        }
        return err;
}

static sw_err *
copy_entry(struct copying *c, const char *path, int depth)
{
        struct sw__view_entry e;
        sw_err *err = sw__view_lstat(c->view, path, &e);
        const struct sw_layer_meta meta =
                err ? (struct sw_layer_meta){ 0 } : meta_of(&e.st);

        if (err)
                return err;
        switch (e.st.st_mode & S_IFMT) {
        case S_IFDIR: return copy_dir(c, path, &e, depth);
        case S_IFREG: return copy_file(c, path, &e);
        case S_IFLNK: return copy_symlink(c, path, &e);
        case S_IFSOCK: return SW_OK; /* nobody listens in a copy */
        default:
                return c->ops->node(c->w, path, &meta, e.st.st_mode & S_IFMT, e.st.st_rdev);
        }
}

static sw_err *
write_layer(sw_ctx *ctx, struct sw__view *view, sw_layer *layer)
{
        struct copying c = { .ctx = ctx, .view = view };
        sw_err *err = sw_layer_write(layer, ctx, &c.ops, &c.w);

        if (err)
                return err;
        err = copy_entry(&c, "", 0);
        if (err)
                c.ops->abandon(c.w);
        else
                err = c.ops->finish(c.w);
        return err;
}

sw_err *
sw__exec_stored(const struct sw_ops_env *env, sw_ctx *ctx, sw_ref *ref, sw_ref **out)
{
        sw_auto(sw__view) view = { .worker = env->worker, .rootfd = -1, .dir = -1 };
        sw_autoptr(sw_layer) layer = NULL;

        if (sw__ref_is_stored(env->worker, ref)) {
                *out = sw_ref_ref(ref);
                return SW_OK;
        }
        sw_auto(sw_str) what = sw_asprintf("copy of %s", sw_ref_id(ref));
        sw_err *err = sw__view_open(env->worker, ctx, ref, &view);
        if (!err)
                err = sw_worker_layer(env->worker, ctx, NULL,
                                      SW_REF_DESC(.description = what, .type = "internal"),
                                      &layer);
        if (!err)
                err = write_layer(ctx, &view, layer);
        if (!err)
                err = sw_layer_commit(sw_steal(layer), ctx, out);
        return sw_err_wrap(err, "copy %s", sw_ref_id(ref));
}
