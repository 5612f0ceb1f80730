/*
 * core/store/held.c - what this process holds: refs, their pairs in the metadata, its
 * lease, and the janitor that lets go of them. See worker_priv.h for the rules.
 *
 * sw_ref_unref() only counts; the janitor removes the pairs of all that are idle in one
 * transaction, half a second later.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <slipway/mem.h>
#include <slipway/time.h>

#include "core/store/unpack.h"

enum { JANITOR_DELAY_MS = 500 };

/* Syncing takes what the disk needs for it: not after every ref. */
#define SYNC_INTERVAL (60 * SW_NS_PER_SEC)

sw_err *
sw__worker_lease(sw_worker *w)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&w->lock);
        if (w->lease.fd < 0)
                err = sw__lease_take(w->leases_fd, &w->lease);
        pthread_mutex_unlock(&w->lock);
        if (!err)
                sw__check_layers(w);
        return err;
}

/* ---- the refs that are handed out ---- */

struct view {
        struct sw_snapshot_mount m;
};

static sw_err *
open_held(void *self, sw_ctx *ctx, int *dirfd, void **view)
{
        struct sw__held *h = self;
        struct view *v = sw_new(struct view);
        sw_err *err = sw__stack_ready(h->w, ctx, h->stack);

        if (!err)
                err = sw__snapshots_view(h->w->snaps, ctx, sw__stack_of(h->stack), &v->m);
        if (err) {
                free(v);
                return err;
        }
        *dirfd = fcntl(v->m.dirfd, F_DUPFD_CLOEXEC, 3);
        if (*dirfd < 0) {
                err = sw_err_sys(SW_E_IO, errno, "duplicate a descriptor");
                sw_err_drop(sw__snapshots_unmount(h->w->snaps, &v->m), "failing already");
                free(v);
                return err;
        }
        *view = v;
        return SW_OK;
}

static sw_err *
close_held(void *self, void *view)
{
        struct sw__held *h = self;
        struct view *v = view;
        sw_err *err = sw__snapshots_unmount(h->w->snaps, &v->m);

        free(v);
        return err;
}

static void
release_held(void *self)
{
        struct sw__held *h = self;
        sw_worker *w = h->w;

        pthread_mutex_lock(&w->lock);
        if (--h->users == 0 && w->idle++ == 0)
                pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
}

static const struct sw_ref_ops held_ops = {
        .size = sizeof(held_ops),
        .open_tree = open_held,
        .close_tree = close_held,
        .release = release_held,
};

struct sw__held *
sw__held_of(const sw_worker *w, const sw_ref *r)
{
        struct sw__held *h = sw__ref_self(r, &held_ops);

        return h && h->w == w ? h : NULL;
}

bool
sw__ref_is_stored(const sw_worker *w, const sw_ref *r)
{
        return sw__held_of(w, r) != NULL;
}

struct sw_stack
sw__ref_stack(const sw_ref *r)
{
        const struct sw__held *h = sw__ref_self(r, &held_ops);

        return sw__stack_of(h ? h->stack : NULL);
}

const char *
sw__ref_own_layer(const sw_ref *r)
{
        const struct sw__held *h = sw__ref_self(r, &held_ops);

        return h && h->own ? h->id : NULL;
}

/* ---- holding ---- */

static void
held_free(void *p)
{
        struct sw__held *h = p;

        sw__stack_unref(h->stack);
        free(h);
}

static void
use_locked(sw_worker *w, struct sw__held *h)
{
        if (h->users++ == 0 && h->leased)
                w->idle--;
}

sw_ref *
sw__hold_leased(sw_worker *w, const char *id)
{
        pthread_mutex_lock(&w->lock);
        struct sw__held *h = sw_map_get(w->held, id);
        if (h && !h->leased)
                h = NULL;
        if (h)
                use_locked(w, h);
        pthread_mutex_unlock(&w->lock);
        return h ? sw_ref_new(id, &held_ops, h) : NULL;
}

static void start_janitor_locked(sw_worker *w);

sw_err *
sw__hold_in(sw_worker *w, sw__tx *tx, const char *id, bool own, sw__stack *stack,
            struct sw__held **out)
{
        sw_autoptr(sw__stack) given = stack;
        sw_err *err = sw__pair_put(tx, SW_META_HOLDERS, id, w->lease.id);

        if (err)
                return err;
        pthread_mutex_lock(&w->lock);
        struct sw__held *h = sw_map_get(w->held, id);
        if (!h) {
                h = sw_new(struct sw__held);
                h->w = w;
                snprintf(h->id, sizeof(h->id), "%s", id);
                h->own = own;
                h->stack = sw_steal(given);
                (void) sw_map_set(w->held, id, h);
        }
        use_locked(w, h);
        start_janitor_locked(w);
        pthread_mutex_unlock(&w->lock);
        *out = h;
        return SW_OK;
}

sw_err *
sw__hold_end(struct sw__held *h, sw_err *err, sw_ref **out)
{
        sw_worker *w = h->w;

        pthread_mutex_lock(&w->lock);
        if (!err)
                h->leased = true;
        else if (--h->users == 0 && h->leased)
                w->idle++;
        else if (h->users == 0)
                (void) sw_map_remove(w->held, h->id);
        pthread_mutex_unlock(&w->lock);
        if (!err)
                *out = sw_ref_new(h->id, &held_ops, h);
        return err;
}

/* ---- letting go ---- */

static void
unpair(sw__tx *tx, sw_worker *w, const sw_strlist *ids)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < ids->n && !err; i++)
                err = sw__pair_del(tx, SW_META_HOLDERS, ids->v[i], w->lease.id);
        if (!err)
                err = sw__tx_commit(tx, false);
        /* What stays goes when the lease is swept. */
        if (err)
                sw_log_err(w->log, SW_LOG_WARN, err);
        sw_err_free(err);
}

/* Take out of the table what nobody uses (@all: everything). With @tx open for writing. */
static void
collect_locked(sw_worker *w, bool all, sw_strlist *ids)
{
        struct sw_map_iter it = SW_MAP_ITER(w->held);

        while (sw_map_next(&it)) {
                struct sw__held *h = it.value;

                if (all || (h->users == 0 && h->leased))
                        sw_strlist_add(ids, h->id);
        }
        for (size_t i = 0; i < ids->n; i++)
                (void) sw_map_remove(w->held, ids->v[i]);
        it = SW_MAP_ITER(w->blobs);
        while (all && sw_map_next(&it)) {
                sw_strlist_add(ids, it.key);
                (void) sw_map_remove(w->blobs, it.key);
        }
        w->idle = 0;
}

static void
drop_idle(sw_worker *w, bool all)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) ids = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        if (err) {
                sw_log_err(w->log, SW_LOG_WARN, err);
                sw_err_free(err);
                return;
        }
        pthread_mutex_lock(&w->lock);
        collect_locked(w, all, &ids);
        pthread_mutex_unlock(&w->lock);
        if (ids.n)
                unpair(&tx, w, &ids);
}

void
sw__worker_let_go(sw_worker *w)
{
        drop_idle(w, false);
}

static void
reap_quietly(sw_worker *w)
{
        sw_err *err = sw__reap(w, NULL);

        if (err)
                sw_log_err(w->log, SW_LOG_WARN, err);
        sw_err_free(err);
}

static void
sync_quietly(sw_worker *w)
{
        sw_err *err = sw__sync(w);

        if (err)
                sw_log_err(w->log, SW_LOG_WARN, err);
        sw_err_drop(err, "after a power failure more is dropped");
}

/* When the janitor has to wake by itself. False: never. */
static bool
sync_due_locked(const sw_worker *w, struct timespec *at)
{
        const int64_t due = w->synced_mono ? w->synced_mono + SYNC_INTERVAL : 0;

        *at = sw_time_to_spec(due);
        return w->unsynced;
}

/* Sleep until there is something to do: when refs became idle, a little longer, as more may
 * follow. */
static void
janitor_wait_locked(sw_worker *w)
{
        struct timespec until;

        while (!w->stop && !w->idle && !w->reap) {
                if (!sync_due_locked(w, &until))
                        pthread_cond_wait(&w->wake, &w->lock);
                else if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
                        return;
        }
        until = sw_time_to_spec(sw_time_mono() + JANITOR_DELAY_MS * SW_NS_PER_MS);
        while (!w->stop && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0) {
        }
}

static void *
janitor_main(void *arg)
{
        sw_worker *w = arg;

        pthread_mutex_lock(&w->lock);
        for (;;) {
                janitor_wait_locked(w);
                if (w->stop)
                        break;
                const bool idle = w->idle > 0, reap = w->reap;
                const bool sync =
                        w->unsynced && (!w->synced_mono ||
                                        sw_time_mono() - w->synced_mono >= SYNC_INTERVAL);
                w->reap = false;
                if (sync) {
                        w->unsynced = false;
                        w->synced_mono = sw_time_mono();
                }
                pthread_mutex_unlock(&w->lock);
                if (idle)
                        drop_idle(w, false);
                if (reap)
                        reap_quietly(w);
                if (sync)
                        sync_quietly(w);
                pthread_mutex_lock(&w->lock);
        }
        pthread_mutex_unlock(&w->lock);
        return NULL;
}

static void
start_janitor_locked(sw_worker *w)
{
        sigset_t all, before;

        if (w->janitor_runs || w->stop)
                return;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        /* Without it, what is idle goes at the end. */
        w->janitor_runs = pthread_create(&w->janitor, NULL, janitor_main, w) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
sw__stored(sw_worker *w)
{
        atomic_store_explicit(&w->stored, true, memory_order_relaxed);
        pthread_mutex_lock(&w->lock);
        if (!w->overdue && !w->synced_mono)
                w->synced_mono = sw_time_mono();
        w->overdue = false;
        w->unsynced = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
}

void
sw__held_drop_all(sw_worker *w)
{
        if (w->unpackers)
                sw_pool_free(sw_steal(w->unpackers));
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        const bool runs = w->janitor_runs;
        pthread_mutex_unlock(&w->lock);
        if (runs)
                pthread_join(w->janitor, NULL);
        if (sw_map_count(w->held) || sw_map_count(w->blobs))
                drop_idle(w, true);
        if (w->reap) /* a program that ends soon leaves no garbage of one that died */
                reap_quietly(w);
        sw__lease_drop(w->leases_fd, &w->lease);
}

void
sw__held_init(sw_worker *w)
{
        pthread_condattr_t attr;

        pthread_mutex_init(&w->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&w->wake, &attr);
        pthread_cond_init(&w->released, &attr);
        pthread_condattr_destroy(&attr);
        w->held = sw_map_new(held_free);
        w->blobs = sw_map_new(NULL);
        w->lease.fd = -1;
}

void
sw__held_release(sw_worker *w)
{
        sw_map_free(w->held);
        sw_map_free(w->blobs);
        pthread_cond_destroy(&w->released);
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
}
