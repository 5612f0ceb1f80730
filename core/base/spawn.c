/*
 * core/base/spawn.c - start a child process.
 *
 * The child is cloned without copying memory (CLONE_VM | CLONE_VFORK), so that starting
 * one costs the same in a process of any size; CLONE_PIDFD names it without a race. How
 * far it came is read from the memory it shared, so an exec that failed is an error here.
 *
 * The kernel sends the 'parent died' signal when the *thread* that cloned ends, and who
 * calls us may well be a pool thread that ends before the child does. So a thread of the
 * child's own, its keeper, clones it and stays until the child is dead: then parent and
 * process end together. SW_SPAWN_KEEP needs no keeper, and with SW_SPAWN_STAY the caller
 * is it.
 *
 * Thread: any.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <slipway/array.h>
#include <slipway/text.h>

#include "core/base/spawn.h"

/* The child's stack until exec: a few small frames. */
#define CHILD_STACK 32768
/* Where the C library looks when there is no PATH. */
#define DEFAULT_PATH "/bin:/usr/bin"
/* Descriptors closed one by one at most, where there is no close_range. */
#define MAX_CLOSE 1048576U

/* ThreadSanitizer's own clone() takes the child for a fork, whose memory is a copy. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif
#endif

struct prepared {
        struct sw__launch launch;
        sw_strlist programs;
        SW_ARRAY(struct sw_spawn_fd) fds;
        sw_fd null_fd, cgroup_fd;
        const char *path; /* searched; NULL: none */
};

static void
release_prepared(struct prepared *p)
{
        sw_strlist_release(&p->programs);
        sw_array_release(&p->fds);
        free(p->launch.moved);
        sw_fd_clear(&p->null_fd);
        sw_fd_clear(&p->cgroup_fd);
}

/* Files that argv[0] may mean; a relative element of PATH is left out, because it would
 * run whatever lies in the working directory. */
static void
find_programs(struct prepared *p, const struct sw_spawn *s)
{
        const char *name = s->argv[0];

        if (!(s->flags & SW_SPAWN_SEARCH_PATH) || strchr(name, '/')) {
                sw_strlist_add(&p->programs, name);
        } else {
                sw_auto(sw_strlist) dirs = { 0 };

                p->path = getenv("PATH");
                if (!p->path)
                        p->path = DEFAULT_PATH;
                sw_strlist_split(&dirs, p->path, ':');
                for (size_t i = 0; i < dirs.n && *name; i++)
                        if (dirs.v[i][0] == '/')
                                sw_strlist_take(&p->programs,
                                                sw_asprintf("%s/%s", dirs.v[i], name));
        }
        sw_strlist_take(&p->programs, NULL);
        p->launch.programs = (const char *const *) p->programs.v;
}

static int
by_target(const void *a, const void *b)
{
        int x = ((const struct sw_spawn_fd *) a)->to,
            y = ((const struct sw_spawn_fd *) b)->to;

        return (x > y) - (x < y);
}

static sw_err *
plan_descriptors(struct prepared *p, const struct sw_spawn *s)
{
        for (int i = 0; i < 3; i++) {
                int from = s->fds_std[i];

                if (from < 0 && p->null_fd < 0)
                        p->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (from < 0 && p->null_fd < 0)
                        return sw_err_sys(SW_E_IO, errno, "open /dev/null");
                sw_array_push(&p->fds,
                              (struct sw_spawn_fd){ from < 0 ? p->null_fd : from, i });
        }
        for (size_t i = 0; i < s->n_fds; i++) {
                assert(s->fds[i].to >= 3);
                sw_array_push(&p->fds, s->fds[i]);
        }
        qsort(p->fds.v, p->fds.n, sizeof(*p->fds.v), by_target);
        for (size_t i = 1; i < p->fds.n; i++)
                if (p->fds.v[i].to == p->fds.v[i - 1].to)
                        return sw_err_new(SW_E_INTERNAL,
                                          "descriptor %d is given to the child twice",
                                          p->fds.v[i].to);
        p->launch.fds = p->fds.v;
        p->launch.n_fds = p->fds.n;
        p->launch.moved = sw_alloc_array(p->fds.n, sizeof(int));
        return SW_OK;
}

static sw_err *
prepare(struct prepared *p, const struct sw_spawn *s)
{
        struct rlimit files;

        *p = (struct prepared){ .null_fd = -1, .cgroup_fd = -1 };
        p->launch = (struct sw__launch){
                .argv = s->argv,
                .env = s->env ? s->env : (const char *const *) environ,
                .flags = s->flags,
                .parent = getpid(),
                .cwd_fd = s->cwd_fd,
                .cgroup_fd = -1,
                .mounts = s->mounts,
                .n_mounts = s->n_mounts,
                .mount_ns_fd = s->mount_ns_fd,
                .pid_ns_fd = s->pid_ns_fd,
                .exe_fd = s->exe_fd,
                .limits = s->limits,
                .n_limits = s->n_limits,
                .limit = MAX_CLOSE,
        };
        if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < MAX_CLOSE)
                p->launch.limit = (unsigned) files.rlim_cur;
        find_programs(p, s);
        if (s->cgroup_procs) {
                p->cgroup_fd = open(s->cgroup_procs, O_WRONLY | O_CLOEXEC);
                if (p->cgroup_fd < 0)
                        return sw_err_sys(SW_E_IO, errno, "open %s", s->cgroup_procs);
                p->launch.cgroup_fd = p->cgroup_fd;
        }
        return plan_descriptors(p, s);
}

/* Clone with every signal blocked: no handler of ours may run in the child. */
static int
clone_blocked(struct sw__launch *l, char *stack_top, pid_t *pid, int *pidfd)
{
        unsigned long all = ~0UL, before = 0;
        int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
        pid_t got = -1;

        if (l->flags & SW_SPAWN_PID_NS)
                flags |= CLONE_NEWPID;

        /* the raw call: the C library's own leaves out the signals it uses itself */
        (void) syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
        *pid = clone(sw__launch_child, stack_top, flags, l, &got);
        int err = *pid < 0 ? errno : 0;
        (void) syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
        *pidfd = got;
        return err;
}

/* Clone the child and see it through its exec. 0, or an errno with l->err unset when
 * there was no child; l->err says what went wrong in it. */
static int
launch(struct sw__launch *l, pid_t *pid, int *pidfd)
{
        size_t guard = (size_t) sysconf(_SC_PAGESIZE);
        char *stack = mmap(NULL, guard + CHILD_STACK, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

        if (stack == MAP_FAILED)
                return errno;
        int err = mprotect(stack, guard, PROT_NONE) == 0 ? 0 : errno;
        if (!err)
                err = clone_blocked(l, stack + guard + CHILD_STACK, pid, pidfd);
        (void) munmap(stack, guard + CHILD_STACK);
        if (!err && *pidfd < 0) { /* before Linux 5.2 */
                (void) kill(*pid, SIGKILL);
                l->err = 0;
        }
        if (!err && (l->err || *pidfd < 0)) {
                err = l->err ? l->err : ENOSYS;
                while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
                        continue;
                sw_fd_clear(pidfd);
        }
        return err;
}

struct keeper_start {
        sw_child *child;
        struct sw__launch *launch;
        int err;
};

static void *
keeper_main(void *arg)
{
        struct keeper_start *k = arg; /* gone once we said that we started */
        sw_child *c = k->child;
        struct pollfd ended = { .fd = -1, .events = POLLIN };

        (void) pthread_setname_np(pthread_self(), "sw/child");
        pthread_mutex_lock(&c->lock);
        if (k->launch->pid_ns_fd >= 0 && setns(k->launch->pid_ns_fd, CLONE_NEWPID) != 0)
                k->err = errno; /* it is this thread's children's that was set */
        if (!k->err)
                k->err = launch(k->launch, &c->pid, &c->pidfd);
        ended.fd = c->pidfd;
        c->is_started = true;
        pthread_cond_signal(&c->started);
        pthread_mutex_unlock(&c->lock);
        /* a zombie, or reaped: either way its parent may go */
        while (ended.fd >= 0 && poll(&ended, 1, -1) < 0 && errno == EINTR)
                continue;
        return NULL;
}

/* Let a thread that takes no signals be the child's parent. */
static int
launch_with_keeper(struct sw__launch *l, sw_child *c)
{
        struct keeper_start k = { .child = c, .launch = l };
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        /* a stack of the usual size: how much of it the program's thread-local data takes
         * is not ours to know, and what is not touched costs nothing */
        int err = pthread_create(&c->keeper, NULL, keeper_main, &k);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (err)
                return err;
        c->has_keeper = true;
        pthread_mutex_lock(&c->lock);
        while (!c->is_started)
                pthread_cond_wait(&c->started, &c->lock);
        pthread_mutex_unlock(&c->lock);
        return k.err;
}

static void
add_quoted(sw_buf *b, const char *s)
{
        sw_buf_add_quoted(b, s, strlen(s), 256);
}

/* Why exec failed. A program that is there and yet 'not found' lacks its interpreter. */
static sw_err *
exec_error(const struct prepared *p, const struct sw_spawn *s)
{
        int err = p->launch.err;
        int dirfd = s->cwd_fd >= 0 ? s->cwd_fd : AT_FDCWD;
        sw_auto(sw_buf) what = SW_BUF_INIT;

        add_quoted(&what, s->argv[0]);
        if (err == EACCES || err == EPERM)
                return sw_err_sys(SW_E_DENIED, err, "run %s", what.data);
        if (err != ENOENT)
                return sw_err_sys(SW_E_IO, err, "run %s", what.data);
        for (size_t i = 0; p->programs.v[i]; i++)
                if (faccessat(dirfd, p->programs.v[i], F_OK, 0) == 0)
                        return sw_err_sys(SW_E_NOT_FOUND, err,
                                          "run %s: the interpreter or loader it names",
                                          what.data);
        if (!p->path)
                return sw_err_sys(SW_E_NOT_FOUND, err, "run %s", what.data);
        sw_buf_adds(&what, " is not in PATH ");
        add_quoted(&what, p->path);
        return sw_err_sys(SW_E_NOT_FOUND, err, "program %s", what.data);
}

static sw_err *
launch_error(const struct prepared *p, const struct sw_spawn *s, int err)
{
        sw_auto(sw_buf) name = SW_BUF_INIT;

        add_quoted(&name, s->argv[0]);
        if (!p->launch.err)
                return sw_err_sys(SW_E_IO, err, "start a process for %s", name.data);
        switch (p->launch.stage) {
        case SW__LAUNCH_SESSION:
                return sw_err_sys(SW_E_IO, err, "make a process group for %s", name.data);
        case SW__LAUNCH_CGROUP:
                return sw_err_sys(SW_E_IO, err, "let %s join the cgroup of %s", name.data,
                                  s->cgroup_procs);
        case SW__LAUNCH_CWD:
                return sw_err_sys(SW_E_IO, err, "enter the working directory of %s",
                                  name.data);
        case SW__LAUNCH_MOUNT_NS:
                return sw_err_sys(err == EPERM ? SW_E_DENIED : SW_E_IO, err,
                                  "%s a mount namespace for %s",
                                  s->mount_ns_fd >= 0 ? "enter" : "make", name.data);
        case SW__LAUNCH_PROC:
                return sw_err_sys(err == EPERM ? SW_E_DENIED : SW_E_IO, err,
                                  "mount /proc for %s", name.data);
        case SW__LAUNCH_MOUNT:
                return sw_err_sys(err == EPERM ? SW_E_DENIED : SW_E_IO, err,
                                  "mount on %s for %s", s->mounts[p->launch.mount].target,
                                  name.data);
        case SW__LAUNCH_FD:
                return sw_err_sys(SW_E_IO, err, "give descriptor %d to %s", p->launch.fd,
                                  name.data);
        case SW__LAUNCH_EXEC: break;
        }
        return exec_error(p, s);
}

sw_err *
sw_spawn_start(const struct sw_spawn *s, sw_child **out)
{
        struct prepared p;

        assert(s->argv && s->argv[0]);
        assert(s->pid_ns_fd < 0 || !(s->flags & (SW_SPAWN_KEEP | SW_SPAWN_STAY)));
        sw_err *err = prepare(&p, s);
        if (!err) {
                sw_autoptr(sw_child) c = sw_new(sw_child);

                c->pidfd = -1;
                c->reaped = true; /* there is none yet */
                pthread_mutex_init(&c->lock, NULL);
                pthread_cond_init(&c->started, NULL);
                int failed = s->flags & (SW_SPAWN_KEEP | SW_SPAWN_STAY)
                                     ? launch(&p.launch, &c->pid, &c->pidfd)
                                     : launch_with_keeper(&p.launch, c);
                if (failed) {
                        err = launch_error(&p, s, failed);
                } else {
                        c->reaped = false;
                        *out = sw_steal(c);
                }
        }
        release_prepared(&p);
        return err;
}
