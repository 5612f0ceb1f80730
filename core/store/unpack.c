/*
 * core/store/unpack.c - one lazy layer becomes files.
 *
 *      LAZY --mark--> LAZY, doomed --prepare, write, commit--> the same, with a layer
 *           --one transaction: COMMITTED, no longer doomed
 *
 * Invariants:
 *   U1  a record is COMMITTED only when its layer was committed in the snapshotter before
 *   U2  who prepares a layer for a LAZY record holds the lock "unpack:<id>"
 *   U3  the layer of a LAZY record exists only while it is doomed ("lazy" in "doomed"), so
 *       that whoever is killed leaves something that is found: by the next one who unpacks
 *       it, by who opens the root next, and by prune. Each takes the lock before it removes
 *       that layer
 *   U4  a failure removes the layer and then the mark; the record stays LAZY, but no key
 *       leads to it or to what was made on it any more: another origin may have the same
 *   U5  what a power failure may have damaged is LAZY again at the next start (root.c): a
 *       record that was lazy keeps the number of the transaction that ended that
 *
 * A layer is written by itself, on nothing: layers are changes, and what is below matters
 * only for directories it has without telling them (implied.c). So all layers of a tree
 * are unpacked side by side, and only the last step waits for those below.
 *
 * Thread: any. What is seen is held by the caller, so its record does not go.
 */
#include "core/store/unpack.h"

#include <string.h>

#include <slipway/time.h>

#include "core/base/ctxpriv.h"
#include "core/store/counted.h"
#include "core/store/recblob.h"
#include "core/store/worklock.h"

struct unpacking {
        sw_worker *w;
        sw_ctx *ctx;
        const char *id;
        sw__rec *rec; /* as it was found; owned */
        struct sw__blob_view blob;
        const struct sw_source_ops *source;
        void *source_self;
        const struct sw_layer_ops *ops; /* not NULL: a writer is open */
        void *writer;
        struct sw__counted counted;
        sw_strlist implied;
};

/* ---- the record ---- */

static sw_err *
read_record(struct unpacking *u)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(u->w->meta, false, &tx);

        if (!err)
                err = sw__rec_get(&tx, u->id, &u->rec);
        if (!err && !u->rec)
                err = sw_err_new(SW_E_CORRUPT, "its record is gone");
        return err;
}

static sw_err *
set_mark(sw_worker *w, const char *id, bool on)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        if (!err)
                err = on ? sw__text_put(&tx, SW_META_DOOMED, id, "lazy")
                         : sw__pair_del(&tx, SW_META_DOOMED, id, NULL);
        return err ? err : sw__tx_commit(&tx, false);
}

static sw_err *
commit_record(struct unpacking *u)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__tx_begin(u->w->meta, true, &tx);

        if (!err)
                err = sw__rec_get(&tx, u->id, &rec);
        if (!err && (!rec || rec->state != SW__REC_LAZY))
                err = sw_err_new(SW_E_CORRUPT, "its record changed");
        if (err)
                return err;
        rec->state = SW__REC_COMMITTED;
        rec->unpacked = mdb_txn_id(tx.txn);
        rec->measured = false;
        err = sw__rec_put(&tx, u->id, rec);
        if (!err)
                err = sw__pair_del(&tx, SW_META_DOOMED, u->id, NULL);
        return err ? err : sw__tx_commit(&tx, true);
}

sw_err *
sw__rec_make_lazy(sw__tx *tx, const char *id, sw__rec *rec)
{
        rec->state = SW__REC_LAZY;
        rec->unpacked = 0;
        rec->measured = false;
        sw_err *err = sw__rec_put(tx, id, rec);
        return err ? err : sw__text_put(tx, SW_META_DOOMED, id, "lazy");
}

/* ---- the layer ---- */

/* What is left of this attempt or of an earlier one; cancelled or not. */
static sw_err *
remove_layer(struct unpacking *u)
{
        if (u->ops)
                u->ops->abandon(u->writer);
        u->ops = NULL;
        sw_strlist_release(&u->implied);
        return sw__snapshots_remove(u->w->snaps, NULL, u->id);
}

static void
cancel_attempt(void *arg)
{
        sw_cancel_now(arg, "the tree is not needed any more");
}

static sw_err *
tell(struct unpacking *u, sw_ctx *ctx, struct sw_session *session)
{
        sw_err *err = sw__snapshots_prepare(u->w->snaps, u->ctx, u->id,
                                            (struct sw_stack){ NULL, 0 });

        if (!err)
                err = sw__snapshots_write(u->w->snaps, u->ctx, u->id, &u->ops, &u->writer);
        if (err) {
                u->ops = NULL;
                return err;
        }
        sw__counted_init(&u->counted, u->ops, u->writer);
        err = u->source->blob_unpack(u->source_self, ctx, session, u->w,
                                     u->blob.origin.locator, &u->blob.blob, &u->counted.ops,
                                     &u->counted, &u->implied);
        if (err) {
                sw_auto(sw_str) id = sw_asprintf("source/%s", u->blob.origin.plugin);

                sw_err_set_plugin(err, id);
        }
        return err;
}

/* With one session. Another may be tried after it, so everything begins anew. */
static sw_err *
attempt(void *arg, sw_ctx *lent, struct sw_session *session)
{
        struct unpacking *u = arg;
        sw_autoptr(sw_cancel) both = sw_cancel_new(sw_ctx_cancel(lent));
        sw_cancel *ours = sw_ctx_cancel(u->ctx);
        const uint64_t on = sw_cancel_on(ours, cancel_attempt, both);
        sw_ctx *ctx = sw__ctx_with_cancel(lent, both);
        sw_err *err = tell(u, ctx, session);

        sw_cancel_off(ours, on);
        sw_ctx_free(ctx);
        if (err)
                sw_err_drop(remove_layer(u), "it is doomed");
        return err;
}

/* From the @i-th blob, which has an origin. */
static sw_err *
write_from(struct unpacking *u, size_t i)
{
        char text[SW_DIGEST_STR_SIZE];

        sw__blob_view_release(&u->blob);
        sw__blob_view_init(&u->blob, u->rec, i);
        sw_err *err =
                sw__origin_ops(u->w, u->blob.origin.plugin, &u->source, &u->source_self);
        if (!err)
                err = sw_ctx_with_session(u->ctx, attempt, u);
        if (!err && !u->ops)
                err = sw_err_new(SW_E_INTERNAL, "nobody was asked");
        if (err) /* also when it came after a good attempt */
                sw_err_drop(remove_layer(u), "it is doomed");
        return sw_err_wrap(err, "unpack %s of %s",
                           sw_digest_str(&u->blob.blob.digest, text),
                           u->blob.origin.locator);
}

/* From the first one that works. */
static sw_err *
write_layer(struct unpacking *u)
{
        sw_err *err = sw_err_new(SW_E_CORRUPT, "it has no origin");

        for (size_t i = 0; i < u->rec->n_blobs && err; i++) {
                if (!*u->rec->blobs[i]->plugin || sw_err_code(err) == SW_E_CANCELLED)
                        continue;
                sw_err_drop(err, "another form is tried");
                err = write_from(u, i);
        }
        return err;
}

static sw_err *
imply(struct unpacking *u, const struct sw__below *below)
{
        sw_autoptr(sw__stack) stack = NULL;

        if (!u->rec->n_parents)
                return SW_OK;
        if (!sw__counted_root(&u->counted) && !sw_strlist_has(&u->implied, ""))
                sw_strlist_add(&u->implied, "");
        if (!u->implied.n)
                return SW_OK;
        sw_strlist_sort(&u->implied);
        sw_err *err = below->get(below->arg, u->ctx, &stack);
        if (!err && sw__stack_height(stack))
                err = sw__imply(u->w, u->ctx, stack, &u->implied, u->ops, u->writer);
        return err;
}

static sw_err *
finish(struct unpacking *u)
{
        const struct sw_layer_ops *ops = sw_steal(u->ops);
        sw_err *err = ops->finish(u->writer);

        if (!err)
                err = sw_ctx_check(u->ctx);
        if (!err)
                err = sw__snapshots_commit(u->w->snaps, u->ctx, u->id);
        return err ? err : commit_record(u);
}

/* With the lock, on a record that is lazy. */
static sw_err *
unpack_locked(struct unpacking *u, const struct sw__below *below)
{
        sw_err *err = set_mark(u->w, u->id, true);

        if (!err)
                err = remove_layer(u);
        if (!err)
                err = write_layer(u);
        if (!err)
                err = imply(u, below);
        if (!err)
                err = finish(u);
        if (!err) {
                sw__stored(u->w);
                return SW_OK;
        }
        sw_err *removed = remove_layer(u);
        if (!removed)
                removed = set_mark(u->w, u->id, false);
        sw_err_drop(removed, "what is left is doomed");
        return err;
}

static void
tell_progress(struct unpacking *u, const char *id, int64_t started, int64_t completed)
{
        const struct sw_progress p = { .id = id,
                                       .started = started,
                                       .completed = completed };

        sw_progress_status(u->ctx, &p);
}

static sw_err *
unpack_lazy(struct unpacking *u, const struct sw__below *below)
{
        const int64_t started = sw_time_now();
        char text[SW_DIGEST_STR_SIZE] = "";
        sw_digest d;

        if (sw__digest_of_bytes(u->rec->blobs[0]->digest, &d))
                (void) sw_digest_str(&d, text);
        sw_auto(sw_str) name = sw_asprintf("extracting %s", text);
        tell_progress(u, name, started, 0);
        sw_err *err = unpack_locked(u, below);
        tell_progress(u, name, started, sw_time_now());
        return err;
}

static char *
lock_name(const char *id)
{
        return sw_asprintf("unpack:%s", id);
}

/* @ids[0] and all that was made on it. */
static sw_err *
list_above(sw_worker *w, sw_strlist *ids)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        for (size_t i = 0; i < ids->n && !err; i++) {
                sw_auto(sw_strlist) above = { 0 };

                err = sw__pair_list(&tx, SW_META_CHILDREN, ids->v[i], NULL, &above);
                for (size_t k = 0; k < above.n; k++)
                        if (sw_map_set(seen, above.v[k], w))
                                sw_strlist_add(ids, above.v[k]);
        }
        return err;
}

/* What cannot be had from here may be had elsewhere: an image of another registry with the
 * same layers, which one that lied about its own must not stand for. */
static void
release_keys(sw_worker *w, const char *id)
{
        sw_auto(sw_strlist) ids = { 0 };

        if (!w->gc_released)
                return;
        sw_strlist_add(&ids, id);
        sw_err *err = list_above(w, &ids);
        for (size_t i = 0; i < ids.n && !err; i++) {
                sw_auto(sw_str) result = sw_asprintf("%s::%s", w->id, ids.v[i]);

                w->gc_released(w->gc_arg, result);
        }
        sw_err_drop(err, "why it could not be had is told");
}

sw_err *
sw__unpack_one(sw_worker *w, sw_ctx *ctx, const char *id, const struct sw__below *below)
{
        struct unpacking u = { .w = w, .ctx = ctx, .id = id };
        sw_auto(sw_str) name = lock_name(id);
        int lock = -1;
        sw_err *err = sw__work_lock(w, ctx, name, &lock);

        if (!err)
                err = read_record(&u);
        if (!err && u.rec->state == SW__REC_LAZY) /* or somebody else just did it */
                err = unpack_lazy(&u, below);
        sw__work_unlock(w, lock);
        if (err && sw_err_code(err) != SW_E_CANCELLED)
                release_keys(w, id);
        sw__blob_view_release(&u.blob);
        sw_strlist_release(&u.implied);
        if (u.rec)
                sw__rec_free(u.rec);
        return sw_err_wrap(err, "layer %s", id);
}

/* ---- what the dead leave ---- */

/* Under the lock: whether there still is something. */
static sw_err *
is_marked(sw_worker *w, const char *id, bool *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_str) mark = NULL;
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        if (!err)
                err = sw__text_get(&tx, SW_META_DOOMED, id, &mark);
        *out = !err && mark;
        return err;
}

sw_err *
sw__unpack_clear(sw_worker *w, sw_ctx *ctx, const char *id, bool *done)
{
        sw_auto(sw_str) name = lock_name(id);
        bool marked = false;
        int lock = -1;
        sw_err *err = sw__work_trylock(w, name, &lock);

        *done = lock >= 0;
        if (!err && *done)
                err = is_marked(w, id, &marked);
        if (!err && marked)
                err = sw__snapshots_remove(w->snaps, ctx, id);
        if (!err && marked)
                err = set_mark(w, id, false);
        sw__work_unlock(w, lock);
        return err;
}
