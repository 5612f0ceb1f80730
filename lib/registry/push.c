/*
 * lib/registry/push.c - blobs and manifests on their way to a registry.
 *
 *      there? -> mount from another repository -> upload session
 *                                                    |
 *              one PUT of it all  <- whole --------- + -- chunked -> PATCH, ..., PUT
 *                     | broke off                                     | broke off
 *                     +---> there by now? else how far? (new session) <+
 *
 * After a failure everything goes on in chunks from where the registry says it stands; a
 * session that it forgot is begun anew. Bodies are read from the file at their offset, so
 * that any request can be sent again, with another token if need be.
 */
#include <assert.h>
#include <string.h>

#include <slipway/text.h>

#include "lib/registry/client.h"

enum {
        CHUNK = 8 * 1024 * 1024,
        PROGRESS = 1024 * 1024, /* so much more makes earlier failures forgotten */
        MAX_LOST = 6,           /* times that a session may be lost without progress */
        PATIENCE = 5,           /* times stall_s: registries hash and move what they got */
};

struct upload {
        struct sw__talk *t;
        const struct sw_push *p;
        int64_t size;
        sw_fd fd;
        char *location; /* of the session; NULL: there is none */
        int64_t at;     /* bytes that the registry has */
        int64_t counted;
        int64_t chunk;
        int64_t base; /* of the request that is under way */
        bool chunked;
        enum sw_pushed done;
};

static void
upload_clear(struct upload *u)
{
        free(u->location);
        sw_fd_clear(&u->fd);
}
typedef struct upload upload;
SW_DEFINE_AUTO(upload, upload_clear)

static void
on_sent(void *arg, int64_t n)
{
        struct upload *u = arg;

        if (u->p->progress)
                u->p->progress(u->p->arg, u->base + n);
}

static char *
with_digest(const struct upload *u)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_buf) b = SW_BUF_INIT;

        assert(u->location); /* there is a session: take_location() saw to it */
        sw_buf_adds(&b, u->location);
        sw_buf_adds(&b, strchr(u->location, '?') ? "&digest=" : "?digest=");
        sw__url_add(&b, sw_digest_str(&u->p->desc->digest, digest));
        return sw_buf_detach(&b);
}

/* A request that hands over @len bytes of the blob. */
static struct sw__ask
body_ask(struct upload *u, const char *method, const char *url, int64_t len)
{
        u->base = u->at;
        return (struct sw__ask){
                .q = { .method = method,
                       .has_body = true,
                       .body_fd = u->fd,
                       .body_off = u->at,
                       .body_len = len,
                       .body = len == 0 ? "" : NULL,
                       .stall_s = u->t->r->stall_s * PATIENCE,
                       .sent = on_sent,
                       .arg = u },
                .url = url,
                .content_type = "application/octet-stream",
        };
}

/* ---- sessions ---- */

/* Where to go on, as an answer says it; relative to the request that it answers. */
static sw_err *
take_location(struct upload *u, const struct sw__http_answer *a, const char *url)
{
        const char *to = sw__http_header(a, "location", 0);
        const char *least = sw__http_header(a, "oci-chunk-min-length", 0);
        char *next = NULL;
        int64_t n = 0;

        if (!to)
                return u->location ? SW_OK
                                   : sw_err_new(SW_E_REMOTE,
                                                "registry %s began an upload, but does not "
                                                "say where",
                                                u->t->e->host->name);
        sw_err *err = sw__url_follow(url, to, &next);
        if (err)
                return sw_err_wrap(err, "registry %s: where to upload",
                                   u->t->e->host->name);
        free(u->location);
        u->location = next;
        if (least) {
                sw_err_drop(sw_parse_int(least, 0, INT64_C(1) << 40, &n),
                            "then there is no least size");
                u->chunk = n > u->chunk ? n : u->chunk;
        }
        return SW_OK;
}

/* Begin a session, or have the blob mounted. @query: "" or "?mount=…". */
static sw_err *
begin(struct upload *u, const char *query, struct sw__http_answer *a)
{
        sw_auto(sw_str) path = sw_asprintf("blobs/uploads/%s", query);
        sw_auto(sw_buf) url = SW_BUF_INIT;

        sw__talk_url(u->t, &url, path);
        struct sw__ask ask = { .q = { .method = "POST", .has_body = true, .body = "" },
                               .url = url.data };
        sw_err *err = sw__talk_ask(u->t, &ask, a);
        u->at = 0;
        return err || a->status != 202 ? err : take_location(u, a, url.data);
}

static sw_err *
begin_session(struct upload *u)
{
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };

        sw_str_clear(&u->location);
        sw_err *err = begin(u, "", &a);
        if (err || a.status == 202)
                return err;
        return sw__talk_refused(u->t, &a, "begin an upload");
}

static void
drop_session(struct upload *u)
{
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        struct sw__ask ask = { .q = { .method = "DELETE" }, .url = u->location };

        sw_err_drop(sw__talk_once(u->t, &ask, &a), "the registry forgets it after a while");
        sw_str_clear(&u->location);
}

/* ---- mounting ---- */

static sw_err *
mount_one(struct upload *u, const char *from, bool *mounted)
{
        sw_strlist *scopes = &u->t->scopes;
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        sw_auto(sw_buf) query = SW_BUF_INIT;

        if (u->location)
                drop_session(u);
        sw_buf_adds(&query, "?mount=");
        sw__url_add(&query, sw_digest_str(&u->p->desc->digest, digest));
        sw_buf_adds(&query, "&from=");
        sw__url_add(&query, from);
        sw_strlist_take(scopes, sw_asprintf("repository:%s:pull", from));
        sw_err *err = begin(u, query.data, &a);
        free(scopes->v[--scopes->n]);
        *mounted = !err && a.status == 201;
        if (err && sw_err_code(err) != SW_E_DENIED)
                return err;
        sw_err_drop(err, "we may not read there: then it is sent");
        return SW_OK;
}

static sw_err *
mount_any(struct upload *u, bool *mounted)
{
        sw_err *err = SW_OK;

        for (const char *const *from = u->p->from; from && *from && !err && !*mounted;
             from++) {
                if (strcmp(*from, u->t->c->name->repo) != 0)
                        err = mount_one(u, *from, mounted);
        }
        return err;
}

/* ---- sending ---- */

/* What "0-N" says of the bytes that are there; "0-0" is said of one byte and of none. */
static void
take_range(struct upload *u, const struct sw__http_answer *a, int64_t otherwise)
{
        const char *s = sw__http_header(a, "range", 0);
        int64_t last = 0;

        u->at = otherwise;
        if (!s || strncmp(s, "0-", 2) != 0)
                return;
        sw_err *err = sw_parse_int(s + 2, 0, INT64_MAX - 1, &last);
        if (!err && last + 1 <= u->size && (last > 0 || otherwise > 1))
                u->at = last > 0 ? last + 1 : 0;
        sw_err_drop(err, "then the status is what counts");
}

/* The session is not what we think it is: it ended with a request whose answer was lost, or
 * the registry forgot it, or stands elsewhere. */
static bool
is_lost(long status)
{
        return status == 404 || status == 416;
}

static bool
is_created(long status)
{
        return status == 201 || status == 204;
}

/* The last request of a session, with what is left of the blob. */
static sw_err *
put_rest(struct upload *u, struct sw__http_answer *a, bool *done)
{
        sw_auto(sw_str) url = with_digest(u);
        struct sw__ask ask = body_ask(u, "PUT", url, u->size - u->at);
        char digest[SW_DIGEST_STR_SIZE];

        sw_err *err = sw__talk_once(u->t, &ask, a);
        if (err || !is_created(a->status))
                return err;
        const char *said = sw__http_header(a, "docker-content-digest", 0);
        if (said && strcmp(said, sw_digest_str(&u->p->desc->digest, digest)) != 0)
                return sw_err_new(SW_E_CORRUPT, "registry %s took it for something else",
                                  u->t->e->host->name);
        *done = true;
        return SW_OK;
}

static sw_err *
patch_chunk(struct upload *u, struct sw__http_answer *a)
{
        sw_auto(sw_str) url = sw_strdup(u->location);
        int64_t n = u->size - u->at < u->chunk ? u->size - u->at : u->chunk;
        sw_auto(sw_str) range = sw_asprintf("Content-Range: %lld-%lld", (long long) u->at,
                                            (long long) (u->at + n - 1));
        struct sw__ask ask = body_ask(u, "PATCH", url, n);

        ask.extra = range;
        sw_err *err = sw__talk_once(u->t, &ask, a);
        if (err || a->status != 202)
                return err;
        take_range(u, a, u->at + n);
        return take_location(u, a, url);
}

/* Farther than ever: earlier failures are forgotten. What is only sent again does not
 * count, or a registry that loses every session would never be given up. */
static void
note_progress(struct upload *u)
{
        if (u->at - u->counted < PROGRESS && u->at < u->size)
                return;
        if (u->at > u->counted)
                u->t->tries = 0;
        u->counted = u->at > u->counted ? u->at : u->counted;
}

/* How far the session got; one that is gone is begun anew. */
static sw_err *
look_again(struct upload *u, bool *done)
{
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        sw_auto(sw_str) url = sw_strdup(u->location);
        struct sw__ask ask = { .q = { .method = "GET" }, .url = url };
        int tries = u->t->tries;

        /* what broke off may have been the answer */
        sw_err *err = sw__talk_has(u->t, u->p->desc, false, done);
        if (err || *done)
                return err;
        err = sw__talk_ask(u->t, &ask, &a);
        if (!err && (a.status == 204 || a.status == 202 || a.status == 200)) {
                take_range(u, &a, 0);
                err = take_location(u, &a, url);
        } else if (!err) {
                err = begin_session(u);
        }
        u->t->tries = tries;
        note_progress(u);
        return err;
}

/* One request; what it came to is in @a. */
static sw_err *
send_some(struct upload *u, struct sw__http_answer *a, bool *done)
{
        if (u->chunked && u->at < u->size)
                return patch_chunk(u, a);
        return put_rest(u, a, done);
}

static sw_err *
send_all(struct upload *u)
{
        bool done = false;

        u->t->tries = 0;
        while (!done) {
                sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
                sw_err *err = send_some(u, &a, &done);
                bool lost = !err && is_lost(a.status) && ++u->t->tries < MAX_LOST;

                if (!err && (done || (a.status == 202 && u->at > u->base))) {
                        note_progress(u);
                        continue;
                }
                if (!lost && !sw__talk_again(u->t, &a, &err))
                        return err ? sw__talk_failed(u->t, &a, err)
                                   : sw__talk_refused(u->t, &a, "upload");
                u->chunked = true;
                err = look_again(u, &done);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
push_at(struct sw__talk *t, void *arg)
{
        struct upload *u = arg;
        bool there = false, mounted = false;

        u->t = t;
        sw_err *err = sw__talk_has(t, u->p->desc, false, &there);
        if (err || there) {
                u->done = SW_PUSHED_EXISTED;
                return err;
        }
        err = mount_any(u, &mounted);
        if (err || mounted) {
                u->done = SW_PUSHED_MOUNTED;
                return err;
        }
        err = u->p->open(u->p->arg, t->c->ctx, &u->fd);
        if (!err && !u->location)
                err = begin_session(u);
        if (!err)
                err = send_all(u);
        u->done = SW_PUSHED_SENT;
        return err;
}

sw_err *
sw_registry_push_blob(sw_registry *r, const struct sw_registry_call *c,
                      const struct sw_push *p, enum sw_pushed *out)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        char digest[SW_DIGEST_STR_SIZE];
        struct sw_registry_call call = *c;
        sw_auto(upload) u = { .p = p,
                              .size = p->desc->size,
                              .fd = -1,
                              .chunk = CHUNK,
                              .chunked = p->chunked };

        call.push = true;
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, false);
        if (!err) {
                err = sw__talk_each(r, &call, SW__DIRECT, push_at, &u);
                sw__slots_give(&r->slots, c->name->host);
        }
        if (!err && out)
                *out = u.done;
        return sw_err_wrap(err, "push %s to %s", sw_digest_str(&p->desc->digest, digest),
                           repo);
}

/* ---- manifests ---- */

struct manifest {
        const char *reference;
        const sw_desc *d;
        const void *p;
        size_t n;
};

static sw_err *
manifest_at(struct sw__talk *t, void *arg)
{
        const struct manifest *m = arg;
        sw_auto(sw__http_answer) a = { .body = SW_BUF_INIT };
        sw_auto(sw_str) path = sw_asprintf("manifests/%s", m->reference);
        sw_auto(sw_buf) url = SW_BUF_INIT;
        char digest[SW_DIGEST_STR_SIZE];

        sw__talk_url(t, &url, path);
        struct sw__ask ask = { .q = { .method = "PUT",
                                      .has_body = true,
                                      .body = m->p,
                                      .body_len = (int64_t) m->n,
                                      .stall_s = t->r->stall_s * PATIENCE },
                               .url = url.data,
                               .content_type = m->d->media_type };
        sw_err *err = sw__talk_ask(t, &ask, &a);
        if (err)
                return err;
        if (a.status != 201 && a.status != 200 && a.status != 202)
                return sw__talk_refused(t, &a, path);
        const char *said = sw__http_header(&a, "docker-content-digest", 0);
        if (said && strcmp(said, sw_digest_str(&m->d->digest, digest)) != 0)
                return sw_err_new(SW_E_CORRUPT, "registry %s took it for something else",
                                  t->e->host->name);
        return SW_OK;
}

sw_err *
sw_registry_push_manifest(sw_registry *r, const struct sw_registry_call *c, const char *tag,
                          const sw_desc *d, const void *p, size_t n)
{
        sw_auto(sw_str) repo = sw_image_name_repo(c->name);
        char digest[SW_DIGEST_STR_SIZE];
        struct sw_registry_call call = *c;
        struct manifest job = { tag ?: sw_digest_str(&d->digest, digest), d, p, n };

        if (tag && !sw__is_tag(tag))
                return sw_err_new(SW_E_INVALID,
                                  "push a manifest to %s: what is given as its "
                                  "tag is none",
                                  repo);
        call.push = true;
        sw_err *err = sw__slots_take(&r->slots, c->ctx, c->name->host, true);
        if (!err) {
                err = sw__talk_each(r, &call, SW__DIRECT, manifest_at, &job);
                sw__slots_give(&r->slots, c->name->host);
        }
        return sw_err_wrap(err, "push %s%s%s", repo, tag ? ":" : "@", job.reference);
}
