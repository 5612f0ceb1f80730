/*
 * lib/registry/client.h - what the files of the client share.
 *
 *      pull.c blob.c push.c      the calls of registry.h
 *      talk.c                    a request with credentials, redirects, retries
 *      auth.c token.c            what a host wants to see; tokens
 *      hosts.c certs.c slots.c   hosts as configured; their certificates; how many at once
 *      lib/http/                 single exchanges, URLs, certificates
 *
 * Locks: each of hosts, auth and slots has its own; none is held while another is taken,
 * except that of an auth host across fetching a token for it (sw_ctx_lock).
 */
#ifndef SLIPWAY_LIB_REGISTRY_CLIENT_H
#define SLIPWAY_LIB_REGISTRY_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include <slipway/map.h>

#include "lib/http/http.h"
#include "lib/registry/registry.h"

/* ---- hosts (hosts.c, certs.c) ---- */

/* A host to talk to: made once for each name, kept as long as the client. */
struct sw__host {
        char *name;     /* "registry-1.docker.io", "localhost:5000": as in URLs */
        bool local;     /* this machine: plain HTTP unless configured, never by proxy */
        bool http;      /* plain HTTP is what it speaks */
        bool try_https; /* but TLS is tried first */
        atomic_bool fell_back; /* to HTTP, and it answered */
        struct sw__tls tls;
        struct sw__tls others; /* for hosts it sends us to: the same, but no key */
};

/* A way to a repository: the registry itself or a mirror. */
struct sw__endpoint {
        struct sw__host *host; /* borrowed from the client */
        char *prefix;          /* of repositories on a mirror: "dockerhub/"; or "" */
        char *ns;              /* on a mirror: the host it stands for; or NULL */
};

struct sw__hosts {
        const sw_config *config;
        pthread_mutex_t lock;
        sw_map *known; /* name, or "!" name where any certificate will do -> sw__host */
};
void sw__hosts_init(struct sw__hosts *h, const sw_config *config);
void sw__hosts_release(struct sw__hosts *h);
/* @insecure: of the call. Errors: SW_E_CONFIG, naming the file. */
SW_NODISCARD sw_err *sw__hosts_get(struct sw__hosts *h, const char *name, bool insecure,
                                   struct sw__host **out);
/* Whether there is a table of that name. */
bool sw__hosts_configured(const struct sw__hosts *h, const char *name);
typedef SW_ARRAY(struct sw__endpoint) sw__endpoints;
void sw__endpoints_release(sw__endpoints *e);
SW_DEFINE_AUTO(sw__endpoints, sw__endpoints_release)
/* The ways to what a call names, in order; the registry itself is the last one. */
SW_NODISCARD sw_err *sw__hosts_endpoints(struct sw__hosts *h,
                                         const struct sw_registry_call *c, bool mirrors,
                                         sw__endpoints *out);
/* "https" or "http", as it is to be tried now. */
const char *sw__host_scheme(const struct sw__host *h);

/* What the configuration says of trust. @name: of the table. */
SW_NODISCARD sw_err *sw__certs_load(const sw_config *c, const char *name,
                                    struct sw__tls *tls);

/* ---- how many at once (slots.c) ---- */

struct sw__slots {
        pthread_mutex_t lock;
        sw_map *hosts; /* name -> struct slot_host */
        unsigned limit;
};
void sw__slots_init(struct sw__slots *s, unsigned limit);
void sw__slots_release(struct sw__slots *s);
/* Wait for a turn; first come, first served. @document: one more is let in of these. */
SW_NODISCARD sw_err *sw__slots_take(struct sw__slots *s, sw_ctx *ctx, const char *host,
                                    bool document);
void sw__slots_give(struct sw__slots *s, const char *host);

/* ---- credentials and tokens (auth.c, token.c) ---- */

struct sw__cred {
        bool asked;
        char *user, *secret; /* both NULL: anonymous; see slipway/session.h */
};
void sw__cred_release(struct sw__cred *c);

struct sw__auth {
        pthread_mutex_t lock;
        sw_map *hosts; /* origin -> struct sw__auth_host; kept as long as the client */
};
void sw__auth_init(struct sw__auth *a);
void sw__auth_release(struct sw__auth *a);

struct sw__talk;
/* What is known to be wanted, as an Authorization header's value; none: empty. */
SW_NODISCARD sw_err *sw__auth_known(struct sw__talk *t, sw_buf *out);
/**
 * sw__auth_challenged - after a 401 that came although @used was sent ("": nothing was).
 * @out: something else to try with. Errors: SW_E_DENIED: there is nothing.
 */
SW_NODISCARD sw_err *sw__auth_challenged(struct sw__talk *t,
                                         const struct sw__http_answer *a, const char *used,
                                         sw_buf *out);
/* "anonymously; no credentials for HOST in PLACES" and the like, for errors. */
void sw__auth_explain(struct sw__talk *t, sw_buf *out);

/* What is asked of a token server, and what it gives. */
struct sw__token_ask {
        const char *realm, *service; /* service may be NULL */
        const sw_strlist *scopes;
        bool only_get; /* it is known not to take POST */
};
struct sw__token {
        char *value;
        int64_t until; /* monotonic, ns: ask for another from then on */
        bool only_get; /* found out */
};
SW_NODISCARD sw_err *sw__token_fetch(struct sw__talk *t, const struct sw__token_ask *ask,
                                     struct sw__token *out);

/* ---- requests (talk.c) ---- */

struct sw_registry {
        sw__http *http;
        struct sw__hosts hosts;
        struct sw__auth auth;
        struct sw__slots slots;
        sw_log *log;
        unsigned stall_s;
        int64_t retry_ns; /* before the second try */
};

/* One call of registry.h with one endpoint. */
struct sw__talk {
        sw_registry *r;
        const struct sw_registry_call *c;
        const struct sw__endpoint *e;
        sw_strlist scopes; /* tokens are asked for these */
        struct sw__cred cred;
        int tries; /* that failed */
        bool over; /* no other endpoint would do better */
};
void sw__talk_init(struct sw__talk *t, sw_registry *r, const struct sw_registry_call *c,
                   const struct sw__endpoint *e);
void sw__talk_release(struct sw__talk *t);
typedef struct sw__talk sw__talk;
SW_DEFINE_AUTO(sw__talk, sw__talk_release)

/* "https://host/v2/prefix/repo/" and what follows; @path is safe in a URL. */
void sw__talk_url(const struct sw__talk *t, sw_buf *out, const char *path);
/* "https://host" of the endpoint now. */
void sw__talk_origin(const struct sw__talk *t, sw_buf *out);
/* Whether a URL is of that origin. */
bool sw__talk_own(const struct sw__talk *t, const char *url);
/* @to as seen from @from; https does not lead to http.  Errors: SW_E_REMOTE. */
SW_NODISCARD sw_err *sw__url_follow(const char *from, const char *to, char **out);
/* Append @s, percent-encoded as a value in a query or form. */
void sw__url_add(sw_buf *b, const char *s);
/* How the host of a URL is to be trusted and reached, to which @t came by its endpoint. */
SW_NODISCARD sw_err *sw__talk_reach(struct sw__talk *t, struct sw__http_request *q);

/* q->url, q->tls, q->direct and q->stall_s are filled in here; headers are added to. */
struct sw__ask {
        struct sw__http_request q;
        const char *url;
        const char *accept;       /* or NULL */
        const char *content_type; /* or NULL */
        const char *extra;        /* another header line, or NULL */
};
/** sw__talk_once - with credentials and redirects; any status is fine. */
SW_NODISCARD sw_err *sw__talk_once(struct sw__talk *t, const struct sw__ask *ask,
                                   struct sw__http_answer *a);
/** sw__talk_ask - the same, tried again as registry.h says. Statuses that are tried again
 *  come back when tries are over; errors have been through sw__talk_failed(). */
SW_NODISCARD sw_err *sw__talk_ask(struct sw__talk *t, const struct sw__ask *ask,
                                  struct sw__http_answer *a);
/* Whether to try again, after the wait that is due. *@err: what the try ended with; freed
 * when it is true, replaced when the wait was cancelled. */
bool sw__talk_again(struct sw__talk *t, const struct sw__http_answer *a, sw_err **err);
/* Say of an exchange that failed with whom it was, how often, and what may help. */
SW_NODISCARD sw_err *sw__talk_failed(struct sw__talk *t, const struct sw__http_answer *a,
                                     sw_err *err);
/* Make an error of an answer that is not what was wanted. @what: "manifest x". */
SW_NODISCARD sw_err *sw__talk_refused(struct sw__talk *t, const struct sw__http_answer *a,
                                      const char *what);

/* What may come where a manifest is asked for; the last one lets registries answer with
 * what they have, so that we can say what is wrong with it. */
#define SW__ACCEPT                                                                         \
        SW_MT_OCI_INDEX ", " SW_MT_OCI_MANIFEST ", " SW_MT_DOCKER_LIST                     \
                        ", " SW_MT_DOCKER_MANIFEST ", */*"

/* Whether a blob, or manifest, is there (list.c). */
SW_NODISCARD sw_err *sw__talk_has(struct sw__talk *t, const sw_desc *d, bool manifest,
                                  bool *out);

/* Whether @s can be a tag (list.c). */
bool sw__is_tag(const char *s);

/* Call @fn with each endpoint until one succeeds; what a mirror fails with is logged. */
typedef sw_err *sw__talk_fn(struct sw__talk *t, void *arg);
enum sw__via { SW__DIRECT, SW__VIA_MIRRORS };
SW_NODISCARD sw_err *sw__talk_each(sw_registry *r, const struct sw_registry_call *c,
                                   enum sw__via via, sw__talk_fn *fn, void *arg);

#endif
