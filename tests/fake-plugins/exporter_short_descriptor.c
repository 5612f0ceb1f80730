/* tests/fake-plugins/exporter_short_descriptor.c - says that it ends before its name. */
#include "fake.h"

SW_PLUGIN(exporter_short_descriptor) = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR,
        .abi_minor = SW_ABI_MINOR,
        .size = 16,
        .kind = SW_KIND_EXPORTER,
        .name = "short-descriptor",
        .ops = &fake_ops.hdr,
};
