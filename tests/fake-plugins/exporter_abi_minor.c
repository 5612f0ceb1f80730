/* tests/fake-plugins/exporter_abi_minor.c - built for a newer minor version of the ABI. */
#include "fake.h"

SW_PLUGIN(exporter_abi_minor) = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR,
        .abi_minor = SW_ABI_MINOR + 1,
        .size = sizeof(struct sw_plugin),
        .kind = SW_KIND_EXPORTER,
        .name = "abi-minor",
        .version = "9.0",
        .ops = &fake_ops.hdr,
};
