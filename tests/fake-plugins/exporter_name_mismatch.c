/* tests/fake-plugins/exporter_name_mismatch.c - calls itself by the name of another. */
#include "fake.h"

SW_PLUGIN(exporter_name_mismatch) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "good"),
        .summary = "its name is not that of its file",
        .ops = &fake_ops.hdr,
};
