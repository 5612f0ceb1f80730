/*
 * core/ops/exec.h - what the files of the exec op share.
 *
 *      exec.c         one command: everything in order, and back in reverse
 *      execmount.c    what it mounts, and what comes out of that
 *      execcache.c    cache mounts, and who shares them
 *      execprivate.c  secrets and agents' sockets, on a tmpfs that is attached nowhere
 *      execio.c       what it prints, and the bytes of agents: a poll loop on another
 * thread execfail.c     what to say when it fails, what it used execrunning.c  which
 * processes run commands execdebug.c    the roots of failed commands, kept to be looked
 * into entitlement.c  what it may: the only place that says so
 */
#ifndef SLIPWAY_CORE_OPS_EXEC_H
#define SLIPWAY_CORE_OPS_EXEC_H

#include <pthread.h>

#include <slipway/executor.h>

#include "core/ops/internal.h"

/* ---- entitlement.c ---- */

/* What a container asks for that needs leave. */
struct sw__exec_wish {
        bool network_host, insecure;
        const char *device; /* one; NULL: none */
};
/** sw__entitled - every way to a container passes here. Errors: SW_E_DENIED. */
SW_API SW_NODISCARD sw_err *sw__entitled(const struct sw_ops_job *job,
                                         const struct sw__exec_wish *wish);

/* ---- execcache.c ---- */

/* A cache mount in use. */
struct sw__cache_use {
        struct sw__cache *shared; /* or NULL: layer is this user's alone */
        sw_layer *layer;
        struct sw_snapshot_mount m; /* whose descriptors are this user's if own is set */
        bool own;
};
/** sw__cache_name - what sw_worker_take() knows it by. From malloc. */
char *sw__cache_name(const char *id, const sw_ref *parent);
SW_NODISCARD sw_err *sw__cache_take(const struct sw_ops_env *env, sw_ctx *ctx,
                                    const char *name, Pb__CacheSharingOpt sharing,
                                    sw_ref *parent, const char *description,
                                    struct sw__cache_use *out);
/** sw__cache_give_back - @u: given. What was written stays. */
SW_NODISCARD sw_err *sw__cache_give_back(const struct sw_ops_env *env,
                                         struct sw__cache_use *u);
/** sw__cache_drop - remove the tree of that name, unless somebody uses it. */
SW_NODISCARD sw_err *sw__cache_drop(const struct sw_ops_env *env, sw_ctx *ctx,
                                    const char *name);

/* ---- one command ---- */

struct sw__exec;

/* A socket in the container that stands for an agent of the client. */
struct sw__exec_agent {
        sw_fd listener;
        const char *id; /* borrowed */
};

/* The tmpfs of secrets and sockets. */
struct sw__exec_private {
        sw_fd tree; /* -1: not needed so far */
        unsigned n;
        SW_ARRAY(struct sw__exec_agent) agents;
};

/* One mount of the definition. */
struct sw__exec_place {
        const Pb__Mount *pb;
        char *dest;    /* absolute, cleaned */
        sw_ref *input; /* held; a ref of the worker, or one that can be viewed; or NULL */
        bool has_output;
        bool keeps_input; /* its output is its input */
        char *cache_name;
        bool cache_taken;
        struct sw__cache_use cache;
        sw_layer *layer; /* written on; or NULL */
        struct sw_snapshot_mount view;
        bool viewed;
        const struct sw_snapshot_mount *m; /* of any of these */
        sw_fd fd;                          /* what is mounted */
        bool skipped;                      /* optional, and not there */
};

struct sw__exec {
        const struct sw_ops_env *env;
        const char *vertex; /* digest */
        const Pb__ExecOp *pb;
        const sw_platform *platform;
        const struct sw_llb_resources *resources; /* or NULL */
        sw_op_call *call;
        const struct sw_ops_shell *shell; /* somebody is in what it left; or NULL */
        sw_ctx *ctx;
        char *command; /* the arguments with blanks between */
        struct sw__exec_place *places;
        size_t n_places, root; /* root: index of the one at "/" */
        struct sw__exec_private priv;
        struct sw__exec_io *io; /* while what it prints is read */
        sw_strlist env_list;
        SW_ARRAY(int) trees;
        SW_ARRAY(struct sw_exec_mount) mounts;
        struct sw_exec_status status;
};

/* execmount.c */
SW_NODISCARD sw_err *sw__exec_open_places(struct sw__exec *x, sw_ref *const *in);
/** sw__exec_plan_mounts - trees and mounts for the executor, parents first. */
void sw__exec_plan_mounts(struct sw__exec *x);
/** sw__exec_outputs - commit; @out: handed back. */
SW_NODISCARD sw_err *sw__exec_outputs(struct sw__exec *x, sw_ref **out, size_t n_out);
/** sw__exec_close_places - what is left: unmounted, given back, dropped. */
SW_NODISCARD sw_err *sw__exec_close_places(struct sw__exec *x);

/* execprivate.c */
/** sw__exec_secret, sw__exec_agent - *fd: O_PATH of the file or socket, handed back; -1
 *  when it is optional and the client has none. */
SW_NODISCARD sw_err *sw__exec_secret(struct sw__exec *x, const Pb__SecretOpt *o, int *fd);
SW_NODISCARD sw_err *sw__exec_agent(struct sw__exec *x, const Pb__SSHOpt *o, int *fd);
SW_NODISCARD sw_err *sw__exec_secret_env(struct sw__exec *x);
SW_NODISCARD sw_err *sw__exec_open_agent(struct sw__exec *x, const char *id, int *fd);
void sw__exec_private_release(struct sw__exec *x);

/* execio.c */
SW_NODISCARD sw_err *sw__exec_io_start(struct sw__exec *x);
/** sw__exec_io_end - what the command gets as standard output (1) or error (2); borrowed.
 *  -1: not started. */
int sw__exec_io_end(const struct sw__exec *x, int stream);
/** sw__exec_io_stop - everything that was printed has been told. */
void sw__exec_io_stop(struct sw__exec *x);

/* execfail.c */
/** sw__exec_judge - whether the command did well; its error if not. */
SW_NODISCARD sw_err *sw__exec_judge(struct sw__exec *x);
void sw__exec_tell_usage(const struct sw__exec *x);
/** sw__exec_failed - "process … did not complete successfully: " before @err (given). */
SW_NODISCARD sw_err *sw__exec_failed(const struct sw__exec *x, sw_err *err);

/* execdebug.c */
/** sw__exec_keep - keep the root of a command that failed with @err (given). */
SW_NODISCARD sw_err *sw__exec_keep(struct sw__exec *x, sw_err *err);

/* exec.c */
#define SW__EXEC_DEFAULT_PATH                                                              \
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/** sw__exec_network - the name that executors know the mode by; static. */
const char *sw__exec_network(Pb__NetMode mode);
/* execrunning.c */
/** sw__running_note - that this process runs commands by the executor of that name. */
SW_NODISCARD sw_err *sw__running_note(const struct sw_ops_env *env, const char *executor);

/* exec.c */
/** sw__exec_init - the rest of @x is filled in: what @op says is run in @env. */
void sw__exec_init(struct sw__exec *x, const struct sw_ops_env *env, sw_ctx *ctx,
                   const Pb__ExecOp *op);
/** sw__exec_run - everything is open: run it to its end, for better or worse. */
SW_NODISCARD sw_err *sw__exec_run(struct sw__exec *x);
/** sw__exec_close - all that was opened, and what is in @x. */
SW_NODISCARD sw_err *sw__exec_close(struct sw__exec *x);
/** sw__exec_find - the executor. @to_run: something is to be run by it. */
SW_NODISCARD sw_err *sw__exec_find(const struct sw_ops_env *env, bool to_run,
                                   const struct sw_executor_ops **ops, void **self);

#endif
