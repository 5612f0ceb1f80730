/*
 * lib/http/http.h - single HTTP exchanges: no redirects, no credentials, no retries.
 *
 *      sw__http_new -> sw__http_do from any thread, several at once -> sw__http_free
 *
 * One thread drives all transfers with curl's multi interface (loop.c). It never waits for
 * a user: what arrives is put in a buffer of the transfer; when that is full the transfer
 * is paused. The calling thread empties the buffer, so that hashing and writing happen
 * there, and of several transfers side by side.
 *
 *      loop thread                     calling thread
 *      curl -> xfer.filled  --swap-->  data() of the request
 *               full: pause <--------  room again: resume
 *               done        -------->  sw__http_do returns
 *
 * HTTP/2 is spoken where TLS finds it, one transfer at a time on each connection: with
 * several on one, libcurl 7.88 lets a paused transfer hold up the others.
 */
#ifndef SLIPWAY_LIB_HTTP_HTTP_H
#define SLIPWAY_LIB_HTTP_HTTP_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/cancel.h>

/* How a host is to be trusted, and what is shown to it. PEM; empty: none. Unchanged while
 * any request uses it. */
struct sw__tls {
        bool insecure;
        sw_buf ca; /* besides the system's */
        sw_buf cert, key;
};

struct sw__http_opts {
        const char *user_agent;
        unsigned connect_s; /* until there is a connection */
};

typedef struct sw__http sw__http;
SW_NODISCARD sw_err *sw__http_new(const struct sw__http_opts *opts, sw__http **out);
void sw__http_free(sw__http *h); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw__http, sw__http_free)

/* How an exchange failed; what a retry depends on. */
enum sw__fault {
        SW__FAULT_NONE,
        SW__FAULT_CONNECT, /* no connection: name, route, refused, too slow */
        SW__FAULT_TLS,     /* something is there, but does not speak TLS as we do */
        SW__FAULT_TRUST,   /* its certificate, or ours */
        SW__FAULT_BROKEN,  /* it broke off, or stalled */
        SW__FAULT_ANSWER,  /* what came is no HTTP, or larger than it may be */
        SW__FAULT_USER,    /* cancelled, or data() failed: the error says it all */
};

struct sw__http_answer {
        enum sw__fault fault;
        long status;
        bool near;          /* who answered is on this machine, or on the same link */
        sw_strlist headers; /* "name: value" */
        sw_buf body;        /* what data() did not get */
};
void sw__http_answer_release(struct sw__http_answer *a);
typedef struct sw__http_answer sw__http_answer;
SW_DEFINE_AUTO(sw__http_answer, sw__http_answer_release)
/** The @nth value of a header, from 0, or NULL. */
const char *sw__http_header(const struct sw__http_answer *a, const char *name, size_t nth);

struct sw__http_request {
        const char *method;
        const char *url;
        const sw_strlist *headers; /* "Name: value"; may be NULL */
        const struct sw__tls *tls; /* NULL: the system's trust */
        bool direct;               /* whatever the environment says of proxies */
        bool far;                  /* not to this machine, nor to its link; a proxy may */
        unsigned stall_s;          /* nothing moves for so long: it broke off */

        bool has_body;
        const void *body; /* NULL: from body_fd */
        int body_fd;      /* a regular file */
        int64_t body_off, body_len;

        size_t max_body; /* of answers that data() does not get */
        /* For the body of an answer 200, 203 or 206, piece by piece, on the calling thread;
         * NULL: it is kept in the answer. */
        sw_err *(*data)(void *arg, const struct sw__http_answer *a, const void *p,
                        size_t n);
        void (*sent)(void *arg, int64_t n); /* of the body, so far; may be NULL */
        void *arg;
};

/**
 * sw__http_do - one exchange.
 * @a: filled also on failure: fault, and whatever came.
 * Bodies of refusals (400 and up) are cut at max_body; others must keep to it.
 * Errors: SW_E_REMOTE, SW_E_TIMEOUT, SW_E_LIMIT, SW_E_CANCELLED, what data() returned.
 */
SW_NODISCARD sw_err *sw__http_do(sw__http *h, sw_cancel *cancel,
                                 const struct sw__http_request *q,
                                 struct sw__http_answer *a);

#endif
