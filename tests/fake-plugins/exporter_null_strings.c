/* tests/fake-plugins/exporter_null_strings.c - version and summary may be absent. */
#include "fake.h"

SW_PLUGIN(exporter_null_strings) = {
        .magic = SW_PLUGIN_MAGIC,
        .abi_major = SW_ABI_MAJOR,
        .abi_minor = SW_ABI_MINOR,
        .size = sizeof(struct sw_plugin),
        .kind = SW_KIND_EXPORTER,
        .name = "null-strings",
        .ops = &fake_ops.hdr,
};
