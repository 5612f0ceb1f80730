/*
 * slipway/definition.h - an LLB definition, decoded, checked whole and loaded.
 *
 * A *definition* is a graph of ops as bytes (protobuf pb.Definition). What
 * sw_definition_decode() hands back has been checked: every index leads somewhere, every
 * input is there, there are no cycles, every enum is known, every op follows its rules.
 * Nobody who uses it needs to look again.
 *
 * Its *vertices* are numbered 0 to sw_definition_count() - 1, inputs before what uses them.
 * The last op of a definition only points at its result; it is no vertex, see
 * sw_definition_result(). A vertex's digest is the SHA-256 of its op as the Go
 * implementation marshals it, inputs first; it names the vertex everywhere.
 *
 *      sw_autoptr(sw_definition) def = NULL;
 *      err = sw_definition_decode(bytes, n, NULL, &def);
 *      ...
 *      for (size_t i = 0; i < sw_definition_count(def); i++)
 *              puts(sw_llb_vertex_name(sw_definition_vertex(def, i)));
 *
 * A definition is immutable once decoded and may be used by any number of threads.
 * Everything read from it is borrowed until sw_definition_free().
 */
#ifndef SLIPWAY_DEFINITION_H
#define SLIPWAY_DEFINITION_H

#include <slipway/buf.h>
#include <slipway/digest.h>
#include <slipway/llb.h>

SW_BEGIN_DECLS

/* Limits. The bytes of a definition, as of any message; how deep messages nest in it
 * (definitions may stand in ops and in source maps); what it may take in memory; how much
 * of a vertex's name is made up from other vertices' names. */
#define SW_DEFINITION_MAX_BYTES  ((size_t) 16 << 20)
#define SW_DEFINITION_MAX_DEPTH  100
#define SW_DEFINITION_MAX_MEMORY ((size_t) 256 << 20)
#define SW_DEFINITION_MAX_NAME   1024

typedef struct sw_definition sw_definition;
typedef struct sw_llb_vertex sw_llb_vertex; /* part of a definition */

enum sw_op_kind {
        SW_OP_SOURCE = 1,
        SW_OP_EXEC,
        SW_OP_FILE,
        SW_OP_BUILD,
        SW_OP_MERGE,
        SW_OP_DIFF,
        SW_OP_PASSTHROUGH,
};

/* How to load; grows at the end only. NULL instead of one means all defaults. */
struct sw_definition_opts {
        uint32_t size;
        const sw_platform *platform; /* of ops that name none; NULL: this machine's */
        bool proxy_network; /* commands with a network go through a proxy: new digests */
        const char *const *disabled_caps; /* known, but refused here */
        size_t n_disabled_caps;
};
#define SW_DEFINITION_OPTS(...)                                                            \
        (&(const struct sw_definition_opts){ .size = sizeof(struct sw_definition_opts),    \
                                             __VA_ARGS__ })

/**
 * sw_definition_decode - decode, check and load.
 * @p, @n:  the bytes; not needed after return.
 * @out:    handed back.
 * A definition without ops stands for the empty tree; it is an error here ("invalid empty
 * definition"): ask sw_definition_is_empty() first where that is allowed.
 * Thread: any.   Blocks: no.
 * Errors: SW_E_INVALID, SW_E_LIMIT; SW_E_UNSUPPORTED for an option that this library is too
 * old for. Of the first two the message begins with "failed to load LLB: "; where a
 * vertex is to blame it ends with its digest and the field, and sw_err_vertex() has the
 * digest.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_definition_decode(const void *p, size_t n,
                                                 const struct sw_definition_opts *opts,
                                                 sw_definition **out);
SW_API void sw_definition_free(sw_definition *def);
SW_DEFINE_AUTOPTR(sw_definition, sw_definition_free)

/** sw_definition_is_empty - whether the bytes are a definition without a single op. */
SW_API bool sw_definition_is_empty(const void *p, size_t n);

/* ---- The graph ---- */

/* One output of a vertex. */
struct sw_llb_edge {
        size_t vertex; /* index */
        uint32_t output;
};

SW_API size_t sw_definition_count(const sw_definition *def);
/** sw_definition_vertex - @i < sw_definition_count(). */
SW_API const sw_llb_vertex *sw_definition_vertex(const sw_definition *def, size_t i);
/** sw_definition_result - what the definition is for. */
SW_API struct sw_llb_edge sw_definition_result(const sw_definition *def);
/** sw_definition_find - by digest; NULL when it is not there. */
SW_API const sw_llb_vertex *sw_definition_find(const sw_definition *def,
                                               const sw_digest *digest);

SW_API size_t sw_llb_vertex_index(const sw_llb_vertex *v); /* in its definition */
SW_API enum sw_op_kind sw_llb_vertex_kind(const sw_llb_vertex *v);
SW_API const sw_digest *sw_llb_vertex_digest(const sw_llb_vertex *v);
SW_API const char *sw_llb_vertex_digest_str(const sw_llb_vertex *v);
SW_API size_t sw_llb_vertex_n_inputs(const sw_llb_vertex *v);
/** sw_llb_vertex_input - @i < sw_llb_vertex_n_inputs(). */
SW_API struct sw_llb_edge sw_llb_vertex_input(const sw_llb_vertex *v, size_t i);
SW_API size_t sw_llb_vertex_n_outputs(const sw_llb_vertex *v);

/* ---- What a vertex is, beside its op ---- */

/** sw_llb_vertex_name - for people: "llb.customname" if it has one, else from the op. */
SW_API const char *sw_llb_vertex_name(const sw_llb_vertex *v);
/** sw_llb_vertex_platform - normalised; never NULL, nor are its strings. */
SW_API const sw_platform *sw_llb_vertex_platform(const sw_llb_vertex *v);
SW_API bool sw_llb_vertex_ignore_cache(const sw_llb_vertex *v);
SW_API enum sw_llb_export_cache sw_llb_vertex_export_cache(const sw_llb_vertex *v);
/** sw_llb_vertex_description - the value of @key, or NULL. */
SW_API const char *sw_llb_vertex_description(const sw_llb_vertex *v, const char *key);
/** sw_llb_vertex_descriptions - all, sorted by key. */
SW_API const struct sw_llb_pair *sw_llb_vertex_descriptions(const sw_llb_vertex *v,
                                                            size_t *n);
/** sw_llb_vertex_progress_group - or NULL. */
SW_API const struct sw_llb_progress_group *sw_llb_vertex_progress_group(
        const sw_llb_vertex *v);
/** sw_llb_vertex_resources - limits of a command, or NULL. */
SW_API const struct sw_llb_resources *sw_llb_vertex_resources(const sw_llb_vertex *v);
/** sw_llb_vertex_filters - what a worker must match. */
SW_API const char *const *sw_llb_vertex_filters(const sw_llb_vertex *v, size_t *n);

/* ---- Where it came from ---- */

/* A text that vertices come from, as sw_source_map_new() made it. */
struct sw_llb_source_map {
        const char *filename, *language;
        const void *data;
        size_t len;
};

/* Where a vertex stands in one of them. */
struct sw_llb_vertex_location {
        const struct sw_llb_source_map *map;
        const struct sw_llb_range *ranges;
        size_t n_ranges;
};

/** sw_definition_source_maps - all texts; *n: how many. */
SW_API const struct sw_llb_source_map *sw_definition_source_maps(const sw_definition *def,
                                                                 size_t *n);
/** sw_llb_vertex_locations - where the vertex stands; *n may be 0. */
SW_API const struct sw_llb_vertex_location *sw_llb_vertex_locations(const sw_llb_vertex *v,
                                                                    size_t *n);

/* ---- Capabilities ---- */

/** sw_llb_caps - what definitions may ask for ("exec.mount.cache"), sorted; static. */
SW_API const char *const *sw_llb_caps(size_t *n);
/** sw_llb_cap_known - whether @name is one of them. */
SW_API bool sw_llb_cap_known(const char *name);

/* ---- Printing; the definition need not be valid, only decode ---- */

enum sw_llb_dump {
        SW_LLB_DUMP_JSON, /* one op per line, as buildctl debug dump-llb prints it */
        SW_LLB_DUMP_DOT,  /* for graphviz */
        SW_LLB_DUMP_TREE, /* for eyes: what comes from what, each vertex once */
        SW_LLB_DUMP_MAPS, /* one document, as the frontend's convertllb answers */
};

/** sw_llb_dump - append to @out.   Errors: SW_E_INVALID, SW_E_LIMIT.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_llb_dump(const void *p, size_t n, enum sw_llb_dump how,
                                        sw_buf *out);

SW_END_DECLS
#endif
