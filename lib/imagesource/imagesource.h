/*
 * lib/imagesource/imagesource.h - what sources of images have in common: an identifier
 * becomes a manifest, a platform's image, keys, and a tree of lazy layers.
 *
 * A plugin says how documents and blobs are got (a registry, a directory in OCI layout) and
 * hands its calls on. Documents go through the content store: what is known by its digest
 * is not asked for again.
 *
 * Thread: an instance by one at a time; the functions on blobs by any.
 */
#ifndef SLIPWAY_LIB_IMAGESOURCE_IMAGESOURCE_H
#define SLIPWAY_LIB_IMAGESOURCE_IMAGESOURCE_H

#include <slipway/blob.h>
#include <slipway/source.h>

#include "lib/image/image.h"
#include <slipway/imagename.h>

/* Where the bytes of a blob go. */
struct sw_image_sink {
        /* write - in order; what it returns ends the transfer. May block. */
        sw_err *(*write)(void *arg, const void *p, size_t n);
        void (*progress)(void *arg, int64_t done); /* may be called from any thread */
        void *arg;
};

/* How a plugin gets at things. Everything is borrowed until return. @locator: as it is
 * stored with layers; names the place, has no tag, digest or secret in it. */
struct sw_image_place {
        const char *plugin; /* its name, for the origin of layers */
        void *self;
        bool keep_blobs; /* what is unpacked is kept packed, too */
        /* resolve - what a tag or digest stands for; @body: the document, when it came
         * with the answer. One of @tag and @digest may be NULL. */
        sw_err *(*resolve)(void *self, sw_ctx *ctx, sw_session *s, const char *locator,
                           const char *tag, const sw_digest *digest, sw_desc *out,
                           sw_buf *body);
        /* document - a manifest or configuration, at most @max bytes; verified by the
         * caller, too. */
        sw_err *(*document)(void *self, sw_ctx *ctx, sw_session *s, const char *locator,
                            const sw_desc *d, size_t max, sw_buf *out);
        /* blob - all of it, verified when it returns SW_OK. */
        sw_err *(*blob)(void *self, sw_ctx *ctx, sw_session *s, const char *locator,
                        const sw_desc *d, const struct sw_image_sink *sink);
};

/* The order in which a tag is looked for. */
enum sw_image_order {
        SW_IMAGE_PLACE_FIRST, /* the place; what is stored here if that fails */
        SW_IMAGE_STORE_FIRST,
        SW_IMAGE_PLACE_ONLY,
        SW_IMAGE_STORE_ONLY,
};

typedef struct sw_image_source sw_image_source;

struct sw_image_source_opts {
        const struct sw_image_place *place; /* borrowed until close */
        const char *locator;
        const char *shown;     /* the name for people: "docker.io/library/alpine:latest" */
        const char *stored_as; /* name of it among the images of the store; NULL: none */
        const char *tag;       /* or NULL */
        const sw_digest *digest;               /* or NULL */
        const char *source_key, *source_value; /* annotation of its layers; or NULL */
        enum sw_image_order order;             /* what image.resolvemode=default means */
        const struct sw_source_request *req;   /* attributes, platform, worker */
};

/** sw_image_source_open - checks the attributes image.* and *.layerlimit.
 *  Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_image_source_open(const struct sw_image_source_opts *opts,
                                          sw_image_source **out);
void sw_image_source_close(sw_image_source *s); /* NULL is fine */
/* As in struct sw_source_ops. */
SW_NODISCARD sw_err *sw_image_source_key(sw_image_source *s, sw_ctx *ctx,
                                         sw_session *session, unsigned index,
                                         struct sw_source_key *out);
SW_NODISCARD sw_err *sw_image_source_snapshot(sw_image_source *s, sw_ctx *ctx,
                                              sw_session *session, sw_ref **out);
SW_NODISCARD sw_err *sw_image_source_resolve(sw_image_source *s, sw_ctx *ctx,
                                             sw_session *session, bool config,
                                             struct sw_source_meta *out);

/* ---- blobs of layers ---- */

SW_NODISCARD sw_err *sw_image_blob_fetch(const struct sw_image_place *place, sw_ctx *ctx,
                                         sw_session *session, sw_worker *worker,
                                         const char *locator, const struct sw_blob *blob);
SW_NODISCARD sw_err *sw_image_blob_unpack(const struct sw_image_place *place, sw_ctx *ctx,
                                          sw_session *session, sw_worker *worker,
                                          const char *locator, const struct sw_blob *blob,
                                          const struct sw_layer_ops *ops, void *writer,
                                          sw_strlist *implied);

/* ---- a blob as a file ---- */

typedef struct sw_blob_source sw_blob_source;

/** sw_blob_source_open - a tree with one file, which is a blob. Attributes http.filename,
 *  http.perm, http.uid, http.gid. @opts: digest is needed. Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_blob_source_open(const struct sw_image_source_opts *opts,
                                         sw_blob_source **out);
void sw_blob_source_close(sw_blob_source *s); /* NULL is fine */
SW_NODISCARD sw_err *sw_blob_source_key(sw_blob_source *s, struct sw_source_key *out);
SW_NODISCARD sw_err *sw_blob_source_snapshot(sw_blob_source *s, sw_ctx *ctx,
                                             sw_session *session, sw_ref **out);

/* ---- the table of a plugin ----
 *
 * As in struct sw_source_ops, for plugins whose @self begins with a struct sw_image_place.
 */

/** sw_image_table_open - an instance; @blob: of a blob as a file. */
SW_NODISCARD sw_err *sw_image_table_open(const struct sw_image_source_opts *opts, bool blob,
                                         void **inst);
void sw_image_table_close(void *self, void *inst);
sw_err *sw_image_table_key(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                           unsigned index, struct sw_source_key *out);
sw_err *sw_image_table_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                                sw_ref **out);
sw_err *sw_image_table_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                               bool config, struct sw_source_meta *out);
sw_err *sw_image_table_blob_fetch(void *self, sw_ctx *ctx, sw_session *session,
                                  sw_worker *worker, const char *locator,
                                  const struct sw_blob *blob);
sw_err *sw_image_table_blob_unpack(void *self, sw_ctx *ctx, sw_session *session,
                                   sw_worker *worker, const char *locator,
                                   const struct sw_blob *blob,
                                   const struct sw_layer_ops *ops, void *writer,
                                   sw_strlist *implied);

#endif
