/*
 * core/llb/llb_priv.h - a definition from the inside, for core/llb and for the ops and the
 * source policy, which need the messages behind the vertices.
 *
 * Loading goes: ops are decoded into *nodes*, in the order of the definition; inputs are
 * resolved and nodes put in topological order; digests are computed from the inputs up,
 * and nodes with the same digest become one vertex; vertices are checked and described.
 * All but platforms and the map lives in one arena and goes at once.
 */
#ifndef SLIPWAY_CORE_LLB_PRIV_H
#define SLIPWAY_CORE_LLB_PRIV_H

#include <stdatomic.h>

#include <slipway/definition.h>

#include "core/llb/index.h"
#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"

/* One entry of Definition.def. Entries with the same bytes share a node. */
struct sw__llb_node {
        Pb__Op *op;
        const ProtobufCBinaryData *bytes; /* as they came */
        const Pb__OpMetadata *metadata;   /* or NULL */
        const Pb__Locations *locations;   /* or NULL */
        uint32_t *inputs;                 /* nodes; op->n_inputs of them */
        uint32_t vertex;                  /* index; set once digests are known */
        uint8_t seen;                     /* while sorting: 0 no, 1 below, 2 done */
};

struct sw_llb_vertex {
        const sw_definition *def;
        uint32_t index, node;
        Pb__Op *op;
        enum sw_op_kind kind;
        char digest_str[SW_DIGEST_STR_SIZE];
        struct sw_llb_edge *inputs;
        uint32_t n_outputs;
        const char *name;
        const sw_platform *platform;
        bool ignore_cache;
        enum sw_llb_export_cache export_cache;
        struct sw_llb_pair *descriptions;
        size_t n_descriptions;
        struct sw_llb_progress_group *group; /* or NULL */
        struct sw_llb_resources *resources;  /* or NULL */
        struct sw_llb_vertex_location *locations;
        size_t n_locations;
};

struct sw_definition {
        atomic_uint holders; /* beside the first one */
        struct sw__pb_arena arena;
        Pb__Definition *pb;
        bool proxy_network;
        const sw_platform *default_platform; /* owned, among platforms */
        SW_ARRAY(sw_platform *) platforms;   /* owned */

        struct sw__llb_node *nodes; /* in the order of the definition */
        uint32_t n_nodes;
        sw_digest *given;              /* of the nodes' bytes as they came */
        uint32_t last;                 /* the node that points at the result */
        uint32_t *order;               /* nodes, inputs first */
        struct sw__llb_index by_given; /* nodes */

        sw_llb_vertex *vertices;
        size_t n_vertices;
        sw_digest *digests;             /* of the vertices */
        struct sw__llb_index by_digest; /* vertices */
        struct sw_llb_edge result;
        struct sw_llb_source_map *maps;
        size_t n_maps;
};

/** sw__definition_ref - hold it too: ops live as long as somebody's vertex does, while who
 *  decoded the definition is done with it. Each holder calls sw_definition_free(); the last
 *  call frees. Nobody may change sources any more. */
SW_API sw_definition *sw__definition_ref(sw_definition *def);

/** sw__llb_add_json - append any message of a definition as Go's encoding/json writes it:
 *  cache keys are made of that. Maps are sorted, as decoding leaves them. */
SW_API void sw__llb_add_json(sw_buf *out, const ProtobufCMessage *m);

/* What a complaint names: the vertex and the field. */
struct sw__llb_check {
        const sw_definition *def;
        const Pb__Op *op;
        const char *digest;
        char field[96];
};

/** sw__llb_vertex_op - the message behind a vertex; borrowed. */
static inline const Pb__Op *
sw__llb_vertex_op(const sw_llb_vertex *v)
{
        return v->op;
}

/**
 * sw__llb_mount_has_output - whether @m of a command is one of its outputs: output K is the
 * K-th such mount, in the order of mounts. As in BuildKit, the number that a mount gives
 * for its output says no more than that there is one (or none: -1); clients that number
 * them in another way, or leave all at 0, are understood all the same. Secrets, sockets and
 * tmpfs have no tree to hand on, and a cache only has the one it is laid over.
 */
static inline bool
sw__llb_mount_has_output(const Pb__Mount *m)
{
        return m->output != -1 &&
               (m->mounttype == PB__MOUNT_TYPE__BIND ||
                (m->mounttype == PB__MOUNT_TYPE__CACHE && m->input != -1));
}

/* The trees one file action needs at most: input, secondary input, and those that the names
 * of its owner are looked up in. */
enum { SW__LLB_ACTION_NEEDS = 4 };

/** sw__llb_action_owner - of what the action makes; borrowed; NULL: none is named. */
const Pb__ChownOpt *sw__llb_action_owner(const Pb__FileAction *a);

/* ---- Changing sources, before anybody else has the definition (source policy) ---- */

/** sw__definition_set_source - give a source vertex another identifier; copied. */
SW_API void sw__definition_set_source(sw_definition *def, size_t vertex,
                                      const char *identifier);
/** sw__definition_set_attr - set an attribute of a source vertex; copied. */
SW_API void sw__definition_set_attr(sw_definition *def, size_t vertex, const char *key,
                                    const char *value);
/**
 * sw__definition_redigest - compute digests, inputs first, and load again after changes.
 * Pointers to vertices become invalid; indexes change when sources became the same.
 * Errors: SW_E_INVALID; the definition is good for nothing but freeing then.
 */
SW_API SW_NODISCARD sw_err *sw__definition_redigest(sw_definition *def);

/* ---- The steps of loading; for core/llb only ---- */

/* graph.c */
sw_err *sw__llb_read_nodes(sw_definition *def);
sw_err *sw__llb_resolve_inputs(sw_definition *def);
sw_err *sw__llb_make_vertices(sw_definition *def);
/* describe.c */
sw_err *sw__llb_read_maps(sw_definition *def);
void sw__llb_attach(sw_definition *def);
void sw__llb_describe(sw_definition *def, sw_llb_vertex *v);
/* name.c: from the op; sub-vertices have their names already. */
const char *sw__llb_make_name(sw_definition *def, const sw_llb_vertex *v);
void sw__llb_add_file_names(sw_buf *b, const Pb__FileOp *file);
/* validate.c, validate_exec.c, validate_file.c */
sw_err *sw__llb_validate(const sw_definition *def, sw_llb_vertex *v);
sw_err *sw__llb_validate_exec(struct sw__llb_check *c, const Pb__ExecOp *exec,
                              uint32_t *n_outputs);
sw_err *sw__llb_validate_file(struct sw__llb_check *c, const Pb__FileOp *file,
                              uint32_t *n_outputs);
sw_err *sw__llb_validate_metadata(struct sw__llb_check *c, const Pb__OpMetadata *md,
                                  const struct sw_definition_opts *opts);
/* check.c: a complaint: bad(at(c, "exec.mounts[%zu]", i), "…") */
struct sw__llb_check *sw__llb_at(struct sw__llb_check *c, const char *fmt, ...)
        SW_PRINTF(2, 3);
SW_NODISCARD sw_err *sw__llb_bad(struct sw__llb_check *c, const char *fmt, ...)
        SW_PRINTF(2, 3);
/* Whether @i is an index of an input, where -1 may stand for none; the complaint if not. */
bool sw__llb_has_input(const struct sw__llb_check *c, int64_t i, bool may_be_empty);
SW_NODISCARD sw_err *sw__llb_no_input(struct sw__llb_check *c, int64_t i);

#endif
