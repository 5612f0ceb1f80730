/*
 * plugins/frontend-dockerfile/build.c - one build: the Dockerfile is loaded and parsed
 * once, converted for each platform, and solved; platforms are solved side by side.
 */
#include <pthread.h>
#include <string.h>

#include "plugins/frontend-dockerfile/build.h"

static void
build_release(build *b)
{
        sw_df_program_free(b->program);
        sw_df_tree_free(b->tree);
        sw_df_client_free(b->client);
        sw_df_config_free(b->config);
}
SW_DEFINE_AUTO(build, build_release)

/* ---- One platform ---- */

static sw_err *
convert(build *b, const sw_platform *p, bool first, sw_df_result **out)
{
        sw_auto(checks) c = { .found = first ? b->found : 0 };
        const struct sw_df_convert req = {
                .client = b->client,
                .program = b->program,
                .platform = p,
                .lint = &c,
                .devices = b->syntax.devices,
        };
        sw_err *err = build_check_options(b, &c);

        if (!err && first)
                warn_init(&c, b->client);
        return err ? err : sw_df_convert(&req, out);
}

/* A definition being solved. */
struct solving {
        build *b;
        sw_df_result *result;
        sw_ref *ref;
        sw_err *err;
        pthread_t thread;
        bool started;
};

static void *
solve(void *arg)
{
        struct solving *s = (struct solving *) arg;
        const struct sw_bridge *br = s->b->bridge;

        s->err = br->solve(br->arg, s->b->ctx, s->result->definition.data,
                           s->result->definition.len, &s->ref);
        return NULL;
}

/* All of them; the first error counts. */
static sw_err *
solve_all(struct solving *v, size_t n)
{
        sw_err *err = SW_OK;

        for (size_t i = 1; i < n; i++)
                v[i].started = pthread_create(&v[i].thread, NULL, solve, &v[i]) == 0;
        (void) solve(&v[0]);
        for (size_t i = 1; i < n; i++)
                if (v[i].started)
                        (void) pthread_join(v[i].thread, NULL);
                else
                        (void) solve(&v[i]);
        for (size_t i = 0; i < n; i++) {
                if (err)
                        sw_err_drop(v[i].err, "the first one is told");
                else
                        err = v[i].err;
        }
        return err;
}

/* ---- All platforms ---- */

static void
fill(build *b, struct solving *v, size_t n, struct sw_frontend_result *out)
{
        const sw_df_config *c = b->config;

        out->refs = (struct sw_export_ref *) sw_alloc_array(n, sizeof(*out->refs));
        out->multiple = c->multi_platform;
        for (size_t i = 0; i < n; i++) {
                const sw_platform *p = c->n_platforms ? c->platforms[i] : c->build_platform;
                struct sw_export_ref *ref = &out->refs[out->n_refs++];

                ref->platform =
                        sw_strdup(out->multiple ? sw_df_platform_text(c->arena, p) : "");
                ref->ref = sw_steal(v[i].ref);
                result_describe(v[i].result, ref);
        }
        result_platforms(c, out);
}

static sw_err *
build_all(build *b, struct sw_frontend_result *out)
{
        const sw_df_config *c = b->config;
        size_t n = c->n_platforms ? c->n_platforms : 1;
        struct solving *v = (struct solving *) sw_alloc_array(n, sizeof(*v));
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n && !err; i++) {
                v[i].b = b;
                err = convert(b, c->n_platforms ? c->platforms[i] : NULL, i == 0,
                              &v[i].result);
        }
        if (!err)
                err = solve_all(v, n);
        if (!err)
                fill(b, v, n, out);
        for (size_t i = 0; i < n; i++) {
                sw_ref_unref(v[i].ref);
                sw_df_result_free(v[i].result);
        }
        free(v);
        return err;
}

/* ---- A build ---- */

sw_err *
build_check_options(const build *b, struct sw_df_lint *out)
{
        if (b->config->check)
                return sw_df_check_parse(b->config->check, &out->check);
        return b->tree ? sw_df_check_of(b->tree, &out->check) : SW_OK;
}

sw_err *
build_parse(build *b, struct sw_df_lint *lint)
{
        const struct sw_df_opts opts = { .devices = b->syntax.devices };
        sw_err *err = sw_df_parse(&b->client->text, &b->tree);

        if (!err && lint)
                err = build_check_options(b, lint);
        if (!err)
                err = sw_df_program_new(b->tree, &opts, lint, &b->program);
        return err;
}

static sw_err *
build_trees(build *b, struct sw_frontend_result *out)
{
        sw_auto(checks) c = { .found = 0 };
        sw_err *err;

        warn_init(&c, b->client);
        err = build_parse(b, &c);
        b->found = c.found;
        return err ? err : build_all(b, out);
}

sw_err *
dockerfile_build(const struct dockerfile *self, sw_ctx *ctx, const struct sw_attr *opts,
                 size_t n_opts, const struct sw_bridge *bridge,
                 struct sw_frontend_result *out)
{
        sw_auto(build) b = { .self = self, .ctx = ctx, .bridge = bridge };
        const char *question;
        sw_err *err = sw_df_config_new(opts, n_opts, bridge->platforms, &b.config);

        if (!err)
                err = sw_df_client_new(ctx, bridge, b.config, &b.client);
        if (!err)
                err = sw_df_client_load(b.client);
        if (!err)
                err = syntax_check(self, b.client, &b.syntax);
        if (err)
                return err;
        question = sw_df_config_get(b.config, "requestid");
        err = question ? build_answer(&b, question, out) : build_trees(&b, out);
        if (err)
                result_release(out);
        return err;
}
