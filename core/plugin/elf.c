/*
 * core/plugin/elf.c - whether a file can be a module for this machine.
 *
 * The dynamic linker's answers to wrong files are short ("invalid ELF header"), and a file
 * that was cut short may kill the process when a page of it is touched that is not there.
 * So the headers are read first, with bounds; nothing is mapped.
 *
 * Thread: any, no state.
 */
#include <elf.h>
#include <endian.h>
#include <link.h>
#include <string.h>

#include <slipway/text.h>

#include "core/plugin/host_priv.h"

/* The header of the object this code was linked into: it is what a module must be like. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* More program headers and dynamic entries than any module has. */
enum { PHDRS_MAX = 64, DYNAMIC_MAX = 128 };

struct elf_file {
        int fd;
        uint64_t size;
        enum sw_plugin_fault fault; /* what a failed check means */
        ElfW(Ehdr) head;
        size_t n_phdrs;
        ElfW(Phdr) phdrs[PHDRS_MAX];
};

/* Read exactly @n bytes; false, with the reason, when the file does not have them. */
static bool
read_at(struct elf_file *f, void *p, size_t n, uint64_t off, sw_buf *why)
{
        size_t got = 0;

        while (got < n) {
                ssize_t r = pread(f->fd, (char *) p + got, n - got, (off_t) (off + got));

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0) {
                        sw_buf_addf(why, "cannot be read: %s", strerror(errno));
                        f->fault = SW_FAULT_UNREADABLE;
                        return false;
                }
                if (r == 0) {
                        const unsigned long long end = off + got;

                        sw_buf_addf(why, "cut short: it ends at byte %llu", end);
                        return false;
                }
                got += (size_t) r;
        }
        return true;
}

/* Whether bytes [off, off + n) are in the file. */
static bool
holds(const struct elf_file *f, uint64_t off, uint64_t n, const char *what, sw_buf *why)
{
        uint64_t end;

        if (!__builtin_add_overflow(off, n, &end) && end <= f->size)
                return true;
        sw_buf_addf(why, "cut short: its %s would go beyond its %llu bytes", what,
                    (unsigned long long) f->size);
        return false;
}

static void
add_machine(sw_buf *b, unsigned machine)
{
        static const struct {
                unsigned machine;
                const char *name;
        } names[] = {
                { EM_X86_64, "x86-64" }, { EM_386, "i386" },    { EM_AARCH64, "aarch64" },
                { EM_ARM, "arm" },       { EM_PPC64, "ppc64" }, { EM_S390, "s390x" },
                { EM_RISCV, "riscv" },   { EM_MIPS, "mips" },
        };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                if (names[i].machine == machine) {
                        sw_buf_adds(b, names[i].name);
                        return;
                }
        }
        sw_buf_addf(b, "ELF machine %u", machine);
}

/* The first bytes say it is ELF, of our word size, byte order and machine. */
static bool
check_ident(struct elf_file *f, sw_buf *why)
{
        const unsigned char *id = f->head.e_ident;
        const unsigned char *ours = __ehdr_start.e_ident;
        size_t n = f->size < sizeof(f->head) ? (size_t) f->size : sizeof(f->head);

        if (f->size == 0) {
                sw_buf_adds(why, "the file is empty");
                return false;
        }
        if (!read_at(f, &f->head, n, 0, why))
                return false;
        if (n < SELFMAG || memcmp(id, ELFMAG, SELFMAG) != 0) {
                sw_buf_adds(why, "not an ELF file: it starts with ");
                sw_buf_add_quoted(why, (const char *) id, n < 16 ? n : 16, 16);
                return false;
        }
        if (n < sizeof(f->head)) {
                sw_buf_addf(why, "cut short: %zu bytes are less than an ELF header", n);
                return false;
        }
        if (id[EI_DATA] != ours[EI_DATA] || id[EI_CLASS] != ours[EI_CLASS] ||
            f->head.e_machine != __ehdr_start.e_machine) {
                bool swapped = id[EI_DATA] != ours[EI_DATA];
                unsigned machine = f->head.e_machine;

                sw_buf_addf(why, "built for %s-bit ",
                            id[EI_CLASS] == ELFCLASS32 ? "32" : "64");
                add_machine(why, swapped ? __builtin_bswap16((uint16_t) machine) : machine);
                sw_buf_addf(why, "; this slipway is %s-bit ",
                            ours[EI_CLASS] == ELFCLASS32 ? "32" : "64");
                add_machine(why, __ehdr_start.e_machine);
                return false;
        }
        return true;
}

static bool
check_type(const struct elf_file *f, sw_buf *why)
{
        switch (f->head.e_type) {
        case ET_DYN: return true;
        case ET_EXEC: sw_buf_adds(why, "a program, not a shared object"); return false;
        case ET_REL:
                sw_buf_adds(why,
                            "an object file, not a shared object: link it with -shared");
                return false;
        default:
                sw_buf_addf(why, "not a shared object (ELF type %u)", f->head.e_type);
                return false;
        }
}

/* Everything the headers speak of is in the file. */
static bool
check_extent(struct elf_file *f, sw_buf *why)
{
        const ElfW(Ehdr) *h = &f->head;

        if (h->e_phentsize != sizeof(f->phdrs[0]) || h->e_phnum == 0 ||
            h->e_phnum > PHDRS_MAX) {
                sw_buf_addf(why, "damaged: it has %u program headers of %u bytes",
                            h->e_phnum, h->e_phentsize);
                return false;
        }
        f->n_phdrs = h->e_phnum;
        if (!holds(f, h->e_phoff, f->n_phdrs * sizeof(f->phdrs[0]), "program headers",
                   why) ||
            !read_at(f, f->phdrs, f->n_phdrs * sizeof(f->phdrs[0]), h->e_phoff, why))
                return false;
        for (size_t i = 0; i < f->n_phdrs; i++)
                if (!holds(f, f->phdrs[i].p_offset, f->phdrs[i].p_filesz, "segments", why))
                        return false;
        return h->e_shoff == 0 ||
               holds(f, h->e_shoff, (uint64_t) h->e_shnum * h->e_shentsize,
                     "section headers", why);
}

/* Programs are ET_DYN as well these days; a flag in the dynamic section tells. */
static bool
check_dynamic(struct elf_file *f, sw_buf *why)
{
        const ElfW(Phdr) *dynamic = NULL;
        ElfW(Dyn) entries[DYNAMIC_MAX] = { 0 };
        size_t n;

        for (size_t i = 0; i < f->n_phdrs && !dynamic; i++)
                if (f->phdrs[i].p_type == PT_DYNAMIC)
                        dynamic = &f->phdrs[i];
        if (!dynamic) {
                sw_buf_adds(why, "not a shared object: it has no dynamic section");
                return false;
        }
        n = dynamic->p_filesz / sizeof(entries[0]);
        n = n < DYNAMIC_MAX ? n : DYNAMIC_MAX;
        if (!read_at(f, entries, n * sizeof(entries[0]), dynamic->p_offset, why))
                return false;
        for (size_t i = 0; i < n && entries[i].d_tag != DT_NULL; i++) {
                if (entries[i].d_tag == DT_FLAGS_1 && (entries[i].d_un.d_val & DF_1_PIE)) {
                        sw_buf_adds(why, "a program, not a shared object");
                        return false;
                }
        }
        return true;
}

enum sw_plugin_fault
sw__elf_check(int fd, uint64_t size, sw_buf *why)
{
        struct elf_file f = { .fd = fd, .size = size, .fault = SW_FAULT_NOT_A_MODULE };
        bool fine = check_ident(&f, why) && check_type(&f, why) && check_extent(&f, why) &&
                    check_dynamic(&f, why);

        return fine ? SW_FAULT_NONE : f.fault;
}
