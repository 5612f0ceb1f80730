/*
 * core/session/session.c - what plugins ask of the client of a build.
 *
 * Each call checks that the client offers the thing, that the name is one, that nobody
 * cancelled, and that the answer keeps to its limits: a client is as hostile as any other
 * input, and its secrets do not stay behind in memory that was given back.
 * Thread: any; nothing changes after sw_session_new.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/mem.h>
#include <slipway/session.h>
#include <slipway/text.h>

/* No id, host or directory name of anybody's is longer. */
#define MAX_NAME 1024

struct sw_session {
        char *id;
        const struct sw_session_ops *ops;
        void *self;
};

/* The member of the session's table, or NULL when the client lacks it. */
#define SESSION_OP(s, member)                                                              \
        ((s) && (s)->ops->size >= offsetof(struct sw_session_ops, member) +                \
                                          sizeof((s)->ops->member)                         \
                 ? (s)->ops->member                                                        \
                 : NULL)

sw_session *
sw_session_new(const char *id, const struct sw_session_ops *ops, void *self)
{
        sw_session *s = sw_new(sw_session);

        s->id = sw_strdup(id);
        s->ops = ops;
        s->self = self;
        return s;
}

void
sw_session_free(sw_session *s)
{
        if (!s)
                return;
        free(s->id);
        free(s);
}

const char *
sw_session_id(const sw_session *s)
{
        return s->id;
}

/* "secret \"NAME\"", for messages. */
static char *
shown(const char *what, const char *name)
{
        sw_buf b = SW_BUF_INIT;

        sw_buf_addf(&b, "%s ", what);
        sw_buf_add_quoted(&b, name, strlen(name), 128);
        return sw_buf_detach(&b);
}

static sw_err *
not_offered(const char *what, const char *name)
{
        sw_auto(sw_str) it = shown(what, name);

        return sw_err_new(SW_E_NOT_FOUND, "%s: the client offers none", it);
}

/* What every call checks before the client is asked. */
static sw_err *
check_request(sw_ctx *ctx, const char *what, const char *name)
{
        sw_auto(sw_str) it = shown(what, name);

        if (!*name)
                return sw_err_new(SW_E_INVALID, "%s without a name", what);
        if (strlen(name) > MAX_NAME)
                return sw_err_new(SW_E_LIMIT, "%s: the name is over %d bytes", it,
                                  MAX_NAME);
        return sw_ctx_check(ctx);
}

static sw_err *
wrap_answer(sw_err *err, const char *what, const char *name)
{
        sw_auto(sw_str) it = err ? shown(what, name) : NULL;

        return sw_err_wrap(err, "get %s", it);
}

sw_err *
sw_session_secret(sw_session *s, sw_ctx *ctx, const char *id, sw_buf *out)
{
        sw_err *(*secret)(void *, sw_ctx *, const char *, sw_buf *) = SESSION_OP(s, secret);
        size_t before = out->len;

        if (!secret)
                return not_offered("secret", id);
        sw_err *err = check_request(ctx, "secret", id);
        if (err)
                return err;
        /* room for all of it: a buffer that grows leaves copies behind; what is not
         * touched costs nothing */
        sw_buf_reserve(out, SW_SECRET_MAX + 1);
        err = secret(s->self, ctx, id, out);
        if (!err && out->len - before > SW_SECRET_MAX)
                err = sw_err_new(SW_E_LIMIT, "it has %zu bytes, more than %d",
                                 out->len - before, SW_SECRET_MAX);
        if (!err)
                return SW_OK;
        if (out->len > before) { /* part of it: not the caller's, not anybody's */
                explicit_bzero(out->data + before, out->len - before);
                sw_buf_truncate(out, before);
        }
        return wrap_answer(err, "secret", id);
}

/* Hold the client to a descriptor of the kind that was asked for. */
static sw_err *
check_fd(int fd, mode_t kind, const char *wanted)
{
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind)
                return SW_OK;
        return sw_err_new(SW_E_BROKEN, "what the client handed over is not %s", wanted);
}

sw_err *
sw_session_agent(sw_session *s, sw_ctx *ctx, const char *id, int *fd)
{
        sw_err *(*agent)(void *, sw_ctx *, const char *, int *) = SESSION_OP(s, agent);
        sw_auto(sw_fd) got = -1;

        if (!agent)
                return not_offered("ssh agent", id);
        sw_err *err = check_request(ctx, "ssh agent", id);
        if (!err)
                err = wrap_answer(agent(s->self, ctx, id, &got), "ssh agent", id);
        if (!err)
                err = wrap_answer(check_fd(got, S_IFSOCK, "a socket"), "ssh agent", id);
        if (!err)
                *fd = sw_fd_steal(&got);
        return err;
}

sw_err *
sw_session_credentials(sw_session *s, sw_ctx *ctx, const char *host, char **user,
                       char **secret)
{
        sw_err *(*credentials)(void *, sw_ctx *, const char *, char **, char **) =
                SESSION_OP(s, credentials);
        char *got_user = NULL, *got_secret = NULL;

        if (!credentials)
                return not_offered("credentials for", host);
        sw_err *err = check_request(ctx, "credentials for", host);
        if (!err)
                err = wrap_answer(credentials(s->self, ctx, host, &got_user, &got_secret),
                                  "credentials for", host);
        if (!err && got_user && !got_secret)
                err = wrap_answer(sw_err_new(SW_E_BROKEN, "a user without a secret"),
                                  "credentials for", host);
        if (!err) {
                *user = got_user;
                *secret = got_secret;
                return SW_OK;
        }
        if (got_secret)
                explicit_bzero(got_secret, strlen(got_secret));
        free(got_secret);
        free(got_user);
        return err;
}

void
sw_session_credential_places(sw_session *s, sw_buf *out)
{
        void (*places)(void *, sw_buf *) = SESSION_OP(s, credential_places);

        if (places)
                places(s->self, out);
}

sw_err *
sw_session_directory(sw_session *s, sw_ctx *ctx, const char *name, int *dirfd)
{
        sw_err *(*directory)(void *, sw_ctx *, const char *, int *) =
                SESSION_OP(s, directory);
        sw_auto(sw_fd) got = -1;

        if (!directory)
                return not_offered("directory", name);
        sw_err *err = check_request(ctx, "directory", name);
        if (!err)
                err = wrap_answer(directory(s->self, ctx, name, &got), "directory", name);
        if (!err)
                err = wrap_answer(check_fd(got, S_IFDIR, "a directory"), "directory", name);
        if (!err)
                *dirfd = sw_fd_steal(&got);
        return err;
}
