/* tests/fake-plugins/exporter_no_export_refs.c - lacks what every exporter must have. */
#include "fake.h"

static const struct sw_exporter_ops ops = { .hdr = SW_OPS_SIZE(struct sw_exporter_ops) };

SW_PLUGIN(exporter_no_export_refs) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "no-export-refs"),
        .summary = "an exporter that cannot export",
        .ops = &ops.hdr,
};
