/*
 * lib/imageexport/made.c - what was made: its blobs, and what is answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/pool.h>
#include <slipway/time.h>

#include "lib/imageexport/imageexport_priv.h"

/* With a position of its own. */
static sw_err *
open_again(int fd, int *out)
{
        sw_auto(sw_str) path = sw_asprintf("/proc/self/fd/%d", fd);

        *out = open(path, O_RDONLY | O_CLOEXEC);
        return *out >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "open a layer again");
}

sw_err *
sw_made_layer_open(const struct sw_made *m, sw_ctx *ctx, const struct sw_made_layer *l,
                   int *fd)
{
        if (l->fd >= 0)
                return open_again(l->fd, fd);
        if (l->rewritten)
                return sw_content_open(sw_worker_content(m->worker), &l->desc.digest, fd,
                                       NULL);
        return sw_chain_blob_open(l->chain, ctx, l->at, &l->desc.digest, fd);
}

/* ---- fetching ---- */

enum { AT_ONCE = 4 };

struct fetch {
        const struct sw_made *m;
        const struct sw_made_layer *layer;
        sw_ctx *ctx;
        sw_err *err;
};

static void
fetch_main(void *arg)
{
        struct fetch *f = arg;
        sw_auto(sw_fd) fd = -1;

        f->err = sw_ctx_check(f->ctx);
        if (!f->err)
                f->err = sw_made_layer_open(f->m, f->ctx, f->layer, &fd);
}

static bool
is_here(const struct sw_made *m, const struct sw_made_layer *l)
{
        struct sw_blob_info info;

        if (l->fd >= 0)
                return true;
        sw_err *err = sw_content_info(sw_worker_content(m->worker), &l->desc.digest, &info);
        bool here = !err;

        sw_err_drop(err, "it will be fetched");
        return here;
}

static sw_err *
fetch_all(struct fetch *all, size_t n)
{
        sw_autoptr(sw_pool) pool = NULL;
        sw_err *err = sw_pool_new("sw-fetch", AT_ONCE, &pool);

        for (size_t i = 0; i < n && !err; i++)
                err = sw_pool_submit(pool, fetch_main, &all[i]);
        if (pool)
                sw_pool_drain(pool);
        for (size_t i = 0; i < n; i++) {
                if (!err)
                        err = sw_steal(all[i].err);
                sw_err_free(all[i].err);
        }
        return err;
}

sw_err *
sw_made_fetch(const struct sw_made *m, sw_ctx *ctx)
{
        SW_ARRAY(struct fetch) all = { 0 };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < m->images.n; i++)
                for (size_t l = 0; l < m->images.v[i].layers.n; l++) {
                        const struct sw_made_layer *layer = &m->images.v[i].layers.v[l];

                        if (!is_here(m, layer))
                                sw_array_push(&all, (struct fetch){ .m = m,
                                                                    .layer = layer,
                                                                    .ctx = ctx });
                }
        if (all.n)
                err = fetch_all(all.v, all.n);
        sw_array_release(&all);
        return err;
}

/* ---- blobs ---- */

static int
by_digest(const void *a, const void *b)
{
        return sw_digest_cmp(&((const struct sw_made_blob *) a)->desc->digest,
                             &((const struct sw_made_blob *) b)->desc->digest);
}

void
sw_made_list(const struct sw_made *m, sw_made_blobs *out)
{
        size_t kept = 0;

        for (size_t i = 0; i < m->images.n; i++) {
                const struct sw_made_image *image = &m->images.v[i];

                for (size_t l = 0; l < image->layers.n; l++)
                        sw_array_push(out, (struct sw_made_blob){
                                                   .desc = &image->layers.v[l].desc,
                                                   .layer = &image->layers.v[l] });
                sw_array_push(out, (struct sw_made_blob){ .desc = &image->config_desc,
                                                          .bytes = &image->config });
                sw_array_push(out, (struct sw_made_blob){ .desc = &image->manifest_desc,
                                                          .bytes = &image->manifest });
        }
        if (m->is_index)
                sw_array_push(out, (struct sw_made_blob){ .desc = &m->root,
                                                          .bytes = &m->index });
        if (out->n)
                qsort(out->v, out->n, sizeof(*out->v), by_digest);
        for (size_t i = 0; i < out->n; i++)
                if (!kept || by_digest(&out->v[kept - 1], &out->v[i]) != 0)
                        out->v[kept++] = out->v[i];
        out->n = kept;
}

/* ---- keeping documents ---- */

static sw_err *
begin_ingest(const struct sw_made *m, sw_ctx *ctx, const sw_desc *d, sw_ingest **out)
{
        const int64_t pause = 5 * SW_NS_PER_MS;
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name =
                sw_asprintf("document %s", sw_digest_str(&d->digest, digest));
        sw_err *err;

        while (sw_err_code(err = sw_content_ingest(sw_worker_content(m->worker), ctx, name,
                                                   &d->digest, d->size, out)) ==
               SW_E_BUSY) {
                sw_err_drop(err, "another export keeps the same one");
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), pause);
                err = sw_ctx_check(ctx);
                if (err)
                        return err;
        }
        return err;
}

static sw_err *
store_one(const struct sw_made *m, sw_ctx *ctx, const struct sw_made_blob *b)
{
        sw_autoptr(sw_ingest) ingest = NULL;
        sw_err *err = begin_ingest(m, ctx, b->desc, &ingest);

        if (sw_err_code(err) == SW_E_EXISTS) {
                sw_err_drop(err, "it is kept");
                return SW_OK;
        }
        if (!err && sw_ingest_offset(ingest) > 0)
                err = sw_ingest_restart(ingest);
        if (!err)
                err = sw_ingest_write(ingest, b->bytes->data, b->bytes->len);
        if (!err)
                err = sw_ingest_commit(sw_steal(ingest), &b->desc->digest, NULL);
        return err;
}

sw_err *
sw_made_store(const struct sw_made *m, sw_ctx *ctx)
{
        sw_made_blobs all = { 0 };
        sw_err *err = SW_OK;

        sw_made_list(m, &all);
        for (size_t i = 0; i < all.n && !err; i++)
                if (all.v[i].bytes)
                        err = store_one(m, ctx, &all.v[i]);
        sw_array_release(&all);
        return err;
}

/* ---- answers ---- */

/* @o is given. */
static void
answer_object(struct sw_export_result *out, const char *key, sw_json *o)
{
        sw_autoptr(sw_json) doc = o;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_buf) coded = SW_BUF_INIT;

        sw_json_write(doc, false, &text);
        sw_json_add_base64(&coded, text.data, text.len);
        sw_buf_truncate(&coded, coded.len - 1); /* the quotes */
        sw_export_answer(out, key, coded.data + 1);
}

/* What made each layer: the entries of the history that are not of empty ones, in order. */
static void
layers_of(const struct sw_made_image *image, sw_json *list)
{
        sw_autoptr(sw_json) config =
                json_loadb(image->config.data, image->config.len, 0, NULL);
        const sw_json *history = json_object_get(config, "history");
        size_t at = 0;

        for (size_t i = 0; i < image->layers.n; i++) {
                const sw_desc *d = &image->layers.v[i].desc;
                char digest[SW_DIGEST_STR_SIZE];
                sw_json *o = json_pack("{ss ss sI}", "platform", image->platform, "digest",
                                       sw_digest_str(&d->digest, digest), "size",
                                       (json_int_t) d->size);
                const sw_json *entry = json_array_get(history, at);

                while (entry && json_is_true(json_object_get(entry, "empty_layer")))
                        entry = json_array_get(history, ++at);
                at++;
                if (json_is_string(json_object_get(entry, "created_by")))
                        json_object_set(o, "by", json_object_get(entry, "created_by"));
                json_array_append_new(list, o);
        }
}

/* How large the layers are: slipway's own key, as people want to see it at the end. */
static void
answer_layers(const struct sw_made *m, struct sw_export_result *out)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < m->images.n; i++)
                layers_of(&m->images.v[i], list);
        answer_object(out, "slipway.layers", json_pack("{so}", "layers", list));
}

void
sw_imageexport_answer(const struct sw_made *m, const char *names,
                      struct sw_export_result *out)
{
        char text[SW_DIGEST_STR_SIZE];

        sw_export_answer(out, "containerimage.digest",
                         sw_digest_str(&m->root.digest, text));
        if (!m->is_index)
                sw_export_answer(out, "containerimage.config.digest",
                                 sw_digest_str(&m->images.v[0].config_desc.digest, text));
        answer_object(out, "containerimage.descriptor", sw_desc_json(&m->root));
        answer_layers(m, out);
        if (*names)
                sw_export_answer(out, "image.name", names);
}
