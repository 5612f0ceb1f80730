/* tests/fake-plugins/exporter_long_descriptor.c - says that it is longer than it is. */
#include "fake.h"

SW_PLUGIN(exporter_long_descriptor) = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR,
        .abi_minor = SW_ABI_MINOR,
        .size = sizeof(struct sw_plugin) + 4096,
        .kind = SW_KIND_EXPORTER,
        .name = "long-descriptor",
        .ops = &fake_ops.hdr,
};
