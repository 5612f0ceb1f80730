/* tests/fake-plugins/exporter_alias.c - provides "other-name", and "good", which another
 * plugin has for its own. */
#include "fake.h"

static const char *const provides[] = { "other-name", "good", NULL };

SW_PLUGIN(exporter_alias) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "alias"),
        .summary = "answers to another name",
        .provides = provides,
        .ops = &fake_ops.hdr,
};
