/*
 * core/engine/platforms.c - what can be built for: what the configuration says, or else
 * this machine and what its kernel hands to an emulator (binfmt_misc).
 *
 * Nothing is run to find out: an entry that is enabled by the name that packages of QEMU
 * give it is taken for one that works.
 * Thread: any.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/text.h>

#include "core/engine/engine_priv.h"

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

typedef SW_ARRAY(const sw_platform *) platforms;

static bool
same(const sw_platform *a, const sw_platform *b)
{
        sw_auto(sw_str) x = sw_platform_str(a);
        sw_auto(sw_str) y = sw_platform_str(b);

        return strcmp(x, y) == 0;
}

static void
add(platforms *out, const char *text)
{
        sw_platform *p = NULL;
        sw_err *err = sw_platform_parse(text, &p);

        if (err) {
                sw_err_drop(err, "the configuration was checked, the rest is written here");
                return;
        }
        for (size_t i = 0; i < out->n; i++)
                if (same(out->v[i], p)) {
                        sw_platform_free(p);
                        return;
                }
        sw_array_push(out, p);
}

static bool
is_enabled(int dir, const char *entry)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, dir, entry, 4096);
        bool yes = !err && sw_str_has_prefix(text.data, "enabled");

        sw_err_drop(err, "it is not there then");
        return yes;
}

static void
add_emulated(platforms *out)
{
        sw_auto(sw_fd) dir = open(BINFMT, O_PATH | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; dir >= 0 && i < SW_COUNT(emulators); i++) {
                if (!is_enabled(dir, emulators[i].entry))
                        continue;
                for (size_t k = 0; k < SW_COUNT(emulators[i].platforms); k++)
                        if (emulators[i].platforms[k])
                                add(out, emulators[i].platforms[k]);
        }
}

const sw_platform **
sw__engine_platforms(const sw_engine *e)
{
        const sw_strlist *said = sw_config_list(e->config, "worker.oci.platforms");
        platforms found = { 0 };

        for (size_t i = 0; i < said->n; i++)
                add(&found, said->v[i]);
        if (found.n == 0) {
                sw_array_push(&found, sw_platform_normalize(sw_platform_host()));
                add_emulated(&found);
        }
        sw_array_push(&found, NULL);
        return found.v;
}
