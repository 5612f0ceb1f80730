/*
 * core/config/schema.c, level.c - the table itself. Catches rows that stand apart from
 * their table, defaults that their own check refuses, and rows that documents cannot use.
 */
#include <slipway/text.h>

#include "core/config/schema.h"
#include "tests/unit/core/config/load.h"

/* Length of the part of @path that ends before its last dot outside quotes and <>. */
static size_t
table_len(const char *path)
{
        size_t at = 0;
        bool inside = false;

        for (const char *p = path; *p; p++) {
                if (*p == '"' || *p == '<' || *p == '>')
                        inside = !inside;
                else if (*p == '.' && !inside)
                        at = (size_t) (p - path);
        }
        return at;
}

START_TEST(rows_of_a_table_stand_together)
{
        size_t n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        /* whenever row i is below a table of row j, so are all rows between them */
        for (size_t i = 0; i < n; i++) {
                for (size_t len = table_len(rows[i].path); len > 0;) {
                        bool ended = false;
                        sw_auto(sw_str) table = sw_strndup(rows[i].path, len);

                        for (size_t j = i; j < n; j++) {
                                bool below = strncmp(rows[j].path, table, len) == 0 &&
                                             rows[j].path[len] == '.';

                                ck_assert_msg(!(below && ended), "%s stands apart",
                                              rows[j].path);
                                ended = ended || !below;
                        }
                        len = table_len(table);
                }
        }
}
END_TEST

START_TEST(rows_can_be_documented)
{
        size_t n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        for (size_t i = 0; i < n; i++) {
                const struct sw__config_key *r = &rows[i];
                size_t len = strlen(r->help);

                ck_assert_msg(len > 5 && len < 90, "%s: help", r->path);
                ck_assert_msg(r->help[len - 1] != '.' && !strchr(r->help, '\n'), "%s: help",
                              r->path);
                ck_assert_msg((r->check == SW__CHECK_CHOICE) == (r->choices != NULL),
                              "%s: choices", r->path);
                ck_assert_msg(!r->env || strncmp(r->env, "SLIPWAY_", 8) == 0, "%s: env",
                              r->path);
                ck_assert_msg(!r->dflt_user || r->dflt, "%s: default", r->path);
                for (size_t j = i + 1; j < n; j++) {
                        ck_assert_str_ne(r->path, rows[j].path);
                        ck_assert(!r->env || !sw_str_eq(r->env, rows[j].env));
                }
        }
}
END_TEST

START_TEST(defaults_pass_their_own_checks)
{
        sw_autoptr(sw_config) c = sw_config_new();
        size_t n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        setenv("HOME", "/home/me", 1);
        for (size_t i = 0; i < n; i++) {
                struct sw_config_value v;

                if (strpbrk(rows[i].path, "<["))
                        continue;
                ck_assert_msg(sw_config_value(c, rows[i].path, &v), "%s", rows[i].path);
                ck_assert_msg(v.set == (rows[i].dflt != NULL), "%s", rows[i].path);
                ck_assert_int_eq(v.origin, SW_FROM_DEFAULT);
                ck_assert_str_eq(v.key, rows[i].path);
                ck_assert_str_eq(v.help, rows[i].help);
        }
}
END_TEST

/* The keys of the reference's configuration, spot-checked by one whole file of it. */
START_TEST(takes_over_a_buildkitd_configuration)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c,
             "debug: true\ntrace: true\nroot: /var/lib/buildkit\n"
             "insecure-entitlements: [network.host, security.insecure, device]\n"
             "proxyNetwork: true\nprovenanceEnvDir: /etc/buildkit/provenance.d\n"
             "log: {format: text, level: warn}\n"
             "dns: {nameservers: [1.1.1.1, 8.8.8.8], options: [edns0], "
             "searchDomains: [example.com]}\n"
             "grpc:\n  address: [\"tcp://0.0.0.0:1234\"]\n"
             "  debugAddress: 0.0.0.0:6060\n  uid: 0\n  gid: 0\n"
             "  tls: {cert: /etc/tls.crt, key: /etc/tls.key, ca: /etc/tlsca.crt}\n"
             "otel: {socketPath: /run/buildkit/otel-grpc.sock}\n"
             "cdi: {disabled: true, specDirs: [/etc/cdi], autoAllowed: [vendor1.com/x]}\n"
             "history: {maxAge: 172800, maxEntries: 50}\n"
             "system: {platformsCacheMaxAge: 1h, maxRegistryConcurrency: 8}\n"
             "cache:\n  gha:\n    sign: {command: [ghacache-sign, --keyless]}\n"
             "    verify:\n      required: true\n      policy:\n"
             "        timestampThreshold: 1\n        tlogThreshold: 1\n"
             "        subjectAlternativeName: https://github.com/x/.github/y\n"
             "        sourceRepositoryURI: https://github.com/x/y\n");
        load(c,
             "worker:\n  oci:\n    enabled: true\n    platforms: [linux/amd64]\n"
             "    snapshotter: auto\n    rootless: false\n    noProcessSandbox: false\n"
             "    gc: true\n    gckeepstorage: 9000\n    reservedSpace: \"30%\"\n"
             "    maxUsedSpace: \"60%\"\n    minFreeSpace: 20GB\n"
             "    networkMode: auto\n    cniConfigPath: /etc/cni.json\n"
             "    cniBinaryPath: /opt/cni/bin\n    cniPoolSize: 16\n"
             "    bridgeName: b0\n    bridgeSubnet: 10.0.0.0/16\n    binary: crun\n"
             "    apparmor-profile: x\n    selinux: false\n    max-parallelism: 4\n"
             "    defaultCgroupParent: buildkit\n    userRemapUnsupported: me\n"
             "    proxySnapshotterPath: /x\n    labels: {foo: bar}\n"
             "    gcpolicy:\n      - reservedSpace: 512MB\n        keepDuration: 48h\n"
             "        filters: [\"type==source.local\", \"type==exec.cachemount\"]\n"
             "      - {all: true, reservedSpace: 1024000000}\n"
             "  containerd:\n    address: /run/containerd/containerd.sock\n"
             "    namespace: buildkit\n    runtime: {name: io.containerd.runc.v2, "
             "path: /usr/bin/shim, options: {BinaryName: runc}}\n"
             "registry:\n  docker.io:\n    mirrors: [\"y.example:5000\", core.h.io/proxy]\n"
             "    http: true\n    insecure: true\n    ca: [/etc/config/myca.pem]\n"
             "    keypair: [{key: /etc/config/key.pem, cert: /etc/config/cert.pem}]\n"
             "    tlsconfigdir: [/etc/tls]\n"
             "frontend: {dockerfile.v0: {enabled: true}, gateway.v0: {enabled: true, "
             "allowedRepositories: []}}\n");
        ck_assert_int_eq(sw_config_int(c, "worker.oci.cniPoolSize"), 16);
        ck_assert_str_eq(sw_config_str(c, "worker.containerd.runtime.options.BinaryName"),
                         "runc");
}
END_TEST

UNIT_MAIN("schema", rows_of_a_table_stand_together, rows_can_be_documented,
          defaults_pass_their_own_checks, takes_over_a_buildkitd_configuration)
