/*
 * core/base/emulator.c - see emulator.h.
 */
#include <fcntl.h>

#include <slipway/buf.h>
#include <slipway/text.h>

#include "core/base/emulator.h"

#define BINFMT "/proc/sys/fs/binfmt_misc"

/* Entries of binfmt_misc and what they run. */
static const struct {
        const char *entry;
        const char *platforms[3];
} emulators[] = {
        { "qemu-x86_64", { "linux/amd64" } },
        { "qemu-aarch64", { "linux/arm64" } },
        { "qemu-i386", { "linux/386" } },
        { "qemu-arm", { "linux/arm/v7", "linux/arm/v6" } },
        { "qemu-riscv64", { "linux/riscv64" } },
        { "qemu-ppc64le", { "linux/ppc64le" } },
        { "qemu-s390x", { "linux/s390x" } },
        { "qemu-mips64el", { "linux/mips64le" } },
        { "qemu-mips64", { "linux/mips64" } },
        { "qemu-loongarch64", { "linux/loong64" } },
};

static bool
is_enabled(int dir, const char *entry)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, dir, entry, 4096);
        bool yes = !err && sw_str_has_prefix(text.data, "enabled");

        sw_err_drop(err, "it is not there then");
        return yes;
}

void
sw__emulated(sw_strlist *out)
{
        sw_auto(sw_fd) dir = open(BINFMT, O_PATH | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; dir >= 0 && i < SW_COUNT(emulators); i++)
                if (is_enabled(dir, emulators[i].entry))
                        for (size_t k = 0; emulators[i].platforms[k]; k++)
                                sw_strlist_add(out, emulators[i].platforms[k]);
}
