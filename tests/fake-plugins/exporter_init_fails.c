/* tests/fake-plugins/exporter_init_fails.c - init says no. */
#include "fake.h"

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        (void) env;
        (void) self;
        return sw_err_new(SW_E_UNSUPPORTED, "this machine has no crane");
}

SW_PLUGIN(exporter_init_fails) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "init-fails"),
        .summary = "init says no",
        .ops = &fake_ops.hdr,
        .init = init,
};
