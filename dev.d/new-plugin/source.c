/*
 * plugins/source-@NAME@/plugin.c - source "@NAME@": @NAME@://TEXT is a tree with one file,
 * called text, that holds TEXT.
 */
#include <string.h>

#include <slipway/source.h>

struct source {
        char *text;
        sw_worker *worker; /* borrowed */
};

static const char *const schemes[] = { "@NAME@", NULL };

static sw_err *
@ID@_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        const char *text = strstr(req->identifier, "://");

        (void) self;
        (void) ctx;
        if (!text || !text[3])
                return sw_err_new(SW_E_INVALID, "%s: there is nothing behind @NAME@://",
                                  req->identifier);
        struct source *s = sw_new(struct source);
        s->text = sw_strdup(text + 3);
        s->worker = req->worker;
        *inst = s;
        return SW_OK;
}

static sw_err *
@ID@_cache_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
               struct sw_source_key *out)
{
        (void) self;
        (void) ctx;
        (void) session;
        (void) index;
        out->key = sw_strdup(((const struct source *) inst)->text);
        return SW_OK;
}

static sw_err *
@ID@_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        const struct source *s = inst;
        const struct sw_layer_meta m = { .mode = 0644 };
        const struct sw_layer_ops *ops;
        sw_autoptr(sw_layer) layer = NULL;
        void *w;

        (void) self;
        (void) session;
        sw_err *err = sw_worker_layer(s->worker, ctx, NULL, SW_REF_DESC(.description = s->text),
                                      &layer);
        if (!err)
                err = sw_layer_write(layer, ctx, &ops, &w);
        if (err)
                return err;
        err = ops->data(w, "text", &m, s->text, strlen(s->text));
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        if (err)
                return err;
        return sw_layer_commit(sw_steal(layer), ctx, out);
}

static void
@ID@_close(void *self, void *inst)
{
        struct source *s = inst;

        (void) self;
        free(s->text);
        free(s);
}

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = @ID@_open,
        .cache_key = @ID@_cache_key,
        .snapshot = @ID@_snapshot,
        .close = @ID@_close,
};

SW_PLUGIN(source_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "@NAME@"),
        .summary = "a file from the text of its identifier",
        .ops = &ops.hdr,
};
