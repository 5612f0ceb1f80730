/*
 * core/store/snapshots.c - the snapshotter of a root. See snapshots.h.
 *
 *      UNCHOSEN --(first need)--> OPEN --(close)--> gone
 *          \--> the choice fails: UNCHOSEN, and the next one who needs it tries again
 */
#include "core/store/snapshots.h"

#include <pthread.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>

struct sw__snapshots {
        struct sw__snapshots_opts opts;
        char *wanted;
        pthread_mutex_t lock; /* of choosing; what follows is set once */
        bool open;
        char *given_name; /* not NULL: ops and self were given */
        char *name;
        const struct sw_snapshotter_ops *ops;
        void *self, *store;
        sw_fd dirfd;
};

sw__snapshots *
sw__snapshots_new(const struct sw__snapshots_opts *opts)
{
        sw__snapshots *s = sw_new(sw__snapshots);

        s->opts = *opts;
        s->wanted = sw_strdup(opts->wanted ? opts->wanted : "auto");
        pthread_mutex_init(&s->lock, NULL);
        s->dirfd = -1;
        return s;
}

void
sw__snapshots_use(sw__snapshots *s, const char *name, const struct sw_snapshotter_ops *ops,
                  void *self)
{
        s->given_name = sw_strdup(name);
        s->ops = ops;
        s->self = self;
}

void
sw__snapshots_close(sw__snapshots *s)
{
        if (!s)
                return;
        if (s->open)
                s->ops->close(s->self, s->store);
        sw_fd_clear(&s->dirfd);
        pthread_mutex_destroy(&s->lock);
        free(s->name);
        free(s->given_name);
        free(s->wanted);
        free(s);
}

/* @err with the snapshotter as the culprit. */
static sw_err *
blame(const char *name, sw_err *err)
{
        if (err) {
                sw_auto(sw_str) id = sw_asprintf("snapshotter/%s", name);

                sw_err_set_plugin(err, id);
        }
        return err;
}

/* ---- choosing ---- */

static sw_err *
find_plugin(sw__snapshots *s, const char *name)
{
        const struct sw_ops_hdr *hdr;
        sw_err *err;

        if (sw_str_eq(s->given_name, name))
                return SW_OK;
        if (!s->opts.host)
                return sw_err_new(SW_E_UNSUPPORTED, "no plugins are loaded");
        err = sw_host_require(s->opts.host, SW_KIND_SNAPSHOTTER, name);
        if (!err)
                err = sw_host_lookup(s->opts.host, SW_KIND_SNAPSHOTTER, name, &hdr,
                                     &s->self);
        if (!err)
                s->ops = (const struct sw_snapshotter_ops *) hdr;
        return err;
}

/* Load @name and see whether it works in its directory. */
static sw_err *
try_one(sw__snapshots *s, sw_ctx *ctx, const char *name)
{
        sw_auto(sw_fd) dirfd = -1;
        sw_auto(sw_str) dir = sw_asprintf("snapshots/%s", name);
        sw_err *err = sw_id_check("snapshotter", name);

        if (!err)
                err = find_plugin(s, name);
        if (!err)
                err = sw_path_mkdirs(s->opts.rootfd, dir, 0711, &dirfd);
        if (err)
                return err;
        err = s->ops->probe(s->self, ctx, dirfd);
        if (!err)
                err = s->ops->open(s->self, ctx, dirfd, &s->store);
        if (err) { /* only an empty directory goes */
                (void) unlinkat(s->opts.rootfd, dir, AT_REMOVEDIR);
                return blame(name, err);
        }
        s->dirfd = sw_fd_steal(&dirfd);
        s->name = sw_strdup(name);
        return SW_OK;
}

/* The first that works; its reasons are told when none does. */
static sw_err *
try_each(sw__snapshots *s, sw_ctx *ctx)
{
        static const char *const best_first[] = { "overlay", "native" };
        sw_auto(sw_buf) why = SW_BUF_INIT;

        for (size_t i = 0; i < SW_COUNT(best_first); i++) {
                sw_err *err = try_one(s, ctx, best_first[i]);
                const int code = sw_err_code(err);

                if (!err || code == SW_E_CANCELLED || code == SW_E_NOMEM)
                        return err;
                sw_buf_addf(&why, "%s%s: %s", i ? "; " : "", best_first[i],
                            sw_err_message(err));
                sw_err_drop(err, "told below, or another one works");
        }
        return sw_err_new(SW_E_UNSUPPORTED, "no snapshotter works here: %s", why.data);
}

/* The choice becomes that of the root, in the place of @before. *other: what another
 * process chose meanwhile, and it is that. */
static sw_err *
remember(sw__snapshots *s, const char *before, char **other)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_str) now = NULL;
        sw_err *err = sw__tx_begin(s->opts.meta, true, &tx);

        if (!err)
                err = sw__text_get(&tx, SW_META_STORE, "snapshotter", &now);
        if (!err && now && strcmp(now, s->name) != 0 && !sw_str_eq(before, now)) {
                *other = sw_steal(now);
                return SW_OK;
        }
        if (!err)
                err = sw__text_put(&tx, SW_META_STORE, "snapshotter", s->name);
        return err ? err : sw__tx_commit(&tx, true);
}

static sw_err *
recall(sw__snapshots *s, char **out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(s->opts.meta, false, &tx);

        return err ? err : sw__text_get(&tx, SW_META_STORE, "snapshotter", out);
}

sw_err *
sw__snapshots_any(sw__snapshots *s, bool *any)
{
        sw_auto(sw_str) kept = NULL;
        sw_err *err = recall(s, &kept);

        *any = kept != NULL;
        return err;
}

static bool
is_layer(void *arg, const char *id, sw__rec *rec)
{
        bool *found = arg;

        (void) id;
        *found = rec->kind == SW__REC_LAYER;
        return !*found;
}

/* Whether there is a layer, or one that is yet to be removed. */
static sw_err *
has_layers(sw__snapshots *s, bool *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) keys = { 0 }, values = { 0 };
        sw_err *err = sw__tx_begin(s->opts.meta, false, &tx);

        *out = false;
        if (!err)
                err = sw__rec_each(&tx, is_layer, out);
        if (!err && !*out)
                err = sw__pair_list(&tx, SW_META_DOOMED, NULL, &keys, &values);
        *out = *out || keys.n;
        return err;
}

/* What a snapshotter has made for itself; there is no layer in it. */
static void
remove_store(sw__snapshots *s, const char *name)
{
        sw_auto(sw_str) dir = sw_asprintf("snapshots/%s", name);

        if (sw__id_ok(name))
                sw_err_drop(sw_path_remove(s->opts.rootfd, dir), "it is in nobody's way");
}

static sw_err *
choose(sw__snapshots *s, sw_ctx *ctx)
{
        sw_auto(sw_str) kept = NULL, other = NULL;
        bool used = true;
        sw_err *err = recall(s, &kept);

        const bool any = strcmp(s->wanted, "auto") == 0;
        if (!err && kept && !any && strcmp(kept, s->wanted) != 0)
                err = has_layers(s, &used);
        if (err)
                return err;
        sw_auto(sw_str) old = used ? NULL : sw_steal(kept);
        if (kept && !any && strcmp(kept, s->wanted) != 0)
                return sw_err_new(SW_E_CONFIG,
                                  "this root was made with the snapshotter %s, and cannot "
                                  "be used with %s (prune all of it, or use another "
                                  "--root)",
                                  kept, s->wanted);
        if (kept)
                return try_one(s, ctx, kept);
        if (any && s->given_name)
                err = try_one(s, ctx, s->given_name);
        else
                err = any ? try_each(s, ctx) : try_one(s, ctx, s->wanted);
        if (err)
                return err;
        err = remember(s, old, &other);
        if (!err && !other && old)
                remove_store(s, old);
        if (!err && !other)
                return SW_OK;
        s->ops->close(s->self, s->store);
        sw_fd_clear(&s->dirfd);
        if (!err)
                remove_store(s, s->name);
        sw_str_clear(&s->name);
        return err ? err : choose(s, ctx); /* which knows now what was chosen */
}

sw_err *
sw__snapshots_ready(sw__snapshots *s, sw_ctx *ctx)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&s->lock);
        if (!s->open) {
                err = choose(s, ctx);
                s->open = !err;
        }
        pthread_mutex_unlock(&s->lock);
        return sw_err_wrap(err, "open the snapshotter");
}

/* ---- operations ---- */

#define CALL(...)                                                                          \
        sw_err *err = sw__snapshots_ready(s, ctx);                                         \
        return err ? err : blame(s->name, __VA_ARGS__)

sw_err *
sw__snapshots_prepare(sw__snapshots *s, sw_ctx *ctx, const char *key, struct sw_stack lower)
{
        CALL(s->ops->prepare(s->store, ctx, key, &lower));
}

sw_err *
sw__snapshots_commit(sw__snapshots *s, sw_ctx *ctx, const char *key)
{
        CALL(s->ops->commit(s->store, ctx, key));
}

sw_err *
sw__snapshots_mount(sw__snapshots *s, sw_ctx *ctx, const char *key, bool root,
                    struct sw_snapshot_mount *out)
{
        *out = (struct sw_snapshot_mount){ sizeof(*out), -1, -1, NULL };
        CALL(root && SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, mount_root)
                     ? s->ops->mount_root(s->store, ctx, key, out)
                     : s->ops->mount(s->store, ctx, key, out));
}

sw_err *
sw__snapshots_view(sw__snapshots *s, sw_ctx *ctx, struct sw_stack stack,
                   struct sw_snapshot_mount *out)
{
        *out = (struct sw_snapshot_mount){ sizeof(*out), -1, -1, NULL };
        CALL(s->ops->view(s->store, ctx, &stack, out));
}

sw_err *
sw__snapshots_unmount(sw__snapshots *s, struct sw_snapshot_mount *m)
{
        return blame(s->name, s->ops->unmount(s->store, m));
}

sw_err *
sw__snapshots_write(sw__snapshots *s, sw_ctx *ctx, const char *key,
                    const struct sw_layer_ops **ops, void **w)
{
        CALL(s->ops->write(s->store, ctx, key, ops, w));
}

sw_err *
sw__snapshots_diff(sw__snapshots *s, sw_ctx *ctx, struct sw_stack lower,
                   struct sw_stack upper, const struct sw_layer_ops *ops, void *w)
{
        CALL(s->ops->diff(s->store, ctx, &lower, &upper, ops, w));
}

sw_err *
sw__snapshots_tell(sw__snapshots *s, sw_ctx *ctx, const char *key,
                   const struct sw_layer_ops *ops, void *w)
{
        const struct sw_stack nothing = { NULL, 0 }, one = { &key, 1 };
        sw_err *err = sw__snapshots_ready(s, ctx);

        if (err)
                return err;
        return blame(s->name,
                     SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, tell)
                             ? s->ops->tell(s->store, ctx, key, ops, w)
                             : s->ops->diff(s->store, ctx, &nothing, &one, ops, w));
}

sw_err *
sw__snapshots_usage(sw__snapshots *s, sw_ctx *ctx, const char *key,
                    struct sw_snapshot_usage *out)
{
        *out = (struct sw_snapshot_usage){ 0 };
        CALL(s->ops->usage(s->store, ctx, key, out));
}

sw_err *
sw__snapshots_stamp(sw__snapshots *s, sw_ctx *ctx, const char *key, uint64_t *out)
{
        sw_err *err = sw__snapshots_ready(s, ctx);

        *out = 0;
        if (err || !SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, usage_stamp))
                return err;
        return blame(s->name, s->ops->usage_stamp(s->store, ctx, key, out));
}

sw_err *
sw__snapshots_remove(sw__snapshots *s, sw_ctx *ctx, const char *key)
{
        CALL(s->ops->remove(s->store, ctx, key));
}

sw_err *
sw__snapshots_list(sw__snapshots *s, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        CALL(s->ops->list(s->store, ctx, fn, arg));
}

sw_err *
sw__snapshots_look(sw__snapshots *s, sw_ctx *ctx, struct sw_stack stack,
                   const struct sw_snapshotter_ops **ops, void **look)
{
        sw_err *err = sw__snapshots_ready(s, ctx);

        *ops = NULL;
        if (err || !SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, look_close) ||
            !SW_OPS_HAS(s->ops, struct sw_snapshotter_ops, look))
                return err;
        err = blame(s->name, s->ops->look(s->store, ctx, &stack, look));
        if (!err)
                *ops = s->ops;
        return err;
}
