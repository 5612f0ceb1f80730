/* plugins/exporter-tar/plugin.c - the result as a tar archive, to a file or a pipe. */
#include "plugins/exporter-tar/tar.h"

static sw_err *
resolve(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n, void **resolved)
{
        (void) self;
        return sw_fsexport_resolve(ctx, attrs, n, false, resolved);
}

static sw_err *
export_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
            struct sw_export_result *out)
{
        (void) self;
        (void) out;
        return tar_export(ctx, req);
}

static const char *
title(void *self, const char *name)
{
        (void) self;
        (void) name;
        return "exporting to client tarball";
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .resolve = resolve,
        .release_resolved = sw_fsexport_release,
        .export_refs = export_refs,
        .title = title,
};

SW_PLUGIN(exporter_tar) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "tar"),
        .summary = "the files of the result as a tar archive",
        .ops = &ops.hdr,
};
