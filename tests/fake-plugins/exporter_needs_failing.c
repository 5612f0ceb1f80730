/* tests/fake-plugins/exporter_needs_failing.c - needs a plugin whose init fails. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "init-fails" }, { 0 } };

SW_PLUGIN(exporter_needs_failing) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "needs-failing"),
        .summary = "needs a plugin whose init fails",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
