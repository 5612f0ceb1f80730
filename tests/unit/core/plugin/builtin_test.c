/*
 * tests/unit/core/plugin/builtin_test.c - plugins linked into the program. Built only with
 * --enable-static-plugins; links every plugin of the tree, of which it looks at one.
 */
#include <slipway/exporter.h>

#include "tests/unit/core/plugin/hosted.h"

/* Would catch: modules linked in that the host does not see, or opens as files. */
START_TEST(found_without_any_directory)
{
        sw_host *h = host_of(NULL, NULL, NULL);
        struct sw_exporter e;

        ok(sw_host_load(h));
        const struct sw_plugin_info *p = sw_host_find(h, SW_KIND_EXPORTER, "discard");
        ck_assert_ptr_nonnull(p);
        ck_assert_str_eq(p->file, "(built in)");
        ck_assert_int_eq(p->state, SW_PLUGIN_READY);
        ok(sw_host_exporter(h, "discard", &e));
        ck_assert_uint_eq(e.ops->hdr.size, sizeof(struct sw_exporter_ops));
        sw_host_free(h);
}
END_TEST

/* Would catch: require that knows of files only. */
START_TEST(required_alone)
{
        sw_host *h = host_of(NULL, NULL, NULL);

        ok(sw_host_require(h, SW_KIND_EXPORTER, "discard"));
        ck_assert_uint_eq(sw_host_count(h), 1);
        fails(sw_host_require(h, SW_KIND_EXPORTER, "discart"), SW_E_NOT_FOUND,
              "did you mean discard?");
        sw_host_free(h);
}
END_TEST

/* Would catch: a file given on purpose that loses against what is linked in. */
START_TEST(directories_given_come_first)
{
        put_bytes("exporter_discard.so", "text", 4);
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_load(h));
        fails(sw_host_lookup(h, SW_KIND_EXPORTER, "discard", NULL, NULL), SW_E_BROKEN,
              "not an ELF file");
        sw_host_free(h);
}
END_TEST

HOSTED_MAIN("builtin", found_without_any_directory, required_alone,
            directories_given_come_first)
