/*
 * core/store/worker.c - the worker: refs by id and by name, parents, merges, diffs, views.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "core/store/counted.h"
#include "core/store/unpack.h"

/* ---- looking up ---- */

/* Count the use and hold it; *out NULL: it is not there. All in one transaction, so that
 * prune sees either no ref or a held one. */
static sw_err *
look_up(sw_worker *w, const char *id, struct sw__held **out, sw__tx *tx)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw__stack *stack = NULL;
        sw_err *err = sw__tx_begin(w->meta, true, tx);

        if (!err)
                err = sw__rec_get(tx, id, &rec);
        if (err || !rec || !sw__rec_is_ref(rec))
                return err;
        rec->last_used_at = sw_time_now();
        rec->usage_count++;
        err = sw__rec_put(tx, id, rec);
        if (!err)
                err = sw__stack_read(tx, id, &stack);
        if (!err)
                err = sw__hold_in(w, tx, id, rec->kind == SW__REC_LAYER, stack, out);
        return err;
}

/* Of what a damaged store says, too. */
static bool
is_id(const char *id)
{
        return sw__id_ok(id) && strlen(id) <= SW_ID_LEN;
}

/* *out NULL: there is none. */
static sw_err *
load(sw_worker *w, const char *id, sw_ref **out)
{
        sw_auto(sw__tx) tx = { 0 };
        struct sw__held *h = NULL;

        *out = NULL;
        if (!is_id(id))
                return SW_OK;
        *out = sw__hold_leased(w, id);
        if (*out)
                return SW_OK;
        sw_err *err = sw__worker_lease(w);
        if (!err)
                err = look_up(w, id, &h, &tx);
        if (!h)
                return sw_err_wrap(err, "look up ref %s", id);
        return sw__hold_end(h, err ? err : sw__tx_commit(&tx, false), out);
}

sw_err *
sw_worker_load(sw_worker *w, sw_ctx *ctx, const char *id, sw_ref **out)
{
        sw_ref *ref = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = load(w, id, &ref);
        if (!err && !ref)
                err = sw_err_new(SW_E_NOT_FOUND, "ref %.100s is not in the store", id);
        if (!err)
                *out = ref;
        return err;
}

static sw_err *
newest_of(sw_worker *w, const char *name, char id[SW_ID_SIZE])
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) ids = { 0 };
        int64_t newest = INT64_MIN;
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        *id = '\0';
        if (!err)
                err = sw__pair_list(&tx, SW_META_NAMES, name, NULL, &ids);
        for (size_t i = 0; i < ids.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                if (!is_id(ids.v[i])) /* which load() would never find */
                        continue;
                err = sw__rec_get(&tx, ids.v[i], &rec);
                if (!rec || !sw__rec_is_ref(rec) || rec->created_at < newest)
                        continue;
                newest = rec->created_at;
                snprintf(id, SW_ID_SIZE, "%s", ids.v[i]);
        }
        return err;
}

static bool
name_ok(const char *name)
{
        const size_t n = strnlen(name, SW__REC_NAME_MAX + 1);

        return n > 0 && n <= SW__REC_NAME_MAX;
}

sw_err *
sw_worker_find(sw_worker *w, sw_ctx *ctx, const char *name, sw_ref **out)
{
        sw_ref *ref = NULL;
        char id[SW_ID_SIZE];

        if (!name_ok(name))
                return sw_err_new(SW_E_INVALID, "no name of a ref: %.100s", name);
        for (;;) { /* again when it was pruned in between */
                sw_err *err = sw_ctx_check(ctx);

                if (!err)
                        err = newest_of(w, name, id);
                if (!err && *id)
                        err = load(w, id, &ref);
                if (err)
                        return err;
                if (ref || !*id)
                        break;
        }
        *out = ref;
        return SW_OK;
}

static sw_err *
not_stored(const sw_ref *r)
{
        return sw_err_new(SW_E_UNSUPPORTED, "ref %s is not in this store", sw_ref_id(r));
}

sw_err *
sw_ref_add_name(sw_worker *w, sw_ctx *ctx, sw_ref *r, const char *name)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err && !name_ok(name))
                err = sw_err_new(SW_E_INVALID, "no name of a ref: %.100s", name);
        if (!err && !sw__held_of(w, r))
                err = not_stored(r);
        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = sw__rec_get(&tx, sw_ref_id(r), &rec);
        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "its record is gone");
        if (!err)
                err = sw__rec_add_name(&tx, sw_ref_id(r), rec, name);
        if (!err)
                err = sw__tx_commit(&tx, true);
        return sw_err_wrap(err, "name ref %s", sw_ref_id(r));
}

sw_err *
sw_ref_parent(sw_worker *w, sw_ctx *ctx, sw_ref *r, sw_ref **out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err && !sw__held_of(w, r))
                err = not_stored(r);
        if (!err)
                err = sw__tx_begin(w->meta, false, &tx);
        if (!err)
                err = sw__rec_get(&tx, sw_ref_id(r), &rec);
        sw__tx_abort(&tx);
        if (err)
                return err;
        if (!rec || rec->kind != SW__REC_LAYER || rec->n_parents == 0) {
                *out = NULL;
                return SW_OK;
        }
        return sw_worker_load(w, ctx, rec->parents[0], out);
}

/* ---- refs without layers of their own ---- */

/* Store and hold a ref with that stack; @rec has what is special. @stack: given. */
static sw_err *
add_ref(sw_worker *w, sw__rec *rec, sw__stack *stack, sw_ref **out)
{
        sw_autoptr(sw__stack) given = stack;
        sw_auto(sw__tx) tx = { 0 };
        struct sw__held *h = NULL;
        char id[SW_ID_SIZE];
        sw_err *err = sw__worker_lease(w);

        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (err)
                return err;
        rec->state = SW__REC_COMMITTED;
        rec->measured = true;
        rec->last_used_at = sw_time_now();
        rec->usage_count = 1;
        rec->is_mutable = false;
        rec->sequence = mdb_txn_id(tx.txn);
        err = sw__rec_add(&tx, sw_id_new(id), rec);
        if (!err)
                err = sw__hold_in(w, &tx, id, false, sw_steal(given), &h);
        if (!h)
                return err;
        err = sw__hold_end(h, err ? err : sw__tx_commit(&tx, true), out);
        if (!err)
                sw__stored(w);
        return err;
}

static sw_err *
merge(sw_worker *w, sw_ref *const *refs, size_t n, const struct sw_ref_desc *desc,
      sw_ref **out)
{
        SW_ARRAY(sw__stack *) stacks = { 0 };
        SW_ARRAY(char *) ids = { 0 };
        sw__stack *stack = NULL;
        char text[SW__REC_TEXT_MAX + 1];
        sw__rec rec;
        sw_err *err = sw__rec_init(&rec, desc, text);

        for (size_t i = 0; i < n && !err; i++) {
                struct sw__held *h = sw__held_of(w, refs[i]);

                if (!h) {
                        err = not_stored(refs[i]);
                        break;
                }
                sw_array_push(&stacks, h->stack);
                sw_array_push(&ids, h->id);
        }
        if (!err && n > SW__REC_PARENTS_MAX)
                err = sw_err_new(SW_E_LIMIT, "a merge of %zu trees", n);
        if (!err)
                err = sw__stack_concat(stacks.v, stacks.n, &stack);
        if (!err) {
                rec.kind = SW__REC_MERGE;
                rec.parents = ids.v;
                rec.n_parents = ids.n;
                err = add_ref(w, &rec, stack, out);
        }
        sw_array_release(&stacks);
        sw_array_release(&ids);
        return err;
}

sw_err *
sw_worker_merge(sw_worker *w, sw_ctx *ctx, sw_ref *const *refs, size_t n,
                const struct sw_ref_desc *desc, sw_ref **out)
{
        SW_ARRAY(sw_ref *) some = { 0 };
        sw_err *err = sw_ctx_check(ctx);

        for (size_t i = 0; i < n; i++)
                if (refs[i])
                        sw_array_push(&some, refs[i]);
        if (!err && some.n < 2)
                *out = some.n ? sw_ref_ref(some.v[0]) : NULL;
        else if (!err)
                err = merge(w, some.v, some.n, desc, out);
        sw_array_release(&some);
        return sw_err_wrap(err, "merge");
}

/* The upper part of a stack. */
static sw_err *
slice(sw_worker *w, struct sw__held *upper, size_t skip, const struct sw_ref_desc *desc,
      sw_ref **out)
{
        char *parents[1] = { upper->id };
        char text[SW__REC_TEXT_MAX + 1];
        sw__rec rec;
        sw_err *err = sw__rec_init(&rec, desc, text);

        if (err)
                return err;
        rec.kind = SW__REC_SLICE;
        rec.skip = (uint32_t) skip;
        rec.parents = parents;
        rec.n_parents = 1;
        return add_ref(w, &rec, sw__stack_slice(upper->stack, skip), out);
}

/* ---- a diff that has to be computed ---- */

static sw_err *
stack_of(sw_worker *w, sw_ref *r, sw__stack **out)
{
        struct sw__held *h = sw__held_of(w, r);

        if (r && !h)
                return not_stored(r);
        *out = h ? h->stack : NULL;
        return SW_OK;
}

sw_err *
sw_ref_diff(sw_worker *w, sw_ctx *ctx, sw_ref *lower, sw_ref *upper,
            const struct sw_layer_ops *ops, void *writer)
{
        sw__stack *low = NULL, *up = NULL;
        sw_err *err = stack_of(w, lower, &low);

        if (!err)
                err = stack_of(w, upper, &up);
        if (!err)
                err = sw__stack_ready(w, ctx, low);
        if (!err)
                err = sw__stack_ready(w, ctx, up);
        if (err)
                return err;
        return sw__snapshots_diff(w->snaps, ctx, sw__stack_of(low), sw__stack_of(up), ops,
                                  writer);
}

static sw_err *
compute_into(sw_worker *w, sw_ctx *ctx, sw_layer *l, sw_ref *lower, sw_ref *upper,
             bool *any)
{
        const struct sw_layer_ops *ops;
        struct sw__counted counted;
        void *writer;
        sw_err *err = sw_layer_write(l, ctx, &ops, &writer);

        if (err)
                return err;
        sw__counted_init(&counted, ops, writer);
        err = sw_ref_diff(w, ctx, lower, upper, &counted.ops, &counted);
        if (err) {
                ops->abandon(writer);
                return err;
        }
        *any = sw__counted_any(&counted);
        return ops->finish(writer);
}

static sw_err *
compute(sw_worker *w, sw_ctx *ctx, sw_ref *lower, sw_ref *upper,
        const struct sw_ref_desc *desc, sw_ref **out)
{
        sw_layer *l;
        bool any = false;
        sw_err *err = sw_worker_layer(w, ctx, NULL, desc, &l);

        if (err)
                return err;
        err = compute_into(w, ctx, l, lower, upper, &any);
        l->changes = true;
        if (!err && any)
                return sw_layer_commit(l, ctx, out);
        sw_layer_abandon(l);
        if (!err)
                *out = NULL;
        return err;
}

sw_err *
sw_worker_diff(sw_worker *w, sw_ctx *ctx, sw_ref *lower, sw_ref *upper,
               const struct sw_ref_desc *desc, sw_ref **out)
{
        sw__stack *low = NULL, *up = NULL;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = stack_of(w, lower, &low);
        if (!err)
                err = stack_of(w, upper, &up);
        if (err)
                return sw_err_wrap(err, "diff");
        const size_t skip = sw__stack_height(low);
        if (!sw__stack_extends(up, low))
                err = compute(w, ctx, lower, upper, desc, out);
        else if (sw__stack_height(up) == skip)
                *out = NULL;
        else if (skip == 0)
                *out = sw_ref_ref(upper);
        else
                err = slice(w, sw__held_of(w, upper), skip, desc, out);
        return sw_err_wrap(err, "diff");
}
