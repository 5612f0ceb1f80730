/*
 * slipway/source.h - the source kind: "scheme://ref" becomes a tree.
 *
 * One source goes: open (parse, nothing slow) -> cache_key (as often as it has more keys
 * to offer; may ask the network) -> snapshot (only when no key hit the cache) -> close.
 *
 * The session is handed to each call and borrowed until it returns: the one that opened a
 * source may have gone by the time of the next call, while another waits for the same.
 */
#ifndef SLIPWAY_SOURCE_H
#define SLIPWAY_SOURCE_H

#include <slipway/exporter.h> /* struct sw_attr */
#include <slipway/plugin.h>
#include <slipway/ref.h>
#include <slipway/session.h>

SW_BEGIN_DECLS

/* What a cache key call found out. Strings are handed to the core, from malloc. */
struct sw_source_key {
        uint32_t size;
        char *key; /* text that names the content: commit, manifest digest, JSON */
        char *pin; /* what to write down to get the same again; or NULL */
        bool more; /* a later call with index + 1 offers another key */
};

/* What is asked for. Grows at the end only; everything lives until close(). */
struct sw_source_request {
        uint32_t size;
        const char *identifier; /* with the scheme */
        const struct sw_attr *attrs;
        size_t n_attrs;
        const char *platform; /* "linux/amd64" */
        sw_worker *worker;    /* where trees are kept */
        bool no_cache;        /* look again, whatever is remembered of it */
};

/* What is known of a source without making its tree. Strings are from malloc, handed to the
 * core; what a source has nothing to say of stays NULL. Grows at the end only. */
struct sw_source_meta {
        uint32_t size;
        char *digest; /* of the manifest or index an image's name stands for, of a download:
                         "sha256:…"; the commit of a git reference, in hexadecimal digits */
        char *config; /* an image's configuration for the platform, JSON; NULL: not asked
                         for */
        char *name;   /* of the file that a download makes; the full name of a git reference
                       */
        bool has_time;
        int64_t time; /* s since the epoch: of the commit, Last-Modified */
};

struct sw_blob; /* slipway/blob.h */

struct sw_source_ops {
        struct sw_ops_hdr hdr;
        /* NULL-ended list: "git", "docker-image", … Required. */
        const char *const *schemes;

        /**
         * open - check and take apart an identifier. Required.
         * @req:  borrowed until close.
         * @inst: handed to the following calls.
         * Thread: any worker.   Blocks: no.   Errors: SW_E_INVALID.   Since: 0.1
         */
        sw_err *(*open)(void *self, sw_ctx *ctx, const struct sw_source_request *req,
                        void **inst);
        /** cache_key - the @index-th key, from 0. @session: or NULL. Required. Blocks: yes.
         *  A key that begins with "session:" is good for this build only. */
        sw_err *(*cache_key)(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                             unsigned index, struct sw_source_key *out);
        /** snapshot - the tree: made through the request's worker, or a directory that is
         *  not copied (sw_ref_new_dir). @session: or NULL. @out: handed back; NULL: the
         *  empty tree. Required. Blocks: yes. */
        sw_err *(*snapshot)(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                            sw_ref **out);
        /** close - @inst is not used any more. Required. */
        void (*close)(void *self, void *inst);

        /** resolve - what an identifier stands for: of an image digest and configuration,
         * no layer being fetched; of other things what is asked for before they are used.
         *  @config: whether an image's is wanted. @session: or NULL. @out: zeroed by the
         *  core but for size. May be absent. Blocks: yes.   Since: 0.1 */
        sw_err *(*resolve)(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                           bool config, struct sw_source_meta *out);

        /* Of sources that make lazy layers (slipway/blob.h); both or none. @locator: of the
         * layer's origin. Any thread, several at once.   Since: 0.1 */

        /** blob_fetch - the bytes of a blob into the content store, which it is not in.
         *  Resumes what was begun. Errors: SW_E_CORRUPT: they are not what the digest
         *  says; nothing stays then. */
        sw_err *(*blob_fetch)(void *self, sw_ctx *ctx, sw_session *session,
                              sw_worker *worker, const char *locator,
                              const struct sw_blob *blob);
        /** blob_unpack - tell a layer writer what is in a blob, from the content store or
         *  fetched meanwhile; finish() is the core's. Digest and diff id are right when it
         *  returns SW_OK. @implied: gets directories that the blob presumes without having
         *  them. */
        sw_err *(*blob_unpack)(void *self, sw_ctx *ctx, sw_session *session,
                               sw_worker *worker, const char *locator,
                               const struct sw_blob *blob, const struct sw_layer_ops *ops,
                               void *writer, sw_strlist *implied);
};

SW_END_DECLS
#endif
