/* plugins/frontend-dockerfile/plugin.c - Dockerfiles become definitions, and trees. */
#include "plugins/frontend-dockerfile/dockerfile.h"

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        struct dockerfile *d = sw_new(struct dockerfile);

        d->official = sw_options_bool(env->options, "official");
        *self = d;
        return SW_OK;
}

static sw_err *
build(void *self, sw_ctx *ctx, const struct sw_attr *opts, size_t n_opts,
      const struct sw_bridge *bridge, struct sw_frontend_result *out)
{
        return dockerfile_build((const struct dockerfile *) self, ctx, opts, n_opts, bridge,
                                out);
}

static const struct sw_option options[] = {
        { "official", SW_OPT_BOOL, "true",
          "answer '# syntax=docker/dockerfile:1' and its like with the built-in frontend" },
        { NULL, SW_OPT_STRING, NULL, NULL },
};

static const struct sw_frontend_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_frontend_ops),
        .build = build,
};

static const char *const provides[] = { "dockerfile.v0", NULL };

SW_PLUGIN(frontend_dockerfile) = {
        SW_PLUGIN_V1(SW_KIND_FRONTEND, "dockerfile"),
        .summary = "Dockerfiles, as BuildKit's frontend of that name reads them",
        .options = options,
        .provides = provides,
        .ops = &ops.hdr,
        .init = init,
        .shutdown = free,
};
