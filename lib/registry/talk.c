/*
 * lib/registry/talk.c - requests to one endpoint: credentials, redirects, tries.
 *
 * Redirects are followed here and not by curl: a request for another origin carries no
 * Authorization, and https does not lead to http.
 */
#include <string.h>
#include <strings.h>

#include <slipway/time.h>

#include "lib/http/retry.h"
#include "lib/registry/client.h"
#include "lib/registry/parse.h"

enum {
        MAX_HOPS = 10,
        MAX_TRIES = 6,
        CONNECT_TRIES = 3,       /* where nobody answers, waiting longer rarely helps */
        MAX_WAIT_S = 60,         /* that a registry may ask for */
        REFUSAL_MAX = 64 * 1024, /* bytes of a body that says why not */
};

void
sw__talk_init(struct sw__talk *t, sw_registry *r, const struct sw_registry_call *c,
              const struct sw__endpoint *e)
{
        memset(t, 0, sizeof(*t));
        t->r = r;
        t->c = c;
        t->e = e;
        sw_strlist_take(&t->scopes,
                        sw_asprintf("repository:%s%s:%s", e->prefix, c->name->repo,
                                    c->push ? "pull,push" : "pull"));
}

void
sw__talk_release(struct sw__talk *t)
{
        sw_strlist_release(&t->scopes);
        sw__cred_release(&t->cred);
}

void
sw__talk_origin(const struct sw__talk *t, sw_buf *out)
{
        sw_buf_addf(out, "%s://%s", sw__host_scheme(t->e->host), t->e->host->name);
}

void
sw__talk_url(const struct sw__talk *t, sw_buf *out, const char *path)
{
        sw__talk_origin(t, out);
        sw_buf_addf(out, "/v2/%s%s/%s", t->e->prefix, t->c->name->repo, path);
        if (t->e->ns) { /* what it is a mirror of */
                sw_buf_adds(out, strchr(path, '?') ? "&ns=" : "?ns=");
                sw__url_add(out, t->e->ns);
        }
}

/* ---- one exchange ---- */

static sw_err *
exchange(struct sw__talk *t, const struct sw__ask *ask, const char *url, const char *auth,
         struct sw__http_answer *a)
{
        struct sw__http_request q = ask->q;
        sw_auto(sw_strlist) headers = { 0 };

        q.url = url;
        if (ask->accept)
                sw_strlist_take(&headers, sw_asprintf("Accept: %s", ask->accept));
        if (ask->content_type)
                sw_strlist_take(&headers,
                                sw_asprintf("Content-Type: %s", ask->content_type));
        if (ask->extra)
                sw_strlist_add(&headers, ask->extra);
        if (*auth)
                sw_strlist_take(&headers, sw_asprintf("Authorization: %s", auth));
        q.headers = &headers;
        if (q.stall_s == 0)
                q.stall_s = t->r->stall_s;
        if (q.max_body == 0)
                q.max_body = REFUSAL_MAX;
        sw_err *err = sw__talk_reach(t, &q);
        if (!err)
                err = sw__http_do(t->r->http, sw_ctx_cancel(t->c->ctx), &q, a);
        for (size_t i = 0; i < headers.n; i++)
                explicit_bzero(headers.v[i], strlen(headers.v[i]));
        return err;
}

/* Whether a host that may speak plain HTTP, and was tried with TLS, is to be tried so. */
static bool
may_fall_back(const struct sw__host *h, const struct sw__http_answer *a)
{
        if (!h->try_https || atomic_load(&h->fell_back))
                return false;
        const char *port = strrchr(h->name, ':');
        bool explicit_port = port && !strchr(port, ']');

        return a->fault == SW__FAULT_TLS ||
               (a->fault == SW__FAULT_CONNECT && !explicit_port);
}

static sw_err *
exchange_either(struct sw__talk *t, const struct sw__ask *ask, char **url, const char *auth,
                struct sw__http_answer *a)
{
        struct sw__host *h = t->e->host;
        bool own = sw__talk_own(t, *url);
        sw_err *err = exchange(t, ask, *url, own ? auth : "", a);

        if (!err || !own || !may_fall_back(h, a))
                return err;
        atomic_store(&h->fell_back, true);
        sw_auto(sw_str) plain = sw_asprintf("http%s", *url + strlen("https"));
        sw__http_answer_release(a);
        sw_err *second = exchange(t, ask, plain, auth, a);
        if (second) { /* neither: the first one says more */
                atomic_store(&h->fell_back, false);
                sw_err_drop(second, "the first one says more");
                return err;
        }
        sw_err_drop(err, "it speaks plain HTTP");
        free(*url);
        *url = sw_steal(plain);
        return SW_OK;
}

/* ---- redirects ---- */

/* Where an answer sends us; NULL: it is none of those. */
static const char *
target_of(const struct sw__http_answer *a, const char *method)
{
        bool any = a->status == 307 || a->status == 308;
        bool reading = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

        if (!any &&
            !(reading && (a->status == 301 || a->status == 302 || a->status == 303)))
                return NULL;
        return sw__http_header(a, "location", 0);
}

static sw_err *
follow(char **url, const char *to)
{
        char *next = NULL;
        sw_err *err = sw__url_follow(*url, to, &next);

        if (err)
                return sw_err_wrap(err, "redirected");
        free(*url);
        *url = next;
        return SW_OK;
}

sw_err *
sw__talk_once(struct sw__talk *t, const struct sw__ask *ask, struct sw__http_answer *a)
{
        sw_auto(sw_str) url = sw_strdup(ask->url);
        sw_auto(sw_buf) auth = SW_BUF_INIT;
        bool renewed = false;
        int hops = 0;

        memset(a, 0, sizeof(*a));
        a->fault = SW__FAULT_USER;
        sw_buf_init(&a->body);
        sw_err *err = sw__auth_known(t, &auth);
        while (!err) {
                sw__http_answer_release(a);
                err = exchange_either(t, ask, &url, auth.data, a);
                const char *to = err ? NULL : target_of(a, ask->q.method);
                if (to) {
                        err = hops++ < MAX_HOPS
                                      ? follow(&url, to)
                                      : sw_err_new(SW_E_REMOTE, "redirected %d times",
                                                   MAX_HOPS);
                } else if (!err && a->status == 401 && !renewed && sw__talk_own(t, url)) {
                        sw_auto(sw_str) used = sw_buf_detach(&auth);

                        renewed = true;
                        err = sw__auth_challenged(t, a, used, &auth);
                        explicit_bzero(used, strlen(used));
                        if (!err && auth.len == 0)
                                return SW_OK; /* nothing else to try: 401 it is */
                } else {
                        break;
                }
        }
        explicit_bzero(auth.data, auth.len);
        return err;
}

/* ---- tries ---- */

bool
sw__talk_again(struct sw__talk *t, const struct sw__http_answer *a, sw_err **err)
{
        bool connect = a->fault == SW__FAULT_CONNECT || a->fault == SW__FAULT_TLS;
        bool passing =
                *err ? connect || a->fault == SW__FAULT_BROKEN : sw__is_passing(a->status);

        if (!passing || ++t->tries >= (connect ? CONNECT_TRIES : MAX_TRIES))
                return false;
        int64_t asked = *err ? -1 : sw__retry_after(a);
        if (asked > MAX_WAIT_S)
                return false;
        int64_t wait =
                asked >= 0 ? asked * SW_NS_PER_SEC : sw__backoff(t->r->retry_ns, t->tries);
        sw_ctx_logf(t->c->ctx, SW_LOG_DEBUG, "registry %s: try %d failed: %s",
                    t->e->host->name, t->tries, *err ? sw_err_message(*err) : "status");
        if (sw_cancel_wait(sw_ctx_cancel(t->c->ctx), wait)) {
                sw_err_drop(*err, "cancelled while waiting to try again");
                *err = sw_ctx_check(t->c->ctx);
                return false;
        }
        sw_err_drop(sw_steal(*err), "tried again");
        return true;
}

sw_err *
sw__talk_ask(struct sw__talk *t, const struct sw__ask *ask, struct sw__http_answer *a)
{
        t->tries = 0;
        for (;;) {
                sw_err *err = sw__talk_once(t, ask, a);

                if (!sw__talk_again(t, a, &err))
                        return sw__talk_failed(t, a, err);
                sw__http_answer_release(a);
        }
}

/* ---- errors ---- */

static enum sw_code
code_of(long status)
{
        switch (status) {
        case 401:
        case 403: return SW_E_DENIED;
        case 404: return SW_E_NOT_FOUND;
        case 405: return SW_E_UNSUPPORTED;
        case 413: return SW_E_LIMIT;
        default: return SW_E_REMOTE;
        }
}

sw_err *
sw__talk_failed(struct sw__talk *t, const struct sw__http_answer *a, sw_err *err)
{
        const char *host = t->e->host->name;

        if (!err || a->fault == SW__FAULT_USER || a->fault == SW__FAULT_NONE)
                return err;
        if (a->fault == SW__FAULT_TRUST)
                return sw_err_wrap(err,
                                   "registry %s cannot be trusted (its CA goes to the "
                                   "configuration: registry.\"%s\".ca)",
                                   host, host);
        if (a->fault == SW__FAULT_TLS)
                return sw_err_wrap(err,
                                   "registry %s does not speak TLS with us (if it "
                                   "speaks plain HTTP, the configuration can say so: "
                                   "registry.\"%s\".http)",
                                   host, host);
        if (t->tries > 1)
                return sw_err_wrap(err, "registry %s, tried %d times", host, t->tries);
        return sw_err_wrap(err, "registry %s", host);
}

sw_err *
sw__talk_refused(struct sw__talk *t, const struct sw__http_answer *a, const char *what)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const char *name = sw__status_name(a->status);
        int64_t later = sw__is_passing(a->status) ? sw__retry_after(a) : -1;

        sw_buf_addf(&b, "%s: registry %s answered ", what, t->e->host->name);
        if (name)
                sw_buf_adds(&b, name);
        else
                sw_buf_addf(&b, "status %ld", a->status);
        sw__errbody_text(a->body.data, a->body.len, &text);
        if (text.len > 0)
                sw_buf_addf(&b, " (%s)", text.data);
        if (later > MAX_WAIT_S)
                sw_buf_addf(&b, "; it wants to be left alone for %lld s",
                            (long long) later);
        else if (t->tries > 1 && sw__is_passing(a->status))
                sw_buf_addf(&b, ", %d times", t->tries);
        if (code_of(a->status) == SW_E_DENIED)
                sw__auth_explain(t, &b);
        return sw_err_new(code_of(a->status), "%s", b.data);
}

/* ---- endpoints ---- */

/* Of a registry that cannot be had, it is worth knowing that its mirrors answered. */
static sw_err *
last_word(sw_err *err, const sw_strlist *lacking)
{
        sw_auto(sw_str) names = sw_strlist_join(lacking, ", ");

        if (!err || !lacking->n || sw_err_code(err) == SW_E_NOT_FOUND ||
            sw_err_code(err) == SW_E_CANCELLED)
                return err;
        return sw_err_wrap(err, "not found at mirror %s", names);
}

sw_err *
sw__talk_each(sw_registry *r, const struct sw_registry_call *c, enum sw__via via,
              sw__talk_fn *fn, void *arg)
{
        sw_auto(sw__endpoints) ways = { 0 };
        sw_auto(sw_strlist) lacking = { 0 };
        sw_err *err = sw__hosts_endpoints(&r->hosts, c, via == SW__VIA_MIRRORS && !c->push,
                                          &ways);

        if (err)
                return err;
        for (size_t i = 0; i < ways.n; i++) {
                sw_auto(sw__talk) t;

                sw__talk_init(&t, r, c, &ways.v[i]);
                err = fn(&t, arg);
                if (!err || t.over || i + 1 == ways.n || sw_err_code(err) == SW_E_CANCELLED)
                        return last_word(err, &lacking);
                if (sw_err_code(err) == SW_E_NOT_FOUND)
                        sw_strlist_add(&lacking, ways.v[i].host->name);
                sw_log_line(r->log,
                            sw_err_code(err) == SW_E_NOT_FOUND ? SW_LOG_DEBUG : SW_LOG_WARN,
                            NULL, "mirror %s of %s is passed over: %s",
                            ways.v[i].host->name, c->name->host, sw_err_message(err));
                sw_err_drop(err, "the next one may have it");
        }
        return sw_err_new(SW_E_INTERNAL, "no way to registry %s", c->name->host);
}
