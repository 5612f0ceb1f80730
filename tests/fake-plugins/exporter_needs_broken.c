/* tests/fake-plugins/exporter_needs_broken.c - needs a plugin that is broken. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "abi-major" }, { 0 } };

SW_PLUGIN(exporter_needs_broken) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "needs-broken"),
        .summary = "needs a plugin that is broken",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
