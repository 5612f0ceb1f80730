/*
 * core/store/blobhold.h - blobs that this process brought in: kept while it lives.
 *
 * A pair (digest, lease) stands in "holders" before the blob has its name, so that whoever
 * prunes, and looks and removes in one transaction, never takes what was just brought in.
 * The pairs go with the lease.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_BLOBHOLD_H
#define SLIPWAY_CORE_STORE_BLOBHOLD_H

#include "core/store/worker_priv.h"

/** sw__blob_hold - @worker: a sw_worker; the signature is that of sw_content.hold. */
SW_NODISCARD sw_err *sw__blob_hold(void *worker, const sw_digest *d);
/** sw__blob_wanted - whether a layer or an image names the blob, or a process holds it. */
SW_NODISCARD sw_err *sw__blob_wanted(sw__tx *tx, const char *digest, bool *out);
/** sw__blob_drop - remove the blob unless somebody wants it. *bytes gets what that freed on
 *  top; may be NULL. */
SW_NODISCARD sw_err *sw__blob_drop(sw_worker *w, const char *digest, int64_t *bytes);
/** sw__blob_disk - what the blob takes up on disk; 0: it is not there. */
int64_t sw__blob_disk(const sw_worker *w, const char *digest);

#endif
