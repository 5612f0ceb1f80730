/*
 * core/ops/internal.h - what the files of core/ops share: the op behind a vertex, the table
 * each kind of op implements, its cache keys.
 *
 * An op is made from a vertex of a definition, which it holds, by the maker of its kind
 * (sw__op_exec_new() and so on). It keeps nothing of a job: see core/solver/op.h. After
 * its cache map was made, everything in it but what the kind keeps in `state` is read-only.
 *
 *      new -> keys (once, in cache_map 0) -> execute -> free
 *
 * Thread: as core/solver/op.h says of the table of an op.
 */
#ifndef SLIPWAY_CORE_OPS_INTERNAL_H
#define SLIPWAY_CORE_OPS_INTERNAL_H

#include "core/contenthash/contenthash.h"
#include "core/llb/llb_priv.h"
#include "core/ops/ops.h"

struct sw__op;

/* How one input takes part in the keys. */
struct sw__op_dep {
        char selector[SW_DIGEST_STR_SIZE]; /* "": none */
        bool content;                      /* what `selects` names is hashed */
        struct sw_hash_select *selects;    /* owned, strings borrowed from `texts` or op */
        size_t n_selects;
        bool hashed; /* content_key() was asked for it */
};

/* The definition key and what belongs to it; see cachemap.c. */
struct sw__op_keys {
        sw_digest digest;
        struct sw__op_dep *deps; /* one per input */
        size_t n_deps;
        sw_strlist texts; /* what selects point to */
};

/* What a kind of op does. */
struct sw__op_kind {
        const char *name;
        uint32_t flags; /* enum sw_op_flags; FAST_CACHE_MAP only with keys() */
        /* keys - digest, and deps, which are there, zeroed, one per input. May be NULL:
         * then cache_map must be there. */
        sw_err *(*keys)(const struct sw__op *op, struct sw__op_keys *out);
        /* cache_map - instead of keys(), with more than one index. */
        sw_err *(*cache_map)(struct sw__op *op, sw_op_call *call, sw_ctx *ctx,
                             unsigned index, struct sw_cache_map *out);
        /* execute - @in: borrowed refs, NULL for the empty tree. @out: @n_out places, all
         * NULL; refs are handed back, NULL for the empty tree; what stands there on error
         * is released. */
        sw_err *(*execute)(struct sw__op *op, sw_op_call *call, sw_ctx *ctx,
                           sw_ref *const *in, size_t n_in, sw_ref **out, size_t n_out);
        /* release - what `state` is; may be NULL. */
        void (*release)(struct sw__op *op);
};

struct sw__op {
        const struct sw__op_kind *kind;
        const struct sw_ops_env *env;
        sw_definition *def; /* held */
        const sw_llb_vertex *v;
        const Pb__Op *pb; /* the message behind it */
        bool no_cache;    /* this vertex does not look in the cache */
        unsigned depth;   /* builds inside builds that it is in */
        sw_limit *limit;  /* what running it takes; or NULL */
        uint64_t units;
        void *state; /* the kind's */
        struct sw__op_keys keys;
};

/*
 * The makers: each sets kind, and what else it needs; everything above it is there.
 * @job: borrowed until return: what it may (SW_ALLOW_…).
 * Errors: SW_E_DENIED (entitlement), SW_E_INVALID, SW_E_UNSUPPORTED.
 */
typedef sw_err *sw__op_maker(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_source_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_exec_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_file_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_build_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_merge_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_diff_new(struct sw__op *op, const struct sw_ops_job *job);
SW_NODISCARD sw_err *sw__op_passthrough_new(struct sw__op *op,
                                            const struct sw_ops_job *job);

/** sw__ops_stored - the tree as a stack of layers: @ref itself (NULL: the empty tree), or a
 *  copy of a directory that somebody else owns. @out: handed back. */
SW_API SW_NODISCARD sw_err *sw__ops_stored(const struct sw_ops_env *env, sw_ctx *ctx,
                                           sw_ref *ref, sw_ref **out);

/* ---- nests.c: builds inside builds ---- */

/** sw__nest_begin - the build op @v is about to wait for @def. @out: for sw__nest_end();
 * NULL is fine there. Errors: SW_E_INVALID: it would wait for itself. */
SW_NODISCARD sw_err *sw__nest_begin(sw_nests *all, const sw_llb_vertex *v,
                                    const sw_definition *def, void **out);
void sw__nest_end(sw_nests *all, void *nest);

/* ---- cachemap.c: digests as BuildKit makes them ---- */

SW_API SW_NODISCARD sw_err *sw__op_keys_exec(const struct sw__op *op,
                                             struct sw__op_keys *out);
SW_API SW_NODISCARD sw_err *sw__op_keys_file(const struct sw__op *op,
                                             struct sw__op_keys *out);
SW_API SW_NODISCARD sw_err *sw__op_keys_plain(const struct sw__op *op,
                                              struct sw__op_keys *out);
/** sw__op_source_digest - of a source's key: "sha256:…" or, for "session:…", "random:…". */
SW_API void sw__op_source_digest(const char *key, char out[SW_KEY_TEXT_SIZE]);
SW_API void sw__op_keys_release(struct sw__op_keys *k);

#endif
