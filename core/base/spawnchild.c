/*
 * core/base/spawnchild.c - the child between clone and exec.
 *
 * It runs in the parent's memory (CLONE_VM) on a stack of its own, with every signal
 * blocked, while the thread that made it sleeps. Hence: system calls only, through
 * syscall(2); nothing that locks, allocates or runs a handler; nothing written but the
 * launch and the thread's errno. Sanitizers are kept out: a function that never returns
 * would leave its marks in the parent's shadow memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/spawn.h"

#if defined(__clang__)
#define BARE __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define BARE __attribute__((no_sanitize("address,thread,undefined")))
#endif

/* As the kernel counts them, without the C library's reserved ones left out. */
#define SIGNALS      64
#define KERNEL_SET   8  /* bytes of a signal set */
#define ACTION_BYTES 64 /* at least those of the kernel's struct sigaction */

BARE static int
fail(struct sw__launch *l, enum sw__launch_stage stage)
{
        l->stage = stage;
        l->err = errno;
        return -1;
}

/* Every signal to its default: all zeroes is SIG_DFL, no flags, empty mask. */
BARE static void
default_signals(void)
{
        const unsigned long action[ACTION_BYTES / sizeof(long)] = { 0 };

        for (int sig = 1; sig <= SIGNALS; sig++)
                (void) syscall(SYS_rt_sigaction, sig, action, NULL, KERNEL_SET);
}

BARE static void
unblock_signals(void)
{
        const unsigned long none[KERNEL_SET / sizeof(long)] = { 0 };

        (void) syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_SET);
}

/* The parent's number in the PID namespace of /proc; 0: not known. */
BARE static long
parent_by_proc(void)
{
        char text[512]; /* "PID (NAME) STATE PARENT …" */
        int fd = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/stat",
                               O_RDONLY | O_CLOEXEC);
        long n = fd < 0 ? 0 : syscall(SYS_read, fd, text, sizeof(text) - 1), parent = 0;

        if (fd >= 0)
                (void) syscall(SYS_close, fd);
        while (n > 0 && text[n - 1] != ')')
                n--;
        if (n <= 0)
                return 0;
        for (char *p = text + n + 3; p < text + sizeof(text) && *p >= '0' && *p <= '9'; p++)
                parent = parent * 10 + (*p - '0');
        return parent;
}

/* Whether the parent died before we asked to die with it. From another PID namespace its
 * number is 0, so /proc, which is still that of its own, is asked. */
BARE static int
is_orphan(const struct sw__launch *l)
{
        long parent = syscall(SYS_getppid);

        if (parent == 0)
                parent = parent_by_proc();
        return parent != l->parent && parent != 0;
}

/* Group or session, and the promise to die with the parent. */
BARE static int
set_up_process(struct sw__launch *l)
{
        long rc = l->flags & SW_SPAWN_SETSID ? syscall(SYS_setsid)
                                             : syscall(SYS_setpgid, 0, 0);

        if (rc < 0)
                return fail(l, SW__LAUNCH_SESSION);
        if (!(l->flags & SW_SPAWN_KEEP)) {
                (void) syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                if (is_orphan(l))
                        (void) syscall(SYS_exit_group, 127);
        }
        if (l->cgroup_fd >= 0 && syscall(SYS_write, l->cgroup_fd, "0", 1) != 1)
                return fail(l, SW__LAUNCH_CGROUP);
        if (l->cwd_fd >= 0 && syscall(SYS_fchdir, l->cwd_fd) < 0)
                return fail(l, SW__LAUNCH_CWD);
        return 0;
}

/* Attach one thing that can be reached by descriptor alone. */
BARE static int
attach(const struct sw_spawn_mount *m)
{
        int fd = m->fd;

        if (m->copy)
                fd = (int) syscall(SYS_open_tree, m->fd, "",
                                   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (fd < 0)
                return -1;
        long rc = syscall(SYS_move_mount, fd, "", AT_FDCWD, m->target,
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
        return rc < 0 ? -1 : 0;
}

/*
 * In a chroot "/" may be no mount, so that neither we nor a runtime could tell it to keep
 * its mounts to itself. A copy of all that is seen there becomes the root of the namespace.
 * Entering the namespace that one is in leads to its real root, for as long as that takes.
 */
BARE static int
make_root_a_mount(void)
{
        struct mount_attr private = { .propagation = MS_PRIVATE };
        char cwd[PATH_MAX];
        int root = (int) syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC);
        int ns = (int) syscall(SYS_openat, AT_FDCWD, "/proc/self/ns/mnt",
                               O_RDONLY | O_CLOEXEC);
        int tree = (int) syscall(SYS_open_tree, root, "",
                                 AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
                                         OPEN_TREE_CLOEXEC);

        if (root < 0 || ns < 0 || tree < 0 || syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
                return -1;
        if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &private,
                    sizeof(private)) < 0 ||
            syscall(SYS_setns, ns, CLONE_NEWNS) < 0 ||
            syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            syscall(SYS_move_mount, tree, "", root, "",
                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ||
            syscall(SYS_fchdir, tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
            syscall(SYS_umount2, ".", MNT_DETACH) < 0 || syscall(SYS_chdir, cwd) < 0)
                return -1;
        return 0;
}

/* Nothing that is mounted here spreads to where the namespace came from. */
BARE static int
make_private(void)
{
        if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
                return 0;
        return errno == EINVAL ? make_root_a_mount() : -1;
}

BARE static int
set_up_mounts(struct sw__launch *l)
{
        if (l->mount_ns_fd >= 0 && syscall(SYS_setns, l->mount_ns_fd, CLONE_NEWNS) < 0)
                return fail(l, SW__LAUNCH_MOUNT_NS);
        if (!(l->flags & (SW_SPAWN_MOUNT_NS | SW_SPAWN_PID_NS)) && !l->n_mounts)
                return 0;
        if (syscall(SYS_unshare, CLONE_NEWNS) < 0 || make_private() < 0)
                return fail(l, SW__LAUNCH_MOUNT_NS);
        if (l->flags & SW_SPAWN_PID_NS &&
            syscall(SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                    NULL) < 0)
                return fail(l, SW__LAUNCH_PROC);
        for (l->mount = 0; l->mount < l->n_mounts; l->mount++)
                if (attach(&l->mounts[l->mount]) < 0)
                        return fail(l, SW__LAUNCH_MOUNT);
        return 0;
}

/* Sources first move above all targets: no target then overwrites one yet to be used. */
BARE static int
place_descriptors(struct sw__launch *l)
{
        int above = l->fds[l->n_fds - 1].to + 1;

        for (size_t i = 0; i < l->n_fds; i++) {
                l->fd = l->fds[i].to;
                l->moved[i] =
                        (int) syscall(SYS_fcntl, l->fds[i].from, F_DUPFD_CLOEXEC, above);
                if (l->moved[i] < 0)
                        return fail(l, SW__LAUNCH_FD);
        }
        if (l->exe_fd >= 0) {
                l->exe_fd = (int) syscall(SYS_fcntl, l->exe_fd, F_DUPFD_CLOEXEC, above);
                if (l->exe_fd < 0)
                        return fail(l, SW__LAUNCH_EXEC);
        }
        for (size_t i = 0; i < l->n_fds; i++) {
                l->fd = l->fds[i].to;
                if (syscall(SYS_dup3, l->moved[i], l->fds[i].to, 0) < 0)
                        return fail(l, SW__LAUNCH_FD);
        }
        return 0;
}

/* Close @from to @to, both included. */
BARE static void
close_all(const struct sw__launch *l, unsigned from, unsigned to)
{
        if (from > to || syscall(SYS_close_range, from, to, 0) == 0)
                return;
        for (unsigned fd = from; fd <= to && fd < l->limit; fd++)
                (void) syscall(SYS_close, fd);
}

BARE static void
close_others(const struct sw__launch *l)
{
        unsigned from = 0;

        for (size_t i = 0; i < l->n_fds; i++) {
                unsigned to = (unsigned) l->fds[i].to;

                if (to > from)
                        close_all(l, from, to - 1);
                from = to + 1;
        }
        if (l->exe_fd >= 0) { /* above them all; exec closes it */
                if ((unsigned) l->exe_fd > from)
                        close_all(l, from, (unsigned) l->exe_fd - 1);
                from = (unsigned) l->exe_fd + 1;
        }
        close_all(l, from, ~0U);
}

BARE static void
set_limits(const struct sw__launch *l)
{
        for (size_t i = 0; i < l->n_limits; i++) {
                const uint64_t most[2] = { l->limits[i].most, l->limits[i].most };

                (void) syscall(SYS_prlimit64, 0, l->limits[i].resource, most, NULL);
        }
}

BARE static int
exec_first(struct sw__launch *l)
{
        int denied = 0;

        if (l->exe_fd >= 0) {
                (void) syscall(SYS_execveat, l->exe_fd, "", l->argv, l->env, AT_EMPTY_PATH);
                return fail(l, SW__LAUNCH_EXEC);
        }
        for (size_t i = 0; l->programs[i]; i++) {
                (void) syscall(SYS_execve, l->programs[i], l->argv, l->env);
                if (errno == EACCES)
                        denied = errno;
                else if (errno != ENOENT && errno != ENOTDIR)
                        return fail(l, SW__LAUNCH_EXEC);
        }
        errno = denied ? denied : ENOENT;
        return fail(l, SW__LAUNCH_EXEC);
}

BARE int
sw__launch_child(void *launch)
{
        struct sw__launch *l = launch;

        default_signals();
        if (set_up_process(l) == 0 && set_up_mounts(l) == 0 && place_descriptors(l) == 0) {
                close_others(l);
                set_limits(l);
                unblock_signals();
                (void) exec_first(l);
        }
        (void) syscall(SYS_exit_group, 127);
        __builtin_unreachable();
}
