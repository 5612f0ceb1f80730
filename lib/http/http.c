/*
 * lib/http/http.c - the caller's side of an exchange.
 *
 * Thread: any. The loop and curl are started with the first request: a plugin that is
 * loaded and not needed costs nothing.
 */
#include <string.h>
#include <strings.h>

#include "lib/http/url.h"
#include "lib/http/xfer.h"

static const char *
env_of(const char *a, const char *b)
{
        const char *s = getenv(a);

        if (!s || !*s)
                s = getenv(b);
        return s && *s ? s : NULL;
}

/* As most programs have it: upper or lower case, ALL_PROXY for what has none. */
static void
read_proxies(struct sw__proxies *p)
{
        const char *all = env_of("ALL_PROXY", "all_proxy");
        const char *http = env_of("HTTP_PROXY", "http_proxy");
        const char *https = env_of("HTTPS_PROXY", "https_proxy");

        p->http = sw_strdup(http ?: all);
        p->https = sw_strdup(https ?: all);
        p->except = sw_strdup(env_of("NO_PROXY", "no_proxy"));
}

sw_err *
sw__http_new(const struct sw__http_opts *opts, sw__http **out)
{
        sw__http *h = sw_new(sw__http);

        pthread_mutex_init(&h->lock, NULL);
        pthread_mutex_init(&h->loop.lock, NULL);
        h->user_agent = sw_strdup(opts->user_agent);
        h->connect_s = opts->connect_s;
        read_proxies(&h->proxies);
        *out = h;
        return SW_OK;
}

void
sw__http_free(sw__http *h)
{
        if (!h)
                return;
        sw__loop_stop(&h->loop);
        if (h->ready)
                curl_global_cleanup();
        free(h->proxies.http);
        free(h->proxies.https);
        free(h->proxies.except);
        free(h->user_agent);
        pthread_mutex_destroy(&h->loop.lock);
        pthread_mutex_destroy(&h->lock);
        free(h);
}

static sw_err *
start(sw__http *h)
{
        sw_err *err = sw__curl_open();

        if (err)
                return err;
        pthread_mutex_lock(&h->lock);
        if (!h->ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                err = sw_err_new(SW_E_INTERNAL, "curl_global_init failed");
        else
                h->ready = true;
        if (!err && !h->loop.started)
                err = sw__loop_start(&h->loop);
        pthread_mutex_unlock(&h->lock);
        return err;
}

void
sw__http_answer_release(struct sw__http_answer *a)
{
        sw_strlist_release(&a->headers);
        sw_buf_release(&a->body);
}

const char *
sw__http_header(const struct sw__http_answer *a, const char *name, size_t nth)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < a->headers.n; i++) {
                const char *h = a->headers.v[i];

                if (strncasecmp(h, name, n) != 0 || h[n] != ':' || nth-- > 0)
                        continue;
                return h + n + 1 + strspn(h + n + 1, " \t");
        }
        return NULL;
}

/* ---- failures ---- */

static enum sw__fault
fault_of(CURLcode code, bool connected)
{
        switch (code) {
        case CURLE_OK: return SW__FAULT_NONE;
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT: return SW__FAULT_CONNECT;
        case CURLE_OPERATION_TIMEDOUT:
                return connected ? SW__FAULT_BROKEN : SW__FAULT_CONNECT;
        case CURLE_SSL_CONNECT_ERROR: return SW__FAULT_TLS;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR: return SW__FAULT_TRUST;
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM: return SW__FAULT_BROKEN;
        default: return SW__FAULT_ANSWER;
        }
}

static sw_err *
kept_far(void)
{
        return sw_err_new(SW_E_DENIED, "that would be this machine, or one on its link: no "
                                       "server elsewhere leads there");
}

/* An address that no proxy is asked for either; it may be one that is reached without. */
static sw_err *
check_far(const struct sw__http_request *q)
{
        sw_auto(sw_str) host = NULL;
        sw_auto(sw_str) port = NULL;

        if (!q->far || !sw__url_host(q->url, &host, &port) || !sw__ip_is_near(host))
                return SW_OK;
        return kept_far();
}

static sw_err *
failure(const struct sw__xfer *x, enum sw__fault fault)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        const char *said = *x->error ? x->error : curl_easy_strerror(x->result);

        if (x->read_error)
                return sw_err_sys(SW_E_IO, x->read_error, "read what is to be sent");
        if (x->kept_far && x->result == CURLE_COULDNT_CONNECT)
                return kept_far();
        if (x->result == CURLE_FILESIZE_EXCEEDED)
                return sw_err_new(SW_E_LIMIT, "the head of the answer is too large");
        sw__printable(&b, said, strlen(said), 300);
        if (x->result == CURLE_OPERATION_TIMEDOUT)
                return sw_err_new(SW_E_TIMEOUT, "%s",
                                  fault == SW__FAULT_BROKEN ? "nothing came any more"
                                                            : b.data);
        return sw_err_new(SW_E_REMOTE, "%s", b.data);
}

/* ---- watching ---- */

struct watch {
        sw__http *h;
        struct sw__xfer *x;
        const struct sw__http_request *q;
        struct sw__http_answer *a;
        int64_t sent;
        bool head;   /* of the answer is in a */
        bool enough; /* of the body of a refusal */
};

static void
on_cancel(void *arg)
{
        struct sw__xfer *x = arg;

        pthread_mutex_lock(&x->lock);
        x->cancelled = true;
        pthread_cond_broadcast(&x->changed);
        pthread_mutex_unlock(&x->lock);
}

/* What arrived since the last look. */
struct news {
        sw_buf *data;
        int64_t sent;
        bool cancelled, done;
};

/* Wait for news; @data is empty, and swapped with what is there. */
static struct news
wait_news(struct watch *w, sw_buf *data)
{
        struct sw__xfer *x = w->x;

        pthread_mutex_lock(&x->lock);
        while (!x->done && !x->cancelled && !x->said && (!w->q->sent || x->sent <= w->sent))
                pthread_cond_wait(&x->changed, &x->lock);
        sw_buf full = x->filled;
        x->filled = *data;
        *data = full;
        struct news n = { data, x->sent, x->cancelled, x->done };
        bool resume = x->paused && !x->done;
        x->paused = x->said = false;
        bool head = x->head;
        pthread_mutex_unlock(&x->lock);

        if (resume)
                sw__loop_kick(&w->h->loop, x);
        if (head && !w->head) {
                w->head = true;
                w->a->status = x->status;
                w->a->near = x->near;
                w->a->headers = x->answer_headers;
                memset(&x->answer_headers, 0, sizeof(x->answer_headers));
        }
        return n;
}

static sw_err *
keep(struct watch *w, const sw_buf *data)
{
        size_t room = w->q->max_body - w->a->body.len;

        if (data->len <= room) {
                sw_buf_add(&w->a->body, data->data, data->len);
                return SW_OK;
        }
        if (w->a->status >= 300) {
                sw_buf_add(&w->a->body, data->data, room);
                w->enough = true;
                return SW_OK;
        }
        w->a->fault = SW__FAULT_ANSWER;
        return sw_err_new(SW_E_LIMIT, "the answer is larger than %zu bytes",
                          w->q->max_body);
}

static bool
has_content(long status)
{
        return status == 200 || status == 203 || status == 206;
}

static sw_err *
deliver(struct watch *w, const sw_buf *data)
{
        if (!w->q->data || !has_content(w->a->status))
                return keep(w, data);
        sw_err *err = w->q->data(w->q->arg, w->a, data->data, data->len);
        if (err)
                w->a->fault = SW__FAULT_USER;
        return err;
}

/* Until the exchange is over, or need not go on. @over: it is done. */
static sw_err *
watch(struct watch *w, sw_cancel *cancel, bool *over)
{
        sw_auto(sw_buf) data = SW_BUF_INIT;

        for (;;) {
                struct news n = wait_news(w, &data);

                if (n.cancelled || sw_cancelled(cancel)) {
                        w->a->fault = SW__FAULT_USER;
                        return sw_cancel_check(cancel);
                }
                if (w->q->sent && n.sent != w->sent) {
                        w->sent = n.sent;
                        w->q->sent(w->q->arg, n.sent);
                }
                sw_err *err = data.len > 0 ? deliver(w, &data) : SW_OK;
                sw_buf_clear(&data);
                if (err || w->enough)
                        return err;
                *over = n.done;
                if (n.done)
                        return SW_OK;
        }
}

sw_err *
sw__http_do(sw__http *h, sw_cancel *cancel, const struct sw__http_request *q,
            struct sw__http_answer *a)
{
        struct sw__xfer *x = NULL;
        bool over = false;

        memset(a, 0, sizeof(*a));
        sw_buf_init(&a->body);
        sw_err *err = start(h);
        if (!err)
                err = check_far(q);
        if (!err)
                err = sw__xfer_new(h, q, &x);
        if (err) {
                a->fault = SW__FAULT_ANSWER;
                return err;
        }
        struct watch w = { .h = h, .x = x, .q = q, .a = a };
        uint64_t handle = sw_cancel_on(cancel, on_cancel, x);
        sw__loop_kick(&h->loop, x);
        err = watch(&w, cancel, &over);
        sw_cancel_off(cancel, handle);
        if (!over) {
                sw__loop_drop(&h->loop, x);
        } else {
                a->fault =
                        x->read_error ? SW__FAULT_USER : fault_of(x->result, x->connected);
                if (a->fault == SW__FAULT_CONNECT && x->kept_far)
                        a->fault = SW__FAULT_ANSWER; /* another try leads there, too */
                if (a->fault != SW__FAULT_NONE)
                        err = failure(x, a->fault);
        }
        sw__xfer_unref(x);
        return err;
}
