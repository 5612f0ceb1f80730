/*
 * plugins/exporter-@NAME@/plugin.c - exporter "@NAME@": notes what it was given.
 */
#include <slipway/exporter.h>

static sw_err *
@ID@_export(void *self, sw_ctx *ctx, const struct sw_export_request *req,
            struct sw_export_result *out)
{
        (void) self;
        sw_progress_note(ctx, "@NAME@: %zu results", req->n_refs);
        sw_export_answer(out, "@NAME@.results", req->n_refs == 1 ? "one" : "several");
        return sw_ctx_check(ctx);
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .export_refs = @ID@_export,
};

SW_PLUGIN(exporter_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "@NAME@"),
        .summary = "note what was built",
        .ops = &ops.hdr,
};
