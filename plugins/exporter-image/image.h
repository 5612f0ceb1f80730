/*
 * plugins/exporter-image/image.h - images in the store of the root, and in registries.
 *
 * export_refs makes the image, answers what it is and names it in the store; finalize,
 * when every exporter of the build is done, pushes it. Attributes, beside those of
 * lib/imageexport:
 *
 *      push                   to the registries that the names tell
 *      push-by-digest         under no tag
 *      registry.insecure      certificates are not checked; else plain HTTP
 *      store                  true (default): name it in the store
 *      unpack                 its files are made ready, where they are not
 *      name-canonical         NAME@DIGEST is a name, too
 *      dangling-name-prefix   PREFIX@DIGEST is a name, too
 *      danging-name-empty-only, dangling-name-empty-only   if there is no other
 *      unsafe-internal-store-allow-incomplete   taken: layers that are elsewhere are known
 *                             by their origin, and never fetched for the store
 */
#ifndef SLIPWAY_PLUGINS_EXPORTER_IMAGE_H
#define SLIPWAY_PLUGINS_EXPORTER_IMAGE_H

#include "lib/imageexport/imageexport.h"
#include "lib/registry/registry.h"

/* The plugin. */
struct image_plugin {
        const sw_config *config;
        sw_log *log;
        pthread_mutex_t lock;
        sw_registry *registry; /* made when first needed */
};

/* One export, from resolve() to its end. */
struct image {
        struct sw_imageexport e;
        bool push, by_digest, insecure, store, unpack, canonical;
        bool allow_incomplete;
        char *dangling; /* prefix; or NULL */
        bool dangling_if_empty;
        /* from export_refs on */
        struct sw_made *made;
        sw_strlist names; /* as told, the dangling one last */
        size_t n_told;    /* those that are not dangling */
};

/** image_names - fill names. Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *image_names(struct image *im, const struct sw_export_request *req);
/** image_full_name - as the store has it; from malloc. */
char *image_full_name(const char *name);

/** image_export, image_finalize - as in sw_exporter_ops. */
SW_NODISCARD sw_err *image_export(sw_ctx *ctx, const struct sw_export_request *req,
                                  struct sw_export_result *out);
SW_NODISCARD sw_err *image_push(struct image_plugin *p, sw_ctx *ctx,
                                const struct image *im);

#endif
