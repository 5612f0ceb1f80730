/* tests/fake-plugins/exporter_cycle_b.c - needs exporter/cycle-a, which needs it. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "cycle-a" }, { 0 } };

SW_PLUGIN(exporter_cycle_b) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "cycle-b"),
        .summary = "needs exporter/cycle-a, which needs it",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
