/*
 * core/solver/internal.h - what the files of the core call in each other.
 *
 * Not for anybody else: core.h is the core's own interface.
 */
#ifndef SLIPWAY_CORE_SOLVER_INTERNAL_H
#define SLIPWAY_CORE_SOLVER_INTERNAL_H

#include "core/solver/core.h"
#include "core/solver/tight.h"

/* ---- cacheset.c ---- */

struct sw_cacheset {
        int refs; /* atomic */
        size_t n;
        struct sw_cache_place places[];
};

/* ---- edge.c ---- */

/* Tell all edges of a vertex that something they may wait for has changed. An event that
 * the table does not list for an edge's state is dropped: on entering a state an edge looks
 * at the facts itself. */
void sw__edge_post_all(struct sw__core *c, struct sw__vx *v, enum sw__edge_event ev);
/* Work off the queue, at most @max steps; how many were made. */
unsigned sw__edge_work(struct sw__core *c, unsigned max);
/* A load is back. */
void sw__edge_loaded(struct sw__core *c, struct sw__act *act);
/* The stage of inputs that the state of an edge waits for. */
enum sw__stage sw__edge_stage(const struct sw__edge *e);
/* Whether an edge waits for a cache map. */
bool sw__edge_wants_map(const struct sw__edge *e);
/* Whether what its vertex asked of the inputs for more keys is to stay asked. */
bool sw__edge_keeps(const struct sw__edge *e);
/* An edge in MORE cannot be found: an input leads nowhere. */
void sw__edge_missed(struct sw__core *c, struct sw__edge *e);
/* Somebody wants @now of the edge where he wanted @before. */
void sw__edge_want(struct sw__core *c, struct sw__edge *e, unsigned before, unsigned now);

/* ---- gather.c ---- */

void sw__gather_update(struct sw__core *c,
                       struct sw__vx *v); /* what edges wait for changed */
/* Whether inputs are asked for more than their keys, short of all results. */
bool sw__gather_holds(const struct sw__vx *v);
/* An edge has begun to wait for more keys: look at the inputs that have theirs. */
void sw__gather_ahead(struct sw__core *c, struct sw__edge *e);
void sw__gather_input(struct sw__core *c, struct sw__vx *v, uint32_t i); /* an input rose */
void sw__gather_failed(struct sw__core *c, struct sw__vx *v, uint32_t i);
void sw__gather_map(struct sw__core *c, struct sw__vx *v); /* the first cache map is here */
void sw__gather_content(struct sw__core *c, struct sw__act *act);

/* ---- map.c: cache maps ---- */

void sw__map_update(struct sw__core *c, struct sw__vx *v); /* start or cancel, as wanted */
void sw__map_arrived(struct sw__core *c, struct sw__act *act);

/* ---- run.c ---- */

void sw__run_step(struct sw__core *c, struct sw__vx *v, enum sw__run_event ev, void *arg);
void sw__run_ended(struct sw__core *c, struct sw__act *act);
/* Whether the run machine is at it: READY to STOPPING. */
bool sw__run_waits(const struct sw__vx *v);

/* ---- claim.c ---- */

void sw__claim_add(struct sw__core *c, struct sw__vx *v);
void sw__claim_drop(struct sw__core *c, struct sw__vx *v);
/* A vertex with a key of @v that runs, or NULL. */
struct sw__vx *sw__claim_holder(struct sw__core *c, struct sw__vx *v);
/* Every registered vertex but @v that has a key of it; from malloc, *n of them. */
struct sw__vx **sw__claim_matches(struct sw__core *c, struct sw__vx *v, size_t *n);

/* ---- ready.c ---- */

void sw__ready_push(struct sw__core *c, struct sw__vx *v);
/* @job names a vertex that others have named before. */
void sw__ready_join(struct sw__core *c, struct sw__job *job, struct sw__vx *v);
/* @job, which has just let go of @v, is over; others still hold it. */
void sw__ready_hand_over(struct sw__core *c, struct sw__vx *v, struct sw__job *job);
void sw__ready_leave_limit(struct sw__core *c, struct sw__vx *v);
void sw__ready_run(struct sw__core *c);
void sw__ready_charge(struct sw__core *c, struct sw__vx *v, struct sw__job *job);
void sw__ready_discharge(struct sw__core *c, struct sw__vx *v);
void sw__ready_job_gone(struct sw__core *c, struct sw__job *job);

/* ---- lookup.c ---- */

/* Find keys of an edge by what is known of its inputs; true when one has a usable record.
 */
bool sw__lookup(struct sw__core *c, struct sw__edge *e);
/* Whether content keys could still lead to a record. */
bool sw__lookup_content_helps(struct sw__core *c, struct sw__edge *e);
/* The best usable record; *place is where; from malloc, NULL for none. */
char *sw__lookup_best(struct sw__core *c, struct sw__edge *e, uint8_t *place);
void sw__lookup_drop(struct sw__core *c, struct sw__edge *e, uint8_t place, const char *id);
/* Whether some key of input @i was used before by an op like that of @e. */
bool sw__lookup_input_known(struct sw__core *c, struct sw__edge *e, uint32_t i);
/* The root key of an edge without inputs by cache map @m. */
const char *sw__edge_root(struct sw__edge *e, uint8_t m);
/* Add a key that the edge does not have yet; false when it has it. */
bool sw__key_add(struct sw__edge *e, uint8_t place, const char *id);
/* @err: given; SW_OK is fine. */
void sw__store_problem(struct sw__core *c, sw_err *err);

/* Copy a text of at most SW_KEY_TEXT_MAX bytes; of a longer one the beginning. */
static inline void
sw__key_text(char out[SW_KEY_TEXT_SIZE], const char *s)
{
        size_t n = strnlen(s, SW_KEY_TEXT_MAX);

        memcpy(out, s, n);
        out[n] = '\0';
}

/* The keys by which an input is a parent in the store at @place. */
struct sw__parents {
        const struct sw__input *in;
        uint8_t place;
        size_t n; /* private */
};
/* The next one, or NULL; *selector goes with it. */
const struct sw__key *sw__parents_next(struct sw__parents *p, const char **selector);

/* ---- keep.c: what is written ---- */

/* Give every output its keys, and a record where it can have one. */
void sw__keep_outputs(struct sw__core *c, struct sw__vx *v);
/* @e got its result from an imported cache: make it a local one. */
void sw__keep_imported(struct sw__core *c, struct sw__edge *e);
/* @e has taken the result of @from: their keys are each other's. */
void sw__keep_shared(struct sw__core *c, struct sw__edge *e, const struct sw__edge *from);
/* @e got its result by a record in the local store: known by one cache map, it shall be
 * found by the others at once. */
void sw__keep_loaded(struct sw__core *c, struct sw__edge *e);
/* Give an edge without inputs the root keys of all its cache maps. */
void sw__keep_roots(struct sw__edge *e);
/* @key was found by a cache map and a key of each input: link their other keys, by all
 * cache maps, to it, too. */
void sw__keep_found(struct sw__core *c, struct sw__edge *e, const char *key);
/* @e had @before keys: what its consumers were found by, its new keys lead to as well. */
void sw__keep_grown(struct sw__core *c, struct sw__edge *e, size_t before);
/* A write to @ks follows: open a group, or count it. */
void sw__group_open(struct sw__core *c, sw_keystore *ks);
void sw__keep_note(struct sw__core *c, struct sw__vx *v);

/* ---- why.c ---- */

/* Say why @v runs; where content changed, *before and *now are its digests, from malloc. */
void sw__why_decide(struct sw__core *c, struct sw__vx *v, char **before, char **now);

/* ---- graph.c ---- */

struct sw__vx *sw__vx_load(struct sw__core *c, struct sw__job *job,
                           const struct sw_vertex *def, struct sw__vx *const *loaded);
void sw__vx_orphan(struct sw__core *c, struct sw__vx *v, struct sw__job *job);
void sw__vx_maybe_free(struct sw__core *c, struct sw__vx *v);
/* Free what has become free. */
void sw__vx_free_all(struct sw__core *c);

/* ---- act.c ---- */

/* With room for what its kind needs: deps of the first map, all inputs, one input, outputs.
 */
struct sw__act *sw__act_new(struct sw__core *c, struct sw__vx *v, enum sw__act_kind kind,
                            uint32_t index);
void sw__act_start(struct sw__core *c, struct sw__act *act);
void sw__act_cancel(struct sw__core *c, struct sw__act *act);
void sw__act_free(struct sw__core *c, struct sw__act *act);

/* ---- fail.c ---- */

/* @err: given: the vertex failed by itself. */
void sw__vx_fail(struct sw__core *c, struct sw__vx *v, sw_err *err);
/* An input failed: so does the vertex. */
void sw__vx_fail_with(struct sw__core *c, struct sw__vx *v, struct sw__failure *f);
struct sw__failure *sw__failure_ref(struct sw__failure *f);
void sw__failure_unref(struct sw__failure *f);

/* ---- job.c ---- */

void sw__solve_edge_done(struct sw__core *c, struct sw__edge *e);
void sw__solve_edge_failed(struct sw__core *c, struct sw__edge *e);
void sw__job_mourned(struct sw__core *c, struct sw__job *job);
void sw__job_free(struct sw__job *job);
/* To be told after the next commit: @v ended. */
void sw__notice_vertex(struct sw__core *c, struct sw__vx *v, bool cached,
                       struct sw__failure *f);

#endif
