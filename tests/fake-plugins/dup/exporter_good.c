/* tests/fake-plugins/dup/exporter_good.c - takes the name of ../exporter_good.c. */
#define SW_PLUGIN_VERSION "6.6.6"
#include "../fake.h"

SW_PLUGIN(exporter_good) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "good"),
        .summary = "the name is taken",
        .ops = &fake_ops.hdr,
};
