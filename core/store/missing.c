/*
 * core/store/missing.c - records without layers, after the machine was started again.
 *
 * The metadata is synced behind its commits, so after a power failure it may be a second
 * older than the directories: it may name layers that were removed in that second. Once for
 * each boot, before the first ref is used, those records are dropped, and what stands on
 * them. "unchecked" in "store" says that this is yet to be done; it is written with the
 * mark of the new boot (root.c).
 *
 * Thread: any, several at once: what another one dropped is no longer there.
 */
#include <slipway/map.h>

#include "core/store/unpack.h"

static bool
add_kept(void *arg, const char *id, sw__rec *rec)
{
        if (rec->kind == SW__REC_LAYER && rec->state != SW__REC_ACTIVE &&
            rec->state != SW__REC_LAZY)
                sw_strlist_add(arg, id);
        return true;
}

static sw_err *
list_kept(sw_worker *w, sw_strlist *ids)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        return err ? err : sw__rec_each(&tx, add_kept, ids);
}

static bool
add_there(void *arg, const char *key, bool committed)
{
        (void) committed;
        (void) sw_map_set(arg, key, arg); /* any value */
        return true;
}

static sw_err *
add_children(sw__tx *tx, const char *id, const sw_map *seen, sw_strlist *out)
{
        sw_auto(sw_strlist) children = { 0 };
        sw_err *err = sw__pair_list(tx, SW_META_CHILDREN, id, NULL, &children);

        for (size_t i = 0; i < children.n; i++)
                if (!sw_map_has(seen, children.v[i]))
                        sw_strlist_add(out, children.v[i]);
        return err;
}

/* The record and, before it, everything that needs it. What was seen once is not looked at
 * again: damaged pairs may go in circles. */
static sw_err *
drop_with_children(sw__tx *tx, const char *id, size_t *n)
{
        sw_auto(sw_strlist) todo = { 0 };
        sw_map *seen = sw_map_new(NULL);
        sw_err *err = SW_OK;

        sw_strlist_add(&todo, id);
        while (todo.n && !err) {
                sw_autoptr(sw__rec) rec = NULL;
                const char *last = todo.v[todo.n - 1];

                if (sw_map_set(seen, last, tx)) {
                        err = add_children(tx, last, seen, &todo);
                        continue;
                }
                err = sw__rec_get(tx, last, &rec);
                if (!err && rec) {
                        err = sw__rec_remove(tx, last, rec);
                        (*n)++;
                }
                free(todo.v[--todo.n]);
        }
        sw_map_free(seen);
        return err;
}

/* Files of a layer that was lazy can be had again. */
static sw_err *
drop_or_make_lazy(sw__tx *tx, const char *id, size_t *n)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__rec_get(tx, id, &rec);

        if (!err && rec && rec->unpacked)
                return sw__rec_make_lazy(tx, id, rec);
        return err ? err : drop_with_children(tx, id, n);
}

/* In one transaction, with the flag: it is done, or it is yet to be done. */
static sw_err *
drop_missing(sw_worker *w, const sw_strlist *ids, const sw_map *there, size_t *n)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        for (size_t i = 0; i < ids->n && !err; i++)
                if (!sw_map_has(there, ids->v[i]))
                        err = drop_or_make_lazy(&tx, ids->v[i], n);
        if (!err)
                err = sw__pair_del(&tx, SW_META_STORE, "unchecked", NULL);
        return err ? err : sw__tx_commit(&tx, true);
}

/* Records first: a layer is there before its record says so. */
static sw_err *
check(sw_worker *w, size_t *n)
{
        sw_auto(sw_strlist) ids = { 0 };
        sw_map *there = sw_map_new(NULL);
        bool any = false;
        sw_err *err = list_kept(w, &ids);

        if (!err && ids.n)
                err = sw__snapshots_any(w->snaps, &any);
        if (!err && any)
                err = sw__snapshots_list(w->snaps, NULL, add_there, there);
        if (!err)
                err = drop_missing(w, &ids, there, n);
        sw_map_free(there);
        return err;
}

void
sw__check_layers(sw_worker *w)
{
        size_t n = 0;

        if (!atomic_load(&w->unchecked))
                return;
        sw_err *err = check(w, &n);
        if (!err)
                atomic_store(&w->unchecked, false);
        if (n && !err)
                sw_log_line(w->log, SW_LOG_WARN, "store",
                            "%zu trees whose layers are gone are dropped", n);
        sw_err_drop(err, "who needs the snapshotter is told; checked again then");
}
