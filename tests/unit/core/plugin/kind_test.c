/*
 * tests/unit/core/plugin/kind_test.c - names of kinds and files.
 */
#include <slipway/host.h>

#include "core/plugin/host_priv.h"
#include "tests/unit/unit.h"

/* Would catch: a kind without a name, or names that do not lead back. */
START_TEST(kinds_go_both_ways)
{
        for (unsigned k = 1; k < SW_KIND_COUNT; k++) {
                ck_assert_ptr_nonnull(sw_kind_name(k));
                ck_assert_uint_eq(sw_kind_parse(sw_kind_name(k)), k);
        }
        ck_assert_ptr_null(sw_kind_name(0));
        ck_assert_ptr_null(sw_kind_name(SW_KIND_COUNT));
        ck_assert_uint_eq(sw_kind_parse("Exporter"), 0);
        ck_assert_uint_eq(sw_kind_parse(""), 0);
        ck_assert_uint_eq(sw_kind_parse(NULL), 0);
}
END_TEST

/* Would catch: a state or fault without a name of its own: they are keys of --json. */
START_TEST(every_state_and_fault_has_a_name)
{
        for (unsigned s = 0; s <= SW_PLUGIN_DISABLED; s++)
                ck_assert_str_ne(sw_plugin_state_name(s), "unknown");
        for (unsigned f = 0; f <= SW_FAULT_INIT; f++)
                for (unsigned g = 0; g < f; g++)
                        ck_assert_str_ne(sw_plugin_fault_name(f), sw_plugin_fault_name(g));
        ck_assert_str_eq(sw_plugin_fault_name(SW_FAULT_INIT), "init-failed");
        ck_assert_str_eq(sw_plugin_fault_name(SW_FAULT_INIT + 1), "unknown");
}
END_TEST

/* Would catch: a plugin that is looked for under another file name than it must have. */
START_TEST(file_names_go_both_ways)
{
        static const char *const names[] = { "image", "a", "good-options", "gateway.v0",
                                             "9" };
        static const char *const none[] = { "image",       "exporter",     "exporter_",
                                            "exporter_A",  "exporter_a-b", "_image",
                                            "exportr_img", "exporter_.a",  "exporter__a" };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                sw_auto(sw_str) stem = sw__plugin_stem(SW_KIND_EXPORTER, names[i]);
                sw_auto(sw_str) back = NULL;

                ck_assert_ptr_null(strchr(stem, '-'));
                ck_assert_uint_eq(sw__plugin_of_stem(stem, &back), SW_KIND_EXPORTER);
                ck_assert_str_eq(back, names[i]);
        }
        for (size_t i = 0; i < SW_COUNT(none); i++) {
                sw_auto(sw_str) back = NULL;

                ck_assert_msg(sw__plugin_of_stem(none[i], &back) == 0, "%s", none[i]);
                ck_assert_ptr_null(back);
        }
}
END_TEST

START_TEST(names)
{
        char long_name[SW__PLUGIN_NAME_MAX + 2];

        memset(long_name, 'a', sizeof(long_name));
        long_name[sizeof(long_name) - 1] = '\0';
        ck_assert(!sw__plugin_name_ok(long_name));
        long_name[SW__PLUGIN_NAME_MAX] = '\0';
        ck_assert(sw__plugin_name_ok(long_name));
        ck_assert(!sw__plugin_name_ok("") && !sw__plugin_name_ok(NULL));
        ck_assert(!sw__plugin_name_ok("a_b") && !sw__plugin_name_ok("a/b"));
        ck_assert(!sw__plugin_name_ok("-a") && !sw__plugin_name_ok(".a"));
}
END_TEST

UNIT_MAIN("kind", kinds_go_both_ways, every_state_and_fault_has_a_name,
          file_names_go_both_ways, names)
