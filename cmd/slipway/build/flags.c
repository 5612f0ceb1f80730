/* cmd/slipway/build/flags.c - see flags.h. */
#include "cmd/slipway/build/flags.h"

#include <string.h>

#include <slipway/text.h>

#define FILE_FLAG(NAME, HELP)                                                              \
        {                                                                                  \
                .name = (NAME), .type = CLI_STRING, .complete = CLI_FILES,                 \
                .value = "FILE", .help = (HELP)                                            \
        }
#define DIR_FLAG(NAME, VALUE, HELP)                                                        \
        {                                                                                  \
                .name = (NAME), .type = CLI_LIST, .complete = CLI_DIRS, .value = (VALUE),  \
                .help = (HELP)                                                             \
        }
#define TEXT_FLAG(NAME, VALUE, HELP)                                                       \
        {                                                                                  \
                .name = (NAME), .type = CLI_STRING, .value = (VALUE), .help = (HELP)       \
        }
#define LIST_FLAG(NAME, VALUE, HELP)                                                       \
        {                                                                                  \
                .name = (NAME), .type = CLI_LIST, .value = (VALUE), .help = (HELP)         \
        }
#define SWITCH(NAME, HELP)                                                                 \
        {                                                                                  \
                .name = (NAME), .type = CLI_BOOL, .help = (HELP)                           \
        }
#define CHOICE(NAME, VALUE, HELP)                                                          \
        {                                                                                  \
                .name = (NAME), .type = CLI_CHOICE, .value = (VALUE), .help = (HELP)       \
        }

const struct cli_flag build_flags[] = {
        /* what is built */
        { .name = "file",
          .letter = 'f',
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "the Dockerfile, CONTEXT/Dockerfile unless given; - for standard input" },
        TEXT_FLAG("target", "STAGE", "build this stage rather than the last one"),
        LIST_FLAG("build-arg", "NAME=VALUE",
                  "set an ARG; NAME alone has the environment's value"),
        DIR_FLAG("build-context", "NAME=WHERE",
                 "a further context: a directory, URL, docker-image://IMAGE or "
                 "oci-layout://DIR:TAG"),
        LIST_FLAG("label", "NAME=VALUE", "a label of the image"),
        LIST_FLAG("annotation", "NAME=VALUE",
                  "an annotation of the image; index:NAME=VALUE for one of its index"),
        LIST_FLAG("platform", "OS/ARCH", "build for these platforms, apart by commas"),
        SWITCH("pull", "look for newer base images, whatever is known of them"),
        /* what becomes of it */
        { .name = "tag",
          .letter = 't',
          .type = CLI_LIST,
          .complete = CLI_IMAGES,
          .value = "NAME",
          .help = "the image's name; without --output it is kept in the store" },
        { .name = "output",
          .letter = 'o',
          .type = CLI_LIST,
          .value = "type=TYPE",
          .help = "export the result; dest=PATH says where to; DIR alone for files, - for "
                  "a "
                  "tar archive" },
        SWITCH("push", "push the image to the registry of its names"),
        SWITCH("load", "load the image into the engine that is here"),
        CHOICE("load-into", "auto|docker|containerd|containers-storage",
               "the engine for --load; auto is the first one that is here"),
        FILE_FLAG("iidfile", "write the image's id to FILE"),
        FILE_FLAG("metadata-file", "write what the exporters answer to FILE, as JSON"),
        FILE_FLAG("ref-file", "write the id of the build to FILE"),
        /* questions */
        SWITCH("check", "look for mistakes in the Dockerfile; nothing is built"),
        TEXT_FLAG("call", "WHAT",
                  "ask the frontend: check, outline, targets, convertllb, describe; "
                  ",format=json"),
        /* what steps may have */
        LIST_FLAG("secret", "id=ID", "let the build read a secret: src=FILE or env=NAME"),
        LIST_FLAG("ssh", "ID=PATH",
                  "let the build use an ssh agent: ID, ID=SOCKET or ID=KEYFILE"),
        LIST_FLAG("allow", "NAME",
                  "allow network.host, security.insecure, device or device=NAME"),
        CHOICE("network", "default|none|host|sandbox",
               "the network of commands; host allows network.host, too"),
        LIST_FLAG("add-host", "HOST:IP", "a line of /etc/hosts for commands"),
        TEXT_FLAG("shm-size", "SIZE", "size of /dev/shm for commands: 64m"),
        LIST_FLAG("ulimit", "NAME=SOFT:HARD", "a resource limit of commands: nofile=1024"),
        TEXT_FLAG("cgroup-parent", "CGROUP", "the cgroup that those of commands are in"),
        { .name = "memory",
          .letter = 'm',
          .type = CLI_STRING,
          .value = "SIZE",
          .help = "the most memory a command may have: 512m" },
        TEXT_FLAG("memory-swap", "SIZE", "memory and swap together; -1 for no limit"),
        TEXT_FLAG("cpu-shares", "N", "a command's share of processor time, beside others"),
        TEXT_FLAG("cpu-period", "US", "how often processor time is dealt out"),
        TEXT_FLAG("cpu-quota", "US", "how much of it a command gets each time"),
        TEXT_FLAG("cpuset-cpus", "LIST", "processors for commands: 0-2,4"),
        TEXT_FLAG("cpuset-mems", "LIST", "memory nodes for commands"),
        /* the cache */
        SWITCH("no-cache", "run every step, whatever is in the cache"),
        LIST_FLAG("no-cache-filter", "STAGE",
                  "run every step of these stages, apart by commas"),
        LIST_FLAG("cache-from", "type=TYPE", "look in this cache, too"),
        LIST_FLAG("cache-to", "type=TYPE", "put what is built into this cache, too"),
        LIST_FLAG("import-cache", "type=TYPE", "buildctl's name for --cache-from"),
        LIST_FLAG("export-cache", "type=TYPE", "buildctl's name for --cache-to"),
        /* what is told */
        CHOICE("progress", "auto|plain|tty|rawjson|quiet",
               "how to show progress on standard error"),
        { .name = "quiet",
          .letter = 'q',
          .type = CLI_BOOL,
          .help = "show no progress, and print the image's id" },
        SWITCH("explain", "tell of each step why it ran, or that it was cached"),
        FILE_FLAG("trace", "add every progress update to FILE, as JSON"),
        FILE_FLAG("solve-trace",
                  "write what the solver did to FILE, for slipway debug solve-trace"),
        CHOICE("on-error", "stop|keep",
               "keep the root of a command that fails for an hour"),
        SWITCH("rm", "docker's; what commands leave of their containers is always removed"),
        SWITCH("force-rm", "the same"),
        SWITCH("compress", "docker's; a directory is read where it is, nothing is sent"),
        SWITCH("squash", "docker's: not in this version"),
        LIST_FLAG("security-opt", "OPTION", "docker's: profiles are in the configuration"),
        TEXT_FLAG("isolation", "default", "docker's: Linux has one kind"),
        TEXT_FLAG("builder", "NAME", "buildx's: there is no builder but this program"),
        /* attestations */
        TEXT_FLAG("sbom", "false", "a bill of materials: not made by this version"),
        TEXT_FLAG("provenance", "false", "a record of the build: not made by this version"),
        LIST_FLAG("attest", "type=TYPE", "an attestation: not made by this version"),
        /* buildctl's */
        TEXT_FLAG("frontend", "NAME",
                  "the frontend that makes definitions; dockerfile when CONTEXT is given"),
        LIST_FLAG("opt", "NAME=VALUE", "an option of the frontend"),
        DIR_FLAG("local", "NAME=DIR",
                 "let the build read the directory DIR as local://NAME"),
        DIR_FLAG("oci-layout", "NAME=DIR",
                 "let the build use images in the OCI layout DIR as oci-layout://NAME"),
        FILE_FLAG("llb", "build the definition in FILE; - for standard input"),
        FILE_FLAG("source-policy-file", "rules for sources: not in this version"),
        SWITCH("proxy-network",
               "commands reach the network by a proxy: not in this version"),
        LIST_FLAG("registry-auth-tlscontext", "host=HOST",
                  "certificates of a registry: they are in the configuration"),
        TEXT_FLAG("debug-json-cache-metrics", "FILE",
                  "how the cache was used: --explain tells it"),
        { .name = NULL },
};

sw_err *
flags_check(const struct cli_call *call)
{
        const char *progress = cli_str(call, "progress");

        if (cli_bool(call, "quiet") && progress && !sw_str_eq(progress, "auto") &&
            !sw_str_eq(progress, "quiet"))
                return sw_err_new(SW_E_USAGE,
                                  "--quiet shows no progress, and --progress %s "
                                  "does: give one of them",
                                  progress);
        return SW_OK;
}

/* "type=registry,ref=…"; a bare name is one of a registry. */
static sw_err *
refuse_cache(const char *flag, const char *spec, sw_host *host)
{
        sw_auto(sw_strlist) fields = { 0 };
        const char *type = strstr(spec, "type=") ? NULL : "registry";
        sw_err *err = sw_csv_split(spec, &fields);

        for (size_t i = 0; i < fields.n && !err; i++)
                if (sw_str_has_prefix(fields.v[i], "type="))
                        type = fields.v[i] + strlen("type=");
        if (err || !type || !*type) {
                sw_err_drop(err, "said in the flag's own words");
                return sw_err_new(SW_E_USAGE, "--%s %s: give type=TYPE", flag, spec);
        }
        err = sw_host_require(host, SW_KIND_CACHE, type);
        if (!err)
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "plugin cache/%s is there, but this "
                                 "version does not use caches of others",
                                 type);
        return sw_err_wrap(err, "--%s %s", flag, spec);
}

static sw_err *
refuse_caches(const struct cli_call *call, sw_host *host)
{
        static const char *const flags[] = { "cache-from", "cache-to", "import-cache",
                                             "export-cache" };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(flags) && !err; i++) {
                sw_auto(sw_strlist) given = { 0 };

                cli_list(call, flags[i], &given);
                if (given.n)
                        err = refuse_cache(flags[i], given.v[0], host);
        }
        return err;
}

static sw_err *
refuse_attestation(const struct cli_call *call, const char *flag)
{
        const char *text = cli_str(call, flag);
        bool wanted = true;

        if (!text)
                return SW_OK;
        sw_err_drop(sw_parse_bool(text, &wanted), "what is no bool says how it is wanted");
        if (!wanted)
                return SW_OK;
        return sw_err_new(
                SW_E_UNSUPPORTED,
                "--%s %s: attestations are not made by this version; leave it out, "
                "or say --%s=false",
                flag, text, flag);
}

/* Given, and not what holds anyway. */
static bool
is_asked(const struct cli_call *call, const char *flag)
{
        if (sw_str_eq(flag, "squash"))
                return cli_bool(call, flag);
        return cli_given(call, flag) &&
               !(sw_str_eq(flag, "isolation") && sw_str_eq(cli_str(call, flag), "default"));
}

/* Flags that others have and that do nothing here, with what does it instead. */
static sw_err *
refuse_rest(const struct cli_call *call)
{
        static const struct {
                const char *flag, *why;
        } rest[] = {
                { "squash", "layers are not put together; a stage FROM scratch with COPY "
                            "--from=STAGE / / has one layer" },
                { "security-opt",
                  "AppArmor's profile is in the configuration "
                  "(worker.oci.apparmor-profile); "
                  "--allow security.insecure is for RUN --security=insecure" },
                { "isolation", "Linux has one kind, default" },
                { "builder", "builds run in this process: leave it out" },
                { "source-policy-file", "this version has no rules for sources" },
                { "proxy-network", "this version has no proxy for commands" },
                { "registry-auth-tlscontext",
                  "certificates of registries are in the configuration: see slipway config "
                  "explain" },
                { "debug-json-cache-metrics",
                  "--explain tells how the cache was used, and slipway inspect, later" },
        };

        for (size_t i = 0; i < SW_COUNT(rest); i++)
                if (is_asked(call, rest[i].flag))
                        return sw_err_new(SW_E_UNSUPPORTED, "--%s: %s", rest[i].flag,
                                          rest[i].why);
        return SW_OK;
}

sw_err *
flags_refuse(const struct cli_call *call, sw_host *host)
{
        sw_auto(sw_strlist) attest = { 0 };
        sw_err *err = refuse_rest(call);

        if (!err)
                err = refuse_caches(call, host);

        if (!err)
                err = refuse_attestation(call, "sbom");
        if (!err)
                err = refuse_attestation(call, "provenance");
        cli_list(call, "attest", &attest);
        if (!err && attest.n)
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "--attest %s: attestations are not made by this version",
                                 attest.v[0]);
        return err;
}

void
flags_warn(const opts *o, sw_log *log)
{
        const char *text = opts_get(o, "build-arg:BUILDKIT_INLINE_CACHE");
        bool wanted = false;

        if (text)
                sw_err_drop(sw_parse_bool(text, &wanted),
                            "what is no bool is not asked for");
        if (wanted)
                sw_log_line(
                        log, SW_LOG_WARN, "slipway",
                        "BUILDKIT_INLINE_CACHE: this version puts no cache into images");
}
