/*
 * slipway/spawn.h - the one way to start a child process.
 *
 * The child gets exactly the descriptors named here (everything else is closed with
 * close_range before exec), default signal dispositions, an empty signal mask and its own
 * process group. Between clone and exec only system calls are made, in memory shared with
 * the parent: starting a child costs the same in a process of any size. Children are
 * watched through pidfds, so no SIGCHLD handler is installed and children of the embedding
 * program are never reaped; that program in turn must not reap ours: no waitpid(-1), no
 * SIGCHLD ignored.
 *
 * Unless told otherwise (SW_SPAWN_KEEP) the child gets SIGKILL when this *process* ends, in
 * whatever way; the end of the thread that started it does it no harm. That holds for the
 * child alone, not for what it starts, and not once it has executed a program with set-id
 * bits or file capabilities: for those the kernel forgets PR_SET_PDEATHSIG.
 */
#ifndef SLIPWAY_SPAWN_H
#define SLIPWAY_SPAWN_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include <slipway/buf.h>
#include <slipway/cancel.h>

SW_BEGIN_DECLS

enum {
        SW_SPAWN_SEARCH_PATH = 1 << 0, /* look argv[0] up in $PATH (its absolute
                                        * elements) when it has no '/' */
        SW_SPAWN_SETSID = 1 << 1,      /* own session instead of own process group */
        SW_SPAWN_KEEP = 1 << 2,        /* do not kill it when this process dies */
        SW_SPAWN_MOUNT_NS = 1 << 3,    /* a mount namespace of its own */
        SW_SPAWN_PID_NS = 1 << 4,      /* a PID namespace of its own, whose process 1 it is,
                                        * with a /proc to it in a mount namespace of its own:
                                        * when it ends, in whatever way, all that it has
                                        * started gets SIGKILL */
        SW_SPAWN_STAY = 1 << 5,        /* the thread that starts it stays until it has been
                                        * waited for; when that thread ends before, the
                                        * child is killed. Saves the child a thread */
};

/* A descriptor the child gets under number @to. */
struct sw_spawn_fd {
        int from, to;
};

/* What the child, and what it starts, may have of a resource (setrlimit(2)). One that may
 * not be raised stays as it is. */
struct sw_spawn_limit {
        int resource; /* RLIMIT_... */
        uint64_t most;
};

/* Something the child mounts in its own mount namespace before it runs its program. */
struct sw_spawn_mount {
        int fd;             /* a detached mount (fsmount, open_tree): it is used up; with
                               @copy: a file or directory */
        const char *target; /* where; a symlink is followed */
        bool copy;          /* attach a copy of what @fd shows, and leave that as it is. @fd
                               is on a mount of the child's namespace: one that an earlier
                               step attached there */
};

struct sw_spawn {
        const char *const *argv;       /* NULL-terminated; argv[0] is the program */
        const char *const *env;        /* NULL-terminated; NULL: environ of this process */
        int cwd_fd;                    /* working directory; -1: that of this process */
        int fds_std[3];                /* stdin, stdout, stderr; -1: /dev/null */
        const struct sw_spawn_fd *fds; /* more descriptors, targets >= 3 */
        size_t n_fds;
        const char *cgroup_procs; /* path of a cgroup.procs the child joins; or NULL */
        unsigned flags;
        /* The child gets a mount namespace of its own, in which nothing is seen outside,
         * when there are any, or a flag asks for it; made in order. They go with the
         * namespace's last process, whatever kills it. argv[0] is looked up in it. */
        const struct sw_spawn_mount *mounts;
        size_t n_mounts;
        /* The mount namespace the child enters instead; -1: none. Its working directory is
         * then "/"; a cwd_fd is entered before. */
        int mount_ns_fd;
        int pid_ns_fd; /* the PID namespace it is started in; -1: ours. Not with
                          SW_SPAWN_KEEP or SW_SPAWN_STAY */
        int exe_fd;    /* the program as an open file, no script, which is run whatever
                          argv[0] says; -1: none */
        const struct sw_spawn_limit *limits;
        size_t n_limits;
};
#define SW_SPAWN_INIT                                                                      \
        {                                                                                  \
                .cwd_fd = -1, .fds_std = { -1, -1, -1 }, .mount_ns_fd = -1,                \
                .pid_ns_fd = -1, .exe_fd = -1                                              \
        }

typedef struct sw_child sw_child;

/** sw_spawn_start - start it. Errors: SW_E_NOT_FOUND (program, with the PATH searched),
 *  SW_E_DENIED (not executable; a mount that is not permitted), SW_E_IO. An exec that fails
 * is reported here, not as an exit status. All fields are borrowed until return. */
SW_API SW_NODISCARD sw_err *sw_spawn_start(const struct sw_spawn *s, sw_child **out);
SW_API pid_t sw_child_pid(const sw_child *c);
/** sw_child_fd - readable once it ended, for poll(2) beside other descriptors; borrowed. */
SW_API int sw_child_fd(const sw_child *c);
/** sw_child_signal - to the process; @group: to its whole group. One that was waited for
 *  is fine and gets nothing, nor does what is left of its group. */
SW_API SW_NODISCARD sw_err *sw_child_signal(sw_child *c, int sig, bool group);

struct sw_exit {
        bool signalled;
        int value;       /* exit status, or signal number */
        int64_t cpu_ns;  /* user and system time of the child and those it waited for */
        int64_t max_rss; /* bytes */
};

/** sw_child_wait - until it ended. When @cancel (may be NULL) is cancelled, the group gets
 *  SIGTERM, after 500 ms SIGKILL; then SW_E_CANCELLED is returned once it is dead. May be
 *  called again, and by several threads. Other errors: SW_E_IO (no descriptor left),
 *  SW_E_INTERNAL when somebody else reaped the child. */
SW_API SW_NODISCARD sw_err *sw_child_wait(sw_child *c, sw_cancel *cancel,
                                          struct sw_exit *out);
/** sw_child_free - kills the group with SIGKILL and waits if it still runs. */
SW_API void sw_child_free(sw_child *c);

/**
 * sw_spawn_capture - run to the end and keep what it prints.
 * @s:      as above; stdout and stderr of it are replaced.
 * @limit:  most bytes kept of each; more is read and dropped, and sets *truncated.
 * @out, @err: may be NULL: discarded.
 * Ends when the program does: what its own children print later is not waited for.
 * Errors: as start and wait. An exit status other than 0 is not an error here.
 */
SW_API SW_NODISCARD sw_err *sw_spawn_capture(const struct sw_spawn *s, sw_cancel *cancel,
                                             size_t limit, sw_buf *out, sw_buf *err,
                                             bool *truncated, struct sw_exit *exit);

SW_DEFINE_AUTOPTR(sw_child, sw_child_free)

SW_END_DECLS
#endif
