/*
 * core/solver/core.h - the scheduler's core: events in, requests out, no threads.
 *
 * The core is the graph of vertices and edges, the jobs that hold them, and the three state
 * machines that turn 'this result is wanted' into calls of ops:
 *
 *      gather.c   per vertex: how far its inputs have got (a counter, no scans)
 *      edge.c     per output: keys, lookup, load
 *      run.c      per vertex: claim, queue, execute
 *
 * It never blocks, never calls an op and owns no thread: what is to be done goes to the
 * host (struct sw__host) as an *act*, and comes back by sw__core_finish(). solver.c hosts
 * it on the scheduler's thread and pools of workers; tests/model/solver_model.c hosts it in
 * one thread and finishes acts in any order it likes.
 *
 *      core = sw__core_new(&host, host_arg, &opts)
 *      job = sw__core_job_new(core, ...)
 *      solve = sw__core_solve(core, job, &graph, cookie)
 *      while (sw__core_step(core)) ;            until there is nothing to do
 *      sw__core_flush(core)                     commit, then tell: host.solve_done
 *      ... act->err = ..., sw__core_finish(core, act) ...
 *
 * No graph walk recurses: edges that have something to do stand in one queue, and the ends
 * of vertices' lives are worked off a list.
 *
 * Thread: one at a time.
 */
#ifndef SLIPWAY_CORE_SOLVER_CORE_H
#define SLIPWAY_CORE_SOLVER_CORE_H

#include <slipway/array.h>
#include <slipway/digest.h>

#include "core/solver/keystore.h"
#include "core/solver/op.h"
#include "core/solver/solver.h"
#include "core/solver/story.h"
#include "core/solver/trace.h"

#define uthash_fatal(msg) abort()
#include <uthash.h>

SW_BEGIN_DECLS

struct sw__core;
struct sw__vx;
struct sw__edge;
struct sw__job;
struct sw__csolve;

/* ---- acts: what the core asks of its host ---- */

enum sw__act_kind { SW__ACT_MAP, SW__ACT_CONTENT, SW__ACT_LOAD, SW__ACT_RUN };

/*
 * One call in flight. The host reads the first part from any thread, fills in the second
 * and gives the act back by sw__core_finish(), exactly once, cancelled or not.
 */
struct sw__act {
        enum sw__act_kind kind;
        const struct sw_op_ops *ops;
        void *op;
        uint32_t index;       /* MAP: of the map. CONTENT: of the input */
        uint32_t n_in, n_out; /* n_in: inputs of the vertex */
        sw_result **in;       /* RUN: all inputs; CONTENT: in[0] alone. Live until finish */
        const struct sw_result_loader *loader; /* LOAD */
        char *load_id;                         /* LOAD */
        char *before, *now; /* RUN: explain what changed in input index; else NULL */
        struct sw__story_vertex
                *story;  /* where progress of this vertex goes; may be NULL */
        uint64_t number; /* of the vertex, for traces */

        sw_err *err;                    /* given to the core */
        struct sw_cache_map map;        /* MAP */
        char content[SW_KEY_TEXT_SIZE]; /* CONTENT */
        sw_result **out;                /* RUN: n_out places, NULL at first. LOAD: one */
        bool nobody; /* with err: for want of a job; begin anew when one wants it. Not LOAD
                      */

        /* private to the core */
        struct sw__vx *v;
        struct sw__edge *e;
        bool cancelled;
        bool back;     /* finished, and to be looked at by the core */
        uint8_t place; /* LOAD: where the record was */
        struct sw__act *next;
        void *host; /* private to the host */
};

struct sw__host {
        /* start - begin; may finish it before returning. */
        void (*start)(void *arg, struct sw__act *act);
        /* cancel - it is not wanted any more; it is still to be finished. */
        void (*cancel)(void *arg, struct sw__act *act);
        /* release, free_op - may block, so somewhere else. Given. */
        void (*release)(void *arg, sw_result *r);
        void (*free_op)(void *arg, const struct sw_op_ops *ops, void *op);
        /* solve_done - its records are committed. */
        void (*solve_done)(void *arg, struct sw__csolve *s);
        /* job_idle - a job that was ended has nothing running any more and is gone. */
        void (*job_idle)(void *arg, void *cookie);
        /* problem - the key store failed; the build goes on. @err: borrowed. */
        void (*problem)(void *arg, const sw_err *err);
        int64_t (*now)(void *arg);  /* ns since the epoch */
        int64_t (*mono)(void *arg); /* ns, for the age of a group of writes */
};

/* ---- the parts of the graph ---- */

/* How much of an edge somebody wants, or is there. */
enum sw__level {
        SW__NOTHING,
        SW__KEYS,      /* keys that need no evaluation */
        SW__MORE_KEYS, /* and those that do: content keys of inputs on the way */
        SW__RESULT,
};

/* How far the inputs of a vertex have got, all of them. */
enum sw__stage {
        SW__ST_NONE,
        SW__ST_KEYS,
        SW__ST_MORE_KEYS,
        SW__ST_CONTENT, /* content keys are there where they are declared */
        SW__ST_RESULTS, /* and all results */
};

enum sw__edge_state {
        SW__E_IDLE,     /* nothing asked, or no longer; has no level */
        SW__E_KEYS,     /* waits for the cache map and the inputs' keys */
        SW__E_ALT,      /* missed; waits for another cache map */
        SW__E_KEYED,    /* rests: missed by definition keys; level KEYS */
        SW__E_MORE,     /* waits for more keys of the inputs */
        SW__E_CONTENT,  /* waits for content keys of the inputs */
        SW__E_PROBED,   /* rests: missed all there is without evaluation; level MORE_KEYS */
        SW__E_HIT,      /* rests: there is a record; level MORE_KEYS */
        SW__E_LOADING,  /* its result is being loaded */
        SW__E_STOPPING, /* the load is cancelled and not yet back */
        SW__E_EVAL,     /* waits for all inputs' results and content keys, and all maps */
        SW__E_RUN,      /* waits for the vertex to run */
        SW__E_DONE,     /* final: has its result */
        SW__E_FAILED,   /* final: the vertex has its error */
        SW__E_STATES
};

enum sw__edge_event {
        SW__EV_WANT,   /* more is wanted than the state gives */
        SW__EV_UNWANT, /* what the state works for, or holds on to, is not wanted any more
                        */
        SW__EV_MAP,    /* a cache map came */
        SW__EV_INPUTS, /* the stage that the state waits for is reached */
        SW__EV_LOADED, /* the load succeeded */
        SW__EV_GONE,   /* the load failed */
        SW__EV_RAN,    /* the vertex has its results */
        SW__EV_FAIL,   /* the vertex has an error */
        SW__EV_FOUND,  /* a record turned up while it waited to run */
        SW__EV_MISS,   /* an input rules out that it can be found */
        SW__EV_EVENTS
};

enum sw__run_state {
        SW__R_NONE,
        SW__R_READY,    /* in the queues of its jobs, or waiting for a limit */
        SW__R_BLOCKED,  /* a vertex with the same key runs */
        SW__R_GOING,    /* runs: holds the claim on its keys */
        SW__R_STOPPING, /* cancelled and not yet back: still holds the claim */
        SW__R_DONE,     /* final: results are in vx.out */
        SW__R_FAILED,   /* final */
        SW__R_STATES
};

enum sw__run_event {
        SW__RE_NEED,   /* an edge wants it to run */
        SW__RE_LEAVE,  /* no edge wants that any more */
        SW__RE_BLOCK,  /* at its turn, the claim is held by another */
        SW__RE_START,  /* at its turn, free to go */
        SW__RE_FOUND,  /* at its turn, a record has turned up meanwhile */
        SW__RE_FREED,  /* the claim that was in the way ended without a result */
        SW__RE_SHARED, /* the holder of the claim succeeded: take its results */
        SW__RE_OK,     /* the op succeeded */
        SW__RE_ERR,    /* the op failed, or stopped as it was told */
        SW__RE_AGAIN,  /* the op was left by the jobs it worked for */
        SW__RE_EVENTS
};

/* A key of an edge, and where its id means something. */
#define SW__PLACE_ROOT     254 /* everywhere: a root key */
#define SW__PLACE_VOLATILE 255 /* in this process only */
struct sw__key {
        uint8_t place; /* position in the cache set, or one of the above */
        char s[SW_KEY_TEXT_SIZE];
};

struct sw__content {
        char digest[SW_KEY_TEXT_SIZE];
        struct sw__key root;
};

enum sw__content_state {
        SW__CT_UNKNOWN,  /* no cache map yet */
        SW__CT_NONE,     /* not declared */
        SW__CT_DECLARED, /* to be computed once the input has its result */
        SW__CT_PENDING,
        SW__CT_DONE,
};

struct sw__input {
        struct sw__edge *edge;
        uint32_t back;         /* position in edge->consumers */
        uint8_t want;          /* enum sw__level: what this vertex wants of the edge */
        bool ok;               /* has what the vertex's target stage needs */
        bool ahead;            /* its result and content are needed in any case */
        uint8_t content_state; /* enum sw__content_state */
        char *selector;        /* or NULL */
        struct sw__content *content;
        struct sw__act *act; /* content key in flight */
};

struct sw__consumer {
        struct sw__vx *v;
        uint32_t input;
};

struct sw__edge {
        struct sw__vx *v;
        uint32_t output;
        uint8_t state;         /* enum sw__edge_state */
        uint8_t level;         /* enum sw__level: what consumers may use; never falls */
        uint8_t maps_tried;    /* how many cache maps the last lookup had */
        bool queued;           /* stands in core->todo */
        bool missed;           /* MORE: an input leads nowhere */
        uint16_t pending;      /* bits of enum sw__edge_event */
        uint8_t n_roots;       /* of roots */
        uint32_t wanted[4];    /* how many want each level */
        struct sw__edge *next; /* in core->todo */
        SW_ARRAY(struct sw__consumer) consumers;
        SW_ARRAY(struct sw__key)
        keys;                      /* of records and links that exist, once DONE its own */
        sw_result *result;         /* when DONE */
        struct sw__act *act;       /* load in flight */
        struct sw__act *ahead_act; /* content of a consumer in flight, ahead of its stage */
        uint32_t ahead_next;       /* of consumers: from here on some wait for that */
        sw_strlist *dead;          /* results that did not load; NULL: none */
        sw_key_id *roots; /* without inputs: the root key by each cache map, so far */
        SW_ARRAY(struct sw__csolve *) solves; /* once for each of their roots */
};

/* What all that share a failure have in common. Counted. */
struct sw__failure {
        uint32_t refs;
        sw_err *err;
        sw_digest vertex; /* where it began */
};

/* A job that holds a vertex. */
struct sw__holder {
        struct sw__job *job;
        uint8_t queued; /* times that the vertex stands in job->ready: see ready.c */
};

struct sw__vx {
        sw_digest digest;
        UT_hash_handle hh;      /* in core->table, the newest of its digest */
        struct sw__vx *variant; /* older ones with the same digest */
        uint64_t number;        /* for traces: counts from 1 */
        const struct sw_op_ops *ops;
        void *op;
        sw_cacheset *cache;
        sw_limit *limit;
        uint64_t units;
        struct sw__story_vertex *story;

        uint32_t n_inputs, n_outputs;
        struct sw__input *in; /* behind the edges */
        bool ignore_cache;
        bool dead; /* no job holds it; it is freed once nothing is in flight */
        bool told_cached;

        /* cache maps: digests */
        uint8_t n_maps;
        bool map_more;
        char (*maps)[SW_KEY_TEXT_SIZE];
        struct sw__act *map_act;

        /* gather.c */
        uint8_t stage, target; /* reached; gathered for (0: nothing) */
        uint8_t asked;         /* the stage that the inputs are asked for; 0: none */
        uint32_t n_missing;    /* inputs that are not ok, while target is not 0 */

        /* run.c */
        uint8_t run; /* enum sw__run_state */
        uint8_t why;
        uint32_t why_input;
        uint32_t acts;      /* in flight, of any kind */
        uint32_t in_run;    /* edges in SW__E_RUN */
        uint64_t looked_up; /* step in which they were looked up last */
        struct sw__act *run_act;
        struct sw__job *charged; /* whose place among the running ops it takes */
        uint64_t units_held;     /* of its limit */
        struct sw__vx *limit_prev, *limit_next; /* in limit->waiting */
        bool waits_for_units, holds_units;
        struct sw__claim *claim; /* registered while READY to STOPPING */
        uint64_t mark;           /* claim.c: the last search that found it */
        sw_result **out;         /* n_outputs, once R_DONE */
        struct sw__failure *failure;

        SW_ARRAY(struct sw__holder) jobs;
        struct sw__job *mourner; /* the last job that held it, while dead and in flight */
        uint32_t n_consumers;    /* of all edges */
        uint32_t n_queued;       /* edges in core->todo */
        bool freeing;            /* stands in core->free_list */
        struct sw__vx *next_free;
        struct sw__edge edges[]; /* n_outputs */
};

struct sw__job {
        struct sw__core *core;
        void *cookie;
        sw_cacheset *cache;
        struct sw__story_job *story;
        uint64_t number;
        unsigned running, max_running;
        unsigned active;   /* solves that have not ended */
        uint32_t mourning; /* dead vertices it waits for */
        bool ended;
        bool in_turn; /* stands in core->turns */
        struct sw__job *next_turn;
        struct sw__vx **ready; /* ring */
        size_t ready_head, ready_n, ready_cap;
        SW_ARRAY(struct sw__vx *) members;
        SW_ARRAY(struct sw__csolve *) solves;
};

struct sw__csolve {
        struct sw__job *job; /* NULL once the job is gone */
        void *cookie;
        uint32_t n_roots, n_left;
        struct sw__edge **roots; /* NULL once ended */
        sw_result **results;
        sw_err *err;
        bool ended;
        bool told;
};

struct sw__core_opts {
        unsigned max_running;
        unsigned step_events; /* at most in one sw__core_step(); 0: 256 */
        unsigned trace_events;
        struct sw__story *story; /* borrowed; may be NULL */
};

/* How often each legal step was made. */
struct sw__coverage {
        uint64_t edge[SW__E_STATES][SW__EV_EVENTS];
        uint64_t run[SW__R_STATES][SW__RE_EVENTS];
};

/* What is told after the next commit: the end of a solve, or of a vertex. */
struct sw__notice {
        struct sw__csolve *solve;       /* or: */
        struct sw__job *idle;           /* or: */
        struct sw__story_vertex *story; /* holds a reference */
        int64_t time;
        bool cached;
        struct sw__failure *failure; /* ref'd; NULL: success */
};

struct sw__core {
        const struct sw__host *host;
        void *host_arg;
        struct sw__story *story;
        struct sw__trace *trace;
        struct sw__vx *table;
        struct sw__claim_bucket *claims;
        struct sw__edge *todo, **todo_end;
        struct sw__act *finished, **finished_end;
        struct sw__job *turns, **turns_end; /* jobs with ready vertices, in turn */
        struct sw__vx *free_list;
        unsigned running, max_running, step_events;
        uint64_t n_vertices, n_jobs; /* ever made */
        uint64_t n_steps, n_marks;
        uint64_t live_vertices, live_acts;
        SW_ARRAY(struct sw__notice) notices;
        struct sw__key_maker keys;
        SW_ARRAY(sw_key_id) found;   /* scratch of lookups */
        SW_ARRAY(sw_digest) digests; /* scratch of loading */
        sw_keystore *open_store;     /* has an open group of this many writes: */
        unsigned group_writes;
        int64_t group_since;
        struct sw__coverage coverage;
};

/* ---- for the host ---- */

SW_API struct sw__core *sw__core_new(const struct sw__host *host, void *arg,
                                     const struct sw__core_opts *opts);
/** sw__core_free - nothing is in flight and all jobs are gone. */
SW_API void sw__core_free(struct sw__core *c);

SW_API struct sw__job *sw__core_job_new(struct sw__core *c, sw_cacheset *cache,
                                        unsigned max_running, struct sw__story_job *story,
                                        void *cookie);
/** sw__core_job_end - solves end with SW_E_CANCELLED; the job is gone at job_idle. */
SW_API void sw__core_job_end(struct sw__core *c, struct sw__job *job);

/** sw__graph_check - every rule of solver.h that struct sw_graph has. Thread: any. */
SW_API SW_NODISCARD sw_err *sw__graph_check(const struct sw_graph *g);
/** sw__core_solve - @g: checked; ops are given. */
SW_API struct sw__csolve *sw__core_solve(struct sw__core *c, struct sw__job *job,
                                         const struct sw_graph *g, void *cookie);
/** sw__core_solve_cancel - @err: given. */
SW_API void sw__core_solve_cancel(struct sw__core *c, struct sw__csolve *s, sw_err *err);
/** sw__core_solve_free - after solve_done. */
SW_API void sw__core_solve_free(struct sw__core *c, struct sw__csolve *s);

SW_API void sw__core_finish(struct sw__core *c, struct sw__act *act);
/** sw__core_step - do a bounded amount of what there is to do; false: nothing is left. */
SW_API bool sw__core_step(struct sw__core *c);
/** sw__core_flush - commit, then tell. */
SW_API void sw__core_flush(struct sw__core *c);
/** sw__core_group_due - flush now, do not step on: the open group is large or
 *  old, or there is none and something is to be told. */
SW_API bool sw__core_group_due(struct sw__core *c);

/* Limits. */
struct sw_limit {
        char *name;
        uint64_t units, used;
        struct sw__vx *waiting; /* utlist by limit_prev, limit_next; first come first */
        struct sw_limit *next;  /* of the solver's */
};
SW_API void sw__core_limit_set(struct sw__core *c, sw_limit *l, uint64_t units);

/* The tables, for the model test and the trace. */
SW_API bool sw__edge_step_is_legal(unsigned state, unsigned event);
SW_API bool sw__run_step_is_legal(unsigned state, unsigned event);
SW_API const char *sw__edge_state_name(unsigned state);
SW_API const char *sw__edge_event_name(unsigned event);
SW_API const char *sw__run_state_name(unsigned state);
SW_API const char *sw__run_event_name(unsigned event);

SW_END_DECLS
#endif
