/*
 * slipway/executor.h - the executor kind: processes in containers.
 */
#ifndef SLIPWAY_EXECUTOR_H
#define SLIPWAY_EXECUTOR_H

#include <slipway/plugin.h>

SW_BEGIN_DECLS

/* A mount the core prepared: source path on the host, target inside. */
struct sw_exec_mount {
        const char *type; /* "bind", "tmpfs", … */
        const char *source;
        const char *target;
        const char *const *options; /* NULL-ended */
};

struct sw_exec_process {
        uint32_t size;
        const char *const *args; /* NULL-ended, at least one */
        const char *const *env;  /* NULL-ended "K=V" */
        const char *cwd;         /* absolute, inside */
        const char *user;        /* "", name, uid, uid:gid, name:group */
        int fds_std[3];          /* borrowed; -1: none */
        bool terminal;           /* fds_std[0] is a pty's slave side */
};

struct sw_exec_container {
        uint32_t size;
        const char *id;       /* checked by sw_id_check */
        int rootfd;           /* borrowed; the mounted root file system */
        const char *rootpath; /* the same as a path, for runtimes that need one */
        bool readonly;
        const struct sw_exec_mount *mounts;
        size_t n_mounts;
        const char *hostname;      /* or NULL */
        const char *network;       /* "sandbox", "host", "none", or a network's name */
        bool insecure;             /* the entitlement was checked by the core */
        const char *cgroup_parent; /* or NULL */
};

struct sw_exec_status {
        uint32_t size;
        bool signalled;
        bool out_of_memory;
        int value;                                        /* exit status or signal number */
        int64_t cpu_ns, memory_peak, io_read, io_written; /* -1: not known */
};

struct sw_executor_ops {
        struct sw_ops_hdr hdr;
        /**
         * run - start a container, wait for its process to end, remove it. Required.
         * @c, @p: borrowed until return.
         * @started: called once the process runs; may be NULL.
         * Thread: any worker, several at once.   Blocks: yes; cancellation kills every
         * process of the container.   Errors: SW_E_CANCELLED, SW_E_NOT_FOUND (runtime),
         * SW_E_BROKEN. An exit status other than 0 is not an error.   Since: 0.1
         */
        sw_err *(*run)(void *self, sw_ctx *ctx, const struct sw_exec_container *c,
                       const struct sw_exec_process *p, void (*started)(void *arg),
                       void *arg, struct sw_exec_status *out);
        /** exec - another process in the running container @id. May be absent. */
        sw_err *(*exec)(void *self, sw_ctx *ctx, const char *id,
                        const struct sw_exec_process *p, struct sw_exec_status *out);
        /** signal, resize - to the first process of @id. May be absent. */
        sw_err *(*signal)(void *self, sw_ctx *ctx, const char *id, int sig);
        sw_err *(*resize)(void *self, sw_ctx *ctx, const char *id, unsigned rows,
                          unsigned columns);
};

SW_END_DECLS
#endif
