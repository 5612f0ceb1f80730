/*
 * lib/imagesource/documents_priv.h - documents and blobs through the content store.
 */
#ifndef SLIPWAY_LIB_IMAGESOURCE_DOCUMENTS_PRIV_H
#define SLIPWAY_LIB_IMAGESOURCE_DOCUMENTS_PRIV_H

#include "lib/imagesource/imagesource.h"

/* Who asks, and of what. */
struct asking {
        const struct sw_image_place *place;
        const char *locator;
        sw_worker *worker;
        sw_ctx *ctx;
        sw_session *session;
};

/** sw__document_known - from the content store; false: it is not there, or not whole. */
bool sw__document_known(const struct asking *a, const sw_digest *d, size_t max,
                        sw_buf *out);
/** sw__document_keep - put it there; that it cannot be is no error. */
void sw__document_keep(const struct asking *a, const sw_digest *d, const sw_buf *text);
/** sw__document - from the content store, else from the place, kept then. Verified. */
SW_NODISCARD sw_err *sw__document(const struct asking *a, const sw_desc *d, size_t max,
                                  sw_buf *out);
/** sw__blob_here - into the content store, unless it is there. */
SW_NODISCARD sw_err *sw__blob_here(const struct asking *a, const sw_desc *d);
/** sw__blob_desc - the descriptor of a blob. */
void sw__blob_desc(const struct sw_blob *b, sw_desc *out);
/** sw__blob_progress - tell how far a transfer is; @done == size: it is over. */
void sw__blob_progress(sw_ctx *ctx, const sw_desc *d, int64_t started, int64_t done);

#endif
