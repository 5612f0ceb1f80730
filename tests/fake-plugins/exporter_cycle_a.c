/* tests/fake-plugins/exporter_cycle_a.c - needs exporter/cycle-b, which needs it. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "cycle-b" }, { 0 } };

SW_PLUGIN(exporter_cycle_a) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "cycle-a"),
        .summary = "needs exporter/cycle-b, which needs it",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
