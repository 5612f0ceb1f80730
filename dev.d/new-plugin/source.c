/*
 * plugins/source-@NAME@/plugin.c - source "@NAME@": @NAME@://TEXT is a tree with one file,
 * called text, that holds TEXT.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/source.h>

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
        *inst = sw_strdup(text + 3);
        return SW_OK;
}

static sw_err *
@ID@_cache_key(void *self, void *inst, sw_ctx *ctx, unsigned index, struct sw_source_key *out)
{
        (void) self;
        (void) ctx;
        (void) index;
        out->key = sw_strdup(inst);
        return SW_OK;
}

static sw_err *
@ID@_snapshot(void *self, void *inst, sw_ctx *ctx, int dirfd)
{
        sw_err *err = sw_ctx_check(ctx);

        (void) self;
        if (err)
                return err;
        return sw_path_write_file(dirfd, "text", inst, strlen(inst), 0644);
}

static void
@ID@_close(void *self, void *inst)
{
        (void) self;
        free(inst);
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
