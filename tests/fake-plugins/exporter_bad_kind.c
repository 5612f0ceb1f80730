/* tests/fake-plugins/exporter_bad_kind.c - a kind that does not exist. */
#include "fake.h"

SW_PLUGIN(exporter_bad_kind) = {
        SW_PLUGIN_V1(99, "bad-kind"),
        .summary = "its kind is none",
        .ops = &fake_ops.hdr,
};
