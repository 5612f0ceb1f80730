/*
 * core/llb/giturl.c - see giturl.h. The remote stays as it was written, but for characters
 * that a URL cannot have, which are escaped. Thread: any.
 */
#include <string.h>

#include <slipway/buf.h>
#include <slipway/mem.h>

#include "core/llb/giturl.h"
#include "core/llb/shown.h"

enum { MAX_URL = 8192 };

void
sw__git_url_release(struct git_url *u)
{
        free(u->scheme);
        free(u->host);
        free(u->path);
        free(u->remote);
        memset(u, 0, sizeof(*u));
}

/* Messages never show what stands before an '@': it may be a password. */
static sw_err *
bad(const char *s, const char *why)
{
        const char *at = strrchr(s, '@');

        return sw_err_new(SW_E_INVALID, "git repository %s%s: %s", at ? "…@" : "",
                          sw__llb_shown(at ? at + 1 : s).text, why);
}

static bool
is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that may stand in the path of a URL as they are. */
static bool
path_byte(char c)
{
        return is_alnum(c) || strchr("-_.~!$&'()*+,;=:@[]/%", c) != NULL;
}

/* "%20" and the like; false when an escape is broken or a NUL. */
static bool
decode(const char *s, size_t n, sw_buf *out)
{
        for (size_t i = 0; i < n; i++) {
                char c = s[i];

                if (c == '%') {
                        int hi = n - i > 2 ? hex_value(s[i + 1]) : -1;
                        int lo = n - i > 2 ? hex_value(s[i + 2]) : -1;

                        if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
                                return false;
                        c = (char) (hi << 4 | lo);
                        i += 2;
                }
                sw_buf_addc(out, c);
        }
        return true;
}

/* As it was written, if a URL may have it so; otherwise all that needs it is escaped. */
static void
add_path(sw_buf *out, const char *raw, size_t n, const sw_buf *decoded)
{
        size_t i = 0;

        while (i < n && path_byte(raw[i]))
                i++;
        if (i == n) {
                sw_buf_add(out, raw, n);
                return;
        }
        for (i = 0; i < decoded->len; i++) {
                char c = decoded->data[i];

                if (is_alnum(c) || (c && strchr("-_.~$&+,/:;=@", c)))
                        sw_buf_addc(out, c);
                else
                        sw_buf_addf(out, "%%%02X", (unsigned char) c);
        }
}

static bool
known_scheme(const char *s)
{
        return strcmp(s, "http") == 0 || strcmp(s, "https") == 0 || strcmp(s, "ssh") == 0 ||
               strcmp(s, "git") == 0;
}

static bool
host_byte(char c)
{
        return is_alnum(c) || strchr("-_.~!$&'()*+,;=:[]%<>\"", c) != NULL;
}

static sw_err *
check_authority(const char *s, const char *host, size_t n)
{
        const char *colon;

        if (!n)
                return bad(s, "has no host");
        for (size_t i = 0; i < n; i++)
                if (!host_byte(host[i]))
                        return bad(s, "has a host that is no name");
        colon = (const char *) memrchr(host, ':', n);
        if (colon && host[n - 1] != ']')
                for (const char *p = colon + 1; p < host + n; p++)
                        if (*p < '0' || *p > '9')
                                return bad(s, "has a port that is no number");
        return SW_OK;
}

/* "scheme://authority/path", the scheme lower-cased in @u already. */
static sw_err *
parse_url(const char *s, const char *rest, struct git_url *u)
{
        size_t n_authority = strcspn(rest, "/");
        const char *at = (const char *) memrchr(rest, '@', n_authority);
        const char *host = at ? at + 1 : rest, *path = rest + n_authority;
        sw_auto(sw_buf) decoded = SW_BUF_INIT, remote = SW_BUF_INIT;
        sw_err *err;

        err = check_authority(s, host, (size_t) (path - host));
        if (err)
                return err;
        if (!decode(path, strlen(path), &decoded))
                return bad(s, "has a broken % escape in its path");
        u->host = sw_strndup(host, (size_t) (path - host));
        u->path = sw_strdup(decoded.data);
        sw_buf_addf(&remote, "%s://", u->scheme);
        sw_buf_add(&remote, rest, n_authority);
        add_path(&remote, path, strlen(path), &decoded);
        u->remote = sw_buf_detach(&remote);
        return SW_OK;
}

/* Whether @s begins as a URL with a scheme and a path does: "host:/path", "host:". */
static bool
reads_as_url(const char *s)
{
        size_t n = 0;

        while (is_alnum(s[n]) || (n && s[n] && strchr("+-.", s[n])))
                n++;
        if (!n || s[n] != ':' || (s[0] >= '0' && s[0] <= '9'))
                return false;
        return s[n + 1] == '/' || s[n + 1] == '\0';
}

/* "[user@]host:path". */
static bool
parse_scp(const char *s, struct git_url *u)
{
        const char *colon = strchr(s, ':'), *at = strchr(s, '@'), *host = s;

        if (!colon || reads_as_url(s))
                return false;
        if (at && at < colon) {
                for (const char *p = s; p < at; p++)
                        if (!is_alnum(*p) && *p != '-' && *p != '_')
                                return false;
                if (at == s)
                        return false;
                host = at + 1;
        }
        if (host == colon)
                return false;
        for (const char *p = host; p < colon; p++)
                if (!is_alnum(*p) && *p != '-' && *p != '.')
                        return false;
        u->scheme = sw_strdup("ssh");
        u->host = sw_strndup(host, (size_t) (colon - host));
        u->path = sw_strdup(colon + 1);
        u->remote = sw_strdup(s);
        return true;
}

static size_t
scheme_length(const char *s)
{
        size_t n = 0;

        while (is_alnum(s[n]))
                n++;
        return n && strncmp(s + n, "://", 3) == 0 ? n : 0;
}

static sw_err *
parse_with_scheme(const char *s, size_t n, struct git_url *u)
{
        u->scheme = sw_strndup(s, n);
        for (char *p = u->scheme; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char) (*p - 'A' + 'a');
        if (!known_scheme(u->scheme))
                return bad(s,
                           "has an unknown protocol; known are http, https, ssh and git");
        return parse_url(s, s + n + 3, u);
}

sw_err *
sw__git_url_parse(const char *s, struct git_url *out)
{
        sw_auto(git_url) u = { NULL, NULL, NULL, NULL };
        sw_auto(sw_str) full = NULL;
        size_t n = scheme_length(s);
        sw_err *err = SW_OK;

        if (!*s || strnlen(s, MAX_URL + 1) > MAX_URL)
                return sw_err_new(SW_E_INVALID, "git repository: the URL is %s",
                                  *s ? "far too long" : "empty");
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        return sw_err_new(
                                SW_E_INVALID,
                                "git repository: the URL has a control character");
        if (strpbrk(s, "#?"))
                return bad(s, "has a fragment or a query; give branch and directory apart "
                              "from the URL");
        if (n) {
                err = parse_with_scheme(s, n, &u);
        } else if (!parse_scp(s, &u)) {
                full = sw_asprintf("https://%s", s);
                err = parse_with_scheme(full, strlen("https"), &u);
        }
        if (err)
                return err;
        *out = u;
        memset(&u, 0, sizeof(u));
        return SW_OK;
}
