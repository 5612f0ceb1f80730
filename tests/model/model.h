/*
 * tests/model/model.h - a small world for the solver's core: what ops mean, what results
 * are worth, and a naive evaluator to compare with.
 *
 *   world.c         meanings, graphs, results, the naive evaluator
 *   need.c          what a build has to evaluate, found naively
 *   drive.c         the core's host: every decision about order is made by choose()
 *   scenario.c      small worlds for which every order is tried
 *   solver_model.c  random worlds, coverage, verdict
 *
 * Meaning. A *sense* is what an op does: its value is a hash of the sense, the output and
 * what it uses of its inputs: of an input with a content key only the content, which throws
 * most of the value away. All that the solver may tell ops apart by follows from the sense
 * (and from a variant that must not matter), so whatever comes out of a cache must equal
 * what the naive evaluator makes of the same graph.
 */
#ifndef SLIPWAY_TESTS_MODEL_H
#define SLIPWAY_TESTS_MODEL_H

#include <slipway/map.h>

#include "core/solver/core.h"

#define MAX_VX      16
#define MAX_IN      4
#define MAX_OUT     3
#define MAX_SENSE   24
#define MAX_JOBS    5
#define MAX_SOLVES  10
#define LIMIT_UNITS 4 /* at most */

/* ---- decisions ---- */

struct chooser {
        uint64_t rng; /* state; used when not exhaustive */
        bool exhaustive;
        uint8_t *path; /* exhaustive: decisions so far, and how many ways each had */
        uint8_t *ways;
        size_t n, cap, depth;
};

/* 0 <= result < n. */
unsigned choose(struct chooser *ch, unsigned n);
bool chance(struct chooser *ch, unsigned percent);
/* To the next path; false when all were taken. */
bool choose_next(struct chooser *ch);

/* ---- meaning ---- */

struct sense {
        uint64_t id;
        unsigned n_in, n_out, n_maps;
        unsigned content;   /* bits: inputs with a content key */
        unsigned collapse;  /* content = value mod this; 0: the value itself */
        unsigned selectors; /* bits: inputs with a selector */
        bool is_volatile;
        bool content_volatile;
        bool runs_ill, maps_ill, contents_ill; /* calls that fail */
        unsigned variant;                      /* in the first cache map only */
};

struct mvx {
        struct sense *sense;
        sw_digest digest;
        struct sw_vertex_input in[MAX_IN];
        uint64_t kid;  /* equal for vertices that a key makes equal: same op over equal
                          inputs, or over other ones whose content is equal */
        bool tainted;  /* no such key is ever stored: something in it is volatile */
        bool unsteady; /* something in its closure is volatile */
        bool ill;      /* something in its closure can fail */
};

struct world {
        struct chooser ch;
        struct sense senses[MAX_SENSE];
        unsigned n_senses;
        struct mvx vx[MAX_VX];
        unsigned n_vx;
        sw_keystore *local, *remote;
        sw_cacheset *set[2];     /* local alone; local and remote */
        sw_cacheset *remote_set; /* to fill the remote store with */
        struct sw_result_loader loader, remote_loader;
        sw_map *results; /* id -> struct stored */
        uint64_t next_result;
        long live_results; /* objects */
        long live_ops;
        uint64_t digests;  /* ever made */
        sw_map *succeeded; /* kids that have a stored result */
        unsigned drives;   /* ever made */
        bool closures;     /* solves name what they need, nothing else */
};

/* What is behind a result id. */
struct stored {
        uint64_t value;
        bool gone;
        unsigned drive; /* in which it was made */
        bool ignoring;  /* by a run that ignored the cache */
};

void world_init(struct world *w, uint64_t seed);
void world_release(struct world *w);
void world_new_graph(struct world *w);
void world_plain_graph(struct world *w); /* in which every op has a sense of its own */
void world_mutate(struct world *w);
void world_learn(struct world *w); /* kids and flags, after the graph has changed */
struct sense *world_sense(struct world *w, unsigned n_in);
unsigned world_add(struct world *w, struct sense *s, const struct sw_vertex_input *in);

uint64_t naive_value(const struct world *w, unsigned v, unsigned output);
uint64_t sense_value(const struct sense *s, unsigned output, const uint64_t *in);
void sense_map(const struct sense *s, unsigned index, struct sw_cache_map *out);
void sense_content(const struct sense *s, unsigned input, uint64_t value,
                   char out[SW_KEY_TEXT_SIZE]);

sw_result *result_make(struct world *w, const char *worker, uint64_t value);
uint64_t result_value(const sw_result *r);
struct stored *result_find(struct world *w, const char *id);
/* Some results are no more; @released: and the key store is told. */
void world_lose_results(struct world *w, unsigned percent);

/* ---- what is to be evaluated ---- */

/* By vertex, as bits. */
struct need {
        unsigned runs;
        unsigned loads[MAX_VX];    /* of outputs */
        unsigned contents[MAX_VX]; /* of inputs */
};

/* For one solve of @root from the stores as they are. Every op has a sense of its own and
 * can not fail. @places: 1: local alone; 2: and remote. */
void naive_need(struct world *w, unsigned places, struct sw_vertex_input root,
                struct need *need);

/* ---- driving ---- */

struct mjob {
        struct sw__job *job;
        bool idle;
};

struct msolve {
        struct sw__csolve *s;
        unsigned job;
        unsigned n_roots;
        struct sw_vertex_input roots[2];
        unsigned ignore;
        bool cancelled; /* by us, or its job was ended */
        bool done;
};

struct drive {
        struct world *w;
        struct sw__core *core;
        SW_ARRAY(struct sw__act *) pending;
        struct mjob jobs[MAX_JOBS];
        unsigned n_jobs;
        struct msolve solves[MAX_SOLVES];
        unsigned n_solves;
        sw_limit limit;
        int64_t clock;
        unsigned max_running, job_max;
        sw_map *running;                          /* kid -> struct sw__act */
        unsigned n_run, n_load, n_content, n_map; /* acts ever */
        unsigned n_taken_back;                    /* cancelled, maps apart */
        struct need did;
        unsigned number;
        bool importing; /* fills the remote store */
        bool one_set;
};

void drive_init(struct drive *d, struct world *w, unsigned step_events);
unsigned drive_job(struct drive *d, sw_cacheset *set);
/* @ignore: bits of vertices that ignore the cache. */
void drive_solve(struct drive *d, unsigned job, const struct sw_vertex_input *roots,
                 unsigned n_roots, unsigned ignore);
void drive_cancel(struct drive *d, unsigned solve);
void drive_end_job(struct drive *d, unsigned job);
void drive_finish(struct drive *d, unsigned pending);
bool drive_step(struct drive *d);
void drive_flush(struct drive *d);
/* Until nothing is left to do; every solve has ended by then, or it is an error. */
void drive_drain(struct drive *d);
/* Ends jobs, checks for leaks. */
void drive_release(struct drive *d, struct sw__coverage *sum);

/* ---- verdict ---- */

extern struct drive *now_driving; /* for the report of a failure */
extern uint64_t now_seed;
/* Print seed and trace, exit. */
void model_fail(const char *fmt, ...) SW_PRINTF(1, 2) __attribute__((noreturn));

/* scenario.c: try every order of some small worlds; how many runs it took. */
unsigned n_scenarios(void);
uint64_t scenario_explore(unsigned n, uint64_t limit, const char **name, bool *complete,
                          struct sw__coverage *sum);

#endif
