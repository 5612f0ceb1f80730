/*
 * plugins/source-git/agent.c - a socket that stands for the client's ssh agent.
 *
 * It is bound in a directory of ours, opened and unlinked at once: ssh finds it by its
 * descriptor in this process, so that nothing is left when this process is killed.
 * Thread: one of its own, which carries bytes between ssh and the client.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <slipway/id.h>

#include "plugins/source-git/run.h"

enum { MAX_PAIRS = 8 };

/* A connection of ssh's and one to the client's agent. */
struct pair {
        sw_fd fd[2];
};

struct agent {
        sw_ctx *ctx;
        sw_session *session;
        char *id;
        sw_fd listener, node, stop;
        char path[64];
        pthread_t thread;
        bool runs;
        struct pair pairs[MAX_PAIRS];
        size_t n;
};

const char *
agent_path(const struct agent *a)
{
        return a->path;
}

static bool
write_all(int fd, const char *p, size_t n)
{
        while (n > 0) {
                const ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return false;
                p += done;
                n -= (size_t) done;
        }
        return true;
}

/* What one side said goes to the other. False: that was the end. */
static bool
carry(int from, int to)
{
        char piece[16 * 1024];
        const ssize_t n = recv(from, piece, sizeof(piece), MSG_DONTWAIT);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return true;
        return n > 0 && write_all(to, piece, (size_t) n);
}

static void
drop_pair(struct agent *a, size_t i)
{
        sw_fd_clear(&a->pairs[i].fd[0]);
        sw_fd_clear(&a->pairs[i].fd[1]);
        a->pairs[i] = a->pairs[--a->n];
}

static void
take_connection(struct agent *a)
{
        sw_auto(sw_fd) ssh = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
        sw_fd agent = -1;

        if (ssh < 0 || a->n == MAX_PAIRS)
                return;
        sw_err *err = sw_session_agent(a->session, a->ctx, a->id, &agent);
        if (err) {
                sw_ctx_logf(a->ctx, SW_LOG_WARN, "ssh agent %s: %s", a->id,
                            sw_err_message(err));
                sw_err_drop(err, "ssh finds no agent, and says so");
                return;
        }
        a->pairs[a->n].fd[0] = sw_fd_steal(&ssh);
        a->pairs[a->n++].fd[1] = agent;
}

static void *
serve(void *arg)
{
        struct agent *a = arg;

        for (;;) {
                struct pollfd fds[2 + 2 * MAX_PAIRS] = {
                        { .fd = a->stop, .events = POLLIN },
                        { .fd = a->listener, .events = POLLIN },
                };
                const size_t n = a->n;

                for (size_t i = 0; i < 2 * n; i++)
                        fds[2 + i] = (struct pollfd){ .fd = a->pairs[i / 2].fd[i % 2],
                                                      .events = POLLIN };
                if (poll(fds, 2 + 2 * n, -1) < 0 && errno != EINTR)
                        return NULL;
                if (fds[0].revents)
                        return NULL;
                for (size_t i = n; i-- > 0;) {
                        struct pair *p = &a->pairs[i];

                        if ((fds[2 + 2 * i].revents && !carry(p->fd[0], p->fd[1])) ||
                            (fds[3 + 2 * i].revents && !carry(p->fd[1], p->fd[0])))
                                drop_pair(a, i);
                }
                if (fds[1].revents)
                        take_connection(a);
        }
}

/* Bound, and reachable by its descriptor alone. */
static sw_err *
make_socket(struct agent *a, int dirfd)
{
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        char id[SW_ID_SIZE];

        sw_id_new(id);
        (void) snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/agent.%s",
                        dirfd, id);
        a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (a->listener < 0 ||
            bind(a->listener, (const struct sockaddr *) &name, sizeof(name)) < 0)
                return sw_err_sys(SW_E_IO, errno, "make a socket for ssh agent %s", a->id);
        a->node = open(name.sun_path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        const int sys = a->node < 0 ? errno : 0;
        (void) unlink(name.sun_path);
        if (sys || listen(a->listener, MAX_PAIRS) < 0)
                return sw_err_sys(SW_E_IO, sys ?: errno, "listen for ssh agent %s", a->id);
        (void) snprintf(a->path, sizeof(a->path), "/proc/%ld/fd/%d", (long) getpid(),
                        a->node);
        return SW_OK;
}

static sw_err *
start_thread(struct agent *a)
{
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const int rc = pthread_create(&a->thread, NULL, serve, a);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (rc != 0)
                return sw_err_sys(SW_E_NOMEM, rc, "start a thread for ssh agent %s", a->id);
        (void) pthread_setname_np(a->thread, "ssh agent");
        a->runs = true;
        return SW_OK;
}

/* Whether the client offers it: told before ssh asks for it. */
static sw_err *
check_offered(const struct agent *a)
{
        sw_auto(sw_fd) fd = -1;

        return a->session ? sw_session_agent(a->session, a->ctx, a->id, &fd)
                          : sw_err_new(SW_E_NOT_FOUND,
                                       "no SSH key \"%s\" forwarded from the "
                                       "client",
                                       a->id);
}

sw_err *
agent_start(sw_ctx *ctx, sw_session *session, const char *id, int dirfd, struct agent **out)
{
        struct agent *a = sw_new(struct agent);

        a->ctx = ctx;
        a->session = session;
        a->id = sw_strdup(id);
        a->listener = a->node = -1;
        a->stop = eventfd(0, EFD_CLOEXEC);
        sw_err *err =
                a->stop < 0 ? sw_err_sys(SW_E_IO, errno, "eventfd") : check_offered(a);
        if (!err)
                err = make_socket(a, dirfd);
        if (!err)
                err = start_thread(a);
        if (err)
                agent_stop(a);
        else
                *out = a;
        return err;
}

void
agent_stop(struct agent *a)
{
        const uint64_t one = 1;

        if (!a)
                return;
        if (a->runs) {
                while (write(a->stop, &one, sizeof(one)) < 0 && errno == EINTR)
                        ;
                pthread_join(a->thread, NULL);
        }
        while (a->n > 0)
                drop_pair(a, a->n - 1);
        sw_fd_clear(&a->listener);
        sw_fd_clear(&a->node);
        sw_fd_clear(&a->stop);
        free(a->id);
        free(a);
}
