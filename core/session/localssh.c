/*
 * core/session/localssh.c - ssh agents that a build may use: the one behind a socket, or
 * one of our own that has some keys.
 *
 * Key files are given to an ssh-agent that is started when a build asks for it first; the
 * keys never are in this process. It is run as
 *
 *      ssh-agent -a DIR/agent sh -c 'ssh-add KEYS; wait for the end of standard input'
 *
 * since ssh-agent, which has a set-id bit, does not die with its program by itself: however
 * this process ends, the pipe that is the shell's standard input does, too, and the shell
 * ends the agent and removes its directory. Nobody is asked for a passphrase: a key that
 * has one is for an agent of the user's.
 * Thread: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <slipway/spawn.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/session/local.h"

#define SAID_MAX 4096
#define START_MS 20000
#define END_MS   2000
#define DIR_MAX  64 /* of TMPDIR: a socket's path has room for 107 bytes */

static const char script[] =
        "trap 'kill \"$SSH_AGENT_PID\"; rm -f \"$SSH_AUTH_SOCK\"; "
        "rmdir \"${SSH_AUTH_SOCK%/*}\"' EXIT\n"
        "trap '' INT TERM HUP QUIT PIPE\n"
        "said=$(ssh-add -- \"$@\" 2>&1 </dev/null) || { printf '%s' \"$said\"; exit 1; }\n"
        "echo ready\n"
        "exec >/dev/null\n"
        "while read -r _; do :; done\n";

struct sw__ssh {
        char *id;
        char *socket;    /* of somebody's agent; NULL: our own has keys */
        sw_strlist keys; /* files */
        bool raw;
        struct sw__sshfilter *filter;
        pthread_mutex_t lock; /* what follows: our own agent */
        sw_child *child;      /* NULL: not started */
        sw_fd alive;          /* it runs as long as this is open */
        char *dir;            /* of its socket */
};

/* ---- our own agent ---- */

static void
end_agent(struct sw__ssh *s)
{
        sw_fd_clear(&s->alive);
        if (s->child) {
                struct pollfd p = { .fd = sw_child_fd(s->child), .events = POLLIN };

                (void) poll(&p, 1, END_MS);
                sw_child_free(s->child);
                s->child = NULL;
        }
}

/* The shell's arguments: the script, its name, the keys. */
static sw_err *
spawn(struct sw__ssh *s, const char *socket, int in, int out)
{
        const char **argv = sw_alloc_array(s->keys.n + 8, sizeof(*argv));
        const char *const head[] = { "ssh-agent", "-a",   socket, "/bin/sh",
                                     "-c",        script, "sh" };
        struct sw_spawn sp = SW_SPAWN_INIT;

        memcpy(argv, head, sizeof(head));
        for (size_t i = 0; i < s->keys.n; i++)
                argv[7 + i] = s->keys.v[i];
        sp.argv = argv;
        sp.fds_std[0] = in;
        sp.fds_std[1] = out;
        /* without a terminal nobody can be asked for a passphrase */
        sp.flags = SW_SPAWN_SEARCH_PATH | SW_SPAWN_SETSID;
        sw_auto(sw_strlist) env = { 0 };
        for (char **e = environ; *e; e++)
                if (strncmp(*e, "SSH_ASKPASS", 11) != 0 && strncmp(*e, "DISPLAY=", 8) != 0)
                        sw_strlist_add(&env, *e);
        sw_strlist_add(&env, "SSH_ASKPASS_REQUIRE=never");
        const char **envp = sw_alloc_array(env.n + 1, sizeof(*envp));
        memcpy(envp, env.v, env.n * sizeof(*envp));
        sp.env = envp;
        sw_err *err = sw_spawn_start(&sp, &s->child);
        free(envp);
        free(argv);
        return err;
}

/* What it says until it is ready, or ends. */
static sw_err *
wait_ready(sw_ctx *ctx, int from)
{
        char said[SAID_MAX + 1] = "";
        size_t n = 0;
        const int64_t until = sw_time_mono() + START_MS * (SW_NS_PER_SEC / 1000);

        while (n < SAID_MAX && sw_time_mono() < until) {
                struct pollfd p = { .fd = from, .events = POLLIN };
                sw_err *err = sw_ctx_check(ctx);

                if (err)
                        return err;
                if (poll(&p, 1, 100) <= 0)
                        continue;
                ssize_t got = read(from, said + n, SAID_MAX - n);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        break;
                n += (size_t) got;
                said[n] = '\0';
                if (strcmp(said, "ready\n") == 0)
                        return SW_OK;
        }
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_buf_add_quoted(&shown, said, n, 500);
        return sw_err_new(
                SW_E_DENIED,
                "ssh-add takes no such key: %s (a key with a passphrase has to be "
                "in an agent: give its socket)",
                shown.data);
}

static sw_err *
start_agent_in_dir(struct sw__ssh *s, sw_ctx *ctx)
{
        int in[2], out[2];

        if (pipe2(in, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        sw_auto(sw_fd) in_read = in[0];
        s->alive = in[1];
        if (pipe2(out, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        sw_auto(sw_fd) out_read = out[0], out_write = out[1];
        sw_auto(sw_str) socket = sw_asprintf("%s/agent", s->dir);
        sw_err *err = spawn(s, socket, in_read, out_write);
        sw_fd_clear(&out_write);
        return err ? err : wait_ready(ctx, out_read);
}

static sw_err *
start_agent(struct sw__ssh *s, sw_ctx *ctx)
{
        const char *tmp = getenv("TMPDIR");

        if (!tmp || tmp[0] != '/' || strlen(tmp) > DIR_MAX)
                tmp = "/tmp";
        free(s->dir);
        s->dir = sw_asprintf("%s/slipway-ssh-XXXXXX", tmp);
        if (!mkdtemp(s->dir))
                return sw_err_sys(SW_E_IO, errno, "make a directory in %s for ssh-agent",
                                  tmp);
        sw_err *err = start_agent_in_dir(s, ctx);
        if (!err)
                return SW_OK;
        end_agent(s);
        (void) rmdir(s->dir); /* where the shell did not come to do it */
        return sw_err_wrap(err, "serve the keys with ssh-agent");
}

/* ---- what is named ---- */

void
sw__ssh_free(void *p)
{
        struct sw__ssh *s = p;

        if (!s)
                return;
        sw__sshfilter_free(s->filter);
        end_agent(s);
        sw_strlist_release(&s->keys);
        (void) pthread_mutex_destroy(&s->lock);
        free(s->socket);
        free(s->dir);
        free(s->id);
        free(s);
}

static sw_err *
add_path(struct sw__ssh *s, const char *path)
{
        struct stat st;

        if (stat(path, &st) != 0)
                return sw_err_sys(errno == ENOENT   ? SW_E_NOT_FOUND
                                  : errno == EACCES ? SW_E_DENIED
                                                    : SW_E_IO,
                                  errno, "look at %s", path);
        if (S_ISSOCK(st.st_mode)) {
                if (s->socket)
                        return sw_err_new(SW_E_USAGE, "only one socket is allowed");
                if (strlen(path) >= sizeof(((struct sockaddr_un *) 0)->sun_path))
                        return sw_err_new(SW_E_LIMIT,
                                          "the path of a socket is too long: %s", path);
                s->socket = sw_strdup(path);
                return SW_OK;
        }
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_INVALID, "%s is neither a socket nor a key file",
                                  path);
        if (access(path, R_OK) != 0)
                return sw_err_sys(SW_E_DENIED, errno, "read %s", path);
        sw_strlist_add(&s->keys, path);
        return SW_OK;
}

static sw_err *
add_field(struct sw__ssh *s, const char *field)
{
        if (strcmp(field, "raw=true") == 0 || strcmp(field, "raw=false") == 0) {
                s->raw = field[4] == 't';
                return SW_OK;
        }
        return *field ? add_path(s, field) : sw_err_new(SW_E_USAGE, "a path is empty");
}

static sw_err *
parse(struct sw__ssh *s, const char *paths)
{
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err = paths ? sw_csv_split(paths, &fields) : SW_OK;

        for (size_t i = 0; i < fields.n && !err; i++)
                err = add_field(s, fields.v[i]);
        if (!err && !s->socket && s->keys.n == 0) {
                const char *path = getenv("SSH_AUTH_SOCK");

                if (!path || !*path)
                        return sw_err_new(SW_E_NOT_FOUND,
                                          "SSH_AUTH_SOCK is not set: start an agent, or "
                                          "give its socket or a key file");
                err = add_path(s, path);
                if (!err && !s->socket)
                        return sw_err_new(SW_E_INVALID, "SSH_AUTH_SOCK=%s is no socket",
                                          path);
        }
        if (!err && s->socket && s->keys.n > 0)
                err = sw_err_new(SW_E_USAGE, "a socket and key files do not go together");
        if (!err && s->raw && !s->socket)
                err = sw_err_new(SW_E_USAGE, "raw is for a socket, not for key files");
        return err;
}

sw_err *
sw__ssh_parse(const char *spec, char **id, struct sw__ssh **out)
{
        const char *eq = strchr(spec, '=');
        const size_t n = eq ? (size_t) (eq - spec) : strlen(spec);
        struct sw__ssh *s = sw_new(struct sw__ssh);

        (void) pthread_mutex_init(&s->lock, NULL);
        s->alive = -1;
        s->id = n ? sw_strndup(spec, n) : sw_strdup("default");
        sw_err *err = parse(s, eq && eq[1] ? eq + 1 : NULL);
        if (err) {
                err = sw_err_wrap(err, "ssh agent %s", s->id);
                sw__ssh_free(s);
                return err;
        }
        s->filter = s->raw ? NULL : sw__sshfilter_new();
        *id = sw_strdup(s->id);
        *out = s;
        return SW_OK;
}

/* ---- connections ---- */

static sw_err *
connect_to(const char *path, int *out)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        sw_auto(sw_fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
        if (fd < 0 || connect(fd, (struct sockaddr *) &to, sizeof(to)) != 0)
                return sw_err_sys(SW_E_IO, errno, "connect to %s", path);
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

static sw_err *
connect_own(struct sw__ssh *s, sw_ctx *ctx, int *out)
{
        sw_err *err = SW_OK;

        (void) pthread_mutex_lock(&s->lock);
        if (!s->child)
                err = start_agent(s, ctx);
        (void) pthread_mutex_unlock(&s->lock);
        if (err)
                return err;
        sw_auto(sw_str) path = sw_asprintf("%s/agent", s->dir);
        return connect_to(path, out);
}

sw_err *
sw__ssh_connect(struct sw__ssh *s, sw_ctx *ctx, int *fd)
{
        int agent = -1;
        sw_err *err =
                s->socket ? connect_to(s->socket, &agent) : connect_own(s, ctx, &agent);

        if (!err && s->filter)
                err = sw__sshfilter_start(s->filter, agent, &agent);
        if (!err)
                *fd = agent;
        return sw_err_wrap(err, "ssh agent %s", s->id);
}
