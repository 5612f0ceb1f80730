/*
 * core/store/refs.h - refs from the inside: what the worker of a root stores of each,
 * leases, disk usage and prune. Public side: slipway/worker.h, slipway/ref.h.
 *
 * A ref is a record {id, kind, parents, description, type, created, last used, usage count,
 * size, names}. Kinds: layer (own layer, whose key is the ref's id, on top of its parent's
 * stack), merge (concatenated stacks of its parents), slice (what its parent's stack has
 * above another one's). A diff is a slice, or a layer that was computed. The stack is not
 * stored: a record is kept as long as another one has it as a parent, and so its layer as
 * long as any stack has that.
 *
 *      ACTIVE (its layer is being written; dropped when its lease is dead) -> COMMITTED
 *
 * Leases: each process has one, a file below leases/ with a lock on it; (lease, ref) pairs
 * stand in the metadata. A pair is written before a ref is handed out, in the transaction
 * that looked it up, so that prune, which looks and deletes in one transaction too, never
 * takes what somebody has.
 */
#ifndef SLIPWAY_CORE_STORE_REFS_H
#define SLIPWAY_CORE_STORE_REFS_H

#include <slipway/id.h>

#include "core/store/root.h"

SW_BEGIN_DECLS

/* ---- for the core ---- */

/** sw__ref_self - what its provider knows of it, if that is the one with the table @ops;
 *  else NULL. For providers. */
SW_API void *sw__ref_self(const sw_ref *r, const struct sw_ref_ops *ops);
/** sw__ref_attached - what was attached to the ref, or NULL. */
SW_API void *sw__ref_attached(const sw_ref *r);
/** sw__ref_attach - keep @p (given) as long as the ref lives; @free_p must not block, and
 * is the same for all: content hashes are what is attached. Returns @p, or what somebody
 * else attached before, and then frees @p. */
SW_API void *sw__ref_attach(sw_ref *r, void *p, void (*free_p)(void *));

/** sw__ref_is_stored - whether it is a ref of @w (else a foreign directory). */
SW_API bool sw__ref_is_stored(const sw_worker *w, const sw_ref *r);
/** sw__ref_stack - layers, bottom first; borrowed from the ref. Only stored ones. */
SW_API struct sw_stack sw__ref_stack(const sw_ref *r);
/** sw__ref_own_layer - the top layer if the ref made it itself, else NULL: what changed on
 *  sw__ref_parent_stack(). */
SW_API const char *sw__ref_own_layer(const sw_ref *r);
/* A tree that is asked path by path: see slipway/snapshotter.h. */
struct sw__look {
        const struct sw_snapshotter_ops *ops; /* NULL: there is none */
        void *look;
};
/** sw__worker_look - of a stored ref. @out: with ops NULL where only a view will do: the
 *  snapshotter has no such thing, or the ref is somebody's directory. Given back with
 *  ops->look_close(). */
SW_API SW_NODISCARD sw_err *sw__worker_look(sw_worker *w, sw_ctx *ctx, sw_ref *r,
                                            struct sw__look *out);
/** sw__worker_view - a mounted view of a ref, or of a foreign directory; the executor needs
 *  its treefd. Given back with sw__worker_unview(). @r: NULL: the empty tree. */
SW_API SW_NODISCARD sw_err *sw__worker_view(sw_worker *w, sw_ctx *ctx, sw_ref *r,
                                            struct sw_snapshot_mount *out);
SW_API SW_NODISCARD sw_err *sw__worker_unview(sw_worker *w, struct sw_snapshot_mount *m);

/** sw__worker_let_go - of refs that nobody uses any more, which otherwise happens half a
 *  second later. */
SW_API void sw__worker_let_go(sw_worker *w);
/** sw__worker_reap - remove layers whose refs have gone, which otherwise happens by itself
 *  some time later. */
SW_API SW_NODISCARD sw_err *sw__worker_reap(sw_worker *w, sw_ctx *ctx);

/** sw__worker_hashes - the directory <root>/hashes; *dirfd handed back. A file there that
 * is named like a ref goes with it. */
SW_API SW_NODISCARD sw_err *sw__worker_hashes(sw_worker *w, int *dirfd);

/* ---- disk usage ---- */

struct sw_usage {
        char id[SW_ID_SIZE];
        const sw_strlist *parents;
        bool is_mutable, in_use, shared;
        int64_t size;               /* bytes on disk, without what other records count */
        int64_t created, last_used; /* ns since the epoch; 0: never used */
        int64_t usage_count;
        const char *description, *type;
};
typedef bool sw_usage_fn(void *arg, const struct sw_usage *u);

/** sw__filter_* - the reference's filter expressions, OR of the strings. */
typedef struct sw_filter sw_filter;
SW_API SW_NODISCARD sw_err *sw__filter_new(const sw_strlist *exprs, sw_filter **out);
SW_API void sw__filter_free(sw_filter *f);
SW_API bool sw__filter_match(const sw_filter *f, const struct sw_usage *u);
SW_DEFINE_AUTOPTR(sw_filter, sw__filter_free)

/** sw__worker_usage - every record that @filter (NULL: all) matches; sizes that are not
 *  known yet are measured. @age_limit: only those not used for so long (ns; 0: all). */
SW_API SW_NODISCARD sw_err *sw__worker_usage(sw_worker *w, sw_ctx *ctx,
                                             const sw_filter *filter, int64_t age_limit,
                                             sw_usage_fn *fn, void *arg);

struct sw_prune_opts {
        const sw_filter *filter; /* NULL: all */
        bool all;
        int64_t keep_duration;                                  /* ns */
        int64_t reserved_space, max_used_space, min_free_space; /* bytes */
        /* released - a ref has gone: the keys of its results go with it. Called without a
         * transaction open; may be NULL. @result: "<worker>::<ref>". */
        void (*released)(void *arg, const char *result);
        void *released_arg;
};
/* What is removed by itself: a list of prunes, done one after the other. */
struct sw_gc_rule {
        sw_strlist filters;
        struct sw_prune_opts opts; /* but for its filter */
};
typedef struct sw_gc_policy {
        SW_ARRAY(struct sw_gc_rule) rules; /* none: nothing is */
} sw_gc_policy;

/** sw__gc_policy - as worker.oci of the configuration says, for the disk of the root; the
 *  defaults of the reference where it says nothing. @config: NULL: defaults. */
SW_API SW_NODISCARD sw_err *sw__gc_policy(sw_worker *w, const sw_config *config,
                                          sw_gc_policy *out);
SW_API void sw__gc_policy_release(sw_gc_policy *p);
SW_DEFINE_AUTO(sw_gc_policy, sw__gc_policy_release)

/**
 * sw__worker_gc - after a build: prune by the policy, if this process stored something
 * since the last time, and nobody did so within a minute. A build that was cached whole
 * pays nothing. @released: as in sw_prune_opts. Blocks: yes.
 */
SW_API SW_NODISCARD sw_err *sw__worker_gc(sw_worker *w, sw_ctx *ctx,
                                          const sw_config *config,
                                          void (*released)(void *arg, const char *result),
                                          void *arg);
/** sw__worker_gc_now - the same without waiting for a time. */
SW_API SW_NODISCARD sw_err *sw__worker_gc_now(
        sw_worker *w, sw_ctx *ctx, const sw_config *config,
        void (*released)(void *arg, const char *result), void *arg);
/** sw__worker_auto_gc - from now on, also when a layer is begun and the disk is nearly
 *  full: before there is no space left. @config, @arg: borrowed until the root is closed.
 */
SW_API void sw__worker_auto_gc(sw_worker *w, const sw_config *config,
                               void (*released)(void *arg, const char *result), void *arg);

/** sw__worker_prune - as reference/cache.md section 8; @fn is told of each removed one. */
SW_API SW_NODISCARD sw_err *sw__worker_prune(sw_worker *w, sw_ctx *ctx,
                                             const struct sw_prune_opts *opts,
                                             sw_usage_fn *fn, void *arg);

SW_END_DECLS
#endif
