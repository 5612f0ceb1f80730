/*
 * plugins/source-http/fetch.c - asking whether a file is the same still; downloading it.
 *
 * A download that broke off goes on where it stopped when the server can tell that it is
 * still the same (If-Range), or a checksum will.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/http/retry.h"
#include "plugins/source-http/trip.h"

enum {
        MAX_TRIES = 6,
        CONNECT_TRIES = 3,      /* where nobody answers, waiting longer rarely helps */
        MAX_WAIT_S = 60,        /* that a server may ask for */
        WORTH_IT = 1024 * 1024, /* bytes that came: the next failure is a first one */
};

sw_err *
fetch_same(const struct asking *a, const contents *known, int *hit, struct content *out)
{
        sw_auto(trip) t = { .a = a, .auth = SW_BUF_INIT };
        sw_auto(sw__http_answer) ans = { .body = SW_BUF_INIT };
        struct sw__http_request q = { .method = "HEAD" };
        sw_auto(sw_strlist) headers = { 0 };
        sw_err *err = trip_begin(&t);

        *hit = -1;
        if (err)
                return err;
        head_ask(&headers, known);
        if (headers.n == 0)
                return SW_OK;
        err = trip_request(&t, &q, &headers, &ans);
        if (sw_err_code(err) == SW_E_CANCELLED)
                return err;
        if (!err)
                *hit = head_match(&ans, known);
        if (*hit >= 0)
                head_known(&ans, &known->v[*hit], out);
        sw_err_drop(err, "not every server knows HEAD: GET will tell");
        return SW_OK;
}

/* ---- downloading ---- */

struct download {
        struct trip trip;
        sw_ingest *in;
        sw_buf validator; /* of what is in the ingest; "": none */
        char *status_id;
        bool ranged;  /* the end of it was asked for */
        bool began;   /* the answer was looked at */
        bool resumed; /* not all of it came with one answer */
        int64_t total, started;
        int64_t at_try; /* bytes that were there when tries were counted from */
        int tries;
};

static void
download_release(struct download *d)
{
        trip_release(&d->trip);
        sw_buf_release(&d->validator);
        free(d->status_id);
}
typedef struct download download;
SW_DEFINE_AUTO(download, download_release)

static void
tell(const struct download *d, bool done)
{
        const struct sw_progress p = {
                .id = d->status_id,
                .current = sw_ingest_offset(d->in),
                .total = d->total,
                .started = d->started,
                .completed = done ? sw_time_now() : 0,
        };

        sw_progress_status(d->trip.a->ctx, &p);
}

static sw_err *
too_large(const struct download *d)
{
        char size[32];

        return sw_err_new(SW_E_LIMIT,
                          "it is larger than %s (option maxSize of source/http)",
                          sw_size_str(d->trip.a->web->max_size, size));
}

/* What lets the rest be asked for later: a strong ETag, or else its time. */
static void
set_validator(struct download *d, const struct sw__http_answer *ans)
{
        const char *etag = sw__http_header(ans, "etag", 0);
        const char *modified = sw__http_header(ans, "last-modified", 0);
        int64_t ignored;

        sw_buf_clear(&d->validator);
        if (etag && *etag == '"')
                etag_add(&d->validator, etag);
        else if (modified && date_parse(modified, &ignored))
                sw_buf_adds(&d->validator, modified);
        remember_part(d->trip.a->worker, d->trip.a->spec, d->validator.data);
}

/* "bytes 100-199/200" */
static sw_err *
check_range(const struct download *d, const struct sw__http_answer *ans)
{
        const char *range = sw__http_header(ans, "content-range", 0);
        char *end = NULL;
        long long from = -1;

        if (d->ranged && range && strncmp(range, "bytes ", 6) == 0)
                from = strtoll(range + 6, &end, 10);
        if (!end || *end != '-' || from != sw_ingest_offset(d->in))
                return sw_err_new(SW_E_REMOTE, "the server sent another part of the file "
                                               "than it was asked for");
        return SW_OK;
}

/* The head of an answer with content is there. */
static sw_err *
begin(struct download *d, const struct sw__http_answer *ans)
{
        const char *length = sw__http_header(ans, "content-length", 0);
        int64_t n = 0;
        sw_err *err = SW_OK;

        d->began = true;
        if (ans->status == 206) {
                err = check_range(d, ans);
                d->resumed = true;
        } else {
                d->resumed = false;
                if (sw_ingest_offset(d->in) > 0)
                        err = sw_ingest_restart(d->in);
                set_validator(d, ans);
        }
        if (err)
                return err;
        if (length) /* one that is none is curl's to refuse */
                sw_err_drop(sw_parse_int(length, 0, INT64_MAX / 2, &n), "not known");
        d->total = n > 0 ? n + sw_ingest_offset(d->in) : 0;
        return d->total > d->trip.a->web->max_size ? too_large(d) : SW_OK;
}

static sw_err *
on_data(void *arg, const struct sw__http_answer *ans, const void *p, size_t n)
{
        struct download *d = arg;
        sw_err *err = d->began ? SW_OK : begin(d, ans);

        if (!err && (int64_t) n > d->trip.a->web->max_size - sw_ingest_offset(d->in))
                err = too_large(d);
        if (!err)
                err = sw_ingest_write(d->in, p, n);
        if (!err)
                tell(d, false);
        return err;
}

static bool
has_content(const struct sw__http_answer *ans)
{
        return ans->status == 200 || ans->status == 203 || ans->status == 206;
}

/* One try. */
static sw_err *
attempt(struct download *d, const contents *known, struct sw__http_answer *ans)
{
        const bool pinned = d->trip.a->spec->has_checksum;
        struct sw__http_request q = { .method = "GET", .data = on_data, .arg = d };
        sw_auto(sw_strlist) headers = { 0 };
        int64_t at = sw_ingest_offset(d->in);
        sw_err *err = SW_OK;

        if (at > 0 && d->validator.len == 0 && !pinned) {
                err = sw_ingest_restart(d->in);
                at = 0;
        }
        d->began = false;
        d->ranged = at > 0;
        if (d->ranged)
                sw_strlist_take(&headers,
                                sw_asprintf("Range: bytes=%lld-", (long long) at));
        else
                head_ask(&headers, known);
        if (d->ranged && d->validator.len > 0)
                sw_strlist_take(&headers, sw_asprintf("If-Range: %s", d->validator.data));
        if (!err)
                err = trip_request(&d->trip, &q, &headers, ans);
        if (!err && has_content(ans) && !d->began) /* nothing is in it */
                err = begin(d, ans);
        return err;
}

/* Whether to try again, after the wait that is due. *@err: what the try ended with. */
static bool
again(struct download *d, const struct sw__http_answer *ans, sw_err **err)
{
        const bool connect = ans->fault == SW__FAULT_CONNECT || ans->fault == SW__FAULT_TLS;
        const bool passing = *err ? connect || ans->fault == SW__FAULT_BROKEN
                                  : sw__is_passing(ans->status);
        const int64_t at = sw_ingest_offset(d->in);

        if (at - d->at_try >= WORTH_IT) {
                d->tries = 0;
                d->at_try = at;
        }
        if (!passing || ++d->tries >= (connect ? CONNECT_TRIES : MAX_TRIES))
                return false;
        const int64_t asked = *err ? -1 : sw__retry_after(ans);
        if (asked > MAX_WAIT_S)
                return false;
        const int64_t wait = asked >= 0 ? asked * SW_NS_PER_SEC
                                        : sw__backoff(d->trip.a->web->retry_ns, d->tries);
        sw_ctx_logf(d->trip.a->ctx, SW_LOG_DEBUG, "%s: try %d failed: %s",
                    d->trip.a->spec->shown, d->tries,
                    *err ? sw_err_message(*err) : "status");
        if (sw_cancel_wait(sw_ctx_cancel(d->trip.a->ctx), wait)) {
                sw_err_drop(*err, "cancelled while waiting to try again");
                *err = sw_ctx_check(d->trip.a->ctx);
                return false;
        }
        sw_err_drop(sw_steal(*err), "tried again");
        return true;
}

static sw_err *
refused(const struct download *d, const struct sw__http_answer *ans)
{
        const char *name = sw__status_name(ans->status);
        const char *host = d->trip.a->spec->host;
        enum sw_code code = SW_E_REMOTE;

        if (ans->status == 404 || ans->status == 410)
                code = SW_E_NOT_FOUND;
        if (ans->status != 401 && ans->status != 403)
                return sw_err_new(code, "invalid response status %ld%s%s", ans->status,
                                  name ? name + 3 : "",
                                  d->tries > 1 ? ", several times" : "");
        return sw_err_new(SW_E_DENIED,
                          d->trip.auth.len > 0
                                  ? "invalid response status %ld%s: the secret with "
                                    "credentials for %s was sent"
                                  : "invalid response status %ld%s: credentials would be "
                                    "taken from a secret HTTP_AUTH_TOKEN_%s",
                          ans->status, name ? name + 3 : "", host);
}

static sw_err *
failed(const struct download *d, const struct sw__http_answer *ans, sw_err *err)
{
        if (ans->fault == SW__FAULT_TRUST)
                return sw_err_wrap(
                        err,
                        "%s cannot be trusted (its CA goes to the configuration: "
                        "plugins.\"source/http\".ca)",
                        d->trip.a->spec->host);
        return d->tries > 1 ? sw_err_wrap(err, "tried %d times", d->tries) : err;
}

/* Until it is all there, or the server says that it is one of @known. */
static sw_err *
transfer(struct download *d, const contents *known, int *hit, struct content *out)
{
        bool fresh = false;

        for (;;) {
                sw_auto(sw__http_answer) ans = { .body = SW_BUF_INIT };
                sw_err *err = attempt(d, known, &ans);

                if (!err && ans.status == 416 && d->ranged && !fresh) {
                        fresh = true; /* it has become shorter */
                        err = sw_ingest_restart(d->in);
                        if (!err)
                                continue;
                }
                if (again(d, &ans, &err))
                        continue;
                if (err)
                        return failed(d, &ans, err);
                if (ans.status == 304)
                        *hit = head_match(&ans, known);
                if (*hit >= 0) {
                        head_known(&ans, &known->v[*hit], out);
                        return SW_OK;
                }
                if (!has_content(&ans))
                        return refused(d, &ans);
                head_read(&ans, out);
                return SW_OK;
        }
}

/* Once more from its beginning, if it was put together of parts that do not fit. */
static sw_err *
check_parts(struct download *d, const contents *known, int *hit, struct content *out)
{
        const struct spec *s = d->trip.a->spec;

        tell(d, true);
        out->digest = sw_ingest_seal(d->in);
        if (!d->resumed || !s->has_checksum || sw_digest_eq(&out->digest, &s->checksum))
                return SW_OK;
        sw_err *err = sw_ingest_restart(d->in);
        if (!err)
                err = transfer(d, known, hit, out);
        if (!err && *hit < 0)
                out->digest = sw_ingest_seal(d->in);
        return err;
}

/* What it is is remembered before the name of the ingest is free: who waits for that finds
 * it then. */
static sw_err *
finish(struct download *d, const contents *known, int *hit, struct content *out)
{
        sw_err *err = check_parts(d, known, hit, out);

        if (err || *hit >= 0)
                return err;
        remember_put(d->trip.a->worker, d->trip.a->spec, out);
        remember_part_end(d->trip.a->worker, d->trip.a->spec);
        return sw_ingest_commit(sw_steal(d->in), NULL, NULL);
}

sw_err *
fetch_claim(const struct asking *a, sw_ingest **out)
{
        sw_auto(sw_str) name = sw_asprintf("http-%s", a->spec->key);

        return sw_content_ingest(sw_worker_content(a->worker), a->ctx, name, NULL, -1, out);
}

void
fetch_unclaim(sw_ingest *in)
{
        if (in && sw_ingest_offset(in) > 0)
                sw_ingest_close(in); /* to be resumed */
        else
                sw_ingest_abort(in);
}

sw_err *
fetch_all(const struct asking *a, sw_ingest *in, const contents *known, int *hit,
          struct content *out)
{
        sw_auto(download) d = {
                .trip = { .a = a, .auth = SW_BUF_INIT },
                .in = in,
                .validator = SW_BUF_INIT,
                .started = sw_time_now(),
        };
        sw_auto(sw_str) name = spec_name(a->spec, NULL);
        sw_err *err = trip_begin(&d.trip);

        *hit = -1;
        d.status_id = sw_asprintf("downloading %s", name);
        d.at_try = sw_ingest_offset(in);
        if (d.at_try > 0)
                remember_part_get(a->worker, a->spec, &d.validator);
        if (!err)
                err = transfer(&d, known, hit, out);
        if (!err && *hit < 0)
                err = finish(&d, known, hit, out);
        const bool later = d.validator.len > 0 || a->spec->has_checksum;
        if (err && later && sw_err_code(err) != SW_E_LIMIT)
                fetch_unclaim(d.in);
        else
                sw_ingest_abort(d.in);
        return err;
}
