/*
 * lib/imagesource/documents.c - documents and blobs through the content store.
 */
#include <unistd.h>

#include <slipway/time.h>

#include "lib/imagesource/documents_priv.h"

enum { BUSY_WAIT_MS = 50 };

bool
sw__document_known(const struct asking *a, const sw_digest *d, size_t max, sw_buf *out)
{
        sw_auto(sw_fd) fd = -1;
        struct sw_blob_info info;
        const size_t before = out->len;
        sw_err *err = sw_content_open(sw_worker_content(a->worker), d, &fd, &info);

        if (!err)
                err = sw_buf_read_fd(out, fd, max, "a document");
        if (!err) {
                sw_digest is = sw_digest_of(out->data + before, out->len - before);

                if (sw_digest_eq(&is, d))
                        return true;
        }
        sw_buf_truncate(out, before);
        sw_err_drop(err, "it is asked for elsewhere");
        return false;
}

void
sw__document_keep(const struct asking *a, const sw_digest *d, const sw_buf *text)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name = sw_asprintf("document-%s", sw_digest_str(d, digest));
        sw_ingest *in = NULL;
        sw_err *err = sw_content_ingest(sw_worker_content(a->worker), a->ctx, name, d,
                                        (int64_t) text->len, &in);

        if (!err)
                err = sw_ingest_restart(in);
        if (!err)
                err = sw_ingest_write(in, text->data, text->len);
        if (!err)
                err = sw_ingest_commit(sw_steal(in), d, NULL);
        sw_ingest_abort(in);
        sw_err_drop(err, "it is there already, or is fetched once more");
}

sw_err *
sw__document(const struct asking *a, const sw_desc *d, size_t max, sw_buf *out)
{
        char digest[SW_DIGEST_STR_SIZE];

        if (d->size > (int64_t) max)
                return sw_err_new(SW_E_LIMIT, "document %s of %lld bytes: %zu is the most",
                                  sw_digest_str(&d->digest, digest), (long long) d->size,
                                  max);
        if (sw__document_known(a, &d->digest, max, out))
                return SW_OK;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = a->place->document(a->place->self, a->ctx, a->session, a->locator, d,
                                         max, &text);
        if (err)
                return err;
        sw_digest is = sw_digest_of(text.data, text.len);
        if (!sw_digest_eq(&is, &d->digest))
                return sw_err_new(SW_E_CORRUPT, "document %s is not what its digest says",
                                  sw_digest_str(&d->digest, digest));
        sw__document_keep(a, &d->digest, &text);
        sw_buf_add(out, text.data, text.len);
        return SW_OK;
}

/* ---- blobs ---- */

void
sw__blob_desc(const struct sw_blob *b, sw_desc *out)
{
        *out = (sw_desc){
                .media_type = sw_strdup(b->media_type),
                .digest = b->digest,
                .size = b->len,
        };
}

void
sw__blob_progress(sw_ctx *ctx, const sw_desc *d, int64_t started, int64_t done)
{
        char digest[SW_DIGEST_STR_SIZE];
        const struct sw_progress p = {
                .id = sw_digest_str(&d->digest, digest),
                .current = done,
                .total = d->size > 0 ? d->size : 0,
                .started = started,
                .completed = done == d->size ? sw_time_now() : 0,
        };

        sw_progress_status(ctx, &p);
}

struct fetching {
        const struct asking *a;
        const sw_desc *d;
        sw_ingest *in;
        int64_t started;
};

static sw_err *
take(void *arg, const void *p, size_t n)
{
        struct fetching *f = arg;

        return sw_ingest_write(f->in, p, n);
}

static void
told(void *arg, int64_t done)
{
        const struct fetching *f = arg;

        sw__blob_progress(f->a->ctx, f->d, f->started, done);
}

/* @in: given. */
static sw_err *
fetch(const struct asking *a, const sw_desc *d, sw_ingest *in)
{
        struct fetching f = { a, d, in, sw_time_now() };
        const struct sw_image_sink sink = { take, told, &f };
        sw_err *err = sw_ingest_restart(in);

        if (!err)
                err = a->place->blob(a->place->self, a->ctx, a->session, a->locator, d,
                                     &sink);
        if (err) {
                sw_ingest_abort(in);
                return err;
        }
        return sw_ingest_commit(in, &d->digest, NULL);
}

/* Somebody else fetches the same blob now. */
static sw_err *
wait_a_little(sw_ctx *ctx)
{
        (void) usleep(BUSY_WAIT_MS * 1000);
        return sw_ctx_check(ctx);
}

sw_err *
sw__blob_here(const struct asking *a, const sw_desc *d)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name = sw_asprintf("blob-%s", sw_digest_str(&d->digest, digest));
        sw_ingest *in;

        for (;;) {
                sw_err *err = sw_content_ingest(sw_worker_content(a->worker), a->ctx, name,
                                                &d->digest, d->size, &in);

                if (!err)
                        return fetch(a, d, in);
                if (sw_err_code(err) == SW_E_EXISTS) {
                        sw_err_drop(err, "that is what was wanted");
                        return SW_OK;
                }
                if (sw_err_code(err) != SW_E_BUSY)
                        return err;
                sw_err_drop(err, "it may be there soon");
                err = wait_a_little(a->ctx);
                if (err)
                        return err;
        }
}

sw_err *
sw_image_blob_fetch(const struct sw_image_place *place, sw_ctx *ctx, sw_session *session,
                    sw_worker *worker, const char *locator, const struct sw_blob *blob)
{
        const struct asking a = { place, locator, worker, ctx, session };
        sw_auto(sw_desc) d = { 0 };

        sw__blob_desc(blob, &d);
        return sw__blob_here(&a, &d);
}
