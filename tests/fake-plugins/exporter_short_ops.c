/* tests/fake-plugins/exporter_short_ops.c - a table whose size was not set. */
#include "fake.h"

static const struct sw_exporter_ops ops = { .export_refs = fake_refs };

SW_PLUGIN(exporter_short_ops) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "short-ops"),
        .summary = "a table without a size",
        .ops = &ops.hdr,
};
