/*
 * core/config/schema.c - the table of configuration keys; see schema.h.
 *
 * Names and nesting are those of buildkitd.toml, so that a configuration carries over
 * key by key. Where slipway means something else on purpose:
 *
 *   unknown keys        are errors; buildkitd ignores them
 *   names               are case-sensitive
 *   history             a missing one of its two keys keeps its default; buildkitd takes
 *                       it as zero, which forgets all history at once
 *   percentages         are exact shares of the disk; buildkitd rounds up to the next
 *                       full unit, so that 10% of a small disk can exceed the disk
 *   relative paths      are refused in files, where nothing says what they are relative
 *                       to; in flags and environment they are made absolute
 *   bridgeName,         default to our own name, so that both programs can run on one
 *   namespace           machine
 *   grpc.tls            buildkitd checks the pair when it reads the file; here the three
 *                       may come from different places, so the listener checks
 *   containerd worker   its keys are accepted and shown; no such worker exists yet
 *
 * Thread: any; everything is const.
 */
#include "core/config/schema.h"

#define ETC  SW_SYSCONFDIR "/slipway"
#define RUN  "/run/slipway"
#define URUN "$XDG_RUNTIME_DIR/slipway"

/* PATH, type, default, help line, then further fields. */
#define K(p, t, d, h, ...)                                                                 \
        {                                                                                  \
                .path = p, .type = SW_CONFIG_##t, .dflt = d, .help = h, __VA_ARGS__        \
        }
#define CHECK(c)    .check = SW__CHECK_##c
#define ENV(name)   .env = "SLIPWAY_" name
#define CHOICE(...) .check = SW__CHECK_CHOICE, .choices = __VA_ARGS__

#define LEVELS       "panic fatal error warn warning info debug trace"
#define ENTITLEMENTS "security.insecure network.host device"

/* One key a paragraph reads better than filled lines. */
/* clang-format off */

/* A rule of garbage collection. */
#define GC_RULE(p)                                                                         \
        K(p ".all", BOOL, "false",                                                         \
          "take internal and shared records too, not only build cache"),                   \
        K(p ".filters", LIST, NULL,                                                        \
          "records the rule is about, such as type==source.local; empty means all",        \
          CHECK(LINE)),                                                                    \
        K(p ".keepDuration", DURATION, NULL,                                               \
          "keep what was used more recently than this", CHECK(NATURAL)),                   \
        K(p ".keepBytes", DISKSPACE, NULL, "old name of reservedSpace"),                   \
        K(p ".reservedSpace", DISKSPACE, NULL,                                             \
          "disk space the rule always leaves to the cache"),                               \
        K(p ".maxUsedSpace", DISKSPACE, NULL,                                              \
          "disk space the cache may use before the rule removes records"),                 \
        K(p ".minFreeSpace", DISKSPACE, NULL,                                              \
          "free disk space the rule tries to leave to others")

/* What both workers share; W is the path of the worker, S its default snapshotter. */
#define WORKER(w, s)                                                                       \
        K(w ".enabled", BOOL, NULL,                                                        \
          "use this worker; unset: when what it needs is found"),                          \
        K(w ".labels", MAP, NULL, "labels the worker is listed with"),                     \
        K(w ".platforms", LIST, NULL,                                                      \
          "platforms to offer, such as linux/arm64; unset: what the machine can run",      \
          CHECK(PLATFORM)),                                                                \
        K(w ".snapshotter", STRING, s,                                                     \
          "snapshotter that keeps the trees; auto takes the best that works here",         \
          CHECK(NAME)),                                                                    \
        K(w ".rootless", BOOL, NULL,                                                       \
          "run without privileges; unset: true in a user namespace"),                      \
        K(w ".gc", BOOL, "true", "remove old cache records by themselves"),                \
        K(w ".gckeepstorage", DISKSPACE, NULL, "old name of reservedSpace"),               \
        K(w ".reservedSpace", DISKSPACE, NULL,                                             \
          "disk space always left to the cache; unset: 10%, at most 10GB"),                \
        K(w ".maxUsedSpace", DISKSPACE, NULL,                                              \
          "disk space the cache may use; unset: 80%, at most 100GB"),                      \
        K(w ".minFreeSpace", DISKSPACE, NULL,                                              \
          "free disk space to leave to others; unset: 20%"),                               \
        GC_RULE(w ".gcpolicy.[]"),                                                         \
        K(w ".networkMode", STRING, "auto",                                                \
          "network of build steps; auto takes cni where its configuration is found",       \
          CHOICE("auto bridge cni host")),                                                 \
        K(w ".cniConfigPath", STRING, ETC "/cni.json", "CNI configuration file",           \
          CHECK(PATH), .dflt_user = "$XDG_CONFIG_HOME/slipway/cni.json"),                  \
        K(w ".cniBinaryPath", STRING, "/opt/cni/bin", "directory of the CNI plugins",      \
          CHECK(PATH)),                                                                    \
        K(w ".cniPoolSize", INT, "0", "network namespaces to keep ready",                  \
          CHECK(NATURAL)),                                                                 \
        K(w ".bridgeName", STRING, "slipway0", "bridge interface of networkMode bridge",   \
          CHECK(NAME)),                                                                    \
        K(w ".bridgeSubnet", STRING, "10.10.0.0/16",                                       \
          "addresses of networkMode bridge", CHECK(CIDR)),                                 \
        K(w ".defaultCgroupParent", STRING, NULL,                                          \
          "cgroup above those of build steps", CHECK(LINE)),                               \
        K(w ".apparmor-profile", STRING, NULL,                                             \
          "AppArmor profile of build steps; it must be loaded", CHECK(LINE)),              \
        K(w ".selinux", BOOL, "false", "label build steps for SELinux"),                   \
        K(w ".max-parallelism", INT, "0", "build steps at one time; 0: no limit",          \
          CHECK(NATURAL))

/* What the certificate that signed a cache entry must say; an empty one is not compared. */
#define POLICY(name, h)                                                                    \
        K("cache.gha.verify.policy." name, STRING, NULL, "certificate must have this " h)

static const struct sw__config_key schema[] = {
        K("debug", BOOL, "false", "log at level debug; log.level is the newer name",
          ENV("DEBUG")),
        K("trace", BOOL, "false", "log at level trace; log.level is the newer name",
          ENV("TRACE")),
        K("root", STRING, "/var/lib/slipway", "directory of everything that is stored",
          CHECK(PATH), ENV("ROOT"), .dflt_user = "$XDG_DATA_HOME/slipway"),
        K("insecure-entitlements", LIST, NULL,
          "entitlements that builds may ask for", CHOICE(ENTITLEMENTS)),
        K("proxyNetwork", BOOL, "false", "send the network of all builds through the proxy"),
        K("provenanceEnvDir", STRING, ETC "/provenance.d",
          "directory of *.json files merged into provenance environments", CHECK(PATH)),

        K("log.format", STRING, "text", "form of log lines", CHOICE("text json"),
          ENV("LOG_FORMAT")),
        K("log.level", STRING, "info", "least important log lines to write",
          CHOICE(LEVELS), ENV("LOG_LEVEL")),

        K("grpc.address", LIST, "unix://" RUN "/slipwayd.sock",
          "addresses the daemon listens on: unix://PATH, tcp://HOST:PORT or fd://",
          CHECK(ADDRESS), ENV("ADDR"), .dflt_user = "unix://" URUN "/slipwayd.sock"),
        K("grpc.debugAddress", STRING, NULL,
          "address of the debug and metrics server, HOST:PORT or unix://PATH",
          CHECK(HOSTPORT), ENV("DEBUGADDR")),
        K("grpc.uid", INT, NULL, "owner of the sockets; unset: who runs the daemon",
          CHECK(ID)),
        K("grpc.gid", INT, NULL, "group of the sockets; unset: that of the daemon",
          CHECK(ID)),
        K("grpc.securityDescriptor", STRING, NULL,
          "security descriptor of a named pipe, on Windows only", CHECK(WINDOWS)),
        K("grpc.tls.cert", STRING, NULL, "certificate of the daemon, with grpc.tls.key",
          CHECK(PATH)),
        K("grpc.tls.key", STRING, NULL, "private key of that certificate", CHECK(PATH)),
        K("grpc.tls.ca", STRING, NULL,
          "certificates that sign clients; clients must then have one", CHECK(PATH)),

        K("otel.socketPath", STRING, RUN "/otel-grpc.sock",
          "socket on which build steps hand in traces", CHECK(PATH),
          .dflt_user = URUN "/otel-grpc.sock"),

        K("cdi.disabled", BOOL, "false", "offer no devices to builds"),
        K("cdi.specDirs", LIST, "/etc/cdi,/var/run/cdi," ETC "/cdi",
          "directories of CDI device descriptions", CHECK(PATH)),
        K("cdi.autoAllowed", LIST, NULL,
          "devices, or kinds of them, that need no entitlement", CHECK(WORD)),

        K("dns.nameservers", LIST, NULL,
          "name servers of build steps; unset: those of the machine", CHECK(IP)),
        K("dns.options", LIST, NULL, "resolver options of build steps", CHECK(WORD)),
        K("dns.searchDomains", LIST, NULL, "search domains of build steps", CHECK(WORD)),

        K("history.enabled", BOOL, "true", "remember builds: slipway history"),
        K("history.maxAge", DURATION, "48h",
          "finished builds younger than this are kept in the history", CHECK(NATURAL)),
        K("history.maxEntries", INT, "50",
          "as many of the newest finished builds are kept, however old", CHECK(NATURAL)),

        K("frontend.\"dockerfile.v0\".enabled", BOOL, "true",
          "offer the Dockerfile frontend"),
        K("frontend.\"gateway.v0\".enabled", BOOL, "true",
          "offer frontends that are images"),
        K("frontend.\"gateway.v0\".allowedRepositories", LIST, NULL,
          "image repositories that frontends may come from; empty: all",
          CHECK(REPOSITORY)),

        K("system.platformsCacheMaxAge", DURATION, "20s",
          "look again what platforms can run after this long; negative: never"),
        K("system.maxRegistryConcurrency", INT, "4",
          "transfers at one time with one registry", CHECK(POSITIVE)),

        K("cache.gha.sign.command", LIST, NULL,
          "program that signs cache entries, from its input to its output", CHECK(ANY)),
        K("cache.gha.verify.required", BOOL, "false",
          "use only cache entries that are signed as the policy says"),
        K("cache.gha.verify.policy.timestampThreshold", INT, "0",
          "signed timestamps a cache entry must have", CHECK(NATURAL)),
        K("cache.gha.verify.policy.tlogThreshold", INT, "0",
          "transparency log entries a cache entry must have", CHECK(NATURAL)),
        POLICY("certificateIssuer", "issuer"),
        POLICY("subjectAlternativeName", "subject alternative name"),
        POLICY("issuer", "OpenID issuer"),
        POLICY("githubWorkflowTrigger", "GitHub workflow trigger"),
        POLICY("githubWorkflowSHA", "GitHub workflow commit"),
        POLICY("githubWorkflowName", "GitHub workflow name"),
        POLICY("githubWorkflowRepository", "GitHub workflow repository"),
        POLICY("githubWorkflowRef", "GitHub workflow ref"),
        POLICY("buildSignerURI", "build signer URI"),
        POLICY("buildSignerDigest", "build signer digest"),
        POLICY("runnerEnvironment", "runner environment"),
        POLICY("sourceRepositoryURI", "source repository URI"),
        POLICY("sourceRepositoryDigest", "source repository commit"),
        POLICY("sourceRepositoryRef", "source repository ref"),
        POLICY("sourceRepositoryIdentifier", "source repository id"),
        POLICY("sourceRepositoryOwnerURI", "source repository owner URI"),
        POLICY("sourceRepositoryOwnerIdentifier", "source repository owner id"),
        POLICY("buildConfigURI", "build configuration URI"),
        POLICY("buildConfigDigest", "build configuration digest"),
        POLICY("buildTrigger", "build trigger"),
        POLICY("runInvocationURI", "run URI"),
        POLICY("sourceRepositoryVisibilityAtSigning", "source repository visibility"),

        K("registry.<HOST>.mirrors", LIST, NULL,
          "registries to ask first, HOST[:PORT][/PATH], in this order", CHECK(MIRROR)),
        K("registry.<HOST>.http", BOOL, NULL,
          "speak plain HTTP; unset: only with localhost"),
        K("registry.<HOST>.insecure", BOOL, "false",
          "accept any certificate; with http, try HTTPS first"),
        K("registry.<HOST>.ca", LIST, NULL,
          "files of certificates to trust besides the system's", CHECK(PATH)),
        K("registry.<HOST>.keypair.[].key", STRING, NULL,
          "private key of a client certificate", CHECK(PATH), .needed = true),
        K("registry.<HOST>.keypair.[].cert", STRING, NULL,
          "client certificate to show the registry", CHECK(PATH), .needed = true),
        K("registry.<HOST>.tlsconfigdir", LIST, NULL,
          "directories of *.crt to trust and *.cert with *.key to show", CHECK(PATH)),

        WORKER("worker.oci", "auto"),
        K("worker.oci.noProcessSandbox", BOOL, "false",
          "let rootless build steps see the processes of the machine"),
        K("worker.oci.binary", STRING, NULL,
          "OCI runtime; unset: crun where present, else runc", CHECK(PROGRAM)),
        K("worker.oci.proxySnapshotterPath", STRING, NULL,
          "socket of a snapshotter that runs as a program of its own", CHECK(PATH)),
        K("worker.oci.stargzSnapshotter", MAP, NULL,
          "settings handed to the stargz snapshotter", CHECK(TREE)),
        K("worker.oci.userRemapUnsupported", STRING, NULL,
          "user whose subordinate ids build steps run with", CHECK(WORD)),

        WORKER("worker.containerd", "overlayfs"),
        K("worker.containerd.address", STRING, "/run/containerd/containerd.sock",
          "socket of containerd", CHECK(WORD)),
        K("worker.containerd.namespace", STRING, "slipway",
          "containerd namespace to work in", CHECK(NAME)),
        K("worker.containerd.runtime.name", STRING, "io.containerd.runc.v2",
          "containerd runtime of build steps", CHECK(WORD)),
        K("worker.containerd.runtime.path", STRING, NULL,
          "program of that runtime; unset: found by its name", CHECK(PATH)),
        K("worker.containerd.runtime.options", MAP, NULL,
          "settings handed to that runtime", CHECK(TREE)),

        K("pluginDirs", LIST, NULL,
          "directories of plugins, searched before the installed ones", CHECK(PATH)),
        K("plugins.<KIND/NAME>.enabled", BOOL, "true", "use this plugin"),
        K("plugins.<KIND/NAME>.required", BOOL, "false",
          "do not start without this plugin"),
        K("plugins.<KIND/NAME>.<OPTION>", STRING, NULL,
          "option of the plugin; see slipway plugins show KIND/NAME", CHECK(OPTION)),
};
/* clang-format on */

const struct sw__config_key *
sw__config_schema(size_t *n)
{
        *n = SW_COUNT(schema);
        return schema;
}
