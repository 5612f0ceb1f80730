/* lib/dockerfile/config.c - see config.h: what each option says. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

#include "lib/dockerfile/config_priv.h"

const char *
sw_df_config_get(const sw_df_config *c, const char *key)
{
        return sw_attr_get(c->opts, c->n_opts, key);
}

/* "" for what is not there. */
static const char *
get(const sw_df_config *c, const char *key)
{
        return sw_df_config_get(c, key) ?: "";
}

bool
sw_df_config_ignores_cache(const sw_df_config *c, const char *stage)
{
        if (!c->no_cache || !c->no_cache_stages.n)
                return c->no_cache;
        for (size_t i = 0; i < c->no_cache_stages.n; i++)
                if (strcasecmp(c->no_cache_stages.v[i], stage) == 0)
                        return true;
        return false;
}

/* ---- Platforms ---- */

const char *
sw_df_platform_text(struct sw_df_arena *a, const sw_platform *p)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, p->os && *p->os ? p->os : "unknown");
        if ((p->os_version && *p->os_version) || (p->os_features && p->os_features[0])) {
                sw_buf_addf(&b, "(%s", p->os_version ?: "");
                for (size_t i = 0; p->os_features && p->os_features[i]; i++)
                        sw_buf_addf(&b, "+%s", p->os_features[i]);
                sw_buf_addc(&b, ')');
        }
        if (p->arch && *p->arch)
                sw_buf_addf(&b, "/%s", p->arch);
        if (p->variant && *p->variant)
                sw_buf_addf(&b, "/%s", p->variant);
        return sw_df_arena_str(a, b.data, b.len);
}

const sw_platform *
sw_df_platform_copy(struct sw_df_arena *a, const sw_platform *p)
{
        sw_platform *copy = sw_df_new(a, sw_platform);
        size_t n = 0;

        while (p->os_features && p->os_features[n])
                n++;
        *copy = (sw_platform){
                .os = sw_df_dup(a, p->os ?: ""),
                .arch = sw_df_dup(a, p->arch ?: ""),
                .variant = sw_df_dup(a, p->variant ?: ""),
                .os_version = sw_df_dup(a, p->os_version ?: ""),
        };
        if (n) {
                const char **v = sw_df_new_array(a, const char *, n + 1);

                for (size_t i = 0; i < n; i++)
                        v[i] = sw_df_dup(a, p->os_features[i]);
                copy->os_features = v;
        }
        return copy;
}

static sw_err *
add_platform(sw_df_config *c, const char *text)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_autoptr(sw_platform) plain = NULL;
        sw_err *err = sw_platform_parse(text, &p);

        if (err)
                return sw_df_wrap(err, "failed to parse target platform %s", text);
        plain = sw_platform_normalize(p);
        c->platforms[c->n_platforms++] = sw_df_platform_copy(c->arena, plain);
        return SW_OK;
}

static sw_err *
take_platforms(sw_df_config *c)
{
        const char *s = get(c, "platform");
        size_t n = 1;
        sw_err *err = SW_OK;

        if (!*s)
                return SW_OK;
        for (const char *p = s; *p; p++)
                n += *p == ',';
        if (n > SW_DF_PLATFORMS_MAX)
                return sw_df_err(SW_E_LIMIT, "more than %d target platforms",
                                 SW_DF_PLATFORMS_MAX);
        c->platforms = sw_df_new_array(c->arena, const sw_platform *, n);
        while (!err) {
                size_t len = strcspn(s, ",");
                sw_auto(sw_str) one = sw_strndup(s, len);

                err = add_platform(c, one);
                if (!s[len])
                        break;
                s += len + 1;
        }
        return err;
}

static sw_err *
take_multi_platform(sw_df_config *c)
{
        const char *s = get(c, "build-arg:BUILDKIT_MULTI_PLATFORM");
        sw_err *err;

        c->multi_platform = c->n_platforms > 1;
        if (!*s)
                s = get(c, "multi-platform");
        if (!*s)
                return SW_OK;
        err = sw_parse_bool(s, &c->multi_platform);
        if (err) {
                sw_err_drop(err, "said in the reference's words");
                return sw_df_err(SW_E_INVALID,
                                 "invalid boolean value for multi-platform: %s", s);
        }
        if (!c->multi_platform && c->n_platforms > 1)
                return sw_df_err(SW_E_INVALID,
                                 "conflicting config: returning multiple target platforms "
                                 "is not allowed");
        return SW_OK;
}

/* ---- Choices ---- */

static sw_err *
take_choices(sw_df_config *c)
{
        const char *mode = get(c, "image-resolve-mode"),
                   *net = get(c, "force-network-mode");

        if (strcmp(mode, "pull") == 0)
                c->resolve = SW_LLB_RESOLVE_PULL;
        else if (strcmp(mode, "local") == 0)
                c->resolve = SW_LLB_RESOLVE_LOCAL;
        else if (*mode && strcmp(mode, "default") != 0)
                return sw_df_err(SW_E_INVALID, "invalid image-resolve-mode: %s", mode);
        if (strcmp(net, "none") == 0)
                c->network = SW_LLB_NETWORK_NONE;
        else if (strcmp(net, "host") == 0)
                c->network = SW_LLB_NETWORK_HOST;
        else if (*net && strcmp(net, "sandbox") != 0)
                return sw_df_err(SW_E_INVALID, "invalid netmode %s", net);
        return SW_OK;
}

static void
take_no_cache(sw_df_config *c)
{
        const char *s = sw_df_config_get(c, "no-cache");

        c->no_cache = s != NULL;
        while (s && *s) {
                size_t n = strcspn(s, ",");

                sw_df_list_add(c->arena, &c->no_cache_stages,
                               sw_df_arena_str(c->arena, s, n));
                s += n + (s[n] == ',');
        }
}

/* ---- Lists ---- */

/* An address as Go writes it. */
static bool
canonical_ip(const char *s, char out[INET6_ADDRSTRLEN])
{
        unsigned char raw[sizeof(struct in6_addr)];
        int family = strchr(s, ':') ? AF_INET6 : AF_INET;

        if (inet_pton(family, s, raw) != 1)
                return false;
        if (family == AF_INET6 && memcmp(raw, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
                memmove(raw, raw + 12, 4);
                family = AF_INET;
        }
        return inet_ntop(family, raw, out, INET6_ADDRSTRLEN) != NULL;
}

static sw_err *
take_host(sw_df_config *c, char *field, struct sw_df_host *out)
{
        char ip[INET6_ADDRSTRLEN], *eq = strchr(field, '=');

        if (!eq)
                return sw_df_err(SW_E_INVALID, "invalid key-value pair %s", field);
        for (char *p = field; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char) (*p - 'A' + 'a');
        if (!canonical_ip(eq + 1, ip))
                return sw_df_err(SW_E_INVALID, "failed to parse IP %s", eq + 1);
        out->name = sw_df_arena_str(c->arena, field, (size_t) (eq - field));
        out->ip = sw_df_dup(c->arena, ip);
        return SW_OK;
}

static sw_err *
take_hosts(sw_df_config *c)
{
        const char *s = get(c, "add-hosts");
        sw_auto(sw_strlist) fields = { NULL, 0, 0 };
        struct sw_df_host *v;
        sw_err *err;

        if (!*s)
                return SW_OK;
        err = sw_csv_split(s, &fields);
        v = sw_df_new_array(c->arena, struct sw_df_host, fields.n);
        for (size_t i = 0; i < fields.n && !err; i++)
                err = take_host(c, fields.v[i], &v[i]);
        c->hosts = v;
        c->n_hosts = fields.n;
        return sw_df_wrap(err, "failed to parse additional hosts");
}

static sw_err *
take_limits(const char *field, const char *s, struct sw_df_ulimit *out)
{
        const char *colon = strchr(s, ':');
        sw_auto(sw_str) soft = sw_strndup(s, colon ? (size_t) (colon - s) : strlen(s));
        sw_err *err;

        if (colon && strchr(colon + 1, ':'))
                return sw_df_err(SW_E_INVALID,
                                 "too many limit value arguments - %s, can only have up to "
                                 "two, `soft[:hard]`",
                                 s);
        err = sw_parse_int(soft, INT64_MIN, INT64_MAX, &out->soft);
        out->hard = out->soft;
        if (!err && colon)
                err = sw_parse_int(colon + 1, INT64_MIN, INT64_MAX, &out->hard);
        if (err)
                return sw_df_wrap(err, "ulimit %s", field);
        if (out->hard != -1 && (out->soft == -1 || out->soft > out->hard))
                return sw_df_err(SW_E_INVALID,
                                 "ulimit soft limit must be less than or equal to hard "
                                 "limit: %" PRId64 " > %" PRId64,
                                 out->soft, out->hard);
        return SW_OK;
}

static sw_err *
take_ulimit(sw_df_config *c, const char *field, struct sw_df_ulimit *out)
{
        static const char *const names[] = {
                "core",    "cpu",      "data",   "fsize",      "locks",
                "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                "rss",     "rtprio",   "rttime", "sigpending", "stack",
        };
        const char *eq = strchr(field, '=');

        if (!eq)
                return sw_df_err(SW_E_INVALID, "invalid ulimit argument: %s", field);
        out->name = sw_df_arena_str(c->arena, field, (size_t) (eq - field));
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(names[i], out->name) == 0)
                        return take_limits(field, eq + 1, out);
        return sw_df_err(SW_E_INVALID, "invalid ulimit type: %s", out->name);
}

static sw_err *
take_ulimits(sw_df_config *c)
{
        const char *s = get(c, "ulimit");
        sw_auto(sw_strlist) fields = { NULL, 0, 0 };
        struct sw_df_ulimit *v;
        sw_err *err;

        if (!*s)
                return SW_OK;
        err = sw_csv_split(s, &fields);
        v = sw_df_new_array(c->arena, struct sw_df_ulimit, fields.n);
        for (size_t i = 0; i < fields.n && !err; i++)
                err = take_ulimit(c, fields.v[i], &v[i]);
        c->ulimits = v;
        c->n_ulimits = fields.n;
        return sw_df_wrap(err, "failed to parse ulimit");
}

/* ---- Numbers ---- */

static sw_err *
take_number(sw_df_config *c, const char *key, int64_t min, int64_t *out, bool *has)
{
        const char *s = get(c, key);
        sw_err *err;

        if (!*s)
                return SW_OK;
        err = sw_parse_int(s, min, INT64_MAX, out);
        if (!err && *out == 0)
                err = sw_df_err(SW_E_INVALID, "may not be 0");
        *has = true;
        return sw_df_wrap(err, "invalid value for %s", key);
}

/* The number that @s begins with; it is left behind that. */
static bool
read_number(const char **s, int64_t *out)
{
        size_t n = strspn(*s, "0123456789");

        if (!n || n > 9)
                return false;
        *out = strtoll(*s, NULL, 10);
        *s += n;
        return true;
}

/* "0-3,7": numbers and ranges of them. */
static bool
is_cpuset(const char *s)
{
        while (*s) {
                int64_t first = 0, last;

                if (!read_number(&s, &first))
                        return false;
                last = first;
                if (*s == '-') {
                        s++;
                        if (!read_number(&s, &last))
                                return false;
                }
                if (last < first)
                        return false;
                if (*s == ',' && s[1])
                        s++;
                else if (*s)
                        return false;
        }
        return true;
}

static sw_err *
take_cpuset(sw_df_config *c, const char *key, const char **out)
{
        const char *s = get(c, key);

        if (!*s)
                return SW_OK;
        if (!is_cpuset(s))
                return sw_df_err(SW_E_INVALID, "invalid value for %s: \"%s\"", key, s);
        *out = s;
        c->has_resources = true;
        return SW_OK;
}

static sw_err *
take_resources(sw_df_config *c)
{
        struct sw_llb_resources *r = &c->resources;
        int64_t shares = 0, period = 0;
        bool *has = &c->has_resources;
        sw_err *err = take_number(c, "memory", 1, &r->memory, has);

        if (!err)
                err = take_number(c, "memswap", -1, &r->memory_swap, has);
        if (!err)
                err = take_number(c, "cpushares", 1, &shares, has);
        if (!err)
                err = take_number(c, "cpuperiod", 1, &period, has);
        if (!err)
                err = take_number(c, "cpuquota", 1, &r->cpu_quota, has);
        if (!err)
                err = take_cpuset(c, "cpusetcpus", &r->cpuset_cpus);
        if (!err)
                err = take_cpuset(c, "cpusetmems", &r->cpuset_mems);
        r->cpu_shares = (uint64_t) shares;
        r->cpu_period = (uint64_t) period;
        return err;
}

static sw_err *
take_shm_size(sw_df_config *c)
{
        const char *s = get(c, "shm-size");
        sw_err *err;

        if (!*s)
                return SW_OK;
        err = sw_parse_int(s, INT64_MIN, INT64_MAX, &c->shm_size);
        return sw_df_wrap(err, "failed to parse shm size");
}

/* ---- All of it ---- */

static void
take_texts(sw_df_config *c)
{
        const char *name = get(c, "build-arg:BUILDKIT_SANDBOX_HOSTNAME");

        c->hostname = *name ? name : get(c, "hostname");
        c->cgroup_parent = get(c, "cgroup-parent");
        c->target = get(c, "target");
        c->cache_namespace = get(c, "build-arg:BUILDKIT_CACHE_MOUNT_NS");
        c->check = sw_df_config_get(c, "build-arg:BUILDKIT_DOCKERFILE_CHECK");
        for (size_t i = 0; i < c->n_opts; i++) {
                const char *key = c->opts[i].key, *value = c->opts[i].value;

                if (strncmp(key, "build-arg:", 10) == 0)
                        sw_df_table_set(c->arena, &c->build_args, key + 10, value);
                else if (strncmp(key, "label:", 6) == 0)
                        sw_df_table_set(c->arena, &c->labels, key + 6, value);
        }
        sw_df_table_settle(&c->build_args);
        sw_df_table_settle(&c->labels);
}

static sw_err *
take_all(sw_df_config *c)
{
        sw_err *err = sw_df_config_check_removed(c);

        if (!err)
                err = take_platforms(c);
        if (!err)
                err = take_choices(c);
        if (!err)
                err = take_hosts(c);
        if (!err)
                err = take_shm_size(c);
        if (!err)
                err = take_ulimits(c);
        if (!err)
                err = take_resources(c);
        if (!err)
                err = take_multi_platform(c);
        if (!err)
                err = sw_df_config_check_attests(c);
        take_no_cache(c);
        take_texts(c);
        return err;
}

sw_err *
sw_df_config_new(const struct sw_attr *opts, size_t n_opts, const sw_platform *const *build,
                 sw_df_config **out)
{
        sw_autoptr(sw_df_config) c = sw_new(sw_df_config);
        sw_err *err;

        c->arena = sw_df_arena_new();
        c->opts = opts;
        c->n_opts = n_opts;
        c->build_platform = sw_df_platform_copy(c->arena, build[0]);
        err = take_all(c);
        if (err)
                return err;
        *out = sw_steal(c);
        return SW_OK;
}

void
sw_df_config_free(sw_df_config *c)
{
        if (!c)
                return;
        sw_df_arena_free(c->arena);
        free(c);
}
