/*
 * plugins/source-http/source.c - the operations: what a URL stands for now, and its tree.
 *
 * A URL is looked at once for each instance, by its first cache key: what is remembered of
 * it is held against the server's ETag, and only what is new is downloaded. One with a
 * checksum is looked at when its tree is wanted.
 * Thread: any; one instance by one thread at a time.
 */
#include <string.h>

#include <slipway/time.h>

#include "plugins/source-http/source.h"

struct source {
        const struct web *web;
        sw_worker *worker;
        struct spec spec;
        bool known; /* what it stands for */
        struct content content;
        sw_ref *ref; /* its tree, if that is at hand; held so that it is not pruned */
};

sw_err *
http_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        struct source *s = sw_new(struct source);
        sw_err *err = http_spec_init(&s->spec, req);

        (void) ctx;
        if (err) {
                http_close(self, s);
                return err;
        }
        s->web = self;
        s->worker = req->worker;
        *inst = s;
        return SW_OK;
}

void
http_close(void *self, void *inst)
{
        struct source *s = inst;

        (void) self;
        sw_ref_unref(s->ref);
        content_release(&s->content);
        http_spec_release(&s->spec);
        free(s);
}

/* ---- looking ---- */

/* Whether what is remembered can be had without the server: as a tree, or its bytes. */
static sw_err *
at_hand(const struct asking *a, const struct content *c, sw_ref **ref, bool *out)
{
        struct sw_blob_info info;
        sw_err *err = tree_find(a->worker, a->ctx, a->spec, c, ref);

        *out = *ref != NULL;
        if (err || *out)
                return err;
        err = sw_content_info(sw_worker_content(a->worker), &c->digest, &info);
        *out = !err;
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "it is downloaded");
        return SW_OK;
}

/* Of what is remembered, that which is at hand. */
static sw_err *
recall(const struct asking *a, contents *out)
{
        sw_auto(contents) all = { 0 };

        remember_get(a->worker, a->spec, &all);
        for (size_t i = 0; i < all.n; i++) {
                sw_autoptr(sw_ref) ref = NULL;
                bool here = false;
                sw_err *err = at_hand(a, &all.v[i], &ref, &here);

                if (err)
                        return err;
                if (!here)
                        continue;
                sw_array_push(out, all.v[i]);
                memset(&all.v[i], 0, sizeof(all.v[i]));
        }
        return SW_OK;
}

static sw_err *
check_digest(const struct spec *s, const struct content *c)
{
        char is[SW_DIGEST_STR_SIZE], want[SW_DIGEST_STR_SIZE];

        if (!s->has_checksum || sw_digest_eq(&s->checksum, &c->digest))
                return SW_OK;
        return sw_err_new(SW_E_INVALID, "digest mismatch for %s: %s (expected: %s)",
                          s->shown, sw_digest_str(&c->digest, is),
                          sw_digest_str(&s->checksum, want));
}

/* Somebody else downloads it, and it is there soon. */
static sw_err *
wait_for_other(const struct asking *a, sw_err *busy)
{
        sw_err_drop(busy, "it is waited for");
        (void) sw_cancel_wait(sw_ctx_cancel(a->ctx), 100 * SW_NS_PER_MS);
        return sw_ctx_check(a->ctx);
}

/* Download it, unless somebody else did so since @known was looked up: *done is false
 * then. */
static sw_err *
download(const struct asking *a, bool whole, const contents *known, int *hit,
         struct content *out, bool *done)
{
        sw_auto(contents) now = { 0 };
        sw_ingest *in = NULL;
        sw_err *err = fetch_claim(a, &in);

        *done = false;
        if (sw_err_code(err) == SW_E_BUSY)
                return wait_for_other(a, err);
        if (!err && !whole)
                err = recall(a, &now);
        if (err || !contents_same(known, &now)) {
                fetch_unclaim(in);
                return err;
        }
        *done = true;
        return fetch_all(a, in, known, hit, out);
}

/* Ask the server what the URL stands for, and have that in the content store or a tree.
 * @whole: whatever is known of it. */
static sw_err *
look(const struct asking *a, bool whole, struct content *out)
{
        for (bool done = false;;) {
                sw_auto(contents) known = { 0 };
                int hit = -1;
                sw_err *err = whole ? SW_OK : recall(a, &known);

                if (!err && known.n > 0)
                        err = fetch_same(a, &known, &hit, out);
                if (!err && hit < 0)
                        err = download(a, whole, &known, &hit, out, &done);
                if (err || hit >= 0 || done)
                        return err;
        }
}

/* A checksum is given: what it is need not be asked, only its time, which is not part of
 * the key, may be known. */
static sw_err *
recall_pinned(const struct asking *a, struct content *out, bool *known)
{
        sw_auto(contents) all = { 0 };
        sw_err *err = recall(a, &all);

        *known = false;
        for (size_t i = 0; i < all.n && !err && !*known; i++)
                if (sw_digest_eq(&all.v[i].digest, &a->spec->checksum)) {
                        content_release(out);
                        *out = all.v[i];
                        memset(&all.v[i], 0, sizeof(all.v[i]));
                        *known = true;
                }
        return err;
}

static sw_err *
settle(struct source *s, sw_ctx *ctx, sw_session *session)
{
        const struct asking a = { s->web, &s->spec, s->worker, ctx, session };
        sw_err *err;

        if (s->known)
                return SW_OK;
        err = look(&a, false, &s->content);
        if (!err)
                err = tree_find(s->worker, ctx, &s->spec, &s->content, &s->ref);
        s->known = !err;
        return err;
}

/* ---- the operations ---- */

/* What the URL stands for: what it must be, or what it was found to be. */
static sw_err *
stands_for(struct source *s, sw_ctx *ctx, sw_session *session, struct content *pinned,
           const struct content **out)
{
        if (s->spec.has_checksum) {
                *pinned = (struct content){ .digest = s->spec.checksum };
                *out = pinned;
                return SW_OK;
        }
        *out = &s->content;
        return sw_err_wrap(settle(s, ctx, session), "%s", s->spec.shown);
}

sw_err *
http_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
         struct sw_source_key *out)
{
        struct source *s = inst;
        struct content pinned;
        const struct content *c;
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err = stands_for(s, ctx, session, &pinned, &c);

        (void) self;
        (void) index;
        if (err)
                return err;
        out->key = http_spec_cache_key(&s->spec, c);
        out->pin = sw_strdup(sw_digest_str(&c->digest, digest));
        out->more = false;
        return SW_OK;
}

static sw_err *
snapshot(struct source *s, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        const struct asking a = { s->web, &s->spec, s->worker, ctx, session };
        bool known = false;
        sw_err *err = SW_OK;

        if (!s->known && s->spec.has_checksum) {
                err = recall_pinned(&a, &s->content, &known);
                s->known = known;
                if (!err && known)
                        err = tree_find(s->worker, ctx, &s->spec, &s->content, &s->ref);
        }
        if (!err)
                err = settle(s, ctx, session);
        if (!err)
                err = check_digest(&s->spec, &s->content);
        if (err || s->ref) {
                *out = err ? NULL : sw_ref_ref(s->ref);
                return err;
        }
        err = http_tree_make(s->worker, ctx, &s->spec, &s->content, out);
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "it was pruned meanwhile");
        const sw_digest was = s->content.digest;
        err = look(&a, true, &s->content);
        if (!err && !sw_digest_eq(&was, &s->content.digest))
                err = sw_err_new(SW_E_REMOTE, "it was changed during the build");
        return err ? err : http_tree_make(s->worker, ctx, &s->spec, &s->content, out);
}

sw_err *
http_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        struct source *s = inst;
        sw_err *err = snapshot(s, ctx, session, out);

        (void) self;
        return sw_err_wrap(err, "%s", s->spec.shown);
}

sw_err *
http_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session, bool config,
             struct sw_source_meta *out)
{
        struct source *s = inst;
        struct content pinned;
        const struct content *c;
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err = stands_for(s, ctx, session, &pinned, &c);

        (void) self;
        (void) config;
        if (err)
                return err;
        out->digest = sw_strdup(sw_digest_str(&c->digest, digest));
        out->name = spec_name(&s->spec, c);
        out->has_time = c->has_time;
        out->time = c->time;
        return SW_OK;
}
