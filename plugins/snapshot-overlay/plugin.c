/*
 * plugins/snapshot-overlay/plugin.c - snapshotter "overlay": a layer is an upper directory
 * of overlayfs, a tree is a mount of several.
 */
#include <string.h>

#include "plugins/snapshot-overlay/overlay.h"

static sw_err *
overlay_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        const enum overlay_api *api = self;
        struct overlay *o = sw_new(struct overlay);
        sw_err *err = snapdir_open(dirfd, &o->dir);

        (void) ctx;
        if (err) {
                free(o);
                return err;
        }
        o->api = *api;
        *store = o;
        return SW_OK;
}

static void
overlay_close(void *self, void *store)
{
        struct overlay *o = store;

        (void) self;
        snapdir_close(o->dir);
        free(o);
}

static sw_err *
overlay_prepare(void *store, sw_ctx *ctx, const char *key, const struct sw_stack *lower)
{
        struct overlay *o = store;
        sw_err *err = sw_ctx_check(ctx);

        return err ? err : snapdir_prepare(o->dir, key, lower);
}

static sw_err *
overlay_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **ops,
              void **w)
{
        struct overlay *o = store;

        return snapdir_write(o->dir, ctx, key, ops, w);
}

static sw_err *
overlay_tell(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops *ops,
             void *w)
{
        struct overlay *o = store;

        return snapdir_tell(o->dir, ctx, key, ops, w);
}

static sw_err *
overlay_diff(void *store, sw_ctx *ctx, const struct sw_stack *lower,
             const struct sw_stack *upper, const struct sw_layer_ops *ops, void *w)
{
        struct overlay *o = store;

        return snapdir_diff(o->dir, ctx, lower, upper, ops, w);
}

static sw_err *
overlay_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        struct overlay *o = store;

        return snapdir_usage(o->dir, ctx, key, out);
}

static sw_err *
overlay_usage_stamp(void *store, sw_ctx *ctx, const char *key, uint64_t *out)
{
        struct overlay *o = store;

        (void) ctx;
        return snapdir_usage_stamp(o->dir, key, out);
}

static sw_err *
overlay_remove(void *store, sw_ctx *ctx, const char *key)
{
        struct overlay *o = store;

        (void) ctx;
        return snapdir_remove(o->dir, key);
}

static sw_err *
overlay_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        struct overlay *o = store;

        return snapdir_list(o->dir, ctx, fn, arg);
}

/* Runs that were put together serve lookups as well. */
static sw_err *
overlay_look(void *store, sw_ctx *ctx, const struct sw_stack *stack, void **out)
{
        struct overlay *o = store;
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(overlay_plan) plan = { 0 };
        sw_auto(sw_strlist) dirs = { 0 };
        struct snapdir_look *l;
        sw_err *err = snapdir_stack_check(o->dir, stack, &st);

        if (!err)
                err = overlay_plan_stack(o, ctx, &st, 0, &plan);
        for (size_t i = 0; i < plan.lower.n && !err; i++)
                sw_strlist_add(&dirs, plan.lower.v[i]);
        if (!err)
                err = snapdir_look_open(o->dir, &dirs, &l);
        if (!err)
                *out = l;
        return err;
}

static sw_err *
overlay_look_stat(void *look, const char *path, struct stat *st)
{
        return snapdir_look_stat(look, path, st);
}

static sw_err *
overlay_look_open(void *look, const char *path, int flags, int *fd)
{
        return snapdir_look_at(look, path, flags, fd);
}

static sw_err *
overlay_look_names(void *look, const char *path, sw_strlist *out)
{
        return snapdir_look_names(look, path, out);
}

static void
overlay_look_close(void *look)
{
        snapdir_look_close(look);
}

static sw_err *
overlay_init(const struct sw_plugin_env *env, void **self)
{
        static const char *const names[] = { "auto", "new", "classic" };
        const char *wanted = sw_options_str(env->options, "mount-api");

        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (strcmp(wanted, names[i]) == 0) {
                        enum overlay_api *api = sw_new(enum overlay_api);

                        *api = (enum overlay_api) i;
                        *self = api;
                        return SW_OK;
                }
        return sw_err_new(SW_E_CONFIG, "mount-api %s: must be auto, new or classic",
                          wanted);
}

static void
overlay_shutdown(void *self)
{
        free(self);
}

static const struct sw_option options[] = {
        { "mount-api", SW_OPT_STRING, "auto",
          "system calls to mount with: auto, new (Linux 6.7), classic" },
        { NULL, 0, NULL, NULL },
};

static const struct sw_snapshotter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = overlay_probe,
        .open = overlay_open,
        .close = overlay_close,
        .prepare = overlay_prepare,
        .commit = overlay_commit,
        .mount = overlay_mount,
        .view = overlay_view,
        .unmount = overlay_unmount,
        .write = overlay_write,
        .diff = overlay_diff,
        .usage = overlay_usage,
        .remove = overlay_remove,
        .list = overlay_list,
        .look = overlay_look,
        .look_stat = overlay_look_stat,
        .look_open = overlay_look_open,
        .look_names = overlay_look_names,
        .look_close = overlay_look_close,
        .usage_stamp = overlay_usage_stamp,
        .tell = overlay_tell,
        .mount_root = overlay_mount_root,
};

SW_PLUGIN(snapshotter_overlay) = {
        SW_PLUGIN_V1(SW_KIND_SNAPSHOTTER, "overlay"),
        .summary = "layers as upper directories of overlayfs",
        .options = options,
        .ops = &ops.hdr,
        .init = overlay_init,
        .shutdown = overlay_shutdown,
};
