/*
 * core/store/chain.c - the layers of a tree with their blobs, for who moves them.
 *
 * A chain is what the records said at one moment, copied; it changes no more. It holds the
 * ref, and so every layer.
 * Thread: any, several at once.
 */
#include <string.h>

#include <slipway/blob.h>

#include "core/store/chainid.h"
#include "core/store/recblob.h"
#include "core/store/unpack.h"

struct layer {
        struct sw_chain_layer pub; /* borrows from the rest */
        sw__rec *rec;
        struct sw__blob_view *views;
        struct sw_blob *blobs; /* those of the views, one after the other */
};

struct sw_chain {
        sw_worker *w;
        sw_ref *ref;
        const struct sw__held *held; /* of ref */
        size_t n;
        struct layer *v;
};

/* ---- reading ---- */

/* @rec: given. */
static void
fill_layer(struct layer *l, const char *key, sw__rec *rec)
{
        const size_t n = rec->n_blobs;

        l->rec = rec;
        l->blobs = sw_alloc_array(n + 1, sizeof(*l->blobs));
        l->views = sw_alloc_array(n + 1, sizeof(*l->views));
        l->pub = (struct sw_chain_layer){
                .id = key,
                .lazy = rec->state == SW__REC_LAZY,
                .blobs = l->blobs,
                .n_blobs = n,
                .description = rec->description,
                .created = rec->created_at,
        };
        l->pub.has_diff_id = sw__rec_diff_id(rec, &l->pub.diff_id);
        for (size_t i = 0; i < n; i++) {
                sw__blob_view_init(&l->views[i], rec, i);
                l->blobs[i] = l->views[i].blob;
        }
}

static sw_err *
read_layers(sw_chain *c, struct sw_stack stack)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(c->w->meta, false, &tx);

        c->v = sw_alloc_array(stack.n + 1, sizeof(*c->v));
        for (; c->n < stack.n && !err; c->n++) {
                sw__rec *rec;

                err = sw__rec_get(&tx, stack.keys[c->n], &rec);
                if (!err && !rec)
                        err = sw_err_new(SW_E_CORRUPT, "the record of layer %s is gone",
                                         stack.keys[c->n]);
                if (err)
                        break;
                fill_layer(&c->v[c->n], stack.keys[c->n], rec);
        }
        return err;
}

sw_err *
sw_ref_chain(sw_worker *w, sw_ctx *ctx, sw_ref *r, sw_chain **out)
{
        const struct sw__held *h = sw__held_of(w, r);
        sw_err *err = sw_ctx_check(ctx);

        if (!err && r && !h)
                err = sw_err_new(SW_E_UNSUPPORTED, "ref %s is not in this store",
                                 sw_ref_id(r));
        if (err)
                return err;
        sw_autoptr(sw_chain) c = sw_new(sw_chain);
        c->w = w;
        c->ref = sw_ref_ref(r);
        c->held = h;
        err = read_layers(c, sw__stack_of(h ? h->stack : NULL));
        if (err)
                return sw_err_wrap(err, "layers of ref %s", sw_ref_id(r));
        *out = sw_steal(c);
        return SW_OK;
}

void
sw_chain_free(sw_chain *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->n; i++) {
                for (size_t k = 0; k < c->v[i].pub.n_blobs; k++)
                        sw__blob_view_release(&c->v[i].views[k]);
                free(c->v[i].views);
                free(c->v[i].blobs);
                sw__rec_free(c->v[i].rec);
        }
        free(c->v);
        sw_ref_unref(c->ref);
        free(c);
}

size_t
sw_chain_count(const sw_chain *c)
{
        return c->n;
}

const struct sw_chain_layer *
sw_chain_get(const sw_chain *c, size_t i)
{
        return &c->v[i].pub;
}

/* ---- telling ---- */

/* What a layer was made on, and with it on top. */
static sw_err *
own_stacks(sw_chain *c, size_t i, sw__stack **lower, sw__stack **upper)
{
        sw_auto(sw__tx) tx = { 0 };
        const sw__rec *rec = c->v[i].rec;
        sw_err *err = sw__tx_begin(c->w->meta, false, &tx);

        *lower = NULL;
        if (!err && rec->n_parents)
                err = sw__stack_read(&tx, rec->parents[0], lower);
        if (!err)
                err = sw__stack_push(*lower, c->v[i].pub.id, upper);
        if (!err && rec->state == SW__REC_LAZY)
                sw__stack_set_lazy(*upper, true);
        return err;
}

sw_err *
sw_chain_tell(sw_chain *c, sw_ctx *ctx, size_t i, const struct sw_layer_ops *ops,
              void *writer)
{
        sw_autoptr(sw__stack) lower = NULL;
        sw_autoptr(sw__stack) upper = NULL;
        const sw__rec *rec = c->v[i].rec;
        const bool whole = !rec->n_parents &&
                           (rec->changes || rec->state == SW__REC_LAZY || rec->unpacked);
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = own_stacks(c, i, &lower, &upper);
        if (!err)
                err = sw__stack_ready(c->w, ctx, upper);
        if (!err && whole) /* it may take away from what a merge puts it on */
                err = sw__snapshots_tell(c->w->snaps, ctx, c->v[i].pub.id, ops, writer);
        else if (!err)
                err = sw__snapshots_diff(c->w->snaps, ctx, sw__stack_of(lower),
                                         sw__stack_of(upper), ops, writer);
        return sw_err_wrap(err, "tell layer %s", c->v[i].pub.id);
}

/* ---- blobs ---- */

static sw_err *
add_blob(sw_chain *c, sw__tx *tx, size_t i, const struct sw_blob *blob, bool *known)
{
        sw_autoptr(sw__rec) rec = NULL;
        struct sw_blob_info info;
        const char *id = c->v[i].pub.id;
        sw_err *err = sw__rec_get(tx, id, &rec);

        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "its record is gone");
        /* within the transaction: who prunes looks and removes in one */
        if (!err)
                err = sw_content_info(c->w->content, &blob->digest, &info);
        if (!err && info.size != blob->len)
                err = sw_err_new(SW_E_INVALID, "the blob has %lld bytes, not %lld",
                                 (long long) info.size, (long long) blob->len);
        if (err)
                return err;
        const Slipway__Store__V1__Blob *m = sw__rec_blob(rec, &blob->digest);
        *known = m && sw__blob_says(m, blob);
        return sw__rec_set_blob(tx, id, rec, blob, NULL);
}

sw_err *
sw_chain_add_blob(sw_chain *c, sw_ctx *ctx, size_t i, const struct sw_blob *blob)
{
        sw_auto(sw__tx) tx = { 0 };
        bool known = false;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = sw__blob_check(blob, NULL);
        if (!err)
                err = sw__tx_begin(c->w->meta, true, &tx);
        if (!err)
                err = add_blob(c, &tx, i, blob, &known);
        if (!err && !known)
                err = sw__chain_name_all(&tx, sw_ref_id(c->ref),
                                         sw__stack_of(c->held->stack));
        if (!err && !known)
                err = sw__tx_commit(&tx, true);
        return sw_err_wrap(err, "blob of layer %s", c->v[i].pub.id);
}

sw_err *
sw_chain_blob_open(sw_chain *c, sw_ctx *ctx, size_t i, const sw_digest *blob, int *fd)
{
        const struct layer *l = &c->v[i];
        const struct sw_blob *b = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (err)
                return err;
        err = sw_content_open(c->w->content, blob, fd, NULL);
        for (size_t k = 0; k < l->pub.n_blobs && !b; k++)
                if (sw_digest_eq(&l->blobs[k].digest, blob))
                        b = &l->blobs[k];
        if (sw_err_code(err) != SW_E_NOT_FOUND || !b || !b->origin)
                return sw_err_wrap(err, "layer %s", l->pub.id);
        sw_err_drop(err, "it is fetched");
        err = sw__origin_fetch(c->w, ctx, b);
        if (!err)
                err = sw_content_open(c->w->content, blob, fd, NULL);
        return sw_err_wrap(err, "layer %s", l->pub.id);
}

sw_content *
sw_worker_content(sw_worker *w)
{
        return w->content;
}
