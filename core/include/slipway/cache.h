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
        void (*close)(void *self, void *place);
        /** load - append the configuration to @out. Errors: SW_E_NOT_FOUND: empty. */
        sw_err *(*load)(void *place, sw_ctx *ctx, sw_buf *out);
        /** save - store it, after every blob it names. May be absent: read-only. */
        sw_err *(*save)(void *place, sw_ctx *ctx, const void *p, size_t n);
        /** has, get, put - blobs. get writes to @fd and verifies; put reads @len bytes. */
        sw_err *(*has)(void *place, sw_ctx *ctx, const sw_digest *d, bool *out);
        sw_err *(*get)(void *place, sw_ctx *ctx, const sw_digest *d, int fd);
        sw_err *(*put)(void *place, sw_ctx *ctx, const sw_digest *d, int fd, int64_t len);
};

SW_END_DECLS
#endif
