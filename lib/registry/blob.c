/*
 * lib/registry/blob.c - blobs: streamed to a sink, hashed on the way, resumed where they
 * broke off, at the next endpoint if need be.
 *
 * What the sink got is never taken back, so nothing is tried again after bytes that were
 * wrong: the digest is over what the sink got.
 */
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

#include "lib/registry/client.h"

/* So much more of a blob makes earlier failures forgotten. */
#define PROGRESS (1024 * 1024)

struct fetch {
        const sw_desc *d;
        const struct sw_blob_sink *sink;
        sw_hasher *hasher;
        int64_t done;    /* bytes that the sink has */
        int64_t skip;    /* of this answer: the sink has them already */
        int64_t counted; /* done, when tries were last set back */
        bool checked;    /* the head of this answer */
        bool sink_failed;
        struct sw__talk *t;
};

static sw_err *
corrupt(const struct fetch *f, const char *what)
{
        return sw_err_new(SW_E_CORRUPT, "registry %s: %s", f->t->e->host->name, what);
}

static bool
take_number(const char **p, int64_t *out)
{
        size_t n = strspn(*p, "0123456789");
        int64_t value = 0;

        if (n == 0 || n > 18)
                return false;
        for (; n > 0; n--, (*p)++)
                value = value * 10 + (**p - '0');
        *out = value;
        return true;
}

/* "bytes 5-9/10"; the registry may leave the total out ("*"). */
static bool
parse_range(const char *s, int64_t *from, int64_t *total)
{
        int64_t to = 0;

        *total = -1;
        if (!s || strncasecmp(s, "bytes ", 6) != 0)
                return false;
        s += 6;
        if (!take_number(&s, from) || *s++ != '-' || !take_number(&s, &to) || *s++ != '/')
                return false;
        return (*s == '*' || take_number(&s, total)) && to >= *from;
}

/* What the head of an answer promises, against what is wanted. */
static sw_err *
check_head(struct fetch *f, const struct sw__http_answer *a)
{
        const char *length = sw__http_header(a, "content-length", 0);
        int64_t from = 0, total = -1, n = -1;

        f->checked = true;
        if (a->status == 206) {
                if (!parse_range(sw__http_header(a, "content-range", 0), &from, &total) ||
                    from != f->done)
                        return corrupt(f, "it sent another range than the one asked for");
        } else {
                f->skip = f->done; /* it knows no ranges, and begins anew */
                if (length)
                        sw_err_drop(sw_parse_int(length, 0, INT64_MAX, &n),
                                    "then the bytes are counted");
                total = n;
        }
        if (f->d->size >= 0 && total >= 0 && total != f->d->size)
                return sw_err_new(SW_E_CORRUPT,
                                  "registry %s has %lld bytes of it, where "
                                  "the descriptor says %lld",
                                  f->t->e->host->name, (long long) total,
                                  (long long) f->d->size);
        return SW_OK;
}

static sw_err *
on_data(void *arg, const struct sw__http_answer *a, const void *p, size_t n)
{
        struct fetch *f = arg;
        const char *bytes = p;

        sw_err *err = f->checked ? SW_OK : check_head(f, a);
        if (err)
                return err;
        if (f->skip > 0) {
                size_t past = (int64_t) n < f->skip ? n : (size_t) f->skip;

                f->skip -= (int64_t) past;
                bytes += past;
                n -= past;
        }
        if (n == 0)
                return SW_OK;
        if (f->d->size >= 0 && (int64_t) n > f->d->size - f->done)
                return corrupt(f, "it sent more bytes than the descriptor says");
        sw_hasher_add(f->hasher, bytes, n);
        err = f->sink->write(f->sink->arg, bytes, n);
        f->sink_failed = err != NULL;
        f->done += (int64_t) n;
        if (!err && f->sink->progress)
                f->sink->progress(f->sink->arg, f->done);
        return err;
}

static sw_err *
ask_once(struct fetch *f, const char *url, struct sw__http_answer *a)
{
        char range[64];
        struct sw__ask ask = { .q = { .method = "GET", .data = on_data, .arg = f },
                               .url = url,
                               .accept = "*/*" };

        if (f->done > 0) {
                (void) snprintf(range, sizeof(range), "Range: bytes=%lld-",
                                (long long) f->done);
                ask.extra = range;
        }
        f->checked = false;
        f->skip = 0;
        sw_err *err = sw__talk_once(f->t, &ask, a);
        if (f->done - f->counted >= PROGRESS) {
                f->t->tries = 0;
                f->counted = f->done;
        }
        if (err && a->fault == SW__FAULT_BROKEN && f->done == f->d->size) {
                sw_err_drop(err, "after the last byte");
                a->fault = SW__FAULT_NONE;
                return SW_OK;
        }
        if (err)
                return err;
        if (a->status == 416 && f->done > 0)
                return corrupt(f, "it has fewer bytes than the descriptor says");
        if (a->status != 200 && a->status != 206)
                return SW_OK;
        if (f->d->size >= 0 && f->done < f->d->size) { /* whole, and yet too short */
                a->fault = SW__FAULT_NONE;
                return sw_err_new(SW_E_CORRUPT,
                                  "registry %s sent %lld bytes of it, where the descriptor "
                                  "says %lld",
                                  f->t->e->host->name, (long long) f->done,
                                  (long long) f->d->size);
        }
        return SW_OK;
}

static sw_err *
blob_at(struct sw__talk *t, void *arg)
{
        struct fetch *f = arg;
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) path =
                sw_asprintf("blobs/%s", sw_digest_str(&f->d->digest, digest));
        sw_auto(sw_buf) url = SW_BUF_INIT;

        f->t = t;
        sw__talk_url(t, &url, path);
        for (;;) {
                sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
                sw_err *err = ask_once(f, url.data, &a);

                if (sw__talk_again(t, &a, &err))
                        continue;
                if (err)
                        return sw__talk_failed(t, &a, err);
                return a.status == 200 || a.status == 206 ? SW_OK
                                                          : sw__talk_refused(t, &a, path);
        }
}

static sw_err *
blob_somewhere(struct sw__talk *t, void *arg)
{
        struct fetch *f = arg;

        if (f->d->size >= 0 && f->done == f->d->size) /* nothing is missing */
                return SW_OK;
        sw_err *err = blob_at(t, f);
        t->over = f->sink_failed;
        return err;
}

static sw_err *
check_blob(struct fetch *f)
{
        sw_digest got = sw_hasher_finish(f->hasher);
        char a[SW_DIGEST_STR_SIZE];

        if (sw_digest_eq(&got, &f->d->digest))
                return SW_OK;
        return sw_err_new(SW_E_CORRUPT, "what came has digest %s", sw_digest_str(&got, a));
}

sw_err *
sw_registry_blob(sw_registry *r, const struct sw_registry_call *c, const sw_desc *d,
                 int64_t from, sw_hasher *prior, const struct sw_blob_sink *sink)
{
        sw_autoptr(sw_hasher) hasher = prior ?: sw_hasher_new();
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        struct fetch f = {
                .d = d, .sink = sink, .hasher = hasher, .done = from, .counted = from
        };
        char digest[SW_DIGEST_STR_SIZE];

        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, false);
        if (!err) {
                err = sw__talk_each(r, c, SW__VIA_MIRRORS, blob_somewhere, &f);
                sw__slots_give(&r->slots, c->name->host);
        }
        if (!err)
                err = check_blob(&f);
        if (f.sink_failed)
                return err; /* the sink's words are enough */
        return sw_err_wrap(err, "fetch %s@%s", repo, sw_digest_str(&d->digest, digest));
}
