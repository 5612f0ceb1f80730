/*
 * core/store/lazy.c - layers that are known by a blob, before anybody needs their files.
 *
 * What a manifest claims (that a blob holds the tar of a diff id) is not believed until the
 * blob was unpacked. So layers whose files are here are found by chain ids; a lazy one only
 * by its own blob on its own parent. Otherwise an image could claim the layers of another
 * one and have its blobs told as theirs.
 *
 *      (none) -> LAZY -> COMMITTED      the second step is unpack.c's
 *
 * Looking for one and adding it is one transaction, so that two who ask at once get one.
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/time.h>

#include "core/store/chainid.h"
#include "core/store/recblob.h"
#include "core/store/worker_priv.h"

struct asking {
        sw_worker *w;
        sw__tx tx;
        struct sw__held *below; /* or NULL */
        const struct sw_blob *blob;
        const struct sw_blob_origin *origin;
        const struct sw_ref_desc *desc;
        char id[SW_ID_SIZE]; /* of the one that was found; "" */
};

/* The newest ref of that name whose state is @state or @or_state. */
static sw_err *
find_by_name(struct asking *a, const char *name, uint32_t state, uint32_t or_state)
{
        sw_auto(sw_strlist) ids = { 0 };
        int64_t newest = INT64_MIN;
        sw_err *err = sw__pair_list(&a->tx, SW_META_NAMES, name, NULL, &ids);

        for (size_t i = 0; i < ids.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                if (strlen(ids.v[i]) > SW_ID_LEN)
                        continue;
                err = sw__rec_get(&a->tx, ids.v[i], &rec);
                if (err || !rec || (rec->state != state && rec->state != or_state) ||
                    rec->created_at < newest)
                        continue;
                newest = rec->created_at;
                snprintf(a->id, sizeof(a->id), "%s", ids.v[i]);
        }
        return err;
}

/* By its chain id, if all that is below is here. */
static sw_err *
find_known(struct asking *a)
{
        const struct sw_stack below = sw__stack_of(a->below ? a->below->stack : NULL);
        char name[SW__CHAIN_NAME_SIZE];
        bool known = false;
        sw_digest chain;
        sw_err *err = sw__chain_of(&a->tx, below, &chain, &known);

        if (err || !known)
                return err;
        sw__chain_next(&chain, below.n == 0, &a->blob->diff_id);
        sw__chain_name(&chain, name);
        return find_by_name(a, name, SW__REC_COMMITTED, SW__REC_COMMITTED);
}

static char *
lazy_name(const struct asking *a)
{
        char blob[SW_DIGEST_HEX_LEN + 1], diff_id[SW_DIGEST_HEX_LEN + 1];

        return sw_asprintf("lazy:%s:%s:%s", a->below ? a->below->id : "",
                           sw_digest_hex(&a->blob->digest, blob),
                           sw_digest_hex(&a->blob->diff_id, diff_id));
}

/* ---- what contradicts what is known ---- */

static sw_err *
contradiction(const struct sw_blob *b)
{
        char text[SW_DIGEST_STR_SIZE];

        return sw_err_new(SW_E_INVALID,
                          "blob %s does not have the size or the diff id that a manifest "
                          "says (it was here before)",
                          sw_digest_str(&b->digest, text));
}

/* What layers that are here say of the blob; those that are lazy only repeat a claim. */
static sw_err *
check_records(struct asking *a)
{
        char text[SW_DIGEST_STR_SIZE];
        sw_auto(sw_strlist) ids = { 0 };
        sw_err *err = sw__pair_list(&a->tx, SW_META_BLOBS,
                                    sw_digest_str(&a->blob->digest, text), NULL, &ids);

        for (size_t i = 0; i < ids.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;
                sw_digest diff_id;

                err = sw__rec_get(&a->tx, ids.v[i], &rec);
                if (err || !rec || rec->state != SW__REC_COMMITTED)
                        continue;
                const Slipway__Store__V1__Blob *m = sw__rec_blob(rec, &a->blob->digest);
                if (!m || !sw__rec_diff_id(rec, &diff_id))
                        continue;
                if (m->len != a->blob->len || !sw_digest_eq(&diff_id, &a->blob->diff_id))
                        err = contradiction(a->blob);
                break; /* they all were seen to be right */
        }
        return err;
}

static sw_err *
check_bytes(struct asking *a)
{
        struct sw_blob_info info;
        sw_err *err = sw_content_info(a->w->content, &a->blob->digest, &info);

        if (!err)
                return info.size == a->blob->len ? SW_OK : contradiction(a->blob);
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "it may come");
        return SW_OK;
}

/* ---- the answer ---- */

static sw_err *
use_found(struct asking *a, struct sw__held **out)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw__stack *stack = NULL;
        sw_err *err = sw__rec_get(&a->tx, a->id, &rec);

        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "the record of ref %s is gone", a->id);
        if (err)
                return err;
        rec->last_used_at = sw_time_now();
        rec->usage_count++;
        err = sw__rec_blob(rec, &a->blob->digest)
                      ? sw__rec_set_blob(&a->tx, a->id, rec, a->blob, a->origin)
                      : sw__rec_put(&a->tx, a->id, rec);
        if (!err)
                err = sw__stack_read(&a->tx, a->id, &stack);
        if (!err)
                err = sw__hold_in(a->w, &a->tx, a->id, rec->kind == SW__REC_LAYER, stack,
                                  out);
        return err;
}

/* The record borrows everything but its blob. */
static sw_err *
add_record(struct asking *a, char *name)
{
        char text[SW__REC_TEXT_MAX + 1];
        char *parents[] = { a->below ? a->below->id : NULL };
        Slipway__Store__V1__Blob *blob = sw__blob_packed(a->blob, a->origin);
        sw_digest diff_id = a->blob->diff_id;
        sw__rec rec;
        sw_err *err = sw__rec_init(&rec, a->desc, text);

        rec.state = SW__REC_LAZY;
        rec.kind = SW__REC_LAYER;
        rec.is_mutable = false;
        rec.parents = parents;
        rec.n_parents = a->below ? 1 : 0;
        rec.names = &name;
        rec.n_names = 1;
        rec.blobs = &blob;
        rec.n_blobs = 1;
        rec.diff_id = (ProtobufCBinaryData){ sizeof(diff_id.b), diff_id.b };
        rec.last_used_at = sw_time_now();
        rec.usage_count = 1;
        rec.sequence = mdb_txn_id(a->tx.txn);
        if (!err)
                err = sw__rec_add(&a->tx, sw_id_new(a->id), &rec);
        slipway__store__v1__blob__free_unpacked(blob, NULL);
        return err;
}

static sw_err *
add_lazy(struct asking *a, char *name, struct sw__held **out)
{
        sw__stack *stack = NULL;
        sw_err *err = check_records(a);

        if (!err)
                err = check_bytes(a);
        if (!err)
                err = add_record(a, name);
        if (!err)
                err = sw__stack_push(a->below ? a->below->stack : NULL, a->id, &stack);
        if (err)
                return err;
        sw__stack_set_lazy(stack, true);
        return sw__hold_in(a->w, &a->tx, a->id, true, stack, out);
}

static sw_err *
find_or_add(struct asking *a, sw_ref **out)
{
        sw_auto(sw_str) name = lazy_name(a);
        struct sw__held *h = NULL;
        sw_err *err = sw__tx_begin(a->w->meta, true, &a->tx);

        if (!err)
                err = find_known(a);
        if (!err && !*a->id)
                err = find_by_name(a, name, SW__REC_LAZY, SW__REC_COMMITTED);
        if (!err && *a->id)
                err = use_found(a, &h);
        else if (!err)
                err = add_lazy(a, name, &h);
        if (!h)
                return err;
        return sw__hold_end(h, err ? err : sw__tx_commit(&a->tx, true), out);
}

sw_err *
sw_worker_blob_layer(sw_worker *w, sw_ctx *ctx, sw_ref *parent, const struct sw_blob *blob,
                     const struct sw_blob_origin *origin, const struct sw_ref_desc *desc,
                     sw_ref **out)
{
        struct asking a = { .w = w, .blob = blob, .origin = origin, .desc = desc };
        char text[SW_DIGEST_STR_SIZE];
        sw_err *err = sw_ctx_check(ctx);

        a.below = sw__held_of(w, parent);
        if (!err && parent && !a.below)
                err = sw_err_new(SW_E_UNSUPPORTED, "ref %s is not in this store",
                                 sw_ref_id(parent));
        if (!err && !origin)
                err = sw_err_new(SW_E_INVALID, "nobody can get at it");
        if (!err)
                err = sw__blob_check(blob, origin);
        if (!err)
                err = sw__worker_lease(w);
        if (!err)
                err = find_or_add(&a, out);
        sw__tx_abort(&a.tx);
        return sw_err_wrap(err, "layer of blob %s", sw_digest_str(&blob->digest, text));
}
