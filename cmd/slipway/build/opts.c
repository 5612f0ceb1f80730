/* cmd/slipway/build/opts.c - see opts.h. */
#include "cmd/slipway/build/opts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <slipway/platform.h>
#include <slipway/text.h>

/* ---- The list ---- */

void
opts_set(opts *o, const char *key, const char *value)
{
        for (size_t i = 0; i < o->all.n; i++)
                if (strcmp(o->all.v[i].key, key) == 0) {
                        free((char *) o->all.v[i].value);
                        o->all.v[i].value = sw_strdup(value);
                        return;
                }
        sw_array_push(&o->all, (struct sw_attr){ sw_strdup(key), sw_strdup(value) });
}

const char *
opts_get(const opts *o, const char *key)
{
        return sw_attr_get(o->all.v, o->all.n, key);
}

void
opts_add_word(opts *o, const char *key, const char *value)
{
        const char *old = opts_get(o, key);
        sw_auto(sw_str) both = old ? sw_asprintf("%s,%s", old, value) : sw_strdup(value);

        opts_set(o, key, both);
}

void
opts_release(opts *o)
{
        for (size_t i = 0; i < o->all.n; i++) {
                free((char *) o->all.v[i].key);
                free((char *) o->all.v[i].value);
        }
        sw_array_release(&o->all);
}

/* ---- The environment ---- */

static const char *
env_get(const char *const *env, const char *name, size_t len)
{
        for (; *env; env++)
                if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
                        return *env + len + 1;
        return NULL;
}

static void
set_arg(opts *o, const char *name, size_t len, const char *value)
{
        sw_auto(sw_str) key = sw_asprintf("build-arg:%.*s", (int) len, name);

        opts_set(o, key, value);
}

/* Whether a build argument of that name was given, in capitals or not. */
static bool
has_arg(const opts *o, const char *name)
{
        static const char prefix[] = "build-arg:";

        for (size_t i = 0; i < o->all.n; i++)
                if (sw_str_has_prefix(o->all.v[i].key, prefix) &&
                    strcasecmp(o->all.v[i].key + strlen(prefix), name) == 0)
                        return true;
        return false;
}

/* What no flag says. Proxies are told to commands by their names in capitals, whichever way
 * the environment has them; the exec op adds the others. */
static void
take_environment(opts *o, const char *const *env)
{
        static const char *const proxies[] = { "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
                                               "NO_PROXY", "ALL_PROXY" };
        static const char epoch[] = "SOURCE_DATE_EPOCH";
        const char *value = env_get(env, epoch, strlen(epoch));

        if (value && !opts_get(o, "build-arg:SOURCE_DATE_EPOCH"))
                set_arg(o, epoch, strlen(epoch), value);
        for (size_t i = 0; i < SW_COUNT(proxies); i++) {
                char lower[16] = { '\0' };
                size_t n = strlen(proxies[i]);

                for (size_t k = 0; k < n; k++)
                        lower[k] = (char) tolower((unsigned char) proxies[i][k]);
                value = env_get(env, proxies[i], n);
                if (!value)
                        value = env_get(env, lower, n);
                if (value && *value && !has_arg(o, proxies[i]))
                        set_arg(o, proxies[i], n, value);
        }
}

/* ---- Flags with words of their own ---- */

/* "NAME=VALUE"; "NAME" has the environment's value, and without one says nothing. */
static sw_err *
take_arg(opts *o, const char *flag, const char *text, const char *const *env)
{
        size_t len = strcspn(text, "=");
        const char *value = text[len] ? text + len + 1 : env_get(env, text, len);

        if (len == 0)
                return sw_err_new(SW_E_USAGE, "--%s %s: a name is missing: give NAME=VALUE",
                                  flag, text);
        if (value)
                set_arg(o, text, len, value);
        return SW_OK;
}

static sw_err *
take_args(opts *o, const struct cli_call *call, const char *const *env)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "build-arg", &given);
        for (size_t i = 0; i < given.n && !err; i++)
                err = take_arg(o, "build-arg", given.v[i], env);
        return err;
}

static sw_err *
take_labels(opts *o, const struct cli_call *call)
{
        sw_auto(sw_strlist) given = { 0 };

        cli_list(call, "label", &given);
        for (size_t i = 0; i < given.n; i++) {
                const char *text = given.v[i];
                size_t len = strcspn(text, "=");
                sw_auto(sw_str) key = sw_asprintf("label:%.*s", (int) len, text);

                if (len == 0)
                        return sw_err_new(SW_E_USAGE, "--label %s: a name is missing",
                                          text);
                opts_set(o, key, text[len] ? text + len + 1 : "");
        }
        return SW_OK;
}

static sw_err *
take_platform(opts *o, const char *text)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_auto(sw_str) here = sw_platform_str(sw_platform_host());
        sw_err *err, *wrong;

        if (sw_str_eq(text, "local"))
                text = here;
        err = sw_platform_parse(text, &p);
        if (err) {
                wrong = sw_err_new(SW_E_USAGE, "--platform %s: %s", text,
                                   sw_err_message(err));
                sw_err_drop(err, "told as a wrong command line");
                return wrong;
        }
        opts_add_word(o, "platform", text);
        return SW_OK;
}

static sw_err *
take_platforms(opts *o, const struct cli_call *call)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "platform", &given);
        for (size_t i = 0; i < given.n && !err; i++) {
                sw_auto(sw_strlist) words = { 0 };

                sw_strlist_split(&words, given.v[i], ',');
                for (size_t k = 0; k < words.n && !err; k++)
                        err = take_platform(o, words.v[k]);
        }
        return err;
}

/* "HOST:IP" or "HOST=IP", the IP perhaps in brackets. */
static sw_err *
take_host(opts *o, const char *text)
{
        size_t len = strcspn(text, strchr(text, '=') ? "=" : ":");
        const char *ip = text[len] ? text + len + 1 : "";
        size_t n = strlen(ip);
        sw_auto(sw_str) bare = ip[0] == '[' && ip[n - 1] == ']' ? sw_strndup(ip + 1, n - 2)
                                                                : sw_strdup(ip);
        unsigned char address[16];

        if (len == 0 || (inet_pton(AF_INET, bare, address) != 1 &&
                         inet_pton(AF_INET6, bare, address) != 1))
                return sw_err_new(SW_E_USAGE,
                                  "--add-host %s: give HOST:IP, with an IP address", text);
        sw_auto(sw_str) pair = sw_asprintf("%.*s=%s", (int) len, text, bare);
        opts_add_word(o, "add-hosts", pair);
        return SW_OK;
}

static sw_err *
take_hosts(opts *o, const struct cli_call *call)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "add-host", &given);
        for (size_t i = 0; i < given.n && !err; i++)
                err = take_host(o, given.v[i]);
        return err;
}

/* "nofile=1024:2048", "nproc=100", -1 for no limit. */
static sw_err *
take_ulimit(opts *o, const char *text)
{
        size_t len = strcspn(text, "=");
        sw_auto(sw_strlist) limits = { 0 };
        bool fine = len > 0 && text[len] && !strchr(text, ',');
        int64_t n;

        sw_strlist_split(&limits, text[len] ? text + len + 1 : "", ':');
        fine = fine && (limits.n == 1 || limits.n == 2);
        for (size_t i = 0; i < limits.n; i++) {
                sw_err *err = sw_parse_int(limits.v[i], -1, INT64_MAX, &n);

                fine = fine && !err;
                sw_err_drop(err, "said in the flag's own words");
        }
        if (!fine)
                return sw_err_new(SW_E_USAGE,
                                  "--ulimit %s: give NAME=SOFT or NAME=SOFT:HARD", text);
        opts_add_word(o, "ulimit", text);
        return SW_OK;
}

static sw_err *
take_ulimits(opts *o, const struct cli_call *call)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "ulimit", &given);
        for (size_t i = 0; i < given.n && !err; i++)
                err = take_ulimit(o, given.v[i]);
        return err;
}

/* A flag that is one option with one value of its kind. */
struct plain {
        const char *flag, *opt;
        enum { AS_TEXT, AS_SIZE, AS_SIZE_OR_NONE, AS_NUMBER } kind;
};

static const struct plain plains[] = {
        { "target", "target", AS_TEXT },
        { "cgroup-parent", "cgroup-parent", AS_TEXT },
        { "shm-size", "shm-size", AS_SIZE },
        { "memory", "memory", AS_SIZE },
        { "memory-swap", "memswap", AS_SIZE_OR_NONE },
        { "cpu-shares", "cpushares", AS_NUMBER },
        { "cpu-period", "cpuperiod", AS_NUMBER },
        { "cpu-quota", "cpuquota", AS_NUMBER },
        { "cpuset-cpus", "cpusetcpus", AS_TEXT },
        { "cpuset-mems", "cpusetmems", AS_TEXT },
};

static sw_err *
take_plain(opts *o, const struct plain *p, const char *text)
{
        bool is_size = p->kind != AS_NUMBER;
        sw_auto(sw_str) value = NULL;
        int64_t n = 0;
        sw_err *err;

        if (p->kind == AS_TEXT || (p->kind == AS_SIZE_OR_NONE && sw_str_eq(text, "-1"))) {
                opts_set(o, p->opt, text);
                return SW_OK;
        }
        err = is_size ? sw_parse_size(text, &n) : sw_parse_int(text, 1, INT64_MAX, &n);
        if (err || n <= 0) {
                sw_err_drop(err, "said in the flag's own words");
                return sw_err_new(SW_E_USAGE, "--%s %s is not a %s", p->flag, text,
                                  is_size ? "size, such as 64m or 1g" : "number above 0");
        }
        value = sw_asprintf("%lld", (long long) n);
        opts_set(o, p->opt, value);
        return SW_OK;
}

static sw_err *
take_plains(opts *o, const struct cli_call *call)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(plains) && !err; i++)
                if (cli_str(call, plains[i].flag))
                        err = take_plain(o, &plains[i], cli_str(call, plains[i].flag));
        return err;
}

static sw_err *
take_no_cache(opts *o, const struct cli_call *call)
{
        sw_auto(sw_strlist) stages = { 0 };

        cli_list(call, "no-cache-filter", &stages);
        if (stages.n && cli_bool(call, "no-cache"))
                return sw_err_new(SW_E_USAGE,
                                  "--no-cache is for all stages and "
                                  "--no-cache-filter for some: give one of them");
        if (cli_bool(call, "no-cache"))
                opts_set(o, "no-cache", "");
        for (size_t i = 0; i < stages.n; i++)
                opts_add_word(o, "no-cache", stages.v[i]);
        return SW_OK;
}

/* ---- --opt ---- */

static sw_err *
take_opt(opts *o, const char *text, const char *const *env)
{
        size_t len = strcspn(text, "=");
        sw_auto(sw_str) key = sw_strndup(text, len);

        if (sw_str_has_prefix(text, "build-arg:") && (!text[len] || !key[10])) {
                if (!key[10])
                        return sw_err_new(SW_E_USAGE, "--opt: invalid value %s", text);
                return take_arg(o, "opt", text + 10, env);
        }
        if (len == 0 || !text[len])
                return sw_err_new(SW_E_USAGE, "--opt %s: give KEY=VALUE", text);
        opts_set(o, key, text + len + 1);
        return SW_OK;
}

static sw_err *
take_opts(opts *o, const struct cli_call *call, const char *const *env)
{
        sw_auto(sw_strlist) given = { 0 };
        sw_err *err = SW_OK;

        cli_list(call, "opt", &given);
        for (size_t i = 0; i < given.n && !err; i++)
                err = take_opt(o, given.v[i], env);
        return err;
}

/* ---- All of them ---- */

static sw_err *
take_network(opts *o, const struct cli_call *call)
{
        const char *mode = cli_str(call, "network");

        if (mode && !sw_str_eq(mode, "default"))
                opts_set(o, "force-network-mode", mode);
        return SW_OK;
}

sw_err *
opts_take(opts *o, const struct cli_call *call, const char *const *env)
{
        sw_err *err;

        if (cli_bool(call, "pull"))
                opts_set(o, "image-resolve-mode", "pull");
        err = take_args(o, call, env);
        if (!err)
                err = take_labels(o, call);
        if (!err)
                err = take_platforms(o, call);
        if (!err)
                err = take_hosts(o, call);
        if (!err)
                err = take_ulimits(o, call);
        if (!err)
                err = take_plains(o, call);
        if (!err)
                err = take_no_cache(o, call);
        if (!err)
                err = take_network(o, call);
        if (!err)
                err = take_opts(o, call, env);
        if (!err)
                take_environment(o, env);
        return err;
}

const char *
opts_given(const struct cli_call *call)
{
        static const char *const flags[] = { "file",         "build-arg", "label",
                                             "platform",     "pull",      "no-cache-filter",
                                             "network",      "add-host",  "ulimit",
                                             "opt",          "call",      "check",
                                             "build-context" };

        for (size_t i = 0; i < SW_COUNT(flags); i++)
                if (cli_given(call, flags[i]))
                        return flags[i];
        for (size_t i = 0; i < SW_COUNT(plains); i++)
                if (cli_given(call, plains[i].flag))
                        return plains[i].flag;
        return NULL;
}
