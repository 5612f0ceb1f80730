/*
 * plugins/frontend-@NAME@/plugin.c - frontend "@NAME@": every build gives the empty result.
 */
#include <slipway/frontend.h>

static sw_err *
@ID@_build(void *self, sw_ctx *ctx, const struct sw_attr *opts, size_t n_opts,
           const struct sw_bridge *bridge, struct sw_frontend_result *out)
{
        sw_err *err = sw_ctx_check(ctx);

        (void) self;
        (void) opts;
        (void) n_opts;
        (void) bridge;
        if (err)
                return err;
        out->refs = sw_alloc_array(1, sizeof(*out->refs));
        out->refs[0].platform = sw_strdup("");
        out->n_refs = 1;
        return SW_OK;
}

static const struct sw_frontend_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_frontend_ops),
        .build = @ID@_build,
};

SW_PLUGIN(frontend_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_FRONTEND, "@NAME@"),
        .summary = "always the empty result",
        .ops = &ops.hdr,
};
