/*
 * core/store/recblob.c - blobs in records. See recblob.h.
 *
 * Of a layer whose files are here, or were, every blob was seen to hold it: unpacked here
 * or made here. What is said of a lazy one is what a manifest says, and nobody checked it.
 */
#include "core/store/recblob.h"

#include <string.h>

#include <slipway/mem.h>
#include <slipway/plugin.h>
#include <slipway/text.h>

typedef Slipway__Store__V1__Blob blob_msg;
typedef Slipway__Store__V1__Attr attr_msg;

/* What descriptors of real images are far below. */
enum { MEDIA_TYPE_MAX = 255, ATTRS_MAX = 256, ATTR_BYTES_MAX = 64 << 10 };

bool
sw__digest_of_bytes(ProtobufCBinaryData b, sw_digest *out)
{
        if (b.len != sizeof(out->b))
                return false;
        memcpy(out->b, b.data, sizeof(out->b));
        return true;
}

ProtobufCBinaryData
sw__digest_bytes(const sw_digest *d)
{
        return (ProtobufCBinaryData){ sizeof(d->b), sw_memdup(d->b, sizeof(d->b)) };
}

/* ---- reading ---- */

static bool
blob_ok(const blob_msg *b)
{
        return b->digest.len == SW_DIGEST_LEN && b->len >= 0 &&
               b->n_annotations <= ATTRS_MAX &&
               strnlen(b->locator, SW__REC_LOCATOR_MAX + 1) <= SW__REC_LOCATOR_MAX &&
               (!*b->plugin || sw__id_ok(b->plugin));
}

bool
sw__rec_blobs_ok(const sw__rec *r)
{
        if ((r->diff_id.len && r->diff_id.len != SW_DIGEST_LEN) ||
            r->n_blobs > SW__REC_BLOBS_MAX || (r->n_blobs && !r->diff_id.len))
                return false;
        for (size_t i = 0; i < r->n_blobs; i++)
                if (!blob_ok(r->blobs[i]))
                        return false;
        return r->state != SW__REC_LAZY || (r->kind == SW__REC_LAYER && r->n_blobs);
}

bool
sw__rec_diff_id(const sw__rec *r, sw_digest *out)
{
        return sw__digest_of_bytes(r->diff_id, out);
}

blob_msg *
sw__rec_blob(const sw__rec *r, const sw_digest *d)
{
        for (size_t i = 0; i < r->n_blobs; i++)
                if (memcmp(r->blobs[i]->digest.data, d->b, SW_DIGEST_LEN) == 0)
                        return r->blobs[i];
        return NULL;
}

void
sw__blob_view_init(struct sw__blob_view *v, const sw__rec *rec, size_t i)
{
        const blob_msg *m = rec->blobs[i];

        v->attrs = sw_alloc_array(m->n_annotations + 1, sizeof(*v->attrs));
        for (size_t k = 0; k < m->n_annotations; k++)
                v->attrs[k] = (struct sw_attr){ m->annotations[k]->key,
                                                m->annotations[k]->value };
        v->origin = (struct sw_blob_origin){ m->plugin, m->locator };
        v->blob = (struct sw_blob){
                .size = sizeof(v->blob),
                .len = m->len,
                .media_type = m->media_type,
                .annotations = v->attrs,
                .n_annotations = m->n_annotations,
                .origin = *m->plugin ? &v->origin : NULL,
        };
        /* a sound record has both */
        (void) sw__digest_of_bytes(m->digest, &v->blob.digest);
        (void) sw__rec_diff_id(rec, &v->blob.diff_id);
}

void
sw__blob_view_release(struct sw__blob_view *v)
{
        free(v->attrs);
}

/* ---- checking ---- */

static sw_err *
check_text(const char *what, const char *s, size_t max)
{
        const size_t n = s ? strnlen(s, max + 1) : 0;

        if (n > max)
                return sw_err_new(SW_E_LIMIT, "%s of more than %zu bytes", what, max);
        if (!sw_utf8_valid(s ? s : "", n))
                return sw_err_new(SW_E_INVALID, "%s is no UTF-8", what);
        return SW_OK;
}

static sw_err *
check_attrs(const struct sw_blob *b)
{
        size_t total = 0;
        sw_err *err = SW_OK;

        if (b->n_annotations > ATTRS_MAX)
                return sw_err_new(SW_E_LIMIT, "%zu annotations", b->n_annotations);
        for (size_t i = 0; i < b->n_annotations && !err; i++) {
                err = check_text("a key of an annotation", b->annotations[i].key,
                                 ATTR_BYTES_MAX);
                if (!err)
                        err = check_text("an annotation", b->annotations[i].value,
                                         ATTR_BYTES_MAX);
                if (!err)
                        total += strlen(b->annotations[i].key) +
                                 strlen(b->annotations[i].value);
        }
        if (!err && total > ATTR_BYTES_MAX)
                err = sw_err_new(SW_E_LIMIT, "%zu bytes of annotations", total);
        return err;
}

static sw_err *
check_origin(const struct sw_blob_origin *o)
{
        sw_err *err = sw_id_check("name of a source plugin", o->plugin);

        return err ? err : check_text("a locator", o->locator, SW__REC_LOCATOR_MAX);
}

sw_err *
sw__blob_check(const struct sw_blob *b, const struct sw_blob_origin *origin)
{
        char text[SW_DIGEST_STR_SIZE];
        sw_err *err = check_text("a media type", b->media_type, MEDIA_TYPE_MAX);

        if (!err && b->len < 0)
                err = sw_err_new(SW_E_INVALID, "%lld bytes", (long long) b->len);
        if (!err)
                err = check_attrs(b);
        if (!err && origin)
                err = check_origin(origin);
        return sw_err_wrap(err, "blob %s", sw_digest_str(&b->digest, text));
}

/* ---- writing ---- */

static void
set_origin(blob_msg *m, const struct sw_blob_origin *o)
{
        if (m->plugin != protobuf_c_empty_string)
                free(m->plugin);
        if (m->locator != protobuf_c_empty_string)
                free(m->locator);
        m->plugin = sw_strdup(o->plugin);
        m->locator = sw_strdup(o->locator ? o->locator : "");
}

blob_msg *
sw__blob_packed(const struct sw_blob *b, const struct sw_blob_origin *origin)
{
        blob_msg *m = sw_new(blob_msg);

        slipway__store__v1__blob__init(m);
        m->digest = sw__digest_bytes(&b->digest);
        m->len = b->len;
        m->media_type = sw_strdup(b->media_type ? b->media_type : "");
        m->annotations = sw_alloc_array(b->n_annotations + 1, sizeof(*m->annotations));
        for (; m->n_annotations < b->n_annotations; m->n_annotations++) {
                attr_msg *a = m->annotations[m->n_annotations] = sw_new(attr_msg);

                slipway__store__v1__attr__init(a);
                a->key = sw_strdup(b->annotations[m->n_annotations].key);
                a->value = sw_strdup(b->annotations[m->n_annotations].value);
        }
        if (origin)
                set_origin(m, origin);
        return m;
}

sw_err *
sw__rec_pair_blobs(sw__tx *tx, const char *id, const sw__rec *r, bool add)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < r->n_blobs && !err; i++) {
                char text[SW_DIGEST_STR_SIZE];
                sw_digest d;

                if (!sw__digest_of_bytes(r->blobs[i]->digest, &d))
                        continue;
                (void) sw_digest_str(&d, text);
                err = add ? sw__pair_put(tx, SW_META_BLOBS, text, id)
                          : sw__pair_del(tx, SW_META_BLOBS, text, id);
        }
        return err;
}

/* The annotation of that key, or where it belongs: they are sorted. */
static size_t
attr_place(const blob_msg *m, const char *key, bool *there)
{
        size_t i = 0;

        while (i < m->n_annotations && strcmp(m->annotations[i]->key, key) < 0)
                i++;
        *there = i < m->n_annotations && strcmp(m->annotations[i]->key, key) == 0;
        return i;
}

bool
sw__blob_says(const blob_msg *m, const struct sw_blob *b)
{
        for (size_t k = 0; k < b->n_annotations; k++) {
                bool there;
                size_t i = attr_place(m, b->annotations[k].key, &there);

                if (!there ||
                    strcmp(m->annotations[i]->value, b->annotations[k].value) != 0)
                        return false;
        }
        return true;
}

static void
set_text(char **text, const char *value)
{
        if (*text != protobuf_c_empty_string)
                free(*text);
        *text = sw_strdup(value);
}

/* What is said of it now goes before what was said; the rest stays. */
static sw_err *
merge_attrs(blob_msg *m, const struct sw_blob *b)
{
        for (size_t k = 0; k < b->n_annotations; k++) {
                const struct sw_attr *said = &b->annotations[k];
                bool there;
                size_t i = attr_place(m, said->key, &there);

                if (!there && m->n_annotations >= ATTRS_MAX)
                        return sw_err_new(SW_E_LIMIT, "more than %d annotations",
                                          ATTRS_MAX);
                if (!there) {
                        attr_msg *a = sw_new(attr_msg);

                        slipway__store__v1__attr__init(a);
                        a->key = sw_strdup(said->key);
                        m->annotations = sw_realloc_array(m->annotations,
                                                          m->n_annotations + 1, sizeof(a));
                        memmove(m->annotations + i + 1, m->annotations + i,
                                (m->n_annotations - i) * sizeof(a));
                        m->annotations[i] = a;
                        m->n_annotations++;
                }
                set_text(&m->annotations[i]->value, said->value);
        }
        return SW_OK;
}

static sw_err *
contradicts(const struct sw_blob *b, const char *id)
{
        char text[SW_DIGEST_STR_SIZE];

        return sw_err_new(SW_E_INVALID,
                          "blob %s: its size or diff id is not what layer %s says",
                          sw_digest_str(&b->digest, text), id);
}

sw_err *
sw__rec_set_blob(sw__tx *tx, const char *id, sw__rec *r, const struct sw_blob *b,
                 const struct sw_blob_origin *origin)
{
        sw_digest diff_id;
        blob_msg *m = sw__rec_blob(r, &b->digest);

        if ((sw__rec_diff_id(r, &diff_id) && !sw_digest_eq(&diff_id, &b->diff_id)) ||
            (m && m->len != b->len))
                return contradicts(b, id);
        if (m) {
                sw_err *err = merge_attrs(m, b);

                if (err)
                        return err;
                if (origin)
                        set_origin(m, origin);
        } else {
                if (r->n_blobs >= SW__REC_BLOBS_MAX)
                        return sw_err_new(SW_E_LIMIT, "layer %s: more than %d blobs", id,
                                          SW__REC_BLOBS_MAX);
                r->blobs = sw_realloc_array(r->blobs, r->n_blobs + 1, sizeof(*r->blobs));
                r->blobs[r->n_blobs++] = sw__blob_packed(b, origin);
        }
        if (!r->diff_id.len)
                r->diff_id = sw__digest_bytes(&b->diff_id);
        sw_err *err = sw__rec_put(tx, id, r);
        return err ? err : sw__rec_pair_blobs(tx, id, r, true);
}
