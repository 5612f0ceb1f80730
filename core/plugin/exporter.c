/*
 * core/plugin/exporter.c - the only way the core calls an exporter: presence of each
 * operation is checked, and errors carry the plugin's name.
 *
 * Thread: any worker; nothing here has state.
 */
#include <assert.h>
#include <string.h>

#include <slipway/exporter.h>
#include <slipway/host.h>

#include "core/plugin/host_priv.h"

void
sw_export_answer(struct sw_export_result *out, const char *key, const char *value)
{
        assert(out->response);
        (void) sw_map_set(out->response, key, sw_strdup(value));
}

const char *
sw_attr_get(const struct sw_attr *a, size_t n, const char *key)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(a[i].key, key) == 0)
                        return a[i].value;
        return NULL;
}

sw_err *
sw_host_exporter(const sw_host *h, const char *name, struct sw_exporter *out)
{
        const struct sw_ops_hdr *ops;
        void *self;
        sw_err *err = sw_host_lookup(h, SW_KIND_EXPORTER, name, &ops, &self);

        if (err)
                return err;
        *out = (struct sw_exporter){
                .ops = (const struct sw_exporter_ops *) ops,
                .self = self,
                .name = sw_host_find(h, SW_KIND_EXPORTER, name)->name,
        };
        return SW_OK;
}

/* @err with this exporter as the culprit. */
static sw_err *
blame(const struct sw_exporter *e, sw_err *err)
{
        if (err) {
                sw_auto(sw_str) id = sw_asprintf("exporter/%s", e->name);

                sw_err_set_plugin(err, id);
        }
        return err;
}

sw_err *
sw_exporter_resolve(const struct sw_exporter *e, sw_ctx *ctx, const struct sw_attr *attrs,
                    size_t n, void **resolved)
{
        void *made = NULL;
        sw_err *err;

        if (SW_OPS_HAS(e->ops, struct sw_exporter_ops, resolve)) {
                err = e->ops->resolve(e->self, ctx, attrs, n, &made);
                if (err)
                        return blame(e, err);
        }
        *resolved = made;
        return SW_OK;
}

char *
sw_exporter_title(const struct sw_exporter *e, const char *name)
{
        const char *title = NULL;

        if (SW_OPS_HAS(e->ops, struct sw_exporter_ops, title))
                title = e->ops->title(e->self, name);
        return title ? sw_strdup(title) : sw_asprintf("exporting to %s", name);
}

char *
sw_exporter_finalize_title(const struct sw_exporter *e, const void *resolved,
                           const char *name)
{
        const char *title;

        if (!SW_OPS_HAS(e->ops, struct sw_exporter_ops, finalize))
                return NULL;
        if (!SW_OPS_HAS(e->ops, struct sw_exporter_ops, finalize_title))
                return sw_asprintf("%s: finishing", name);
        title = e->ops->finalize_title(e->self, resolved);
        return title ? sw_strdup(title) : NULL;
}

void
sw_exporter_release(const struct sw_exporter *e, void *resolved)
{
        if (resolved && SW_OPS_HAS(e->ops, struct sw_exporter_ops, release_resolved))
                e->ops->release_resolved(e->self, resolved);
}

sw_err *
sw_exporter_export(const struct sw_exporter *e, sw_ctx *ctx,
                   const struct sw_export_request *req, struct sw_export_result *out)
{
        sw_err *err = sw_ctx_check(ctx);

        if (err)
                return err;
        return blame(e, e->ops->export_refs(e->self, ctx, req, out));
}

sw_err *
sw_exporter_finalize(const struct sw_exporter *e, sw_ctx *ctx,
                     const struct sw_export_request *req, struct sw_export_result *out)
{
        sw_err *err = sw_ctx_check(ctx);

        if (err)
                return err;
        sw_auto(sw_str) title = sw_exporter_finalize_title(e, req->resolved, "");
        if (!title)
                return SW_OK;
        return blame(e, e->ops->finalize(e->self, ctx, req, out));
}
