/* tests/fake-plugins/exporter_abi_larger.c - same ABI, but a descriptor with members this
 * slipway does not know of. */
#include "fake.h"

struct long_plugin {
        struct sw_plugin known;
        const void *unknown[4];
};

SW_API extern const struct long_plugin exporter_abi_larger_LTX_sw_plugin;
const struct long_plugin exporter_abi_larger_LTX_sw_plugin = {
        .known = {
                .magic = SW_PLUGIN_MAGIC,
                .abi_major = SW_ABI_MAJOR,
                .abi_minor = SW_ABI_MINOR,
                .size = sizeof(struct long_plugin),
                .kind = SW_KIND_EXPORTER,
                .name = "abi-larger",
                .ops = &fake_ops.hdr,
        },
        .unknown = { &fake_ops, &fake_ops, &fake_ops, &fake_ops },
};
