/*
 * core/store/worker_priv.h - what the files of the worker share.
 *
 *      worker.c   begin, end, load, find, names, parents, merge, diff
 *      held.c     what this process holds: refs, their leases, the janitor
 *      layer.c    layers being made
 *      take.c     mutable trees
 *      reap.c     layers that nobody has any more
 *      missing.c  records without layers
 *      sync.c     what survives a power failure
 *      usage.c prune.c gc.c   disk usage and what is done about it
 *      blobhold.c  blobs that this process brought in
 *      chain.c     the layers of a tree, with their blobs
 *      lazy.c unpack.c   layers that are known by blobs alone, and what makes them ready
 *      worklock.c  work that is done by one at a time
 *
 * A ref that this process holds has one struct sw__held, whatever the number of its
 * sw_refs:
 *
 *      (absent) -> users > 0 -> users == 0, idle -> (absent)
 *                       ^-------------'
 *
 * It is idle until the janitor has removed its pair from the metadata, so that the next
 * look-up within a second costs nothing. The table changes with two things held: to make
 * an entry or take an idle one out, a transaction that writes (which all processes do one
 * after the other) and then the lock; to count users of an entry that is leased, the lock
 * alone. So nobody counts on a pair that is being removed.
 *
 * Lock order: transaction that writes, then worker.lock. No call to a plugin under either.
 */
#ifndef SLIPWAY_CORE_STORE_WORKER_PRIV_H
#define SLIPWAY_CORE_STORE_WORKER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include <slipway/host.h>
#include <slipway/map.h>
#include <slipway/pool.h>
#include <slipway/source.h>

#include "core/store/lease.h"
#include "core/store/refs.h"
#include "core/store/snapshots.h"
#include "core/store/stack.h"

struct sw__held {
        sw_worker *w;
        char id[SW_ID_SIZE];
        unsigned users;
        bool leased;      /* the pair was committed */
        bool own;         /* the top of the stack is its own layer */
        sw__stack *stack; /* owned; set before the first sw_ref of it is handed out */
};

struct sw_worker {
        int rootfd; /* borrowed from the root */
        sw_meta *meta;
        sw_content *content;  /* borrowed from the root */
        sw__snapshots *snaps; /* owned */
        sw_host *host;        /* borrowed; NULL: no plugins */
        /* For tests: instead of any source plugin. */
        const struct sw_source_ops *source;
        void *source_self;
        sw_log *log;
        char id[SW_ID_SIZE];
        char *boot;    /* id of this boot; owned */
        int leases_fd; /* owned */
        bool read_only;
        atomic_bool unchecked; /* records may name layers that are not there */

        /* Automatic pruning; set before the first build. */
        bool auto_gc;
        const sw_config *gc_config;
        void (*gc_released)(void *arg, const char *result);
        void *gc_arg;
        atomic_bool stored;             /* something, since the last time */
        atomic_int_least64_t made_room; /* when it was tried last, monotonic ns */

        pthread_mutex_t lock;
        pthread_cond_t wake;     /* the janitor */
        pthread_cond_t released; /* see sw__released() */
        sw__lease lease;         /* fd -1: none yet */
        sw_map *held;            /* id -> struct sw__held, owned */
        sw_map *blobs;           /* digests of blobs that are held; see blobhold.h */
        size_t idle;
        sw_pool *unpackers;  /* of layers; made when needed */
        bool unsynced;       /* refs were stored since the last sync */
        bool overdue;        /* and by processes before this one, a while ago */
        int64_t synced_mono; /* when that was, monotonic ns; 0: not by this process */
        bool reap;           /* there are doomed layers */
        bool stop, janitor_runs;
        pthread_t janitor;
};

/* ---- held.c ---- */
void sw__held_init(sw_worker *w);
void sw__held_release(sw_worker *w);
/** sw__worker_lease - this process has a lease from now on. */
SW_NODISCARD sw_err *sw__worker_lease(sw_worker *w);
/** sw__hold_leased - one more user of a ref that is held already; NULL: it is not. */
sw_ref *sw__hold_leased(sw_worker *w, const char *id);
/** sw__hold_in - within @tx: write the pair and count a user. @stack: given. */
SW_NODISCARD sw_err *sw__hold_in(sw_worker *w, sw__tx *tx, const char *id, bool own,
                                 sw__stack *stack, struct sw__held **out);
/** sw__hold_end - after the commit (@err: what came of it): the ref, or the error. */
SW_NODISCARD sw_err *sw__hold_end(struct sw__held *h, sw_err *err, sw_ref **out);
/** sw__held_of - that of a ref of @w; NULL: it is none. */
struct sw__held *sw__held_of(const sw_worker *w, const sw_ref *r);
/** sw__held_drop_all - at the end: pairs and the lease. */
void sw__held_drop_all(sw_worker *w);

/** sw__stored - a ref was stored: it is to be synced, and makes garbage. */
void sw__stored(sw_worker *w);

/* ---- sync.c ---- */
/** sw__sync_parse - a mark: "boot sequence time". Whether it is of @boot. */
SW_API bool sw__sync_parse(const char *mark, const char *boot, uint64_t *sequence,
                           int64_t *time);
char *sw__sync_text(const char *boot, uint64_t sequence); /* from malloc */
/** sw__sync - sync the file system, then store that everything until now is safe. */
SW_API SW_NODISCARD sw_err *sw__sync(sw_worker *w);

/* ---- reap.c ---- */
/** sw__reap - remove what is doomed from the snapshotter. */
SW_NODISCARD sw_err *sw__reap(sw_worker *w, sw_ctx *ctx);
/** sw__reap_later - have the janitor do it, if there is something to be done. */
SW_NODISCARD sw_err *sw__reap_later(sw_worker *w);
/** sw__reap_one - a layer whose record has gone. */
SW_NODISCARD sw_err *sw__reap_one(sw_worker *w, sw_ctx *ctx, const char *key);
/** sw__forget_notes - files that others keep by the id of a ref, which has gone. */
void sw__forget_notes(sw_worker *w, const char *id);
/** sw__reap_unknown - layers of the snapshotter that no record knows. */
SW_NODISCARD sw_err *sw__reap_unknown(sw_worker *w, sw_ctx *ctx);

/* ---- worklock.c ---- */
/** sw__wait_released - sleep until somebody here calls sw__released(), or a while: other
 *  processes tell nobody. */
void sw__wait_released(sw_worker *w);
/** sw__released - a mutable tree was put back, or a piece of work is done. */
void sw__released(sw_worker *w);

/* ---- missing.c ---- */
/** sw__check_layers - once after a start of the machine: drop refs whose layers are gone.
 */
void sw__check_layers(sw_worker *w);

/* ---- gc.c ---- */
/** sw__make_room - before something is written: prune if the disk is nearly full. */
void sw__make_room(sw_worker *w, sw_ctx *ctx);

/* ---- layer.c ---- */
struct sw_layer {
        sw_worker *w;
        char id[SW_ID_SIZE];
        sw__stack *lower; /* owned */
        bool mounted;
        bool taken;   /* by sw_worker_take() */
        bool changes; /* it is what differs between two trees */
        struct sw_snapshot_mount m;
};
/** sw__rec_init - a record as @desc says, borrowing its strings, @parents and @text, which
 *  gets the description as far as there is room. */
SW_NODISCARD sw_err *sw__rec_init(sw__rec *rec, const struct sw_ref_desc *desc,
                                  char text[SW__REC_TEXT_MAX + 1]);
/** sw__layer_begin - a record and an active layer. @name: or NULL. @only: SW_E_EXISTS when
 *  another mutable tree has that name. */
SW_NODISCARD sw_err *sw__layer_begin(sw_worker *w, sw_ctx *ctx, sw_ref *parent,
                                     const struct sw_ref_desc *desc, const char *name,
                                     bool only, sw_layer **out);
void sw__layer_free(sw_layer *l);
/** sw__tree_any - whether there is a mutable tree of that name, free or not. */
SW_NODISCARD sw_err *sw__tree_any(sw__tx *tx, const char *name, bool *any);

#endif
