/* tests/fake-plugins/exporter_needs_good.c - needs exporter/good and uses it in init. */
#include "fake.h"

static const struct sw_need needs[] = { { SW_KIND_EXPORTER, "good" }, { 0 } };

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        void *other;
        const struct sw_ops_hdr *ops = env->need(env, SW_KIND_EXPORTER, "good", &other);

        if (ops->size != sizeof(struct sw_exporter_ops) || !other)
                return sw_err_new(SW_E_INTERNAL, "exporter/good was not handed over");
        return fake_start(env, "exporter/needs-good", self);
}

SW_PLUGIN(exporter_needs_good) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "needs-good"),
        .summary = "needs exporter/good",
        .needs = needs,
        .ops = &fake_ops.hdr,
        .init = init,
        .shutdown = fake_stop,
};
