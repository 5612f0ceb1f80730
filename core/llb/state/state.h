/*
 * core/llb/state/state.h - the model behind <slipway/llb.h>, for the files of this folder.
 *
 *   sw_state   a node: where its tree comes from (out), the node it was made of (prev),
 *              and at most one value that it sets (key)
 *   vertex     an op to be: what was described, its inputs as outputs of other vertices
 *   output     vertex and number of an output; no vertex: scratch
 *
 * Each node knows, for every kind of value, the nearest node that sets it (at[]), itself
 * included. So a question costs the same at any depth. at[] is borrowed: prev keeps what it
 * points to alive.
 *
 * A late state has a vertex of kind VERTEX_LATE and is itself the node for every value:
 * who asks calls its function first (query.h) and goes on at the state that it makes.
 *
 * All of it is immutable once a public function has handed it out. Thread: any.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_STATE_H
#define SLIPWAY_CORE_LLB_STATE_STATE_H

#include <slipway/llb.h>

#include "core/llb/shown.h"
#include "core/llb/state/caps.h"
#include "core/llb/state/object.h"
#include "proto/pb.pb-c.h"

/* What users of the builder may reasonably need; more is a mistake or an attack. */
#define LLB_MAX_TEXT (1 << 20)  /* bytes of one string */
#define LLB_MAX_DATA (16 << 20) /* bytes of a file or of a source text */

enum value {
        VALUE_DIR = 0,
        VALUE_ENV,
        VALUE_USER,
        VALUE_HOSTNAME,
        VALUE_CGROUP_PARENT,
        VALUE_NETWORK,
        VALUE_SECURITY,
        VALUE_HOST,
        VALUE_ULIMIT,
        VALUE_PLATFORM,
        VALUE_CUSTOM,
        VALUE_COUNT,
        VALUE_NONE = VALUE_COUNT,
};

struct output {
        struct vertex *v; /* NULL: scratch */
        int64_t index;
};

struct sw_state {
        struct object o;
        struct output out; /* its vertex is counted */
        sw_state *prev;    /* counted; NULL at the start */
        const sw_state *at[VALUE_COUNT];
        enum value key;
        /* DIR, USER, …: text. ENV, CUSTOM: name, text (NULL: unset). HOST: name, text (the
         * address). ULIMIT: name, number, number2. NETWORK, SECURITY: number. */
        char *name, *text;
        int64_t number, number2;
        sw_platform *platform;
};

struct location {
        sw_source_map *map; /* counted */
        struct sw_llb_range *ranges;
        size_t n;
};

/* struct sw_llb_opts, owned. */
struct opts {
        bool ignore_cache;
        sw_platform *platform;    /* NULL: not given */
        struct pair *description; /* sorted by key, unique; the name is in it; one piece */
        size_t n_description;
        sw_strlist filters;
        enum sw_llb_export_cache export_cache;
        char *group_id, *group_name; /* group_id NULL: no group */
        bool group_weak;
        bool has_resources;
        struct sw_llb_resources resources; /* strings owned */
        struct location *locations;        /* and their ranges: one piece */
        size_t n_locations;
        char *local_unique;
        bool caps_known, sets_default_path; /* of the daemon */
};

struct pair {
        char *key, *value;
};

enum vertex_kind {
        VERTEX_SOURCE = 1,
        VERTEX_EXEC,
        VERTEX_FILE,
        VERTEX_MERGE,
        VERTEX_DIFF,
        VERTEX_PASSTHROUGH,
        VERTEX_BUILD,
        VERTEX_LATE,
};

struct source {
        char *identifier;
        struct pair *attrs; /* sorted by key, unique */
        size_t n_attrs;
        bool want_unique; /* local, without a session */
};

struct late {
        sw_late_fn fn;
        void *arg;
        void (*free_arg)(void *);
        sw_state *state;
};

struct pass {
        char *id;
        int64_t *outputs; /* input index per output */
        size_t n;
};

struct exec;   /* run.h */
struct action; /* files.h */

struct vertex {
        struct object o;
        enum vertex_kind kind;
        struct opts opts;
        capset caps;           /* those that do not depend on the marshalling */
        struct output *inputs; /* counted, in the order they are visited in */
        size_t n_inputs;
        union {
                struct source source;
                struct exec *exec;
                sw_bound *files;
                struct pass pass;
                char *filename; /* BUILD; or NULL */
                struct late late;
        };
};

struct sw_source_map {
        struct object o;
        char *filename, *language;
        void *data;
        size_t len;
        sw_state *state; /* or NULL */
};

/* ---- opts.c ---- */

/* Copy a struct of options of any version into one of ours, which is zeroed first. NULL
 * gives zeros. Errors: SW_E_UNSUPPORTED when members that we do not know are set. */
SW_NODISCARD sw_err *sw__llb_take_options(const char *what, void *ours, size_t our_size,
                                          const void *theirs);

/* SW_E_LIMIT when a string is larger than LLB_MAX_TEXT; NULL is fine. */
SW_NODISCARD sw_err *sw__llb_check_text(const char *what, const char *s);

SW_NODISCARD sw_err *sw__llb_opts_take(const struct sw_llb_opts *theirs, struct opts *out);
void sw__llb_opts_copy(const struct opts *o, struct opts *out);
void sw__llb_opts_release(struct opts *o, struct dead *dead);

/* Add to @dst what is in a NULL-ended list; NULL is an empty one. */
void sw__llb_strlist_take(sw_strlist *dst, const char *const *list);

void sw__llb_pairs_free(struct pair *v, size_t n);
struct pair *sw__llb_pairs_copy(const struct pair *v, size_t n);
/* Sort by key; of equal keys the last one stays. Returns how many are left. */
size_t sw__llb_pairs_sort(struct pair *v, size_t n);

/* ---- node.c ---- */

/* Each hands back a new state. */
sw_state *sw__llb_state_over(struct output out); /* with directory "/" */
sw_state *sw__llb_state_with_output(const sw_state *s, struct output out); /* values of s */

/* ---- vertex.c ---- */

/* A vertex with these options (given; released on failure) and inputs (borrowed). */
struct vertex *sw__llb_vertex_new(enum vertex_kind kind, struct opts *opts,
                                  const struct output *inputs, size_t n_inputs);

/* The platform a vertex was given explicitly, when its outputs pass it on; or NULL. */
const sw_platform *sw__llb_output_platform(struct output out);

static inline void
output_ref(struct output out)
{
        sw__llb_object_ref(out.v ? &out.v->o : NULL);
}

#endif
