/* tests/fake-plugins/exporter_init_says.c - init fails with the words of its option. */
#include "fake.h"

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        (void) self;
        return sw_err_new(SW_E_IO, "%s", sw_options_str(env->options, "words"));
}

static const struct sw_option options[] = {
        { "words", SW_OPT_STRING, "", "what its error says" },
        { 0 },
};

SW_PLUGIN(exporter_init_says) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "init-says"),
        .summary = "init fails with any words",
        .options = options,
        .ops = &fake_ops.hdr,
        .init = init,
};
