/*
 * core/config/check.c - values of every type and check. Catches values that are taken
 * though their key does not want them, the reverse, and numbers read wrongly.
 */
#include "tests/unit/core/config/load.h"

/* One line of YAML for a key two levels down at most. */
static void
refuses_value(const char *table, const char *key, const char *value, const char *what)
{
        sw_auto(sw_str) yaml = sw_asprintf("%s: {%s: %s}", table, key, value);
        sw_auto(sw_str) line =
                sw_asprintf("f.yaml:1:%d: %s.%s: %s",
                            (int) (strlen(table) + strlen(key)) + 6, table, key, what);

        refuses(yaml, line);
}

static void
refuses_scalar(const char *key, const char *value, const char *what)
{
        sw_auto(sw_str) yaml = sw_asprintf("%s: %s", key, value);
        sw_auto(sw_str) line =
                sw_asprintf("f.yaml:1:%d: %s: %s", (int) strlen(key) + 3, key, what);

        refuses(yaml, line);
}

START_TEST(bools)
{
        static const char *const yes[] = { "true", "True", "TRUE", "t", "T", "1" };
        static const char *const no[] = { "false", "False", "FALSE", "f", "F", "0" };
        static const char *const bad[] = { "yes", "no", "on", "off", "2", "tRue", "''" };

        for (size_t i = 0; i < SW_COUNT(yes); i++) {
                sw_autoptr(sw_config) c = sw_config_new();
                sw_auto(sw_str) on = sw_asprintf("debug: %s", yes[i]);
                sw_auto(sw_str) off = sw_asprintf("debug: %s", no[i]);

                load(c, on);
                ck_assert(sw_config_bool(c, "debug"));
                load(c, off);
                ck_assert(!sw_config_bool(c, "debug"));
                shows(c, "debug", "false", SW_FROM_FILE, "f.yaml");
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                bool quoted = bad[i][0] == '\'';
                sw_auto(sw_str) what =
                        sw_asprintf("\"%s\" is not true or false", quoted ? "" : bad[i]);

                refuses_scalar("debug", bad[i], what);
        }
        refuses_scalar("debug", "\"true\"",
                       "\"true\" is text because of its quotes; remove them");
}
END_TEST

START_TEST(ints)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "history: {maxEntries: 0}\ngrpc: {uid: 4294967294, gid: 0}\n");
        ck_assert_int_eq(sw_config_int(c, "history.maxEntries"), 0);
        ck_assert_int_eq(sw_config_int(c, "grpc.uid"), 4294967294);
        refuses_value("history", "maxEntries", "-1", "\"-1\" is not zero or more");
        refuses_value("history", "maxEntries", "1.0", "\"1.0\" is not a whole number");
        refuses_value("history", "maxEntries", "0x10", "\"0x10\" is not a whole number");
        refuses_value("history", "maxEntries", "1_000", "\"1_000\" is not a whole number");
        refuses_value("history", "maxEntries", "99999999999999999999",
                      "\"99999999999999999999\" is not a whole number");
        refuses_value("history", "maxEntries", "'5'",
                      "\"5\" is text because of its quotes; remove them");
        refuses_value("grpc", "uid", "4294967295",
                      "\"4294967295\" is not a user or group id");
        refuses_value("grpc", "gid", "-1", "\"-1\" is not a user or group id");
        refuses_value("system", "maxRegistryConcurrency", "0", "\"0\" is not one or more");
}
END_TEST

START_TEST(durations)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "history: {maxAge: 90}\nsystem: {platformsCacheMaxAge: -1s}\n");
        ck_assert_int_eq(sw_config_int(c, "history.maxAge"), INT64_C(90000000000));
        shows(c, "history.maxAge", "1m30s", SW_FROM_FILE, "f.yaml");
        ck_assert_int_eq(sw_config_int(c, "system.platformsCacheMaxAge"), -1000000000);
        load(c, "history: {maxAge: \"1h1.5s\"}\n"); /* buildkitd's are in quotes */
        ck_assert_int_eq(sw_config_int(c, "history.maxAge"), INT64_C(3601500000000));
        refuses_value("history", "maxAge", "2 days",
                      "\"2 days\" is not a duration such as 1h30m, 250ms or 20 (seconds)");
        refuses_value("history", "maxAge", "99999999h",
                      "\"99999999h\" is not a duration such as 1h30m, 250ms or 20 "
                      "(seconds)");
        refuses_value("history", "maxAge", "-5s", "\"-5s\" is not zero or more");
}
END_TEST

START_TEST(disk_space)
{
        sw_autoptr(sw_config) c = sw_config_new();
        const char *key = "worker.oci.reservedSpace";

        load(c, "worker: {oci: {reservedSpace: 512MB}}");
        ck_assert_int_eq(sw_config_diskspace(c, key, 1), 512 << 20);
        shows(c, key, "512MB", SW_FROM_FILE, "f.yaml");
        load(c, "worker: {oci: {reservedSpace: 1234}}");
        ck_assert_int_eq(sw_config_diskspace(c, key, 1), 1234);
        load(c, "worker: {oci: {reservedSpace: \"10%\"}}");
        ck_assert_int_eq(sw_config_diskspace(c, key, 1005), 100);
        ck_assert_int_eq(sw_config_diskspace(c, key, INT64_MAX), INT64_MAX / 10);
        load(c, "worker: {oci: {reservedSpace: 100%}}");
        ck_assert_int_eq(sw_config_diskspace(c, key, INT64_MAX), INT64_MAX);
        ck_assert_int_eq(sw_config_diskspace(c, "worker.oci.minFreeSpace", 1000), 0);
        refuses("worker: {oci: {reservedSpace: 101%}}",
                "f.yaml:1:31: worker.oci.reservedSpace: \"101%\" is not a share of the "
                "disk "
                "from 0% to 100%");
        refuses("worker: {oci: {reservedSpace: -5}}",
                "f.yaml:1:31: worker.oci.reservedSpace: \"-5\" is not a size such as "
                "512MB, "
                "1073741824 or 10%");
        refuses("worker: {oci: {reservedSpace: 5 parsecs}}",
                "f.yaml:1:31: worker.oci.reservedSpace: \"5 parsecs\" is not a size such "
                "as "
                "512MB, 1073741824 or 10%");
        refuses("worker: {oci: {reservedSpace: \"%\"}}",
                "f.yaml:1:31: worker.oci.reservedSpace: \"%\" is not a share of the disk "
                "from 0% to 100%");
}
END_TEST

START_TEST(choices)
{
        refuses_value("log", "format", "jsn",
                      "\"jsn\" is none of text, json (did you mean json?)");
        refuses_value("log", "level", "warnin",
                      "\"warnin\" is none of panic, fatal, error, warn, warning, info, "
                      "debug, trace (did you mean warning?)");
        refuses_value("log", "level", "''",
                      "\"\" is none of panic, fatal, error, warn, warning, info, debug, "
                      "trace");
        refuses("insecure-entitlements: [network.host, network-host]",
                "f.yaml:1:39: insecure-entitlements: \"network-host\" is none of "
                "security.insecure, network.host, device (did you mean network.host?)");
}
END_TEST

START_TEST(paths)
{
        refuses_scalar("root", "x/y", "\"x/y\" is not an absolute path");
        refuses_scalar("root", "~/x", "\"~/x\" is not an absolute path");
        refuses_scalar("root", "''", "is empty; leave the key out instead");
        refuses_scalar("root", "\"/a\\tb\"",
                       "\"/a\\x09b\" is not free of control characters");
        refuses_scalar("root", "\"/a\\0b\"", "has a NUL byte");

        sw_auto(sw_buf) yaml = SW_BUF_INIT;
        sw_buf_adds(&yaml, "root: /");
        while (yaml.len < 5000)
                sw_buf_addc(&yaml, 'x');
        refuses(yaml.data, "f.yaml:1:7: root: path is longer than 4095 bytes");
}
END_TEST

START_TEST(relative_paths_of_flags_become_absolute)
{
        sw_autoptr(sw_config) c = sw_config_new();

        ck_assert_int_eq(chdir("/usr"), 0);
        ok(sw_config_set(c, "root", "lib/../x", SW_FROM_FLAG, "--root"));
        ck_assert_str_eq(sw_config_str(c, "root"), "/usr/x");
        /* a name of a program is looked for in PATH */
        ok(sw_config_set(c, "worker.oci.binary", "crun", SW_FROM_FLAG, "--b"));
        ck_assert_str_eq(sw_config_str(c, "worker.oci.binary"), "crun");
        ok(sw_config_set(c, "worker.oci.binary", "./crun", SW_FROM_FLAG, "--b"));
        ck_assert_str_eq(sw_config_str(c, "worker.oci.binary"), "/usr/crun");
}
END_TEST

START_TEST(addresses)
{
        static const struct {
                const char *value, *what;
        } bad[] = {
                { "/run/x.sock",
                  "\"/run/x.sock\" is a path without a scheme (did you mean unix://?)" },
                { "localhost:1234", "\"localhost:1234\" is not an address with a scheme: "
                                    "unix://PATH, tcp://HOST:PORT or fd://" },
                { "''", "\"\" is not an address with a scheme: unix://PATH, "
                        "tcp://HOST:PORT or fd://" },
                { "'://x'", "\"://x\" is not an address with a scheme: unix://PATH, "
                            "tcp://HOST:PORT or fd://" },
                { "unix://x", "\"unix://x\" is not unix:// with an absolute path" },
                { "unx:///x", "unknown scheme unx:// (did you mean unix://?)" },
                { "vsock://3", "unknown scheme vsock://: unix, tcp and fd are known" },
                { "npipe:////./x", "npipe:// means something on Windows only" },
                { "tcp://", "\"tcp://\" is not tcp:// with a host and a port" },
        };
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "grpc: {address: [unix:///x, tcp://0.0.0.0:1, fd://, \"tcp://[::1]:80\"]}");
        ck_assert_uint_eq(sw_config_list(c, "grpc.address")->n, 4);
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(sw_str) yaml = sw_asprintf("grpc: {address: [%s]}", bad[i].value);
                sw_auto(sw_str) line =
                        sw_asprintf("f.yaml:1:18: grpc.address: %s", bad[i].what);

                refuses(yaml, line);
        }

        load(c, "grpc: {debugAddress: \"0.0.0.0:6060\"}");
        load(c, "grpc: {debugAddress: unix:///run/debug.sock}");
        refuses_value("grpc", "debugAddress", "localhost",
                      "\"localhost\" is not HOST:PORT or unix://PATH");
        refuses_value("grpc", "debugAddress", "localhost:99999",
                      "\"localhost:99999\" is not HOST:PORT or unix://PATH");
        refuses_value("grpc", "securityDescriptor", "x",
                      "means something on Windows only; remove it");
}
END_TEST

START_TEST(networks)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "dns: {nameservers: [1.1.1.1, \"::1\", \"fe80::1%eth0\"]}\n"
                "worker: {oci: {bridgeSubnet: \"fd00::/64\"}}");
        ck_assert_uint_eq(sw_config_list(c, "dns.nameservers")->n, 3);
        ck_assert_str_eq(sw_config_str(c, "worker.oci.bridgeSubnet"), "fd00::/64");
}
END_TEST

START_TEST(network_mistakes)
{
        refuses("dns: {nameservers: [dns.example, 1.1.1.1%eth0, \"fe80::1%\"]}",
                "f.yaml:1:21: dns.nameservers: \"dns.example\" is not an IP address\n"
                "f.yaml:1:34: dns.nameservers: \"1.1.1.1%eth0\" is not an IP address\n"
                "f.yaml:1:48: dns.nameservers: \"fe80::1%\" is not an IP address");
        refuses("dns: {searchDomains: [\"a b\", \"\"]}",
                "f.yaml:1:23: dns.searchDomains: \"a b\" is not a single word\n"
                "f.yaml:1:30: dns.searchDomains: is empty; leave the key out instead");
        refuses("worker: {oci: {bridgeSubnet: 10.0.0.0}}",
                "f.yaml:1:30: worker.oci.bridgeSubnet: \"10.0.0.0\" is not a network such "
                "as 10.10.0.0/16");
        refuses("worker: {oci: {bridgeSubnet: 10.0.0.0/33}}",
                "f.yaml:1:30: worker.oci.bridgeSubnet: \"10.0.0.0/33\" is not a network "
                "with a prefix length that fits its address");
        refuses("worker: {oci: {networkMode: hst}}",
                "f.yaml:1:29: worker.oci.networkMode: \"hst\" is none of auto, bridge, "
                "cni, host (did you mean host?)");
}
END_TEST

START_TEST(names_of_things)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "worker: {oci: {platforms: [linux/amd64, linux/arm/v7, "
                "windows(10.0.17763)/amd64], snapshotter: my-own_1.0}}\n"
                "registry: {docker.io: {mirrors: [m.example, \"localhost:5000/a/b\"]}}\n"
                "frontend: {gateway.v0: {allowedRepositories: [docker/dockerfile, "
                "\"localhost:5000/x\"]}}\n");
        refuses("worker: {oci: {platforms: [linux/, /amd64, a/b/c/d/e, a//b, \"a b\", "
                "'']}}",
                "f.yaml:1:28: worker.oci.platforms: \"linux/\" is not a platform such as "
                "linux/amd64 or linux/arm/v7\n"
                "f.yaml:1:36: worker.oci.platforms: \"/amd64\" is not a platform such as "
                "linux/amd64 or linux/arm/v7\n"
                "f.yaml:1:44: worker.oci.platforms: \"a/b/c/d/e\" is not a platform such "
                "as "
                "linux/amd64 or linux/arm/v7\n"
                "f.yaml:1:55: worker.oci.platforms: \"a//b\" is not a platform such as "
                "linux/amd64 or linux/arm/v7\n"
                "f.yaml:1:61: worker.oci.platforms: \"a b\" is not a platform such as "
                "linux/amd64 or linux/arm/v7\n"
                "f.yaml:1:68: worker.oci.platforms: \"\" is not a platform such as "
                "linux/amd64 or linux/arm/v7");
        refuses("worker: {oci: {snapshotter: ../x}}",
                "f.yaml:1:29: worker.oci.snapshotter: \"../x\" is not a name: letters, "
                "digits, '.', '_' and '-'");
        refuses("registry: {a: {mirrors: [https://b, \"/b\", \"b?c\"]}}",
                "f.yaml:1:26: registry.\"a\".mirrors: \"https://b\" is not "
                "HOST[:PORT][/PATH]: leave out the scheme; for plain HTTP give the mirror "
                "a "
                "key registry.\"HOST\".http\n"
                "f.yaml:1:37: registry.\"a\".mirrors: \"/b\" is not HOST[:PORT][/PATH]\n"
                "f.yaml:1:43: registry.\"a\".mirrors: \"b?c\" is not HOST[:PORT][/PATH]");
        refuses("frontend: {gateway.v0: {allowedRepositories: [a/b:1, a@b, 'a b']}}",
                "f.yaml:1:47: frontend.\"gateway.v0\".allowedRepositories: \"a/b:1\" is "
                "not "
                "a repository: leave out the tag and the digest\n"
                "f.yaml:1:54: frontend.\"gateway.v0\".allowedRepositories: \"a@b\" is not "
                "a "
                "repository: leave out the tag and the digest\n"
                "f.yaml:1:59: frontend.\"gateway.v0\".allowedRepositories: \"a b\" is not "
                "an "
                "image repository");
}
END_TEST

START_TEST(long_values_are_cut)
{
        sw_auto(sw_buf) yaml = SW_BUF_INIT;
        sw_autoptr(sw_config) c = sw_config_new();

        sw_buf_adds(&yaml, "debug: ");
        while (yaml.len < 100000)
                sw_buf_addc(&yaml, 'x');
        sw_err *err = sw_config_load_text(c, "f.yaml", yaml.data, yaml.len);
        ck_assert_uint_lt(strlen(sw_err_message(err)), 200);
        sw_err_free(err);
}
END_TEST

UNIT_MAIN("check", bools, ints, durations, disk_space, choices, paths,
          relative_paths_of_flags_become_absolute, addresses, networks, network_mistakes,
          names_of_things, long_values_are_cut)
