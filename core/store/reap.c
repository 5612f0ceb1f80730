/*
 * core/store/reap.c - layers that nobody has any more.
 *
 * A record is removed first, which dooms its layer in the same transaction; then the
 * snapshotter removes the layer, then the doom is lifted. Whoever is killed in between
 * leaves a doomed layer for the next one. Two processes may remove one layer at the same
 * time: the snapshotter does not mind.
 */
#include <string.h>

#include <slipway/path.h>

#include "core/store/unpack.h"

void
sw__forget_notes(sw_worker *w, const char *id)
{
        sw_auto(sw_str) path = sw_asprintf("hashes/%s", id);

        sw_err_drop(sw_path_remove(w->rootfd, path), "a remembered hash: harmless");
}

static sw_err *
lift(sw_worker *w, const sw_strlist *keys)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        for (size_t i = 0; i < keys->n && !err; i++)
                err = sw__pair_del(&tx, SW_META_DOOMED, keys->v[i], NULL);
        return err ? err : sw__tx_commit(&tx, false);
}

sw_err *
sw__reap_one(sw_worker *w, sw_ctx *ctx, const char *key)
{
        sw_auto(sw_strlist) keys = { 0 };
        sw_err *err = sw__snapshots_remove(w->snaps, ctx, key);

        if (err)
                return err;
        sw__forget_notes(w, key);
        sw_strlist_add(&keys, key);
        return lift(w, &keys);
}

static sw_err *
list_doomed(sw_worker *w, sw_strlist *keys, sw_strlist *values)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        return err ? err : sw__pair_list(&tx, SW_META_DOOMED, NULL, keys, values);
}

sw_err *
sw__reap_later(sw_worker *w)
{
        sw_auto(sw_strlist) keys = { 0 }, values = { 0 };
        sw_err *err = list_doomed(w, &keys, &values);

        /* before the first thread: the janitor begins with the first ref that is held */
        w->reap = keys.n > 0;
        return err;
}

sw_err *
sw__reap(sw_worker *w, sw_ctx *ctx)
{
        sw_auto(sw_strlist) keys = { 0 }, values = { 0 }, gone = { 0 };
        sw_err *first = list_doomed(w, &keys, &values);

        for (size_t i = 0; i < keys.n && !sw_cancelled(sw_ctx_cancel(ctx)); i++) {
                const bool lazy = *values.v[i];
                bool done;
                sw_err *err = lazy ? sw__unpack_clear(w, ctx, keys.v[i], &done)
                                   : sw__snapshots_remove(w->snaps, ctx, keys.v[i]);

                if (!err && !lazy) {
                        sw__forget_notes(w, keys.v[i]);
                        sw_strlist_add(&gone, keys.v[i]);
                } else if (err && !first) {
                        first = err;
                } else if (err) {
                        sw_err_drop(err, "the first one is told");
                }
        }
        if (gone.n) {
                sw_err *err = lift(w, &gone);

                if (first)
                        sw_err_drop(err, "the first one is told");
                else
                        first = err;
        }
        return sw_err_wrap(first, "remove layers that are not needed any more");
}

sw_err *
sw__worker_reap(sw_worker *w, sw_ctx *ctx)
{
        return sw__reap(w, ctx);
}

/* ---- layers without records ---- */

static bool
add_key(void *arg, const char *key, bool committed)
{
        (void) committed;
        sw_strlist_add(arg, key);
        return true;
}

/* Doom those of @keys that have no record, in one transaction: a record is there before
 * its layer, and it is doomed before it goes. */
static sw_err *
doom_unknown(sw_worker *w, const sw_strlist *keys, size_t *n)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        for (size_t i = 0; i < keys->n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                err = sw__rec_get(&tx, keys->v[i], &rec);
                if (err || (rec && rec->kind == SW__REC_LAYER))
                        continue;
                err = sw__text_put(&tx, SW_META_DOOMED, keys->v[i], "");
                (*n)++;
        }
        if (err || !*n)
                return err;
        return sw__tx_commit(&tx, false);
}

sw_err *
sw__reap_unknown(sw_worker *w, sw_ctx *ctx)
{
        sw_auto(sw_strlist) keys = { 0 };
        size_t n = 0;
        bool any = false;
        sw_err *err = sw__snapshots_any(w->snaps, &any);

        if (err || !any)
                return err;
        err = sw__snapshots_list(w->snaps, ctx, add_key, &keys);
        return err ? err : doom_unknown(w, &keys, &n);
}
