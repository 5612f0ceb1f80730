/*
 * lib/registry/url.c - URLs: where a registry sends us, and who may see credentials.
 */
#include <string.h>
#include <strings.h>

#include "lib/http/url.h"
#include "lib/registry/client.h"

bool
sw__talk_own(const struct sw__talk *t, const char *url)
{
        sw_auto(sw_buf) ours = SW_BUF_INIT;

        sw__talk_origin(t, &ours);
        return sw__url_same_origin(ours.data, url);
}

sw_err *
sw__url_follow(const char *from, const char *to, char **out)
{
        sw_auto(sw_str) url = NULL;
        bool down = false;
        sw_err *err = sw__url_join(from, to, &url, &down);

        if (err)
                return err;
        if (down)
                return sw__url_refused(to, "from https to http: the registry may be behind "
                                           "a proxy that does not tell it "
                                           "(X-Forwarded-Proto)");
        *out = sw_steal(url);
        return SW_OK;
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
configured(struct sw__hosts *h, const char *host, const char *port, struct sw__host **out)
{
        sw_auto(sw_str) name = sw_asprintf("%s:%s", host, port);

        if (sw__hosts_configured(h, name))
                return sw__hosts_get(h, name, false, out);
        if (sw__hosts_configured(h, host))
                return sw__hosts_get(h, host, false, out);
        *out = NULL;
        return SW_OK;
}

sw_err *
sw__talk_reach(struct sw__talk *t, struct sw__http_request *q)
{
        const struct sw__host *own = t->e->host;
        struct sw__host *other = NULL;
        sw_auto(sw_str) host = NULL;
        sw_auto(sw_str) port = NULL;

        q->tls = &own->tls;
        q->direct = own->local;
        if (sw__talk_own(t, q->url))
                return SW_OK;
        if (!sw__url_host(q->url, &host, &port))
                return sw__url_refused(q->url, "which is no URL");
        q->direct = sw__host_is_local(host);
        sw_err *err = configured(&t->r->hosts, host, port, &other);
        if (err)
                return err;
        size_t n = strlen(host);
        bool same = strncasecmp(own->name, host, n) == 0 &&
                    (own->name[n] == '\0' || own->name[n] == ':');
        q->tls = other ? &other->tls : same ? &own->tls : &own->others;
        return SW_OK;
}
