/*
 * core/llb/state/object.c - counting. Counts are atomic, everything else about an object is
 * written before it is shared. Thread: any.
 */
#include "core/llb/state/files.h"
#include "core/llb/state/state.h"

void
sw__llb_object_init(struct object *o, enum object_kind kind)
{
        atomic_init(&o->refs, 1);
        o->kind = kind;
        o->next_dead = NULL;
}

void
sw__llb_object_ref(const struct object *o)
{
        if (o)
                atomic_fetch_add_explicit(&((struct object *) o)->refs, 1,
                                          memory_order_relaxed);
}

void
sw__llb_object_drop(struct object *o, struct dead *dead)
{
        if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
                return;
        o->next_dead = dead->first;
        dead->first = o;
}

/* Every object begins with its struct object. */
static void
release(struct object *o, struct dead *dead)
{
        switch (o->kind) {
        case OBJECT_STATE: sw__llb_state_release((sw_state *) o, dead); break;
        case OBJECT_VERTEX: sw__llb_vertex_release((struct vertex *) o, dead); break;
        case OBJECT_ACTION: sw__llb_action_release((struct action *) o, dead); break;
        case OBJECT_BOUND: sw__llb_bound_release((sw_bound *) o, dead); break;
        case OBJECT_SOURCE_MAP:
                sw__llb_source_map_release((sw_source_map *) o, dead);
                break;
        }
}

void
sw__llb_object_bury(struct dead *dead)
{
        while (dead->first) {
                struct object *gone = dead->first;

                dead->first = gone->next_dead;
                release(gone, dead);
        }
}

void
sw__llb_object_unref(struct object *o)
{
        struct dead dead = { NULL };

        sw__llb_object_drop(o, &dead);
        sw__llb_object_bury(&dead);
}
