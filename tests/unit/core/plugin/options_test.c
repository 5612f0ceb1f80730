/*
 * tests/unit/core/plugin/options_test.c - declared, given and read options.
 */
#include <signal.h>

#include "core/plugin/host_priv.h"
#include "tests/unit/unit.h"

static const struct sw_option decl[] = {
        { "text", SW_OPT_STRING, "none", "any text" },
        { "level", SW_OPT_INT, NULL, "how much" },
        { "names", SW_OPT_LIST, NULL, "several" },
        { 0 },
};

/* Would catch: a descriptor that is taken although its options cannot work. */
START_TEST(declarations)
{
        static const struct {
                struct sw_option list[3];
                const char *part;
        } bad[] = {
                { { { "a", SW_OPT_INT, NULL, "" }, { "a", SW_OPT_BOOL, NULL, "" } },
                  "more than once" },
                { { { "enabled", SW_OPT_BOOL, NULL, "" } }, "a name that none can have" },
                { { { "required", SW_OPT_BOOL, NULL, "" } }, "a name that none can have" },
                { { { "", SW_OPT_BOOL, NULL, "" } }, "a name that none can have" },
                { { { "a b", SW_OPT_BOOL, NULL, "" } }, "a name that none can have" },
                { { { "a", (enum sw_option_type) 0, NULL, "" } }, "type 0" },
                { { { "a", (enum sw_option_type) 7, NULL, "" } }, "type 7" },
                { { { "a", SW_OPT_BOOL, "ja", "" } }, "wrong default" },
                { { { "a", SW_OPT_SIZE, "-1", "" } }, "wrong default" },
                { { { "a", SW_OPT_DURATION, "1 year", "" } }, "wrong default" },
                { { { "a", SW_OPT_INT, NULL, "two\nlines" } }, "more than a line" },
        };

        ok(sw__options_declared(NULL));
        ok(sw__options_declared(decl));
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw__options_declared(bad[i].list), SW_E_INVALID, bad[i].part);
}
END_TEST

static sw_options *
make(const struct sw_config_option *given, size_t n)
{
        enum sw_plugin_fault fault = SW_FAULT_NONE;
        sw_options *o = NULL;

        ok(sw__options_make("exporter/x", decl, given, n, &o, &fault));
        ck_assert_int_eq(fault, SW_FAULT_NONE);
        return o;
}

/* Would catch: 'unset' and 'default' mixed up. */
START_TEST(unset_and_default)
{
        sw_options *o = make(NULL, 0);

        ck_assert(sw_options_set(o, "text") && !sw_options_set(o, "level") &&
                  !sw_options_set(o, "names"));
        ck_assert_str_eq(sw_options_str(o, "text"), "none");
        ck_assert_int_eq(sw_options_int(o, "level"), 0);
        ck_assert_uint_eq(sw_options_list(o, "names")->n, 0);
        sw__options_free(o);
}
END_TEST

/* Would catch: a flag, which has no way to write a list, refused for a list of one. */
START_TEST(lists_by_flag)
{
        static const char *const one[] = { "a" };
        const struct sw_config_option flag = {
                .name = "names", .values = one, .n_values = 1, .where = "--plugin-opt"
        };
        sw_options *o = make(&flag, 1);

        ck_assert_uint_eq(sw_options_list(o, "names")->n, 1);
        ck_assert_str_eq(sw_options_list(o, "names")->v[0], "a");
        sw__options_free(o);
}
END_TEST

/* Would catch: messages that do not lead to the place, or carry control bytes. */
START_TEST(wrong_ones)
{
        static const char *const word[] = { "\033[2J" };
        const struct sw_config_option given[] = {
                { .name = "level",
                  .values = word,
                  .n_values = 1,
                  .where = "f.yaml",
                  .line = 3,
                  .column = 9 },
                { .name = "lev\033el", .values = word, .n_values = 1, .where = "--opt" },
                { .name = "level", .values = NULL, .n_values = 0, .where = "SLIPWAY_X" },
        };
        static const char *const messages[] = {
                "f.yaml:3:9: plugins.\"exporter/x\".level: \"\\x1b[2J\" is not a whole "
                "number",
                "--opt: plugins.\"exporter/x\".\"lev\\x1bel\": exporter/x has no such "
                "option "
                "(did you mean level?)",
                "SLIPWAY_X: plugins.\"exporter/x\".level: a whole number is wanted",
        };
        static const enum sw_plugin_fault faults[] = { SW_FAULT_OPTION_TYPE,
                                                       SW_FAULT_OPTION_UNKNOWN,
                                                       SW_FAULT_OPTION_TYPE };

        for (size_t i = 0; i < SW_COUNT(given); i++) {
                enum sw_plugin_fault fault = SW_FAULT_NONE;
                sw_options *o = NULL;

                fails(sw__options_make("exporter/x", decl, &given[i], 1, &o, &fault),
                      SW_E_CONFIG, messages[i]);
                ck_assert_int_eq(fault, faults[i]);
                ck_assert_ptr_null(o);
        }
        enum sw_plugin_fault fault = SW_FAULT_NONE;
        sw_options *o = NULL;
        fails(sw__options_make("exporter/x", NULL, &given[0], 1, &o, &fault), SW_E_CONFIG,
              "exporter/x has no such option (it has none)");
}
END_TEST

/* Would catch: a mistake of a plugin that goes on with a made-up value. */
START_TEST(undeclared_asserts)
{
        sw_options *o = make(NULL, 0);
        (void) sw_options_int(o, "levle");
}
END_TEST

START_TEST(other_type_asserts)
{
        sw_options *o = make(NULL, 0);
        (void) sw_options_str(o, "level");
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("options");
        TCase *t = tcase_create("options");

        tcase_add_test(t, declarations);
        tcase_add_test(t, unset_and_default);
        tcase_add_test(t, lists_by_flag);
        tcase_add_test(t, wrong_ones);
        tcase_add_test_raise_signal(t, undeclared_asserts, SIGABRT);
        tcase_add_test_raise_signal(t, other_type_asserts, SIGABRT);
        suite_add_tcase(s, t);
        SRunner *r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        int failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
