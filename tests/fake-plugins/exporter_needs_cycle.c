/* tests/fake-plugins/exporter_needs_cycle.c - needs one of a cycle, but is not part of it.
 */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "cycle-a" }, { 0 } };

SW_PLUGIN(exporter_needs_cycle) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "needs-cycle"),
        .summary = "needs one of a cycle, but is not part of it",
        .needs = needs,
        .ops = &fake_ops.hdr,
};
