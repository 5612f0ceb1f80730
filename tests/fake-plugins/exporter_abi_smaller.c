/* tests/fake-plugins/exporter_abi_smaller.c - a descriptor that ends with the last member
 * that is required; what stands behind it in memory is no init and no shutdown. */
#include "fake.h"

struct short_plugin {
        uint32_t magic;
        uint16_t abi_major, abi_minor;
        uint32_t size, kind;
        const char *name, *version, *summary;
        const struct sw_need *needs;
        const struct sw_option *options;
        const char *const *provides;
        const struct sw_ops_hdr *ops;
        uintptr_t poison[2];
};
_Static_assert(offsetof(struct short_plugin, ops) == offsetof(struct sw_plugin, ops),
               "the same members");

SW_API extern const struct short_plugin exporter_abi_smaller_LTX_sw_plugin;
const struct short_plugin exporter_abi_smaller_LTX_sw_plugin = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR,
        .abi_minor = SW_ABI_MINOR,
        .size = offsetof(struct short_plugin, poison),
        .kind = SW_KIND_EXPORTER,
        .name = "abi-smaller",
        .version = "0.0.1",
        .ops = &fake_ops.hdr,
        .poison = { 1, 1 },
};
