/*
 * lib/registry/hosts.c - hosts as the configuration has them: registry."HOST".
 *
 *      key           of a host that is talked to
 *      http          plain HTTP; unset: only with this machine
 *      insecure      any certificate will do; with http: TLS first
 *      ca, keypair, tlsconfigdir                        certs.c
 *      mirrors       of the name that is asked for; each has a table of its own
 *
 * docker.io is at registry-1.docker.io, whose table is that of docker.io unless it has one.
 * A call that says `insecure` is as if both http and insecure were set.
 */
#include <string.h>

#include "lib/http/tls.h"
#include "lib/http/url.h"
#include "lib/registry/client.h"

#define DOCKER     "docker.io"
#define DOCKER_API "registry-1.docker.io"

static void
host_free(void *p)
{
        struct sw__host *h = p;

        sw__tls_release(&h->tls);
        sw__tls_release(&h->others);
        free(h->name);
        free(h);
}

void
sw__hosts_init(struct sw__hosts *h, const sw_config *config)
{
        h->config = config;
        pthread_mutex_init(&h->lock, NULL);
        h->known = sw_map_new(host_free);
}

void
sw__hosts_release(struct sw__hosts *h)
{
        sw_map_free(h->known);
        pthread_mutex_destroy(&h->lock);
}

static bool
is_set(const sw_config *c, const char *name, const char *key, bool *value)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, key, NULL);
        struct sw_config_value v;

        if (!c || !sw_config_value(c, path, &v) || !v.set)
                return false;
        *value = sw_config_bool(c, path);
        return true;
}

static bool
has_table(const sw_config *c, const char *name)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, NULL);

        return c && sw_config_has(c, path);
}

static sw_err *
make_host(const sw_config *c, const char *name, bool any_certificate, struct sw__host **out)
{
        struct sw__host *h = sw_new(struct sw__host);
        const char *table = name;
        bool http = false, insecure = false;
        sw_err *err = SW_OK;

        if (strcmp(name, DOCKER_API) == 0 && !has_table(c, name))
                table = DOCKER;
        h->name = sw_strdup(name);
        h->local = sw__host_is_local(name);
        if (!is_set(c, table, "http", &http))
                http = h->local;
        (void) is_set(c, table, "insecure", &insecure);
        if (any_certificate)
                http = insecure = true;
        h->http = http;
        h->try_https = http && insecure;
        sw__tls_init(&h->tls);
        sw__tls_init(&h->others);
        if (has_table(c, table))
                err = sw__certs_load(c, table, &h->tls);
        h->tls.insecure = h->others.insecure = insecure;
        sw_buf_add(&h->others.ca, h->tls.ca.data, h->tls.ca.len);
        if (err) {
                host_free(h);
                return sw_err_wrap(err, "configuration of registry %s", table);
        }
        *out = h;
        return SW_OK;
}

sw_err *
sw__hosts_get(struct sw__hosts *h, const char *name, bool insecure, struct sw__host **out)
{
        sw_auto(sw_str) key = sw_asprintf("%s%s", insecure ? "!" : "", name);
        sw_err *err = SW_OK;

        pthread_mutex_lock(&h->lock);
        struct sw__host *found = sw_map_get(h->known, key);
        if (!found) {
                err = make_host(h->config, name, insecure, &found);
                if (!err)
                        (void) sw_map_set(h->known, key, found);
        }
        pthread_mutex_unlock(&h->lock);
        if (!err)
                *out = found;
        return err;
}

bool
sw__hosts_configured(const struct sw__hosts *h, const char *name)
{
        return has_table(h->config, name);
}

const char *
sw__host_scheme(const struct sw__host *h)
{
        if (!h->http)
                return "https";
        return h->try_https && !atomic_load(&h->fell_back) ? "https" : "http";
}

void
sw__endpoints_release(sw__endpoints *e)
{
        for (size_t i = 0; i < e->n; i++) {
                free(e->v[i].prefix);
                free(e->v[i].ns);
        }
        sw_array_release(e);
}

/* "host[:port][/path]" of the configuration. */
static sw_err *
add_mirror(struct sw__hosts *h, const char *mirror, const char *host, sw__endpoints *out)
{
        size_t n = strcspn(mirror, "/");
        sw_auto(sw_str) name = sw_strndup(mirror, n);
        struct sw__endpoint e = { 0 };

        sw_err *err = sw__hosts_get(h, name, false, &e.host);
        if (err)
                return err;
        const char *path = mirror + n + strspn(mirror + n, "/");
        size_t len = strlen(path);
        while (len > 0 && path[len - 1] == '/')
                len--;
        e.prefix = len > 0 ? sw_asprintf("%.*s/", (int) len, path) : sw_strdup("");
        e.ns = sw_strdup(host);
        sw_array_push(out, e);
        return SW_OK;
}

sw_err *
sw__hosts_endpoints(struct sw__hosts *h, const struct sw_registry_call *c, bool ask_mirrors,
                    sw__endpoints *out)
{
        const char *host = c->name->host;
        sw_auto(sw_str) path = sw_config_key("registry", host, "mirrors", NULL);
        const sw_strlist *mirrors = h->config && ask_mirrors && has_table(h->config, host)
                                            ? sw_config_list(h->config, path)
                                            : NULL;
        struct sw__endpoint e = { 0 };
        sw_err *err = SW_OK;

        for (size_t i = 0; mirrors && i < mirrors->n && !err; i++)
                err = add_mirror(h, mirrors->v[i], host, out);
        if (!err)
                err = sw__hosts_get(h, strcmp(host, DOCKER) == 0 ? DOCKER_API : host,
                                    c->insecure, &e.host);
        if (err)
                return err;
        e.prefix = sw_strdup("");
        sw_array_push(out, e);
        return SW_OK;
}
