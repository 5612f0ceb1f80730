/* tests/fake-plugins/exporter_null_ops.c - no table. */
#include "fake.h"

SW_PLUGIN(exporter_null_ops) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "null-ops"),
        .summary = "no table",
};
