/*
 * lib/imageexport/layers.c - the layers of an image: blobs that are there in the wanted
 * form, or that are made.
 *
 * A layer that came from elsewhere keeps the blob it came as, so that registries have it
 * already, unless another form is insisted upon; then its tar is packed anew. A layer that
 * was made here is packed as asked for, and remembered with how that was (an annotation of
 * ours that goes nowhere else), so that what comes out does not depend on what was exported
 * before. Layers are worked on side by side; an ingest's name keeps two exports from
 * packing the same one.
 * Thread: the exporter's, and a pool of its own.
 */
#include <string.h>

#include <slipway/pool.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/imageexport/imageexport_priv.h"
#include "lib/layer/tar.h"
#include "lib/layer/unpack.h"

#define PACKED_AS "dev.slipway.packed"
#define SOURCE    "containerd.io/distribution.source."

enum { AT_ONCE = 4 };

/* One layer being worked on. */
struct work {
        const struct layers_job *j;
        pthread_mutex_t *lock; /* of the chain's notes */
        size_t i;
        bool rewrite;
        char packed_as[64];
        struct sw_made_layer out;
        bool started;
        sw_err *err;
};

/* ---- what is there ---- */

static const char *
blob_note(const struct sw_blob *b, const char *key)
{
        return sw_attr_get(b->annotations, b->n_annotations, key);
}

static enum sw_packing
packing_of(enum sw_pack_type t)
{
        switch (t) {
        case SW_PACK_AS_TAR: return SW_PACK_NONE;
        case SW_PACK_AS_GZIP:
        case SW_PACK_AS_ESTARGZ: return SW_PACK_GZIP;
        case SW_PACK_AS_ZSTD: return SW_PACK_ZSTD;
        }
        return SW_PACK_UNKNOWN;
}

/* Whether the bytes of a foreign blob are what the attributes insist on. */
static bool
is_wanted_form(const struct sw_imageexport *e, const struct sw_blob *b)
{
        bool toc = blob_note(b, "containerd.io/snapshot/stargz/toc.digest") != NULL;

        return sw_media_packing(b->media_type) == packing_of(e->pack) &&
               (e->pack != SW_PACK_AS_ESTARGZ || toc);
}

/* The form to use; NULL: it has to be made. *foreign: one from elsewhere, if there is. */
static const struct sw_blob *
pick(const struct work *w, const struct sw_chain_layer *l, const struct sw_blob **foreign)
{
        const struct sw_imageexport *e = w->j->e;
        const struct sw_blob *own = NULL, *wanted = NULL, *first = NULL;

        for (size_t i = 0; i < l->n_blobs; i++) {
                const struct sw_blob *b = &l->blobs[i];
                const char *as = blob_note(b, PACKED_AS);

                if (as) {
                        own = sw_str_eq(as, w->packed_as) ? b : own;
                        continue;
                }
                first = first ? first : b;
                if (!wanted && is_wanted_form(e, b))
                        wanted = b;
        }
        *foreign = first;
        if (!first)
                return own;
        if (e->force)
                return wanted ? wanted : own;
        if (e->docker_types && sw_media_packing(first->media_type) == SW_PACK_ZSTD)
                return wanted ? wanted : own;
        return first;
}

/* ---- how the manifest names it ---- */

/* What is ours or the store's own business. */
static bool
is_private(const char *key)
{
        return strcmp(key, PACKED_AS) == 0 ||
               strcmp(key, "containerd.io/uncompressed") == 0 ||
               strcmp(key, "buildkit/createdat") == 0 || sw_str_has_prefix(key, SOURCE);
}

static char *
media_type_of(const struct sw_imageexport *e, const struct sw_blob *b)
{
        enum sw_packing p = sw_media_packing(b->media_type);
        const char *type = sw_media_layer(p, !e->docker_types);

        if (!type || (e->nondist && sw_media_foreign(b->media_type)))
                return sw_strdup(b->media_type);
        return sw_strdup(type);
}

/* "containerd.io/distribution.source.HOST" = "repo,repo" */
static void
note_source(struct sw_made_layer *l, const struct sw_attr *a)
{
        const char *host = a->key + strlen(SOURCE);
        sw_auto(sw_strlist) repos = { 0 };

        sw_strlist_split(&repos, a->value, ',');
        for (size_t i = 0; i < repos.n; i++)
                sw_strlist_take(&l->from, sw_asprintf("%s/%s", host, repos.v[i]));
}

static void
describe(const struct sw_imageexport *e, const struct sw_blob *b, struct sw_made_layer *l)
{
        l->diff_id = b->diff_id;
        l->desc = (sw_desc){ .media_type = media_type_of(e, b),
                             .digest = b->digest,
                             .size = b->len };
        for (size_t i = 0; i < b->n_annotations; i++) {
                const struct sw_attr *a = &b->annotations[i];

                if (sw_str_has_prefix(a->key, SOURCE))
                        note_source(l, a);
                else if (!is_private(a->key) && !e->docker_types)
                        sw_pairs_set(&l->desc.annotations, a->key, a->value);
        }
}

/* ---- making one ---- */

/* A pack whose bytes go into the content store. */
struct packing {
        struct work *w;
        sw_ingest *ingest;
        sw_pack *pack;
        struct sw_tar_sink in; /* the pack's */
        struct sw_tar_sink counted;
};

static sw_err *
ingest_write(void *arg, const void *p, size_t n)
{
        return sw_ingest_write(((struct packing *) arg)->ingest, p, n);
}

static sw_err *
counted_write(void *arg, const void *p, size_t n)
{
        struct packing *k = arg;

        sw_imageexport_add(k->w->j->task, (int64_t) n);
        return k->in.write(k->in.arg, p, n);
}

static sw_err *
counted_copy(void *arg, int fd, int64_t off, int64_t len)
{
        struct packing *k = arg;
        sw_err *err = k->in.copy(k->in.arg, fd, off, len);

        if (!err)
                sw_imageexport_add(k->w->j->task, len);
        return err;
}

static sw_err *
packing_begin(struct packing *k)
{
        const struct sw_imageexport *e = k->w->j->e;
        const struct sw_pack_opts opts = { .type = e->pack,
                                           .level = e->level,
                                           .no_digest = true };
        const struct sw_tar_sink out = { .write = ingest_write, .arg = k };
        sw_err *err = SW_OK;

        if (sw_ingest_offset(k->ingest) > 0) /* half a pack cannot be gone on with */
                err = sw_ingest_restart(k->ingest);
        if (!err)
                err = sw_pack_new(k->w->j->ctx, &opts, &out, &k->pack);
        if (err)
                return err;
        sw_pack_sink(k->pack, &k->in);
        k->counted = (struct sw_tar_sink){ .write = counted_write,
                                           .copy = k->in.copy ? counted_copy : NULL,
                                           .arg = k };
        return SW_OK;
}

/* Everything of the layer as a tar archive. */
static sw_err *
tell(struct packing *k)
{
        const struct layers_job *j = k->w->j;
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_tar *tar = sw_tar_new(j->ctx, &k->counted);
        sw_err *err;

        if (k->w->rewrite)
                sw_tar_clamp(tar, j->epoch * SW_NS_PER_SEC);
        err = sw_chain_tell(k->w->out.chain, j->ctx, k->w->i, ops, tar);
        if (err) {
                ops->abandon(tar);
                return err;
        }
        return ops->finish(tar);
}

static sw_err *
read_fd(void *arg, void *p, size_t n, size_t *got)
{
        ssize_t r;

        do
                r = read(*(const int *) arg, p, n);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return sw_err_sys(SW_E_IO, errno, "read a layer's blob");
        *got = (size_t) r;
        return SW_OK;
}

/* The tar that is in a blob, byte for byte, so that the diff id stays. */
static sw_err *
copy_tar(struct packing *k, const struct sw_reader *tar)
{
        enum { PIECE = 256 * 1024 };
        char *piece = sw_alloc(PIECE);
        size_t got = 1;
        sw_err *err = SW_OK;

        while (!err && got) {
                err = tar->read(tar->arg, piece, PIECE, &got);
                if (!err && got)
                        err = k->counted.write(k->counted.arg, piece, got);
                if (!err)
                        err = sw_ctx_check(k->w->j->ctx);
        }
        free(piece);
        return err;
}

/* Entries of the tar that is in a blob, with other times. */
static sw_err *
rewrite_tar(struct packing *k, const struct sw_reader *in)
{
        const struct layers_job *j = k->w->j;
        const struct sw_layer_ops *ops = sw_tar_ops();
        const struct sw_unpack_opts opts = { .max_size = 0 };
        struct sw_unpack_result result = { .tar_size = 0 };
        sw_tar *tar = sw_tar_new(j->ctx, &k->counted);
        sw_err *err;

        sw_tar_clamp(tar, j->epoch * SW_NS_PER_SEC);
        err = sw_layer_unpack(j->ctx, in, &opts, ops, tar, &result);
        sw_unpack_result_release(&result);
        if (err) {
                ops->abandon(tar);
                return err;
        }
        return ops->finish(tar);
}

static sw_err *
repack(struct packing *k, int fd)
{
        const struct sw_reader in = { read_fd, &fd };
        struct sw_reader tar;

        if (k->w->rewrite)
                return rewrite_tar(k, &in);
        sw_autoptr(sw_unpacking) u = sw_unpacked_new(&in, INT64_C(1) << 40);
        sw_unpacked_reader(u, &tar);
        return copy_tar(k, &tar);
}

/* From the blob it came as, if its bytes can be had; else from its files. */
static sw_err *
fill(struct packing *k, const struct sw_blob *foreign)
{
        const struct layers_job *j = k->w->j;
        sw_auto(sw_fd) fd = -1;
        sw_err *err;

        if (!foreign)
                return tell(k);
        err = sw_chain_blob_open(k->w->out.chain, j->ctx, k->w->i, &foreign->digest, &fd);
        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "its files will do");
                return tell(k);
        }
        return err ? err : repack(k, fd);
}

static sw_err *
packing_end(struct packing *k, struct sw_packed *packed)
{
        struct sw_blob_info info;
        sw_err *err = sw_pack_finish(sw_steal(k->pack), packed);

        if (!err)
                err = sw_ingest_commit(sw_steal(k->ingest), NULL, &info);
        if (!err)
                packed->digest = info.digest;
        return err;
}

static sw_err *
pack_layer(struct work *w, sw_ingest *ingest, const struct sw_blob *foreign,
           struct sw_packed *packed)
{
        struct packing k = { .w = w, .ingest = ingest };
        sw_err *err = packing_begin(&k);

        if (!err)
                err = fill(&k, foreign);
        if (!err)
                err = packing_end(&k, packed);
        sw_pack_abandon(k.pack);
        sw_ingest_abort(k.ingest);
        return err;
}

/* ---- remembering it ---- */

/* The annotations that a packed layer has by itself. Digests are text that has to live as
 * long. */
struct own_notes {
        struct sw_attr v[3];
        size_t n;
        char toc[SW_DIGEST_STR_SIZE], size[24];
};

static void
own_notes(const struct sw_imageexport *e, const struct sw_packed *p, const char *packed_as,
          struct own_notes *n)
{
        n->n = 0;
        if (e->pack == SW_PACK_AS_ESTARGZ)
                n->v[n->n++] = (struct sw_attr){ "containerd.io/snapshot/stargz/toc.digest",
                                                 sw_digest_str(&p->toc, n->toc) };
        n->v[n->n++] = (struct sw_attr){ PACKED_AS, packed_as };
        if (e->pack != SW_PACK_AS_ESTARGZ)
                return;
        (void) snprintf(n->size, sizeof(n->size), "%lld", (long long) p->tar_size);
        n->v[n->n++] =
                (struct sw_attr){ "io.containers.estargz.uncompressed-size", n->size };
}

static struct sw_blob
packed_blob(const struct sw_imageexport *e, const struct sw_packed *p,
            const struct own_notes *own)
{
        return (struct sw_blob){ .size = sizeof(struct sw_blob),
                                 .digest = p->digest,
                                 .len = p->size,
                                 .diff_id = p->diff_id,
                                 .media_type = sw_media_layer(packing_of(e->pack), true),
                                 .annotations = own->v,
                                 .n_annotations = own->n };
}

void
layer_describe(const struct sw_imageexport *e, const struct sw_packed *p,
               struct sw_made_layer *l)
{
        struct own_notes own;

        own_notes(e, p, "", &own);
        const struct sw_blob blob = packed_blob(e, p, &own);
        describe(e, &blob, l);
}

static sw_err *
remember(struct work *w, const struct sw_packed *packed, const struct sw_blob *foreign)
{
        struct own_notes own;
        sw_err *err;

        own_notes(w->j->e, packed, w->packed_as, &own);
        const struct sw_blob blob = packed_blob(w->j->e, packed, &own);
        describe(w->j->e, &blob, &w->out);
        /* a form of another tar than the layer's is nothing of the layer's: that of estargz
         * has its table behind the end */
        w->out.rewritten = w->rewrite || w->j->e->pack == SW_PACK_AS_ESTARGZ ||
                           (foreign && !sw_digest_eq(&foreign->diff_id, &packed->diff_id));
        if (w->out.rewritten)
                return SW_OK;
        (void) pthread_mutex_lock(w->lock);
        err = sw_chain_add_blob(w->out.chain, w->j->ctx, w->i, &blob);
        (void) pthread_mutex_unlock(w->lock);
        if (sw_err_code(err) != SW_E_INVALID)
                return err;
        sw_ctx_logf(w->j->ctx, SW_LOG_WARN, "layer %zu is kept apart: %s", w->i,
                    sw_err_message(err));
        sw_err_drop(err, "its tar is written another way than it was once");
        w->out.rewritten = true;
        return SW_OK;
}

/* ---- one layer ---- */

/* Somebody else packed it while we waited: their blob. */
static sw_err *
look_again(struct work *w, bool *found)
{
        const struct layers_job *j = w->j;
        sw_autoptr(sw_chain) chain = NULL;
        const struct sw_blob *foreign, *b = NULL;
        sw_err *err = sw_ref_chain(j->worker, j->ctx, j->ref, &chain);

        if (!err && w->i < sw_chain_count(chain))
                b = pick(w, sw_chain_get(chain, w->i), &foreign);
        *found = b != NULL;
        if (b)
                describe(w->j->e, b, &w->out);
        return err;
}

static sw_err *
begin_ingest(struct work *w, const char *id, bool *waited, sw_ingest **out)
{
        const int64_t pause = 20 * SW_NS_PER_MS;
        sw_auto(sw_str) epoch =
                w->rewrite ? sw_asprintf(" %lld", (long long) w->j->epoch) : sw_strdup("");
        sw_auto(sw_str) name = sw_asprintf("pack %s %s%s", id, w->packed_as, epoch);
        sw_content *content = sw_worker_content(w->j->worker);
        sw_err *err;

        *waited = false;
        while (sw_err_code(err = sw_content_ingest(content, w->j->ctx, name, NULL, -1,
                                                   out)) == SW_E_BUSY) {
                sw_err_drop(err, "another export is at it");
                *waited = true;
                (void) sw_cancel_wait(sw_ctx_cancel(w->j->ctx), pause);
                err = sw_ctx_check(w->j->ctx);
                if (err)
                        return err;
        }
        return err;
}

static sw_err *
make_layer(struct work *w, const char *id, const struct sw_blob *foreign)
{
        sw_autoptr(sw_ingest) ingest = NULL;
        struct sw_packed packed;
        bool waited, found = false;
        sw_err *err = begin_ingest(w, id, &waited, &ingest);

        if (!err && waited && !w->rewrite)
                err = look_again(w, &found);
        if (err || found)
                return err;
        err = pack_layer(w, sw_steal(ingest), foreign, &packed);
        return err ? err : remember(w, &packed, foreign);
}

static sw_err *
do_layer(struct work *w)
{
        const struct sw_chain_layer *l = sw_chain_get(w->out.chain, w->i);
        const struct sw_blob *foreign = NULL, *b = pick(w, l, &foreign);
        sw_err *err;

        if (b && !w->rewrite) {
                describe(w->j->e, b, &w->out);
                return SW_OK;
        }
        err = make_layer(w, l->id, foreign);
        if (!err || !w->rewrite || sw_err_code(err) == SW_E_CANCELLED)
                return sw_err_wrap(err, "layer %zu", w->i + 1);
        /* as the reference does: better an image with its own times than none */
        sw_ctx_logf(w->j->ctx, SW_LOG_WARN, "layer %zu keeps its times: %s", w->i + 1,
                    sw_err_message(err));
        sw_err_drop(err, "logged");
        w->rewrite = false;
        return do_layer(w);
}

static void
work_main(void *arg)
{
        struct work *w = arg;

        w->err = sw_ctx_check(w->j->ctx);
        if (!w->err)
                w->err = do_layer(w);
}

/* ---- all of them ---- */

/* How many layers at the bottom are the base image's, and keep their times. */
static sw_err *
count_base(const struct layers_job *j, size_t *out)
{
        sw_auto(sw_image_config) c = { .platform = NULL };
        sw_err *err = SW_OK;
        size_t i = 0;

        if (j->base_conf)
                err = sw_image_config_parse(j->base_conf, strlen(j->base_conf), &c);
        if (err)
                return sw_err_wrap(err, "containerimage.base.config");
        for (; i < c.diff_ids.n && i < sw_chain_count(j->image->chain); i++) {
                const struct sw_chain_layer *l = sw_chain_get(j->image->chain, i);

                if (!l->has_diff_id || !sw_digest_eq(&l->diff_id, &c.diff_ids.v[i]))
                        break;
        }
        *out = i;
        return SW_OK;
}

static void
work_release(struct work *w)
{
        sw_desc_release(&w->out.desc);
        sw_strlist_release(&w->out.from);
        sw_err_free(w->err);
}

static sw_err *
first_error(struct work *all, size_t n)
{
        sw_err **first = NULL;

        for (size_t i = 0; i < n; i++)
                if (all[i].err && (!first || (sw_err_code(*first) == SW_E_CANCELLED &&
                                              sw_err_code(all[i].err) != SW_E_CANCELLED)))
                        first = &all[i].err;
        return first ? sw_steal(*first) : SW_OK;
}

static sw_err *
run_all(struct work *all, size_t n)
{
        sw_autoptr(sw_pool) pool = NULL;
        sw_err *err = sw_pool_new("sw-layers", n < AT_ONCE ? (unsigned) n : AT_ONCE, &pool);

        for (size_t i = 0; i < n && !err; i++)
                err = sw_pool_submit(pool, work_main, &all[i]);
        if (pool)
                sw_pool_drain(pool);
        if (!err)
                return first_error(all, n);
        return err;
}

static void
prepare(const struct layers_job *j, size_t i, size_t n_base, pthread_mutex_t *lock,
        struct work *w)
{
        *w = (struct work){ .j = j, .lock = lock, .i = i };
        w->rewrite = j->e->rewrite && j->epoch >= 0 && i >= n_base;
        w->out.chain = j->image->chain;
        w->out.at = i;
        w->out.fd = -1;
        (void) snprintf(w->packed_as, sizeof(w->packed_as), "%s %d",
                        sw_pack_type_name(j->e->pack), j->e->level);
}

sw_err *
layers_make(const struct layers_job *j)
{
        size_t n = sw_chain_count(j->image->chain), n_base = 0;
        struct work *all = sw_alloc_array(n + 1, sizeof(*all));
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        sw_err *err = count_base(j, &n_base);

        for (size_t i = 0; i < n; i++)
                prepare(j, i, n_base, &lock, &all[i]);
        if (!err && n)
                err = run_all(all, n);
        for (size_t i = 0; i < n; i++) {
                if (!err) {
                        sw_array_push(&j->image->layers, all[i].out);
                        all[i].out = (struct sw_made_layer){ .fd = -1 };
                }
                work_release(&all[i]);
        }
        free(all);
        return err;
}
