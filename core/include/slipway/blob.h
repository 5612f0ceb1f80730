/*
 * slipway/blob.h - layers as blobs: what registries and archives move.
 *
 * A layer of the store may have blobs: packed forms of its tar, each by its digest. They
 * are remembered with the layer and kept in the content store as long as it is there. A
 * layer may also be *lazy*: known by its blob alone, its files and perhaps even its bytes
 * being where its origin can get them. The store fetches and unpacks a lazy layer when
 * somebody looks at a tree that has it, mounts it or writes on it, by way of the source
 * plugin that is named as its origin, and with the session of the context in which that
 * happens (sw_ctx_session()).
 *
 *      known: lazy -> unpacked       both ways of being kept can be had at once: files of
 *      bytes: at the origin -> here  the layer here, bytes of its blob not, or the reverse
 *
 * Thread: any.
 */
#ifndef SLIPWAY_BLOB_H
#define SLIPWAY_BLOB_H

#include <slipway/content.h>
#include <slipway/exporter.h> /* struct sw_attr */
#include <slipway/session.h>
#include <slipway/worker.h>

SW_BEGIN_DECLS

/* Who can get at the bytes of a lazy layer. Borrowed strings. */
struct sw_blob_origin {
        const char *plugin; /* name of a source plugin: "docker" */
        const char
                *locator; /* what it makes of that is its own: "docker.io/library/alpine";
                             at most 4 KiB. Has no secrets in it: it is stored */
};

/* One packed form of a layer. Grows at the end only; what it points at is borrowed. */
struct sw_blob {
        uint32_t size;                     /* sizeof as compiled */
        sw_digest digest;                  /* of its bytes */
        int64_t len;                       /* how many */
        sw_digest diff_id;                 /* of the tar that is in it */
        const char *media_type;            /* an OCI or Docker layer type */
        const struct sw_attr *annotations; /* of its descriptor; sorted by key */
        size_t n_annotations;
        /* Told by sw_chain_get(), not asked for: who can get at it; NULL: nobody is known.
         */
        const struct sw_blob_origin *origin;
};

/**
 * sw_worker_blob_layer - a tree: @parent with the layer that @blob holds on top. If there
 * is one with that chain of diff ids whose files are here, it is that one; what a manifest
 * says of its blob is not taken for a form of it, save that one that is known gets this
 * origin. Otherwise its layer is lazy: the same for the same blob on the same parent.
 * @parent: borrowed; NULL: on nothing.
 * @out: handed back, leased.   Blocks: not on the network.
 * Errors: SW_E_INVALID (a blob that contradicts one of the same digest that was here),
 * SW_E_UNSUPPORTED (@parent is not in the store), SW_E_LIMIT, SW_E_IO.
 * Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_worker_blob_layer(sw_worker *w, sw_ctx *ctx, sw_ref *parent,
                                                 const struct sw_blob *blob,
                                                 const struct sw_blob_origin *origin,
                                                 const struct sw_ref_desc *desc,
                                                 sw_ref **out);

/** sw_ref_ready - fetch and unpack what is lazy in a tree, layers side by side, with a
 *  progress status for each: "extracting sha256:…". Whoever opens the tree gets that by
 *  itself; this is for who wants it before. */
SW_API SW_NODISCARD sw_err *sw_ref_ready(sw_worker *w, sw_ctx *ctx, sw_ref *r);

/* ---- the layers of a tree ---- */

struct sw_chain_layer {
        const char *id;   /* names the layer in the calls below */
        bool has_diff_id; /* it was a blob, or was made one */
        bool lazy;        /* its files are not here */
        sw_digest diff_id;
        const struct sw_blob *blobs; /* forms that are known, the first one first */
        size_t n_blobs;
        const char *description; /* of the ref it is the layer of */
        int64_t created;         /* ns since the epoch */
};

typedef struct sw_chain sw_chain;

/** sw_ref_chain - the layers of a tree, bottom first; as they are now, and no later change
 *  shows in it. Those that a merge put together are listed one after the other. @r: NULL
 *  gives none. @out: handed back. Thread: any, several at once on one chain.
 *  Errors: SW_E_UNSUPPORTED: it is not in the store (see sw_ref_stored()). */
SW_API SW_NODISCARD sw_err *sw_ref_chain(sw_worker *w, sw_ctx *ctx, sw_ref *r,
                                         sw_chain **out);
SW_API void sw_chain_free(sw_chain *c);
SW_API size_t sw_chain_count(const sw_chain *c);
/** sw_chain_get - the @i-th layer, borrowed from the chain. */
SW_API const struct sw_chain_layer *sw_chain_get(const sw_chain *c, size_t i);

/** sw_chain_tell - tell a layer writer what the @i-th layer changes in those it was made
 * on, whatever a merge put below it since; rules as sw_snapshotter_ops.diff, finish() is
 * the caller's. They are made ready first. */
SW_API SW_NODISCARD sw_err *sw_chain_tell(sw_chain *c, sw_ctx *ctx, size_t i,
                                          const struct sw_layer_ops *ops, void *writer);
/** sw_chain_add_blob - a form of the @i-th layer that was made of it, whose bytes are in
 * the content store (else SW_E_NOT_FOUND): kept there as long as the layer. SW_E_INVALID:
 *  another diff id than the layer has. Once all layers up to one have diff ids, it is found
 *  by its chain id. Of a form that is known, these annotations are set and others stay. */
SW_API SW_NODISCARD sw_err *sw_chain_add_blob(sw_chain *c, sw_ctx *ctx, size_t i,
                                              const struct sw_blob *blob);
/** sw_chain_blob_open - the bytes of a form that is known of the @i-th layer, fetched from
 *  the origin if need be; *fd handed back, O_RDONLY.
 *  Errors: SW_E_NOT_FOUND: neither here nor at an origin (it can be made again with
 *  sw_chain_tell() if the layer is not lazy); the origin's. */
SW_API SW_NODISCARD sw_err *sw_chain_blob_open(sw_chain *c, sw_ctx *ctx, size_t i,
                                               const sw_digest *blob, int *fd);

/* ---- images: names for manifests that are kept ---- */

/* Grows at the end only. */
struct sw_image {
        uint32_t size;            /* sizeof as compiled */
        const char *name;         /* "docker.io/library/app:1", as the exporter was told */
        const char *media_type;   /* of the manifest or index */
        sw_digest digest;         /* of it; it is in the content store */
        int64_t len;              /* bytes of it */
        int64_t created, updated; /* ns since the epoch; updated is set by the store */
};

/**
 * sw_images_put - make or replace. What it needs is kept from pruning as long as the image
 * is there: @blobs in the content store (manifests, configurations), and the trees @refs
 * with the blobs of their layers.
 */
SW_API SW_NODISCARD sw_err *sw_images_put(sw_worker *w, sw_ctx *ctx,
                                          const struct sw_image *image,
                                          const sw_digest *blobs, size_t n_blobs,
                                          sw_ref *const *refs, size_t n_refs);
/* Images that were read: strings belong to the list. */
typedef struct sw_image_list {
        size_t n;
        struct sw_image *v; /* by name */
        void *arena_;       /* private */
} sw_image_list;
/** sw_images_get - one by its name; n is 0 or 1. */
SW_API SW_NODISCARD sw_err *sw_images_get(sw_worker *w, sw_ctx *ctx, const char *name,
                                          struct sw_image_list *out);
SW_API SW_NODISCARD sw_err *sw_images_list(sw_worker *w, sw_ctx *ctx,
                                           struct sw_image_list *out);
SW_API void sw_image_list_release(struct sw_image_list *l);
/** sw_images_remove - the name; what it kept can be pruned then.  Errors: SW_E_NOT_FOUND.
 */
SW_API SW_NODISCARD sw_err *sw_images_remove(sw_worker *w, sw_ctx *ctx, const char *name);

/** sw_worker_content - the content store of the root; borrowed. What is ingested is kept
 *  while this process lives; after that, as long as a layer or an image names it. */
SW_API sw_content *sw_worker_content(sw_worker *w);

SW_DEFINE_AUTOPTR(sw_chain, sw_chain_free)
SW_DEFINE_AUTO(sw_image_list, sw_image_list_release)

SW_END_DECLS
#endif
