/*
 * core/store/take.c - mutable trees: written on by one user at a time, across processes.
 *
 *      (none) -> ACTIVE, of one lease -> FREE -> ACTIVE ... -> removed
 *
 * Their layers stay active in the snapshotter for ever. One that was FREE once is so again
 * when its user dies; one that never was is removed then.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <slipway/time.h>

#include "core/store/worker_priv.h"

struct taking {
        bool any; /* there are some, free or not */
        char id[SW_ID_SIZE];
        sw__stack *lower;
};

static sw_err *
take_one(sw_worker *w, sw__tx *tx, const char *id, sw__rec *rec, struct taking *t)
{
        sw_err *err = SW_OK;

        if (rec->n_parents)
                err = sw__stack_read(tx, rec->parents[0], &t->lower);
        if (err)
                return err;
        rec->state = SW__REC_ACTIVE;
        rec->measured = false;
        rec->last_used_at = sw_time_now();
        rec->usage_count++;
        free(rec->lease == protobuf_c_empty_string ? NULL : rec->lease);
        rec->lease = sw_strdup(w->lease.id);
        snprintf(t->id, sizeof(t->id), "%s", id);
        err = sw__rec_put(tx, id, rec);
        return err ? err : sw__pair_put(tx, SW_META_HOLDERS, id, w->lease.id);
}

static bool
is_tree(const char *id, const sw__rec *rec)
{
        return rec && rec->kind == SW__REC_LAYER && rec->is_mutable &&
               strlen(id) <= SW_ID_LEN;
}

sw_err *
sw__tree_any(sw__tx *tx, const char *name, bool *any)
{
        sw_auto(sw_strlist) ids = { 0 };
        sw_err *err = sw__pair_list(tx, SW_META_NAMES, name, NULL, &ids);

        *any = false;
        for (size_t i = 0; i < ids.n && !err && !*any; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                err = sw__rec_get(tx, ids.v[i], &rec);
                *any = !err && is_tree(ids.v[i], rec);
        }
        return err;
}

/* Look for a free one. t->id is "" when there is none. */
static sw_err *
look(sw_worker *w, const char *name, struct taking *t)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) ids = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        t->any = false; /* one that was there may be gone: its first user was killed */
        if (!err)
                err = sw__pair_list(&tx, SW_META_NAMES, name, NULL, &ids);
        for (size_t i = 0; i < ids.n && !err && !*t->id; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                err = sw__rec_get(&tx, ids.v[i], &rec);
                if (err || !is_tree(ids.v[i], rec))
                        continue;
                t->any = true;
                if (rec->state == SW__REC_FREE)
                        err = take_one(w, &tx, ids.v[i], rec, t);
        }
        if (err || !*t->id)
                return err;
        return sw__tx_commit(&tx, false);
}

/* A free one, after waiting if that is wanted. */
static sw_err *
find_free(sw_worker *w, sw_ctx *ctx, const char *name, bool wait, struct taking *t)
{
        for (unsigned i = 0;; i++) {
                sw_err *err = sw_ctx_check(ctx);

                /* its user may have been killed */
                if (!err && (i % 8 == 0) && i)
                        err = sw__lease_sweep(w->meta, w->leases_fd, w->lease.id, false);
                if (!err)
                        err = look(w, name, t);
                if (err || *t->id || !t->any || !wait)
                        return err;
                sw__wait_released(w);
        }
}

static sw_layer *
taken(sw_worker *w, struct taking *t)
{
        sw_layer *l = sw_new(sw_layer);

        l->w = w;
        l->taken = true;
        memcpy(l->id, t->id, sizeof(l->id));
        l->lower = sw_steal(t->lower);
        return l;
}

static sw_err *
make_new(sw_worker *w, sw_ctx *ctx, const char *name, sw_ref *parent,
         const struct sw_ref_desc *desc, bool only, sw_layer **out)
{
        struct sw_ref_desc mine = { .size = sizeof(mine) };

        if (desc) /* may be of an older header */
                memcpy(&mine, desc, desc->size < sizeof(mine) ? desc->size : sizeof(mine));
        mine.size = sizeof(mine);
        mine.is_mutable = true;
        sw_err *err = sw__layer_begin(w, ctx, parent, &mine, name, only, out);
        if (!err)
                (*out)->taken = true;
        return err;
}

/* One that is free, or a new one. *again: others just made the first one. */
static sw_err *
take_or_make(sw_worker *w, sw_ctx *ctx, const char *name, sw_ref *parent,
             const struct sw_ref_desc *desc, bool wait, bool only_existing, bool *again,
             sw_layer **out)
{
        struct taking t = { 0 };
        const bool only = wait || only_existing;
        sw_err *err = find_free(w, ctx, name, wait, &t);

        *again = false;
        if (!err && *t.id)
                *out = taken(w, &t);
        else if (!err && t.any && only_existing)
                *out = NULL;
        else if (!err)
                err = make_new(w, ctx, name, parent, desc, only && !t.any, out);
        sw__stack_unref(t.lower);
        if (only && !t.any && sw_err_code(err) == SW_E_EXISTS) {
                sw_err_drop(err, "that one is as good");
                *again = true;
                return SW_OK;
        }
        return err;
}

sw_err *
sw_worker_take(sw_worker *w, sw_ctx *ctx, const char *name, sw_ref *parent,
               const struct sw_ref_desc *desc, bool wait, bool only_existing,
               sw_layer **out)
{
        bool again = true;
        sw_err *err = SW_OK;

        if (!*name || strnlen(name, SW__REC_NAME_MAX + 1) > SW__REC_NAME_MAX)
                err = sw_err_new(SW_E_INVALID, "no name of a tree: %.100s", name);
        if (!err)
                err = sw__snapshots_ready(w->snaps, ctx);
        if (!err)
                err = sw__worker_lease(w);
        while (!err && again)
                err = take_or_make(w, ctx, name, parent, desc, wait, only_existing, &again,
                                   out);
        return sw_err_wrap(err, "take %.100s", name);
}

static sw_err *
put_back(sw_layer *l)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__tx_begin(l->w->meta, true, &tx);

        if (!err)
                err = sw__rec_get(&tx, l->id, &rec);
        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "its record is gone");
        if (err)
                return err;
        rec->state = SW__REC_FREE;
        rec->measured = false;
        rec->sequence = mdb_txn_id(tx.txn);
        rec->last_used_at = sw_time_now();
        if (*rec->lease)
                rec->lease[0] = '\0';
        err = sw__rec_put(&tx, l->id, rec);
        if (!err)
                err = sw__pair_del(&tx, SW_META_HOLDERS, l->id, l->w->lease.id);
        return err ? err : sw__tx_commit(&tx, true);
}

sw_err *
sw_layer_release(sw_layer *l, sw_ctx *ctx)
{
        sw_worker *w = l->w;

        if (!l->taken) {
                sw_err *err = sw_err_new(SW_E_INTERNAL, "layer %s was not taken", l->id);

                sw_layer_abandon(l);
                return err;
        }
        sw_err *err = sw_layer_unmount(l, ctx);
        if (!err)
                err = put_back(l);
        if (err) {
                err = sw_err_wrap(err, "put back tree %s", l->id);
                sw_layer_abandon(l);
                return err;
        }
        sw__stored(w);
        sw__released(w);
        sw__layer_free(l);
        return SW_OK;
}
