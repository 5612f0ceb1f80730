/* tests/fake-plugins/exporter_null_name.c - has no name at all. */
#include "fake.h"

SW_PLUGIN(exporter_null_name) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, NULL),
        .ops = &fake_ops.hdr,
};
