/* tests/fake-plugins/exporter_bad_summary.c - a summary that would steer a terminal. */
#include "fake.h"

SW_PLUGIN(exporter_bad_summary) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "bad-summary"),
        .summary = "\033[2J all is well",
        .ops = &fake_ops.hdr,
};
