/*
 * tests/unit/core/session/session_test.c - asking the client: presence, limits, answers.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <slipway/session.h>

/* What the client of a test does. */
struct client {
        size_t secret_size;
        bool fail;      /* after half of the answer */
        bool wrong;     /* another kind of descriptor; a user without a secret */
        bool anonymous; /* no credentials */
        int calls;
        int moved; /* how often the secret was copied to another place */
};

static sw_err *
give_secret(void *self, sw_ctx *ctx, const char *id, sw_buf *out)
{
        struct client *c = self;

        (void) ctx;
        c->calls++;
        for (size_t i = 0; i < c->secret_size; i++) {
                const char *at = out->data;

                sw_buf_addc(out, 's');
                c->moved += i > 0 && out->data != at;
        }
        if (strcmp(id, "known") != 0)
                return sw_err_new(SW_E_NOT_FOUND, "not there");
        return c->fail ? sw_err_new(SW_E_IO, "connection lost") : SW_OK;
}

static sw_err *
give_agent(void *self, sw_ctx *ctx, const char *id, int *fd)
{
        struct client *c = self;

        (void) ctx;
        (void) id;
        *fd = c->wrong ? open("/dev/null", O_RDWR | O_CLOEXEC)
                       : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return c->fail ? sw_err_new(SW_E_IO, "connection lost") : SW_OK;
}

static sw_err *
give_credentials(void *self, sw_ctx *ctx, const char *host, char **user, char **secret)
{
        struct client *c = self;

        (void) ctx;
        (void) host;
        if (c->anonymous)
                return SW_OK;
        *user = strdup("me");
        if (!c->wrong)
                *secret = strdup("password");
        return c->fail ? sw_err_new(SW_E_IO, "connection lost") : SW_OK;
}

static sw_err *
give_directory(void *self, sw_ctx *ctx, const char *name, int *dirfd)
{
        struct client *c = self;

        (void) ctx;
        (void) name;
        if (c->fail)
                return sw_err_new(SW_E_DENIED, "no access");
        *dirfd = open(c->wrong ? "/dev/null" : "/", O_RDONLY | O_CLOEXEC);
        return SW_OK;
}

static const struct sw_session_ops all = { sizeof(all), give_secret, give_agent,
                                           give_credentials, give_directory };

/* Catches: answers not handed through. */
START_TEST(answers)
{
        struct client c = { .secret_size = 5 };
        sw_autoptr(sw_session) s = sw_session_new("id1", &all, &c);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_fd) agent = -1, dir = -1;
        sw_auto(sw_str) user = NULL, secret = NULL;

        ck_assert_str_eq(sw_session_id(s), "id1");
        sw_buf_adds(&b, "before ");
        ok(sw_session_secret(s, NULL, "known", &b));
        ck_assert_str_eq(b.data, "before sssss");
        ok(sw_session_agent(s, NULL, "default", &agent));
        ok(sw_session_directory(s, NULL, "context", &dir));
        ok(sw_session_credentials(s, NULL, "docker.io", &user, &secret));
        ck_assert(agent >= 0 && dir >= 0);
        ck_assert_str_eq(user, "me");
        ck_assert_str_eq(secret, "password");
        sw_str_clear(&user);
        sw_str_clear(&secret);
        c.anonymous = true;
        ok(sw_session_credentials(s, NULL, "docker.io", &user, &secret));
        ck_assert(!user && !secret);
}
END_TEST

/* Catches: a call through a member that is not there; a message that does not say what
 * was asked for. */
START_TEST(what_is_not_offered)
{
        struct client c = { 0 };
        struct sw_session_ops none = { .size = sizeof(none) }, old = all;
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_str user = NULL, secret = NULL;
        int fd = -1;

        old.size = offsetof(struct sw_session_ops, secret);
        sw_autoptr(sw_session) s1 = sw_session_new("none", &none, &c);
        sw_autoptr(sw_session) s2 = sw_session_new("old", &old, &c);
        sw_session *sessions[] = { s1, s2, NULL };
        for (size_t i = 0; i < SW_COUNT(sessions); i++) {
                sw_session *s = sessions[i];

                fails(sw_session_secret(s, NULL, "npm\n", &b), SW_E_NOT_FOUND,
                      "secret \"npm\\x0a\"");
                fails(sw_session_agent(s, NULL, "default", &fd), SW_E_NOT_FOUND,
                      "ssh agent \"default\"");
                fails(sw_session_credentials(s, NULL, "ghcr.io", &user, &secret),
                      SW_E_NOT_FOUND, "\"ghcr.io\"");
                fails(sw_session_directory(s, NULL, "context", &fd), SW_E_NOT_FOUND,
                      "directory \"context\"");
        }
        ck_assert(fd == -1 && !user && !secret && c.calls == 0);
}
END_TEST

/* Catches: a secret of any size taken; part of one left in the caller's buffer, or in
 * memory that a growing buffer gave back. */
START_TEST(secrets_have_limits)
{
        struct client c = { .secret_size = SW_SECRET_MAX };
        sw_autoptr(sw_session) s = sw_session_new("id", &all, &c);
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw_session_secret(s, NULL, "known", &b));
        ck_assert_uint_eq(b.len, SW_SECRET_MAX);
        ck_assert_int_eq(c.moved, 0);
        sw_buf_clear(&b);
        sw_buf_adds(&b, "mine");
        c.secret_size++;
        fails(sw_session_secret(s, NULL, "known", &b), SW_E_LIMIT, "secret \"known\"");
        ck_assert_str_eq(b.data, "mine");
        c.secret_size = 20;
        c.fail = true;
        fails(sw_session_secret(s, NULL, "known", &b), SW_E_IO, "connection lost");
        ck_assert_str_eq(b.data, "mine");
        ck_assert(memchr(b.data, 's', 24) == NULL); /* wiped, not only cut */
        fails(sw_session_secret(s, NULL, "other", &b), SW_E_NOT_FOUND, "\"other\"");
}
END_TEST

/* Catches: descriptors of another kind passed on or leaked, and half-given credentials. */
START_TEST(wrong_answers)
{
        struct client c = { .wrong = true };
        sw_autoptr(sw_session) s = sw_session_new("id", &all, &c);
        int fd = -1, next = dup(0);
        sw_str user = NULL, secret = NULL;

        close(next);
        for (int i = 0; i < 2; i++) {
                int code = i ? SW_E_IO : SW_E_BROKEN;

                fails(sw_session_agent(s, NULL, "a", &fd), code, "ssh agent \"a\"");
                fails(sw_session_credentials(s, NULL, "h", &user, &secret), code, "\"h\"");
                fails(sw_session_directory(s, NULL, "d", &fd),
                      i ? SW_E_DENIED : SW_E_BROKEN, "directory \"d\"");
                c = (struct client){ .fail = true };
        }
        ck_assert(fd == -1 && !user && !secret);
        fd = dup(0);
        ck_assert_int_eq(fd, next);
        close(fd);
}
END_TEST

/* Catches: names that no client can have meant; asking after the build was cancelled. */
START_TEST(wrong_questions)
{
        struct client c = { 0 };
        sw_autoptr(sw_session) s = sw_session_new("id", &all, &c);
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, NULL, NULL, NULL, NULL);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        char name[2000];

        memset(name, 'n', sizeof(name));
        name[sizeof(name) - 1] = 0;
        fails(sw_session_secret(s, ctx, "", &b), SW_E_INVALID, "secret without a name");
        fails(sw_session_secret(s, ctx, name, &b), SW_E_LIMIT, "nnn");
        sw_cancel_now(cancel, "stop");
        fails(sw_session_secret(s, ctx, "known", &b), SW_E_CANCELLED, "stop");
        ck_assert_int_eq(c.calls, 0);
}
END_TEST

UNIT_MAIN("session", answers, what_is_not_offered, secrets_have_limits, wrong_answers,
          wrong_questions)
