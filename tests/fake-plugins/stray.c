/* tests/fake-plugins/stray.c - a plugin whose file starts with no kind. */
#include "fake.h"

SW_PLUGIN(stray) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "stray"),
        .summary = "its file lacks the kind",
        .ops = &fake_ops.hdr,
};
