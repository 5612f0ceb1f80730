/*
 * core/llb/imagename.c - the grammar of image names:
 *
 *   reference  name [":" tag] ["@" digest]
 *   name       domain "/" component *("/" component)
 *   domain     label *("." label) [":" digits], or "[" IPv6 "]" [":" digits]
 *   component  1*[a-z0-9] *(("." | "_" | "__" | 1*"-") 1*[a-z0-9])
 *   tag        [A-Za-z0-9_] 0*127[A-Za-z0-9_.-]
 *   digest     algorithm ":" 32*hex
 *
 * The first part before a "/" is a domain when it has a dot, a colon or a capital, or is
 * "localhost"; otherwise the name is on Docker Hub. Thread: any.
 */
#include <string.h>

#include <slipway/buf.h>
#include <slipway/digest.h>
#include <slipway/mem.h>

#include "core/llb/imagename.h"
#include "core/llb/shown.h"

#define HUB        "docker.io"
#define HUB_LEGACY "index.docker.io"
#define HUB_PREFIX "library/"

enum { MAX_NAME = 255, MAX_TAG = 128, MAX_REFERENCE = 4096 };

void
sw_image_name_release(sw_image_name *n)
{
        free(n->host);
        free(n->repo);
        free(n->tag);
        *n = (sw_image_name){ .host = NULL };
}

void
sw_image_name_default_tag(sw_image_name *n)
{
        if (!n->tag && !n->has_digest)
                n->tag = sw_strdup("latest");
}

/* @front, and what comes after the repository. */
static char *
with_rest(const char *front, const sw_image_name *n)
{
        char text[SW_DIGEST_STR_SIZE];

        return sw_asprintf("%s%s%s%s%s", front, n->tag ? ":" : "", n->tag ? n->tag : "",
                           n->has_digest ? "@" : "",
                           n->has_digest ? sw_digest_str(&n->digest, text) : "");
}

char *
sw_image_name_repo(const sw_image_name *n)
{
        return sw_asprintf("%s/%s", n->host, n->repo);
}

char *
sw_image_name_str(const sw_image_name *n)
{
        sw_auto(sw_str) front = sw_image_name_repo(n);

        return with_rest(front, n);
}

/* ---- pieces; locale plays no part ---------------------------------------------------- */

static bool
is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
        return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_hex(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of a separator inside a component, or 0. */
static size_t
separator(const char *p, const char *end)
{
        size_t n = 0;

        if (*p == '.')
                return 1;
        if (*p == '_')
                return end - p > 1 && p[1] == '_' ? 2 : 1;
        while (p + n < end && p[n] == '-')
                n++;
        return n;
}

static bool
component_ok(const char *p, const char *end)
{
        size_t n = 1;

        if (p == end)
                return false;
        while (n) {
                if (p == end || !is_lower_alnum(*p))
                        return false;
                while (p < end && is_lower_alnum(*p))
                        p++;
                if (p == end)
                        return true;
                n = separator(p, end);
                p += n;
        }
        return false;
}

static bool
path_ok(const char *p)
{
        const char *slash;

        while ((slash = strchr(p, '/'))) {
                if (!component_ok(p, slash))
                        return false;
                p = slash + 1;
        }
        return component_ok(p, p + strlen(p));
}

static bool
label_ok(const char *p, const char *end)
{
        if (p == end || !is_alnum(*p) || !is_alnum(end[-1]))
                return false;
        for (; p < end; p++)
                if (!is_alnum(*p) && *p != '-')
                        return false;
        return true;
}

static bool
host_ok(const char *p, const char *end)
{
        if (end - p > 2 && *p == '[' && end[-1] == ']') {
                for (p++; p < end - 1; p++)
                        if (!is_hex(*p) && *p != ':')
                                return false;
                return true;
        }
        for (const char *dot; (dot = (const char *) memchr(p, '.', (size_t) (end - p)));
             p = dot + 1)
                if (!label_ok(p, dot))
                        return false;
        return label_ok(p, end);
}

static bool
domain_ok(const char *p)
{
        const char *end = p + strlen(p), *colon = strrchr(p, ':');

        if (*p == '[') {
                const char *close = strchr(p, ']');

                if (!close)
                        return false;
                if (colon && colon < close)
                        colon = NULL; /* part of the address */
        }
        if (colon) {
                for (const char *d = colon + 1; d == colon + 1 || *d; d++)
                        if (*d < '0' || *d > '9')
                                return false;
                end = colon;
        }
        return host_ok(p, end);
}

static bool
tag_ok(const char *p)
{
        size_t n = strlen(p);

        if (!n || n > MAX_TAG || !(is_alnum(*p) || *p == '_'))
                return false;
        for (; *p; p++)
                if (!is_alnum(*p) && !strchr("_.-", *p))
                        return false;
        return true;
}

/* ---- the whole ----------------------------------------------------------------------- */

static sw_err *
bad(const char *s, const char *why)
{
        return sw_err_new(SW_E_INVALID, "invalid reference format: image name %s %s",
                          sw__llb_shown(s).text, why);
}

/* sha256 strictly; any other algorithm by its shape, since it may be known elsewhere. */
static sw_err *
check_digest(const char *s, const char *digest, sw_image_name *n)
{
        const char *colon = strchr(digest, ':');
        const char *p;

        if (!colon)
                return bad(s, "has a digest without an algorithm");
        if (strncmp(digest, "sha256:", 7) == 0) {
                n->has_digest = true;
                return sw_err_wrap(sw_digest_parse(digest, SIZE_MAX, &n->digest),
                                   "invalid reference format: image name %s",
                                   sw__llb_shown(s).text);
        }
        for (p = digest; p < colon; p++)
                if (!is_alnum(*p) && (p == digest || !strchr("-_+.", *p)))
                        return bad(s, "has a digest whose algorithm is no name");
        for (p = colon + 1; *p; p++)
                if (!is_hex(*p))
                        return bad(s, "has a digest that is not hexadecimal");
        if (colon == digest || p - colon - 1 < 32)
                return bad(s, "has a digest that is too short");
        return SW_OK;
}

static bool
looks_like_domain(const char *p, size_t n)
{
        if (n == 9 && strncmp(p, "localhost", 9) == 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (p[i] == '.' || p[i] == ':' || (p[i] >= 'A' && p[i] <= 'Z'))
                        return true;
        return false;
}

/* A repository whose first part would be read as a host keeps the hub's name. */
char *
sw_image_name_familiar(const sw_image_name *n)
{
        const size_t prefix = strlen(HUB_PREFIX);
        const char *slash = strchr(n->repo, '/');

        if (strcmp(n->host, HUB) != 0 ||
            (slash && looks_like_domain(n->repo, (size_t) (slash - n->repo))))
                return sw_image_name_str(n);
        if (strncmp(n->repo, HUB_PREFIX, prefix) == 0 && !strchr(n->repo + prefix, '/'))
                return with_rest(n->repo + prefix, n);
        return with_rest(n->repo, n);
}

/* Take the domain off @rest; the default one where there is none. From malloc. */
static char *
take_domain(const char **rest)
{
        const char *slash = strchr(*rest, '/');
        size_t n = slash ? (size_t) (slash - *rest) : 0;
        char *domain;

        if (!slash || !looks_like_domain(*rest, n))
                return sw_strdup(HUB);
        domain = sw_strndup(*rest, n);
        *rest = slash + 1;
        if (strcmp(domain, HUB_LEGACY) == 0) {
                free(domain);
                domain = sw_strdup(HUB);
        }
        return domain;
}

static sw_err *
check_path(const char *s, const char *path)
{
        for (const char *p = path; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        return bad(s, "has capitals in the repository; write it in lower "
                                      "case");
        if (!*path)
                return bad(s, "has no repository");
        if (!path_ok(path))
                return bad(s, "is not of the form [domain/]path[:tag][@digest]");
        return SW_OK;
}

/* The text is split from its end: digest, then tag, then domain and path. */
static sw_err *
parse(const char *s, char *text, sw_image_name *n, char **digest)
{
        const char *path = text;
        char *at = strchr(text, '@'), *colon;
        sw_err *err;

        if (at) {
                *at = '\0';
                *digest = sw_strdup(at + 1);
                err = check_digest(s, *digest, n);
                if (err)
                        return err;
        }
        n->host = take_domain(&path);
        colon = strchr(path, ':');
        if (colon) {
                *colon = '\0';
                n->tag = sw_strdup(colon + 1);
                if (!tag_ok(n->tag))
                        return bad(s, "has a tag that is not 1 to 128 letters, digits, "
                                      "'_', '.' or '-'");
        }
        if (!domain_ok(n->host))
                return bad(s, "has a registry that is no host name");
        err = check_path(s, path);
        if (err)
                return err;
        n->repo = sw_asprintf("%s%s",
                              strcmp(n->host, HUB) == 0 && !strchr(path, '/') ? HUB_PREFIX
                                                                              : "",
                              path);
        if (strlen(n->host) + 1 + strlen(n->repo) > MAX_NAME)
                return bad(s, "is longer than 255 characters");
        return SW_OK;
}

sw_err *
sw__image_name_parse_any(const char *s, sw_image_name *out, char **digest)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) text = NULL;
        sw_auto(sw_str) after = NULL;
        sw_err *err;

        if (!*s)
                return sw_err_new(SW_E_INVALID, "invalid reference format: the name of an "
                                                "image is empty");
        if (strnlen(s, MAX_REFERENCE + 1) > MAX_REFERENCE)
                return bad(s, "is far too long");
        if (strlen(s) == SW_DIGEST_HEX_LEN && strspn(s, "0123456789abcdef") == strlen(s))
                return bad(s, "is a bare digest; say name@sha256:…");
        text = sw_strdup(s);
        err = parse(s, text, &n, &after);
        if (err)
                return err;
        *out = n;
        *digest = sw_steal(after);
        n = (sw_image_name){ .host = NULL };
        return SW_OK;
}

sw_err *
sw_image_name_parse(const char *s, sw_image_name *out)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) digest = NULL;
        sw_err *err = sw__image_name_parse_any(s, &n, &digest);

        if (err)
                return err;
        if (digest && !n.has_digest)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "image name %s: its digest is not sha256, which is the "
                                  "only one that can be checked",
                                  sw__llb_shown(s).text);
        *out = n;
        n = (sw_image_name){ .host = NULL };
        return SW_OK;
}
