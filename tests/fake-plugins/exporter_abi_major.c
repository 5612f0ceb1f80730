/* tests/fake-plugins/exporter_abi_major.c - built for the next ABI. */
#include "fake.h"

SW_PLUGIN(exporter_abi_major) = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR + 1,
        .size = sizeof(struct sw_plugin),
        .kind = SW_KIND_EXPORTER,
        .name = "abi-major",
        .ops = &fake_ops.hdr,
};
