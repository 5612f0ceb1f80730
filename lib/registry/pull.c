/*
 * lib/registry/pull.c - documents: manifests and indexes by name, anything small by digest.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

#include "lib/http/retry.h"
#include "lib/registry/client.h"
#include "lib/registry/parse.h"

/* The value of a header up to its parameters; NULL when it is empty or not printable. */
static char *
media_type(const char *s)
{
        size_t n = s ? strcspn(s, "; \t") : 0;

        for (size_t i = 0; i < n; i++) {
                if (s[i] < '!' || s[i] > '~')
                        return NULL;
        }
        return n > 0 && n < 256 ? sw_strndup(s, n) : NULL;
}

static sw_err *
differs(const struct sw__talk *t, const sw_digest *want, const sw_digest *got)
{
        char a[SW_DIGEST_STR_SIZE], b[SW_DIGEST_STR_SIZE];

        return sw_err_new(SW_E_CORRUPT, "registry %s sent something else than %s: %s",
                          t->e->host->name, sw_digest_str(want, a), sw_digest_str(got, b));
}

/* ---- resolve ---- */

struct resolve {
        sw_desc *out;
        sw_buf *body;
};

/* Fill the descriptor from the headers alone; false: they do not say all. */
static sw_err *
read_head(struct sw__talk *t, const struct sw__http_answer *a, sw_desc *out, bool *all)
{
        const char *digest = sw__http_header(a, "docker-content-digest", 0);
        const char *length = sw__http_header(a, "content-length", 0);
        const struct sw_image_name *name = t->c->name;

        *all = false;
        if (!digest || !length || !sw_digest_is(digest, SIZE_MAX))
                return SW_OK;
        sw_err *err = sw_digest_parse(digest, SIZE_MAX, &out->digest);
        if (!err)
                err = sw_parse_int(length, 0, INT64_MAX, &out->size);
        if (err)
                return err;
        if (name->has_digest && !sw_digest_eq(&name->digest, &out->digest))
                return differs(t, &name->digest, &out->digest);
        out->media_type = media_type(sw__http_header(a, "content-type", 0));
        *all = out->media_type && sw_media_kind(out->media_type) != SW_MEDIA_OTHER;
        return SW_OK;
}

/* Take the descriptor of a document that came whole. */
static sw_err *
read_body(struct sw__talk *t, const struct sw__http_answer *a, sw_desc *out)
{
        const char *said = sw__http_header(a, "docker-content-digest", 0);
        const struct sw_image_name *name = t->c->name;
        sw_digest claimed;

        sw_desc_release(out);
        memset(out, 0, sizeof(*out));
        out->digest = sw_digest_of(a->body.data, a->body.len);
        out->size = (int64_t) a->body.len;
        out->media_type = media_type(sw__http_header(a, "content-type", 0));
        if (name->has_digest && !sw_digest_eq(&name->digest, &out->digest))
                return differs(t, &name->digest, &out->digest);
        if (said && sw_digest_is(said, SIZE_MAX)) {
                sw_err *err = sw_digest_parse(said, SIZE_MAX, &claimed);

                if (err)
                        return err;
                if (!sw_digest_eq(&claimed, &out->digest))
                        return differs(t, &claimed, &out->digest);
        }
        return SW_OK;
}

static char *
manifest_path(const struct sw_image_name *name)
{
        char d[SW_DIGEST_STR_SIZE];

        return sw_asprintf("manifests/%s", name->has_digest
                                                   ? sw_digest_str(&name->digest, d)
                                                   : name->tag ?: "latest");
}

static sw_err *
resolve_at(struct sw__talk *t, void *arg)
{
        struct resolve *r = arg;
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        sw_auto(sw_str) path = manifest_path(t->c->name);
        sw_auto(sw_desc) d = { 0 };
        sw_auto(sw_buf) url = SW_BUF_INIT;
        bool all = false;

        sw__talk_url(t, &url, path);
        struct sw__ask ask = { .q = { .method = "HEAD" },
                               .url = url.data,
                               .accept = SW__ACCEPT };
        sw_err *err = sw__talk_ask(t, &ask, &a);
        if (!err && a.status == 200)
                err = read_head(t, &a, &d, &all);
        else if (!err && (a.status == 401 || a.status == 403 || a.status == 404 ||
                          sw__is_passing(a.status)))
                err = sw__talk_refused(t, &a, path);
        if (err)
                return err;
        if (!all) { /* headers that say too little, or a registry that knows no HEAD */
                sw__http_answer_release(&a);
                ask.q.method = "GET";
                ask.q.max_body = SW_MANIFEST_MAX;
                err = sw__talk_ask(t, &ask, &a);
                if (!err)
                        err = a.status == 200 ? read_body(t, &a, &d)
                                              : sw__talk_refused(t, &a, path);
                if (err)
                        return err;
                if (r->body)
                        sw_buf_add(r->body, a.body.data, a.body.len);
        }
        *r->out = d;
        memset(&d, 0, sizeof(d));
        return SW_OK;
}

sw_err *
sw_registry_resolve(sw_registry *r, const struct sw_registry_call *c, sw_desc *out,
                    sw_buf *body)
{
        sw_auto(sw_str) name = sw_image_name_str(c->name);
        struct resolve job = { out, body };
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);

        if (!err) {
                err = sw__talk_each(r, c, SW__VIA_MIRRORS, resolve_at, &job);
                sw__slots_give(&r->slots, c->name->host);
        }
        return sw_err_wrap(err, "resolve %s", name);
}

/* ---- documents ---- */

struct document {
        const sw_desc *d;
        size_t max;
        sw_buf *out;
};

static sw_err *
check_document(const struct sw__talk *t, const sw_desc *d, const sw_buf *body)
{
        sw_digest got = sw_digest_of(body->data, body->len);

        if (!sw_digest_eq(&got, &d->digest))
                return differs(t, &d->digest, &got);
        if (d->size >= 0 && (int64_t) body->len != d->size)
                return sw_err_new(SW_E_CORRUPT,
                                  "registry %s sent %zu bytes, where the "
                                  "descriptor says %lld",
                                  t->e->host->name, body->len, (long long) d->size);
        return SW_OK;
}

static sw_err *
get_document(struct sw__talk *t, const struct document *j, const char *where,
             struct sw__http_answer *a)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) path =
                sw_asprintf("%s/%s", where, sw_digest_str(&j->d->digest, digest));
        sw_auto(sw_buf) url = SW_BUF_INIT;

        sw__talk_url(t, &url, path);
        struct sw__ask ask = { .q = { .method = "GET", .max_body = j->max },
                               .url = url.data,
                               .accept = *where == 'm' ? SW__ACCEPT : "*/*" };
        sw_err *err = sw__talk_ask(t, &ask, a);
        if (err || a->status == 200)
                return err;
        return sw__talk_refused(t, a, path);
}

static sw_err *
document_at(struct sw__talk *t, void *arg)
{
        const struct document *j = arg;
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        enum sw_media kind = sw_media_kind(j->d->media_type ?: "");
        bool blob = kind == SW_MEDIA_CONFIG || kind == SW_MEDIA_LAYER;

        sw_err *err = get_document(t, j, blob ? "blobs" : "manifests", &a);
        if (!blob && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "some keep such documents as blobs");
                sw__http_answer_release(&a);
                err = get_document(t, j, "blobs", &a);
        }
        if (!err)
                err = check_document(t, j->d, &a.body);
        if (!err)
                sw_buf_add(j->out, a.body.data, a.body.len);
        return err;
}

sw_err *
sw_registry_document(sw_registry *r, const struct sw_registry_call *c, const sw_desc *d,
                     size_t max, sw_buf *out)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        char digest[SW_DIGEST_STR_SIZE];
        struct document job = { d, max, out };
        sw_err *err = SW_OK;

        if (d->size > 0 && (uint64_t) d->size > max)
                err = sw_err_new(SW_E_LIMIT, "it has %lld bytes, more than %zu",
                                 (long long) d->size, max);
        if (!err)
                err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);
        if (!err) {
                err = sw__talk_each(r, c, SW__VIA_MIRRORS, document_at, &job);
                sw__slots_give(&r->slots, c->name->host);
        }
        return sw_err_wrap(err, "fetch %s@%s", repo, sw_digest_str(&d->digest, digest));
}
