/*
 * core/store/images.c - images: names for manifests that are kept.
 *
 * An image keeps trees by their ids, and blobs by their digests, those of its layers too:
 * so what was made into blobs is there even when a power failure took the trees.
 *
 * Thread: any. Each call is one transaction.
 */
#include "core/store/images.h"

#include <string.h>

#include <slipway/blob.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/recblob.h"
#include "proto/pbuf.h"

typedef Slipway__Store__V1__Image image_msg;

static inline void
image_free(image_msg *m)
{
        slipway__store__v1__image__free_unpacked(m, NULL);
}
SW_DEFINE_AUTOPTR(image_msg, image_free)

enum { PACKED_MAX = 4 << 20, MEDIA_TYPE_MAX = 255 };

/* ---- the database ---- */

static sw_err *
failed(sw__tx *tx, int rc, const char *what)
{
        return rc == MDB_NOTFOUND ? SW_OK : sw__meta_failed(tx->meta, rc, what);
}

/* Whether it is one that was written here. */
static bool
sound(const image_msg *m)
{
        for (size_t i = 0; i < m->n_blobs; i++)
                if (m->blobs[i].len != SW_DIGEST_LEN)
                        return false;
        for (size_t i = 0; i < m->n_refs; i++)
                if (!sw__id_ok(m->refs[i]))
                        return false;
        return m->digest.len == SW_DIGEST_LEN && m->len >= 0;
}

static image_msg *
decode(MDB_val v)
{
        ProtobufCMessage *m = NULL;

        if (v.mv_size > PACKED_MAX)
                return NULL;
        sw_err *err = sw__pb_unpack(&slipway__store__v1__image__descriptor, NULL, v.mv_data,
                                    v.mv_size, &m);
        if (err) {
                sw_err_drop(err, "as if it were not there");
                return NULL;
        }
        sw_autoptr(image_msg) i = (image_msg *) m;
        return sound(i) ? sw_steal(i) : NULL;
}

/* *out NULL: there is none. */
static sw_err *
get(sw__tx *tx, const char *name, image_msg **out)
{
        MDB_val key = { strlen(name), (void *) name }, value;
        int rc = mdb_get(tx->txn, sw__meta_dbi(tx->meta, SW_META_IMAGES), &key, &value);

        *out = rc ? NULL : decode(value);
        return failed(tx, rc, "look up an image");
}

static sw_err *
put(sw__tx *tx, const char *name, const image_msg *m)
{
        const size_t n = slipway__store__v1__image__get_packed_size(m);
        MDB_val key = { strlen(name), (void *) name }, value = { n, NULL };

        if (n > PACKED_MAX)
                return sw_err_new(SW_E_LIMIT, "it has too many blobs");
        int rc = mdb_put(tx->txn, sw__meta_dbi(tx->meta, SW_META_IMAGES), &key, &value,
                         MDB_RESERVE);
        if (!rc)
                slipway__store__v1__image__pack(m, value.mv_data);
        return failed(tx, rc, "write an image");
}

/* The pairs of R6. */
static sw_err *
pair(sw__tx *tx, const char *name, const image_msg *m, bool add)
{
        sw_err *(*set)(sw__tx *, enum sw_meta_db, const char *, const char *) =
                add ? sw__pair_put : sw__pair_del;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < m->n_refs && !err; i++)
                err = set(tx, SW_META_KEPT, m->refs[i], name);
        for (size_t i = 0; i < m->n_blobs && !err; i++) {
                char text[SW_DIGEST_STR_SIZE];
                sw_digest d;

                if (sw__digest_of_bytes(m->blobs[i], &d))
                        err = set(tx, SW_META_KEPT, sw_digest_str(&d, text), name);
        }
        return err;
}

/* ---- put ---- */

static sw_err *
check_name(const char *name)
{
        const size_t n = strnlen(name, SW__REC_NAME_MAX + 1);

        for (size_t i = 0; i < n; i++)
                if ((unsigned char) name[i] <= ' ' || name[i] == 0x7f)
                        return sw_err_new(SW_E_INVALID,
                                          "no name of an image: %.100s (a blank in it)",
                                          name);
        if (n == 0 || n > SW__REC_NAME_MAX || !sw_utf8_valid(name, n))
                return sw_err_new(SW_E_INVALID,
                                  "no name of an image: %.100s (1 to %d bytes of UTF-8)",
                                  name, SW__REC_NAME_MAX);
        return SW_OK;
}

static sw_err *
check_image(const struct sw_image *image)
{
        const char *type = image->media_type ? image->media_type : "";
        const size_t n = strnlen(type, MEDIA_TYPE_MAX + 1);
        sw_err *err = check_name(image->name);

        if (!err && (n > MEDIA_TYPE_MAX || !sw_utf8_valid(type, n) || image->len < 0))
                err = sw_err_new(SW_E_INVALID, "image %s: no sound media type and length",
                                 image->name);
        return err;
}

static void
add_digest(image_msg *m, const sw_digest *d)
{
        for (size_t i = 0; i < m->n_blobs; i++)
                if (memcmp(m->blobs[i].data, d->b, sizeof(d->b)) == 0)
                        return;
        m->blobs = sw_realloc_array(m->blobs, m->n_blobs + 1, sizeof(*m->blobs));
        m->blobs[m->n_blobs++] = sw__digest_bytes(d);
}

static void
add_ref(image_msg *m, const char *id)
{
        m->refs = sw_realloc_array(m->refs, m->n_refs + 1, sizeof(*m->refs));
        m->refs[m->n_refs++] = sw_strdup(id);
}

/* What was said to be in the content store is. */
static sw_err *
need_blob(sw_worker *w, const sw_digest *d, int64_t len)
{
        struct sw_blob_info info;
        sw_err *err = sw_content_info(w->content, d, &info);

        if (!err && len >= 0 && info.size != len)
                err = sw_err_new(SW_E_INVALID, "the manifest has %lld bytes, not %lld",
                                 (long long) info.size, (long long) len);
        return err;
}

static sw_err *
add_layers(sw__tx *tx, image_msg *m, struct sw_stack stack)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < stack.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;
                sw_digest d;

                err = sw__rec_get(tx, stack.keys[i], &rec);
                for (size_t k = 0; rec && k < rec->n_blobs; k++)
                        if (sw__digest_of_bytes(rec->blobs[k]->digest, &d))
                                add_digest(m, &d);
        }
        return err;
}

/* Everything that the image needs, in @m. */
static sw_err *
gather(sw_worker *w, sw__tx *tx, image_msg *m, const sw_digest *blobs, size_t n_blobs,
       sw_ref *const *refs, size_t n_refs)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n_blobs && !err; i++) {
                err = need_blob(w, &blobs[i], -1);
                if (!err)
                        add_digest(m, &blobs[i]);
        }
        for (size_t i = 0; i < n_refs && !err; i++) {
                const struct sw__held *h = sw__held_of(w, refs[i]);

                if (!refs[i])
                        continue;
                if (!h)
                        return sw_err_new(SW_E_UNSUPPORTED, "ref %s is not in this store",
                                          sw_ref_id(refs[i]));
                add_ref(m, h->id);
                err = add_layers(tx, m, sw__stack_of(h->stack));
        }
        return err;
}

static sw_err *
store(sw__tx *tx, const char *name, const image_msg *m)
{
        sw_autoptr(image_msg) old = NULL;
        sw_err *err = get(tx, name, &old);

        if (!err && old)
                err = pair(tx, name, old, false);
        if (!err)
                err = put(tx, name, m);
        return err ? err : pair(tx, name, m, true);
}

static image_msg *
message(const struct sw_image *image)
{
        image_msg *m = sw_new(image_msg);

        slipway__store__v1__image__init(m);
        m->media_type = sw_strdup(image->media_type ? image->media_type : "");
        m->digest = sw__digest_bytes(&image->digest);
        m->len = image->len;
        m->updated_at = sw_time_now();
        m->created_at = image->created ? image->created : m->updated_at;
        add_digest(m, &image->digest);
        return m;
}

sw_err *
sw_images_put(sw_worker *w, sw_ctx *ctx, const struct sw_image *image,
              const sw_digest *blobs, size_t n_blobs, sw_ref *const *refs, size_t n_refs)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(image_msg) m = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = check_image(image);
        if (err)
                return err;
        m = message(image);
        err = sw__tx_begin(w->meta, true, &tx);
        /* within the transaction: who prunes looks and removes in one */
        if (!err)
                err = need_blob(w, &image->digest, image->len);
        if (!err)
                err = gather(w, &tx, m, blobs, n_blobs, refs, n_refs);
        if (!err)
                err = store(&tx, image->name, m);
        if (!err)
                err = sw__tx_commit(&tx, true);
        if (!err)
                sw__stored(w);
        return sw_err_wrap(err, "image %s", image->name);
}

sw_err *
sw__image_retag(sw_worker *w, sw_ctx *ctx, const char *name, const char *to)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(image_msg) m = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = check_name(to);
        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = get(&tx, name, &m);
        if (!err && !m)
                err = sw_err_new(SW_E_NOT_FOUND, "there is no image %s", name);
        if (err)
                return err;
        m->updated_at = sw_time_now();
        err = store(&tx, to, m);
        return err ? err : sw__tx_commit(&tx, true);
}

sw_err *
sw_images_remove(sw_worker *w, sw_ctx *ctx, const char *name)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(image_msg) m = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = check_name(name);
        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = get(&tx, name, &m);
        if (!err && !m)
                return sw_err_new(SW_E_NOT_FOUND, "there is no image %s", name);
        if (!err)
                err = pair(&tx, name, m, false);
        if (!err)
                err = sw__pair_del(&tx, SW_META_IMAGES, name, NULL);
        if (!err)
                err = sw__tx_commit(&tx, true);
        return sw_err_wrap(err, "remove image %s", name);
}

/* ---- get ---- */

struct listing {
        SW_ARRAY(struct sw_image) images;
        sw_strlist strings;
};

static const char *
keep(struct listing *l, const char *s, size_t n)
{
        sw_strlist_take(&l->strings, sw_strndup(s, n));
        return l->strings.v[l->strings.n - 1];
}

static void
add_image(struct listing *l, const char *name, size_t n, const image_msg *m)
{
        struct sw_image i = {
                .size = sizeof(i),
                .name = keep(l, name, n),
                .media_type = keep(l, m->media_type, strlen(m->media_type)),
                .len = m->len,
                .created = m->created_at,
                .updated = m->updated_at,
        };

        (void) sw__digest_of_bytes(m->digest, &i.digest);
        sw_array_push(&l->images, i);
}

static void
hand_over(struct listing *l, struct sw_image_list *out)
{
        sw_strlist *strings = sw_new(sw_strlist);

        *strings = l->strings;
        *out = (struct sw_image_list){ l->images.n, l->images.v, strings };
}

void
sw_image_list_release(struct sw_image_list *l)
{
        sw_strlist *strings = l->arena_;

        if (strings)
                sw_strlist_release(strings);
        free(strings);
        free(l->v);
        *l = (struct sw_image_list){ 0 };
}

sw_err *
sw_images_get(sw_worker *w, sw_ctx *ctx, const char *name, struct sw_image_list *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(image_msg) m = NULL;
        struct listing l = { 0 };
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = check_name(name);
        if (!err)
                err = sw__tx_begin(w->meta, false, &tx);
        if (!err)
                err = get(&tx, name, &m);
        if (err)
                return err;
        if (m)
                add_image(&l, name, strlen(name), m);
        hand_over(&l, out);
        return SW_OK;
}

sw_err *
sw_images_list(sw_worker *w, sw_ctx *ctx, struct sw_image_list *out)
{
        sw_auto(sw__tx) tx = { 0 };
        struct listing l = { 0 };
        MDB_cursor *c = NULL;
        MDB_val key, value;
        int rc = 0;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = sw__tx_begin(w->meta, false, &tx);
        if (err)
                return err;
        rc = mdb_cursor_open(tx.txn, sw__meta_dbi(w->meta, SW_META_IMAGES), &c);
        while (!rc && !(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
                sw_autoptr(image_msg) m = decode(value);

                if (m)
                        add_image(&l, key.mv_data, key.mv_size, m);
        }
        if (c)
                mdb_cursor_close(c);
        hand_over(&l, out);
        err = failed(&tx, rc, "list images");
        if (err)
                sw_image_list_release(out);
        return err;
}

/* ---- what damage leaves ---- */

sw_err *
sw__images_sweep(sw_worker *w)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) keys = { 0 }, names = { 0 };
        sw_map *seen = sw_map_new(NULL); /* name -> w: it is there; seen: it is not */
        bool any = false;
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        if (!err)
                err = sw__pair_list(&tx, SW_META_KEPT, NULL, &keys, &names);
        for (size_t i = 0; i < names.n && !err; i++) {
                if (!sw_map_has(seen, names.v[i])) {
                        sw_autoptr(image_msg) m = NULL;

                        err = get(&tx, names.v[i], &m);
                        (void) sw_map_set(seen, names.v[i], m ? (void *) w : (void *) seen);
                }
                if (err || sw_map_get(seen, names.v[i]) == w)
                        continue;
                any = true;
                err = sw__pair_del(&tx, SW_META_KEPT, keys.v[i], names.v[i]);
        }
        sw_map_free(seen);
        if (err || !any)
                return err;
        return sw__tx_commit(&tx, false);
}
