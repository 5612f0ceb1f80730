/*
 * slipway/cache.h - the cache backend kind: places that keep build cache for others.
 *
 * A backend moves two kinds of things: the cache configuration (JSON, reference format)
 * and the blobs it names. What they mean is the core's business.
 */
#ifndef SLIPWAY_CACHE_H
#define SLIPWAY_CACHE_H

#include <slipway/digest.h>
#include <slipway/exporter.h>
#include <slipway/plugin.h>
#include <slipway/session.h>

SW_BEGIN_DECLS

struct sw_cache_ops {
        struct sw_ops_hdr hdr;
        /**
         * open - check attributes and connect. Required.
         * @attrs:  of --import-cache or --export-cache, "type" left out; borrowed.
         * @writing: export; otherwise import.
         * Thread: any worker.   Blocks: yes.
         * Errors: SW_E_INVALID naming the attribute, SW_E_REMOTE.   Since: 0.1
         */
        sw_err *(*open)(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n,
                        bool writing, sw_session *session, void **place);
        /** close - @place: given. Required. */
        void (*close)(void *self, void *place);

        /* All of these: any worker, several at once for one place; they block, and return
         * within SW_CANCEL_GRACE_MS of cancellation. Errors: SW_E_REMOTE, SW_E_DENIED,
         * SW_E_IO, SW_E_CANCELLED.   Since: 0.1 */

        /** load - append the configuration to @out. Errors: SW_E_NOT_FOUND: there is none
         *  yet; SW_E_LIMIT. Required. */
        sw_err *(*load)(void *place, sw_ctx *ctx, sw_buf *out);
        /** save - store it, @n bytes, after every blob it names. May be absent: the place
         * is for reading. */
        sw_err *(*save)(void *place, sw_ctx *ctx, const void *p, size_t n);
        /** has - whether the place has the blob. Required with save. */
        sw_err *(*has)(void *place, sw_ctx *ctx, const sw_digest *d, bool *out);
        /** get - write the blob to @fd (borrowed) from where that stands, and verify it.
         *  Errors: SW_E_NOT_FOUND, SW_E_CORRUPT. Required. */
        sw_err *(*get)(void *place, sw_ctx *ctx, const sw_digest *d, int fd);
        /** put - store the @len bytes of @fd (borrowed) from where that stands. Required
         *  with save. */
        sw_err *(*put)(void *place, sw_ctx *ctx, const sw_digest *d, int fd, int64_t len);
};

SW_END_DECLS
#endif
