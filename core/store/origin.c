/*
 * core/store/origin.c - the source plugins that lazy layers come from, and blobs fetched
 * through them. See unpack.h.
 * Thread: any.
 */
#include <slipway/source.h>

#include "core/store/unpack.h"
#include "core/store/worklock.h"

static sw_err *
find(sw_worker *w, const char *name, const struct sw_source_ops **ops, void **self)
{
        const struct sw_ops_hdr *hdr = NULL;

        if (w->source) {
                *ops = w->source;
                *self = w->source_self;
                return SW_OK;
        }
        if (!w->host)
                return sw_err_new(SW_E_UNSUPPORTED, "no plugins are loaded");
        sw_err *err = sw_host_require(w->host, SW_KIND_SOURCE, name);
        if (!err)
                err = sw_host_lookup(w->host, SW_KIND_SOURCE, name, &hdr, self);
        *ops = (const struct sw_source_ops *) hdr;
        return err;
}

sw_err *
sw__origin_ops(sw_worker *w, const char *name, const struct sw_source_ops **ops,
               void **self)
{
        sw_err *err = find(w, name, ops, self);

        if (!err && (!SW_OPS_HAS(*ops, struct sw_source_ops, blob_fetch) ||
                     !SW_OPS_HAS(*ops, struct sw_source_ops, blob_unpack)))
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "source/%s does not fetch blobs (is it older than the "
                                 "store?)",
                                 name);
        return err;
}

struct fetching {
        sw_worker *w;
        const struct sw_blob *blob;
        const struct sw_source_ops *ops;
        void *self;
};

static sw_err *
fetch(void *arg, sw_ctx *ctx, struct sw_session *session)
{
        const struct fetching *f = arg;

        return f->ops->blob_fetch(f->self, ctx, session, f->w, f->blob->origin->locator,
                                  f->blob);
}

/* With the lock: who had it before may have brought it. */
static sw_err *
fetch_locked(struct fetching *f, sw_ctx *ctx)
{
        struct sw_blob_info info;
        sw_err *err = sw_content_info(f->w->content, &f->blob->digest, &info);

        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "it is fetched");
        err = sw_ctx_with_session(ctx, fetch, f);
        if (err) {
                sw_auto(sw_str) id = sw_asprintf("source/%s", f->blob->origin->plugin);

                sw_err_set_plugin(err, id);
        }
        return err;
}

sw_err *
sw__origin_fetch(sw_worker *w, sw_ctx *ctx, const struct sw_blob *blob)
{
        struct fetching f = { .w = w, .blob = blob };
        char text[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name = sw_asprintf("fetch:%s", sw_digest_str(&blob->digest, text));
        int lock = -1;
        sw_err *err = sw__origin_ops(w, blob->origin->plugin, &f.ops, &f.self);

        if (!err)
                err = sw__work_lock(w, ctx, name, &lock);
        if (!err)
                err = fetch_locked(&f, ctx);
        sw__work_unlock(w, lock);
        return sw_err_wrap(err, "fetch %s from %s", text, blob->origin->locator);
}
