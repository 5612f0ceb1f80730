/*
 * lib/imagesource/table.c - functions that stand in the table of every source of images: an
 * instance is an image, or a blob of one as a file.
 */
#include "lib/imagesource/imagesource.h"

struct inst {
        sw_image_source *image; /* one of them */
        sw_blob_source *blob;
};

sw_err *
sw_image_table_open(const struct sw_image_source_opts *opts, bool blob, void **inst)
{
        struct inst *s = sw_new(struct inst);
        sw_err *err = blob ? sw_blob_source_open(opts, &s->blob)
                           : sw_image_source_open(opts, &s->image);

        if (err) {
                free(s);
                return err;
        }
        *inst = s;
        return SW_OK;
}

void
sw_image_table_close(void *self, void *inst)
{
        struct inst *s = inst;

        (void) self;
        if (!s)
                return;
        sw_image_source_close(s->image);
        sw_blob_source_close(s->blob);
        free(s);
}

sw_err *
sw_image_table_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
                   struct sw_source_key *out)
{
        struct inst *s = inst;

        (void) self;
        return s->blob ? sw_blob_source_key(s->blob, out)
                       : sw_image_source_key(s->image, ctx, session, index, out);
}

sw_err *
sw_image_table_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                        sw_ref **out)
{
        struct inst *s = inst;

        (void) self;
        return s->blob ? sw_blob_source_snapshot(s->blob, ctx, session, out)
                       : sw_image_source_snapshot(s->image, ctx, session, out);
}

sw_err *
sw_image_table_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                       bool config, struct sw_source_meta *out)
{
        struct inst *s = inst;

        (void) self;
        if (s->blob)
                return sw_err_new(SW_E_INVALID, "a blob is no image");
        return sw_image_source_resolve(s->image, ctx, session, config, out);
}

sw_err *
sw_image_table_blob_fetch(void *self, sw_ctx *ctx, sw_session *session, sw_worker *worker,
                          const char *locator, const struct sw_blob *blob)
{
        return sw_image_blob_fetch(self, ctx, session, worker, locator, blob);
}

sw_err *
sw_image_table_blob_unpack(void *self, sw_ctx *ctx, sw_session *session, sw_worker *worker,
                           const char *locator, const struct sw_blob *blob,
                           const struct sw_layer_ops *ops, void *writer,
                           sw_strlist *implied)
{
        return sw_image_blob_unpack(self, ctx, session, worker, locator, blob, ops, writer,
                                    implied);
}
