/*
 * lib/imageexport/make.c - configuration, manifest and index of an image.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/imageexport/imageexport_priv.h"

/* ---- ends ---- */

static void
release_layers(struct sw_made_image *image)
{
        for (size_t i = 0; i < image->layers.n; i++) {
                sw_desc_release(&image->layers.v[i].desc);
                sw_strlist_release(&image->layers.v[i].from);
                sw_fd_clear(&image->layers.v[i].fd);
        }
        sw_array_release(&image->layers);
}

static void
release_image(struct sw_made_image *image)
{
        release_layers(image);
        if (image->chain)
                sw_chain_free(image->chain);
        sw_buf_release(&image->config);
        sw_buf_release(&image->manifest);
        sw_desc_release(&image->config_desc);
        sw_desc_release(&image->manifest_desc);
        free(image->platform);
}

void
sw_made_free(struct sw_made *m)
{
        for (size_t i = 0; i < m->images.n; i++)
                release_image(&m->images.v[i]);
        sw_array_release(&m->images);
        sw_buf_release(&m->index);
        sw_desc_release(&m->root);
        free(m);
}

/* ---- one image ---- */

/* Everything that the making goes by. */
struct maker {
        sw_ctx *ctx;
        const struct sw_imageexport *e;
        const struct sw_export_request *req;
        struct sw_made *made;
        notes notes;
};

static void
describe(sw_desc *d, const char *type, const sw_buf *b)
{
        d->media_type = sw_strdup(type);
        d->digest = sw_digest_of(b->data, b->len);
        d->size = (int64_t) b->len;
}

/* What the image is for: the frontend's word, the configuration's, or this machine. */
static sw_err *
find_platform(const struct maker *k, size_t i, const char *config, sw_platform **out)
{
        const char *said = k->req->refs[i].platform;
        sw_auto(sw_image_config) c = { .platform = NULL };
        sw_err *err = SW_OK;

        if (*said)
                return sw_platform_parse(said, out);
        if (config)
                err = sw_image_config_parse(config, strlen(config), &c);
        if (!err && config && (!*c.platform->os || !*c.platform->arch))
                err = sw_err_new(SW_E_INVALID,
                                 "image configuration: it does not say its %s",
                                 *c.platform->os ? "architecture" : "os");
        if (err)
                return err;
        *out = sw_platform_normalize(config ? c.platform : sw_platform_host());
        return SW_OK;
}

static sw_err *
make_config(const struct maker *k, size_t i, const sw_platform *platform,
            struct sw_made_image *image)
{
        size_t n = image->layers.n;
        struct sw_history_layer *layers = sw_alloc_array(n + 1, sizeof(*layers));
        const struct sw_image_make make = {
                .base = sw_imageexport_meta(k->req, i, "containerimage.config"),
                .base_of = sw_imageexport_meta(k->req, i, "containerimage.base.config"),
                .inline_cache =
                        sw_imageexport_meta(k->req, i, "containerimage.inlinecache"),
                .platform = platform,
                .layers = layers,
                .n_layers = n,
                .epoch = k->made->epoch,
        };
        sw_err *err;

        for (size_t l = 0; l < n; l++) {
                const struct sw_chain_layer *c =
                        image->chain ? sw_chain_get(image->chain, l) : NULL;

                layers[l].diff_id = image->layers.v[l].diff_id;
                layers[l].description = c ? c->description : NULL;
                layers[l].created = c ? c->created : sw_time_now();
        }
        err = sw_image_config_make(&make, &image->config);
        free(layers);
        if (err)
                return err;
        describe(&image->config_desc,
                 k->e->docker_types ? SW_MT_DOCKER_CONFIG : SW_MT_OCI_CONFIG,
                 &image->config);
        return SW_OK;
}

static void
make_manifest(const struct maker *k, struct sw_made_image *image)
{
        sw_auto(sw_manifest) m = { .kind = SW_MEDIA_MANIFEST };
        const char *type = k->e->docker_types ? SW_MT_DOCKER_MANIFEST : SW_MT_OCI_MANIFEST;

        m.media_type = sw_strdup(type);
        sw_desc_copy(&m.config, &image->config_desc);
        for (size_t i = 0; i < image->layers.n; i++) {
                sw_desc d;

                sw_desc_copy(&d, &image->layers.v[i].desc);
                sw_array_push(&m.layers, d);
        }
        notes_apply(&k->notes, NOTE_MANIFEST, image->platform, &m.annotations);
        sw_manifest_write(&m, &image->manifest);
        describe(&image->manifest_desc, type, &image->manifest);
        notes_apply(&k->notes, NOTE_MANIFEST_DESC, image->platform,
                    &image->manifest_desc.annotations);
}

static sw_err *
make_image(const struct maker *k, size_t i, struct sw_imageexport_task *task)
{
        struct sw_made_image *image = &k->made->images.v[i];
        const struct layers_job job = {
                .ctx = k->ctx,
                .e = k->e,
                .worker = k->req->worker,
                .ref = image->ref,
                .image = image,
                .epoch = k->made->epoch,
                .base_conf = sw_imageexport_meta(k->req, i, "containerimage.base.config"),
                .task = task,
        };
        sw_err *err;

        if (!k->req->worker) {
                err = plain_make(&job);
        } else {
                err = sw_ref_chain(k->req->worker, k->ctx, image->ref, &image->chain);
                if (!err)
                        err = layers_make(&job);
        }
        if (err && image->platform && k->made->is_index)
                return sw_err_wrap(err, "%s", image->platform);
        return err;
}

static sw_err *
finish_image(const struct maker *k, size_t i)
{
        struct sw_made_image *image = &k->made->images.v[i];
        sw_autoptr(sw_platform) platform = NULL;
        char text[SW_DIGEST_STR_SIZE];
        sw_err *err = sw_platform_parse(image->platform, &platform);

        if (!err)
                err = make_config(k, i, platform, image);
        if (err)
                return err;
        make_manifest(k, image);
        if (k->made->is_index)
                image->manifest_desc.platform = sw_steal(platform);
        sw_imageexport_told(k->ctx, "exporting manifest %s",
                            sw_digest_str(&image->manifest_desc.digest, text));
        sw_imageexport_told(k->ctx, "exporting config %s",
                            sw_digest_str(&image->config_desc.digest, text));
        return SW_OK;
}

/* ---- all of them ---- */

static sw_err *
find_epoch(struct maker *k)
{
        const struct sw_export_request *req = k->req;
        const char *said = NULL;

        k->made->epoch = k->e->no_epoch ? -1 : req->source_date_epoch;
        if (k->e->no_epoch || req->source_date_epoch >= 0)
                return SW_OK;
        for (size_t i = 0; i < req->n_refs && !said; i++)
                said = sw_imageexport_meta(req, i, "source.date.epoch");
        if (!said || !*said)
                return SW_OK;
        return sw_err_wrap(sw_parse_int(said, 0, INT64_MAX / SW_NS_PER_SEC,
                                        &k->made->epoch),
                           "invalid source-date-epoch: %s", said);
}

static sw_err *
begin_images(struct maker *k)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < k->req->n_refs && !err; i++) {
                const char *config =
                        sw_imageexport_meta(k->req, i, "containerimage.config");
                sw_autoptr(sw_platform) p = NULL;
                struct sw_made_image image = { .ref = k->req->refs[i].ref };

                err = find_platform(k, i, config, &p);
                if (err)
                        return err;
                sw_buf_init(&image.config);
                sw_buf_init(&image.manifest);
                image.platform = sw_platform_str(p);
                sw_array_push(&k->made->images, image);
        }
        return err;
}

static void
make_index(struct maker *k)
{
        sw_auto(sw_manifest) m = { .kind = SW_MEDIA_INDEX };
        const char *type = k->e->docker_types ? SW_MT_DOCKER_LIST : SW_MT_OCI_INDEX;
        struct sw_made *made = k->made;
        char text[SW_DIGEST_STR_SIZE];

        m.media_type = sw_strdup(type);
        for (size_t i = 0; i < made->images.n; i++) {
                sw_desc d;

                sw_desc_copy(&d, &made->images.v[i].manifest_desc);
                sw_array_push(&m.entries, d);
        }
        notes_apply(&k->notes, NOTE_INDEX, NULL, &m.annotations);
        sw_manifest_write(&m, &made->index);
        describe(&made->root, type, &made->index);
        notes_apply(&k->notes, NOTE_INDEX_DESC, NULL, &made->root.annotations);
        sw_imageexport_told(k->ctx, "exporting manifest list %s",
                            sw_digest_str(&made->root.digest, text));
}

static sw_err *
make_layers(struct maker *k)
{
        struct sw_imageexport_task task;
        sw_err *err = SW_OK;

        sw_imageexport_begin(&task, k->ctx, "exporting layers", 0);
        for (size_t i = 0; i < k->made->images.n && !err; i++)
                err = make_image(k, i, &task);
        sw_imageexport_end(&task, !err);
        return err;
}

static sw_err *
make(struct maker *k)
{
        sw_err *err = find_epoch(k);

        if (!err)
                err = begin_images(k);
        if (!err) /* what is wrong with these is known before the long work */
                err = notes_collect(k->req, k->e, k->made, &k->notes);
        if (!err && k->e->rewrite && k->made->epoch < 0)
                sw_ctx_logf(k->ctx, SW_LOG_WARN,
                            "rewrite-timestamp does nothing without source-date-epoch");
        if (!err)
                err = make_layers(k);
        for (size_t i = 0; i < k->made->images.n && !err; i++)
                err = finish_image(k, i);
        if (err)
                return err;
        if (k->made->is_index)
                make_index(k);
        else
                sw_desc_copy(&k->made->root, &k->made->images.v[0].manifest_desc);
        return SW_OK;
}

sw_err *
sw_imageexport_make(sw_ctx *ctx, const struct sw_imageexport *e,
                    const struct sw_export_request *req, struct sw_made **out)
{
        struct maker k = { .ctx = ctx, .e = e, .req = req };
        sw_err *err;

        if (req->n_refs > 1 && !req->multiple)
                return sw_err_new(SW_E_INVALID, "cannot export multiple platforms without "
                                                "multi-platform enabled");
        k.made = sw_new(struct sw_made);
        k.made->worker = req->worker;
        k.made->is_index = req->multiple;
        sw_buf_init(&k.made->index);
        err = make(&k);
        notes_release(&k.notes);
        if (err) {
                sw_made_free(k.made);
                return err;
        }
        *out = k.made;
        return SW_OK;
}
