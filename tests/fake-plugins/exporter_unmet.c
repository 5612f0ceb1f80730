/* tests/fake-plugins/exporter_unmet.c - needs a plugin that does not exist. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_SOURCE, "nowhere" }, { 0 } };

SW_PLUGIN(exporter_unmet) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "unmet"),
        .summary = "needs a plugin that does not exist",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
