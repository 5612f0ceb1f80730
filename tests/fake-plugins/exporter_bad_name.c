/* tests/fake-plugins/exporter_bad_name.c - a name that is none, with an escape in it. */
#include "fake.h"

SW_PLUGIN(exporter_bad_name) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "Bad\x1b Name"),
        .summary = "its name is none",
        .ops = &fake_ops.hdr,
};
