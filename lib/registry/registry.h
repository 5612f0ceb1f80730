/*
 * lib/registry/registry.h - a client of registries (OCI distribution API) on libcurl.
 *
 * One sw_registry serves a whole plugin: it keeps what is known of hosts, connections that
 * are open, and tokens per host, repository and action. Everything that is fetched is
 * checked against its digest and size before it is said to be there.
 *
 *      sw_registry_new -> calls, from any thread, several at once -> sw_registry_free
 *
 * Thread: any. One thread of its own drives all transfers with curl's multi interface
 * (connection reuse, HTTP/2); calls block until theirs is done, and return within
 * SW_CANCEL_GRACE_MS of cancellation.
 *
 * Hosts: mirrors of the configuration first (pull and resolve only), then the host itself
 * (docker.io: registry-1.docker.io). A mirror that fails is passed over, with a warning in
 * the log. Requests that fail with 408, 429, 5xx or on the way are tried again: 6 times at
 * most (3 times where nobody answers), waiting 0.5 s and twice as long each time, with
 * jitter, or as Retry-After says; a registry that wants more than a minute is taken at its
 * word, and the call fails. What gets on counts anew. Redirects are followed to any host
 * (https never to http), ten at most, and carry no credentials to another host.
 *
 * Credentials are asked of the session; what it answers is used for basic authentication,
 * for tokens, or as an identity token. A token is fetched anew half a minute before it
 * ends, or when it is refused, also in the middle of a push.
 *
 * Errors name what was asked of which host: SW_E_NOT_FOUND, SW_E_DENIED (host, scope, and
 * where credentials were looked for), SW_E_CORRUPT (digest or size differ), SW_E_LIMIT,
 * SW_E_REMOTE (the registry or the network, and tries are over), SW_E_UNSUPPORTED,
 * SW_E_CANCELLED.
 */
#ifndef SLIPWAY_LIB_REGISTRY_REGISTRY_H
#define SLIPWAY_LIB_REGISTRY_REGISTRY_H

#include <slipway/config.h>
#include <slipway/session.h>

#include "lib/image/image.h"
#include <slipway/imagename.h>

typedef struct sw_registry sw_registry;

struct sw_registry_opts {
        const sw_config *config; /* registry.<HOST>.*, system.maxRegistryConcurrency;
                                    borrowed until free; NULL: defaults */
        sw_log *log;             /* borrowed; may be NULL */
        const char *user_agent;  /* NULL: "slipway/VERSION" */
        unsigned stall_s;        /* a transfer that stands still so long broke off; 0: 60 */
        unsigned retry_ms;       /* before the second try; 0: 500 */
};
SW_NODISCARD sw_err *sw_registry_new(const struct sw_registry_opts *opts,
                                     sw_registry **out);
void sw_registry_free(sw_registry *r); /* no call is under way; NULL is fine */

/* Who asks for what; part of every call, all borrowed. */
struct sw_registry_call {
        sw_ctx *ctx;
        sw_session *session; /* credentials; NULL: none */
        const struct sw_image_name *name;
        bool insecure; /* registry.insecure: TLS not verified, else plain HTTP */
        bool push;     /* ask for tokens that may push; mirrors are not asked */
};

/* ---- pull ---- */

/**
 * sw_registry_resolve - what a name stands for: its digest if it has one, else its tag.
 * @out: media type, digest, size; the caller's.
 * @body: when the document came with it, it is put here; may be NULL.
 */
SW_NODISCARD sw_err *sw_registry_resolve(sw_registry *r, const struct sw_registry_call *c,
                                         sw_desc *out, sw_buf *body);
/** sw_registry_document - a manifest, index, or configuration by descriptor, verified, at
 *  most @max bytes; appended to @out. Blobs are looked for where manifests are not.
 *  @d: size -1: not known. */
SW_NODISCARD sw_err *sw_registry_document(sw_registry *r, const struct sw_registry_call *c,
                                          const sw_desc *d, size_t max, sw_buf *out);

/* Where a blob goes, piece by piece, in order. */
struct sw_blob_sink {
        /* write - from one thread at a time; what it returns ends the transfer. May block:
         * the transfer waits. */
        sw_err *(*write)(void *arg, const void *p, size_t n);
        /* progress - bytes there so far, of d->size; may be NULL. */
        void (*progress)(void *arg, int64_t done);
        void *arg;
};
/**
 * sw_registry_blob - fetch a blob from byte @from on.
 * @d: size -1: not known.
 * @prior: hash state of the bytes before @from, handed in and used up; NULL when 0.
 * A transfer that breaks off is resumed where it stopped. SW_OK: all bytes went to the
 * sink, and digest and size are right. Until then the sink's user trusts nothing.
 */
SW_NODISCARD sw_err *sw_registry_blob(sw_registry *r, const struct sw_registry_call *c,
                                      const sw_desc *d, int64_t from, sw_hasher *prior,
                                      const struct sw_blob_sink *sink);

/** sw_registry_tags - all of a repository, sorted as the registry does; added to @out. */
SW_NODISCARD sw_err *sw_registry_tags(sw_registry *r, const struct sw_registry_call *c,
                                      sw_strlist *out);
/** sw_registry_referrers - manifests whose subject is @d, of @type (NULL: any); by the
 *  referrers API, or the tag "sha256-…" of registries without it. Appended to @out. */
SW_NODISCARD sw_err *sw_registry_referrers(sw_registry *r, const struct sw_registry_call *c,
                                           const sw_digest *d, const char *type,
                                           sw_descs *out);

/* ---- push ---- */

/** sw_registry_has - whether a blob (@manifest: a manifest) is there. */
SW_NODISCARD sw_err *sw_registry_has(sw_registry *r, const struct sw_registry_call *c,
                                     const sw_desc *d, bool manifest, bool *out);

enum sw_pushed { SW_PUSHED_SENT, SW_PUSHED_EXISTED, SW_PUSHED_MOUNTED };

struct sw_push {
        const sw_desc *desc;
        /* open - asked for the bytes once they are needed; *fd handed back, a file whose
         * bytes [0, desc->size) are the blob. */
        sw_err *(*open)(void *arg, sw_ctx *ctx, int *fd);
        void (*progress)(void *arg, int64_t done); /* may be NULL */
        void *arg;
        const char *const *from; /* repositories on the same host it may be mounted from,
                                    NULL-ended; or NULL */
        bool chunked; /* in chunks of 8 MiB that are resumed one by one; false: in one
                         request, and in chunks after that broke off */
};
/** sw_registry_push_blob - unless it is there already. @out: what was done; may be NULL. */
SW_NODISCARD sw_err *sw_registry_push_blob(sw_registry *r, const struct sw_registry_call *c,
                                           const struct sw_push *p, enum sw_pushed *out);
/** sw_registry_push_manifest - under @tag; NULL: by digest alone. */
SW_NODISCARD sw_err *sw_registry_push_manifest(sw_registry *r,
                                               const struct sw_registry_call *c,
                                               const char *tag, const sw_desc *d,
                                               const void *p, size_t n);

SW_DEFINE_AUTOPTR(sw_registry, sw_registry_free)

#endif
