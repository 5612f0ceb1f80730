/*
 * lib/registry/list.c - what a repository has: tags, referrers, whether a blob is there.
 */
#include <ctype.h>
#include <string.h>

#include <slipway/json.h>

#include "lib/registry/client.h"
#include "lib/registry/parse.h"

enum {
        PAGE = 1000, /* tags to ask for at a time */
        MAX_PAGES = 2000,
        MAX_PAGE = 8 * 1024 * 1024, /* bytes */
        MAX_TAGS = 1000000,
        MAX_TAG = 128,
};

/* ---- pages ---- */

typedef sw_err *page_fn(struct sw__talk *t, const sw_buf *body, void *arg);

/* The URL of the next page; NULL: there is none. It has to be on the same host. */
static sw_err *
next_page(struct sw__talk *t, const struct sw__http_answer *a, const char *url, char **out)
{
        const char *link = sw__http_header(a, "link", 0);
        sw_auto(sw_str) target = NULL;

        *out = NULL;
        sw_err *err = link ? sw__link_next(link, &target) : SW_OK;
        if (!err && target)
                err = sw__url_follow(url, target, out);
        if (!err && *out && !sw__talk_own(t, *out)) {
                sw_str_clear(out);
                err = sw_err_new(SW_E_REMOTE,
                                 "the next page is said to be on another host");
        }
        if (!err && *out && strcmp(*out, url) == 0) {
                sw_str_clear(out);
                err = sw_err_new(SW_E_REMOTE, "the next page is said to be the same one");
        }
        return sw_err_wrap(err, "registry %s", t->e->host->name);
}

/* Each page from @url on. @missing: set instead of an error when the first one is not. */
static sw_err *
each_page(struct sw__talk *t, const char *path, const char *accept, page_fn *fn, void *arg,
          bool *missing)
{
        sw_auto(sw_buf) first = SW_BUF_INIT;

        sw__talk_url(t, &first, path);
        sw_auto(sw_str) url = sw_strdup(first.data);
        for (int i = 0; url; i++) {
                sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
                struct sw__ask ask = { .q = { .method = "GET", .max_body = MAX_PAGE },
                                       .url = url,
                                       .accept = accept };
                char *next = NULL;

                if (i >= MAX_PAGES)
                        return sw_err_new(SW_E_LIMIT, "over %d pages", MAX_PAGES);
                sw_err *err = sw__talk_ask(t, &ask, &a);
                if (err)
                        return err;
                if (a.status == 404 && missing && i == 0) {
                        *missing = true;
                        return SW_OK;
                }
                if (a.status != 200)
                        return sw__talk_refused(t, &a, path);
                err = fn(t, &a.body, arg);
                if (!err)
                        err = next_page(t, &a, url, &next);
                if (err)
                        return err;
                free(url);
                url = next;
        }
        return SW_OK;
}

/* ---- tags ---- */

bool
sw__is_tag(const char *s)
{
        size_t n = strlen(s);

        if (n == 0 || n > MAX_TAG || !(isalnum((unsigned char) *s) || *s == '_'))
                return false;
        for (; *s; s++) {
                if (!isalnum((unsigned char) *s) && !strchr("_.-", *s))
                        return false;
        }
        return true;
}

static sw_err *
add_tags(struct sw__talk *t, const sw_buf *body, void *arg)
{
        sw_strlist *out = arg;
        sw_autoptr(sw_json) doc = NULL;
        sw_json *tags = NULL;

        sw_err *err = sw_json_parse("tags", body->data, body->len, &doc);
        if (!err)
                err = sw_json_arr(doc, "tags", &tags);
        for (size_t i = 0; !err && i < json_array_size(tags); i++) {
                const char *tag = json_string_value(json_array_get(tags, i));

                if (!tag || !sw__is_tag(tag))
                        err = sw_err_new(SW_E_INVALID, "tags: entry %zu is no tag", i);
                else if (out->n >= MAX_TAGS)
                        err = sw_err_new(SW_E_LIMIT, "over %d tags", MAX_TAGS);
                else
                        sw_strlist_add(out, tag);
        }
        return sw_err_wrap(err, "registry %s", t->e->host->name);
}

static sw_err *
tags_at(struct sw__talk *t, void *arg)
{
        sw_auto(sw_str) path = sw_asprintf("tags/list?n=%d", PAGE);
        sw_auto(sw_strlist) found = { 0 };
        sw_strlist *out = arg;

        sw_err *err = each_page(t, path, "application/json", add_tags, &found, NULL);
        for (size_t i = 0; !err && i < found.n; i++)
                sw_strlist_add(out, found.v[i]);
        return err;
}

sw_err *
sw_registry_tags(sw_registry *r, const struct sw_registry_call *c, sw_strlist *out)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);

        if (!err) {
                err = sw__talk_each(r, c, SW__DIRECT, tags_at, out);
                sw__slots_give(&r->slots, c->name->host);
        }
        return sw_err_wrap(err, "list the tags of %s", repo);
}

/* ---- referrers ---- */

struct referrers {
        const sw_digest *d;
        const char *type;
        sw_descs *out;
        sw_descs found;
};

static sw_err *
add_referrers(struct sw__talk *t, const sw_buf *body, void *arg)
{
        struct referrers *j = arg;
        sw_auto(sw_manifest) m = { 0 };

        sw_err *err = sw_manifest_parse(SW_MT_OCI_INDEX, body->data, body->len, &m);
        for (size_t i = 0; !err && i < m.entries.n; i++) {
                const sw_desc *d = &m.entries.v[i];
                sw_desc copy = { 0 };

                if (j->type &&
                    (!d->artifact_type || strcmp(d->artifact_type, j->type) != 0))
                        continue;
                if (j->found.n >= MAX_TAGS)
                        return sw_err_new(SW_E_LIMIT, "over %d referrers", MAX_TAGS);
                sw_desc_copy(&copy, d);
                sw_array_push(&j->found, copy);
        }
        return sw_err_wrap(err, "registry %s", t->e->host->name);
}

static sw_err *
referrers_at(struct sw__talk *t, void *arg)
{
        struct referrers *j = arg;
        char digest[SW_DIGEST_STR_SIZE], hex[SW_DIGEST_HEX_LEN + 1];
        sw_auto(sw_buf) path = SW_BUF_INIT;
        sw_auto(sw_str) tag = sw_asprintf("manifests/sha256-%s", sw_digest_hex(j->d, hex));
        bool missing = false;

        sw_descs_release(&j->found);
        sw_buf_addf(&path, "referrers/%s", sw_digest_str(j->d, digest));
        if (j->type) {
                sw_buf_adds(&path, "?artifactType=");
                sw__url_add(&path, j->type);
        }
        sw_err *err = each_page(t, path.data, SW_MT_OCI_INDEX, add_referrers, j, &missing);
        if (!err && missing) /* a registry without that: an index under a tag */
                err = each_page(t, tag, SW_MT_OCI_INDEX, add_referrers, j, &missing);
        return err;
}

sw_err *
sw_registry_referrers(sw_registry *r, const struct sw_registry_call *c, const sw_digest *d,
                      const char *type, sw_descs *out)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        char digest[SW_DIGEST_STR_SIZE];
        struct referrers job = { .d = d, .type = type, .out = out };
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);

        if (!err) {
                err = sw__talk_each(r, c, SW__DIRECT, referrers_at, &job);
                sw__slots_give(&r->slots, c->name->host);
        }
        for (size_t i = 0; !err && i < job.found.n; i++) { /* given to the caller */
                sw_array_push(out, job.found.v[i]);
                memset(&job.found.v[i], 0, sizeof(job.found.v[i]));
        }
        sw_descs_release(&job.found);
        return sw_err_wrap(err, "referrers of %s@%s", repo, sw_digest_str(d, digest));
}

/* ---- has ---- */

struct has {
        const sw_desc *d;
        bool manifest;
        bool *out;
};

static sw_err *
has_at(struct sw__talk *t, void *arg)
{
        const struct has *j = arg;

        return sw__talk_has(t, j->d, j->manifest, j->out);
}

sw_err *
sw__talk_has(struct sw__talk *t, const sw_desc *d, bool manifest, bool *out)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        sw_auto(sw_buf) url = SW_BUF_INIT;
        sw_auto(sw_str) path = sw_asprintf("%s/%s", manifest ? "manifests" : "blobs",
                                           sw_digest_str(&d->digest, digest));

        sw__talk_url(t, &url, path);
        struct sw__ask ask = { .q = { .method = "HEAD" },
                               .url = url.data,
                               .accept = manifest ? SW__ACCEPT : "*/*" };
        sw_err *err = sw__talk_ask(t, &ask, &a);
        if (err)
                return err;
        if (a.status != 200 && a.status != 404)
                return sw__talk_refused(t, &a, path);
        *out = a.status == 200;
        return SW_OK;
}

sw_err *
sw_registry_has(sw_registry *r, const struct sw_registry_call *c, const sw_desc *d,
                bool manifest, bool *out)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        char digest[SW_DIGEST_STR_SIZE];
        struct has job = { d, manifest, out };
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);

        if (!err) {
                err = sw__talk_each(r, c, SW__DIRECT, has_at, &job);
                sw__slots_give(&r->slots, c->name->host);
        }
        return sw_err_wrap(err, "look for %s@%s", repo, sw_digest_str(&d->digest, digest));
}
