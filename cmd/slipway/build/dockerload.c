/*
 * cmd/slipway/build/dockerload.c - POST /images/load of Docker's API, over its socket.
 *
 *      exporter -> pipe -> thread -> chunks on the socket; then the last chunk, the answer
 *
 * The last chunk is sent when the exporter committed, never before: a build that fails in
 * the middle leaves the engine with a request that breaks off, which it drops.
 * Thread: the exporter's, and one that sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <slipway/json.h>
#include <slipway/text.h>

#include "cmd/slipway/build/load_priv.h"

enum { PIECE = 256 * 1024, POLL_MS = 100, ANSWER_MAX = 1024 * 1024 };

static const char request[] = "POST /images/load?quiet=1 HTTP/1.1\r\n"
                              "Host: docker\r\n"
                              "User-Agent: slipway\r\n"
                              "Content-Type: application/x-tar\r\n"
                              "Transfer-Encoding: chunked\r\n"
                              "Connection: close\r\n"
                              "\r\n";

struct dockerload {
        sw_cancel *cancel;
        atomic_bool stop; /* nobody wants it any more */
        int sock, in;
        pthread_t thread;
        bool started;
        sw_err *err; /* of the thread */
};

char *
dockerload_socket(void)
{
        const char *host = getenv("DOCKER_HOST");

        if (!host || !*host)
                return sw_strdup("/var/run/docker.sock");
        return sw_str_has_prefix(host, "unix://") ? sw_strdup(host + 7) : NULL;
}

static sw_err *
open_socket(const char *path, int *out)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        sw_auto(sw_fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(a.sun_path))
                return sw_err_new(SW_E_LIMIT, "socket %s: the path is too long", path);
        memcpy(a.sun_path, path, strlen(path));
        if (fd < 0 || connect(fd, (const struct sockaddr *) &a, sizeof(a)) < 0)
                return sw_err_sys(errno == EACCES ? SW_E_DENIED : SW_E_NOT_FOUND, errno,
                                  "the Docker engine at %s", path);
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

bool
dockerload_is_there(const char *path)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = open_socket(path, &fd);

        sw_err_drop(err, "another engine may be there");
        return fd >= 0;
}

/* ---- sending ---- */

static sw_err *
wait_for(dockerload *d, int fd, short events)
{
        struct pollfd p = { .fd = fd, .events = events };
        sw_err *err;

        do {
                err = sw_cancel_check(d->cancel);
                if (!err && atomic_load(&d->stop))
                        err = sw_err_new(SW_E_CANCELLED, "the build has ended");
        } while (!err && poll(&p, 1, POLL_MS) <= 0);
        return err;
}

static sw_err *
send_all(dockerload *d, const void *p, size_t n)
{
        const char *at = p;
        sw_err *err = SW_OK;

        while (n && !err) {
                ssize_t sent = send(d->sock, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (sent > 0) {
                        at += sent;
                        n -= (size_t) sent;
                } else if (sent < 0 && errno == EAGAIN) {
                        err = wait_for(d, d->sock, POLLOUT);
                } else if (sent == 0 || errno != EINTR) {
                        return sw_err_sys(SW_E_REMOTE, errno, "send to the Docker engine");
                }
        }
        return err;
}

static sw_err *
send_chunk(dockerload *d, const void *p, size_t n)
{
        char head[24];
        int len = snprintf(head, sizeof(head), "%zx\r\n", n);
        sw_err *err = send_all(d, head, (size_t) len);

        if (!err)
                err = send_all(d, p, n);
        return err ? err : send_all(d, "\r\n", 2);
}

static sw_err *
pump(dockerload *d, char *piece)
{
        sw_err *err = send_all(d, request, strlen(request));

        while (!err) {
                ssize_t n;

                err = wait_for(d, d->in, POLLIN);
                if (err)
                        return err;
                n = read(d->in, piece, PIECE);
                if (n < 0 && errno != EINTR)
                        return sw_err_sys(SW_E_IO, errno, "read the archive");
                if (n == 0)
                        break;
                if (n > 0)
                        err = send_chunk(d, piece, (size_t) n);
        }
        return err;
}

/* Who writes to the pipe must not wait for ever when sending failed. */
static void *
pump_main(void *arg)
{
        dockerload *d = arg;
        char *piece = sw_alloc(PIECE);

        d->err = pump(d, piece);
        free(piece);
        sw_fd_clear(&d->in);
        return NULL;
}

sw_err *
dockerload_begin(sw_cancel *cancel, const char *path, dockerload **out, int *fd)
{
        dockerload *d = sw_new(dockerload);
        sw_err *why = SW_OK, *err;
        int ends[2] = { -1, -1 };

        *d = (dockerload){ .cancel = cancel, .sock = -1, .in = -1 };
        err = open_socket(path, &d->sock);
        if (!err && pipe2(ends, O_CLOEXEC) < 0)
                err = sw_err_sys(SW_E_IO, errno, "make a pipe");
        d->in = ends[0];
        if (!err) {
                d->started = pthread_create(&d->thread, NULL, pump_main, d) == 0;
                if (!d->started)
                        err = sw_err_new(SW_E_IO, "no thread can be made");
        }
        if (err) {
                sw_fd_clear(&ends[1]);
                dockerload_free(d, &why);
                return err;
        }
        *out = d;
        *fd = ends[1];
        return SW_OK;
}

/* ---- the answer ---- */

static sw_err *
read_answer(dockerload *d, sw_buf *out)
{
        char piece[4096];
        sw_err *err = SW_OK;

        while (!err && out->len < ANSWER_MAX) {
                ssize_t n;

                err = wait_for(d, d->sock, POLLIN);
                if (err)
                        return err;
                n = recv(d->sock, piece, sizeof(piece), MSG_DONTWAIT);
                if (n == 0)
                        break;
                if (n > 0)
                        sw_buf_add(out, piece, (size_t) n);
                else if (errno != EINTR && errno != EAGAIN)
                        return sw_err_sys(SW_E_REMOTE, errno, "the Docker engine's answer");
        }
        return err;
}

/* The words of an error, in a body that is JSON, one object after the other, in chunks. */
static sw_err *
told_error(const char *body)
{
        static const char *const keys[] = { "\"error\":\"", "\"message\":\"" };
        sw_auto(sw_buf) words = SW_BUF_INIT;

        for (size_t i = 0; i < SW_COUNT(keys); i++) {
                const char *at = strstr(body, keys[i]);

                if (!at)
                        continue;
                at += strlen(keys[i]);
                sw_buf_add_quoted(&words, at, strcspn(at, "\""), 300);
                return sw_err_new(SW_E_REMOTE, "the Docker engine says %s", words.data);
        }
        return SW_OK;
}

static sw_err *
judge(const sw_buf *answer)
{
        const char *body = strstr(answer->data, "\r\n\r\n");
        const char *status = strchr(answer->data, ' ');
        sw_err *err;

        if (!sw_str_has_prefix(answer->data, "HTTP/1.") || !status || !body)
                return sw_err_new(SW_E_REMOTE, "the Docker engine gave no answer");
        err = told_error(body);
        if (!err && !sw_str_has_prefix(status, " 200 "))
                err = sw_err_new(SW_E_REMOTE, "the Docker engine answered%.4s", status);
        return err;
}

sw_err *
dockerload_end(dockerload *d)
{
        sw_auto(sw_buf) answer = SW_BUF_INIT;
        sw_err *err;

        (void) pthread_join(d->thread, NULL);
        d->started = false;
        err = sw_steal(d->err);
        if (!err)
                err = send_all(d, "0\r\n\r\n", 5);
        if (!err)
                err = read_answer(d, &answer);
        return err ? err : judge(&answer);
}

void
dockerload_free(dockerload *d, sw_err **why)
{
        atomic_store(&d->stop, true);
        if (d->started)
                (void) pthread_join(d->thread, NULL);
        *why = d->err;
        sw_fd_clear(&d->in);
        sw_fd_clear(&d->sock);
        free(d);
}
