/*
 * core/store/layer.c - layers being made, from a record that says so to a ref.
 *
 *      record ACTIVE -> layer prepared -> written -> layer committed -> record COMMITTED
 *
 * The record comes first and the commit of the layer before that of the record, so that
 * whatever a killed process leaves has a record that tells whose it was.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/unpack.h"

static const char *const types[] = {
        "regular",        "internal", "frontend", "source.local", "source.git.checkout",
        "exec.cachemount"
};

/* The member of a description that may be of an older header. */
#define DESC(d, member, dflt)                                                              \
        ((d) && (d)->size >= offsetof(struct sw_ref_desc, member) + sizeof((d)->member)    \
                 ? (d)->member                                                             \
                 : (dflt))

/* A description may be a whole script: its beginning says enough. What is no UTF-8 would
 * make a record that cannot be read. */
static sw_err *
cut_text(const char *text, char out[SW__REC_TEXT_MAX + 1])
{
        const size_t len = text ? strnlen(text, SW__REC_TEXT_MAX + 1) : 0;
        size_t n = len > SW__REC_TEXT_MAX ? SW__REC_TEXT_MAX : len;

        for (int i = 0; i < 3 && len > n && !sw_utf8_valid(text, n); i++)
                n--; /* not in the middle of a character */
        if (!sw_utf8_valid(text, n))
                return sw_err_new(SW_E_INVALID, "a ref's description is no UTF-8");
        if (n)
                memcpy(out, text, n);
        out[n] = '\0';
        return SW_OK;
}

sw_err *
sw__rec_init(sw__rec *rec, const struct sw_ref_desc *desc, char text[SW__REC_TEXT_MAX + 1])
{
        const char *type = DESC(desc, type, NULL);
        const int64_t created = DESC(desc, created, 0);
        bool known = !type;

        slipway__store__v1__ref__init(rec);
        for (size_t i = 0; i < SW_COUNT(types) && !known; i++)
                known = strcmp(type, types[i]) == 0;
        if (!known)
                return sw_err_new(SW_E_INVALID, "no type of a ref: %.100s", type);
        sw_err *err = cut_text(DESC(desc, description, NULL), text);
        if (err)
                return err;
        rec->description = text;
        rec->type = (char *) (type && strcmp(type, "regular") != 0 ? type : "");
        rec->is_mutable = DESC(desc, is_mutable, false);
        rec->created_at = created ? created : sw_time_now();
        return SW_OK;
}

void
sw__layer_free(sw_layer *l)
{
        sw__stack_unref(l->lower);
        free(l);
}

/* Remove the record and then the layer. */
static sw_err *
drop_layer(sw_worker *w, const char *id)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        if (!err)
                err = sw__rec_get(&tx, id, &rec);
        if (!err && rec)
                err = sw__rec_remove(&tx, id, rec);
        if (!err)
                err = sw__tx_commit(&tx, false);
        return err ? err : sw__reap_one(w, NULL, id);
}

static void
drop_quietly(sw_worker *w, const char *id)
{
        sw_err *err = drop_layer(w, id);

        if (err)
                sw_log_err(w->log, SW_LOG_WARN, err);
        sw_err_drop(err, "it goes when it is pruned");
}

/* The record of a layer that is about to be. */
static sw_err *
add_record(sw_worker *w, const char *id, sw_ref *parent, const struct sw_ref_desc *desc,
           const char *name, bool only)
{
        sw_auto(sw__tx) tx = { 0 };
        char *parents[1] = { parent ? (char *) sw_ref_id(parent) : NULL };
        char *names[1] = { (char *) name };
        char text[SW__REC_TEXT_MAX + 1];
        bool taken = false;
        sw__rec rec;
        sw_err *err = sw__rec_init(&rec, desc, text);

        rec.state = SW__REC_ACTIVE;
        rec.kind = SW__REC_LAYER;
        rec.parents = parents;
        rec.n_parents = parent ? 1 : 0;
        rec.names = names;
        rec.n_names = name ? 1 : 0;
        rec.lease = w->lease.id;
        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err && only)
                err = sw__tree_any(&tx, name, &taken);
        if (!err && taken)
                err = sw_err_new(SW_E_EXISTS, "somebody else just made one");
        if (!err)
                err = sw__rec_add(&tx, id, &rec);
        if (!err)
                err = sw__pair_put(&tx, SW_META_HOLDERS, id, w->lease.id);
        return err ? err : sw__tx_commit(&tx, false);
}

sw_err *
sw__layer_begin(sw_worker *w, sw_ctx *ctx, sw_ref *parent, const struct sw_ref_desc *desc,
                const char *name, bool only, sw_layer **out)
{
        struct sw__held *h = sw__held_of(w, parent);
        sw_err *err = sw_ctx_check(ctx);

        if (!err && parent && !h)
                err = sw_err_new(
                        SW_E_UNSUPPORTED,
                        "ref %s is a directory that was not copied: nothing can be "
                        "made on top of it",
                        sw_ref_id(parent));
        if (!err)
                err = sw__snapshots_ready(w->snaps, ctx);
        if (!err)
                err = sw__worker_lease(w);
        if (err)
                return err;
        err = h ? sw__stack_ready(w, ctx, h->stack) : SW_OK;
        if (err)
                return sw_err_wrap(err, "begin a layer");
        sw__make_room(w, ctx);
        sw_layer *l = sw_new(sw_layer);
        l->w = w;
        l->lower = sw__stack_ref(h ? h->stack : NULL);
        err = add_record(w, sw_id_new(l->id), parent, desc, name, only);
        if (!err) {
                err = sw__snapshots_prepare(w->snaps, ctx, l->id, sw__stack_of(l->lower));
                if (err)
                        drop_quietly(w, l->id);
        }
        if (err) {
                sw__layer_free(l);
                return sw_err_wrap(err, "begin a layer");
        }
        *out = l;
        return SW_OK;
}

sw_err *
sw_worker_layer(sw_worker *w, sw_ctx *ctx, sw_ref *parent, const struct sw_ref_desc *desc,
                sw_layer **out)
{
        return sw__layer_begin(w, ctx, parent, desc, NULL, false, out);
}

const char *
sw_layer_id(const sw_layer *l)
{
        return l->id;
}

sw_err *
sw_layer_write(sw_layer *l, sw_ctx *ctx, const struct sw_layer_ops **ops, void **w)
{
        if (l->mounted)
                return sw_err_new(SW_E_BUSY, "layer %s is mounted", l->id);
        return sw__snapshots_write(l->w->snaps, ctx, l->id, ops, w);
}

static sw_err *
mount_layer(sw_layer *l, sw_ctx *ctx, bool root, const struct sw_snapshot_mount **m)
{
        if (!l->mounted) {
                sw_err *err = sw__stack_ready(l->w, ctx, l->lower);

                if (!err)
                        err = sw__snapshots_mount(l->w->snaps, ctx, l->id, root, &l->m);
                if (err)
                        return err;
                l->mounted = true;
        }
        *m = &l->m;
        return SW_OK;
}

sw_err *
sw_layer_mount(sw_layer *l, sw_ctx *ctx, const struct sw_snapshot_mount **m)
{
        return mount_layer(l, ctx, false, m);
}

sw_err *
sw_layer_mount_root(sw_layer *l, sw_ctx *ctx, const struct sw_snapshot_mount **m)
{
        return mount_layer(l, ctx, true, m);
}

sw_err *
sw_layer_unmount(sw_layer *l, sw_ctx *ctx)
{
        (void) ctx; /* is done also when cancelled */
        if (!l->mounted)
                return SW_OK;
        l->mounted = false;
        return sw__snapshots_unmount(l->w->snaps, &l->m);
}

void
sw_layer_abandon(sw_layer *l)
{
        if (!l)
                return;
        sw_err *err = sw_layer_unmount(l, NULL);
        if (err)
                sw_log_err(l->w->log, SW_LOG_WARN, err);
        sw_err_drop(err, "it is removed all the same");
        drop_quietly(l->w, l->id);
        sw__layer_free(l);
}

/* The record becomes that of a ref, which this process holds. */
static sw_err *
finish_record(sw_layer *l, sw_ref **out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw__stack *stack = NULL;
        struct sw__held *h = NULL;
        sw_err *err = sw__stack_push(l->lower, l->id, &stack);

        if (!err)
                err = sw__tx_begin(l->w->meta, true, &tx);
        if (!err)
                err = sw__rec_get(&tx, l->id, &rec);
        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "the record of layer %s is gone", l->id);
        if (err) {
                sw__stack_unref(stack);
                return err;
        }
        rec->state = SW__REC_COMMITTED;
        rec->last_used_at = sw_time_now();
        rec->usage_count = 1;
        rec->is_mutable = false;
        rec->changes = l->changes;
        if (*rec->lease)
                rec->lease[0] = '\0';
        rec->sequence = mdb_txn_id(tx.txn);
        err = sw__rec_put(&tx, l->id, rec);
        if (!err)
                err = sw__hold_in(l->w, &tx, l->id, true, sw_steal(stack), &h);
        sw__stack_unref(stack);
        if (!h)
                return err;
        return sw__hold_end(h, err ? err : sw__tx_commit(&tx, true), out);
}

sw_err *
sw_layer_commit(sw_layer *l, sw_ctx *ctx, sw_ref **out)
{
        sw_err *err = sw_layer_unmount(l, ctx);

        if (!err)
                err = sw_ctx_check(ctx);
        if (!err)
                err = sw__snapshots_commit(l->w->snaps, ctx, l->id);
        if (!err)
                err = finish_record(l, out);
        if (err) {
                err = sw_err_wrap(err, "commit layer %s", l->id);
                sw_layer_abandon(l);
                return err;
        }
        sw__stored(l->w);
        sw__layer_free(l);
        return SW_OK;
}
