/*
 * core/base/spawn.h - what the three files behind slipway/spawn.h share: spawn.c prepares
 * and starts, spawnchild.c runs in the child before exec, child.c watches.
 */
#ifndef SLIPWAY_BASE_SPAWN_H
#define SLIPWAY_BASE_SPAWN_H

#include <pthread.h>

#include <slipway/spawn.h>

/* What the child was doing when it failed. */
enum sw__launch_stage {
        SW__LAUNCH_SESSION,
        SW__LAUNCH_CGROUP,
        SW__LAUNCH_CWD,
        SW__LAUNCH_MOUNT_NS,
        SW__LAUNCH_PROC,
        SW__LAUNCH_MOUNT,
        SW__LAUNCH_FD,
        SW__LAUNCH_EXEC,
};

/* Everything the child needs, made ready: it can allocate nothing. Both see this very
 * memory; the parent sleeps until the child has replaced itself or ended. */
struct sw__launch {
        const char *const *programs; /* tried in turn; NULL-ended */
        const char *const *argv;
        const char *const *env;
        unsigned flags;
        pid_t parent;
        int cwd_fd, cgroup_fd;         /* -1: none */
        const struct sw_spawn_fd *fds; /* 0, 1, 2 and the others, by ascending target */
        size_t n_fds;
        const struct sw_spawn_mount *mounts;
        size_t n_mounts;
        int mount_ns_fd; /* -1: none */
        int pid_ns_fd;   /* -1: none; entered by the thread that clones */
        int exe_fd;      /* run instead of the programs; -1: none */
        const struct sw_spawn_limit *limits;
        size_t n_limits;
        int *moved;     /* room for n_fds numbers */
        unsigned limit; /* descriptors are below it; for kernels without close_range */

        /* written by a child that fails */
        int err;
        enum sw__launch_stage stage;
        int fd;       /* at SW__LAUNCH_FD: the target */
        size_t mount; /* at SW__LAUNCH_MOUNT: which */
};

/* Runs in the child; returns only if it failed. @launch: struct sw__launch. */
int sw__launch_child(void *launch);

struct sw_child {
        pid_t pid;
        int pidfd;
        pthread_mutex_t lock;
        bool reaped; /* pid means nothing any more */
        bool lost;   /* reaped by somebody else: exit is not known */
        struct sw_exit exit;

        /* the thread that is the parent; none with SW_SPAWN_KEEP */
        bool has_keeper;
        pthread_t keeper;
        pthread_cond_t started;
        bool is_started;
};

#endif
