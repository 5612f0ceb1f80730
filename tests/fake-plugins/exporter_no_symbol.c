/* tests/fake-plugins/exporter_no_symbol.c - calls a function that is nowhere. It is linked
 * without -z now, so that it would load and then end the program at the first call. */
#include "fake.h"

sw_err *sw_fake_missing_function(void);

static sw_err *
refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
     struct sw_export_result *out)
{
        (void) fake_refs(self, ctx, req, out);
        return sw_fake_missing_function();
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .export_refs = refs,
};

SW_PLUGIN(exporter_no_symbol) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "no-symbol"),
        .summary = "a function is missing",
        .ops = &ops.hdr,
};
