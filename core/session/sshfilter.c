/*
 * core/session/sshfilter.c - connections to an ssh agent through which a build may list its
 * keys and have them sign, and nothing else: not add or remove keys, lock the agent, or use
 * extensions.
 *
 * Each connection is a socket pair whose other end a thread reads requests from, one at a
 * time, as the protocol has it (draft-miller-ssh-agent): length, type, body. What may not
 * pass is answered with a failure. A thread ends with either of its peers, or with
 * sw__sshfilter_free(), which waits for all.
 * Thread: any.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "core/session/local.h"

#define MESSAGE_MAX ((uint32_t) 256 * 1024) /* OpenSSH's own limit */
#define AT_ONCE     64

enum { FAILURE = 5, REQUEST_IDENTITIES = 11, SIGN_REQUEST = 13 };

struct conn {
        struct sw__sshfilter *f;
        int build, agent; /* -1: none */
        bool started, done;
        pthread_t thread;
};

struct sw__sshfilter {
        pthread_mutex_t lock;
        struct conn conns[AT_ONCE];
};

/* ---- one connection ---- */

static bool
read_all(int fd, void *p, size_t n)
{
        while (n > 0) {
                ssize_t got = recv(fd, p, n, 0);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return false;
                p = (char *) p + got;
                n -= (size_t) got;
        }
        return true;
}

static bool
send_all(int fd, const void *p, size_t n)
{
        while (n > 0) {
                ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

                if (put < 0 && errno == EINTR)
                        continue;
                if (put <= 0)
                        return false;
                p = (const char *) p + put;
                n -= (size_t) put;
        }
        return true;
}

/* A whole message, its length in front. */
static bool
read_message(int fd, sw_buf *b)
{
        unsigned char len[4];

        if (!read_all(fd, len, sizeof(len)))
                return false;
        const uint32_t n = (uint32_t) len[0] << 24 | (uint32_t) len[1] << 16 |
                           (uint32_t) len[2] << 8 | len[3];
        if (n == 0 || n > MESSAGE_MAX)
                return false;
        sw_buf_clear(b);
        sw_buf_add(b, len, sizeof(len));
        sw_buf_reserve(b, sizeof(len) + n + 1);
        if (!read_all(fd, b->data + sizeof(len), n))
                return false;
        b->len += n;
        return true;
}

static bool
answer(const struct conn *c, sw_buf *b)
{
        static const unsigned char failure[] = { 0, 0, 0, 1, FAILURE };
        const unsigned char type = (unsigned char) b->data[4];

        if (type != REQUEST_IDENTITIES && type != SIGN_REQUEST)
                return send_all(c->build, failure, sizeof(failure));
        return send_all(c->agent, b->data, b->len) && read_message(c->agent, b) &&
               send_all(c->build, b->data, b->len);
}

static void *
serve(void *arg)
{
        struct conn *c = arg;
        sw_auto(sw_buf) b = SW_BUF_INIT;

        while (read_message(c->build, &b) && answer(c, &b))
                ;
        (void) shutdown(c->build, SHUT_RDWR);
        (void) shutdown(c->agent, SHUT_RDWR);
        (void) pthread_mutex_lock(&c->f->lock);
        c->done = true;
        (void) pthread_mutex_unlock(&c->f->lock);
        return NULL;
}

/* ---- all of them ---- */

static void
end_conn(struct conn *c)
{
        if (c->started)
                (void) pthread_join(c->thread, NULL);
        sw_fd_clear(&c->build);
        sw_fd_clear(&c->agent);
        c->started = c->done = false;
}

struct sw__sshfilter *
sw__sshfilter_new(void)
{
        struct sw__sshfilter *f = sw_new(struct sw__sshfilter);

        (void) pthread_mutex_init(&f->lock, NULL);
        for (size_t i = 0; i < AT_ONCE; i++)
                f->conns[i].build = f->conns[i].agent = -1;
        return f;
}

void
sw__sshfilter_free(struct sw__sshfilter *f)
{
        if (!f)
                return;
        for (size_t i = 0; i < AT_ONCE; i++) {
                struct conn *c = &f->conns[i];

                if (c->started) {
                        (void) shutdown(c->build, SHUT_RDWR);
                        (void) shutdown(c->agent, SHUT_RDWR);
                }
                end_conn(c);
        }
        (void) pthread_mutex_destroy(&f->lock);
        free(f);
}

/* A place for one more; NULL: all are taken. */
static struct conn *
free_place_locked(struct sw__sshfilter *f)
{
        for (size_t i = 0; i < AT_ONCE; i++) {
                if (f->conns[i].started && f->conns[i].done)
                        end_conn(&f->conns[i]); /* has nothing left to do but return */
                if (!f->conns[i].started)
                        return &f->conns[i];
        }
        return NULL;
}

static sw_err *
start_locked(struct sw__sshfilter *f, int agent, int *out)
{
        struct conn *c = free_place_locked(f);
        int pair[2];

        if (!c)
                return sw_err_new(SW_E_LIMIT, "more than %d connections to one ssh agent",
                                  AT_ONCE);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pair of sockets");
        c->f = f;
        c->build = pair[0];
        c->agent = agent;
        int err = pthread_create(&c->thread, NULL, serve, c);
        if (err) {
                c->agent = -1; /* still the caller's */
                sw_fd_clear(&c->build);
                (void) close(pair[1]);
                return sw_err_sys(SW_E_IO, err, "start a thread");
        }
        c->started = true;
        *out = pair[1];
        return SW_OK;
}

sw_err *
sw__sshfilter_start(struct sw__sshfilter *f, int agent, int *out)
{
        sw_auto(sw_fd) given = agent;

        (void) pthread_mutex_lock(&f->lock);
        sw_err *err = start_locked(f, given, out);
        (void) pthread_mutex_unlock(&f->lock);
        if (!err)
                (void) sw_fd_steal(&given);
        return err;
}
