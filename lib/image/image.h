/*
 * lib/image/image.h - manifests, indexes, configurations: JSON in, structs out, and back.
 *
 * Documents come from outside: sizes, depths, counts and digests are checked here, unknown
 * members are let be. What we write has keys in a fixed order and the layout that the
 * reference's exporter gives it, so that equal images have equal digests.
 * Pure; any thread.
 */
#ifndef SLIPWAY_LIB_IMAGE_IMAGE_H
#define SLIPWAY_LIB_IMAGE_IMAGE_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/digest.h>
#include <slipway/json.h>
#include <slipway/platform.h>

/* Limits of what is read. */
enum {
        SW_MANIFEST_MAX = 4 * 1024 * 1024, /* bytes of a manifest or an index */
        SW_IMAGE_CONFIG_MAX = 8 * 1024 * 1024,
        SW_IMAGE_LAYERS_MAX = 4096,
        SW_INDEX_ENTRIES_MAX = 1024,
};

#define SW_MT_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define SW_MT_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define SW_MT_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define SW_MT_OCI_LAYER       "application/vnd.oci.image.layer.v1.tar"
#define SW_MT_OCI_EMPTY       "application/vnd.oci.empty.v1+json"
#define SW_MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define SW_MT_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define SW_MT_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define SW_MT_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar"
#define SW_MT_DOCKER_SCHEMA1  "application/vnd.docker.distribution.manifest.v1+json"
#define SW_MT_DOCKER_SIGNED1  "application/vnd.docker.distribution.manifest.v1+prettyjws"

enum sw_media {
        SW_MEDIA_OTHER,
        SW_MEDIA_MANIFEST,
        SW_MEDIA_INDEX,
        SW_MEDIA_CONFIG,
        SW_MEDIA_LAYER,
        SW_MEDIA_SCHEMA1, /* refused, with what to do about it */
};
/** sw_media_kind - of a media type, its parameters ("; charset=") left aside. */
enum sw_media sw_media_kind(const char *type);

/* How a layer's tar is packed, by its media type. */
enum sw_packing { SW_PACK_NONE, SW_PACK_GZIP, SW_PACK_ZSTD, SW_PACK_UNKNOWN };
enum sw_packing sw_media_packing(const char *type);
/** sw_media_foreign - of layers that may not be distributed (urls tell where they are). */
bool sw_media_foreign(const char *type);
/** sw_media_layer - the type of a layer; static. Docker has no zstd: NULL. */
const char *sw_media_layer(enum sw_packing p, bool oci);

/* Annotations, labels: pairs, sorted by key when they are written. */
struct sw_pair {
        char *key, *value;
};
typedef SW_ARRAY(struct sw_pair) sw_pairs;
void sw_pairs_set(sw_pairs *p, const char *key, const char *value); /* copies */
const char *sw_pairs_get(const sw_pairs *p, const char *key);       /* or NULL */
void sw_pairs_release(sw_pairs *p);

/* What points at a document or blob. {0} is none; strings are owned. */
typedef struct sw_desc {
        char *media_type;
        sw_digest digest;
        int64_t size;
        sw_platform *platform; /* of manifests in an index; or NULL */
        sw_pairs annotations;
        sw_strlist urls;
        char *artifact_type; /* or NULL */
} sw_desc;
void sw_desc_release(sw_desc *d);
void sw_desc_copy(sw_desc *out, const sw_desc *d);
SW_DEFINE_AUTO(sw_desc, sw_desc_release)
typedef SW_ARRAY(sw_desc) sw_descs;
void sw_descs_release(sw_descs *d);

/** sw_desc_parse - a descriptor object. Errors: SW_E_INVALID (negative size, digest of
 *  another algorithm than sha256: SW_E_UNSUPPORTED). */
SW_NODISCARD sw_err *sw_desc_parse(const sw_json *o, sw_desc *out);
/** sw_desc_json - as an object: mediaType, digest, size, urls, annotations, platform,
 *  artifactType. New reference. */
sw_json *sw_desc_json(const sw_desc *d);

/** sw_json_write - append a document as Go's encoding/json writes it; members in the order
 *  in which they were added. @indented: by two spaces a level; else no space at all. */
void sw_json_write(const sw_json *j, bool indented, sw_buf *out);

/* A manifest or an index. {0} is none. */
typedef struct sw_manifest {
        enum sw_media kind; /* MANIFEST or INDEX */
        char *media_type;
        sw_desc config;   /* of a manifest */
        sw_descs layers;  /* of a manifest; bottom first */
        sw_descs entries; /* of an index */
        sw_pairs annotations;
        char *artifact_type; /* or NULL */
        bool has_subject;
        sw_desc subject;
} sw_manifest;
void sw_manifest_release(sw_manifest *m);
SW_DEFINE_AUTO(sw_manifest, sw_manifest_release)

/**
 * sw_manifest_parse - either kind. @type: what the registry called it; NULL or "": the
 * document's own mediaType, else what its members say. A document that calls itself
 * something else than @type, or has members of both kinds, is refused.
 * Errors: SW_E_INVALID, SW_E_LIMIT, SW_E_UNSUPPORTED (schema 1: pull and push it with a
 * recent client once; other media types).
 */
SW_NODISCARD sw_err *sw_manifest_parse(const char *type, const void *p, size_t n,
                                       sw_manifest *out);
/** sw_manifest_write - indented by two spaces, as the reference writes it. */
void sw_manifest_write(const sw_manifest *m, sw_buf *out);

/**
 * sw_index_choose - the entry for a platform: an exact match, else the best of those that
 * run there (variants downwards, 386 on amd64 never unasked; entries of attestations,
 * "unknown/unknown", never). @out: index into m->entries.
 * Errors: SW_E_NOT_FOUND: "no match for platform X: there are …".
 */
SW_NODISCARD sw_err *sw_index_choose(const sw_manifest *m, const sw_platform *want,
                                     size_t *out);

/** sw_image_suits - whether an image for @have is one for @want, as sw_index_choose has it.
 */
bool sw_image_suits(const sw_platform *have, const sw_platform *want);

/* What we need of an image configuration; the rest stays in the JSON. {0} is none. */
typedef struct sw_image_config {
        sw_platform *platform;
        SW_ARRAY(sw_digest) diff_ids; /* bottom first */
        size_t n_history_layers;      /* history entries without empty_layer */
        char *created;                /* as written; or NULL */
} sw_image_config;
void sw_image_config_release(sw_image_config *c);
SW_DEFINE_AUTO(sw_image_config, sw_image_config_release)
/** sw_image_config_parse - Errors: SW_E_INVALID, SW_E_LIMIT, SW_E_UNSUPPORTED. */
SW_NODISCARD sw_err *sw_image_config_parse(const void *p, size_t n, sw_image_config *out);

/* One layer of an image that is made. */
struct sw_history_layer {
        sw_digest diff_id;
        const char *description; /* for created_by; NULL: "created by buildkit" */
        int64_t created;         /* ns since the epoch */
};
struct sw_image_make {
        const char *base;    /* what the frontend said; NULL: a default one for platform */
        const char *base_of; /* the configuration it was FROM, whose history entries are
                                left alone; or NULL */
        const char *inline_cache; /* JSON that later builds find in it; or NULL */
        const sw_platform *platform;
        const struct sw_history_layer *layers; /* bottom first */
        size_t n_layers;
        int64_t epoch; /* seconds; -1: none */
};
/**
 * sw_image_config_make - the configuration of an image of these layers, with rootfs,
 * history and created filled in as the reference's exporter does; top-level keys sorted.
 * Errors: SW_E_INVALID: base is no configuration, or lacks os or architecture; SW_E_LIMIT.
 */
SW_NODISCARD sw_err *sw_image_config_make(const struct sw_image_make *m, sw_buf *out);

/** sw_chain_id - of diff ids, bottom first; @n > 0. */
sw_digest sw_chain_id(const sw_digest *diff_ids, size_t n);

#endif
