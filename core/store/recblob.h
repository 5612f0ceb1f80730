/*
 * core/store/recblob.h - blobs in records, and the pairs in the metadata that tell of them.
 */
#ifndef SLIPWAY_CORE_STORE_RECBLOB_H
#define SLIPWAY_CORE_STORE_RECBLOB_H

#include "core/store/record.h"

/** sw__rec_blobs_ok - whether what a record says of blobs can have been written here. */
bool sw__rec_blobs_ok(const sw__rec *r);
/** sw__rec_pair_blobs - add or remove the pairs of R5. */
SW_NODISCARD sw_err *sw__rec_pair_blobs(sw__tx *tx, const char *id, const sw__rec *r,
                                        bool add);
/** sw__blob_check - whether what a caller says of a blob may be stored. @origin: or NULL.
 */
SW_NODISCARD sw_err *sw__blob_check(const struct sw_blob *blob,
                                    const struct sw_blob_origin *origin);
/** sw__blob_packed - a message of @blob, from malloc; no list of annotations is borrowed.
 */
Slipway__Store__V1__Blob *sw__blob_packed(const struct sw_blob *blob,
                                          const struct sw_blob_origin *origin);

/* A stored blob as callers see it. Borrows from the record. */
struct sw__blob_view {
        struct sw_blob blob;
        struct sw_blob_origin origin;
        struct sw_attr *attrs; /* owned */
};
void sw__blob_view_init(struct sw__blob_view *v, const sw__rec *rec, size_t i);
void sw__blob_view_release(struct sw__blob_view *v);

/** sw__digest_of_bytes - of a field; false: it is not that long. */
bool sw__digest_of_bytes(ProtobufCBinaryData b, sw_digest *out);
/** sw__digest_bytes - a field with a copy. */
ProtobufCBinaryData sw__digest_bytes(const sw_digest *d);

#endif
