/*
 * plugins/snapshot-native/plugin.c - snapshotter "native": works without overlayfs.
 */
#include "plugins/snapshot-native/native.h"

static sw_err *
native_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        struct snapdir *s;
        sw_err *err = snapdir_open(dirfd, &s);

        (void) self;
        (void) ctx;
        if (!err)
                *store = s;
        return err;
}

static void
native_close(void *self, void *store)
{
        (void) self;
        snapdir_close(store);
}

static sw_err *
native_prepare(void *store, sw_ctx *ctx, const char *key, const struct sw_stack *lower)
{
        sw_err *err = sw_ctx_check(ctx);

        return err ? err : snapdir_prepare(store, key, lower);
}

static sw_err *
native_commit(void *store, sw_ctx *ctx, const char *key)
{
        (void) ctx;
        return snapdir_commit(store, key);
}

static sw_err *
native_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **ops,
             void **w)
{
        return snapdir_write(store, ctx, key, ops, w);
}

static sw_err *
native_tell(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops *ops,
            void *w)
{
        return snapdir_tell(store, ctx, key, ops, w);
}

static sw_err *
native_diff(void *store, sw_ctx *ctx, const struct sw_stack *lower,
            const struct sw_stack *upper, const struct sw_layer_ops *ops, void *w)
{
        return snapdir_diff(store, ctx, lower, upper, ops, w);
}

static sw_err *
native_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        return snapdir_usage(store, ctx, key, out);
}

static sw_err *
native_usage_stamp(void *store, sw_ctx *ctx, const char *key, uint64_t *out)
{
        (void) ctx;
        return snapdir_usage_stamp(store, key, out);
}

static sw_err *
native_remove(void *store, sw_ctx *ctx, const char *key)
{
        (void) ctx;
        return snapdir_remove(store, key);
}

static sw_err *
native_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        return snapdir_list(store, ctx, fn, arg);
}

static sw_err *
native_look(void *store, sw_ctx *ctx, const struct sw_stack *stack, void **out)
{
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_strlist) dirs = { 0 };
        struct snapdir_look *l;
        sw_err *err = snapdir_stack_check(store, stack, &st);

        (void) ctx;
        if (!err) {
                snapdir_stack_dirs(&st, &dirs);
                err = snapdir_look_open(store, &dirs, &l);
        }
        if (!err)
                *out = l;
        return err;
}

static sw_err *
native_look_stat(void *look, const char *path, struct stat *st)
{
        return snapdir_look_stat(look, path, st);
}

static sw_err *
native_look_open(void *look, const char *path, int flags, int *fd)
{
        return snapdir_look_at(look, path, flags, fd);
}

static sw_err *
native_look_names(void *look, const char *path, sw_strlist *out)
{
        return snapdir_look_names(look, path, out);
}

static void
native_look_close(void *look)
{
        snapdir_look_close(look);
}

const struct sw_snapshotter_ops native_ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = native_probe,
        .open = native_open,
        .close = native_close,
        .prepare = native_prepare,
        .commit = native_commit,
        .mount = native_mount,
        .view = native_view,
        .unmount = native_unmount,
        .write = native_write,
        .diff = native_diff,
        .usage = native_usage,
        .remove = native_remove,
        .list = native_list,
        .look = native_look,
        .look_stat = native_look_stat,
        .look_open = native_look_open,
        .look_names = native_look_names,
        .usage_stamp = native_usage_stamp,
        .tell = native_tell,
        .look_close = native_look_close,
};

SW_PLUGIN(snapshotter_native) = {
        SW_PLUGIN_V1(SW_KIND_SNAPSHOTTER, "native"),
        .summary = "layers as directories, trees as plain copies",
        .ops = &native_ops.hdr,
};
