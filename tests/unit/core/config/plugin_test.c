/*
 * core/config/plugin.c - options of plugins. Catches options given to another plugin,
 * reserved names handed on as options, and arrays that borrow from values long gone.
 */
#include "tests/unit/core/config/load.h"

START_TEST(keeps_options_as_written)
{
        sw_autoptr(sw_config) c = sw_config_new();
        size_t n;

        load(c, "plugins:\n"
                "  exporter/image:\n"
                "    required: true\n"
                "    level: 03\n"
                "    names: [a, \"b\", ]\n"
                "    none: []\n"
                "    a.b: ''\n"
                "  source/git: {enabled: false}\n");
        const struct sw_config_option *o = sw_config_plugin(c, "exporter/image", &n);
        ck_assert_uint_eq(n, 4);
        ck_assert_str_eq(o[0].name, "level");
        ck_assert_uint_eq(o[0].n_values, 1);
        ck_assert_str_eq(o[0].values[0], "03");
        ck_assert(!o[0].is_list);
        ck_assert_str_eq(o[0].where, "f.yaml");
        ck_assert_int_eq(o[0].line, 4);
        ck_assert_int_eq(o[0].column, 12);
        ck_assert_str_eq(o[1].name, "names");
        ck_assert_uint_eq(o[1].n_values, 2);
        ck_assert_str_eq(o[1].values[1], "b");
        ck_assert(o[1].is_list);
        ck_assert(o[2].is_list && o[2].n_values == 0);
        ck_assert_str_eq(o[3].name, "a.b");
        ck_assert_str_eq(o[3].values[0], "");

        ck_assert_ptr_null(sw_config_plugin(c, "source/git", &n));
        ck_assert_uint_eq(n, 0);
        ck_assert_ptr_null(sw_config_plugin(c, "source/none", &n));
        shows(c, "plugins.\"exporter/image\".names", "[a, b]", SW_FROM_FILE, "f.yaml");
}
END_TEST

START_TEST(enabled_unless_said_otherwise)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "plugins: {api/on: {required: true}, api/off: {enabled: false}, api/none: "
                "{}}");
        ck_assert(sw_config_plugin_enabled(c, "api/on"));
        ck_assert(sw_config_plugin_required(c, "api/on"));
        ck_assert(!sw_config_plugin_enabled(c, "api/off"));
        ck_assert(!sw_config_plugin_required(c, "api/off"));
        ck_assert(sw_config_plugin_enabled(c, "api/none"));
        ck_assert(sw_config_plugin_enabled(c, "api/unheard.of"));
        ck_assert(!sw_config_plugin_required(c, "api/unheard.of"));
        /* names from files of plugins may be anything */
        ck_assert(sw_config_plugin_enabled(c, "a\"/.x\\"));
}
END_TEST

START_TEST(names_lists_plugins_and_options)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) names = { 0 };

        load(c, "plugins: {cache/x: {o: 1, enabled: true}, api/y: }");
        sw_config_names(c, "plugins", &names);
        sw_config_names(c, "plugins.\"cache/x\"", &names);
        ck_assert_uint_eq(names.n, 3);
        ck_assert_str_eq(names.v[0], "cache/x");
        ck_assert_str_eq(names.v[1], "api/y");
        ck_assert_str_eq(names.v[2], "o");
}
END_TEST

START_TEST(flags_replace_and_append)
{
        sw_autoptr(sw_config) c = sw_config_new();
        size_t n;

        load(c, "plugins: {api/b: {x: 1, y: 2}}");
        ok(sw_config_set(c, "plugins.\"api/b\".x", "5", SW_FROM_FLAG, "--opt"));
        const struct sw_config_option *o = sw_config_plugin(c, "api/b", &n);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(o[0].values[0], "5");
        ck_assert(!o[0].is_list);
        ck_assert_str_eq(o[0].where, "--opt");
        ck_assert_int_eq(o[0].line, 0);

        ok(sw_config_set(c, "plugins.\"api/b\".x", "6", SW_FROM_FLAG, "--opt"));
        o = sw_config_plugin(c, "api/b", &n);
        ck_assert(o[0].is_list);
        ck_assert_uint_eq(o[0].n_values, 2);
        ck_assert_str_eq(o[0].values[1], "6");

        ok(sw_config_set(c, "plugins.\"api/new\".enabled", "false", SW_FROM_FLAG, "--opt"));
        ck_assert(!sw_config_plugin_enabled(c, "api/new"));
}
END_TEST

UNIT_MAIN("plugin", keeps_options_as_written, enabled_unless_said_otherwise,
          names_lists_plugins_and_options, flags_replace_and_append)
