/*
 * tests/contract/faulty/snapshotter_faulty.c - a snapshotter with one fault, to see that
 * the contract suite finds it: snapshot-native, with a call or two that go wrong. The
 * option `fault` names which.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/snapshot-native/native.h"

static const char *fault;

static bool
is(const char *name)
{
        return strcmp(fault, name) == 0;
}

/* ---- layer writers: what passes through, and what does not ------------------------------
 */

static const struct sw_layer_ops *real; /* the same table for every writer */

static sw_err *
no_whiteout(void *w, const char *path)
{
        (void) w;
        (void) path;
        return SW_OK;
}

static sw_err *
no_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        (void) w;
        (void) path;
        (void) name;
        (void) p;
        (void) n;
        return SW_OK;
}

static sw_err *
copied_hardlink(void *w, const char *path, const char *existing,
                const struct sw_layer_meta *m)
{
        (void) existing;
        return real->data(w, path, m, "l", 1);
}

static sw_err *
any_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        if (type == S_IFCHR && dev == 0)
                return SW_OK;
        return real->node(w, path, m, type, dev);
}

static sw_err *
no_time(void *w, const char *path, const struct sw_layer_meta *m)
{
        struct sw_layer_meta other = *m;

        other.mtime += 1;
        return real->mkdir(w, path, &other);
}

static sw_err *
faulty_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **out,
             void **w)
{
        static struct sw_layer_ops changed;
        sw_err *err = native_ops.write(store, ctx, key, &real, w);

        if (err)
                return err;
        changed = *real;
        if (is("whiteout"))
                changed.whiteout = no_whiteout;
        else if (is("opaque"))
                changed.opaque = no_whiteout;
        else if (is("xattr"))
                changed.xattr = no_xattr;
        else if (is("hardlink"))
                changed.hardlink = copied_hardlink;
        else if (is("node"))
                changed.node = any_node;
        else if (is("time"))
                changed.mkdir = no_time;
        *out = &changed;
        return SW_OK;
}

/* ---- layers ---------------------------------------------------------------------------
 */

static sw_err *
faulty_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        return native_ops.open(self, ctx, dirfd, store);
}

static void
faulty_close(void *self, void *store)
{
        native_ops.close(self, store);
}

static sw_err *
faulty_commit(void *store, sw_ctx *ctx, const char *key)
{
        return native_ops.commit(store, ctx, key);
}

static sw_err *
faulty_view(void *store, sw_ctx *ctx, const struct sw_stack *stack,
            struct sw_snapshot_mount *out)
{
        struct sw_stack cut = *stack;

        if (is("view") && cut.n > 2)
                cut.n = 2;
        sw_err *err = native_ops.view(store, ctx, &cut, out);
        if (!err && is("leak"))
                (void) !dup(out->dirfd);
        return err;
}

static sw_err *
faulty_prepare(void *store, sw_ctx *ctx, const char *key, const struct sw_stack *lower)
{
        sw_err *err = native_ops.prepare(store, ctx, key, lower);

        if (is("twice") && sw_err_code(err) == SW_E_EXISTS) {
                sw_err_free(err);
                return SW_OK;
        }
        return err;
}

static sw_err *
faulty_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        sw_err *err = native_ops.usage(store, ctx, key, out);

        if (!err && is("stamp"))
                out->stamp = 0;
        if (!err && is("usage"))
                out->bytes *= 3;
        return err;
}

static sw_err *
faulty_usage_stamp(void *store, sw_ctx *ctx, const char *key, uint64_t *out)
{
        sw_err *err = native_ops.usage_stamp(store, ctx, key, out);

        if (!err && is("stamp"))
                *out = 0;
        return err;
}

static sw_err *
faulty_remove(void *store, sw_ctx *ctx, const char *key)
{
        return is("remove") ? SW_OK : native_ops.remove(store, ctx, key);
}

static sw_err *
faulty_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        sw_err *err = native_ops.list(store, ctx, fn, arg);

        return err || !is("list") ? err : native_ops.list(store, ctx, fn, arg);
}

/* Whether the lower tree counts at all. */
static sw_err *
faulty_diff(void *store, sw_ctx *ctx, const struct sw_stack *lower,
            const struct sw_stack *upper, const struct sw_layer_ops *w_ops, void *w)
{
        static const struct sw_stack nothing = { NULL, 0 };

        return native_ops.diff(store, ctx, is("diff") ? &nothing : lower, upper, w_ops, w);
}

static const struct sw_snapshotter_ops faulty_ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = native_probe,
        .open = faulty_open,
        .close = faulty_close,
        .prepare = faulty_prepare,
        .commit = faulty_commit,
        .mount = native_mount,
        .view = faulty_view,
        .unmount = native_unmount,
        .write = faulty_write,
        .diff = faulty_diff,
        .usage = faulty_usage,
        .usage_stamp = faulty_usage_stamp,
        .remove = faulty_remove,
        .list = faulty_list,
};

static sw_err *
faulty_init(const struct sw_plugin_env *env, void **self)
{
        *self = NULL;
        fault = sw_options_str(env->options, "fault");
        return SW_OK;
}

static void
faulty_shutdown(void *self)
{
        (void) self;
}

static const struct sw_option faulty_options[] = {
        { "fault", SW_OPT_STRING, "none", "what goes wrong" },
        { NULL, 0, NULL, NULL },
};

SW_PLUGIN(snapshotter_faulty) = {
        SW_PLUGIN_V1(SW_KIND_SNAPSHOTTER, "faulty"),
        .summary = "a snapshotter that breaks one rule",
        .options = faulty_options,
        .ops = &faulty_ops.hdr,
        .init = faulty_init,
        .shutdown = faulty_shutdown,
};
