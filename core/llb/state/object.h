/*
 * core/llb/state/object.h - the counted, immutable things that graphs are made of.
 *
 * A graph has no cycles: a thing only refers to things made before it. It may be deep, a
 * chain of 100,000 steps is nothing unusual, so that releasing one never recurses: what
 * falls to zero waits in a list.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_OBJECT_H
#define SLIPWAY_CORE_LLB_STATE_OBJECT_H

#include <stdatomic.h>

#include <slipway/api.h>

enum object_kind {
        OBJECT_STATE = 1,
        OBJECT_VERTEX,
        OBJECT_ACTION, /* one file action, with those before it */
        OBJECT_BOUND,  /* file actions on a state */
        OBJECT_SOURCE_MAP,
};

struct object {
        atomic_size_t refs;
        enum object_kind kind;
        struct object *next_dead; /* once refs is 0 */
};

/* The list of things whose count fell to zero; starts as { NULL }. */
struct dead {
        struct object *first;
};

void sw__llb_object_init(struct object *o, enum object_kind kind); /* one reference */
void sw__llb_object_ref(const struct object *o);                   /* NULL is allowed */
void sw__llb_object_unref(struct object *o);                       /* NULL is allowed */

/* For the release functions below: give up a reference without releasing right away. */
void sw__llb_object_drop(struct object *o, struct dead *dead);
/* Release what is in the list and all that falls to zero by it. */
void sw__llb_object_bury(struct dead *dead);

/* Free one thing whose count is zero, dropping what it refers to. */
struct sw_state;
struct vertex;
struct action;
struct sw_bound;
struct sw_source_map;
void sw__llb_state_release(struct sw_state *s, struct dead *dead);
void sw__llb_vertex_release(struct vertex *v, struct dead *dead);
void sw__llb_action_release(struct action *a, struct dead *dead);
void sw__llb_bound_release(struct sw_bound *b, struct dead *dead);
void sw__llb_source_map_release(struct sw_source_map *m, struct dead *dead);

#endif
