/*
 * core/ops/ops.h - the ops of LLB for the solver: from a definition to a graph.
 *
 * Each kind of op has one file: source.c, exec.c, file.c, merge.c, diff.c, build.c; what a
 * cache map digests is in cachemap.c (Go's JSON, byte for byte). An op's result is an
 * sw_ref; sw__ops_result_ref() gets it out of an sw_result.
 */
#ifndef SLIPWAY_CORE_OPS_OPS_H
#define SLIPWAY_CORE_OPS_OPS_H

#include <slipway/definition.h>
#include <slipway/executor.h>
#include <slipway/pool.h>
#include <slipway/session.h>

#include "core/solver/solver.h"
#include "core/source/manager.h"
#include "core/store/refs.h"

SW_BEGIN_DECLS

/* What a build may ask for; checked in one place: entitlement.c. */
enum {
        SW_ALLOW_NETWORK_HOST = 1,
        SW_ALLOW_SECURITY_INSECURE = 2,
        SW_ALLOW_DEVICE = 4, /* every one; single ones are named in sw_ops_job.devices */
};

/* Cache mounts that several commands of this process write on at once. */
typedef struct sw_caches sw_caches;
SW_API sw_caches *sw__caches_new(void);
SW_API void sw__caches_free(sw_caches *c); /* no command runs any more; NULL is fine */

/* That commands run, for who finds this process killed. */
typedef struct sw_running sw_running;
SW_API sw_running *sw__running_new(void);
SW_API void sw__running_free(sw_running *r); /* no command runs any more; NULL is fine */

/* Builds inside builds that run, of all jobs of an engine. */
typedef struct sw_nests sw_nests;
SW_API sw_nests *sw__nests_new(void);
SW_API void sw__nests_free(sw_nests *n); /* none runs any more; NULL is fine */

/* What ops work with: the same for all jobs of an engine. */
struct sw_ops_env {
        sw_root *root;
        sw_worker *worker;
        sw_sources *sources;
        sw_host *host;           /* executors are asked for when the first command runs */
        const char *executor;    /* "auto", "runc", … */
        const sw_config *config; /* or NULL */
        sw_log *log;
        sw_limit *exec_limit; /* or NULL */
        int debug_kept_for_s; /* keep roots of failed commands so long; 0: not */
        sw_caches *caches;    /* NULL: shared cache mounts are not shared */
        sw_running *running;  /* NULL: nobody sweeps after a process that was killed */
        sw_nests *nests;      /* NULL: a build inside a build may wait for itself */
        sw_pool *readers;     /* of what commands print: one thread for each that runs */
};

/* What they do it for: one build. It is the `client` of the job's struct sw_job_opts, so
 * that a build inside it, which borrows the job, may do what the outer one may. */
struct sw_ops_job {
        unsigned allowed;          /* SW_ALLOW_… */
        const sw_strlist *devices; /* that it may have: "vendor/class=name", or the class
                                      for all of it; NULL: none */
        unsigned depth; /* builds inside builds that this is in; 0 outside of all */
};

/**
 * sw__ops_graph - the graph of a definition.
 * @env, @job: borrowed; live until the solve has ended and the job was closed.
 * @def:  ref'd or copied where needed: may be freed after return.
 * @no_cache: no vertex looks in the cache.
 * @out:  vertices and roots from malloc; give the ops to sw__solve_start(), then release
 *        the rest with sw__ops_graph_release().
 * Errors: SW_E_DENIED: an entitlement that is missing ("network.host is not allowed"),
 * SW_E_INVALID, SW_E_UNSUPPORTED.
 */
SW_API SW_NODISCARD sw_err *sw__ops_graph(const struct sw_ops_env *env,
                                          const struct sw_ops_job *job,
                                          const sw_definition *def, bool no_cache,
                                          struct sw_graph *out);
SW_API void sw__ops_graph_release(struct sw_graph *g);

/** sw__ops_result_ref - borrowed from the result; NULL: the empty tree. */
SW_API sw_ref *sw__ops_result_ref(const sw_result *r);

/* A command in place of one that failed: in its root as it was left, with its mounts. What
 * is not there, as secrets that @session does not give again, is told to the log of @ctx.
 * Everything is borrowed until return. */
struct sw_ops_shell {
        sw_ctx *ctx;
        const char *kept;        /* the ref, as kept.h has it */
        const char *container;   /* id by which it is resized and signalled */
        unsigned allowed;        /* SW_ALLOW_… */
        const char *const *args; /* NULL-ended; NULL: /bin/sh */
        const char *const *env;  /* NULL-ended; besides what the command had */
        const char *user;        /* NULL: the command's */
        int fds_std[3];          /* -1: none */
        bool terminal;
        sw_session *session;        /* secrets and agents; or NULL */
        void (*started)(void *arg); /* or NULL */
        void *arg;
};
/** sw__ops_shell - run it to its end. What it writes is dropped, but in caches.
 *  Errors: SW_E_NOT_FOUND (nothing is kept of that name, or no longer), SW_E_DENIED (the
 *  command had an entitlement that is not in @allowed), those of the executor's run(). */
SW_API SW_NODISCARD sw_err *sw__ops_shell(const struct sw_ops_env *env,
                                          const struct sw_ops_shell *r,
                                          struct sw_exec_status *out);
SW_API SW_NODISCARD sw_err *sw__ops_shell_resize(const struct sw_ops_env *env, sw_ctx *ctx,
                                                 const char *container, unsigned rows,
                                                 unsigned columns);
SW_API SW_NODISCARD sw_err *sw__ops_shell_signal(const struct sw_ops_env *env, sw_ctx *ctx,
                                                 const char *container, int sig);

/** sw__running_sweep - have what processes that were killed left of their commands cleared
 *  away. Does next to nothing when there were none. */
SW_API void sw__running_sweep(const struct sw_ops_env *env);

/** sw__ops_loader - results of the local store by id; @env: borrowed for its life. */
SW_API void sw__ops_loader(const struct sw_ops_env *env, struct sw_result_loader *out);

SW_END_DECLS
#endif
