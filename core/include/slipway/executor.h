/*
 * slipway/executor.h - the executor kind: processes in containers.
 *
 * The core has prepared everything that has to do with trees: it hands over descriptors,
 * resolved once, never paths. What the executor mounts, it mounts in a mount namespace of
 * its own, so that nothing stays when it dies.
 */
#ifndef SLIPWAY_EXECUTOR_H
#define SLIPWAY_EXECUTOR_H

#include <slipway/plugin.h>

SW_BEGIN_DECLS

enum sw_exec_mount_type {
        SW_EXEC_BIND = 1, /* what fd is, file or directory, at target */
        SW_EXEC_TMPFS,
};

struct sw_exec_mount {
        enum sw_exec_mount_type type;
        const char *target; /* absolute, cleaned, inside the container */
        int fd; /* BIND: borrowed, O_PATH will do. In one of the container's trees
                   or on an attached mount. -1 for TMPFS */
        bool readonly;
        bool nosuid, nodev, noexec;
        int64_t tmpfs_size; /* bytes; 0: the kernel's default */
};

struct sw_exec_rlimit {
        const char *name;   /* "nofile" */
        int64_t soft, hard; /* -1: unlimited */
};

struct sw_exec_host {
        const char *name, *address;
};

/* Limits of the whole container; 0 or NULL: none. */
struct sw_exec_resources {
        uint32_t size;
        int64_t memory, memory_swap; /* bytes; swap -1: unlimited */
        int64_t cpu_shares, cpu_period, cpu_quota;
        const char *cpuset_cpus, *cpuset_mems;
};

struct sw_exec_device {
        const char *path;   /* on the host and inside */
        const char *access; /* "rwm" */
};

struct sw_exec_process {
        uint32_t size;
        const char *const *args; /* NULL-ended, at least one */
        const char *const *env;  /* NULL-ended "K=V" */
        const char *cwd;         /* absolute, inside */
        const char *user;        /* "", name, uid, uid:gid, name:group */
        int fds_std[3];          /* borrowed; -1: none */
        bool terminal; /* the container gets a terminal; fds_std are the other end:
                          bytes typed and shown */
        const struct sw_exec_rlimit *rlimits;
        size_t n_rlimits;
        bool insecure; /* exec() only; run() has the container's */
};

struct sw_exec_container {
        uint32_t size;
        const char *id; /* checked by sw_id_check */
        /* Detached mounts that are to be attached, somewhere out of sight, before rootfd
         * and the mounts' descriptors can be used; borrowed, but used up by run(). */
        const int *trees;
        size_t n_trees;
        int rootfd; /* borrowed; the root file system: the root of a tree, or a directory */
        bool readonly;
        const struct sw_exec_mount *mounts; /* parents first */
        size_t n_mounts;
        const char *hostname;             /* NULL: "buildkitsandbox" */
        const struct sw_exec_host *hosts; /* lines of /etc/hosts */
        size_t n_hosts;
        const char *network;       /* "sandbox" (as configured), "host", "none" */
        bool insecure;             /* the entitlement was checked by the core */
        const char *cgroup_parent; /* or NULL */
        const struct sw_exec_resources *resources; /* or NULL */
        const struct sw_exec_device *devices;
        size_t n_devices;
        bool keep_stubs;             /* leave files and directories made only to mount on */
        bool remove_stubs_recursive; /* those above them too, when they are empty */
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
         * run - start a container, wait for its first process to end, remove it. Required.
         * @c, @p: borrowed until return.
         * @started: called once the process runs; may be NULL.
         * @out: set also when the process was killed by cancellation.
         * Users and groups are looked up in the root's own files, within limits; the
         * working directory is made when missing. Where a target of a mount is missing, a
         * stub is made, and removed afterwards if nobody changed it. When this returns
         * every process is dead; what else is left of the container, as its cgroup, may be
         * removed later, at the latest by shutdown(). Thread: any worker, several at once.
         * Blocks: yes; cancellation kills every process of the container.   Errors:
         * SW_E_CANCELLED, SW_E_NOT_FOUND (runtime), SW_E_BROKEN, SW_E_INVALID (user, cwd).
         * An exit status other than 0 is not an error.   Since: 0.1
         */
        sw_err *(*run)(void *self, sw_ctx *ctx, const struct sw_exec_container *c,
                       const struct sw_exec_process *p, void (*started)(void *arg),
                       void *arg, struct sw_exec_status *out);
        /* These three are for any thread while run() is at work, from when it called
         * @started. Errors: SW_E_NOT_FOUND: no container of that id runs here;
         * SW_E_INVALID, SW_E_IO.   Since: 0.1 */

        /** exec - another process in the running container @id, to its end. As run().
         *  May be absent. */
        sw_err *(*exec)(void *self, sw_ctx *ctx, const char *id,
                        const struct sw_exec_process *p, struct sw_exec_status *out);
        /** signal - to the first process of the running container @id. May be absent. */
        sw_err *(*signal)(void *self, sw_ctx *ctx, const char *id, int sig);
        /** resize - the terminal of its first process; SW_E_INVALID when it has none. May
         *  be absent. */
        sw_err *(*resize)(void *self, sw_ctx *ctx, const char *id, unsigned rows,
                          unsigned columns);
        /** sweep - clear away what processes that were killed left of their containers;
         * those of live ones stay. Called when one was killed; run() may come without it.
         * May be absent. Blocks: for as long as that takes. Errors: SW_E_DENIED, SW_E_IO.
         */
        sw_err *(*sweep)(void *self);
        /** soon - a command is going to be run, whose trees are being put together: what
         *  takes time and does not depend on them may begin. May be absent. Thread: any.
         *  Does not wait; what goes wrong is for run() to tell.   Since: 0.1 */
        void (*soon)(void *self);
};

SW_END_DECLS
#endif
