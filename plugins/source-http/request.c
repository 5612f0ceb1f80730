/*
 * plugins/source-http/request.c - requests with credentials and redirects.
 *
 * Redirects are followed here and not by curl: what goes to another origin carries no
 * Authorization, and only who is on this machine leads to it.
 */
#include <string.h>

#include <slipway/text.h>

#include "lib/http/url.h"
#include "plugins/source-http/trip.h"

enum { MAX_HOPS = 10, STALL_S = 60, REFUSAL_MAX = 64 * 1024 };

/* ---- credentials ---- */

/* A secret of the client, as it can stand in a header. *found: there is one. */
static sw_err *
add_secret(const struct asking *a, const char *name, const char *before, sw_buf *out,
           bool *found)
{
        sw_auto(sw_buf) value = SW_BUF_INIT;
        sw_err *err = a->session ? sw_session_secret(a->session, a->ctx, name, &value)
                                 : sw_err_new(SW_E_NOT_FOUND, "there is no client");

        *found = !err;
        if (err)
                return err;
        while (value.len > 0 &&
               (value.data[value.len - 1] == '\n' || value.data[value.len - 1] == '\r'))
                sw_buf_truncate(&value, value.len - 1); /* of a file's last line */
        if (memchr(value.data, '\0', value.len) || strpbrk(value.data, "\r\n"))
                err = sw_err_new(SW_E_INVALID, "secret %s is no text of one line", name);
        else {
                sw_buf_clear(out);
                sw_buf_addf(out, "Authorization: %s%s", before, value.data);
        }
        explicit_bzero(value.data, value.len);
        return err;
}

sw_err *
trip_begin(struct trip *t)
{
        static const char *const usual[][2] = {
                { "HTTP_AUTH_HEADER_", "" },
                { "HTTP_AUTH_TOKEN_", "Bearer " },
        };
        const struct asking *a = t->a;
        const char *named = a->spec->auth_secret;
        bool found;
        sw_err *err = SW_OK;

        if (named)
                return sw_err_wrap(add_secret(a, named, "", &t->auth, &found),
                                   "failed to retrieve HTTP auth secret %s", named);
        for (size_t i = 0; i < SW_COUNT(usual) && !err; i++) {
                sw_auto(sw_str) name = sw_asprintf("%s%s", usual[i][0], a->spec->host);

                err = add_secret(a, name, usual[i][1], &t->auth, &found);
                if (sw_err_code(err) == SW_E_NOT_FOUND) {
                        sw_err_drop(err, "it need not be there");
                        err = SW_OK;
                }
        }
        return err;
}

/* ---- one request ---- */

void
trip_release(struct trip *t)
{
        explicit_bzero(t->auth.data, t->auth.len);
        sw_buf_release(&t->auth);
}

static sw_err *
exchange(const struct trip *t, const char *url, struct sw__http_request *q,
         const sw_strlist *extra, struct sw__http_answer *ans)
{
        const struct spec *s = t->a->spec;
        sw_auto(sw_strlist) headers = { 0 };
        sw_auto(sw_str) host = NULL;
        sw_auto(sw_str) port = NULL;

        if (s->accept)
                sw_strlist_take(&headers, sw_asprintf("Accept: %s", s->accept));
        if (s->user_agent)
                sw_strlist_take(&headers, sw_asprintf("User-Agent: %s", s->user_agent));
        for (size_t i = 0; i < extra->n; i++)
                sw_strlist_add(&headers, extra->v[i]);
        if (t->auth.len > 0 && sw__url_same_origin(url, s->url))
                sw_strlist_add(&headers, t->auth.data);
        q->url = url;
        q->headers = &headers;
        q->tls = &t->a->web->tls;
        q->direct = sw__url_host(url, &host, &port) && sw__host_is_local(host);
        q->stall_s = STALL_S;
        q->max_body = REFUSAL_MAX;
        sw_err *err = sw__http_do(t->a->web->http, sw_ctx_cancel(t->a->ctx), q, ans);
        for (size_t i = 0; i < headers.n; i++)
                explicit_bzero(headers.v[i], strlen(headers.v[i]));
        return err;
}

static const char *
target_of(const struct sw__http_answer *ans)
{
        switch (ans->status) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308: return sw__http_header(ans, "location", 0);
        default: return NULL;
        }
}

static sw_err *
follow(struct trip *t, char **url, const char *to)
{
        char *next = NULL;
        bool down = false;
        sw_err *err = sw__url_join(*url, to, &next, &down);

        if (err)
                return sw_err_wrap(err, "redirected");
        if (down && !t->warned && !t->a->spec->has_checksum) {
                t->warned = true;
                sw_progress_warn(t->a->ctx,
                                 "%s leads from https to http: what comes may have been "
                                 "changed on its way; a checksum would tell",
                                 t->a->spec->shown);
        }
        free(*url);
        *url = next;
        return SW_OK;
}

sw_err *
trip_request(struct trip *t, struct sw__http_request *q, const sw_strlist *extra,
             struct sw__http_answer *ans)
{
        sw_auto(sw_str) url = sw_strdup(t->a->spec->url);

        q->far = false; /* what is asked for may be anywhere */
        for (int hops = 0;; hops++) {
                sw_err *err = exchange(t, url, q, extra, ans);
                const char *to = err ? NULL : target_of(ans);

                if (!to)
                        return hops ? sw_err_wrap(err, "redirected to another place") : err;
                q->far |= !ans->near;
                err = hops < MAX_HOPS
                              ? follow(t, &url, to)
                              : sw_err_new(SW_E_REMOTE, "redirected %d times", MAX_HOPS);
                ans->fault = SW__FAULT_USER;
                if (err)
                        return err;
                sw__http_answer_release(ans);
        }
}
