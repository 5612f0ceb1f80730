/*
 * plugins/exporter-image/image.c - an image is made, and named in the store.
 */
#include "plugins/exporter-image/image.h"

#include <string.h>

#include <slipway/time.h>

/* ---- the store ---- */

/* What the image needs beside the layers of its trees. */
static void
list_kept(const struct sw_made *m, sw_digest **out, size_t *n)
{
        sw_made_blobs all = { 0 };

        sw_made_list(m, &all);
        *out = sw_alloc_array(all.n + 1, sizeof(**out));
        *n = 0;
        for (size_t i = 0; i < all.n; i++)
                if (all.v[i].bytes || all.v[i].layer->rewritten)
                        (*out)[(*n)++] = all.v[i].desc->digest;
        sw_array_release(&all);
}

static sw_err *
put(sw_ctx *ctx, const struct sw_made *m, const char *name, const sw_digest *kept,
    size_t n_kept)
{
        sw_ref **refs = sw_alloc_array(m->images.n + 1, sizeof(*refs));
        size_t n = 0;
        const struct sw_image image = {
                .size = sizeof(image),
                .name = name,
                .media_type = m->root.media_type,
                .digest = m->root.digest,
                .len = m->root.size,
                .created = m->epoch >= 0 ? m->epoch * SW_NS_PER_SEC : sw_time_now(),
        };
        sw_err *err;

        for (size_t i = 0; i < m->images.n; i++)
                if (m->images.v[i].ref)
                        refs[n++] = m->images.v[i].ref;
        err = sw_images_put(m->worker, ctx, &image, kept, n_kept, refs, n);
        free(refs);
        if (!err)
                sw_imageexport_told(ctx, "naming to %s", name);
        return err;
}

static sw_err *
put_canonical(sw_ctx *ctx, const struct image *im, const char *name, const sw_digest *kept,
              size_t n_kept)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) full =
                sw_asprintf("%s@%s", name, sw_digest_str(&im->made->root.digest, digest));

        return put(ctx, im->made, full, kept, n_kept);
}

static sw_err *
store(sw_ctx *ctx, const struct image *im)
{
        sw_digest *kept;
        size_t n_kept;
        sw_err *err = im->names.n ? sw_made_store(im->made, ctx) : SW_OK;

        list_kept(im->made, &kept, &n_kept);
        for (size_t i = 0; i < im->names.n && !err; i++) {
                sw_auto(sw_str) name = image_full_name(im->names.v[i]);

                err = put(ctx, im->made, name, kept, n_kept);
                if (!err && im->canonical && i < im->n_told && !strchr(name, '@'))
                        err = put_canonical(ctx, im, name, kept, n_kept);
        }
        free(kept);
        return err;
}

/* The files of what runs here. */
static sw_err *
unpack(sw_ctx *ctx, const struct image *im)
{
        const struct sw_made *m = im->made;
        sw_auto(sw_str) here = sw_platform_str(sw_platform_host());
        struct sw_imageexport_task task;
        sw_auto(sw_str) id =
                sw_asprintf("unpacking to %s", im->names.n ? im->names.v[0] : here);
        sw_err *err = SW_OK;

        sw_imageexport_begin(&task, ctx, id, 0);
        for (size_t i = 0; i < m->images.n && !err; i++)
                if (m->images.v[i].ref &&
                    (!m->is_index || strcmp(m->images.v[i].platform, here) == 0))
                        err = sw_ref_ready(m->worker, ctx, m->images.v[i].ref);
        sw_imageexport_end(&task, !err);
        return err;
}

sw_err *
image_export(sw_ctx *ctx, const struct sw_export_request *req, struct sw_export_result *out)
{
        struct image *im = req->resolved;
        sw_err *err;

        if (!req->worker && (im->store || im->unpack))
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "there is no store to keep an image in; "
                                  "store=false makes one without");
        err = sw_imageexport_make(ctx, &im->e, req, &im->made);

        if (!err)
                err = image_names(im, req);
        if (!err && im->store)
                err = store(ctx, im);
        if (!err && im->unpack)
                err = unpack(ctx, im);
        if (err)
                return err;
        sw_auto(sw_str) names = sw_strlist_join(&im->names, ",");
        sw_imageexport_answer(im->made, names, out);
        return SW_OK;
}
