/* tests/fake-plugins/exporter_good.c - nothing is wrong with it. */
#define SW_PLUGIN_VERSION "1.2.3"
#include "fake.h"

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        return fake_start(env, "exporter/good", self);
}

SW_PLUGIN(exporter_good) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "good"),
        .summary = "nothing is wrong with it",
        .ops = &fake_ops.hdr,
        .init = init,
        .shutdown = fake_stop,
};
