/*
 * core/solver/op.h - what the solver knows of an op: a table of functions.
 *
 * The solver works on abstract vertices: an op (this table and an opaque pointer), inputs
 * (outputs of other vertices) and a number of outputs. core/ops implements the table for
 * each kind of LLB operation; tests use fakes.
 *
 * For one vertex the solver calls, each at most once at a time and never again after
 * success:
 *
 *      cache_map(0)            always first; says how the vertex is looked up
 *      cache_map(1), (2)...    while the last one said 'more' and no record was found
 *      content_key(input)      only for inputs that cache map 0 declares, once the input
 *                              has its result
 *      execute                 when nothing was found
 *      changed_paths(input)    to explain a miss; after execute, optional
 *
 * A call that fails with SW_E_CANCELLED after it was cancelled may be made again later.
 *
 * For whom an op works. A vertex is shared by all jobs that named it; they come and go
 * while its op runs, the one that brought the op not excepted, and the op outlives it. So
 * an op keeps nothing that belongs to a job, and no function here is told of one. What it
 * needs of a job (the session for a secret, a directory or credentials, the job itself for
 * a solve inside of this one) it gets on loan, for as long as a function of its own lasts:
 *
 *      static sw_err *
 *      ask(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
 *      {
 *              struct secret *s = arg;
 *              return sw_session_secret(job->session, ctx, s->id, &s->value);
 *      }
 *      ...
 *      err = sw__op_with_job(call, ask, &secret);
 *
 * Progress and log of the op go to all the jobs that hold the vertex, those that come late
 * included, whichever job is on loan.
 *
 * Thread: workers, unless a flag says that the function may run on the scheduler's thread.
 * A function called there must not block, touch files or take more than microseconds; its
 * ctx has no progress and is never cancelled.
 */
#ifndef SLIPWAY_CORE_SOLVER_OP_H
#define SLIPWAY_CORE_SOLVER_OP_H

#include <slipway/array.h>
#include <slipway/ctx.h>
#include <slipway/session.h>

#include "core/solver/keystore.h"

SW_BEGIN_DECLS

/* ---- results ---- */

/* The result of one output: an opaque, counted, immutable object with a name. */
typedef struct sw_result sw_result;

struct sw_result_ops {
        uint32_t size; /* sizeof as compiled */
        /* release - the last reference is gone. Called on the solver's janitor thread where
         * the solver held the last one, otherwise by whoever did. May block. */
        void (*release)(void *data);
};

/**
 * sw__result_new - a result with one reference, handed to the caller.
 * @id:  "<worker>::<ref>", the name that load() of the result store finds it by; copied.
 *       NULL: it cannot be found again, so nothing is stored for it.
 * Thread: any.
 */
SW_API sw_result *sw__result_new(const char *id, const struct sw_result_ops *ops,
                                 void *data);
SW_API sw_result *sw__result_ref(sw_result *r);
SW_API void sw__result_unref(sw_result *r);
SW_API void *sw__result_data(const sw_result *r);
SW_API const char *sw__result_id(const sw_result *r); /* borrowed; may be NULL */

/* Where results named by the records of a key store come from. */
struct sw_result_loader {
        uint32_t size; /* sizeof as compiled */
        bool fast;     /* load() may run on the scheduler's thread */
        void *self;
        /**
         * load - the result with that id, lazily: no data moves that is not needed to know
         * that it is there.
         * @out: handed back. Its id names the result in the local store; for an imported
         *       cache that differs from @id.
         * Errors: any but SW_E_CANCELLED mean that the result is gone: its record is
         * dropped and the op runs.
         */
        sw_err *(*load)(void *self, sw_ctx *ctx, const char *id, sw_result **out);
};

/* ---- ops ---- */

/* How one input takes part in a vertex's keys. */
struct sw_cache_dep {
        char *selector; /* given, from malloc; NULL: none. At most SW_KEY_TEXT_MAX bytes */
        bool content;   /* content_key() says what of this input matters */
};

struct sw_cache_map {
        char digest[SW_KEY_TEXT_SIZE]; /* "sha256:…", or "random:…" never to be found again
                                        */
        bool more;                     /* there is another cache map, with the next index */
        /* One per input, zeroed by the solver. Read for index 0 only: later maps differ in
         * their digest alone. NULL when the vertex has no inputs. */
        struct sw_cache_dep *deps;
};

enum sw_op_flags {
        SW_OP_FAST_CACHE_MAP = 1,   /* cache_map may run on the scheduler's thread */
        SW_OP_FAST_EXECUTE = 2,     /* execute may, too */
        SW_OP_FAST_CONTENT_KEY = 4, /* content_key may, too */
        /* execute itself waits for a solve (a build inside a build): it takes no place
         * among the running ops and no units of a limit, which could otherwise all be held
         * by ops that wait for one more. */
        SW_OP_WAITS_FOR_SOLVER = 8,
};

/* ---- for whom ---- */

/* One call of a function of an op, while it lasts. */
typedef struct sw_op_call sw_op_call;

/* A job on loan to an op. */
struct sw_op_job {
        struct sw_job
                *job; /* to solve in; NULL but in execute with SW_OP_WAITS_FOR_SOLVER */
        sw_session *session; /* as in struct sw_job_opts; may be NULL */
        void *client;        /* the same */
};

/**
 * sw__op_with_job - do what needs a job, with a job that holds the op's vertex.
 * @call: from the function of the op that is being called; any of its threads.
 * @fn:   called with @arg and one job after the other, those with a solve going first,
 *        each job at most once; each call begins anew. The first that succeeds ends it.
 *        Another job is asked after SW_E_NOT_FOUND, SW_E_DENIED and SW_E_UNSUPPORTED,
 *        and after any error where the job was closed or cancelled meanwhile.
 *        @ctx:  borrowed: the call's, cancelled also when the job is closed or
 *               cancelled; @fn heeds it (SW_CANCEL_GRACE_MS), sw__job_close() waits.
 *        @job:  borrowed with all that is in it until @fn returns.
 * Returns: what the call of @fn that ended it returned; the first error where no job
 *        could help; SW_E_CANCELLED when no job wants the vertex any more.
 * Thread: any but the scheduler's: functions that run there (@call is NULL) have none.
 * Blocks: for as long as @fn does.
 */
SW_API SW_NODISCARD sw_err *sw__op_with_job(sw_op_call *call,
                                            sw_err *(*fn)(void *arg, sw_ctx *ctx,
                                                          const struct sw_op_job *job),
                                            void *arg);

/* ---- the table ---- */

struct sw_op_ops {
        uint32_t size;  /* sizeof as compiled */
        uint32_t flags; /* enum sw_op_flags */
        /* In all of them, @call and @ctx are borrowed until return; @call is NULL on the
         * scheduler's thread. */
        /**
         * cache_map - the definition key with this index.
         * @out: zeroed, deps allocated. What is in it is given to the solver, also on
         * error.
         */
        sw_err *(*cache_map)(void *op, sw_op_call *call, sw_ctx *ctx, unsigned index,
                             struct sw_cache_map *out);
        /**
         * content_key - the digest of what the op uses of an input. May be NULL when no
         * cache map declares content.
         * @in:  the input's result; borrowed.
         * @out: text form, "sha256:…" or "random:…".
         */
        sw_err *(*content_key)(void *op, sw_op_call *call, sw_ctx *ctx, unsigned input,
                               sw_result *in, char out[SW_KEY_TEXT_SIZE]);
        /**
         * execute - do the work.
         * @in:  results of the inputs, borrowed.
         * @out: @n_out places, NULL at first; all of them are set on success (handed back),
         *       none on error.
         */
        sw_err *(*execute)(void *op, sw_op_call *call, sw_ctx *ctx, sw_result *const *in,
                           size_t n_in, sw_result **out, size_t n_out);
        /**
         * changed_paths - which files made the content digest of @input differ from
         * @before, what it was when this op ran last. May be NULL. Best effort: errors are
         * dropped.
         * @paths: at most some dozens, most telling first.
         */
        sw_err *(*changed_paths)(void *op, sw_op_call *call, sw_ctx *ctx, unsigned input,
                                 sw_result *in, const char *before, const char *now,
                                 sw_strlist *paths);
        /** free - the vertex is gone. Called on the janitor thread. */
        void (*free)(void *op);
};

/* ---- limits ---- */

/*
 * A limit is a number of units that running ops share: 'four execs at once', 'so many bytes
 * of memory'. An op acquires the units its vertex names before it runs and releases them
 * after; one that waits for the solver takes none. Limits belong to a solver (solver.h);
 * the scheduler alone touches them.
 */
typedef struct sw_limit sw_limit;

SW_END_DECLS
#endif
