/*
 * core/ops/execio.c - while a command runs: what it prints becomes progress, and what it
 * says to an agent reaches the client's, in one poll loop on a thread of the pool.
 *
 * Backpressure: the pipes are read only as fast as progress takes it, so a command that
 * prints faster waits. Agents of the client are asked for anew for every connection.
 *
 * Who ends it reads what is left itself, and does not wait for the other thread to notice:
 * that one finds that there is no command any more, and lets go of the descriptors.
 *
 * Thread: start and stop: the one that runs the command. Everything is guarded by the lock;
 * poll() alone is called without it, and at worst on a number that means another file by
 * then, of which nothing is done but to look again.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/ops/exec.h"

#define READ_BYTES 65536
#define CONN_BYTES 8192
#define MAX_CONNS  64

/* One direction of a connection. */
struct way {
        int from, to;
        bool ended; /* from has no more */
        size_t n, at;
        char bytes[CONN_BYTES];
};

struct sw__exec_conn {
        sw_fd inside, outside;
        struct way ask, answer;
};

struct sw__exec_io {
        pthread_mutex_t lock;
        struct sw__exec *x;   /* NULL: the command has ended */
        unsigned holders;     /* of this struct: the command, the reader */
        sw_fd out[2], err[2]; /* [0]: ours */
        sw_fd wake;           /* written once the command has ended */
        struct sw__exec_conn *conns;
        size_t n_conns;
        char *bytes; /* READ_BYTES */
};

/* ---- connections --------------------------------------------------------------------- */

static void
conn_free(struct sw__exec_io *io, size_t i)
{
        struct sw__exec_conn *c = &io->conns[i];

        sw_fd_clear(&c->inside);
        sw_fd_clear(&c->outside);
        io->conns[i] = io->conns[--io->n_conns];
        if (i < io->n_conns) { /* the moved one's descriptors are its own */
                c->ask.from = c->answer.to = c->inside;
                c->ask.to = c->answer.from = c->outside;
        }
}

static void
accept_one(struct sw__exec_io *io, const struct sw__exec_agent *a)
{
        struct sw__exec_conn c = { .inside = -1, .outside = -1 };

        c.inside = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (c.inside < 0)
                return;
        sw_err *err = io->n_conns >= MAX_CONNS
                              ? sw_err_new(SW_E_LIMIT, "too many connections to an agent")
                              : sw__exec_open_agent(io->x, a->id, &c.outside);
        if (!err && fcntl(c.outside, F_SETFL, O_NONBLOCK) != 0)
                err = sw_err_sys(SW_E_IO, errno, "set up a connection to an agent");
        if (err) {
                sw_ctx_logf(io->x->ctx, SW_LOG_WARN, "ssh agent %s: %s", a->id,
                            sw_err_message(err));
                sw_err_drop(err, "told; who connected sees the end");
                sw_fd_clear(&c.inside);
                sw_fd_clear(&c.outside);
                return;
        }
        c.ask.from = c.answer.to = c.inside;
        c.ask.to = c.answer.from = c.outside;
        io->conns[io->n_conns++] = c;
}

static void
way_poll(const struct way *w, struct pollfd *in, struct pollfd *out)
{
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is such a one */
        *in = (struct pollfd){ .fd = w->n || w->ended ? -1 : w->from, .events = POLLIN };
        *out = (struct pollfd){ .fd = w->n ? w->to : -1, .events = POLLOUT };
}

/* False when the connection is broken. */
static bool
way_move(struct way *w, const struct pollfd *in, const struct pollfd *out)
{
        ssize_t n;

        if (in->fd >= 0 && in->revents) {
                n = recv(w->from, w->bytes, sizeof(w->bytes), 0);
                if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                        w->ended = true;
                        (void) shutdown(w->to, SHUT_WR);
                } else if (n > 0) {
                        w->n = (size_t) n;
                        w->at = 0;
                }
        }
        if (out->fd >= 0 && out->revents) {
                n = send(w->to, w->bytes + w->at, w->n, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN && errno != EINTR)
                        return false;
                w->at += n > 0 ? (size_t) n : 0;
                w->n -= n > 0 ? (size_t) n : 0;
        }
        return true;
}

/* ---- the loop ------------------------------------------------------------------------ */

/* Hand on what is there. False at the end, or when nothing is there now. */
static bool
read_output(struct sw__exec_io *io, sw_fd *fd, int stream)
{
        ssize_t n = *fd < 0 ? 0 : read(*fd, io->bytes, READ_BYTES);

        if (n > 0) {
                sw_progress_output(io->x->ctx, stream, io->bytes, (size_t) n);
                return true;
        }
        if (n < 0 && errno == EINTR)
                return true;
        if (n == 0 || errno != EAGAIN)
                sw_fd_clear(fd);
        return false;
}

static void
serve_agents(struct sw__exec_io *io, const struct pollfd *p, size_t n_conns)
{
        size_t n = io->x->priv.agents.n;

        for (size_t i = n_conns; i > 0; i--) { /* from the end: one may be taken out */
                const struct pollfd *q = &p[n + (i - 1) * 4];
                struct sw__exec_conn *c = &io->conns[i - 1];
                bool good = way_move(&c->ask, &q[0], &q[1]) &&
                            way_move(&c->answer, &q[2], &q[3]);

                if (!good || (c->ask.ended && c->answer.ended && !c->ask.n && !c->answer.n))
                        conn_free(io, i - 1);
        }
        for (size_t i = 0; i < n; i++)
                if (p[i].revents)
                        accept_one(io, &io->x->priv.agents.v[i]);
}

/* What to wait for; how many. */
static size_t
plan_locked(const struct sw__exec_io *io, struct pollfd *p)
{
        const struct sw__exec_private *priv = &io->x->priv;
        size_t n = 3;

        p[0] = (struct pollfd){ .fd = io->wake, .events = POLLIN };
        p[1] = (struct pollfd){ .fd = io->out[0], .events = POLLIN };
        p[2] = (struct pollfd){ .fd = io->err[0], .events = POLLIN };
        for (size_t i = 0; i < priv->agents.n; i++)
                p[n++] = (struct pollfd){ .fd = priv->agents.v[i].listener,
                                          .events = POLLIN };
        for (size_t i = 0; i < io->n_conns; i++, n += 4) {
                way_poll(&io->conns[i].ask, &p[n], &p[n + 1]);
                way_poll(&io->conns[i].answer, &p[n + 2], &p[n + 3]);
        }
        return n;
}

static void
let_go(struct sw__exec_io *io)
{
        pthread_mutex_lock(&io->lock);
        bool last = --io->holders == 0;
        pthread_mutex_unlock(&io->lock);
        if (!last)
                return;
        for (int i = 0; i < 2; i++) {
                sw_fd_clear(&io->out[i]);
                sw_fd_clear(&io->err[i]);
        }
        sw_fd_clear(&io->wake);
        pthread_mutex_destroy(&io->lock);
        free(io->conns);
        free(io->bytes);
        free(io);
}

static void
read_all(void *arg)
{
        struct sw__exec_io *io = arg;
        struct pollfd *p = NULL;

        pthread_mutex_lock(&io->lock);
        if (io->x)
                p = sw_alloc_array(3 + io->x->priv.agents.n +
                                           (io->conns ? 4 * MAX_CONNS : 0),
                                   sizeof(*p));
        while (io->x) {
                size_t n_conns = io->n_conns, n = plan_locked(io, p);

                pthread_mutex_unlock(&io->lock);
                int ready = poll(p, n, -1);
                pthread_mutex_lock(&io->lock);
                if (ready <= 0 || !io->x)
                        continue;
                if (p[1].revents)
                        (void) read_output(io, &io->out[0], 1);
                if (p[2].revents)
                        (void) read_output(io, &io->err[0], 2);
                serve_agents(io, p + 3, n_conns);
        }
        pthread_mutex_unlock(&io->lock);
        free(p);
        let_go(io);
}

/* ---- start and stop ------------------------------------------------------------------ */

static sw_err *
open_pipe(sw_fd p[2])
{
        if (pipe2(p, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        if (fcntl(p[0], F_SETFL, O_NONBLOCK) != 0) /* our end alone; theirs blocks */
                return sw_err_sys(SW_E_IO, errno, "set up a pipe");
        return SW_OK;
}

static sw_err *
open_all(struct sw__exec_io *io)
{
        sw_err *err = open_pipe(io->out);

        if (!err)
                err = open_pipe(io->err);
        if (err)
                return err;
        io->wake = eventfd(0, EFD_CLOEXEC);
        return io->wake < 0 ? sw_err_sys(SW_E_IO, errno, "make an event") : SW_OK;
}

sw_err *
sw__exec_io_start(struct sw__exec *x)
{
        struct sw__exec_io *io = sw_new(struct sw__exec_io);

        *io = (struct sw__exec_io){ .x = x,
                                    .holders = 1,
                                    .out = { -1, -1 },
                                    .err = { -1, -1 },
                                    .wake = -1,
                                    .bytes = sw_alloc(READ_BYTES) };
        pthread_mutex_init(&io->lock, NULL);
        if (x->priv.agents.n)
                io->conns = sw_alloc_array(MAX_CONNS, sizeof(*io->conns));
        sw_err *err = open_all(io);
        if (!err) {
                io->holders = 2;
                err = sw_pool_submit(x->env->readers, read_all, io);
                if (err)
                        io->holders = 1;
        }
        if (err)
                let_go(io);
        else
                x->io = io;
        return err;
}

int
sw__exec_io_end(const struct sw__exec *x, int stream)
{
        if (!x->io)
                return -1;
        return stream == 1 ? x->io->out[1] : x->io->err[1];
}

void
sw__exec_io_stop(struct sw__exec *x)
{
        struct sw__exec_io *io = sw_steal(x->io);
        uint64_t one = 1;

        if (!io)
                return;
        pthread_mutex_lock(&io->lock);
        while (read_output(io, &io->out[0], 1))
                continue;
        while (read_output(io, &io->err[0], 2))
                continue;
        while (io->n_conns)
                conn_free(io, io->n_conns - 1);
        io->x = NULL;
        pthread_mutex_unlock(&io->lock);
        (void) !write(io->wake, &one, sizeof(one));
        let_go(io);
}
