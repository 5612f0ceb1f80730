/*
 * lib/registry/url.c - URLs: where a registry sends us, and who may see credentials.
 */
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "lib/registry/client.h"
#include "lib/registry/parse.h"

struct origin {
        char *scheme, *host, *port;
};

static void
origin_clear(struct origin *o)
{
        curl_free(o->scheme);
        curl_free(o->host);
        curl_free(o->port);
}
typedef struct origin origin;
SW_DEFINE_AUTO(origin, origin_clear)
SW_DEFINE_AUTOPTR(CURLU, curl_url_cleanup)

static bool
parse(const char *url, struct origin *o)
{
        sw_autoptr(CURLU) u = curl_url();

        return u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
               curl_url_get(u, CURLUPART_SCHEME, &o->scheme, 0) == CURLUE_OK &&
               curl_url_get(u, CURLUPART_HOST, &o->host, 0) == CURLUE_OK &&
               curl_url_get(u, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

bool
sw__talk_own(const struct sw__talk *t, const char *url)
{
        sw_auto(sw_buf) ours = SW_BUF_INIT;
        sw_auto(origin) a = { 0 };
        sw_auto(origin) b = { 0 };

        sw__talk_origin(t, &ours);
        return parse(url, &a) && parse(ours.data, &b) && strcmp(a.scheme, b.scheme) == 0 &&
               strcasecmp(a.host, b.host) == 0 && strcmp(a.port, b.port) == 0;
}

static sw_err *
bad_target(const char *to, const char *why)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw__printable(&shown, to, strcspn(to, "?"), 200); /* queries have signatures */
        return sw_err_new(SW_E_REMOTE, "it leads to %s, %s", shown.data, why);
}

sw_err *
sw__url_follow(const char *from, const char *to, char **out)
{
        sw_autoptr(CURLU) u = curl_url();
        char *url = NULL, *scheme = NULL;
        sw_err *err = SW_OK;

        if (!u || curl_url_set(u, CURLUPART_URL, from, 0) != CURLUE_OK)
                return sw_err_new(SW_E_INTERNAL, "URL %s", from);
        if (curl_url_set(u, CURLUPART_URL, to, CURLU_DISALLOW_USER) != CURLUE_OK ||
            curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
            curl_url_get(u, CURLUPART_URL, &url, 0) != CURLUE_OK ||
            curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
                err = bad_target(to, "which is no URL that can be followed");
        else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
                err = bad_target(to, "which is neither http nor https");
        else if (strcmp(scheme, "http") == 0 && strncasecmp(from, "https:", 6) == 0)
                err = bad_target(to, "from https to http: the registry may be behind a "
                                     "proxy that does not tell it (X-Forwarded-Proto)");
        else
                *out = sw_strdup(url);
        curl_free(url);
        curl_free(scheme);
        return err;
}

void
sw__url_add(sw_buf *b, const char *s)
{
        for (; *s; s++) {
                if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                    (*s >= '0' && *s <= '9') || strchr("-._~", *s))
                        sw_buf_addc(b, *s);
                else
                        sw_buf_addf(b, "%%%02X", (unsigned char) *s);
        }
}

/* The table for the host of a URL, or NULL: none. Only hosts that have one are kept: where
 * registries send us may be another place each time. */
static sw_err *
configured(struct sw__hosts *h, const struct origin *o, struct sw__host **out)
{
        sw_auto(sw_str) name = sw_asprintf("%s:%s", o->host, o->port);

        if (sw__hosts_configured(h, name))
                return sw__hosts_get(h, name, false, out);
        if (sw__hosts_configured(h, o->host))
                return sw__hosts_get(h, o->host, false, out);
        *out = NULL;
        return SW_OK;
}

sw_err *
sw__talk_reach(struct sw__talk *t, struct sw__http_request *q)
{
        const struct sw__host *own = t->e->host;
        struct sw__host *other = NULL;
        sw_auto(origin) o = { 0 };

        q->tls = &own->tls;
        q->direct = own->local;
        if (sw__talk_own(t, q->url))
                return SW_OK;
        if (!parse(q->url, &o))
                return bad_target(q->url, "which is no URL");
        q->direct = sw__host_is_local(o.host);
        sw_err *err = configured(&t->r->hosts, &o, &other);
        if (err)
                return err;
        size_t n = strlen(o.host);
        bool same = strncasecmp(own->name, o.host, n) == 0 &&
                    (own->name[n] == '\0' || own->name[n] == ':');
        q->tls = other ? &other->tls : same ? &own->tls : &own->others;
        return SW_OK;
}
