/*
 * plugins/api-@NAME@/plugin.c - api "@NAME@": tells every client the version and hangs up.
 *
 * One thread for each server; stop() wakes it through a pipe and joins it.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <slipway/apiserver.h>
#include <slipway/mem.h>
#include <slipway/text.h>

struct server {
        pthread_t thread;
        int listener, wake[2];
        char *path; /* removed at the end; NULL for an inherited socket */
};

static void *
serve(void *arg)
{
        struct server *s = arg;
        struct pollfd p[] = { { s->listener, POLLIN, 0 }, { s->wake[0], POLLIN, 0 } };

        while (poll(p, 2, -1) >= 0 || errno == EINTR) {
                if (p[1].revents)
                        break;
                if (!(p[0].revents & POLLIN))
                        continue;
                sw_auto(sw_fd) fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
                if (fd >= 0)
                        (void) send(fd, sw_version(), strlen(sw_version()), MSG_NOSIGNAL);
        }
        return NULL;
}

static sw_err *
open_listener(const char *address, struct server *s)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        if (!sw_str_has_prefix(address, "unix://") ||
            strlen(address + 7) >= sizeof(a.sun_path))
                return sw_err_new(SW_E_INVALID, "%s: must be unix://PATH", address);
        strcpy(a.sun_path, address + 7);
        s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s->listener < 0 || bind(s->listener, (struct sockaddr *) &a, sizeof(a)) < 0 ||
            listen(s->listener, 16) < 0)
                return sw_err_sys(errno == EADDRINUSE ? SW_E_BUSY : SW_E_IO, errno, "listen on %s",
                                  address);
        s->path = sw_strdup(a.sun_path);
        return SW_OK;
}

static void
server_free(struct server *s)
{
        if (s->path)
                (void) unlink(s->path);
        sw_fd_clear(&s->listener);
        sw_fd_clear(&s->wake[0]);
        sw_fd_clear(&s->wake[1]);
        free(s->path);
        free(s);
}

static sw_err *
@ID@_listen(void *self, sw_ctx *ctx, sw_engine *engine, const char *address, int fd,
            void **server)
{
        struct server *s = sw_new(struct server);
        sw_err *err = SW_OK;

        (void) self;
        (void) ctx;
        (void) engine;
        s->wake[0] = s->wake[1] = -1;
        s->listener = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
        if (fd < 0)
                err = open_listener(address, s);
        if (!err && pipe2(s->wake, O_CLOEXEC) < 0)
                err = sw_err_sys(SW_E_IO, errno, "make a pipe");
        if (!err && (errno = pthread_create(&s->thread, NULL, serve, s)))
                err = sw_err_sys(SW_E_IO, errno, "start a thread");
        if (err) {
                server_free(s);
                return err;
        }
        *server = s;
        return SW_OK;
}

static sw_err *
@ID@_stop(void *self, sw_ctx *ctx, void *server)
{
        struct server *s = server;

        (void) self;
        (void) ctx;
        sw_fd_clear(&s->wake[1]);
        pthread_join(s->thread, NULL);
        server_free(s);
        return SW_OK;
}

static const struct sw_api_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_api_ops),
        .listen = @ID@_listen,
        .stop = @ID@_stop,
};

SW_PLUGIN(api_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_API, "@NAME@"),
        .summary = "tell the version",
        .ops = &ops.hdr,
};
