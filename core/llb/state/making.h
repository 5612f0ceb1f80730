/*
 * core/llb/state/making.h - one marshalling: a state becomes a definition.
 *
 * Vertices are visited depth first, inputs in their order, and become entries as they are
 * left: so that every entry comes after its inputs, in the order of the Go client. Vertices
 * whose bytes are equal share an entry. Nothing here recurses on the graph.
 *
 * Two arenas: entries live in the resolver's until the end, messages in tmp until the next
 * vertex. Thread: one at a time per marshalling; the graph itself is only read.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_MAKING_H
#define SLIPWAY_CORE_LLB_STATE_MAKING_H

#include <slipway/digest.h>
#include <slipway/id.h>

#include "core/llb/state/query.h"

/* OpMetadata; what it points to is borrowed from options or the arena. */
struct meta {
        bool ignore_cache;
        const struct pair *description; /* sorted, unique */
        size_t n_description;
        enum sw_llb_export_cache export_cache;
        capset caps;
        const char *group_id, *group_name; /* group_id NULL: no group */
        bool group_weak;
        const struct sw_llb_resources *resources;
};

struct place {
        struct place *next;
        int32_t map; /* index in making.maps */
        const struct location *location;
};

struct entry {
        sw_digest raw;
        char digest[SW_DIGEST_STR_SIZE];
        struct meta meta;
        struct place *places, **last_place; /* in the source maps */
        struct entry *same_start; /* one whose digest begins with the same bytes */
};

/* A set of capabilities as a message has it; few sets are in use. */
struct cap_list {
        capset caps;
        Slipway__Map__Bool **v;
        size_t n;
        sw_buf packed; /* metadata with nothing else in it */
};

struct making {
        struct resolver r;
        struct opts base;            /* constraints for all vertices */
        const sw_platform *platform; /* where a vertex has none */
        const char *local_unique;
        char random_unique[SW_ID_SIZE];
        struct sw__pb_arena tmp;
        sw_buf bytes;           /* of the op at hand */
        sw_buf *out;            /* has the ops of all entries, in their order */
        struct table done;      /* vertex -> entry */
        struct table by_digest; /* first bytes of the digest -> entry */
        SW_ARRAY(struct entry *) entries;
        SW_ARRAY(const sw_source_map *) maps;
        struct table map_index; /* source map -> index */
        SW_ARRAY(struct cap_list) cap_lists;
};

/* The entry and output number an input of the vertex at hand comes from; *entry is NULL for
 * scratch. Inputs have entries by then. */
SW_NODISCARD sw_err *sw__llb_input_of(struct making *m, struct output out,
                                      const struct entry **entry, int64_t *index);

/* Inputs of an op, each once. */
struct inputs {
        Pb__Input **v;
        size_t n, cap;
        struct table index; /* entry and output -> position; of the later ones */
};
void sw__llb_inputs_init(struct inputs *in);
void sw__llb_inputs_release(struct inputs *in);
/* The position of an input that is added if need be; -1 for scratch. */
SW_NODISCARD sw_err *sw__llb_inputs_add(struct making *m, struct inputs *in,
                                        struct output out, int64_t *position);

/* One message of its type, in tmp. */
#define PB_NEW(m, T, INIT)                                                                 \
        ({                                                                                 \
                T *new_ = (T *) sw__pb_arena_alloc(&(m)->tmp, sizeof(T));                  \
                                                                                           \
                *new_ = (T) INIT;                                                          \
                new_;                                                                      \
        })
/* Room for @n of them; not zeroed. The arena has nothing of size 0. */
#define PB_ARRAY(m, T, n) ((T *) sw__pb_arena_alloc(&(m)->tmp, ((n) + 1) * sizeof(T)))

/* protobuf-c's strings are not const; nothing writes to them. NULL is "". */
static inline char *
pb_text(const char *s)
{
        return (char *) (s ? s : protobuf_c_empty_string);
}

/* The message for a platform, in tmp. */
Pb__Platform *sw__llb_pb_platform(struct making *m, const sw_platform *p);
/* A sorted map. */
Slipway__Map__String **sw__llb_pb_pairs(struct sw__pb_arena *a, const struct pair *v,
                                        size_t n);

/* The op of a vertex of each kind: all but constraints and metadata. Platform only where
 * the op has one. @caps: may be added to. */
SW_NODISCARD sw_err *sw__llb_make_source(struct making *m, const struct vertex *v,
                                         Pb__Op *op, capset *caps);
SW_NODISCARD sw_err *sw__llb_make_exec(struct making *m, const struct vertex *v, Pb__Op *op,
                                       capset *caps);
SW_NODISCARD sw_err *sw__llb_make_file(struct making *m, const struct vertex *v, Pb__Op *op,
                                       capset *caps);
SW_NODISCARD sw_err *sw__llb_make_other(struct making *m, const struct vertex *v,
                                        Pb__Op *op);

#endif
