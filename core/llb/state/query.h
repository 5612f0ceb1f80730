/*
 * core/llb/state/query.h - values of states, resolved against constraints.
 *
 * One resolver answers the questions of one marshalling, or one question. It calls each
 * late function once and remembers what was worked out per node, so that the cost of a
 * chain is the sum of its parts. Thread: one at a time per resolver.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_QUERY_H
#define SLIPWAY_CORE_LLB_STATE_QUERY_H

#include <slipway/map.h>

#include "core/llb/state/state.h"
#include "core/llb/state/table.h"
#include "proto/pbuf.h"

struct resolver {
        struct sw_llb_opts given;  /* as the caller gave them, with a platform; borrowed */
        struct sw__pb_arena arena; /* answers live as long as the resolver */
        sw_map *late;              /* late vertex -> the state made; counted */
        struct table envs;         /* environment node -> struct env_list */
        struct table dirs;         /* directory node -> text */
};

/* "key=value" in order, and the node that sets each; borrowed from the resolver. */
struct env_list {
        char **v;
        const sw_state **nodes;
        size_t n;
};

/* @opts: checked already; borrowed until release. */
void sw__llb_resolver_init(struct resolver *r, const struct sw_llb_opts *opts);
void sw__llb_resolver_release(struct resolver *r);

/* The output of a vertex that is not late; scratch when that is what a function made. */
SW_NODISCARD sw_err *sw__llb_resolve_output(struct resolver *r, struct output in,
                                            struct output *out);

/* The nearest node at or below @s that sets @key, or NULL. Borrowed from the resolver. */
SW_NODISCARD sw_err *sw__llb_find_value(struct resolver *r, const sw_state *s,
                                        enum value key, const sw_state **out);

/* "" when not set. */
SW_NODISCARD sw_err *sw__llb_find_text(struct resolver *r, const sw_state *s,
                                       enum value key, const char **out);
SW_NODISCARD sw_err *sw__llb_find_number(struct resolver *r, const sw_state *s,
                                         enum value key, int64_t *out);
SW_NODISCARD sw_err *sw__llb_find_dir(struct resolver *r, const sw_state *s,
                                      const char **out);
SW_NODISCARD sw_err *sw__llb_find_env(struct resolver *r, const sw_state *s,
                                      struct env_list *out);

/* All nodes that set @key, the oldest first; the array is in the arena. */
SW_NODISCARD sw_err *sw__llb_find_all(struct resolver *r, const sw_state *s, enum value key,
                                      const sw_state ***out, size_t *n);

/* Whether "key=value" sets @key. */
bool sw__llb_env_is(const char *entry, const char *key);

#endif
