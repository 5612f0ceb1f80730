/*
 * lib/http/url.c - URLs, by way of curl's parser.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include <slipway/mem.h>

#include "lib/http/curl.h"
#include "lib/http/url.h"

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
sw__url_same_origin(const char *a, const char *b)
{
        sw_auto(origin) x = { 0 };
        sw_auto(origin) y = { 0 };

        return parse(a, &x) && parse(b, &y) && strcmp(x.scheme, y.scheme) == 0 &&
               strcasecmp(x.host, y.host) == 0 && strcmp(x.port, y.port) == 0;
}

bool
sw__url_host(const char *url, char **host, char **port)
{
        sw_auto(origin) o = { 0 };

        if (!parse(url, &o))
                return false;
        *host = sw_strdup(o.host);
        *port = sw_strdup(o.port);
        return true;
}

sw_err *
sw__url_usable(void)
{
        return sw__curl_open();
}

sw_err *
sw__url_refused(const char *to, const char *why)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_err *err = sw__url_usable();

        if (err)
                return err;
        sw__printable(&shown, to, strcspn(to, "?"), 200); /* queries have signatures */
        return sw_err_new(SW_E_REMOTE, "it leads to %s, %s", shown.data, why);
}

sw_err *
sw__url_join(const char *from, const char *to, char **out, bool *down)
{
        sw_autoptr(CURLU) u = curl_url();
        char *url = NULL, *scheme = NULL;
        sw_err *err = SW_OK;

        if (!u || curl_url_set(u, CURLUPART_URL, from, 0) != CURLUE_OK)
                return sw_err_new(SW_E_INTERNAL, "URL %s", from);
        if (curl_url_set(u, CURLUPART_URL, to, CURLU_DISALLOW_USER | CURLU_URLENCODE) !=
                    CURLUE_OK ||
            curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
            curl_url_get(u, CURLUPART_URL, &url, 0) != CURLUE_OK ||
            curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
                err = sw__url_refused(to, "which is no URL that can be followed");
        else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
                err = sw__url_refused(to, "which is neither http nor https");
        if (!err) {
                *down = strcmp(scheme, "http") == 0 && strncasecmp(from, "https:", 6) == 0;
                *out = sw_strdup(url);
        }
        curl_free(url);
        curl_free(scheme);
        return err;
}

char *
sw__url_tidy(const char *url)
{
        sw_autoptr(CURLU) u = curl_url();
        char *text = NULL, *scheme = NULL, *out = NULL;

        if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_URLENCODE) == CURLUE_OK &&
            curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
            curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
            (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
            curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
                out = sw_strdup(text);
        curl_free(scheme);
        curl_free(text);
        return out;
}

char *
sw__url_path(const char *url)
{
        sw_autoptr(CURLU) u = curl_url();
        char *path = NULL, *out = NULL;

        if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
            curl_url_get(u, CURLUPART_PATH, &path, CURLU_URLDECODE) == CURLUE_OK)
                out = sw_strdup(path);
        curl_free(path);
        return out;
}

void
sw__url_shown(const char *url, sw_buf *out)
{
        sw_autoptr(CURLU) u = curl_url();
        static const CURLUPart hidden[] = { CURLUPART_USER, CURLUPART_PASSWORD,
                                            CURLUPART_QUERY, CURLUPART_FRAGMENT };
        char *text = NULL;

        if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
                for (size_t i = 0; i < SW_COUNT(hidden); i++)
                        (void) curl_url_set(u, hidden[i], NULL, 0);
                (void) curl_url_get(u, CURLUPART_URL, &text, 0);
        }
        if (text)
                sw__printable(out, text, strlen(text), 300);
        else
                sw_buf_adds(out, "(no URL)");
        curl_free(text);
}

bool
sw__host_is_local(const char *name)
{
        size_t n = strcspn(name, ":");
        struct in_addr v4;

        if (*name == '[')
                return strncmp(name, "[::1]", 5) == 0 && (!name[5] || name[5] == ':');
        sw_auto(sw_str) bare = sw_strndup(name, n);
        if (strcasecmp(bare, "localhost") == 0)
                return true;
        return inet_pton(AF_INET, bare, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static bool
v4_is_near(const unsigned char b[4])
{
        return b[0] == 127 || b[0] == 0 || (b[0] == 169 && b[1] == 254);
}

bool
sw__addr_is_near(const struct sockaddr *a)
{
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;

        if (a->sa_family == AF_INET) {
                memcpy(&v4, a, sizeof(v4));
                return v4_is_near((const unsigned char *) &v4.sin_addr);
        }
        if (a->sa_family != AF_INET6)
                return false;
        memcpy(&v6, a, sizeof(v6));
        const struct in6_addr *x = &v6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(x) || IN6_IS_ADDR_V4COMPAT(x))
                return v4_is_near(x->s6_addr + 12);
        return IN6_IS_ADDR_LOOPBACK(x) || IN6_IS_ADDR_UNSPECIFIED(x) ||
               IN6_IS_ADDR_LINKLOCAL(x);
}

bool
sw__ip_is_near(const char *text)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        sw_auto(sw_str) bare =
                sw_strndup(text + (*text == '['), strcspn(text, "]%") - (*text == '['));

        if (inet_pton(AF_INET, bare, &v4.sin_addr) == 1)
                return sw__addr_is_near((const struct sockaddr *) &v4);
        return inet_pton(AF_INET6, bare, &v6.sin6_addr) == 1 &&
               sw__addr_is_near((const struct sockaddr *) &v6);
}
