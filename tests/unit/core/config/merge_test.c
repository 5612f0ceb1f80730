/*
 * core/config/merge.c - who wins. Catches an origin that wins because it came later in
 * time, and lists of tables of which an old entry survives.
 */
#include "tests/unit/core/config/load.h"

static const char *const env[] = { "SLIPWAY_ROOT=/env", "SLIPWAY_LOG_LEVEL=warn", NULL };

START_TEST(later_origins_win)
{
        sw_autoptr(sw_config) c = sw_config_new();

        shows(c, "log.level", "info", SW_FROM_DEFAULT, "");
        load(c, "log: {level: error, format: json}\nroot: /file\n");
        shows(c, "log.level", "error", SW_FROM_FILE, "f.yaml");
        ok(sw_config_load_env(c, env));
        shows(c, "log.level", "warn", SW_FROM_ENV, "SLIPWAY_LOG_LEVEL");
        ok(sw_config_set(c, "log.level", "trace", SW_FROM_FLAG, "--log-level"));
        shows(c, "log.level", "trace", SW_FROM_FLAG, "--log-level");
        shows(c, "root", "/env", SW_FROM_ENV, "SLIPWAY_ROOT");
        shows(c, "log.format", "json", SW_FROM_FILE, "f.yaml");
}
END_TEST

START_TEST(whatever_the_order_of_calls)
{
        sw_autoptr(sw_config) c = sw_config_new();

        ok(sw_config_set(c, "log.level", "trace", SW_FROM_FLAG, "--log-level"));
        ok(sw_config_load_env(c, env));
        load(c, "log: {level: error, format: json}\nroot: /file\n");
        shows(c, "log.level", "trace", SW_FROM_FLAG, "--log-level");
        shows(c, "root", "/env", SW_FROM_ENV, "SLIPWAY_ROOT");
        shows(c, "log.format", "json", SW_FROM_FILE, "f.yaml");
}
END_TEST

START_TEST(a_second_file_lies_on_the_first)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) hosts = { 0 };
        const char *second = "cdi: {specDirs: [/b]}\nregistry: {y: {}, x: {http: false}}\n";

        load(c,
             "root: /a\ncdi: {specDirs: [/a, /c]}\nregistry: {x: {http: true, ca: [/ca]}}");
        ok(sw_config_load_text(c, "g.yaml", second, strlen(second)));
        shows(c, "root", "/a", SW_FROM_FILE, "f.yaml");
        shows(c, "cdi.specDirs", "[/b]", SW_FROM_FILE, "g.yaml");
        shows(c, "registry.\"x\".http", "false", SW_FROM_FILE, "g.yaml");
        shows(c, "registry.\"x\".ca", "[/ca]", SW_FROM_FILE, "f.yaml");
        sw_config_names(c, "registry", &hosts);
        ck_assert_uint_eq(hosts.n, 2);
        ck_assert_str_eq(hosts.v[0], "x");
}
END_TEST

START_TEST(lists_of_tables_are_replaced_whole)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) names = { 0 };

        load(c, "worker: {oci: {gcpolicy: [{all: true}, {keepBytes: 1}], gc: true}}\n"
                "registry: {a.b: {keypair: [{key: /k, cert: /c}, {key: /k, cert: /c}]}}\n");
        load(c, "worker: {oci: {gcpolicy: [{keepBytes: 5}]}}\n"
                "registry: {a.b: {keypair: [{key: /n, cert: /m}]}}\n");
        sw_config_names(c, "worker.oci.gcpolicy", &names);
        ck_assert_uint_eq(names.n, 1);
        ck_assert(!sw_config_bool(c, "worker.oci.gcpolicy.0.all"));
        ck_assert(!sw_config_has(c, "worker.oci.gcpolicy.1.keepBytes"));
        ck_assert_int_eq(sw_config_diskspace(c, "worker.oci.gcpolicy.0.keepBytes", 0), 5);
        ck_assert(sw_config_bool(c, "worker.oci.gc"));

        sw_config_names(c, "registry.\"a.b\".keypair", &names);
        ck_assert_uint_eq(names.n, 2);
        ck_assert_str_eq(sw_config_str(c, "registry.\"a.b\".keypair.0.key"), "/n");
        ck_assert(!sw_config_has(c, "registry.\"a.b\".keypair.1.key"));

        load(c, "worker: {oci: {gcpolicy: []}}\n");
        sw_strlist_release(&names);
        sw_config_names(c, "worker.oci.gcpolicy", &names);
        ck_assert_uint_eq(names.n, 0);
        ck_assert(sw_config_has(c, "worker.oci.gcpolicy"));
}
END_TEST

START_TEST(maps_are_merged_by_entry)
{
        sw_autoptr(sw_config) c = sw_config_new();

        ok(sw_config_set(c, "worker.oci.labels", "a=flag", SW_FROM_FLAG, "--l"));
        load(c, "worker: {oci: {labels: {a: file, b: file}}}");
        ck_assert_str_eq(sw_config_str(c, "worker.oci.labels.a"), "flag");
        ck_assert_str_eq(sw_config_str(c, "worker.oci.labels.b"), "file");
        ok(sw_config_set(c, "worker.oci.labels", "b=flag", SW_FROM_FLAG, "--l"));
        shows(c, "worker.oci.labels", "{a: flag, b: flag}", SW_FROM_FLAG, "--l");
}
END_TEST

UNIT_MAIN("merge", later_origins_win, whatever_the_order_of_calls,
          a_second_file_lies_on_the_first, lists_of_tables_are_replaced_whole,
          maps_are_merged_by_entry)
