/*
 * core/solver/host.h - the core on threads: what solver.c and host.c share.
 */
#ifndef SLIPWAY_CORE_SOLVER_HOST_H
#define SLIPWAY_CORE_SOLVER_HOST_H

#include <pthread.h>

#include <slipway/pool.h>

#include "core/solver/core.h"
#include "core/solver/inbox.h"

/* An act on its way: to a worker and back. */
struct sw__flight;

/* What a job has for the workers: see work.c. All of it is the scheduler's. */
struct sw__workload {
        struct sw__flight *waiting, *going; /* utlist */
        unsigned n_waiting, n_going;
        bool in_turn;
        struct sw__workload *prev, *next; /* in solver->turns */
};

/* Something whose release may block. */
struct sw__garbage {
        sw_result *result; /* or: */
        const struct sw_op_ops *ops;
        void *op;
};

struct sw_solver {
        /* Set before the thread starts. */
        struct sw__core *core; /* the scheduler's */
        struct sw__story *story;
        sw_cacheset *cache;
        sw_log *log;
        unsigned max_per_job;
        sw_pool *runs;    /* ops */
        sw_pool *work;    /* cache maps, content keys, loads */
        sw_pool *waits;   /* ops that wait for the solver */
        sw_pool *janitor; /* one thread */
        sw_ctx *fast_ctx;
        pthread_t thread;
        struct sw__inbox inbox;
        /* The scheduler's. */
        SW_ARRAY(struct sw__garbage) garbage;
        unsigned n_waits;            /* ops running in waits */
        unsigned n_work;             /* calls given to work */
        struct sw__workload *turns;  /* utlist: who has a call to give, in turn */
        struct sw__workload orphans; /* of vertices that no job holds any more */
        uint64_t problems;
        bool stopping;
        /* Under lock. */
        pthread_mutex_t lock;
        pthread_cond_t ended; /* a call, a solve or a job has */
        sw_limit *limits;
};

struct sw_job {
        sw_solver *solver;
        struct sw__job *core; /* the scheduler's */
        struct sw__story_job *story;
        sw_cancel *cancel;
        uint64_t cancel_handle;
        struct sw__message cancel_message;
        sw_session *session;
        void *client;
        /* The scheduler's. */
        struct sw__loan *loans;
        struct sw__workload work;
        /* Under lock. */
        bool idle;
        unsigned n_loans;
};

/* What functions of ops are called with. */
struct sw_op_call {
        sw_solver *solver;
        struct sw__act *act;
        sw_cancel *token; /* its act's */
};

struct sw_solve {
        int refs; /* atomic: the user's, the core's */
        sw_solver *solver;
        struct sw__csolve *core; /* the scheduler's */
        void (*done_fn)(void *arg, sw_solve *solve);
        void *arg;
        bool done; /* under lock; when true the rest is fixed */
        sw_result **results;
        uint32_t n_results;
        sw_err *err;
};

struct sw__flight {
        struct sw__message message;
        struct sw_op_call call;
        /* work.c: the scheduler's. */
        struct sw__workload *load; /* that it waits in or counts in; NULL: none */
        bool waiting;
        struct sw__flight *prev, *next;
};

extern const struct sw__host sw__thread_host;

/* Take off now. Thread: scheduler. */
void sw__flight_start(sw_solver *s, struct sw__flight *f, sw_pool *pool);

/* ---- work.c; thread: scheduler ---- */

#define SW__WORK_MAX     128 /* calls at once */
#define SW__WORK_JOB_MAX 32  /* for one job */

/* Start @f when it is its job's turn. */
void sw__work_add(sw_solver *s, struct sw__flight *f);
/* @f, started by sw__work_add, is back. */
void sw__work_done(sw_solver *s, struct sw__flight *f);
/* Take @f out when it has not been started; false: it has. */
bool sw__work_remove(sw_solver *s, struct sw__flight *f);
/* @job is over, what it had is others' now. */
void sw__work_job_gone(sw_solver *s, sw_job *job);

/* Give what has been let go of to the janitor. Thread: scheduler. */
void sw__host_sweep(sw_solver *s);
/* The same for what another thread lets go of; given, from malloc. Thread: any. */
void sw__host_dispose(sw_solver *s, struct sw__garbage *g, size_t n);

/* Wait until the janitor did what it was given so far. Thread: any but the solver's. */
void sw__host_await_sweep(sw_solver *s);

/* Cancel what ops do with @job: they are to give it back. Thread: scheduler. */
void sw__loans_recall(sw_job *job);
/** sw__op_lend - for sw_ctx_set_lender(): the session of a job on loan; @lender: the
 *  sw_op_call. */
SW_NODISCARD sw_err *sw__op_lend(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg);

void sw__solve_unref(sw_solve *solve);

#endif
