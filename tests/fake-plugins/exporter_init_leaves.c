/* tests/fake-plugins/exporter_init_leaves.c - init fails, but sets self: an out-parameter
 * that must not count. A shutdown of what was never ready ends the program. */
#include "fake.h"

static int thing;

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        (void) env;
        *self = &thing;
        return sw_err_new(SW_E_IO, "half way there");
}

static void
shutdown(void *self)
{
        (void) self;
        abort();
}

SW_PLUGIN(exporter_init_leaves) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "init-leaves"),
        .summary = "init fails and leaves something",
        .ops = &fake_ops.hdr,
        .init = init,
        .shutdown = shutdown,
};
