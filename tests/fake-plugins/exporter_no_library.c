/* tests/fake-plugins/exporter_no_library.c - needs libgone, which is not found. */
#include "fake.h"

int fake_gone(void);

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        (void) env;
        (void) self;
        return fake_gone() ? SW_OK : sw_err_new(SW_E_INTERNAL, "gone");
}

SW_PLUGIN(exporter_no_library) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "no-library"),
        .summary = "a library is missing",
        .ops = &fake_ops.hdr,
        .init = init,
};
