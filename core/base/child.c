/*
 * core/base/child.c - watch, signal and reap a child process.
 *
 *   RUNNING -> ENDED (a zombie) -> REAPED
 *
 * The child's number is used for signals to its group only, and only before it is reaped:
 * until then the kernel gives it to nobody else. The lock keeps signalling and reaping
 * apart; waiting happens without it.
 * Thread: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <slipway/mem.h>
#include <slipway/time.h>

#include "core/base/spawn.h"

/* How long SIGTERM is given before SIGKILL. */
#define TERM_GRACE_NS (SW_NS_PER_SEC / 2)
#define READ_BYTES    16384

pid_t
sw_child_pid(const sw_child *c)
{
        return c->pid;
}

int
sw_child_fd(const sw_child *c)
{
        return c->pidfd;
}

static sw_err *
signal_locked(sw_child *c, int sig, bool group)
{
        long rc = 0;

        if (c->reaped)
                return SW_OK;
        if (group)
                rc = kill(-c->pid, sig);
        else
                rc = syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
        if (rc == 0 || errno == ESRCH)
                return SW_OK;
        return sw_err_sys(errno == EPERM ? SW_E_DENIED : SW_E_INTERNAL, errno,
                          "send signal %d to process %d", sig, (int) c->pid);
}

sw_err *
sw_child_signal(sw_child *c, int sig, bool group)
{
        pthread_mutex_lock(&c->lock);
        sw_err *err = signal_locked(c, sig, group);
        pthread_mutex_unlock(&c->lock);
        return err;
}

/* The group, and the child itself, which may have left it. */
static void
kill_all(sw_child *c)
{
        sw_err_drop(sw_child_signal(c, SIGKILL, true), "we wait either way");
        sw_err_drop(sw_child_signal(c, SIGKILL, false), "it may be dead");
}

static int64_t
ns_of(struct timeval tv)
{
        return tv.tv_sec * SW_NS_PER_SEC + tv.tv_usec * 1000;
}

/* Take the exit status of a child that ended. */
static void
reap_locked(sw_child *c)
{
        siginfo_t info = { 0 };
        struct rusage used = { 0 };
        long rc;

        if (c->reaped)
                return;
        do { /* raw: the C library's waitid does not hand out the usage */
                rc = syscall(SYS_waitid, P_PIDFD, c->pidfd, &info, WEXITED, &used);
        } while (rc < 0 && errno == EINTR);
        c->reaped = true;
        c->lost = rc < 0;
        c->exit = (struct sw_exit){
                .signalled = info.si_code != CLD_EXITED,
                .value = info.si_status,
                .cpu_ns = ns_of(used.ru_utime) + ns_of(used.ru_stime),
                .max_rss = (int64_t) used.ru_maxrss * 1024,
        };
}

/* Sleep until the child ended. @cancel_fd: -1 for none. True when it was asked to end
 * because of it: TERM at once, KILL after a while. */
static bool
await_end(sw_child *c, int cancel_fd)
{
        struct pollfd p[2] = { { .fd = c->pidfd, .events = POLLIN },
                               { .fd = cancel_fd, .events = POLLIN } };
        int64_t deadline = 0; /* of the grace; 0: not asked to end, or killed */
        bool asked = false;

        for (;;) {
                int64_t left = deadline ? deadline - sw_time_mono() : 0;
                int ms = !deadline ? -1 : left > 0 ? (int) (left / SW_NS_PER_MS + 1) : 0;

                if (poll(p, 2, ms) < 0)
                        p[0].revents = p[1].revents = 0;
                if (p[0].revents)
                        return asked;
                if (p[1].revents) {
                        asked = true;
                        p[1].fd = -1;
                        deadline = sw_time_mono() + TERM_GRACE_NS;
                        sw_err_drop(sw_child_signal(c, SIGTERM, true),
                                    "SIGKILL comes next");
                } else if (deadline && sw_time_mono() >= deadline) {
                        deadline = 0;
                        kill_all(c);
                }
        }
}

sw_err *
sw_child_wait(sw_child *c, sw_cancel *cancel, struct sw_exit *out)
{
        int cancel_fd;
        sw_err *err = sw_cancel_fd(cancel, &cancel_fd);

        if (err)
                return sw_err_wrap(err, "wait for process %d", (int) c->pid);
        bool asked = await_end(c, cancel_fd);
        pthread_mutex_lock(&c->lock);
        if (asked) /* what is left of the group; the number is still the child's */
                sw_err_drop(signal_locked(c, SIGKILL, true), "they may all be gone");
        reap_locked(c);
        pthread_mutex_unlock(&c->lock);
        if (asked)
                return sw_cancel_check(cancel);
        if (c->lost)
                return sw_err_new(SW_E_INTERNAL,
                                  "the exit status of process %d was taken by another part "
                                  "of this program (a waitpid(-1), or SIGCHLD ignored)",
                                  (int) c->pid);
        *out = c->exit;
        return SW_OK;
}

void
sw_child_free(sw_child *c)
{
        if (!c)
                return;
        if (!c->reaped) {
                kill_all(c);
                (void) await_end(c, -1);
                pthread_mutex_lock(&c->lock);
                reap_locked(c);
                pthread_mutex_unlock(&c->lock);
        }
        if (c->has_keeper)
                pthread_join(c->keeper, NULL);
        sw_fd_clear(&c->pidfd);
        pthread_cond_destroy(&c->started);
        pthread_mutex_destroy(&c->lock);
        free(c);
}

/* One output of a child being captured. */
struct capture {
        sw_fd fd; /* our end, -1 at its end */
        sw_buf *buf;
        size_t room; /* bytes still kept */
        bool *truncated;
};

static sw_err *
open_capture(struct capture *cap, sw_buf *buf, size_t limit, bool *truncated, sw_fd *theirs)
{
        int p[2];

        *cap = (struct capture){
                .fd = -1, .buf = buf, .room = limit, .truncated = truncated
        };
        if (!buf)
                return SW_OK;
        if (pipe2(p, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        cap->fd = p[0];
        *theirs = p[1];
        if (fcntl(p[0], F_SETFL, O_NONBLOCK) != 0) /* our end alone; theirs blocks */
                return sw_err_sys(SW_E_IO, errno, "set up a pipe");
        return SW_OK;
}

/* Read what is there now, and no more than that: others than the child may hold the pipe
 * and never stop writing. */
static void
drain(struct capture *cap)
{
        char bytes[READ_BYTES];
        int there = 0;

        if (cap->fd >= 0)
                (void) ioctl(cap->fd, FIONREAD, &there);
        /* also when nothing is there: its end must be noticed */
        for (ssize_t left = there > 0 ? there : 1; cap->fd >= 0 && left > 0;) {
                ssize_t n = read(cap->fd, bytes, sizeof(bytes));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        sw_fd_clear(&cap->fd);
                        return;
                }
                size_t kept = (size_t) n < cap->room ? (size_t) n : cap->room;
                sw_buf_add(cap->buf, bytes, kept);
                cap->room -= kept;
                if (kept < (size_t) n)
                        *cap->truncated = true;
                left -= n;
        }
}

/* Read both outputs until they end, the child does, or somebody cancels. A grandchild
 * that keeps a pipe open does not keep us. */
static void
pump(const sw_child *c, int cancel_fd, struct capture caps[2])
{
        bool stop = false;

        while (!stop && (caps[0].fd >= 0 || caps[1].fd >= 0)) {
                struct pollfd p[4] = { { .fd = c->pidfd, .events = POLLIN },
                                       { .fd = cancel_fd, .events = POLLIN },
                                       { .fd = caps[0].fd, .events = POLLIN },
                                       { .fd = caps[1].fd, .events = POLLIN } };

                if (poll(p, SW_COUNT(p), -1) < 0)
                        continue;
                stop = p[0].revents || p[1].revents;
                /* after the child's end this reads all that it wrote */
                drain(&caps[0]);
                drain(&caps[1]);
        }
}

static sw_err *
run_captured(const struct sw_spawn *s, sw_cancel *cancel, struct capture caps[2],
             sw_fd theirs[2], struct sw_exit *out)
{
        struct sw_spawn with = *s;
        sw_autoptr(sw_child) c = NULL;
        int cancel_fd;

        if (s->pid_ns_fd < 0)
                with.flags |= SW_SPAWN_STAY; /* it is waited for here */
        with.fds_std[1] = theirs[0];
        with.fds_std[2] = theirs[1];
        sw_err *err = sw_cancel_fd(cancel, &cancel_fd);
        if (!err)
                err = sw_spawn_start(&with, &c);
        if (err)
                return err;
        sw_fd_clear(&theirs[0]);
        sw_fd_clear(&theirs[1]);
        pump(c, cancel_fd, caps);
        return sw_child_wait(c, cancel, out);
}

sw_err *
sw_spawn_capture(const struct sw_spawn *s, sw_cancel *cancel, size_t limit, sw_buf *out,
                 sw_buf *err, bool *truncated, struct sw_exit *exit)
{
        struct capture caps[2] = { { .fd = -1 }, { .fd = -1 } };
        sw_fd theirs[2] = { -1, -1 };
        bool cut = false;
        sw_err *failed = open_capture(&caps[0], out, limit, &cut, &theirs[0]);

        if (!failed)
                failed = open_capture(&caps[1], err, limit, &cut, &theirs[1]);
        if (!failed)
                failed = run_captured(s, cancel, caps, theirs, exit);
        for (size_t i = 0; i < 2; i++) {
                sw_fd_clear(&caps[i].fd);
                sw_fd_clear(&theirs[i]);
        }
        if (!failed && truncated)
                *truncated = cut;
        return failed;
}
