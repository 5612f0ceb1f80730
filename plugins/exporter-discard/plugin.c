/* plugins/exporter-discard/plugin.c - accepts results, writes nothing. */
#include <slipway/exporter.h>

static sw_err *
discard_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
             struct sw_export_result *out)
{
        (void) self;
        (void) out;
        sw_progress_note(ctx, "discarding %zu results", req->n_refs);
        return SW_OK;
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .export_refs = discard_refs,
};

SW_PLUGIN(exporter_discard) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "discard"),
        .summary = "drop the result; for benchmarks",
        .ops = &ops.hdr,
};
