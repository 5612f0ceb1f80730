/*
 * lib/imagearchive/imagearchive.h - images as tar archives, in the layout of OCI.
 *
 *      blobs/sha256/HEX          manifests, configurations, layers; by digest
 *      index.json, oci-layout    the images by name, and what this is
 *      manifest.json             for `docker load`, if that is wanted
 *
 * The archive is written from its beginning to its end, straight to a descriptor, and is
 * the same bytes for the same images. Thread: the caller's.
 */
#ifndef SLIPWAY_LIB_IMAGEARCHIVE_H
#define SLIPWAY_LIB_IMAGEARCHIVE_H

#include <slipway/ctx.h>

#include "lib/image/image.h"
#include <slipway/imagename.h>

#define SW_OCI_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

struct sw_archive_blob {
        sw_digest digest;
        int64_t size;
        const sw_buf *bytes; /* NULL: open() has them */
        const void *of;      /* the caller's own */
};

/* One image; everything is borrowed. */
struct sw_archive_image {
        const sw_desc *root;     /* its manifest or index */
        const sw_strlist *names; /* in full; may be empty */
        const sw_digest *config; /* of a manifest; NULL: an index */
        const sw_digest *layers;
        size_t n_layers;
};

struct sw_archive {
        const struct sw_archive_blob *blobs; /* sorted by digest, each once */
        size_t n_blobs;
        const struct sw_archive_image *images;
        size_t n_images;
        bool docker; /* with manifest.json: none of the images is an index */
        /* open - *fd handed back: the blob's bytes from its beginning. */
        sw_err *(*open)(void *arg, sw_ctx *ctx, const struct sw_archive_blob *b, int *fd);
        void (*wrote)(void *arg, int64_t bytes); /* progress; may be NULL */
        void *arg;
};

/** sw_archive_write - @fd: borrowed; a pipe or socket will do. Errors: SW_E_IO,
 *  SW_E_CANCELLED, what open() says. */
SW_NODISCARD sw_err *sw_archive_write(sw_ctx *ctx, const struct sw_archive *a, int fd);

/** sw_archive_entries - what index.json lists: the image once for each name. @dflt: its tag
 *  there when it has no name; NULL: none. Added to @out. */
void sw_archive_entries(const sw_desc *root, const sw_strlist *names, const char *dflt,
                        sw_descs *out);
/** sw_archive_index_json - index.json with these images. */
void sw_archive_index_json(const sw_descs *entries, sw_buf *out);
/** sw_archive_docker_json - manifest.json. */
void sw_archive_docker_json(const struct sw_archive_image *images, size_t n, sw_buf *out);

#endif
