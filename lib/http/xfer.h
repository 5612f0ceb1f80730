/*
 * lib/http/xfer.h - a transfer, as the loop (loop.c), curl's callbacks (xfer.c) and the
 * calling thread (http.c) share it.
 *
 * Counted: the caller has one reference, the loop another from sw__loop_add() until it is
 * done. A caller that goes early (cancellation, a sink that failed) leaves nothing behind
 * that the transfer uses: it has its own copy of the body, or of the descriptor.
 */
#ifndef SLIPWAY_LIB_HTTP_XFER_H
#define SLIPWAY_LIB_HTTP_XFER_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/http/curl.h"
#include "lib/http/http.h"

struct sw__xfer {
        atomic_int refs;

        /* Set up by the caller, then the loop thread's. */
        CURL *easy;
        struct curl_slist *headers;
        void *body;
        sw_fd body_fd;
        int64_t body_off, body_len, body_at;
        size_t header_bytes;
        bool too_large; /* the head is */
        bool proxied, far;
        bool kept_far;  /* there were addresses that are near */
        int read_error; /* errno of reading the body; ENODATA: it has become shorter */

        /* Written by the loop thread before `head` is set; the caller's afterwards. */
        sw_strlist answer_headers;
        long status;

        pthread_mutex_t lock;
        pthread_cond_t changed;
        /* Under the lock. */
        sw_buf filled;
        int64_t sent;
        bool head;      /* headers and status are there */
        bool said;      /* that there is something in filled */
        bool paused;    /* filled was full */
        bool cancelled; /* the caller's token was */
        bool done;
        CURLcode result;
        bool connected; /* it got as far as a connection */
        bool near;
        char error[CURL_ERROR_SIZE]; /* written by the loop thread until done */

        /* Under the loop's lock. */
        bool queued, wanted_gone;
        struct sw__xfer *next;

        /* The loop thread's own. */
        bool running;
        bool unsaid; /* something is in filled that the caller was not told of */
};

struct sw__http;
SW_NODISCARD sw_err *sw__xfer_new(const struct sw__http *h,
                                  const struct sw__http_request *q, struct sw__xfer **out);
void sw__xfer_unref(struct sw__xfer *x);
/* The transfer came to its end; the loop thread says so, once. */
void sw__xfer_finish(struct sw__xfer *x, CURLcode result);

/* Tell the caller of what is there, however little. The loop thread's. */
void sw__xfer_say(struct sw__xfer *x);

/* ---- the thread ---- */

struct sw__loop {
        CURLM *multi;
        pthread_t thread;
        bool started;
        pthread_mutex_t lock;
        /* Under the lock. */
        struct sw__xfer *inbox; /* those with something to do, newest first */
        bool quit;
        /* The thread's own. */
        SW_ARRAY(struct sw__xfer *) running;
};
SW_NODISCARD sw_err *sw__loop_start(struct sw__loop *l);
void sw__loop_stop(struct sw__loop *l);
/* Start it; go on with it after a pause. */
void sw__loop_kick(struct sw__loop *l, struct sw__xfer *x);
/* End it; the caller does not wait. */
void sw__loop_drop(struct sw__loop *l, struct sw__xfer *x);

/* Proxies as the environment names them, read once. */
struct sw__proxies {
        char *http, *https, *except;
};

struct sw__http {
        struct sw__loop loop;
        struct sw__proxies proxies;
        char *user_agent;
        unsigned connect_s;
        pthread_mutex_t lock; /* over starting the loop */
        bool ready;
};

#endif
