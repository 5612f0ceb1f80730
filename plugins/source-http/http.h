/*
 * plugins/source-http/http.h - what the files of this plugin share.
 *
 *      spec.c      what is asked for: identifier and attributes; cache keys
 *      source.c    the operations: what a URL stands for now, and its tree
 *      fetch.c     is it the same still; downloading: tries, resuming
 *      request.c   requests with credentials and redirects
 *      head.c      what answers say
 *      remember.c  what is remembered of a URL: ETags and what they stood for
 *      tree.c      the tree with the one file
 *      name.c date.c   what headers say, taken apart
 *
 * Bytes go into the content store while they arrive, so that a download that breaks off is
 * resumed, by whichever process; from there into the tree. Trees are found again by a name
 * made of all that is in them, as long as they are not pruned.
 */
#ifndef SLIPWAY_SOURCE_HTTP_H
#define SLIPWAY_SOURCE_HTTP_H

#include <slipway/blob.h>
#include <slipway/source.h>

#include "lib/http/http.h"
#include "plugins/source-http/name.h"

/* The plugin. */
struct web {
        sw__http *http;
        struct sw__tls tls; /* the system's trust and what the configuration adds */
        int64_t max_size;
        int64_t retry_ns; /* before the second try */
        sw_log *log;
};

/* What is asked for. */
struct spec {
        char *url;   /* as it is sent; may name a user */
        char *shown; /* for people: nothing secret in it */
        char *host;
        char *filename; /* NULL: found out */
        bool has_checksum;
        sw_digest checksum;
        int64_t perm, uid, gid;          /* perm 0: the default, 0600 */
        char *auth_secret;               /* NULL: the usual ones */
        char *accept, *user_agent;       /* NULL: ours */
        char key[SW_DIGEST_HEX_LEN + 1]; /* of what is remembered of it */
};
SW_NODISCARD sw_err *http_spec_init(struct spec *s, const struct sw_source_request *req);
void http_spec_release(struct spec *s);

/* What a URL stands for. */
struct content {
        sw_digest digest;
        bool has_time; /* the server told it: Last-Modified */
        int64_t time;  /* s since the epoch */
        char *name;    /* that the server gave it; or NULL */
        char *etag;    /* without W/; or NULL */
};
void content_release(struct content *c);
typedef struct content content;
SW_DEFINE_AUTO(content, content_release)
typedef SW_ARRAY(struct content) contents;
bool contents_same(const contents *a, const contents *b);
void contents_release(contents *c);
SW_DEFINE_AUTO(contents, contents_release)

/** The name of the file; @c: what the server said, or NULL. From malloc. */
char *spec_name(const struct spec *s, const struct content *c);
/** The cache key, byte for byte as BuildKit's: "sha256:…". From malloc. */
char *http_spec_cache_key(const struct spec *s, const struct content *c);

/* ---- remember.c ---- */

/** remember_get - what this URL stood for, the newest first; none when nothing is known or
 *  it cannot be read. */
void remember_get(sw_worker *w, const struct spec *s, contents *out);
/** remember_put - put @c before the others. */
void remember_put(sw_worker *w, const struct spec *s, const struct content *c);
/** Of a download that is on its way: what tells whether it is still the same; "": nothing.
 *  @validator: for If-Range. */
void remember_part(sw_worker *w, const struct spec *s, const char *validator);
void remember_part_end(sw_worker *w, const struct spec *s); /* it is all there */
void remember_part_get(sw_worker *w, const struct spec *s, sw_buf *out);

/* ---- tree.c ---- */

/** tree_find - the tree as it was made before; NULL: it was not, or is gone. */
SW_NODISCARD sw_err *tree_find(sw_worker *w, sw_ctx *ctx, const struct spec *s,
                               const struct content *c, sw_ref **out);
/** http_tree_make - of what is in the content store. Errors: SW_E_NOT_FOUND: it is not. */
SW_NODISCARD sw_err *http_tree_make(sw_worker *w, sw_ctx *ctx, const struct spec *s,
                                    const struct content *c, sw_ref **out);

/* ---- fetch.c ---- */

struct asking {
        const struct web *web;
        const struct spec *spec;
        sw_worker *worker;
        sw_ctx *ctx;
        sw_session *session;
};

/** fetch_same - whether one of @known is what the URL stands for still; asks with HEAD.
 *  *hit: its index, or -1. @out: filled in with what the answer said of it. */
SW_NODISCARD sw_err *fetch_same(const struct asking *a, const contents *known, int *hit,
                                struct content *out);
/** fetch_claim - the right to download it: one at a time, of all processes.
 *  Errors: SW_E_BUSY: somebody else does just now. */
SW_NODISCARD sw_err *fetch_claim(const struct asking *a, sw_ingest **out);
void fetch_unclaim(sw_ingest *in); /* given; what is there stays */
/** fetch_all - download it into the content store, and remember it. @in: given. @known:
 * what the server may say it still is: *hit as above then. */
SW_NODISCARD sw_err *fetch_all(const struct asking *a, sw_ingest *in, const contents *known,
                               int *hit, struct content *out);

#endif
