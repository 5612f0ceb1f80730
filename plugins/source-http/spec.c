/*
 * plugins/source-http/spec.c - what is asked for, and its keys.
 */
#include <string.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "lib/http/url.h"
#include "plugins/source-http/http.h"

enum { MAX_URL = 16 * 1024, MAX_VALUE = 4 * 1024 };

/* A value that goes into a header. */
static sw_err *
set_header(char **to, const char *key, const char *value)
{
        if (strnlen(value, MAX_VALUE + 1) > MAX_VALUE || strpbrk(value, "\r\n"))
                return sw_err_new(SW_E_INVALID, "%s cannot be sent as a header", key);
        free(*to);
        *to = sw_strdup(value);
        return SW_OK;
}

static sw_err *
set_number(const char *key, const char *value, int64_t max, int64_t *out)
{
        char *end;

        errno = 0;
        const long long n = strtoll(value, &end, 0); /* as Go: 0x1ff, 0777, 511 */
        if (!*value || *end || errno || n < 0 || n > max)
                return sw_err_new(SW_E_INVALID, "%s: %.32s is no number up to %lld", key,
                                  value, (long long) max);
        *out = n;
        return SW_OK;
}

struct signature {
        bool key, text;
};

static sw_err *
set_attr(struct spec *s, const char *key, const char *value, struct signature *sig)
{
        if (strcmp(key, "http.checksum") == 0) {
                s->has_checksum = true;
                return sw_err_wrap(sw_digest_parse(value, SIZE_MAX, &s->checksum), "%s",
                                   key);
        }
        if (strcmp(key, "http.filename") == 0) {
                free(s->filename);
                s->filename = *value ? sw_path_safe_name(value) : NULL;
                return SW_OK;
        }
        if (strcmp(key, "http.perm") == 0)
                return set_number(key, value, 07777, &s->perm);
        if (strcmp(key, "http.uid") == 0)
                return set_number(key, value, UINT32_MAX - 1, &s->uid);
        if (strcmp(key, "http.gid") == 0)
                return set_number(key, value, UINT32_MAX - 1, &s->gid);
        if (strcmp(key, "http.authheadersecret") == 0 && *value) {
                free(s->auth_secret);
                s->auth_secret = sw_strdup(value);
        }
        if (strcmp(key, "http.header.accept") == 0)
                return set_header(&s->accept, key, value);
        if (strcmp(key, "http.header.user-agent") == 0)
                return set_header(&s->user_agent, key, value);
        if (strcmp(key, "http.sig.pubkey") == 0)
                sig->key = *value != '\0';
        if (strcmp(key, "http.sig.signature") == 0)
                sig->text = *value != '\0';
        return SW_OK;
}

static sw_err *
check_signature(const struct signature *sig)
{
        if (sig->key != sig->text)
                return sw_err_new(SW_E_INVALID, "http signature verification requires both "
                                                "pubkey and signature");
        if (sig->key)
                return sw_err_new(
                        SW_E_UNSUPPORTED,
                        "signatures of downloads cannot be verified here: pin the "
                        "file by its checksum instead");
        return SW_OK;
}

static sw_err *
set_url(struct spec *s, const char *identifier)
{
        sw_auto(sw_str) port = NULL;
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_err *err = sw__url_usable();

        if (err)
                return err;
        if (strnlen(identifier, MAX_URL + 1) > MAX_URL)
                return sw_err_new(SW_E_LIMIT, "a URL of more than %d bytes", MAX_URL);
        s->url = sw__url_tidy(identifier);
        if (!s->url || !sw__url_host(s->url, &s->host, &port)) {
                sw_buf_add_quoted(&shown, identifier, strcspn(identifier, "@?"), 200);
                return sw_err_new(SW_E_INVALID, "%s is no URL of a file", shown.data);
        }
        sw__url_shown(s->url, &shown);
        s->shown = sw_buf_detach(&shown);
        if (strcmp(s->host, "buildkit-session") == 0)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "%s: uploads come with the daemon's "
                                  "clients only",
                                  s->shown);
        return SW_OK;
}

static void
add_member(sw_buf *b, const char *name, const char *value)
{
        sw_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", name);
        sw_json_add_str(b, value, strlen(value));
}

static void
add_header(sw_buf *b, bool *some, const char *name, const char *value)
{
        if (!value)
                return;
        sw_buf_addf(b, "%s{\"Name\":\"%s\",\"Value\":", *some ? "," : ",\"Header\":[",
                    name);
        sw_json_add_str(b, value, strlen(value));
        sw_buf_addc(b, '}');
        *some = true;
}

/* What of a request changes what comes. */
static void
add_request(const struct spec *s, sw_buf *b)
{
        bool some = false;

        if (s->auth_secret)
                add_member(b, "AuthHeaderSecret", s->auth_secret);
        add_header(b, &some, "Accept", s->accept);
        add_header(b, &some, "User-Agent", s->user_agent);
        sw_buf_adds(b, some ? "]}" : "}");
}

static void
set_key(struct spec *s)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addc(&b, '{');
        add_member(&b, "URL", s->url);
        add_request(s, &b);
        const sw_digest d = sw_digest_of(b.data, b.len);
        (void) sw_digest_hex(&d, s->key);
}

sw_err *
http_spec_init(struct spec *s, const struct sw_source_request *req)
{
        struct signature sig = { false, false };
        sw_err *err = set_url(s, req->identifier);

        for (size_t i = 0; i < req->n_attrs && !err; i++)
                err = set_attr(s, req->attrs[i].key, req->attrs[i].value, &sig);
        if (!err)
                err = check_signature(&sig);
        if (err && s->shown)
                err = sw_err_wrap(err, "%s", s->shown);
        if (!err)
                set_key(s);
        return err;
}

void
http_spec_release(struct spec *s)
{
        if (s->url)
                explicit_bzero(s->url, strlen(s->url));
        free(s->url);
        free(s->shown);
        free(s->host);
        free(s->filename);
        free(s->auth_secret);
        free(s->accept);
        free(s->user_agent);
}

char *
spec_name(const struct spec *s, const struct content *c)
{
        if (s->filename)
                return sw_strdup(s->filename);
        if (c && c->name && !sw_str_has_suffix(c->name, "/"))
                return sw_path_safe_name(c->name);
        sw_auto(sw_str) path = sw__url_path(s->url);
        sw_auto(sw_str) base = path ? sw_path_base(path) : NULL;
        return sw_path_safe_name(
                base && strcmp(base, ".") != 0 && strcmp(base, "/") != 0 ? base : "");
}

char *
http_spec_cache_key(const struct spec *s, const struct content *c)
{
        sw_auto(sw_str) name = spec_name(s, c);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) date = SW_BUF_INIT;
        char digest[SW_DIGEST_STR_SIZE];

        sw_buf_addc(&b, '{');
        add_member(&b, "Filename", name);
        sw_buf_addf(&b, ",\"Perm\":%lld,\"UID\":%lld,\"GID\":%lld", (long long) s->perm,
                    (long long) s->uid, (long long) s->gid);
        add_member(&b, "Checksum", sw_digest_str(&c->digest, digest));
        if (c->has_time) {
                date_add(&date, c->time);
                add_member(&b, "LastModTime", date.data);
        }
        add_request(s, &b);
        const sw_digest d = sw_digest_of(b.data, b.len);
        return sw_strdup(sw_digest_str(&d, digest));
}

void
content_release(struct content *c)
{
        free(c->name);
        free(c->etag);
        c->name = c->etag = NULL;
}

bool
contents_same(const contents *a, const contents *b)
{
        bool same = a->n == b->n;

        for (size_t i = 0; same && i < a->n; i++)
                same = sw_digest_eq(&a->v[i].digest, &b->v[i].digest) &&
                       strcmp(a->v[i].etag ?: "", b->v[i].etag ?: "") == 0;
        return same;
}

void
contents_release(contents *c)
{
        for (size_t i = 0; i < c->n; i++)
                content_release(&c->v[i]);
        sw_array_release(c);
}
