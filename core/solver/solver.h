/*
 * core/solver/solver.h - graphs of vertices in, results out, with the least possible work.
 *
 *      sw__solver_new(&opts, &solver)
 *      sw__job_new(solver, &job_opts, &job)            one build request
 *      sub = sw__job_subscribe(job)                    progress, any number, any time
 *      sw__solve_start(job, &graph, &solve)            one graph; a job may solve several
 *      sw__solve_wait(solve)                           or graph.done is called
 *      sw__solve_result(solve, i)                      borrowed from the solve
 *      sw__solve_free(solve)
 *      sw__job_close(job)                              cancels, waits, lets results go
 *      sw__solver_free(solver)
 *
 * Words: a *vertex* is an op with inputs; an *edge* is one output of a vertex. Vertices
 * with one digest are shared by all jobs that name them, as long as their inputs are shared
 * too, both ignore the cache or both use it, and the jobs use the same caches. A job keeps
 * what it named, results included, until it is closed; work is cancelled when no solve that
 * is still going wants it.
 *
 * What is promised of a solve:
 *   - an op runs only when no usable record is found for its definition keys, nor, where
 * its cache map asks for it, for its content keys; on a hit the inputs are not evaluated
 *   - two vertices that reach the same key do not run at once: the second waits for the
 * first, then takes its result or, when the first failed or was cancelled, goes on itself
 *   - the first failure ends the solve at once; it does not wait for other branches
 *   - when a solve is told to be done, its records are committed in the key store
 *
 * Thread: every function may be called from any thread, save that nothing may wait for
 * the solver from the scheduler's thread (that is from done callbacks and fast ops).
 */
#ifndef SLIPWAY_CORE_SOLVER_SOLVER_H
#define SLIPWAY_CORE_SOLVER_SOLVER_H

#include <slipway/cancel.h>
#include <slipway/digest.h>
#include <slipway/log.h>
#include <slipway/progress.h>

#include "core/solver/keystore.h"
#include "core/solver/op.h"

SW_BEGIN_DECLS

typedef struct sw_solver sw_solver;
typedef struct sw_job sw_job;
typedef struct sw_solve sw_solve;

/* ---- caches ---- */

/* A key store and where the results of its records come from. */
struct sw_cache_place {
        sw_keystore *keys;                     /* borrowed, outlives the solver */
        const struct sw_result_loader *loader; /* borrowed, outlives the solver */
};

/*
 * The places in which a job looks, best first. Place 0 is the local store, the same for
 * every job of a solver; the others are imported and only read. Jobs share vertices and
 * claims only when they have the same cache set object: what one job trusts another need
 * not. Counted.
 */
typedef struct sw_cacheset sw_cacheset;

#define SW_CACHESET_MAX 64

/** sw__cacheset_new - @places: copied; 1 <= @n <= SW_CACHESET_MAX. */
SW_API sw_cacheset *sw__cacheset_new(const struct sw_cache_place *places, size_t n);
SW_API sw_cacheset *sw__cacheset_ref(sw_cacheset *c);
SW_API void sw__cacheset_unref(sw_cacheset *c);

/* ---- solver ---- */

#define SW_LOG_MAX_DEFAULT   (2 * 1024 * 1024)
#define SW_LOG_SPEED_DEFAULT (200 * 1024)

struct sw_solver_opts {
        sw_cacheset *cache;           /* for jobs that bring none; ref'd */
        unsigned max_running;         /* ops at once in all; 0: number of processors */
        unsigned max_running_per_job; /* 0: as many as max_running */
        unsigned trace_events;        /* size of the trace ring; 0: 65536 */
        sw_log *log;                  /* borrowed; may be NULL */
        int spool_dirfd;              /* where long logs go, in an unlinked file; borrowed;
                                         -1: they stay in memory, as far as they are sent */
        /* What of a step's log is sent to subscribers, in bytes and bytes per second; what
         * is beyond is kept for those who want the whole. 0: as SW_LOG_*; -1: all. */
        int64_t log_max, log_speed;
};

/** sw__solver_new - starts the scheduler's and the janitor's thread.
 *  Errors: SW_E_INTERNAL, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw__solver_new(const struct sw_solver_opts *opts,
                                           sw_solver **out);
/** sw__solver_free - commit, join. All jobs have been closed and all solves freed by then.
 */
SW_API void sw__solver_free(sw_solver *s);

/** sw__solver_call - run @fn on the scheduler's thread and wait for it: the way to use the
 *  key store from outside (prune, export). @fn takes milliseconds at most. */
SW_API void sw__solver_call(sw_solver *s, void (*fn)(void *arg), void *arg);

/** sw__solver_settle - wait until what jobs that were closed before have let go of is
 *  released: results are, by the janitor, a little later. Not from a thread of the
 *  solver's. */
SW_API void sw__solver_settle(sw_solver *s);

/** sw__limit_new - a limit that vertices may name; lives as long as the solver.
 *  @name: copied, for the trace. @units: 0 means no limit. */
SW_API sw_limit *sw__limit_new(sw_solver *s, const char *name, uint64_t units);
/** sw__limit_set - change the number of units; what runs already is left alone. */
SW_API void sw__limit_set(sw_solver *s, sw_limit *l, uint64_t units);

/* ---- jobs ---- */

struct sw_job_opts {
        const char *id;       /* for logs; copied; may be NULL */
        sw_cancel *cancel;    /* cancels all its solves; ref'd; may be NULL */
        sw_cacheset *cache;   /* ref'd; NULL: the solver's, whose place 0 it must have */
        unsigned max_running; /* 0: the solver's max_running_per_job */
        /* What ops may have of this job while it is on loan to them (op.h). Borrowed until
         * sw__job_close() returns; may be NULL. */
        sw_session *session;
        void *client; /* the same, of whoever makes both jobs and ops */
};

/** sw__job_new - Errors: SW_E_INVALID: caches that do not begin with the solver's own. */
SW_API SW_NODISCARD sw_err *sw__job_new(sw_solver *s, const struct sw_job_opts *opts,
                                        sw_job **out);
/**
 * sw__job_close - end the job.
 * @job: given. Solves still going are cancelled. Returns when nothing runs any more that
 *       only this job wanted, and no op has it on loan; ops keep SW_CANCEL_GRACE_MS.
 *       Subscriptions see the end and stay usable until they are freed; solves stay valid
 *       until they are freed.
 * Blocks: yes; not from within sw__op_with_job() with this job.
 */
SW_API void sw__job_close(sw_job *job);

/* ---- solves ---- */

struct sw_vertex_input {
        uint32_t vertex; /* position in sw_graph.vertices, before the vertex itself */
        uint32_t output;
};

struct sw_vertex_group {
        const char *id;
        const char *name;
        bool weak;
};

struct sw_vertex {
        sw_digest digest;
        const struct sw_op_ops *ops;
        void *op; /* given to the solver, whether the solve starts or not */
        const struct sw_vertex_input *inputs;
        uint32_t n_inputs;
        uint32_t n_outputs;                  /* at least 1 */
        bool ignore_cache;                   /* no lookups; the result is stored */
        const char *name;                    /* for people; copied; may be NULL */
        const struct sw_vertex_group *group; /* copied; may be NULL */
        sw_limit *limit; /* what running it takes; may be NULL; for an op that waits for
                            the solver it does not count */
        uint64_t units;  /* of that limit; more than it has counts as all of it */
};

struct sw_graph {
        const struct sw_vertex *vertices; /* inputs before their consumers */
        uint32_t n_vertices;
        const struct sw_vertex_input *roots; /* edges whose results are wanted */
        uint32_t n_roots;
        /* done - called once, on the scheduler's thread, when the solve has ended; must not
         * block, must not free the solve; may come before sw__solve_start() returns; has
         * returned when sw__solve_wait() does. May be NULL. */
        void (*done)(void *arg, sw_solve *solve);
        void *arg;
};

/**
 * sw__solve_start - start solving a graph.
 * @graph: borrowed until return; ops are given.
 * @out:   handed back; release with sw__solve_free().
 * Errors: SW_E_INVALID: an input or root that is out of range, naming the vertex;
 *         SW_E_LIMIT: more than SW_GRAPH_MAX vertices or inputs; SW_E_CANCELLED: the job
 *         is being closed (the caller is an op that closing waits for).
 */
SW_API SW_NODISCARD sw_err *sw__solve_start(sw_job *job, const struct sw_graph *graph,
                                            sw_solve **out);
#define SW_GRAPH_MAX 4000000

/** sw__solve_cancel - end it with SW_E_CANCELLED, unless it has ended. @reason: copied. */
SW_API void sw__solve_cancel(sw_solve *s, const char *reason);

/**
 * sw__solve_wait - wait for the end.
 * Returns: SW_OK, or a copy of the error, handed back: the vertex is set in it where a step
 * failed (sw_err_vertex).
 * Blocks: yes; not from the scheduler's thread.
 */
SW_API SW_NODISCARD sw_err *sw__solve_wait(sw_solve *s);

/** sw__solve_result - result of root @i of a solve that has succeeded; borrowed. */
SW_API sw_result *sw__solve_result(const sw_solve *s, uint32_t i);
/** sw__solve_free - @s: given; cancelled if still going. Does not wait. */
SW_API void sw__solve_free(sw_solve *s);

/* ---- progress, why ---- */

/** sw__job_subscribe - see progress.h. The whole story so far comes first. */
SW_API sw_subscription *sw__job_subscribe(sw_job *job);
/** sw__job_subscribe_whole - the same, with all of the steps' logs
 * (sw_solver_opts.log_max).
 */
SW_API sw_subscription *sw__job_subscribe_whole(sw_job *job);

/** sw__job_why - why each vertex of this job that ran did so, in the order they ran.
 *  @fn: borrowed strings until return; false ends the walk. It must not call the solver. */
SW_API void sw__job_why(sw_job *job,
                        bool (*fn)(void *arg, const struct sw_progress_vertex *v),
                        void *arg);

/**
 * sw__job_step - a step of this job that is no vertex of a graph, such as an export: has
 * the job tell of it. What happens is told through story.h: sw__story_started(),
 * sw__story_ended(), sw__story_sink.
 * Returns: one reference, handed back; see sw__story_vertex_unref().
 */
struct sw__story_vertex;
SW_API struct sw__story_vertex *sw__job_step(sw_job *job, const sw_digest *digest,
                                             const char *name);

/** sw__job_warnings - what warnings for readers of this job alone go through, whatever
 *  vertex they are about: sw__story_warn(). One reference, handed back. */
SW_API struct sw__story_vertex *sw__job_warnings(sw_job *job);

/* ---- trace ---- */

/** sw__solver_dump_trace - write the ring of solver events to @fd, in the format that
 *  `slipway debug solve-trace` reads (trace.h). Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw__solver_dump_trace(sw_solver *s, int fd);

SW_DEFINE_AUTOPTR(sw_solver, sw__solver_free)
SW_DEFINE_AUTOPTR(sw_solve, sw__solve_free)
SW_DEFINE_AUTOPTR(sw_cacheset, sw__cacheset_unref)

SW_END_DECLS
#endif
