/*
 * plugins/exporter-image/push.c - an image to a registry.
 *
 *      blobs, each once, side by side -> manifests, those of an index first -> the tag
 *
 * What the registry has is not sent, and not even read: a layer that is elsewhere is
 * fetched only if it has to be sent. A layer that is known to be in another repository of
 * the same host is mounted from there. The tag comes last: whoever pulls it meanwhile finds
 * the image of before, or all of this one; who is killed sends the rest the next time.
 * Thread: the exporter's, and a pool of its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <slipway/io.h>
#include <slipway/pool.h>
#include <slipway/text.h>

#include "plugins/exporter-image/image.h"

enum { AT_ONCE = 4, REPOS_MAX = 8 };

/* One name being pushed. */
struct push {
        struct image_plugin *p;
        const struct image *im;
        sw_image_name name;
        const char *as_told;
        /* while a session is there */
        struct sw_registry_call call;
        struct sw_imageexport_task task;
};

/* One blob of it. */
struct item {
        struct push *push;
        const struct sw_made_blob *blob;
        sw_strlist from; /* NULL-ended */
        int64_t done;    /* bytes that were told */
        struct sw_imageexport_task task;
        sw_err *err;
};

static sw_err *
need_registry(struct image_plugin *p)
{
        const struct sw_registry_opts opts = { .config = p->config, .log = p->log };
        sw_err *err = SW_OK;

        (void) pthread_mutex_lock(&p->lock);
        if (!p->registry)
                err = sw_registry_new(&opts, &p->registry);
        (void) pthread_mutex_unlock(&p->lock);
        return err;
}

/* ---- blobs ---- */

static sw_err *
open_bytes(const sw_buf *b, int *fd)
{
        sw_auto(sw_fd) mem = memfd_create("blob", MFD_CLOEXEC);
        int failed;

        if (mem < 0)
                return sw_err_sys(SW_E_IO, errno, "keep a blob in memory");
        failed = sw_pwrite_all(mem, b->data, b->len, 0);
        if (failed)
                return sw_err_sys(SW_E_IO, failed, "keep a blob in memory");
        *fd = sw_fd_steal(&mem);
        return SW_OK;
}

static sw_err *
open_item(void *arg, sw_ctx *ctx, int *fd)
{
        const struct item *it = arg;

        if (it->blob->bytes)
                return open_bytes(it->blob->bytes, fd);
        return sw_made_layer_open(it->push->im->made, ctx, it->blob->layer, fd);
}

/* A transfer that is begun again counts back. */
static void
progress(void *arg, int64_t done)
{
        struct item *it = arg;

        sw_imageexport_add(&it->task, done - it->done);
        sw_imageexport_add(&it->push->task, done - it->done);
        it->done = done;
}

/* Repositories on the same host that have it, but for the one it goes to. */
static void
list_from(struct item *it)
{
        const sw_image_name *n = &it->push->name;
        sw_auto(sw_str) host = sw_asprintf("%s/", n->host);
        const struct sw_made_layer *l = it->blob->layer;

        for (size_t i = 0; l && i < l->from.n; i++) {
                const char *repo = l->from.v[i] + strlen(host);

                if (sw_str_has_prefix(l->from.v[i], host) && strcmp(repo, n->repo) != 0)
                        sw_strlist_add(&it->from, repo);
        }
        sw_strlist_take(&it->from, NULL);
}

static sw_err *
send(struct item *it)
{
        const sw_desc *d = it->blob->desc;
        const struct sw_push push = {
                .desc = d,
                .open = open_item,
                .progress = progress,
                .arg = it,
                .from = (const char *const *) it->from.v,
        };
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) id = sw_asprintf("pushing %s", sw_digest_str(&d->digest, digest));
        sw_ctx *ctx = it->push->call.ctx;
        enum sw_pushed how = SW_PUSHED_SENT;
        sw_err *err;

        sw_imageexport_begin(&it->task, ctx, id, d->size);
        err = sw_registry_push_blob(it->push->p->registry, &it->push->call, &push, &how);
        sw_imageexport_end(&it->task, !err && how == SW_PUSHED_SENT);
        if (!err && how != SW_PUSHED_SENT)
                sw_imageexport_told(ctx, "%s: %s", id,
                                    how == SW_PUSHED_MOUNTED ? "mounted" : "exists");
        return sw_err_wrap(err, "%s", id);
}

static void
item_main(void *arg)
{
        struct item *it = arg;

        it->err = sw_ctx_check(it->push->call.ctx);
        if (!it->err) {
                list_from(it);
                it->err = send(it);
        }
}

/* The error that says most: one that is not of others having been stopped. */
static sw_err *
gather(struct item *items, size_t n)
{
        sw_err **first = NULL, *err;

        for (size_t i = 0; i < n; i++)
                if (items[i].err &&
                    (!first || (sw_err_code(*first) == SW_E_CANCELLED &&
                                sw_err_code(items[i].err) != SW_E_CANCELLED)))
                        first = &items[i].err;
        err = first ? sw_steal(*first) : SW_OK;
        for (size_t i = 0; i < n; i++) {
                sw_err_free(items[i].err);
                sw_strlist_release(&items[i].from);
        }
        return err;
}

/* Manifests go their own way; what may not be distributed goes nowhere. */
static bool
is_pushed(const struct sw_made_blob *b)
{
        enum sw_media kind = sw_media_kind(b->desc->media_type);

        return kind != SW_MEDIA_MANIFEST && kind != SW_MEDIA_INDEX &&
               !(b->layer && sw_media_foreign(b->desc->media_type));
}

static sw_err *
push_blobs(struct push *p)
{
        sw_made_blobs all = { 0 };
        sw_autoptr(sw_pool) pool = NULL;
        struct item *items;
        size_t n = 0;
        sw_err *err = sw_pool_new("sw-push", AT_ONCE, &pool), *items_err;

        sw_made_list(p->im->made, &all);
        items = sw_alloc_array(all.n + 1, sizeof(*items));
        for (size_t i = 0; i < all.n && !err; i++) {
                if (!is_pushed(&all.v[i]))
                        continue;
                items[n] = (struct item){ .push = p, .blob = &all.v[i] };
                err = sw_pool_submit(pool, item_main, &items[n++]);
        }
        if (pool)
                sw_pool_drain(pool);
        items_err = gather(items, n);
        free(items);
        sw_array_release(&all);
        if (err) {
                sw_err_drop(items_err, "that it could not be begun says more");
                return err;
        }
        return items_err;
}

/* ---- manifests ---- */

static sw_err *
push_root(struct push *p)
{
        const struct sw_made *m = p->im->made;
        const sw_buf *bytes = m->is_index ? &m->index : &m->images.v[0].manifest;
        struct sw_imageexport_task task;
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) repo = sw_image_name_repo(&p->name);
        sw_auto(sw_str) id =
                sw_asprintf("pushing manifest for %s%s%s@%s", repo, p->name.tag ? ":" : "",
                            p->name.tag ? p->name.tag : "",
                            sw_digest_str(&m->root.digest, digest));
        sw_err *err;

        sw_imageexport_begin(&task, p->call.ctx, id, 0);
        err = sw_registry_push_manifest(p->p->registry, &p->call, p->name.tag, &m->root,
                                        bytes->data, bytes->len);
        sw_imageexport_end(&task, !err);
        return sw_err_wrap(err, "manifest");
}

static sw_err *
push_manifests(struct push *p)
{
        const struct sw_made *m = p->im->made;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < m->images.n && m->is_index && !err; i++) {
                const struct sw_made_image *image = &m->images.v[i];

                err = sw_registry_push_manifest(p->p->registry, &p->call, NULL,
                                                &image->manifest_desc, image->manifest.data,
                                                image->manifest.len);
                if (err)
                        return sw_err_wrap(err, "manifest for %s", image->platform);
        }
        return push_root(p);
}

/* ---- where its layers are now ---- */

/* "REPO,REPO", this one first, those on the same host that were known behind it. */
static char *
list_repos(const struct push *p, const struct sw_made_layer *l)
{
        sw_auto(sw_str) host = sw_asprintf("%s/", p->name.host);
        sw_auto(sw_strlist) repos = { 0 };

        sw_strlist_add(&repos, p->name.repo);
        for (size_t i = 0; i < l->from.n && repos.n < REPOS_MAX; i++) {
                const char *repo = l->from.v[i] + strlen(host);

                if (sw_str_has_prefix(l->from.v[i], host) && !sw_strlist_has(&repos, repo))
                        sw_strlist_add(&repos, repo);
        }
        return sw_strlist_join(&repos, ",");
}

/* Remember it, so that a push to another repository of that host mounts it from this one.
 */
static void
note_source(const struct push *p, sw_ctx *ctx, const struct sw_made_layer *l)
{
        sw_auto(sw_str) key =
                sw_asprintf("containerd.io/distribution.source.%s", p->name.host);
        sw_auto(sw_str) repos = list_repos(p, l);
        const struct sw_attr source = { key, repos };
        const struct sw_blob blob = {
                .size = sizeof(blob),
                .digest = l->desc.digest,
                .len = l->desc.size,
                .diff_id = l->diff_id,
                .media_type = l->desc.media_type,
                .annotations = &source,
                .n_annotations = 1,
        };

        sw_err_drop(sw_chain_add_blob(l->chain, ctx, l->at, &blob),
                    "it is sent the next time; what is not here is known by its origin");
}

static void
note_sources(const struct push *p, sw_ctx *ctx)
{
        const struct sw_made *m = p->im->made;

        for (size_t i = 0; i < m->images.n; i++)
                for (size_t l = 0; l < m->images.v[i].layers.n; l++) {
                        const struct sw_made_layer *layer = &m->images.v[i].layers.v[l];

                        if (layer->chain && !layer->rewritten &&
                            !sw_media_foreign(layer->desc.media_type))
                                note_source(p, ctx, layer);
                }
}

/* ---- a name ---- */

static sw_err *
push_with(void *arg, sw_ctx *ctx, sw_session *session)
{
        struct push *p = arg;
        sw_err *err;

        p->call = (struct sw_registry_call){ .ctx = ctx,
                                             .session = session,
                                             .name = &p->name,
                                             .insecure = p->im->insecure,
                                             .push = true };
        sw_imageexport_begin(&p->task, ctx, "pushing layers", 0);
        err = push_blobs(p);
        sw_imageexport_end(&p->task, !err);
        if (!err)
                err = push_manifests(p);
        if (!err)
                note_sources(p, ctx);
        return err;
}

static sw_err *
push_name(struct push *p, sw_ctx *ctx)
{
        sw_err *err = sw_image_name_parse(p->as_told, &p->name);

        if (err)
                return err;
        if (p->im->by_digest && p->name.tag)
                return sw_err_new(SW_E_INVALID, "can't push tagged ref %s by digest",
                                  p->as_told);
        if (!p->im->by_digest)
                sw_image_name_default_tag(&p->name);
        /* what is pushed has a digest of its own */
        p->name.has_digest = false;
        return sw_ctx_with_session(ctx, push_with, p);
}

/* A push that failed is told apart from a build that did. */
static sw_err *
as_push_error(sw_err *err, const char *name)
{
        sw_err *told;

        if (!err || sw_err_code(err) == SW_E_CANCELLED)
                return err;
        told = sw_err_new(SW_E_PUSH, "failed to push %s: %s", name, sw_err_message(err));
        sw_err_drop(err, "in the other's words");
        return told;
}

sw_err *
image_push(struct image_plugin *plugin, sw_ctx *ctx, const struct image *im)
{
        sw_err *err = need_registry(plugin);

        for (size_t i = 0; i < im->names.n && !err; i++) {
                struct push p = { .p = plugin, .im = im, .as_told = im->names.v[i] };

                err = as_push_error(push_name(&p, ctx), p.as_told);
                sw_image_name_release(&p.name);
        }
        return err;
}
