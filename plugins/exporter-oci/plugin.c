/* plugins/exporter-oci/plugin.c - images as archives or directories: types oci, docker. */
#include <string.h>

#include "plugins/exporter-oci/oci.h"

static void
release_resolved(void *self, void *resolved)
{
        struct oci *o = resolved;

        (void) self;
        sw_imageexport_release(&o->e);
        free(o);
}

static sw_err *
take(sw_ctx *ctx, struct oci *o, const struct sw_attr *a)
{
        bool known = true, tar;
        sw_err *err;

        if (strcmp(a->key, "tar") == 0) {
                err = sw_imageexport_bool(a, &tar);
                o->dir = !err && !tar;
                return err;
        }
        err = sw_imageexport_attr(ctx, &o->e, a, &known);
        if (!err && !known)
                sw_imageexport_unknown(ctx, a);
        return err;
}

static sw_err *
resolve(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n, void **resolved)
{
        struct oci *o = sw_new(struct oci);
        sw_err *err = SW_OK;

        sw_imageexport_init(&o->e);
        for (size_t i = 0; i < n && !err; i++)
                err = take(ctx, o, &attrs[i]);
        if (!err)
                err = sw_imageexport_check(&o->e);
        if (err) {
                release_resolved(self, o);
                return err;
        }
        *resolved = o;
        return SW_OK;
}

static sw_err *
export_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
            struct sw_export_result *out)
{
        (void) self;
        return oci_export(ctx, req, out);
}

static const char *
title(void *self, const char *name)
{
        (void) self;
        return strcmp(name, "docker") == 0 ? "exporting to docker image format"
                                           : "exporting to oci image format";
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .resolve = resolve,
        .release_resolved = release_resolved,
        .export_refs = export_refs,
        .title = title,
};

static const char *const provides[] = { "docker", NULL };

SW_PLUGIN(exporter_oci) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "oci"),
        .summary = "the result as an image: an archive or a directory",
        .provides = provides,
        .ops = &ops.hdr,
};
