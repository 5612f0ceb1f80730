/*
 * core/config/config.c, keypath.c - getters, files, environment, flags. Catches values
 * that end up under another key, wrong origins, and mistakes that leave half a change.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/core/config/load.h"
#include "tests/unit/tmp.h"

static const char *const no_env[] = { NULL };

START_TEST(defaults_are_there)
{
        sw_autoptr(sw_config) c = sw_config_new();

        ck_assert(!sw_config_bool(c, "debug"));
        ck_assert_str_eq(sw_config_str(c, "log.level"), "info");
        ck_assert_int_eq(sw_config_int(c, "history.maxEntries"), 50);
        ck_assert_int_eq(sw_config_int(c, "history.maxAge"), INT64_C(172800000000000));
        ck_assert(sw_config_bool(c, "frontend.\"gateway.v0\".enabled"));
        ck_assert_uint_eq(sw_config_list(c, "grpc.address")->n, 1);
        ck_assert_uint_eq(sw_config_list(c, "cdi.specDirs")->n, 3);
        ck_assert(sw_config_has(c, "log.level"));
        ck_assert(!sw_config_has(c, "grpc.uid"));
        ck_assert(!sw_config_has(c, "grpc.tls.cert"));
        ck_assert_ptr_null(sw_config_str(c, "grpc.tls.cert"));
        ck_assert_uint_eq(sw_config_list(c, "dns.options")->n, 0);
        ck_assert(!sw_config_has(c, "no.such.key"));
        ok(sw_config_load_env(c, no_env));
}
END_TEST

START_TEST(one_key_of_history_leaves_the_other)
{
        /* buildkitd takes the missing one as zero */
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "history: {maxEntries: 7}");
        ck_assert_int_eq(sw_config_int(c, "history.maxEntries"), 7);
        ck_assert_int_eq(sw_config_int(c, "history.maxAge"), INT64_C(172800000000000));
}
END_TEST

START_TEST(users_own_names)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) hosts = { 0 };

        load(c, "registry:\n"
                "  docker.io: {mirrors: [a, b], insecure: true}\n"
                "  localhost: {http: true}\n"
                "  \"[::1]:5000\": {}\n");
        sw_config_names(c, "registry", &hosts);
        ck_assert_uint_eq(hosts.n, 3);
        ck_assert_str_eq(hosts.v[0], "docker.io");
        ck_assert_str_eq(hosts.v[1], "localhost");
        ck_assert_str_eq(hosts.v[2], "[::1]:5000");
        ck_assert_uint_eq(sw_config_list(c, "registry.\"docker.io\".mirrors")->n, 2);
        ck_assert(sw_config_bool(c, "registry.\"docker.io\".insecure"));
        ck_assert(sw_config_bool(c, "registry.\"localhost\".http"));
        ck_assert(sw_config_bool(c, "registry.localhost.http")); /* needs no quotes */
        ck_assert(sw_config_has(c, "registry.localhost.http"));
        /* not written: the type's nothing, or the table's default */
        ck_assert(!sw_config_has(c, "registry.\"docker.io\".http"));
        ck_assert(!sw_config_bool(c, "registry.\"nowhere\".insecure"));
        ck_assert_uint_eq(sw_config_list(c, "registry.\"nowhere\".ca")->n, 0);
}
END_TEST

START_TEST(paths_of_any_parts)
{
        static const char *const hosts[] = { "a\"b", "a\\",          "a.b",
                                             "",     "a\".insecure", "\x1b" };
        sw_autoptr(sw_config) c = sw_config_new();

        /* names from outside, such as the host of an image, must not make another key */
        for (size_t i = 0; i < SW_COUNT(hosts); i++) {
                sw_auto(sw_str) key = sw_config_key("registry", hosts[i], "http", NULL);

                ck_assert(!sw_config_bool(c, key));
        }
        sw_auto(sw_str) key = sw_config_key("frontend", "gateway.v0", "enabled", NULL);
        ck_assert_str_eq(key, "frontend.\"gateway.v0\".enabled");
        ck_assert(sw_config_bool(c, key));
        sw_auto(sw_str) odd = sw_config_key("registry", "a\"b\\c", "http", NULL);
        ck_assert_str_eq(odd, "registry.\"a\\\"b\\\\c\".http");
}
END_TEST

START_TEST(arrays_of_tables)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) rules = { 0 };

        load(c, "worker:\n  oci:\n    gcpolicy:\n"
                "      - {filters: [\"type==source.local\", a], keepDuration: 48h}\n"
                "      - {}\n"
                "      - {all: true, maxUsedSpace: 20%}\n");
        sw_config_names(c, "worker.oci.gcpolicy", &rules);
        ck_assert_uint_eq(rules.n, 3);
        ck_assert_str_eq(rules.v[2], "2");
        ck_assert_str_eq(sw_config_list(c, "worker.oci.gcpolicy.0.filters")->v[0],
                         "type==source.local");
        ck_assert_int_eq(sw_config_int(c, "worker.oci.gcpolicy.0.keepDuration"),
                         INT64_C(172800000000000));
        ck_assert(!sw_config_bool(c, "worker.oci.gcpolicy.1.all"));
        ck_assert(sw_config_bool(c, "worker.oci.gcpolicy.2.all"));
        ck_assert_int_eq(sw_config_diskspace(c, "worker.oci.gcpolicy.2.maxUsedSpace", 50),
                         10);
        ck_assert(!sw_config_has(c, "worker.containerd.gcpolicy"));
}
END_TEST

START_TEST(maps)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_strlist) names = { 0 };

        load(c, "worker: {oci: {labels: {a.b/c: 1, d: \"x, y\", e: yes}}}");
        sw_config_names(c, "worker.oci.labels", &names);
        ck_assert_uint_eq(names.n, 3);
        ck_assert_str_eq(names.v[0], "a.b/c");
        ck_assert_str_eq(sw_config_str(c, "worker.oci.labels.\"a.b/c\""), "1");
        ck_assert_str_eq(sw_config_str(c, "worker.oci.labels.e"), "yes");
        ck_assert_ptr_null(sw_config_str(c, "worker.oci.labels.\"none\""));
        ck_assert(sw_config_has(c, "worker.oci.labels.d"));
        ck_assert(!sw_config_has(c, "worker.oci.labels.none"));
        shows(c, "worker.oci.labels", "{a.b/c: 1, d: \"x, y\", e: yes}", SW_FROM_FILE,
              "f.yaml");
}
END_TEST

START_TEST(plain_text_stays_as_written)
{
        /* YAML's own types are not for strings: no country becomes false */
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "cdi: {autoAllowed: [no, 1.0, 0x10, TRUE, \"~\"]}");
        const sw_strlist *l = sw_config_list(c, "cdi.autoAllowed");
        ck_assert_str_eq(l->v[0], "no");
        ck_assert_str_eq(l->v[1], "1.0");
        ck_assert_str_eq(l->v[2], "0x10");
        ck_assert_str_eq(l->v[3], "TRUE");
        ck_assert_str_eq(l->v[4], "~");
}
END_TEST

START_TEST(mistakes_change_nothing)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "root: /a\nregistry: {x: {http: true}}\nworker: {oci: {gcpolicy: [{}, "
                "{}]}}\n");
        const char *bad =
                "root: /b\nlog: {level: trace}\nregistry: {y: {}}\n"
                "worker: {oci: {gcpolicy: []}}\nplugins: {api/b: {c: d}}\nnope: 1\n";
        fails(sw_config_load_text(c, "g.yaml", bad, strlen(bad)), SW_E_CONFIG,
              "g.yaml:6:1: ");
        shows(c, "root", "/a", SW_FROM_FILE, "f.yaml");
        shows(c, "log.level", "info", SW_FROM_DEFAULT, "");

        sw_auto(sw_strlist) names = { 0 };
        sw_config_names(c, "registry", &names);
        sw_config_names(c, "worker.oci.gcpolicy", &names);
        sw_config_names(c, "plugins", &names);
        ck_assert_uint_eq(names.n, 3); /* x, 0, 1 */
        size_t n;
        ck_assert_ptr_null(sw_config_plugin(c, "api/b", &n));

        static const char *const env[] = { "SLIPWAY_ROOT=/c", "SLIPWAY_DEBUG=maybe", NULL };
        fails(sw_config_load_env(c, env), SW_E_CONFIG, "SLIPWAY_DEBUG: debug: ");
        shows(c, "root", "/a", SW_FROM_FILE, "f.yaml");
        fails(sw_config_set(c, "log.level", "loud", SW_FROM_FLAG, "--log-level"),
              SW_E_CONFIG, "--log-level: log.level: \"loud\" is none of ");
        shows(c, "log.level", "info", SW_FROM_DEFAULT, "");
}
END_TEST

/* A file in a new directory; its path. */
static char *
new_file(const char *text, mode_t mode)
{
        char dir[128];

        unit_mkdtemp(dir, sizeof(dir), "config");
        char *path = sw_asprintf("%s/slipway.yaml", dir);
        sw_auto(sw_fd) fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, mode);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        return path;
}

static void
remove_file(char *path)
{
        ck_assert_int_eq(unlink(path), 0);
        *strrchr(path, '/') = '\0';
        ck_assert_int_eq(rmdir(path), 0);
}

START_TEST(files)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_str) path = new_file("log:\n  level: debug\n", 0644);
        struct sw_config_value v;

        ok(sw_config_load(c, path, true));
        shows(c, "log.level", "debug", SW_FROM_FILE, path);
        ck_assert(sw_config_value(c, "log.level", &v));
        ck_assert_int_eq(v.line, 2);
        ck_assert_int_eq(v.column, 10);
        remove_file(path);

        ok(sw_config_load(c, "/nonexistent/slipway.yaml", false));
        fails(sw_config_load(c, "/nonexistent/slipway.yaml", true), SW_E_NOT_FOUND,
              "/nonexistent/slipway.yaml");
        fails(sw_config_load(c, "/dev/null/x", true), SW_E_NOT_FOUND, "/dev/null/x");
        fails(sw_config_load(c, "/tmp", false), SW_E_IO, "/tmp");
        fails(sw_config_load(c, "/dev/zero", false), SW_E_CONFIG,
              "/dev/zero: is larger than 1048576 bytes");
        ok(sw_config_load(c, "/dev/null", true));
}
END_TEST

START_TEST(environment)
{
        static const char *const env[] = {
                "PATH=/bin",
                "SLIPWAY_ROOT=/env",
                "SLIPWAY_ROOT=/second",
                "SLIPWAY_ROOTS=/x",
                "SLIPWAY_LOG_LEVEL=",
                "SLIPWAY_LOG_FORMAT=json",
                "SLIPWAY_DEBUG=1",
                "SLIPWAY_ADDR=unix:///a,tcp://b:1",
                "SLIPWAY_PLUGIN_PATH=/not/ours",
                NULL,
        };
        static const char *const bad[] = { "SLIPWAY_LOG_LEVEL=x", "SLIPWAY_TRACE=2", NULL };
        sw_autoptr(sw_config) c = sw_config_new();

        ok(sw_config_load_env(c, env));
        shows(c, "root", "/env", SW_FROM_ENV, "SLIPWAY_ROOT");
        shows(c, "log.level", "info", SW_FROM_DEFAULT, ""); /* empty is unset */
        shows(c, "log.format", "json", SW_FROM_ENV, "SLIPWAY_LOG_FORMAT");
        shows(c, "debug", "true", SW_FROM_ENV, "SLIPWAY_DEBUG");
        shows(c, "grpc.address", "[unix:///a, tcp://b:1]", SW_FROM_ENV, "SLIPWAY_ADDR");

        sw_err *err = sw_config_load_env(c, bad);
        ck_assert_str_eq(sw_err_message(err),
                         "SLIPWAY_TRACE: trace: \"2\" is not true or false\n"
                         "SLIPWAY_LOG_LEVEL: log.level: \"x\" is none of panic, fatal, "
                         "error, warn, warning, info, debug, trace");
        sw_err_free(err);
}
END_TEST

START_TEST(flags)
{
        sw_autoptr(sw_config) c = sw_config_new();

        ok(sw_config_set(c, "debug", "true", SW_FROM_FLAG, "--debug"));
        ok(sw_config_set(c, "grpc.address", "unix:///a", SW_FROM_FLAG, "--addr"));
        ok(sw_config_set(c, "grpc.address", "fd://", SW_FROM_FLAG, "--addr"));
        shows(c, "grpc.address", "[unix:///a, fd://]", SW_FROM_FLAG, "--addr");
        /* another flag starts anew, and so does the same one after a mistake is refused */
        fails(sw_config_set(c, "grpc.address", "x", SW_FROM_FLAG, "--addr"), SW_E_CONFIG,
              "--addr: grpc.address: ");
        shows(c, "grpc.address", "[unix:///a, fd://]", SW_FROM_FLAG, "--addr");
        ok(sw_config_set(c, "grpc.address", "fd://", SW_FROM_FLAG, "--other"));
        shows(c, "grpc.address", "[fd://]", SW_FROM_FLAG, "--other");

        ok(sw_config_set(c, "worker.oci.labels", "a=b=c", SW_FROM_FLAG, "--label"));
        ok(sw_config_set(c, "worker.oci.labels.\"x.y\"", "1", SW_FROM_FLAG, "--label"));
        shows(c, "worker.oci.labels", "{a: b=c, x.y: 1}", SW_FROM_FLAG, "--label");
        ok(sw_config_set(c, "registry.\"localhost:5000\".http", "t", SW_FROM_FLAG,
                         "--set"));
        ck_assert(sw_config_bool(c, "registry.\"localhost:5000\".http"));
        sw_auto(sw_strlist) hosts = { 0 };
        sw_config_names(c, "registry", &hosts);
        ck_assert_uint_eq(hosts.n, 1);
}
END_TEST

START_TEST(flag_mistakes)
{
        static const struct {
                const char *key, *value, *what;
        } bad[] = {
                { "log.levl", "info", "unknown key (did you mean level?)" },
                { "log", "info", "is a table of keys; name one of them" },
                { "", "x", "key has an empty part" },
                { "log..level", "x", "key has an empty part" },
                { "log.", "x", "key has an empty part" },
                { "registry.\"a", "x", "key lacks a closing quote" },
                { "registry.\"a\"b.http", "x", "key has text after a quote" },
                { "log.level.more", "x", "no keys below a single value" },
                { "worker.oci.labels.a.b", "x", "no keys below a single value" },
                { "worker.oci.labels", "x", "must be NAME=VALUE" },
                { "worker.oci.labels", "=x", "must be NAME=VALUE" },
                { "worker.oci.gcpolicy", "x",
                  "a list of tables can be set in a file only" },
                { "worker.oci.gcpolicy.0.all", "true",
                  "a list of tables can be set in a file only" },
                { "worker.oci.gcpolicy.first.all", "true",
                  "a list of tables takes a number here" },
                { "registry.\"http://x\".http", "true", "a registry is named HOST" },
                { "grpc.securityDescriptor", "x", "means something on Windows only" },
        };
        sw_autoptr(sw_config) c = sw_config_new();

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_err *err =
                        sw_config_set(c, bad[i].key, bad[i].value, SW_FROM_FLAG, "--set");

                ck_assert_msg(err != NULL, "%s: accepted", bad[i].key);
                ck_assert_msg(strstr(sw_err_message(err), bad[i].what) != NULL, "%s",
                              sw_err_message(err));
                ck_assert_int_eq(strncmp(sw_err_message(err), "--set: ", 7), 0);
                ck_assert_int_eq(sw_err_code(err), SW_E_CONFIG);
                sw_err_free(err);
        }
}
END_TEST

UNIT_MAIN("config", defaults_are_there, one_key_of_history_leaves_the_other,
          users_own_names, paths_of_any_parts, arrays_of_tables, maps,
          plain_text_stays_as_written, mistakes_change_nothing, files, environment, flags,
          flag_mistakes)
