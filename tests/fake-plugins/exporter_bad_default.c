/* tests/fake-plugins/exporter_bad_default.c - a default that is not of the option's type.
 */
#include "fake.h"

static const struct sw_option options[] = {
        { "level", SW_OPT_INT, "much", "how much" },
        { 0 },
};

SW_PLUGIN(exporter_bad_default) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "bad-default"),
        .summary = "an impossible default",
        .options = options,
        .ops = &fake_ops.hdr,
};
