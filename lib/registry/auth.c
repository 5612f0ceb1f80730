/*
 * lib/registry/auth.c - what a host wants to see, and what there is to show.
 *
 * A host says what it wants with its first 401; that is remembered, so that later requests
 * come with it at once. Tokens are kept by scopes and by whose credentials they were got
 * with: a session with others, or none, does not get at them. One token is fetched at a
 * time for each host; who waited for it finds it.
 */
#include <string.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "lib/http/url.h"
#include "lib/registry/client.h"
#include "lib/registry/parse.h"

enum { MAX_TOKENS = 1024 };

enum scheme { UNKNOWN, BASIC, BEARER };

struct sw__auth_host {
        pthread_mutex_t fetching; /* sw_ctx_lock() */
        /* Under the lock of sw__auth. */
        enum scheme scheme;
        char *realm, *service;
        bool only_get;
        sw_map *tokens; /* key_of() -> struct sw__token */
};

static void
token_free(void *p)
{
        struct sw__token *t = p;

        explicit_bzero(t->value, strlen(t->value));
        free(t->value);
        free(t);
}

static void
auth_host_free(void *p)
{
        struct sw__auth_host *h = p;

        sw_map_free(h->tokens);
        free(h->realm);
        free(h->service);
        pthread_mutex_destroy(&h->fetching);
        free(h);
}

void
sw__auth_init(struct sw__auth *a)
{
        pthread_mutex_init(&a->lock, NULL);
        a->hosts = sw_map_new(auth_host_free);
}

void
sw__auth_release(struct sw__auth *a)
{
        sw_map_free(a->hosts);
        pthread_mutex_destroy(&a->lock);
}

void
sw__cred_release(struct sw__cred *c)
{
        if (c->secret)
                explicit_bzero(c->secret, strlen(c->secret));
        free(c->secret);
        free(c->user);
        c->secret = c->user = NULL;
}

/* Ask the session, once for each call of ours. */
static sw_err *
ask_cred(struct sw__talk *t)
{
        if (t->cred.asked || !t->c->session) {
                t->cred.asked = true;
                return SW_OK;
        }
        sw_err *err = sw_session_credentials(t->c->session, t->c->ctx, t->e->host->name,
                                             &t->cred.user, &t->cred.secret);
        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "a client that offers none: anonymous");
                err = SW_OK;
        }
        t->cred.asked = !err;
        return err;
}

void
sw__auth_explain(struct sw__talk *t, sw_buf *out)
{
        sw_auto(sw_buf) places = SW_BUF_INIT;
        sw_auto(sw_str) scopes = sw_strlist_join(&t->scopes, " ");

        sw_session_credential_places(t->c->session, &places);
        sw_buf_addf(out, "; scope %s; ", scopes);
        if (!t->cred.secret)
                sw_buf_addf(out, "asked without credentials, for none were found for %s",
                            t->e->host->name);
        else if (!t->cred.user || !*t->cred.user)
                sw_buf_addf(out, "asked with the token for %s", t->e->host->name);
        else {
                sw_buf_adds(out, "asked as user ");
                sw__printable(out, t->cred.user, strlen(t->cred.user), 64);
        }
        if (places.len > 0)
                sw_buf_addf(out, "; credentials are looked for in %s", places.data);
        else if (!t->c->session)
                sw_buf_adds(out, "; there is no client that could have credentials");
}

static struct sw__auth_host *
host_of(struct sw__talk *t)
{
        struct sw__auth *a = &t->r->auth;
        sw_auto(sw_buf) origin = SW_BUF_INIT;

        sw__talk_origin(t, &origin);
        pthread_mutex_lock(&a->lock);
        struct sw__auth_host *h = sw_map_get(a->hosts, origin.data);
        if (!h) {
                h = sw_new(struct sw__auth_host);
                pthread_mutex_init(&h->fetching, NULL);
                h->tokens = sw_map_new(token_free);
                (void) sw_map_set(a->hosts, origin.data, h);
        }
        pthread_mutex_unlock(&a->lock);
        return h;
}

/* ---- basic ---- */

static sw_err *
basic(struct sw__talk *t, sw_buf *out)
{
        const struct sw__cred *c = &t->cred;
        sw_auto(sw_buf) pair = SW_BUF_INIT;
        sw_auto(sw_buf) coded = SW_BUF_INIT;

        if (!c->secret || !c->user || !*c->user) /* a token is no password */
                return SW_OK;
        if (strchr(c->user, ':'))
                return sw_err_new(SW_E_DENIED,
                                  "the user name for %s has a colon in it, "
                                  "which basic authentication cannot say",
                                  t->e->host->name);
        sw_buf_addf(&pair, "%s:%s", c->user, c->secret);
        sw_json_add_base64(&coded, pair.data, pair.len);
        sw_buf_adds(out, "Basic ");
        sw_buf_add(out, coded.data + 1, coded.len - 2); /* without the quotes */
        explicit_bzero(pair.data, pair.len);
        explicit_bzero(coded.data, coded.len);
        return SW_OK;
}

/* ---- bearer ---- */

/* By what a token is found again: scopes, and whose it is. */
static char *
key_of(const struct sw__talk *t)
{
        sw_auto(sw_str) scopes = sw_strlist_join(&t->scopes, " ");
        sw_auto(sw_buf) who = SW_BUF_INIT;
        char hex[SW_DIGEST_HEX_LEN + 1];

        if (t->cred.secret)
                sw_buf_addf(&who, "%s%c%s", t->cred.user ? t->cred.user : "",
                            t->cred.user ? '\n' : '\r', t->cred.secret);
        sw_digest d = sw_digest_of(who.data, who.len);
        explicit_bzero(who.data, who.len);
        return sw_asprintf("%s\n%s", sw_digest_hex(&d, hex), scopes);
}

static bool
cached(struct sw__talk *t, struct sw__auth_host *h, const char *key, const char *used,
       sw_buf *out)
{
        pthread_mutex_lock(&t->r->auth.lock);
        const struct sw__token *k = sw_map_get(h->tokens, key);
        if (k && sw_time_mono() < k->until) {
                sw_buf_addf(out, "Bearer %s", k->value);
                if (strcmp(out->data, used) == 0)
                        sw_buf_clear(out);
        }
        pthread_mutex_unlock(&t->r->auth.lock);
        return out->len > 0;
}

static void
remember_locked(struct sw__auth_host *h, const char *key, const struct sw__token *got)
{
        int64_t now = sw_time_mono();
        struct sw__token *k = sw_new(struct sw__token);

        *k = *got;
        k->value = sw_strdup(got->value);
        for (struct sw_map_iter it = SW_MAP_ITER(h->tokens); sw_map_next(&it);) {
                const struct sw__token *old = it.value;

                if (old->until < now || sw_map_count(h->tokens) >= MAX_TOKENS)
                        (void) sw_map_remove(h->tokens, it.key);
        }
        (void) sw_map_set(h->tokens, key, k);
        h->only_get = h->only_get || got->only_get;
}

static sw_err *
fetch(struct sw__talk *t, struct sw__auth_host *h, const char *key,
      const sw_strlist *scopes, sw_buf *out)
{
        struct sw__auth *a = &t->r->auth;
        struct sw__token got = { 0 };

        pthread_mutex_lock(&a->lock);
        sw_auto(sw_str) realm = sw_strdup(h->realm);
        sw_auto(sw_str) service = sw_strdup(h->service);
        struct sw__token_ask ask = { realm, service, scopes, h->only_get };
        pthread_mutex_unlock(&a->lock);
        sw_err *err = sw__token_fetch(t, &ask, &got);
        if (err)
                return err;
        sw_buf_addf(out, "Bearer %s", got.value);
        pthread_mutex_lock(&a->lock);
        remember_locked(h, key, &got);
        pthread_mutex_unlock(&a->lock);
        explicit_bzero(got.value, strlen(got.value));
        free(got.value);
        return SW_OK;
}

/* Whether a scope, "repository:NAME:ACTION,…", is in one that is asked for anyway. */
static bool
is_covered(const sw_strlist *scopes, const char *scope)
{
        const char *actions = strrchr(scope, ':');

        if (sw_strlist_has(scopes, scope) || !actions)
                return sw_strlist_has(scopes, scope);
        size_t head = (size_t) (actions + 1 - scope);
        for (size_t i = 0; i < scopes->n; i++) {
                sw_auto(sw_strlist) ours = { 0 };
                sw_auto(sw_strlist) theirs = { 0 };
                bool all = strncmp(scopes->v[i], scope, head) == 0;

                if (!all)
                        continue;
                sw_strlist_split(&ours, scopes->v[i] + head, ',');
                sw_strlist_split(&theirs, scope + head, ',');
                for (size_t k = 0; k < theirs.n; k++)
                        all = all && sw_strlist_has(&ours, theirs.v[k]);
                if (all)
                        return true;
        }
        return false;
}

/* @used: a header that was refused; @more: scopes the host asked for, or NULL. */
static sw_err *
bearer(struct sw__talk *t, struct sw__auth_host *h, const char *used, const char *more,
       sw_buf *out)
{
        if (t->cred.secret && t->cred.user && !*t->cred.user) { /* a token as it is */
                sw_buf_addf(out, "Bearer %s", t->cred.secret);
                if (strcmp(out->data, used) == 0)
                        sw_buf_clear(out);
                return SW_OK;
        }
        sw_auto(sw_str) key = key_of(t);
        if (cached(t, h, key, used, out))
                return SW_OK;
        sw_auto(sw_strlist) scopes = { 0 };
        for (size_t i = 0; i < t->scopes.n; i++)
                sw_strlist_add(&scopes, t->scopes.v[i]);
        sw_auto(sw_strlist) theirs = { 0 };
        sw_strlist_split(&theirs, more ? more : "", ' ');
        for (size_t i = 0; i < theirs.n; i++) {
                if (!is_covered(&scopes, theirs.v[i]))
                        sw_strlist_add(&scopes, theirs.v[i]);
        }
        sw_err *err = sw_ctx_lock(t->c->ctx, &h->fetching);
        if (err)
                return err;
        if (!cached(t, h, key, used, out))
                err = fetch(t, h, key, &scopes, out);
        pthread_mutex_unlock(&h->fetching);
        return err;
}

/* ---- what the requests ask ---- */

sw_err *
sw__auth_known(struct sw__talk *t, sw_buf *out)
{
        struct sw__auth_host *h = host_of(t);

        pthread_mutex_lock(&t->r->auth.lock);
        enum scheme scheme = h->scheme;
        pthread_mutex_unlock(&t->r->auth.lock);
        if (scheme == UNKNOWN)
                return SW_OK;
        sw_err *err = ask_cred(t);
        if (err)
                return err;
        return scheme == BASIC ? basic(t, out) : bearer(t, h, "", NULL, out);
}

/* What is wanted, from all WWW-Authenticate headers. */
static sw_err *
read_challenges(struct sw__talk *t, const struct sw__http_answer *a, sw__challenges *out)
{
        const char *s;

        for (size_t i = 0; (s = sw__http_header(a, "www-authenticate", i)); i++) {
                sw_err *err = sw__challenge_parse(s, out);

                if (err)
                        return sw_err_wrap(err, "registry %s", t->e->host->name);
        }
        return SW_OK;
}

static void
learn(struct sw__talk *t, struct sw__auth_host *h, enum scheme scheme,
      const struct sw__challenge *c)
{
        pthread_mutex_lock(&t->r->auth.lock);
        h->scheme = scheme;
        if (scheme == BEARER) {
                free(h->realm);
                free(h->service);
                h->realm = sw_strdup(sw__challenge_param(c, "realm"));
                h->service = sw_strdup(sw__challenge_param(c, "service"));
        }
        pthread_mutex_unlock(&t->r->auth.lock);
}

sw_err *
sw__auth_challenged(struct sw__talk *t, const struct sw__http_answer *a, const char *used,
                    sw_buf *out)
{
        sw_auto(sw__challenges) all = { 0 };
        struct sw__auth_host *h = host_of(t);

        sw_err *err = read_challenges(t, a, &all);
        if (!err)
                err = ask_cred(t);
        if (err)
                return err;
        const struct sw__challenge *want = sw__challenge_find(&all, "bearer");
        if (want && sw__challenge_param(want, "realm")) {
                learn(t, h, BEARER, want);
                return bearer(t, h, used, sw__challenge_param(want, "scope"), out);
        }
        want = sw__challenge_find(&all, "basic");
        if (want) {
                learn(t, h, BASIC, want);
                err = basic(t, out);
                if (!err && strcmp(out->data, used) == 0)
                        sw_buf_clear(out);
                return err;
        }
        if (all.n == 0)
                return SW_OK;
        return sw_err_new(SW_E_UNSUPPORTED,
                          "registry %s wants authentication by \"%s\"; there is basic and "
                          "bearer",
                          t->e->host->name, all.v[0].scheme);
}
