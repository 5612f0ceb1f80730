/*
 * lib/imagesource/unpack.c - a blob of an origin becomes a layer, in one pass: fetched,
 * kept if that is wanted, unpacked and checked at the same time.
 *
 *      fetching thread: place -> ingest (kept) -> ring -> caller's thread: unpack -> writer
 *
 * The ring holds RING bytes: who is faster waits. Either side may end early: the one that
 * unpacks closes the ring, and writing to it then fails; the one that fetches sets its end,
 * with the error that led to it. Nothing that was told to the writer counts before both
 * ended well and both digests are right.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <slipway/time.h>

#include "lib/imagesource/documents_priv.h"
#include "lib/layer/unpack.h"

enum { RING = 4 * 1024 * 1024 };

struct ring {
        pthread_mutex_t lock;
        pthread_cond_t moved;
        char *bytes;
        size_t head, n; /* n bytes from head on are there */
        bool ended;     /* no more come */
        bool closed;    /* no more are wanted */
};

struct stream {
        const struct asking *a;
        const sw_desc *d;
        sw_ingest *keep; /* or NULL */
        int64_t started;
        struct ring ring;
        sw_err *err; /* of fetching; set before ring.ended */
};

static sw_err *
ring_write(void *arg, const void *p, size_t n)
{
        struct stream *s = arg;
        struct ring *r = &s->ring;
        const char *from = p;
        sw_err *err = s->keep ? sw_ingest_write(s->keep, p, n) : SW_OK;

        while (n > 0 && !err) {
                pthread_mutex_lock(&r->lock);
                while (r->n == RING && !r->closed)
                        pthread_cond_wait(&r->moved, &r->lock);
                const size_t tail = (r->head + r->n) % RING;
                size_t room = tail < r->head ? r->head - tail : RING - tail;
                if (r->n == RING)
                        room = 0;
                const bool closed = r->closed;
                pthread_mutex_unlock(&r->lock);
                if (closed)
                        return sw_err_new(SW_E_CANCELLED, "nobody unpacks it any more");
                /* The reader leaves what is free alone. */
                const size_t now = n < room ? n : room;
                memcpy(r->bytes + tail, from, now);
                pthread_mutex_lock(&r->lock);
                r->n += now;
                pthread_cond_broadcast(&r->moved);
                pthread_mutex_unlock(&r->lock);
                from += now;
                n -= now;
        }
        return err;
}

static sw_err *
ring_read(void *arg, void *p, size_t n, size_t *got)
{
        struct stream *s = arg;
        struct ring *r = &s->ring;

        pthread_mutex_lock(&r->lock);
        while (r->n == 0 && !r->ended)
                pthread_cond_wait(&r->moved, &r->lock);
        size_t now = r->n < RING - r->head ? r->n : RING - r->head;
        const size_t head = r->head;
        const bool failed = r->n == 0 && s->err;
        pthread_mutex_unlock(&r->lock);
        if (failed)
                return sw_err_new(SW_E_IO, "the rest of it could not be fetched");
        now = now < n ? now : n;
        memcpy(p, r->bytes + head, now);
        pthread_mutex_lock(&r->lock);
        r->head = (r->head + now) % RING;
        r->n -= now;
        pthread_cond_broadcast(&r->moved);
        pthread_mutex_unlock(&r->lock);
        *got = now;
        return SW_OK;
}

static void
told(void *arg, int64_t done)
{
        const struct stream *s = arg;

        sw__blob_progress(s->a->ctx, s->d, s->started, done);
}

static void *
fetch_main(void *arg)
{
        struct stream *s = arg;
        const struct asking *a = s->a;
        const struct sw_image_sink sink = { ring_write, told, s };

        pthread_setname_np(pthread_self(), "sw-fetch");
        sw_err *err =
                a->place->blob(a->place->self, a->ctx, a->session, a->locator, s->d, &sink);
        pthread_mutex_lock(&s->ring.lock);
        s->err = err;
        s->ring.ended = true;
        pthread_cond_broadcast(&s->ring.moved);
        pthread_mutex_unlock(&s->ring.lock);
        return NULL;
}

static sw_err *
start(struct stream *s, pthread_t *thread)
{
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const int rc = pthread_create(thread, NULL, fetch_main, s);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return rc ? sw_err_sys(SW_E_INTERNAL, rc, "start a thread") : SW_OK;
}

static void
close_ring(struct ring *r)
{
        pthread_mutex_lock(&r->lock);
        r->closed = true;
        pthread_cond_broadcast(&r->moved);
        pthread_mutex_unlock(&r->lock);
}

/* Whether the tar was what the image's configuration says. */
static sw_err *
check(const struct sw_blob *blob, const struct sw_unpack_result *res)
{
        char want[SW_DIGEST_STR_SIZE], is[SW_DIGEST_STR_SIZE], of[SW_DIGEST_STR_SIZE];

        if (sw_digest_eq(&blob->diff_id, &res->diff_id))
                return SW_OK;
        return sw_err_new(SW_E_CORRUPT,
                          "layer %s: its tar is %s, but the image's configuration says %s",
                          sw_digest_str(&blob->digest, of),
                          sw_digest_str(&res->diff_id, is),
                          sw_digest_str(&blob->diff_id, want));
}

/* ---- while it is fetched ---- */

/* @keep: given; or NULL. */
static sw_err *
unpack_stream(const struct asking *a, const sw_desc *d, const struct sw_blob *blob,
              sw_ingest *keep, const struct sw_layer_ops *ops, void *w,
              struct sw_unpack_result *res)
{
        struct stream s = { .a = a, .d = d, .keep = keep, .started = sw_time_now() };
        const struct sw_reader in = { ring_read, &s };
        const struct sw_unpack_opts opts = { .max_size = 0 };
        pthread_t thread;

        pthread_mutex_init(&s.ring.lock, NULL);
        pthread_cond_init(&s.ring.moved, NULL);
        s.ring.bytes = sw_alloc(RING);
        sw_err *err = start(&s, &thread);
        if (!err) {
                err = sw_layer_unpack(a->ctx, &in, &opts, ops, w, res);
                close_ring(&s.ring);
                pthread_join(thread, NULL);
                if (s.err && (!err || sw_err_code(s.err) != SW_E_CANCELLED)) {
                        sw_err_drop(err, "it followed from the other");
                        err = sw_steal(s.err);
                }
                sw_err_drop(s.err, "unpacking ended it");
        }
        free(s.ring.bytes);
        pthread_cond_destroy(&s.ring.moved);
        pthread_mutex_destroy(&s.ring.lock);
        if (!err)
                err = check(blob, res);
        if (!err && keep)
                return sw_ingest_commit(keep, &d->digest, NULL);
        sw_ingest_abort(keep);
        return err;
}

/* ---- what is here already ---- */

static sw_err *
read_file(void *arg, void *p, size_t n, size_t *got)
{
        const int *fd = arg;
        ssize_t r;

        do
                r = read(*fd, p, n);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return sw_err_sys(SW_E_IO, errno, "read a blob");
        *got = (size_t) r;
        return SW_OK;
}

/* A blob that the disk damaged is fetched anew the next time. */
static void
remove_damaged(const struct asking *a, int fd, const sw_digest *d)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        char buf[65536];
        size_t n = 0;
        sw_err *err = lseek(fd, 0, SEEK_SET) < 0
                              ? sw_err_sys(SW_E_IO, errno, "read a blob again")
                              : SW_OK;

        while (!err && !(err = read_file(&fd, buf, sizeof(buf), &n)) && n > 0)
                sw_hasher_add(h, buf, n);
        if (!err) {
                const sw_digest is = sw_hasher_finish(h);

                if (!sw_digest_eq(&is, d))
                        err = sw_content_remove(sw_worker_content(a->worker), d);
        }
        sw_err_drop(err, "that it could not be unpacked is told");
}

static sw_err *
unpack_here(const struct asking *a, int fd, const struct sw_blob *blob,
            const struct sw_layer_ops *ops, void *w, struct sw_unpack_result *res)
{
        const struct sw_reader in = { read_file, &fd };
        const struct sw_unpack_opts opts = { .max_size = 0 };
        sw_err *err = sw_layer_unpack(a->ctx, &in, &opts, ops, w, res);

        if (!err)
                err = check(blob, res);
        if (sw_err_code(err) == SW_E_CORRUPT || sw_err_code(err) == SW_E_INVALID)
                remove_damaged(a, fd, &blob->digest);
        return err;
}

/* An ingest for what is fetched; NULL: it is not kept, or somebody else does that. */
static sw_err *
begin_keeping(const struct asking *a, const sw_desc *d, sw_ingest **out)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) name = sw_asprintf("blob-%s", sw_digest_str(&d->digest, digest));

        *out = NULL;
        if (!a->place->keep_blobs)
                return SW_OK;
        sw_err *err = sw_content_ingest(sw_worker_content(a->worker), a->ctx, name,
                                        &d->digest, d->size, out);
        if (!err) {
                err = sw_ingest_restart(*out);
                if (err)
                        sw_ingest_abort(sw_steal(*out));
                return err;
        }
        if (sw_err_code(err) != SW_E_BUSY && sw_err_code(err) != SW_E_EXISTS)
                return err;
        sw_err_drop(err, "somebody else keeps it");
        return SW_OK;
}

sw_err *
sw_image_blob_unpack(const struct sw_image_place *place, sw_ctx *ctx, sw_session *session,
                     sw_worker *worker, const char *locator, const struct sw_blob *blob,
                     const struct sw_layer_ops *ops, void *writer, sw_strlist *implied)
{
        const struct asking a = { place, locator, worker, ctx, session };
        struct sw_unpack_result res = { .tar_size = 0 };
        sw_auto(sw_desc) d = { 0 };
        sw_auto(sw_fd) fd = -1;
        sw_ingest *keep = NULL;
        struct sw_blob_info info;

        sw__blob_desc(blob, &d);
        sw_err *err = sw_content_open(sw_worker_content(worker), &blob->digest, &fd, &info);
        if (!err) {
                err = unpack_here(&a, fd, blob, ops, writer, &res);
        } else if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "it is fetched");
                err = begin_keeping(&a, &d, &keep);
                if (!err)
                        err = unpack_stream(&a, &d, blob, keep, ops, writer, &res);
        }
        for (size_t i = 0; !err && i < res.implied.n; i++)
                sw_strlist_add(implied, res.implied.v[i]);
        sw_unpack_result_release(&res);
        return err;
}
