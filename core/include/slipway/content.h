/*
 * slipway/content.h - blobs by digest: verified on the way in, never changed.
 *
 * Below <root>/content: blobs/sha256/<hex>, and ingest/ for what is on its way in. A blob
 * appears under its digest only when all of it was there and right; two writers of one
 * digest at once both succeed. An ingest has a name (a ref, as containerd calls it), by
 * which one that was interrupted is resumed where it stopped, by this or another process.
 *
 * What is ingested is kept while this process lives, after that as long as a layer or an
 * image names it (slipway/blob.h).
 *
 * Thread: any; a writer belongs to one thread at a time.
 */
#ifndef SLIPWAY_CONTENT_H
#define SLIPWAY_CONTENT_H

#include <slipway/ctx.h>
#include <slipway/digest.h>

SW_BEGIN_DECLS

typedef struct sw_content sw_content;
typedef struct sw_ingest sw_ingest;

struct sw_blob_info {
        sw_digest digest;
        int64_t size;
        int64_t modified; /* ns since the epoch */
};

/**
 * sw_content_ingest - begin or resume writing a blob.
 * @name:     of the ingest: any text of at most 1 KiB.
 * @expected: its digest, or NULL: not known yet. If it is there: SW_E_EXISTS.
 * @size:     expected bytes; -1: not known.
 * @out:      handed back.
 * Errors: SW_E_EXISTS, SW_E_BUSY (another writer has that name now), SW_E_IO.
 */
SW_API SW_NODISCARD sw_err *sw_content_ingest(sw_content *c, sw_ctx *ctx, const char *name,
                                              const sw_digest *expected, int64_t size,
                                              sw_ingest **out);
SW_API int64_t sw_ingest_offset(const sw_ingest *i); /* bytes that are there */
/** sw_ingest_write - append. Errors: SW_E_LIMIT (more than @size), SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_ingest_write(sw_ingest *i, const void *p, size_t n);
/** sw_ingest_copy - append @len bytes of @fd from @off, without taking them through user
 *  space more often than the digest needs. -1: to its end. Errors: as write, and
 *  SW_E_CANCELLED; SW_E_IO also when @fd ends early. */
SW_API SW_NODISCARD sw_err *sw_ingest_copy(sw_ingest *i, sw_ctx *ctx, int fd, int64_t off,
                                           int64_t len);
/** sw_ingest_restart - forget what is there. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_ingest_restart(sw_ingest *i);
/** sw_ingest_seal - the digest of what is there, which is all of it: nothing may be added
 *  any more, unless it is restarted. For who has to write it down before others, who wait
 *  for the name of the ingest, can take that.  Since: 0.1 */
SW_API sw_digest sw_ingest_seal(sw_ingest *i);
/** sw_ingest_commit - verify, make durable, put in place. @i: given. @expected: as above,
 *  may be NULL. @out: may be NULL. Errors: SW_E_CORRUPT (digest or size differ: names both;
 *  the ingest is removed), SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_ingest_commit(sw_ingest *i, const sw_digest *expected,
                                             struct sw_blob_info *out);
/** sw_ingest_close - leave it to be resumed. @i: given. */
SW_API void sw_ingest_close(sw_ingest *i);
/** sw_ingest_abort - remove it. @i: given; NULL is fine. */
SW_API void sw_ingest_abort(sw_ingest *i);

/** sw_content_open - a descriptor of the blob, O_RDONLY; handed back.
 *  Errors: SW_E_NOT_FOUND, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_content_open(sw_content *c, const sw_digest *d, int *fd,
                                            struct sw_blob_info *info);
/** sw_content_info - the same without opening it. */
SW_API SW_NODISCARD sw_err *sw_content_info(sw_content *c, const sw_digest *d,
                                            struct sw_blob_info *out);
/** sw_content_remove - a missing one is fine. Errors: SW_E_DENIED, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_content_remove(sw_content *c, const sw_digest *d);
typedef bool sw_blob_fn(void *arg, const struct sw_blob_info *info);
/** sw_content_walk - every blob, in any order; @fn returns false to end it. Errors:
 *  SW_E_CANCELLED, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_content_walk(sw_content *c, sw_ctx *ctx, sw_blob_fn *fn,
                                            void *arg);

SW_DEFINE_AUTOPTR(sw_ingest, sw_ingest_abort)

SW_END_DECLS
#endif
