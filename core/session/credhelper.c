/*
 * core/session/credhelper.c - Docker's credential helpers.
 *
 *      docker-credential-NAME get      stdin: the server; stdout: {"Username", "Secret"}
 *
 * One that has nothing fails and says "credentials not found" on stdout, where its other
 * errors go, too. The user name "<token>" says that the secret is an identity token. Its
 * stdin and output are files in memory: nobody waits for a pipe.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include <slipway/io.h>
#include <slipway/spawn.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/session/local.h"

enum { TIMEOUT_S = 60, MAX_OUTPUT = 1024 * 1024, SHOWN = 300 };

struct run {
        sw_fd in, out, err;
        struct sw_exit exit;
};

static void
run_clear(struct run *r)
{
        sw_fd_clear(&r->in);
        sw_fd_clear(&r->out);
        sw_fd_clear(&r->err);
}
typedef struct run run;
SW_DEFINE_AUTO(run, run_clear)

static sw_err *
make_files(struct run *r, const char *server)
{
        r->in = memfd_create("credential-in", MFD_CLOEXEC);
        r->out = memfd_create("credential-out", MFD_CLOEXEC);
        r->err = memfd_create("credential-err", MFD_CLOEXEC);
        if (r->in < 0 || r->out < 0 || r->err < 0)
                return sw_err_sys(SW_E_IO, errno, "make files in memory");
        int rc = sw_pwrite_all(r->in, server, strlen(server), 0);
        return rc ? sw_err_sys(SW_E_IO, rc, "write the server's name") : SW_OK;
}

/* Until the child ended. Killed and waited for when it takes too long, or is cancelled. */
static sw_err *
wait_child(sw_ctx *ctx, sw_child *child, struct sw_exit *out)
{
        sw_cancel *cancel = sw_ctx_cancel(ctx);
        int64_t until = sw_time_mono() + TIMEOUT_S * SW_NS_PER_SEC;
        int cancel_fd = -1;
        sw_err *err = cancel ? sw_cancel_fd(cancel, &cancel_fd) : SW_OK;

        while (!err) {
                struct pollfd p[2] = { { .fd = sw_child_fd(child), .events = POLLIN },
                                       { .fd = cancel_fd, .events = POLLIN } };
                int64_t left = (until - sw_time_mono()) / SW_NS_PER_MS;

                if (left <= 0)
                        return sw_err_new(SW_E_TIMEOUT, "it took more than %d s",
                                          TIMEOUT_S);
                int n = poll(p, cancel_fd < 0 ? 1 : 2, (int) left);
                if (n < 0 && errno != EINTR)
                        return sw_err_sys(SW_E_IO, errno, "poll");
                if (n > 0)
                        return sw_child_wait(child, cancel, out);
        }
        return err;
}

static sw_err *
run_helper(sw_ctx *ctx, const char *program, const char *server, struct run *r)
{
        const char *argv[] = { program, "get", NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_child) child = NULL;

        sw_err *err = make_files(r, server);
        if (err)
                return err;
        s.argv = argv;
        s.flags = SW_SPAWN_SEARCH_PATH;
        s.fds_std[0] = r->in;
        s.fds_std[1] = r->out;
        s.fds_std[2] = r->err;
        err = sw_spawn_start(&s, &child);
        return err ?: wait_child(ctx, child, &r->exit);
}

/* What a helper wrote; its writing moved the position that we share with it. */
static sw_err *
read_output(int fd, sw_buf *out, const char *what)
{
        if (lseek(fd, 0, SEEK_SET) < 0)
                return sw_err_sys(SW_E_IO, errno, "lseek");
        return sw_buf_read_fd(out, fd, MAX_OUTPUT, what);
}

/* The beginning of what it said, in one printable line. */
static void
add_said(sw_buf *b, const sw_buf *text)
{
        size_t n = text->len;

        while (n > 0 && strchr(" \r\n\t", text->data[n - 1]))
                n--;
        if (n == 0)
                return;
        sw_buf_adds(b, ": ");
        sw_buf_add_quoted(b, text->data, n, SHOWN);
}

static sw_err *
failed(const struct run *r, const sw_buf *out)
{
        sw_auto(sw_buf) said = SW_BUF_INIT;
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (!r->exit.signalled && strstr(out->data, "credentials not found"))
                return SW_OK;
        sw_err *err = read_output(r->err, &text, "stderr");
        if (err)
                return err;
        add_said(&said, out);
        add_said(&said, &text);
        return sw_err_new(SW_E_BROKEN, "it %s %d%s",
                          r->exit.signalled ? "was ended by signal" : "failed with status",
                          r->exit.value, said.data);
}

static sw_err *
parse_answer(const sw_buf *out, char **user, char **secret)
{
        sw_autoptr(sw_json) doc = NULL;
        const char *u = NULL, *s = NULL;

        sw_err *err = sw__parse_secret_json("its answer", out->data, out->len, &doc);
        if (!err)
                err = sw_json_str(doc, "Username", &u);
        if (!err)
                err = sw_json_str_req(doc, "Secret", &s);
        if (err)
                return err;
        if (!*s)
                return SW_OK;
        if (!u || !*u)
                return sw_err_new(SW_E_INVALID, "its answer has no Username");
        *user = strcmp(u, "<token>") == 0 ? NULL : sw_strdup(u);
        *secret = sw_strdup(s);
        return SW_OK;
}

sw_err *
sw__credhelper_get(sw_ctx *ctx, const char *name, const char *server, char **user,
                   char **secret)
{
        sw_auto(sw_str) program = sw_asprintf("docker-credential-%s", name);
        sw_auto(run) r = { -1, -1, -1, { 0 } };
        sw_auto(sw_buf) out = SW_BUF_INIT;

        sw_err *err = run_helper(ctx, program, server, &r);
        if (!err)
                err = read_output(r.out, &out, "stdout");
        if (!err)
                err = r.exit.signalled || r.exit.value != 0
                              ? failed(&r, &out)
                              : parse_answer(&out, user, secret);
        explicit_bzero(out.data, out.len);
        return sw_err_wrap(err, "credential helper %s", program);
}
