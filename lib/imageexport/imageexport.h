/*
 * lib/imageexport/imageexport.h - results become an image: layers in the content store,
 * configuration, manifest, index. What exporters of images share; where an image goes is
 * theirs.
 *
 *      resolve:      sw_imageexport_new, sw_imageexport_attr for each, sw_imageexport_check
 *      export_refs:  sw_imageexport_make -> struct sw_made, written somewhere
 *                    sw_imageexport_answer, sw_made_free
 *
 * Attributes
 *      name                  names, with commas between; "*": what the frontend says
 *      compression           uncompressed, gzip (default), estargz, zstd
 *      compression-level     of it
 *      force-compression     layers that came from elsewhere, too
 *      oci-mediatypes        true (default); false: Docker's
 *      oci-artifact, attestation-inline   for attestations, which are not made
 *      prefer-nondist-layers keep the types of layers that may not be distributed
 *      rewrite-timestamp     no time in a layer is later than source-date-epoch
 *      source-date-epoch     seconds; "": none, whatever the request or the frontend says
 *      annotation[-TYPE][[PLATFORM]].KEY
 *      containerimage.config[/PLATFORM] and other keys of results go before the frontend's
 *
 * Two exports of the same trees with the same attributes have the same digests, wherever
 * they are made.
 */
#ifndef SLIPWAY_LIB_IMAGEEXPORT_H
#define SLIPWAY_LIB_IMAGEEXPORT_H

#include <slipway/blob.h>
#include <slipway/exporter.h>

#include "lib/image/image.h"
#include <slipway/imagename.h>
#include "lib/layer/pack.h"

/* What is wanted of an image, whatever becomes of it. */
struct sw_imageexport {
        enum sw_pack_type pack;
        int level;
        bool level_set, force;
        bool docker_types;
        bool oci_artifact; /* asked for */
        bool nondist;
        bool rewrite;
        bool no_epoch; /* asked to have none */
        bool frontend_names;
        sw_strlist names; /* as told */
};

void sw_imageexport_init(struct sw_imageexport *e);
void sw_imageexport_release(struct sw_imageexport *e);
/** sw_imageexport_attr - take one attribute. @known: whether it was one of these.
 *  Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_imageexport_attr(sw_ctx *ctx, struct sw_imageexport *e,
                                         const struct sw_attr *a, bool *known);
/** sw_imageexport_check - after the last: what does not go together. */
SW_NODISCARD sw_err *sw_imageexport_check(const struct sw_imageexport *e);
/** sw_imageexport_unknown - say that an attribute is known to nobody. */
void sw_imageexport_unknown(sw_ctx *ctx, const struct sw_attr *a);
/** sw_imageexport_bool - "" is true.  Errors: "non-bool value specified for KEY". */
SW_NODISCARD sw_err *sw_imageexport_bool(const struct sw_attr *a, bool *out);

/* ---- what was made ---- */

struct sw_made_layer {
        sw_desc desc; /* as the manifest has it */
        sw_digest diff_id;
        sw_strlist from; /* repositories it is known to be in: "HOST/REPOSITORY" */
        int fd;          /* its bytes, of a result that is in no store; else -1 */
        sw_chain *chain; /* borrowed; its place in it */
        size_t at;
        bool rewritten; /* not a form of that layer: in the content store alone */
};

struct sw_made_image {
        char *platform;  /* "linux/amd64" */
        sw_chain *chain; /* NULL: in no store */
        sw_ref *ref;     /* borrowed from the request */
        SW_ARRAY(struct sw_made_layer) layers;
        sw_buf config, manifest;
        sw_desc config_desc, manifest_desc;
};

struct sw_made {
        sw_worker *worker; /* borrowed; NULL: the results are plain directories */
        SW_ARRAY(struct sw_made_image) images;
        bool is_index;
        sw_buf index;
        sw_desc root;  /* the index, or the one manifest; with annotations of descriptors */
        int64_t epoch; /* seconds; -1: none */
};

/** sw_imageexport_make - layers that are missing are packed, side by side; those that are
 *  somewhere in the wanted form are not fetched. @out: handed back.
 *  Errors: SW_E_INVALID (annotations, configurations), those of the store. */
SW_NODISCARD sw_err *sw_imageexport_make(sw_ctx *ctx, const struct sw_imageexport *e,
                                         const struct sw_export_request *req,
                                         struct sw_made **out);
void sw_made_free(struct sw_made *m);
typedef struct sw_made sw_made;
SW_DEFINE_AUTOPTR(sw_made, sw_made_free)

/** sw_made_layer_open - its bytes, fetched if need be; *fd handed back. */
SW_NODISCARD sw_err *sw_made_layer_open(const struct sw_made *m, sw_ctx *ctx,
                                        const struct sw_made_layer *l, int *fd);

/** sw_made_fetch - layers whose bytes are elsewhere are fetched, side by side: for who
 *  writes all of them one after the other. */
SW_NODISCARD sw_err *sw_made_fetch(const struct sw_made *m, sw_ctx *ctx);

/** sw_made_store - manifests, configurations and the index into the content store. */
SW_NODISCARD sw_err *sw_made_store(const struct sw_made *m, sw_ctx *ctx);

/* One blob of an image: bytes here, or a layer. */
struct sw_made_blob {
        const sw_desc *desc;
        const sw_buf *bytes; /* NULL: of the layer */
        const struct sw_made_layer *layer;
};
typedef SW_ARRAY(struct sw_made_blob) sw_made_blobs;
/** sw_made_list - every blob once, by digest; the array is the caller's. */
void sw_made_list(const struct sw_made *m, sw_made_blobs *out);

/** sw_imageexport_names - as told, or the frontend's; not checked. Added to @out. */
void sw_imageexport_names(const struct sw_imageexport *e,
                          const struct sw_export_request *req, sw_strlist *out);
/** sw_imageexport_answer - digests, descriptor and sizes of layers into the response.
 *  "slipway.layers" is an object as the descriptor is: {"layers": [{"platform", "digest",
 *  "size", "by"}]}, bottom first, "by" as in the history. @names: joined by commas; "":
 *  none. */
void sw_imageexport_answer(const struct sw_made *m, const char *names,
                           struct sw_export_result *out);
/** sw_imageexport_meta - what is said of result @i: by the request's attributes, else by
 *  the frontend; of its platform first. NULL: nothing. Borrowed. */
const char *sw_imageexport_meta(const struct sw_export_request *req, size_t i,
                                const char *key);

/* ---- progress ---- */

/* Something that takes a while. Any thread. */
struct sw_imageexport_task {
        sw_ctx *ctx;
        pthread_mutex_t lock;
        struct sw_progress p;
        int64_t told; /* monotonic ns */
};
/** @id: lives until the end. @total: bytes; 0: not known. */
void sw_imageexport_begin(struct sw_imageexport_task *t, sw_ctx *ctx, const char *id,
                          int64_t total);
void sw_imageexport_add(struct sw_imageexport_task *t, int64_t bytes);
/** @done: it ended well; without, nothing more is said. */
void sw_imageexport_end(struct sw_imageexport_task *t, bool done);
/** sw_imageexport_told - something that took no time. */
void sw_imageexport_told(sw_ctx *ctx, const char *fmt, ...) SW_PRINTF(2, 3);

#endif
