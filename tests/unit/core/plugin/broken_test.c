/*
 * tests/unit/core/plugin/broken_test.c - every way a plugin can be wrong: its state, the
 * stable name of the fault, and the message.
 */
#include <elf.h>
#include <grp.h>
#include <sys/wait.h>

#include <slipway/exporter.h>

#include "tests/unit/core/plugin/hosted.h"

struct fault_case {
        const char *name; /* of the fake, and of its file */
        const char *fault;
        enum sw_code code; /* of a look-up */
        const char *part;  /* of the message */
};

static const struct fault_case cases[] = {
        { "exporter_abi_major", "abi-major", SW_E_ABI, "built for plugin ABI 2.0" },
        { "exporter_abi_minor", "abi-minor", SW_E_ABI, "newer than this slipway's 1.0" },
        { "exporter_no_descriptor", "no-descriptor", SW_E_BROKEN,
          "does not export exporter_no_descriptor_LTX_sw_plugin" },
        { "exporter_bad_magic", "bad-descriptor", SW_E_BROKEN, "0xdeadbeef" },
        { "exporter_bad_name", "bad-descriptor", SW_E_BROKEN, "name \"Bad\\x1b Name\"" },
        { "exporter_null_name", "bad-descriptor", SW_E_BROKEN, "name \"\"" },
        { "exporter_bad_kind", "bad-descriptor", SW_E_BROKEN, "kind 99" },
        { "exporter_kind_mismatch", "bad-descriptor", SW_E_BROKEN,
          "calls itself frontend/kind-mismatch, so its file must be named "
          "frontend_kind_mismatch.so" },
        { "exporter_name_mismatch", "bad-descriptor", SW_E_BROKEN,
          "calls itself exporter/good" },
        { "exporter_bad_summary", "bad-descriptor", SW_E_BROKEN, "summary" },
        { "exporter_short_descriptor", "bad-descriptor", SW_E_BROKEN, "16 bytes" },
        { "exporter_long_descriptor", "bad-descriptor", SW_E_BROKEN, "but it has" },
        { "exporter_null_ops", "bad-descriptor", SW_E_BROKEN, "no table of operations" },
        { "exporter_short_ops", "bad-descriptor", SW_E_BROKEN, "0 bytes" },
        { "exporter_no_export_refs", "bad-descriptor", SW_E_BROKEN, "lacks export_refs" },
        { "exporter_bad_default", "bad-descriptor", SW_E_BROKEN,
          "option level has a wrong default: \"much\"" },
        { "exporter_no_symbol", "unresolved", SW_E_BROKEN,
          "undefined symbol: sw_fake_missing_function" },
        { "exporter_no_library", "unresolved", SW_E_BROKEN,
          "libgone.so: cannot open shared object file" },
        { "exporter_cycle_a", "need-cycle", SW_E_UNMET,
          "exporter/cycle-a -> exporter/cycle-b -> exporter/cycle-a" },
        { "exporter_cycle_b", "need-cycle", SW_E_UNMET,
          "exporter/cycle-b -> exporter/cycle-a -> exporter/cycle-b" },
        { "exporter_needs_cycle", "unmet-need", SW_E_UNMET,
          "needs exporter/cycle-a, which is broken: needs itself" },
        { "exporter_unmet", "unmet-need", SW_E_UNMET,
          "needs source/nowhere, which is not there: install the package "
          "slipway-source-nowhere" },
        { "exporter_needs_broken", "unmet-need", SW_E_UNMET,
          "needs exporter/abi-major, which is broken: built for plugin ABI 2.0" },
        { "exporter_init_fails", "init-failed", SW_E_BROKEN, "this machine has no crane" },
        { "exporter_init_leaves", "init-failed", SW_E_BROKEN, "half way there" },
        { "exporter_needs_failing", "unmet-need", SW_E_UNMET,
          "needs exporter/init-fails, which is broken: this machine has no crane" },
};

static const char *const good[] = { "exporter_good",        "exporter_needs_good",
                                    "exporter_options",     "exporter_alias",
                                    "exporter_abi_smaller", "exporter_abi_larger",
                                    "exporter_null_strings" };

static char *
so(const char *name)
{
        return sw_asprintf("%s.so", name);
}

/* "cycle-a" for "exporter_cycle_a". */
static char *
plugin_name(const char *file)
{
        char *name = sw_strdup(strchr(file, '_') + 1);

        for (char *p = name; *p; p++)
                if (*p == '_')
                        *p = '-';
        return name;
}

static void
put_all(void)
{
        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) file = so(cases[i].name);
                put(cases[i].name, file);
        }
        for (size_t i = 0; i < SW_COUNT(good); i++) {
                sw_auto(sw_str) file = so(good[i]);
                put(good[i], file);
        }
}

/* Would catch: a fault named wrongly, a bad message, one plugin that stops the others. */
START_TEST(all_at_once)
{
        put_all();
        sw_host *h = host_of(scratch, NULL, log_here());

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), SW_COUNT(cases) + SW_COUNT(good));
        for (size_t i = 0; i < SW_COUNT(good); i++) {
                sw_auto(sw_str) file = so(good[i]);
                in_state(h, file, SW_PLUGIN_READY);
        }
        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                const struct fault_case *c = &cases[i];
                sw_auto(sw_str) file = so(c->name);
                sw_auto(sw_str) name = plugin_name(c->name);

                broken(h, file, c->fault, c->part);
                fails(sw_host_lookup(h, SW_KIND_EXPORTER, name, NULL, NULL), c->code,
                      c->part);
                fails(sw_host_lookup(h, SW_KIND_EXPORTER, name, NULL, NULL), c->code, name);
                ck_assert_ptr_nonnull(strstr(logged(), c->part[0] == 'n' ? c->name : file));
        }
        sw_host_free(h);
}
END_TEST

/* Would catch: require that tells other stories than load. */
START_TEST(each_alone)
{
        put_all();
        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                const struct fault_case *c = &cases[i];
                sw_auto(sw_str) name = plugin_name(c->name);
                sw_host *h = host_of(scratch, NULL, NULL);

                fails(sw_host_require(h, SW_KIND_EXPORTER, name), c->code, c->part);
                sw_host_free(h);
        }
        for (size_t i = 0; i < SW_COUNT(good); i++) {
                sw_auto(sw_str) name = plugin_name(good[i]);
                sw_host *h = host_of(scratch, NULL, NULL);

                ok(sw_host_require(h, SW_KIND_EXPORTER, name));
                sw_host_free(h);
        }
}
END_TEST

/* Would catch: init or shutdown read from behind a descriptor that ends before them. */
START_TEST(smaller_and_larger_descriptors)
{
        put("exporter_abi_smaller", "exporter_abi_smaller.so");
        put("exporter_abi_larger", "exporter_abi_larger.so");
        put("exporter_null_strings", "exporter_null_strings.so");
        sw_host *h = host_of(scratch, NULL, NULL);
        const struct sw_plugin_info *p;

        ok(sw_host_load(h));
        p = info_of(h, "exporter_abi_smaller.so");
        ck_assert_int_eq(p->state, SW_PLUGIN_READY);
        ck_assert(p->descriptor->init == NULL && p->descriptor->shutdown == NULL);
        in_state(h, "exporter_abi_larger.so", SW_PLUGIN_READY);
        p = info_of(h, "exporter_null_strings.so");
        ck_assert_str_eq(p->version, "");
        ck_assert_str_eq(p->summary, "");
        sw_host_free(h);
}
END_TEST

/* Would catch: a listing without the name of a plugin that is only too new. */
START_TEST(broken_ones_are_named_as_far_as_known)
{
        put("exporter_abi_minor", "exporter_abi_minor.so");
        put("exporter_abi_major", "exporter_abi_major.so");
        put("exporter_bad_summary", "exporter_bad_summary.so");
        sw_host *h = host_of(scratch, NULL, NULL);
        const struct sw_plugin_info *p;

        ok(sw_host_scan(h));
        p = info_of(h, "exporter_abi_minor.so");
        ck_assert_str_eq(p->name, "abi-minor");
        ck_assert_str_eq(p->version, "9.0");
        ck_assert_uint_eq(p->abi_minor, SW_ABI_MINOR + 1);
        ck_assert_ptr_null(p->descriptor);
        p = info_of(h, "exporter_abi_major.so"); /* its layout is not known */
        ck_assert_str_eq(p->name, "");
        ck_assert_uint_eq(p->abi_major, SW_ABI_MAJOR + 1);
        p = info_of(h, "exporter_bad_summary.so");
        ck_assert_str_eq(p->name, "bad-summary");
        ck_assert_str_eq(p->summary, "");
        sw_host_free(h);
}
END_TEST

/* Would catch: a file without a kind that is taken for a plugin, or passed over. */
START_TEST(file_without_a_kind)
{
        put("stray", "stray.so");
        put_bytes("notes.so", "hello", 5);
        put_bytes("notes.txt", "hello", 5);
        put_bytes(".hidden.so", "hello", 5);
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 2);
        broken(h, "stray.so", "bad-descriptor", "exporter_stray.so");
        broken(h, "notes.so", "not-a-module", "starts with \"hello\"");
        fails(sw_host_require(h, SW_KIND_EXPORTER, "stray"), SW_E_NOT_FOUND, "");
        sw_host_free(h);
}
END_TEST

/* Would catch: opening what blocks, or what is no file. */
START_TEST(not_files)
{
        subdir("exporter_dir.so");
        ck_assert_int_eq(mkfifo(below("exporter_fifo.so"), 0644), 0);
        ck_assert_int_eq(symlink("/dev/zero", below("exporter_zero.so")), 0);
        ck_assert_int_eq(symlink("nothing", below("exporter_dangling.so")), 0);
        ck_assert_int_eq(symlink("exporter_loop.so", below("exporter_loop.so")), 0);
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 5);
        broken(h, "exporter_dir.so", "not-a-module", "a directory, not a file");
        broken(h, "exporter_fifo.so", "not-a-module", "a FIFO, not a file");
        broken(h, "exporter_zero.so", "not-a-module", "a device, not a file");
        broken(h, "exporter_dangling.so", "unreadable", "a file that is not there");
        broken(h, "exporter_loop.so", "unreadable", "symbolic links");
        sw_host_free(h);
}
END_TEST

/* Would catch: damaged and foreign files that reach the dynamic linker, which would say
 * little, or end the program with SIGBUS. */
START_TEST(not_elf_for_us)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) copy = SW_BUF_INIT;
        Elf64_Ehdr *e;

        fake_bytes("exporter_good", &b);
        put_bytes("exporter_empty.so", "", 0);
        put_bytes("exporter_text.so", "#!/bin/sh\necho\033", 15);
        put_bytes("exporter_magic.so", "\177EL", 3);
        put_bytes("exporter_head.so", b.data, 40);
        put_bytes("exporter_half.so", b.data, b.len / 2);
        put_bytes("exporter_last.so", b.data, b.len - 1);

#define VARIANT(file, ...)                                                                 \
        do {                                                                               \
                sw_buf_clear(&copy);                                                       \
                sw_buf_add(&copy, b.data, b.len);                                          \
                e = (Elf64_Ehdr *) (void *) copy.data;                                     \
                __VA_ARGS__;                                                               \
                put_bytes(file, copy.data, copy.len);                                      \
        } while (0)
        VARIANT("exporter_machine.so", e->e_machine = EM_SPARCV9);
        VARIANT("exporter_class.so", e->e_ident[EI_CLASS] = ELFCLASS32);
        VARIANT("exporter_endian.so", e->e_ident[EI_DATA] ^= 3);
        VARIANT("exporter_exec.so", e->e_type = ET_EXEC);
        VARIANT("exporter_rel.so", e->e_type = ET_REL);
        VARIANT("exporter_core.so", e->e_type = ET_CORE);
        VARIANT("exporter_phnum.so", e->e_phnum = 60000);
        VARIANT("exporter_nophdr.so", e->e_phnum = 0);
        VARIANT("exporter_phoff.so", e->e_phoff = UINT64_MAX - 8);
        VARIANT("exporter_phentsize.so", e->e_phentsize = 1);

        sw_host *h = host_of(scratch, NULL, NULL);
        ok(sw_host_load(h));
        broken(h, "exporter_empty.so", "not-a-module", "empty");
        broken(h, "exporter_text.so", "not-a-module",
               "starts with \"#!/bin/sh\\x0aecho\\x1b\"");
        broken(h, "exporter_magic.so", "not-a-module", "not an ELF file");
        broken(h, "exporter_head.so", "not-a-module", "cut short: 40 bytes");
        broken(h, "exporter_half.so", "not-a-module", "cut short");
        broken(h, "exporter_last.so", "not-a-module", "cut short");
        broken(h, "exporter_machine.so", "not-a-module", "built for 64-bit ELF machine 43");
        broken(h, "exporter_class.so", "not-a-module", "built for 32-bit");
        broken(h, "exporter_endian.so", "not-a-module", "built for");
        broken(h, "exporter_exec.so", "not-a-module", "a program");
        broken(h, "exporter_rel.so", "not-a-module", "an object file");
        broken(h, "exporter_core.so", "not-a-module", "ELF type 4");
        broken(h, "exporter_phnum.so", "not-a-module", "damaged");
        broken(h, "exporter_nophdr.so", "not-a-module", "damaged");
        broken(h, "exporter_phoff.so", "not-a-module", "cut short");
        broken(h, "exporter_phentsize.so", "not-a-module", "damaged");
        sw_host_free(h);
}
END_TEST

/* Would catch: a program taken for a module because both are ET_DYN. */
START_TEST(programs_are_not_modules)
{
        ck_assert_int_eq(symlink("/proc/self/exe", below("exporter_self.so")), 0);
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_load(h));
        broken(h, "exporter_self.so", "not-a-module", "a program");
        sw_host_free(h);
}
END_TEST

/* Would catch: 'missing' or 'not a module' for what only must not be read. */
START_TEST(unreadable)
{
        put_bytes("exporter_secret.so", "x", 1);
        subdir("closed");
        ck_assert_int_eq(chmod(below("exporter_secret.so"), 0), 0);
        ck_assert_int_eq(chmod(below("closed"), 0), 0);
        ck_assert_int_eq(chmod(scratch, 0755), 0);
        if (geteuid() == 0) /* root may read everything */
                ck_assert(setgroups(0, NULL) == 0 && setresgid(65534, 65534, 65534) == 0 &&
                          setresuid(65534, 65534, 65534) == 0);
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_load(h));
        broken(h, "exporter_secret.so", "unreadable", "Permission denied");
        sw_host_free(h);

        h = host_of(below("closed"), NULL, NULL);
        fails(sw_host_load(h), SW_E_DENIED, below("closed"));
        fails(sw_host_lookup(h, SW_KIND_EXPORTER, "x", NULL, NULL), SW_E_NOT_FOUND,
              "closed (Permission denied)");
        sw_host_free(h);

        h = host_of(below("closed"), NULL, NULL);
        fails(sw_host_require(h, SW_KIND_EXPORTER, "x"), SW_E_BROKEN,
              "closed/exporter_x.so): cannot be looked at: Permission denied");
        sw_host_free(h);
}
END_TEST

/* Would catch: words of a plugin, or a name of a file, that end the program, break a line
 * or reach a terminal. */
START_TEST(hostile_words)
{
        static const char *const words[][2] = {
                { "", "no reason given" },
                { "two\\nlines\\r\\e[2J\\xff", "two\\x0alines\\x0d\\x1b[2J" },
        };

        put("exporter_init_says", "exporter_init_says.so");
        put_bytes("exporter_x\n\033[2J.so", "x", 1);
        for (size_t i = 0; i < SW_COUNT(words); i++) {
                sw_auto(sw_str) text =
                        sw_asprintf("plugins: {exporter/init-says: {words: \"%s\"}}\n",
                                    words[i][0]);
                sw_config *c = configured(text);
                sw_autoptr(sw_log) log = log_here();
                sw_host *h = host_of(scratch, c, log);

                ok(sw_host_load(h));
                broken(h, "exporter_init_says.so", "init-failed", words[i][1]);
                for (size_t k = 0; k < sw_host_count(h); k++)
                        ck_assert_ptr_null(strpbrk(sw_host_get(h, k)->reason, "\n\033"));
                fails(sw_host_lookup(h, SW_KIND_EXPORTER, "init-says", NULL, NULL),
                      SW_E_BROKEN, words[i][1]);
                sw_host_free(h);
                sw_config_free(c);
        }
}
END_TEST

HOSTED_MAIN("broken", all_at_once, each_alone, smaller_and_larger_descriptors,
            broken_ones_are_named_as_far_as_known, file_without_a_kind, not_files,
            not_elf_for_us, programs_are_not_modules, unreadable, hostile_words)
