/*
 * lib/http/xfer.c - one transfer: curl's options and callbacks.
 *
 * Callbacks run on the loop's thread and never wait.
 */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "lib/http/url.h"
#include "lib/http/xfer.h"

#define MAX_HEAD  (64 * 1024)     /* bytes of all header lines of an answer */
#define MAX_HEADS 256             /* header lines */
#define FILL_MAX  (1024 * 1024)   /* bytes that wait for the caller */
#define SAY_AT    (256 * 1024)    /* bytes that are worth waking the caller up for */
#define CHUNK     (256 * 1024)    /* curl's own buffers */
#define SENT_STEP (int64_t) 65536 /* tell the caller after so many more */

void
sw__xfer_unref(struct sw__xfer *x)
{
        if (atomic_fetch_sub(&x->refs, 1) != 1)
                return;
        if (x->easy)
                curl_easy_cleanup(x->easy);
        for (struct curl_slist *h = x->headers; h; h = h->next)
                explicit_bzero(h->data, strlen(h->data)); /* credentials */
        curl_slist_free_all(x->headers);
        if (x->body)
                explicit_bzero(x->body, (size_t) x->body_len);
        free(x->body);
        sw_fd_clear(&x->body_fd);
        sw_strlist_release(&x->answer_headers);
        sw_buf_release(&x->filled);
        pthread_cond_destroy(&x->changed);
        pthread_mutex_destroy(&x->lock);
        free(x);
}

static bool
is_near(struct sw__xfer *x)
{
        const char *ip = NULL;

        (void) curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_IP, &ip);
        return !x->proxied && ip && sw__ip_is_near(ip);
}

/* With the lock: what the head of the answer said is the caller's from here on. */
static void
head_done_locked(struct sw__xfer *x)
{
        if (x->head)
                return;
        (void) curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
        x->near = is_near(x);
        x->head = true;
}

void
sw__xfer_finish(struct sw__xfer *x, CURLcode result)
{
        curl_off_t connected = 0;

        (void) curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME_T, &connected);
        pthread_mutex_lock(&x->lock);
        head_done_locked(x);
        x->result = x->too_large ? CURLE_FILESIZE_EXCEEDED : result;
        x->connected = connected > 0;
        x->sent = x->body_at;
        x->done = true;
        pthread_cond_broadcast(&x->changed);
        pthread_mutex_unlock(&x->lock);
        x->running = false;
        curl_easy_cleanup(sw_steal(x->easy));
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
        struct sw__xfer *x = arg;
        size_t len = size * n, text = len;

        if (x->head) /* trailers tell us nothing */
                return len;
        if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* after 100 Continue, another head */
                sw_strlist_release(&x->answer_headers);
                x->header_bytes = 0;
        }
        x->header_bytes += len;
        if (x->header_bytes > MAX_HEAD || x->answer_headers.n >= MAX_HEADS) {
                x->too_large = true;
                return 0;
        }
        while (text > 0 && (p[text - 1] == '\n' || p[text - 1] == '\r'))
                text--;
        if (memchr(p, ':', text) && !memchr(p, '\0', text))
                sw_strlist_take(&x->answer_headers, sw_strndup(p, text));
        return len;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
        struct sw__xfer *x = arg;
        size_t len = size * n;

        pthread_mutex_lock(&x->lock);
        head_done_locked(x);
        if (x->filled.len > 0 && x->filled.len + len > FILL_MAX) {
                x->paused = true;
                len = CURL_WRITEFUNC_PAUSE;
        } else {
                sw_buf_add(&x->filled, p, len);
                x->unsaid = x->filled.len < SAY_AT;
                if (!x->unsaid && !x->said) {
                        x->said = true;
                        pthread_cond_broadcast(&x->changed);
                }
        }
        pthread_mutex_unlock(&x->lock);
        return len;
}

void
sw__xfer_say(struct sw__xfer *x)
{
        pthread_mutex_lock(&x->lock);
        x->unsaid = false;
        x->said = true;
        pthread_cond_broadcast(&x->changed);
        pthread_mutex_unlock(&x->lock);
}

static size_t
on_read(char *to, size_t size, size_t n, void *arg)
{
        struct sw__xfer *x = arg;
        int64_t left = x->body_len - x->body_at;
        size_t want = size * n;
        ssize_t got;

        if ((int64_t) want > left)
                want = (size_t) left;
        if (want == 0)
                return 0;
        if (x->body) {
                memcpy(to, (const char *) x->body + x->body_at, want);
                got = (ssize_t) want;
        } else {
                do
                        got = pread(x->body_fd, to, want, x->body_off + x->body_at);
                while (got < 0 && errno == EINTR);
                if (got <= 0) {
                        x->read_error = got < 0 ? errno : ENODATA;
                        return CURL_READFUNC_ABORT;
                }
        }
        x->body_at += got;
        pthread_mutex_lock(&x->lock);
        if (x->body_at - x->sent >= SENT_STEP) {
                x->sent = x->body_at;
                pthread_cond_broadcast(&x->changed);
        }
        pthread_mutex_unlock(&x->lock);
        return (size_t) got;
}

/* curl goes back to the start when a connection that it kept turns out to be dead. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
        struct sw__xfer *x = arg;

        if (origin != SEEK_SET || offset < 0 || offset > x->body_len)
                return CURL_SEEKFUNC_FAIL;
        x->body_at = offset;
        return CURL_SEEKFUNC_OK;
}

static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
        struct sw__xfer *x = arg;

        (void) purpose;
        if (x->far && !x->proxied && sw__addr_is_near(&a->addr)) {
                x->kept_far = true;
                return CURL_SOCKET_BAD;
        }
        return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- options ---- */

#define set(x, option, value)                                                              \
        do {                                                                               \
                CURLcode code_ = curl_easy_setopt((x)->easy, option, value);               \
                if (code_ != CURLE_OK)                                                     \
                        return sw_err_new(SW_E_INTERNAL, "curl: %s: %s", #option,          \
                                          curl_easy_strerror(code_));                      \
        } while (0)

static sw_err *
set_blob(struct sw__xfer *x, CURLoption option, const sw_buf *pem)
{
        /* NOCOPY: it lives as long as the client */
        struct curl_blob b = { pem->data, pem->len, CURL_BLOB_NOCOPY };

        if (pem->len > 0)
                set(x, option, &b);
        return SW_OK;
}

static sw_err *
set_tls(struct sw__xfer *x, const struct sw__tls *tls)
{
        const char *bundle = getenv("SSL_CERT_FILE");

        set(x, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        if (bundle && *bundle)
                set(x, CURLOPT_CAINFO, bundle);
        if (!tls)
                return SW_OK;
        if (tls->insecure) {
                set(x, CURLOPT_SSL_VERIFYPEER, 0L);
                set(x, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        sw_err *err = set_blob(x, CURLOPT_CAINFO_BLOB, &tls->ca);
        if (err || tls->cert.len == 0)
                return err;
        set(x, CURLOPT_SSLCERTTYPE, "PEM");
        set(x, CURLOPT_SSLKEYTYPE, "PEM");
        err = set_blob(x, CURLOPT_SSLCERT_BLOB, &tls->cert);
        return err ?: set_blob(x, CURLOPT_SSLKEY_BLOB, &tls->key);
}

static sw_err *
set_proxy(struct sw__xfer *x, const struct sw__proxies *p, const struct sw__http_request *q)
{
        const char *proxy = strncasecmp(q->url, "https:", 6) == 0 ? p->https : p->http;

        x->proxied = proxy && *proxy && !q->direct;
        set(x, CURLOPT_PROXY, x->proxied ? proxy : "");
        set(x, CURLOPT_NOPROXY, p->except ? p->except : "");
        set(x, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        return SW_OK;
}

static sw_err *
set_body(struct sw__xfer *x, const struct sw__http_request *q)
{
        if (!q->has_body)
                return SW_OK;
        x->body_len = q->body_len;
        x->body_off = q->body_off;
        if (q->body) {
                x->body = sw_memdup(q->body, q->body_len > 0 ? (size_t) q->body_len : 1);
        } else if (q->body_len > 0) {
                x->body_fd = fcntl(q->body_fd, F_DUPFD_CLOEXEC, 3);
                if (x->body_fd < 0)
                        return sw_err_sys(SW_E_IO, errno, "dup");
        }
        set(x, CURLOPT_UPLOAD, 1L);
        set(x, CURLOPT_INFILESIZE_LARGE, (curl_off_t) q->body_len);
        set(x, CURLOPT_UPLOAD_BUFFERSIZE, (long) CHUNK);
        set(x, CURLOPT_READFUNCTION, on_read);
        set(x, CURLOPT_READDATA, x);
        set(x, CURLOPT_SEEKFUNCTION, on_seek);
        set(x, CURLOPT_SEEKDATA, x);
        return SW_OK;
}

static sw_err *
set_request(struct sw__xfer *x, const struct sw__http_request *q)
{
        sw_err *err;

        set(x, CURLOPT_URL, q->url);
        set(x, CURLOPT_PROTOCOLS_STR, "http,https");
        err = set_body(x, q);
        if (err)
                return err;
        if (strcmp(q->method, "HEAD") == 0)
                set(x, CURLOPT_NOBODY, 1L);
        else
                set(x, CURLOPT_CUSTOMREQUEST, q->method);
        for (size_t i = 0; q->headers && i < q->headers->n; i++) {
                struct curl_slist *more = curl_slist_append(x->headers, q->headers->v[i]);

                if (!more)
                        return sw_err_new(SW_E_NOMEM, "curl_slist_append");
                x->headers = more;
        }
        set(x, CURLOPT_HTTPHEADER, x->headers);
        return SW_OK;
}

static sw_err *
set_all(struct sw__xfer *x, const struct sw__http *h, const struct sw__http_request *q)
{
        set(x, CURLOPT_PRIVATE, (char *) x);
        set(x, CURLOPT_ERRORBUFFER, x->error);
        set(x, CURLOPT_NOSIGNAL, 1L);
        /* else the end of a transfer waits for a name server that does not answer */
#if LIBCURL_VERSION_NUM >= 0x075700
        set(x, CURLOPT_QUICK_EXIT, 1L);
#endif
        set(x, CURLOPT_USERAGENT, h->user_agent);
        set(x, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
        set(x, CURLOPT_BUFFERSIZE, (long) CHUNK);
        set(x, CURLOPT_TCP_KEEPALIVE, 1L);
        set(x, CURLOPT_CONNECTTIMEOUT, (long) h->connect_s);
        set(x, CURLOPT_LOW_SPEED_LIMIT, 1L);
        set(x, CURLOPT_LOW_SPEED_TIME, (long) q->stall_s);
        set(x, CURLOPT_OPENSOCKETFUNCTION, on_socket);
        set(x, CURLOPT_OPENSOCKETDATA, x);
        x->far = q->far;
        set(x, CURLOPT_FRESH_CONNECT, q->far ? 1L : 0L); /* whose address is looked at */
        set(x, CURLOPT_HEADERFUNCTION, on_header);
        set(x, CURLOPT_HEADERDATA, x);
        set(x, CURLOPT_WRITEFUNCTION, on_body);
        set(x, CURLOPT_WRITEDATA, x);
        sw_err *err = set_tls(x, q->tls);
        if (!err)
                err = set_proxy(x, &h->proxies, q);
        return err ?: set_request(x, q);
}

sw_err *
sw__xfer_new(const struct sw__http *h, const struct sw__http_request *q,
             struct sw__xfer **out)
{
        struct sw__xfer *x = sw_new(struct sw__xfer);

        atomic_init(&x->refs, 1);
        x->body_fd = -1;
        sw_buf_init(&x->filled);
        pthread_mutex_init(&x->lock, NULL);
        pthread_cond_init(&x->changed, NULL);
        x->easy = curl_easy_init();
        sw_err *err = x->easy ? set_all(x, h, q) : sw_err_new(SW_E_NOMEM, "curl_easy_init");
        if (err) {
                sw__xfer_unref(x);
                return err;
        }
        *out = x;
        return SW_OK;
}
