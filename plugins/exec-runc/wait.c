/*
 * plugins/exec-runc/wait.c - from the start of a runtime to its end: cancellation, and the
 * bytes of a terminal.
 *
 * Killing. The container's first process is process 1 of a PID namespace: with it the
 * kernel kills all others, whatever they did to hide. Its number is in the file that the
 * runtime writes, a number in the runtime's own namespace; as long as the runtime lives it
 * is the runtime's child, so nobody else has that number. Should that not do (no file yet,
 * a runtime that hangs, no namespace), the whole cgroup and the runtime follow.
 *
 * Thread: the one that runs the container.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include <slipway/time.h>

#include "plugins/exec-runc/runc.h"

#define KILL_GRACE_MS 250 /* for the runtime to follow its container */
#define KILL_AGAIN_MS 20
#define LOOK_MS       2 /* for the file with the number */
#define TERMINAL_BUF  8192

/* Linux: Documentation/admin-guide/devices.txt, "Unix98 PTY slaves". */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

/* ---- processes ----------------------------------------------------------------------- */

pid_t
runc_first_pid(int box_fd, const char *pid_file)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, box_fd, pid_file, 64);

        sw_err_drop(err, "not written yet");
        long pid = strtol(text.data, NULL, 10);
        return pid > 1 ? (pid_t) pid : 0;
}

sw_err *
runc_procs_open(struct runc_procs *p, const sw_child *child, bool own_ns)
{
        char path[64] = "/proc";

        if (own_ns)
                (void) snprintf(path, sizeof(path), "/proc/%d/root/proc",
                                (int) sw_child_pid(child));
        p->runtime = own_ns ? 1 : sw_child_pid(child);
        p->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        /* a runtime that has ended already, as a quick or a failing one may, has no root */
        if (p->proc < 0 && errno != ENOENT && errno != ESRCH)
                return sw_err_sys(SW_E_IO, errno, "open %s", path);
        return SW_OK;
}

void
runc_procs_release(struct runc_procs *p)
{
        sw_fd_clear(&p->proc);
}

/* The parent of the process whose directory in /proc @fd is; 0: it has gone. */
static pid_t
parent_of(int fd)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, fd, "status", 1 << 16);

        sw_err_drop(err, "gone");
        const char *p = strstr(text.data, "\nPPid:");
        return p ? (pid_t) strtol(p + 6, NULL, 10) : 0;
}

/* The directory in /proc of @pid, if that is a child of the runtime; else -1. What it names
 * cannot change any more. */
static int
open_process(const struct runc_procs *p, pid_t pid)
{
        char name[16];

        if (pid <= 1 || p->proc < 0)
                return -1;
        (void) snprintf(name, sizeof(name), "%d", (int) pid);
        sw_auto(sw_fd) fd = openat(p->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 && parent_of(fd) == p->runtime ? sw_fd_steal(&fd) : -1;
}

bool
runc_signal_pid(const struct runc_procs *p, pid_t pid, int sig)
{
        sw_auto(sw_fd) fd = open_process(p, pid);

        return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
}

/* Not every runtime passes on the size of the terminal it was given. What the process has
 * as its standard input by now is for us to doubt: it is opened once it is known to be a
 * pseudo terminal. */
void
runc_resize_pid(const struct runc_procs *p, pid_t pid, const struct winsize *size)
{
        sw_auto(sw_fd) dir = open_process(p, pid);
        sw_auto(sw_fd) input = dir < 0 ? -1 : openat(dir, "fd/0", O_PATH | O_CLOEXEC);
        char path[32];
        struct stat st;

        if (input < 0 || fstat(input, &st) != 0 || !S_ISCHR(st.st_mode) ||
            major(st.st_rdev) < PTS_MAJOR_FIRST || major(st.st_rdev) > PTS_MAJOR_LAST)
                return;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", input);
        sw_auto(sw_fd) fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0)
                (void) ioctl(fd, TIOCSWINSZ, size);
}

static void
kill_hard(const struct runc_wait *w)
{
        (void) runc_signal_pid(w->procs, runc_first_pid(w->box_fd, w->pid_file), SIGKILL);
        if (w->outer)
                (void) runc_cgroup_kill(w->cgroups, w->outer);
        sw_err_drop(sw_child_signal(w->child, SIGKILL, true), "its end is waited for");
}

/* ---- a terminal ---------------------------------------------------------------------- */

sw_err *
runc_terminal(sw_fd *master, sw_fd *slave)
{
        struct winsize size = { .ws_row = 24, .ws_col = 80 };
        int unlock = 0;

        *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (*master < 0 || ioctl(*master, TIOCSPTLCK, &unlock) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a terminal");
        *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*slave < 0)
                return sw_err_sys(SW_E_IO, errno, "open a terminal");
        (void) ioctl(*master, TIOCSWINSZ, &size);
        return SW_OK;
}

/* Bytes on their way from one descriptor to the other. */
struct way {
        int from, to; /* -1: ended */
        size_t n;
        char bytes[TERMINAL_BUF];
};

/* What to poll for: room in front, or bytes behind. */
static void
way_poll(const struct way *w, struct pollfd *in, struct pollfd *out)
{
        *in = (struct pollfd){ .fd = w->n ? -1 : w->from, .events = POLLIN };
        *out = (struct pollfd){ .fd = w->n ? w->to : -1, .events = POLLOUT };
}

static void
way_move(struct way *w, const struct pollfd *in, const struct pollfd *out)
{
        if (in->fd >= 0 && in->revents) {
                ssize_t n = read(w->from, w->bytes, sizeof(w->bytes));

                if (n > 0)
                        w->n = (size_t) n;
                else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                        w->from = -1;
        }
        if (out->fd >= 0 && out->revents) {
                ssize_t n = write(w->to, w->bytes, w->n);

                if (n < 0 && errno != EAGAIN && errno != EINTR) {
                        w->n = 0; /* nobody looks any more */
                        w->from = w->to = -1;
                } else if (n > 0) {
                        memmove(w->bytes, w->bytes + n, w->n - (size_t) n);
                        w->n -= (size_t) n;
                }
        }
}

/* ---- waiting ------------------------------------------------------------------------- */

struct waiting {
        struct runc_wait *w;
        struct way typed, shown;
        int cancel_fd;
        int64_t kill_again; /* 0: not cancelled */
        bool told;          /* `started` was called */
};

static int
timeout_ms(const struct waiting *s)
{
        if (s->kill_again) {
                int64_t left = s->kill_again - sw_time_mono();
                return left > 0 ? (int) (left / SW_NS_PER_MS) + 1 : 0;
        }
        return s->told ? -1 : LOOK_MS;
}

static void
look_for_start(struct waiting *s)
{
        if (s->told || !runc_first_pid(s->w->box_fd, s->w->pid_file))
                return;
        s->told = true;
        s->w->started(s->w->started_arg);
}

static void
cancel_it(struct waiting *s)
{
        pid_t first = runc_first_pid(s->w->box_fd, s->w->pid_file);

        s->told = true;
        s->cancel_fd = -1;
        if (runc_signal_pid(s->w->procs, first, SIGKILL)) {
                s->kill_again = sw_time_mono() + KILL_GRACE_MS * SW_NS_PER_MS;
                return;
        }
        kill_hard(s->w);
        s->kill_again = sw_time_mono() + KILL_AGAIN_MS * SW_NS_PER_MS;
}

/* One turn of the loop; false at the end of the runtime. */
static bool
turn(struct waiting *s)
{
        struct pollfd p[6] = { { .fd = sw_child_fd(s->w->child), .events = POLLIN },
                               { .fd = s->cancel_fd, .events = POLLIN } };

        way_poll(&s->typed, &p[2], &p[3]);
        way_poll(&s->shown, &p[4], &p[5]);
        if (poll(p, SW_COUNT(p), timeout_ms(s)) < 0)
                return true;
        way_move(&s->typed, &p[2], &p[3]);
        way_move(&s->shown, &p[4], &p[5]);
        look_for_start(s); /* of one that has ended by now, too */
        if (p[0].revents)
                return false;
        if (p[1].revents) {
                cancel_it(s);
        } else if (s->kill_again && sw_time_mono() >= s->kill_again) {
                kill_hard(s->w);
                s->kill_again = sw_time_mono() + KILL_AGAIN_MS * SW_NS_PER_MS;
        }
        return true;
}

/* What the terminal still holds, for a reader who takes it within a moment. */
static void
drain(struct waiting *s)
{
        struct pollfd p[2];

        do {
                way_poll(&s->shown, &p[0], &p[1]);
                if (p[0].fd < 0 && p[1].fd < 0)
                        return;
                if (poll(p, 2, p[1].fd >= 0 ? KILL_GRACE_MS : 0) <= 0)
                        return;
                way_move(&s->shown, &p[0], &p[1]);
        } while (true);
}

sw_err *
runc_wait(struct runc_wait *w)
{
        struct waiting *s = sw_new(struct waiting);
        bool terminal = w->master >= 0;

        *s = (struct waiting){ .w = w, .told = !w->started };
        s->typed.from = terminal ? w->p->fds_std[0] : -1;
        s->typed.to = s->shown.from = terminal ? w->master : -1;
        s->shown.to = terminal ? w->p->fds_std[1] : -1;
        sw_err *err = sw_cancel_fd(w->cancel, &s->cancel_fd);
        if (err)
                kill_hard(w);
        while (turn(s))
                continue;
        if (terminal)
                drain(s);
        free(s);
        return sw_err_wrap(err, "wait for a container");
}
