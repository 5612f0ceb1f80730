/*
 * lib/registry/token.c - tokens from the server that a registry names.
 *
 * With credentials by POST (OAuth 2: a refresh token where there is an identity token, else
 * the password); servers that do not know that answer 400, 401, 404 or 405, and are asked
 * by GET with basic authentication. Without credentials by GET.
 */
#include <string.h>
#include <strings.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "lib/http/url.h"
#include "lib/registry/client.h"
#include "lib/registry/parse.h"

#define CLIENT_ID "slipway"

enum {
        MAX_ANSWER = 256 * 1024,
        MAX_TOKEN = 48 * 1024,
        DEFAULT_LIFE_S = 60, /* as the distribution project has it */
        MARGIN_S = 30,
};

/* A value for forms and queries: "&name=value". */
static void
add(sw_buf *b, const char *name, const char *value)
{
        if (b->len > 0 && b->data[b->len - 1] != '?')
                sw_buf_addc(b, '&');
        sw_buf_addf(b, "%s=", name);
        sw__url_add(b, value);
}

static void
make_form(const struct sw__talk *t, const struct sw__token_ask *ask, sw_buf *b)
{
        sw_auto(sw_str) scopes = sw_strlist_join(ask->scopes, " ");
        const struct sw__cred *c = &t->cred;

        add(b, "grant_type", c->user ? "password" : "refresh_token");
        if (ask->service)
                add(b, "service", ask->service);
        add(b, "client_id", CLIENT_ID);
        add(b, "scope", scopes);
        if (c->user) {
                add(b, "username", c->user);
                add(b, "password", c->secret);
        } else {
                add(b, "refresh_token", c->secret);
        }
}

static void
make_url(const struct sw__talk *t, const struct sw__token_ask *ask, sw_buf *b)
{
        sw_buf_adds(b, ask->realm);
        if (!strchr(ask->realm, '?'))
                sw_buf_addc(b, '?');
        if (t->cred.user)
                add(b, "account", t->cred.user);
        if (ask->service)
                add(b, "service", ask->service);
        for (size_t i = 0; i < ask->scopes->n; i++)
                add(b, "scope", ask->scopes->v[i]);
}

static char *
basic_header(const struct sw__cred *c)
{
        sw_auto(sw_buf) pair = SW_BUF_INIT;
        sw_auto(sw_buf) coded = SW_BUF_INIT;

        sw_buf_addf(&pair, "%s:%s", c->user ? c->user : "", c->secret);
        sw_json_add_base64(&coded, pair.data, pair.len);
        char *line = sw_asprintf("Authorization: Basic %.*s", (int) coded.len - 2,
                                 coded.data + 1);
        explicit_bzero(pair.data, pair.len);
        explicit_bzero(coded.data, coded.len);
        return line;
}

/* One exchange, tried again like any other; never redirected: credentials are in it. */
static sw_err *
ask_server(struct sw__talk *t, struct sw__http_request *q, struct sw__http_answer *a)
{
        int before = t->tries;
        sw_err *err = sw__talk_reach(t, q);

        if (err)
                return err;
        q->stall_s = t->r->stall_s;
        q->max_body = MAX_ANSWER;
        for (t->tries = 0;; sw__http_answer_release(a)) {
                err = sw__http_do(t->r->http, sw_ctx_cancel(t->c->ctx), q, a);
                if (!sw__talk_again(t, a, &err))
                        break;
        }
        t->tries = before;
        return err;
}

static sw_err *
by_post(struct sw__talk *t, const struct sw__token_ask *ask, struct sw__http_answer *a)
{
        sw_auto(sw_buf) form = SW_BUF_INIT;
        sw_auto(sw_strlist) headers = { 0 };

        make_form(t, ask, &form);
        sw_strlist_add(&headers, "Content-Type: application/x-www-form-urlencoded");
        struct sw__http_request q = { .method = "POST",
                                      .url = ask->realm,
                                      .headers = &headers,
                                      .has_body = true,
                                      .body = form.data,
                                      .body_len = (int64_t) form.len };
        sw_err *err = ask_server(t, &q, a);
        explicit_bzero(form.data, form.len);
        return err;
}

static sw_err *
by_get(struct sw__talk *t, const struct sw__token_ask *ask, struct sw__http_answer *a)
{
        sw_auto(sw_buf) url = SW_BUF_INIT;
        sw_auto(sw_strlist) headers = { 0 };

        make_url(t, ask, &url);
        if (t->cred.secret)
                sw_strlist_take(&headers, basic_header(&t->cred));
        struct sw__http_request q = { .method = "GET",
                                      .url = url.data,
                                      .headers = &headers };
        sw_err *err = ask_server(t, &q, a);
        for (size_t i = 0; i < headers.n; i++)
                explicit_bzero(headers.v[i], strlen(headers.v[i]));
        return err;
}

/* ---- the answer ---- */

static sw_err *
read_token(const struct sw__http_answer *a, int64_t asked_at, struct sw__token *out)
{
        sw_autoptr(sw_json) doc = NULL;
        const char *token = NULL, *access = NULL;
        int64_t life = 0;

        sw_err *err = sw_json_parse("answer", a->body.data, a->body.len, &doc);
        if (err) { /* its words may have the token in them */
                sw_err_drop(err, "see above");
                return sw_err_new(SW_E_REMOTE, "the answer is no JSON");
        }
        err = sw_json_str(doc, "token", &token);
        if (!err)
                err = sw_json_str(doc, "access_token", &access);
        if (!err)
                err = sw_json_int(doc, "expires_in", &life);
        if (err)
                return err;
        token = token && *token ? token : access;
        if (!token || !*token)
                return sw_err_new(SW_E_INVALID, "there is no token in the answer");
        if (strlen(token) > MAX_TOKEN)
                return sw_err_new(SW_E_LIMIT, "the token has more than %d bytes",
                                  MAX_TOKEN);
        for (const char *p = token; *p; p++) {
                if (*p <= ' ' || *p > '~')
                        return sw_err_new(SW_E_INVALID, "the token has characters that no "
                                                        "header may have");
        }
        if (life <= 0 || life > INT32_MAX)
                life = DEFAULT_LIFE_S;
        int64_t margin = life / 2 < MARGIN_S ? life / 2 : MARGIN_S;
        out->value = sw_strdup(token);
        out->until = asked_at + (life - margin) * SW_NS_PER_SEC;
        return SW_OK;
}

static sw_err *
check_realm(const struct sw__talk *t, const char *realm)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        bool tls = strncasecmp(realm, "https://", 8) == 0;

        if (tls)
                return SW_OK;
        sw__printable(&shown, realm, strlen(realm), 200);
        if (strncasecmp(realm, "http://", 7) != 0)
                return sw_err_new(SW_E_REMOTE,
                                  "registry %s names a token server that is no "
                                  "http URL: %s",
                                  t->e->host->name, shown.data);
        if (strcmp(sw__host_scheme(t->e->host), "https") == 0)
                return sw_err_new(SW_E_REMOTE,
                                  "registry %s speaks TLS, but names a token server "
                                  "without: %s",
                                  t->e->host->name, shown.data);
        return SW_OK;
}

static sw_err *
refused(struct sw__talk *t, const struct sw__token_ask *ask,
        const struct sw__http_answer *a)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        bool denied = a->status == 400 || a->status == 401 || a->status == 403;

        sw_buf_addf(&b, "token for registry %s: server ", t->e->host->name);
        sw__printable(&b, ask->realm, strlen(ask->realm), 200);
        sw_buf_addf(&b, " answered status %ld", a->status);
        sw__errbody_text(a->body.data, a->body.len, &text);
        if (text.len > 0)
                sw_buf_addf(&b, " (%s)", text.data);
        if (denied)
                sw__auth_explain(t, &b);
        return sw_err_new(denied ? SW_E_DENIED : SW_E_REMOTE, "%s", b.data);
}

sw_err *
sw__token_fetch(struct sw__talk *t, const struct sw__token_ask *ask, struct sw__token *out)
{
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        int64_t asked_at = sw_time_mono();
        bool get = ask->only_get || !t->cred.secret;
        sw_err *err = check_realm(t, ask->realm);

        if (!err && !get) {
                err = by_post(t, ask, &a);
                get = !err && (a.status == 400 || a.status == 401 || a.status == 404 ||
                               a.status == 405);
                out->only_get = !err && (a.status == 404 || a.status == 405);
        }
        if (!err && get) {
                sw__http_answer_release(&a);
                err = by_get(t, ask, &a);
        }
        if (err)
                return sw_err_wrap(err, "token for registry %s", t->e->host->name);
        if (a.status != 200)
                return refused(t, ask, &a);
        err = read_token(&a, asked_at, out);
        explicit_bzero(a.body.data, a.body.len);
        return sw_err_wrap(err, "token for registry %s", t->e->host->name);
}
