/* tests/fake-plugins/exporter_kind_mismatch.c - says frontend, its file says exporter. */
#include "fake.h"

SW_PLUGIN(exporter_kind_mismatch) = {
        SW_PLUGIN_V1(SW_KIND_FRONTEND, "kind-mismatch"),
        .summary = "its kind is not that of its file",
        .ops = &fake_ops.hdr,
};
