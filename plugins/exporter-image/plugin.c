/* plugins/exporter-image/plugin.c - images, kept and pushed. */
#include <string.h>

#include <slipway/text.h>

#include "plugins/exporter-image/image.h"

static void
release_resolved(void *self, void *resolved)
{
        struct image *im = resolved;

        (void) self;
        if (im->made)
                sw_made_free(im->made);
        sw_strlist_release(&im->names);
        sw_imageexport_release(&im->e);
        free(im->dangling);
        free(im);
}

static bool *
flag_of(struct image *im, const char *key)
{
        const struct {
                const char *key;
                bool *flag;
        } flags[] = {
                { "push", &im->push },
                { "push-by-digest", &im->by_digest },
                { "registry.insecure", &im->insecure },
                { "store", &im->store },
                { "unpack", &im->unpack },
                { "name-canonical", &im->canonical },
                { "danging-name-empty-only", &im->dangling_if_empty },
                { "dangling-name-empty-only", &im->dangling_if_empty },
                { "unsafe-internal-store-allow-incomplete", &im->allow_incomplete },
        };

        for (size_t i = 0; i < SW_COUNT(flags); i++)
                if (strcmp(flags[i].key, key) == 0)
                        return flags[i].flag;
        return NULL;
}

static sw_err *
take(sw_ctx *ctx, struct image *im, const struct sw_attr *a)
{
        bool *flag = flag_of(im, a->key), known = true;
        sw_err *err;

        if (flag)
                return sw_imageexport_bool(a, flag);
        if (strcmp(a->key, "dangling-name-prefix") == 0) {
                im->dangling = *a->value ? sw_strdup(a->value) : NULL;
                return SW_OK;
        }
        err = sw_imageexport_attr(ctx, &im->e, a, &known);
        if (!err && !known)
                sw_imageexport_unknown(ctx, a);
        return err;
}

static sw_err *
check(const struct image *im)
{
        if (im->e.rewrite && im->unpack && im->store)
                return sw_err_new(SW_E_INVALID, "exporter option \"rewrite-timestamp\" "
                                                "conflicts with \"unpack\"");
        if (im->push && !im->e.names.n && !im->e.frontend_names && !im->dangling)
                return sw_err_new(SW_E_INVALID, "push=true needs name=HOST/REPOSITORY:TAG");
        for (size_t i = 0; i < im->e.names.n && im->push && im->by_digest; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(im->e.names.v[i], &n);

                if (err || n.tag)
                        return err ? err
                                   : sw_err_new(SW_E_INVALID,
                                                "can't push tagged ref %s by digest",
                                                im->e.names.v[i]);
        }
        return sw_imageexport_check(&im->e);
}

static sw_err *
resolve(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n, void **resolved)
{
        struct image *im = sw_new(struct image);
        sw_err *err = SW_OK;

        im->store = true;
        sw_imageexport_init(&im->e);
        for (size_t i = 0; i < n && !err; i++)
                err = take(ctx, im, &attrs[i]);
        if (!err)
                err = check(im);
        if (err) {
                release_resolved(self, im);
                return err;
        }
        *resolved = im;
        return SW_OK;
}

static sw_err *
export_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
            struct sw_export_result *out)
{
        (void) self;
        return image_export(ctx, req, out);
}

static const char *
finalize_title(void *self, const void *resolved)
{
        const struct image *im = resolved;

        (void) self;
        return im->push ? "pushing image" : NULL;
}

static sw_err *
finalize(void *self, sw_ctx *ctx, const struct sw_export_request *req,
         struct sw_export_result *out)
{
        const struct image *im = req->resolved;

        (void) out;
        return image_push(self, ctx, im);
}

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        struct image_plugin *p = sw_new(struct image_plugin);

        p->config = env->config;
        p->log = env->log;
        (void) pthread_mutex_init(&p->lock, NULL);
        *self = p;
        return SW_OK;
}

static void
shut_down(void *self)
{
        struct image_plugin *p = self;

        if (!p)
                return;
        if (p->registry)
                sw_registry_free(p->registry);
        (void) pthread_mutex_destroy(&p->lock);
        free(p);
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .resolve = resolve,
        .release_resolved = release_resolved,
        .export_refs = export_refs,
        .finalize = finalize,
        .finalize_title = finalize_title,
};

SW_PLUGIN(exporter_image) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "image"),
        .summary = "the result as an image: in the store, and pushed to registries",
        .ops = &ops.hdr,
        .init = init,
        .shutdown = shut_down,
};
