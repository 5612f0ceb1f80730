/*
 * plugins/source-docker/plugin.c - docker-image://NAME: images of registries, and
 * docker-image+blob://NAME@DIGEST: a blob of one as a file.
 *
 * Layers are lazy: a tag is resolved, manifest and configuration are read, and that is all
 * until somebody wants to see the files. Everything about images is lib/imagesource's; how
 * registries are talked to, lib/registry's.
 *
 * The locator of a layer is its repository, "docker.io/library/alpine".
 * Thread: any; one instance by one thread at a time.
 */
#include <string.h>

#include <slipway/source.h>
#include <slipway/text.h>

#include "lib/imagesource/imagesource.h"
#include "lib/registry/registry.h"

#define BLOB_SCHEME "docker-image+blob://"

struct docker {
        struct sw_image_place place; /* first, for lib/imagesource */
        sw_registry *registry;
        enum sw_image_order order;
};

/* ---- the registry as a place ---- */

/* A call about the repository @locator; *name: to be released. */
static sw_err *
begin(sw_ctx *ctx, sw_session *session, const char *locator, sw_image_name *name,
      struct sw_registry_call *call)
{
        *call = (struct sw_registry_call){ .ctx = ctx, .session = session, .name = name };
        return sw_image_name_parse(locator, name);
}

/* In the words that people know and scripts look for; the caller says which image. What the
 * registry said, and which mirror, is in the log. @err: given. */
static sw_err *
not_there(sw_ctx *ctx, sw_err *err)
{
        sw_ctx_logf(ctx, SW_LOG_INFO, "%s", sw_err_message(err));
        sw_err_drop(err, "told");
        return sw_err_new(SW_E_NOT_FOUND, "not found");
}

static sw_err *
docker_resolve(void *self, sw_ctx *ctx, sw_session *session, const char *locator,
               const char *tag, const sw_digest *digest, sw_desc *out, sw_buf *body)
{
        const struct docker *d = self;
        sw_auto(sw_image_name) name = { .host = NULL };
        struct sw_registry_call call;
        sw_err *err = begin(ctx, session, locator, &name, &call);

        if (err)
                return err;
        name.tag = sw_strdup(tag);
        name.has_digest = digest != NULL;
        if (digest)
                name.digest = *digest;
        err = sw_registry_resolve(d->registry, &call, out, body);
        return sw_err_code(err) == SW_E_NOT_FOUND ? not_there(ctx, err) : err;
}

static sw_err *
docker_document(void *self, sw_ctx *ctx, sw_session *session, const char *locator,
                const sw_desc *desc, size_t max, sw_buf *out)
{
        const struct docker *d = self;
        sw_auto(sw_image_name) name = { .host = NULL };
        struct sw_registry_call call;
        sw_err *err = begin(ctx, session, locator, &name, &call);

        return err ? err : sw_registry_document(d->registry, &call, desc, max, out);
}

static sw_err *
docker_blob(void *self, sw_ctx *ctx, sw_session *session, const char *locator,
            const sw_desc *desc, const struct sw_image_sink *sink)
{
        const struct docker *d = self;
        const struct sw_blob_sink to = { sink->write, sink->progress, sink->arg };
        sw_auto(sw_image_name) name = { .host = NULL };
        struct sw_registry_call call;
        sw_err *err = begin(ctx, session, locator, &name, &call);

        return err ? err : sw_registry_blob(d->registry, &call, desc, 0, NULL, &to);
}

/* ---- the source ---- */

/* @name: as it was given, without the scheme. */
static sw_err *
open_name(const struct docker *d, const struct sw_source_request *req, const char *text,
          const sw_image_name *name, void **inst)
{
        sw_auto(sw_str) locator = sw_image_name_repo(name);
        sw_auto(sw_str) shown = sw_image_name_str(name);
        sw_auto(sw_str) key =
                sw_asprintf("containerd.io/distribution.source.%s", name->host);
        const struct sw_image_source_opts opts = {
                .place = &d->place,
                .locator = locator,
                .shown = shown,
                .stored_as = shown,
                .tag = name->tag,
                .digest = name->has_digest ? &name->digest : NULL,
                .source_key = key,
                .source_value = name->repo,
                .order = d->order,
                .req = req,
        };
        const bool blob = sw_str_has_prefix(req->identifier, BLOB_SCHEME);

        if (!blob && !name->tag && !name->has_digest)
                return sw_err_new(SW_E_INVALID, "%s names neither a tag nor a digest",
                                  text);
        return sw_image_table_open(&opts, blob, inst);
}

static sw_err *
docker_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        const char *text = strstr(req->identifier, "://");
        sw_auto(sw_image_name) name = { .host = NULL };
        sw_err *err;

        (void) ctx;
        text = text ? text + 3 : req->identifier;
        err = sw_image_name_parse(text, &name);
        return err ? err : open_name(self, req, text, &name, inst);
}

/* ---- the plugin ---- */

static sw_err *
parse_order(const sw_strlist *l, enum sw_image_order *out)
{
        static const char *const names[] = { "registry", "store", NULL };
        int at[2] = { -1, -1 };

        for (size_t i = 0; i < l->n; i++) {
                const int k = strcmp(l->v[i], names[1]) == 0;

                if (strcmp(l->v[i], names[k]) != 0 || at[k] >= 0)
                        return sw_err_new(SW_E_CONFIG,
                                          "option look: %.64s: registry and store are the "
                                          "places, each once",
                                          l->v[i]);
                at[k] = (int) i;
        }
        if (at[0] < 0 && at[1] < 0)
                return sw_err_new(SW_E_CONFIG, "option look: no place is left to look");
        if (at[1] < 0)
                *out = SW_IMAGE_PLACE_ONLY;
        else if (at[0] < 0)
                *out = SW_IMAGE_STORE_ONLY;
        else
                *out = at[0] < at[1] ? SW_IMAGE_PLACE_FIRST : SW_IMAGE_STORE_FIRST;
        return SW_OK;
}

static void
docker_shutdown(void *self)
{
        struct docker *d = self;

        sw_registry_free(d->registry);
        free(d);
}

static sw_err *
docker_init(const struct sw_plugin_env *env, void **self)
{
        const struct sw_registry_opts opts = { .config = env->config, .log = env->log };
        struct docker *d = sw_new(struct docker);
        sw_err *err = parse_order(sw_options_list(env->options, "look"), &d->order);

        if (!err)
                err = sw_registry_new(&opts, &d->registry);
        if (err) {
                free(d);
                return err;
        }
        d->place = (struct sw_image_place){
                .plugin = "docker",
                .self = d,
                .keep_blobs = sw_options_bool(env->options, "keepBlobs"),
                .resolve = docker_resolve,
                .document = docker_document,
                .blob = docker_blob,
        };
        *self = d;
        return SW_OK;
}

static const struct sw_option options[] = {
        { "look", SW_OPT_LIST, "registry,store",
          "where a tag is looked for, in order: registry, store (images kept here)" },
        { "keepBlobs", SW_OPT_BOOL, "true",
          "keep layers packed, too, for exporting them without fetching them again" },
        { NULL, 0, NULL, NULL },
};

static const char *const schemes[] = { "docker-image", "docker-image+blob", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = docker_open,
        .cache_key = sw_image_table_key,
        .snapshot = sw_image_table_snapshot,
        .close = sw_image_table_close,
        .resolve = sw_image_table_resolve,
        .blob_fetch = sw_image_table_blob_fetch,
        .blob_unpack = sw_image_table_blob_unpack,
};

SW_PLUGIN(source_docker) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "docker"),
        .summary = "images of registries",
        .options = options,
        .ops = &ops.hdr,
        .init = docker_init,
        .shutdown = docker_shutdown,
};
