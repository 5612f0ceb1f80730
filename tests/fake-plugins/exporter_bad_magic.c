/* tests/fake-plugins/exporter_bad_magic.c - not written with SW_PLUGIN_V1. */
#include "fake.h"

SW_PLUGIN(exporter_bad_magic) = {
        .magic = 0xdeadbeef,
        .abi_major = SW_ABI_MAJOR,
        .size = sizeof(struct sw_plugin),
        .kind = SW_KIND_EXPORTER,
        .name = "bad-magic",
        .ops = &fake_ops.hdr,
};
