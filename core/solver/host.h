/*
 * core/solver/host.h - the core on threads: what solver.c and host.c share.
 */
#ifndef SLIPWAY_CORE_SOLVER_HOST_H
#define SLIPWAY_CORE_SOLVER_HOST_H

#include <pthread.h>

#include <slipway/pool.h>

#include "core/solver/core.h"
#include "core/solver/inbox.h"

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
        unsigned n_waits; /* ops running in waits */
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
        struct sw__loan *loans; /* the scheduler's */
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
        uint64_t location;
};

extern const struct sw__host sw__thread_host;

/* Give what has been let go of to the janitor. Thread: scheduler. */
void sw__host_sweep(sw_solver *s);
/* The same for what another thread lets go of; given, from malloc. Thread: any. */
void sw__host_dispose(sw_solver *s, struct sw__garbage *g, size_t n);

/* Cancel what ops do with @job: they are to give it back. Thread: scheduler. */
void sw__loans_recall(sw_job *job);

void sw__solve_unref(sw_solve *solve);

#endif
