/*
 * core/config/load.c, level.c - shapes, unknown keys, duplicates, missing values. Catches
 * a mistake that is passed over, told at the wrong place, or told about the wrong key.
 */
#include "tests/unit/core/config/load.h"

START_TEST(finds_the_nearest_key)
{
        refuses("debugg: true\n", "f.yaml:1:1: debugg: unknown key (did you mean debug?)");
        refuses("log:\n  format: text\n  levle: info\n",
                "f.yaml:3:3: log.levle: unknown key (did you mean level?)");
        refuses("frontend:\n  dockerfile: {enabled: true}\n",
                "f.yaml:2:3: frontend.dockerfile: unknown key (did you mean "
                "dockerfile.v0?)");
        refuses("worker: {oci: {gcpolicy: [{}, {keepduration: 1h}]}}\n",
                "f.yaml:1:32: worker.oci.gcpolicy.1.keepduration: unknown key (did you "
                "mean keepDuration?)");
        /* the right key at the wrong level */
        refuses("socketPath: /run/x\n",
                "f.yaml:1:1: socketPath: unknown key here (did you mean otel.socketPath?)");
        refuses("dns: {gateway.v0: {}}\n",
                "f.yaml:1:7: dns.\"gateway.v0\": unknown key (known here: nameservers, "
                "options, searchDomains)");
        refuses("log: {x: [1, {a: b}], y: 1}\n",
                "f.yaml:1:7: log.x: unknown key (known here: format, level)\n"
                "f.yaml:1:23: log.y: unknown key (known here: format, level)");
}
END_TEST

START_TEST(refuses_duplicates)
{
        refuses("root: /a\ndebug: true\nroot: /b\n",
                "f.yaml:3:1: root: is given twice; first on line 1");
        refuses("registry:\n  a: {}\n  b: {}\n  a: {http: maybe}\n",
                "f.yaml:4:3: registry.a: is given twice; first on line 2");
        refuses("worker: {oci: {labels: {a: 1, a: 2}}}\n",
                "f.yaml:1:31: worker.oci.labels.a: is given twice; first on line 1");
        refuses("plugins: {api/b: {x: 1,\nx: 2}}\n",
                "f.yaml:2:1: plugins.\"api/b\".x: is given twice; first on line 1");
        refuses("worker: {oci: {stargzSnapshotter: {a.b: 1, a: {b: 2}}}}\n",
                "f.yaml:1:51: worker.oci.stargzSnapshotter: has two entries that come to "
                "the same name");
}
END_TEST

START_TEST(refuses_wrong_shapes)
{
        refuses("debug: [true]\n", "f.yaml:1:8: debug: must be a single value, is a list");
        refuses("debug: {a: b}\n",
                "f.yaml:1:8: debug: must be a single value, is a table of keys");
        refuses("log: info\n",
                "f.yaml:1:6: log: must be a table of keys, is a single value");
        refuses("registry: [docker.io]\n",
                "f.yaml:1:11: registry: must be a table of keys, is a list");
        refuses("grpc: {address: fd://}\n",
                "f.yaml:1:17: grpc.address: must be a list ([VALUE, …] or lines of - "
                "VALUE), is a single value");
        refuses("grpc:\n  address:\n    - {unix: /x}\n    - [fd://]\n    - fd://\n",
                "f.yaml:3:7: grpc.address: must be a list of single values, is a table of "
                "keys\n"
                "f.yaml:4:7: grpc.address: must be a list of single values, is a list");
        refuses("worker: {oci: {labels: [a=b]}}\n",
                "f.yaml:1:24: worker.oci.labels: must be a table of names and values, is a "
                "list");
        refuses("worker: {oci: {labels: {a: {b: c}}}}\n",
                "f.yaml:1:28: worker.oci.labels: must be a table of names and single "
                "values, is a table of keys");
        refuses("worker: {oci: {gcpolicy: {all: true}}}\n",
                "f.yaml:1:26: worker.oci.gcpolicy: must be a list of tables, is a table of "
                "keys");
        refuses("worker: {oci: {gcpolicy: [all]}}\n",
                "f.yaml:1:27: worker.oci.gcpolicy.0: must be a table of keys, is a single "
                "value");
        refuses("plugins: {api/b: {x: {y: z}}}\n", "f.yaml:1:22: plugins.\"api/b\".x: must "
                                                   "be a single value or a list of them, "
                                                   "is a table of keys");
        refuses("plugins: {api/b: {x: [[1], 2]}}\n",
                "f.yaml:1:23: plugins.\"api/b\".x: must be a list of single values, is a "
                "list");
}
END_TEST

START_TEST(refuses_missing_values)
{
        refuses("debug:\nroot: ~\nlog: {level: null}\n",
                "f.yaml:1:1: debug: has no value; write one or leave the key out\n"
                "f.yaml:2:1: root: has no value; write one or leave the key out\n"
                "f.yaml:3:7: log.level: has no value; write one or leave the key out");
        refuses("cdi:\n  specDirs: [/a, ]\n  autoAllowed: [a, ~]\n",
                "f.yaml:3:20: cdi.autoAllowed: an item has no value");
        refuses("plugins: {api/b: {x: }}\n", "f.yaml:1:19: plugins.\"api/b\".x: has no "
                                             "value; write one or leave the key "
                                             "out");
        refuses("worker: {oci: {labels: {a: }}}\n",
                "f.yaml:1:28: worker.oci.labels: must be a table of names and single "
                "values, is nothing");
}
END_TEST

START_TEST(empty_tables_and_lists_are_fine)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "log:\nregistry: {docker.io: }\ncdi: {specDirs: }\n"
                "worker: {oci: {gcpolicy: , labels: }, containerd: {gcpolicy: []}}\n");
        /* an empty list is a value: it replaces the default */
        ck_assert_uint_eq(sw_config_list(c, "cdi.specDirs")->n, 0);
        shows(c, "cdi.specDirs", "[]", SW_FROM_FILE, "f.yaml");
        shows(c, "worker.oci.labels", "{}", SW_FROM_FILE, "f.yaml");
        ck_assert(sw_config_has(c, "worker.oci.gcpolicy"));
        ck_assert(sw_config_has(c, "registry.\"docker.io\""));
        ck_assert(!sw_config_has(c, "registry.\"quay.io\""));
        ck_assert(!sw_config_has(c, "worker.oci.gcpolicy.0"));
        load(c, "worker: {oci: {gcpolicy: [{}]}}");
        ck_assert(sw_config_has(c, "worker.oci.gcpolicy.0"));
        ck_assert(!sw_config_has(c, "worker.oci.gcpolicy.1"));
}
END_TEST

START_TEST(keys_are_text)
{
        refuses("[a, b]: 1\ndebug: maybe\n",
                "f.yaml:1:1: a key must be plain text\n"
                "f.yaml:2:8: debug: \"maybe\" is not true or false");
        refuses("? {a: b}\n: [c, d]\n", "f.yaml:1:3: a key must be plain text");
        refuses("\"a\\0b\": 1\n", "f.yaml:1:1: a key must be plain text");
        refuses("\"\": 1\n",
                "f.yaml:1:1: \"\": unknown key (known here: debug, trace, root, "
                "insecure-entitlements, proxyNetwork, provenanceEnvDir, log, grpc, otel, "
                "cdi, dns, history, frontend, system, cache, registry, worker, pluginDirs, "
                "plugins)");
}
END_TEST

START_TEST(checks_the_users_own_names)
{
        refuses("registry: {https://docker.io: {}}\n",
                "f.yaml:1:12: registry.\"https://docker.io\": a registry is named HOST or "
                "HOST:PORT, without a scheme; for plain HTTP set its key http");
        refuses("registry: {docker.io/library: {}}\n",
                "f.yaml:1:12: registry.\"docker.io/library\": a registry is named HOST or "
                "HOST:PORT");
        refuses("registry: {\"\": {}}\n",
                "f.yaml:1:12: registry.\"\": a registry is named HOST or HOST:PORT");
        refuses("plugins: {image: {}, /x: {}, a/: {}, a/b/c: {}}\n",
                "f.yaml:1:11: plugins.\"image\": a plugin is named KIND/NAME, such as "
                "exporter/image\n"
                "f.yaml:1:22: plugins.\"/x\": a plugin is named KIND/NAME, such as "
                "exporter/image\n"
                "f.yaml:1:30: plugins.\"a/\": a plugin is named KIND/NAME, such as "
                "exporter/image\n"
                "f.yaml:1:38: plugins.\"a/b/c\": a plugin is named KIND/NAME, such as "
                "exporter/image");
        refuses("plugins: {\n exportr/image: {},\n made-up/image: {}}\n",
                "f.yaml:2:2: plugins.\"exportr/image\": unknown kind of plugin: exportr "
                "(did you mean exporter?)\n"
                "f.yaml:3:2: plugins.\"made-up/image\": unknown kind of plugin: made-up");
        refuses("plugins: {api/b: {\"x y\": 1}}\n",
                "f.yaml:1:19: plugins.\"api/b\".\"x y\": not a name of an option: letters, "
                "digits, '.', '_' and '-'");
}
END_TEST

START_TEST(entries_lack_keys)
{
        refuses("registry:\n  a:\n    keypair:\n      - key: /k\n      - {cert: /c}\n"
                "      - {key: /k, cert: /c}\n      -\n",
                "f.yaml:4:9: registry.\"a\".keypair.0: lacks the key cert\n"
                "f.yaml:5:9: registry.\"a\".keypair.1: lacks the key key\n"
                "f.yaml:7:8: registry.\"a\".keypair.3: lacks the key key\n"
                "f.yaml:7:8: registry.\"a\".keypair.3: lacks the key cert");
        /* not told again when it is there but wrong */
        refuses("registry: {a: {keypair: [{key: k, cert: /c}]}}\n",
                "f.yaml:1:32: registry.\"a\".keypair.0.key: \"k\" is not an absolute path");
}
END_TEST

START_TEST(trees_become_dotted_names)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "worker: {oci: {stargzSnapshotter: {noprometheus: true, blob: {valid: 1, "
                "hosts: [a, {b: c}]}}}}\n");
        shows(c, "worker.oci.stargzSnapshotter",
              "{noprometheus: true, blob.valid: 1, blob.hosts.0: a, blob.hosts.1.b: c}",
              SW_FROM_FILE, "f.yaml");
        ck_assert_str_eq(sw_config_str(c,
                                       "worker.oci.stargzSnapshotter.\"blob.hosts.1.b\""),
                         "c");
}
END_TEST

UNIT_MAIN("load", finds_the_nearest_key, refuses_duplicates, refuses_wrong_shapes,
          refuses_missing_values, empty_tables_and_lists_are_fine, keys_are_text,
          checks_the_users_own_names, entries_lack_keys, trees_become_dotted_names)
