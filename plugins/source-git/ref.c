/*
 * plugins/source-git/ref.c - see ref.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "plugins/source-git/ref.h"

enum { MAX_REF = 1000, MAX_URL = 8 * 1024 };

static bool
is_control(char c)
{
        return (unsigned char) c < 0x20 || c == 0x7f;
}

static bool
component_ok(const char *s, size_t n)
{
        return n > 0 && s[0] != '.' && !(n >= 5 && memcmp(s + n - 5, ".lock", 5) == 0);
}

static bool
ref_ok(const char *s)
{
        const size_t n = strnlen(s, MAX_REF + 1);

        if (n == 0 || n > MAX_REF || s[0] == '-' || s[n - 1] == '.' ||
            strcmp(s, "@") == 0 || strpbrk(s, " ~^:?*[\\") || strstr(s, "..") ||
            strstr(s, "@{"))
                return false;
        for (const char *p = s; *p; p++)
                if (is_control(*p))
                        return false;
        for (const char *p = s;; p++) {
                const size_t len = strcspn(p, "/");

                if (!component_ok(p, len))
                        return false;
                p += len;
                if (!*p)
                        return true;
        }
}

sw_err *
ref_check(const char *s)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        if (ref_ok(s))
                return SW_OK;
        sw_buf_add_quoted(&shown, s, strnlen(s, MAX_REF), 100);
        return sw_err_new(SW_E_INVALID, "invalid git ref: %s", shown.data);
}

static bool
is_hex(const char *s, size_t n)
{
        return strspn(s, "0123456789abcdef") >= n;
}

bool
ref_is_commit(const char *s)
{
        const size_t n = strnlen(s, 65);

        return (n == 40 || n == 64) && is_hex(s, n);
}

/* ---- remotes ---- */

void
remote_release(struct remote *r)
{
        if (r->user)
                explicit_bzero(r->user, strlen(r->user));
        free(r->url);
        free(r->host);
        free(r->user);
        memset(r, 0, sizeof(*r));
}

static sw_err *
bad_remote(enum sw_code code, const char *s, const char *why)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        const char *at = strrchr(s, '@'); /* before it may stand a password */

        sw_buf_add_quoted(&shown, at ? at + 1 : s, strnlen(at ? at + 1 : s, 300), 200);
        return sw_err_new(code, "git repository %s %s", shown.data, why);
}

static bool
host_ok(const char *s, size_t n)
{
        if (n == 0 || s[0] == '-' || s[0] == '.')
                return false;
        for (size_t i = 0; i < n; i++)
                if (is_control(s[i]) || (unsigned char) s[i] >= 0x80 ||
                    strchr(" \"'`$&;|<>(){}\\!*?#@", s[i]))
                        return false;
        return true;
}

/* "//[user[:password]@]host[:port]/path" after the scheme. */
static sw_err *
parse_url(const char *s, const char *scheme, const char *rest, struct remote *r)
{
        const size_t n = strcspn(rest, "/");
        const char *at = memrchr(rest, '@', n);
        const char *host = at ? at + 1 : rest;
        const size_t host_len = (size_t) (rest + n - host);

        if (!host_ok(host, host_len))
                return bad_remote(SW_E_INVALID, s, "has a host that is no name");
        r->host = sw_strndup(host, host_len);
        if (at && r->kind == REMOTE_HTTP)
                r->user = sw_strndup(rest, (size_t) (at - rest));
        if (at && r->kind == REMOTE_SSH &&
            (*rest == '-' || memchr(rest, ':', (size_t) (at - rest))))
                return bad_remote(SW_E_INVALID, s, "has a user that is no name");
        r->url = sw_asprintf("%s://%s", scheme, r->kind == REMOTE_HTTP ? host : rest);
        return SW_OK;
}

/* "[user@]host:path"; false: it is none. */
static bool
parse_scp(const char *s, struct remote *r)
{
        const char *colon = strchr(s, ':');
        const char *at = colon ? memrchr(s, '@', (size_t) (colon - s)) : NULL;
        const char *host = at ? at + 1 : s;

        if (!colon || (!at && colon[1] == '/') || colon[1] == '\0' || *s == '-' ||
            memchr(s, '/', (size_t) (colon - s)) ||
            !host_ok(host, (size_t) (colon - host)) ||
            (at && !host_ok(s, (size_t) (at - s))))
                return false;
        if (strspn(colon + 1, "0123456789") == strcspn(colon + 1, "/") &&
            strchr(colon, '/') && !at)
                return false; /* host:port/path */
        r->kind = REMOTE_SSH;
        r->host = sw_strndup(host, (size_t) (colon - host));
        r->url = sw_strdup(s);
        return true;
}

static sw_err *
parse_scheme(const char *s, const char *colon, struct remote *r)
{
        static const struct {
                const char *name;
                enum remote_kind kind;
        } known[] = {
                { "https", REMOTE_HTTP },
                { "http", REMOTE_HTTP },
                { "ssh", REMOTE_SSH },
                { "git", REMOTE_GIT },
        };
        const size_t n = (size_t) (colon - s);

        for (size_t i = 0; i < SW_COUNT(known); i++)
                if (strlen(known[i].name) == n && strncasecmp(s, known[i].name, n) == 0) {
                        r->kind = known[i].kind;
                        return parse_url(s, known[i].name, colon + 3, r);
                }
        return bad_remote(SW_E_UNSUPPORTED, s,
                          "has a protocol that is not http, https, ssh or git");
}

sw_err *
remote_parse(const char *s, struct remote *out)
{
        struct remote r = { .url = NULL };
        const char *colon = strstr(s, "://");
        sw_auto(sw_str) full = NULL;
        sw_err *err = SW_OK;

        if (!*s || strnlen(s, MAX_URL + 1) > MAX_URL)
                return sw_err_new(SW_E_INVALID, "git repository: the URL is %s",
                                  *s ? "far too long" : "empty");
        for (const char *p = s; *p; p++)
                if (is_control(*p))
                        return bad_remote(SW_E_INVALID, s, "has a control character in it");
        const size_t first = strcspn(s, ":/");
        if (s[first] == ':' && s[first + 1] == ':')
                return bad_remote(SW_E_UNSUPPORTED, s, "names a program for its transport");
        if (colon && strcspn(s, "/@:") == (size_t) (colon - s)) {
                err = parse_scheme(s, colon, &r);
        } else if (!parse_scp(s, &r)) {
                full = sw_asprintf("https://%s", s);
                r.kind = REMOTE_HTTP;
                err = parse_url(full, "https", s, &r);
        }
        if (err)
                remote_release(&r);
        else
                *out = r;
        return err;
}

/* ---- what git prints ---- */

static sw_err *
no_list(const char *line)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, line, strcspn(line, "\n"), 100);
        return sw_err_new(SW_E_REMOTE, "git ls-remote: %s is no ref", shown.data);
}

/* "SHA\tNAME"; @name: of @len bytes. False: another line. */
static bool
take_line(const char *line, char sha[65], const char **name, size_t *len)
{
        const char *tab = strchr(line, '\t');
        const size_t n = tab ? (size_t) (tab - line) : 0;

        if ((n != 40 && n != 64) || !is_hex(line, n))
                return false;
        memcpy(sha, line, n);
        sha[n] = '\0';
        *name = tab + 1;
        *len = strcspn(tab + 1, "\n");
        return true;
}

static bool
is_name(const char *name, size_t len, const char *before, const char *ref,
        const char *after)
{
        const size_t b = strlen(before), a = strlen(after);
        size_t r = strlen(ref);

        if (strncmp(ref, before, b) == 0) { /* it has its beginning already */
                ref += b;
                r -= b;
        }
        return len == b + r + a && memcmp(name, before, b) == 0 &&
               memcmp(name + b, ref, r) == 0 && memcmp(name + b + r, after, a) == 0;
}

static void
choose(char to[65], const char *sha)
{
        (void) snprintf(to, 65, "%s", sha);
}

static char *
full_name(const char *before, const char *ref)
{
        return strncmp(ref, before, strlen(before)) == 0 ? sw_strdup(ref)
                                                         : sw_asprintf("%s%s", before, ref);
}

static sw_err *
read_named(const char *text, const char *ref, struct resolved *out)
{
        char exact[65] = "", head[65] = "", tag[65] = "", peeled[65] = "", sha[65];

        for (const char *line = text; *line;) {
                const char *name;
                size_t len;

                if (!take_line(line, sha, &name, &len))
                        return no_list(line);
                if (is_name(name, len, "refs/heads/", ref, ""))
                        choose(head, sha);
                else if (is_name(name, len, "refs/tags/", ref, ""))
                        choose(tag, sha);
                else if (is_name(name, len, "refs/tags/", ref, "^{}"))
                        choose(peeled, sha);
                else if (is_name(name, len, "refs/", ref, ""))
                        choose(exact, sha);
                line = name + len;
                line += *line == '\n';
        }
        if (*exact || *head) { /* a branch goes before a tag of its name */
                choose(out->sha, *exact ? exact : head);
                out->ref = full_name(*exact ? "refs/" : "refs/heads/", ref);
                return SW_OK;
        }
        if (!*tag)
                return sw_err_new(SW_E_NOT_FOUND, "repository does not contain ref %s",
                                  ref);
        choose(out->sha, tag);
        choose(out->commit, peeled);
        out->ref = full_name("refs/tags/", ref);
        return SW_OK;
}

/* "ref: refs/heads/main\tHEAD" and the line of HEAD itself. */
static sw_err *
read_head(const char *text, struct resolved *out)
{
        sw_auto(sw_str) branch = NULL;
        char sha[65], head[65] = "";

        for (const char *line = text; *line;) {
                const char *name;
                size_t len = strcspn(line, "\n");

                if (strncmp(line, "ref: ", 5) == 0) {
                        free(branch);
                        branch = sw_strndup(line + 5, strcspn(line + 5, "\t\n"));
                        line += len;
                } else if (take_line(line, sha, &name, &len)) {
                        if (len == 4 && memcmp(name, "HEAD", 4) == 0)
                                choose(head, sha);
                        line = name + len;
                } else {
                        return no_list(line);
                }
                line += *line == '\n';
        }
        if (!*head)
                return sw_err_new(SW_E_NOT_FOUND, "could not find default branch for "
                                                  "repository: it is empty, or names none");
        choose(out->sha, head);
        sw_err *err = branch ? ref_check(branch) : SW_OK;
        out->ref = branch && !err ? sw_steal(branch) : sw_strdup("HEAD");
        sw_err_drop(err, "then its commit is all that counts");
        return SW_OK;
}

sw_err *
resolved_read(const char *text, const char *ref, struct resolved *out)
{
        struct resolved r = { .ref = NULL };
        sw_err *err = *ref ? read_named(text, ref, &r) : read_head(text, &r);

        if (!err)
                *out = r;
        return err;
}

bool
received_read(const char *line, int64_t *bytes, bool *end)
{
        static const char *const units[] = { " bytes", " KiB", " MiB", " GiB", " TiB" };
        const char *comma = strchr(line, ',');
        char *unit;

        if (strncmp(line, "Receiving objects: ", 19) != 0 || !comma || comma[1] != ' ' ||
            comma[2] < '0' || comma[2] > '9')
                return false;
        const double n = strtod(comma + 2, &unit);
        if (!(n >= 0 && n < 1e12))
                return false;
        for (size_t i = 0; i < SW_COUNT(units); i++) {
                const size_t len = strlen(units[i]);
                const double all = n * (double) (INT64_C(1) << (10 * i));

                if (strncmp(unit, units[i], len) != 0)
                        continue;
                *bytes = all < 1e15 ? (int64_t) all : 0;
                *end = strstr(unit + len, "done.") != NULL;
                return true;
        }
        return false;
}

bool
is_counting(const char *line)
{
        static const char *const what[] = {
                "Enumerating objects: ", "Counting objects: ",  "Compressing objects: ",
                "Receiving objects: ",   "Resolving deltas: ",  "Unpacking objects: ",
                "Updating files: ",      "Filtering content: ", "Total ",
        };

        if (strncmp(line, "remote: ", 8) == 0)
                line += 8;
        for (size_t i = 0; i < SW_COUNT(what); i++)
                if (strncmp(line, what[i], strlen(what[i])) == 0)
                        return true;
        return false;
}
