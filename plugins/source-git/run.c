/*
 * plugins/source-git/run.c - one run of the git program.
 *
 * Its standard error is read line by line: progress becomes a status, other lines are told
 * to who waits; the last ones are the error's words when it fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <slipway/json.h>
#include <slipway/spawn.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "plugins/source-git/run.h"

enum { MAX_LINE = 8 * 1024, MAX_WORDS = 1500, PIECE = 64 * 1024 };

/* ---- credentials ---- */

static sw_err *
one_line(sw_buf *b, const char *name)
{
        while (b->len > 0 && (b->data[b->len - 1] == '\n' || b->data[b->len - 1] == '\r'))
                sw_buf_truncate(b, b->len - 1);
        if (memchr(b->data, '\0', b->len) || strpbrk(b->data, "\r\n"))
                return sw_err_new(SW_E_INVALID, "secret %s is no text of one line", name);
        return SW_OK;
}

/* @pair: "user:password". */
static void
set_basic(struct runner *r, const char *pair)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_json_add_base64(&text, pair, strlen(pair));
        r->auth =
                sw_asprintf("Authorization: basic %.*s", (int) text.len - 2, text.data + 1);
        explicit_bzero(text.data, text.len);
}

static void
set_auth(struct runner *r, const char *secret, bool token)
{
        if (token) { /* as GitHub and others have it */
                sw_auto(sw_str) pair = sw_asprintf("x-access-token:%s", secret);

                set_basic(r, pair);
                explicit_bzero(pair, strlen(pair));
        } else {
                r->auth = sw_asprintf("Authorization: %s", secret);
        }
        sw_strlist_add(&r->hidden, secret);
        sw_strlist_add(&r->hidden, r->auth + strlen("Authorization: "));
}

/* What a URL names: sent as a header, so that it stands in no argument and no file. */
static void
set_user(struct runner *r, const char *user)
{
        sw_auto(sw_buf) pair = SW_BUF_INIT;

        for (const char *p = user; *p; p++) {
                const char hex[3] = { p[0] == '%' ? p[1] : '\0',
                                      p[0] == '%' && p[1] ? p[2] : '\0' };
                char *end;
                const unsigned long byte = strtoul(hex, &end, 16);

                if (end == hex + 2 && byte) {
                        sw_buf_addc(&pair, (char) byte);
                        p += 2;
                } else {
                        sw_buf_addc(&pair, *p);
                }
        }
        if (!strchr(user, ':'))
                sw_buf_addc(&pair, ':');
        set_basic(r, pair.data);
        sw_strlist_add(&r->hidden, user);
        sw_strlist_add(&r->hidden, r->auth + strlen("Authorization: "));
        explicit_bzero(pair.data, pair.len);
}

/* The first one that the client has. */
static sw_err *
find_auth(struct runner *r)
{
        const struct spec *s = r->spec;
        const char *const base[] = { s->header_secret, s->token_secret };

        if (s->remote.kind != REMOTE_HTTP || !r->session)
                return SW_OK;
        for (size_t i = 0; i < 4; i++) {
                sw_auto(sw_buf) secret = SW_BUF_INIT;
                const char *name = base[i % 2];

                if (!name)
                        continue;
                sw_auto(sw_str) full = sw_asprintf("%s%s%s", name, i < 2 ? "." : "",
                                                   i < 2 ? s->remote.host : "");
                sw_err *err = sw_session_secret(r->session, r->ctx, full, &secret);
                if (sw_err_code(err) == SW_E_NOT_FOUND) {
                        sw_err_drop(err, "it need not be there");
                        continue;
                }
                if (!err)
                        err = one_line(&secret, full);
                if (!err && secret.len > 0)
                        set_auth(r, secret.data, i % 2 == 1);
                explicit_bzero(secret.data, secret.len);
                if (err || r->auth)
                        return err;
        }
        return SW_OK;
}

static sw_err *
find_ssh(struct runner *r)
{
        const struct spec *s = r->spec;
        const size_t n = s->known_hosts ? strlen(s->known_hosts) : 0;

        if (s->remote.kind != REMOTE_SSH)
                return SW_OK;
        if (n > 0) {
                r->known_hosts = memfd_create("known_hosts", MFD_CLOEXEC);
                if (r->known_hosts < 0 ||
                    write(r->known_hosts, s->known_hosts, n) != (ssize_t) n)
                        return sw_err_sys(SW_E_IO, errno, "keep known hosts");
        }
        return SW_OK;
}

sw_err *
runner_begin(struct runner *r, struct git *plugin, const struct spec *spec, sw_ctx *ctx,
             sw_session *session)
{
        *r = (struct runner){
                .plugin = plugin,
                .spec = spec,
                .remote = &spec->remote,
                .ctx = ctx,
                .session = session,
                .known_hosts = -1,
        };
        sw_err *err = find_auth(r);
        if (!err && !r->auth && spec->remote.user)
                set_user(r, spec->remote.user);
        return err ? err : find_ssh(r);
}

void
runner_for(struct runner *r, const struct runner *parent, const struct remote *remote)
{
        *r = *parent;
        r->parent = parent;
        r->remote = remote;
        r->auth = NULL;
        r->hidden = (sw_strlist){ 0 };
        for (size_t i = 0; i < parent->hidden.n; i++)
                sw_strlist_add(&r->hidden, parent->hidden.v[i]);
        if (parent->auth && auth_reaches(parent->remote->url, remote->url))
                r->auth = sw_strdup(parent->auth);
        else if (remote->user)
                set_user(r, remote->user);
}

void
runner_end(struct runner *r)
{
        if (!r->parent) {
                agent_stop(r->agent);
                sw_fd_clear(&r->known_hosts);
        }
        if (r->auth)
                explicit_bzero(r->auth, strlen(r->auth));
        sw_str_clear(&r->auth);
        runenv_release(&r->hidden);
}

/* ---- what it says ---- */

struct talk {
        const struct runner *r;
        const struct run *q;
        sw_buf line;     /* of standard error, not at its end */
        sw_buf words;    /* the last lines */
        int64_t started; /* receiving */
};

/* Leave out what must not be seen. */
static void
hide(const struct talk *t, sw_buf *line)
{
        for (size_t i = 0; i < t->r->hidden.n; i++) {
                const char *secret = t->r->hidden.v[i];
                const size_t n = strlen(secret);

                for (char *at = line->data; n > 0 && (at = strstr(at, secret)); at += n)
                        memset(at, 'x', n);
        }
}

static void
tell_received(struct talk *t, int64_t bytes, bool end)
{
        const int64_t now = sw_time_now();

        if (t->started == 0)
                t->started = now;
        const struct sw_progress status = {
                .id = "receiving objects",
                .current = bytes,
                .started = t->started,
                .completed = end ? now : 0,
        };
        sw_progress_status(t->r->ctx, &status);
}

static void
keep_words(struct talk *t)
{
        sw_buf_addf(&t->words, "%s%s", t->words.len ? "\n" : "", t->line.data);
        if (t->words.len <= MAX_WORDS)
                return;
        sw_auto(sw_str) rest = sw_strdup(t->words.data + t->words.len - MAX_WORDS);
        sw_buf_clear(&t->words); /* the last ones count */
        sw_buf_adds(&t->words, rest);
}

static void
end_line(struct talk *t)
{
        int64_t bytes;
        bool end;

        if (t->line.len == 0)
                return;
        hide(t, &t->line);
        if (received_read(t->line.data, &bytes, &end)) {
                tell_received(t, bytes, end);
        } else if (!is_counting(t->line.data)) {
                keep_words(t);
                sw_buf_addc(&t->line, '\n');
                if (t->q->reach == RUN_REMOTE)
                        sw_progress_output(t->r->ctx, 2, t->line.data, t->line.len);
        }
        sw_buf_clear(&t->line);
}

/* Servers have their say in it, too: nothing that could steer a terminal is kept. */
static void
add_byte(sw_buf *line, char byte)
{
        const unsigned char c = (unsigned char) byte;
        const bool high = c >= 0x80 && c < 0xa0 && line->len > 0 &&
                          (unsigned char) line->data[line->len - 1] == 0xc2;

        if (high)
                sw_buf_truncate(line, line->len - 1);
        if (line->len < MAX_LINE)
                sw_buf_addc(line, c < 0x20 || c == 0x7f || high ? ' ' : byte);
}

static void
take_errors(struct talk *t, const char *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (p[i] == '\n' || p[i] == '\r')
                        end_line(t);
                else
                        add_byte(&t->line, p[i]);
}

static sw_err *
take_output(struct talk *t, const char *p, size_t n)
{
        if (t->q->take)
                return t->q->take(t->q->arg, p, n);
        if (!t->q->out)
                return SW_OK;
        if (n > t->q->limit - t->q->out->len)
                return sw_err_new(SW_E_LIMIT, "it prints more than %zu bytes", t->q->limit);
        sw_buf_add(t->q->out, p, n);
        return SW_OK;
}

/* ---- one run ---- */

struct pipes {
        sw_fd in[2]; /* its output: ours to read, its to write */
        sw_fd err[2];
};

static void
pipes_close(struct pipes *p)
{
        for (int i = 0; i < 2; i++) {
                sw_fd_clear(&p->in[i]);
                sw_fd_clear(&p->err[i]);
        }
}
typedef struct pipes pipes;
SW_DEFINE_AUTO(pipes, pipes_close)

/* Read what is there; *end: nothing more comes. */
static sw_err *
drain(struct talk *t, sw_fd *fd, bool errors)
{
        char piece[4096];
        const ssize_t n = read(*fd, piece, sizeof(piece));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return SW_OK;
        if (n < 0)
                return sw_err_sys(SW_E_IO, errno, "read what git prints");
        if (n == 0) {
                sw_fd_clear(fd);
                return SW_OK;
        }
        if (!errors)
                return take_output(t, piece, (size_t) n);
        take_errors(t, piece, (size_t) n);
        return SW_OK;
}

/* Until it closed both, or ended. */
static sw_err *
listen_to(struct talk *t, sw_child *child, struct pipes *p)
{
        sw_cancel *cancel = sw_ctx_cancel(t->r->ctx);
        int cancel_fd = -1;
        sw_err *err = cancel ? sw_cancel_fd(cancel, &cancel_fd) : SW_OK;

        while (!err && (p->in[0] >= 0 || p->err[0] >= 0)) {
                struct pollfd fds[] = {
                        { .fd = p->in[0], .events = POLLIN },
                        { .fd = p->err[0], .events = POLLIN },
                        { .fd = cancel_fd, .events = POLLIN },
                        { .fd = sw_child_fd(child), .events = POLLIN },
                };
                const int n = poll(fds, SW_COUNT(fds),
                                   (int) (t->r->plugin->idle_ns / SW_NS_PER_MS));

                if (n < 0 && errno != EINTR)
                        return sw_err_sys(SW_E_IO, errno, "poll");
                if (n == 0)
                        return sw_err_new(SW_E_TIMEOUT, "nothing came any more");
                if (n < 0)
                        continue;
                err = sw_ctx_check(t->r->ctx);
                if (!err && fds[0].revents)
                        err = drain(t, &p->in[0], false);
                if (!err && fds[1].revents)
                        err = drain(t, &p->err[0], true);
                if (!fds[0].revents && !fds[1].revents && fds[3].revents)
                        break; /* what it left running holds them */
        }
        end_line(t);
        return err;
}

static sw_err *
make_pipes(struct pipes *p)
{
        if (pipe2(p->in, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0)
                return sw_err_sys(SW_E_IO, errno, "pipe");
        return SW_OK;
}

static sw_err *
start(const struct runner *r, const struct run *q, struct pipes *p, sw_child **out)
{
        const char *argv[32] = { "git" };
        sw_strlist env = { 0 };
        size_t n = 1;
        const struct sw_spawn_limit limits[] = {
                { RLIMIT_DATA, (uint64_t) (q->memory ? q->memory : r->plugin->memory) },
                { RLIMIT_FSIZE, (uint64_t) q->max_file },
        };

        for (; q->args[n - 1] && n + 1 < SW_COUNT(argv); n++)
                argv[n] = q->args[n - 1];
        argv[n] = NULL;
        runenv_make(r, q, &env);
        sw_array_push(&env, NULL);
        struct sw_spawn s = SW_SPAWN_INIT;
        s.argv = argv;
        s.env = (const char *const *) env.v;
        s.cwd_fd = q->cwd_fd;
        s.fds_std[1] = p->in[1];
        s.fds_std[2] = p->err[1];
        s.flags = SW_SPAWN_SEARCH_PATH;
        s.limits = limits;
        s.n_limits = q->max_file > 0 ? 2 : 1;
        sw_err *err = sw_spawn_start(&s, out);
        env.n--;
        runenv_release(&env);
        sw_fd_clear(&p->in[1]);
        sw_fd_clear(&p->err[1]);
        if (sw_err_code(err) == SW_E_NOT_FOUND)
                err = sw_err_wrap(err, "the git program, which is to be installed");
        return err;
}

static sw_err *
failed(const struct talk *t, const struct sw_exit *e)
{
        sw_auto(sw_buf) words = SW_BUF_INIT;
        const char *verb = t->q->args[0];

        for (char *p = t->words.data; *p; p++)
                if (*p == '\n')
                        *p = ';';
        sw_buf_add_quoted(&words, t->words.data, t->words.len, MAX_WORDS);
        if (words.len > 2) { /* without the quotes */
                words.data[words.len - 1] = '\0';
                return sw_err_new(SW_E_REMOTE, "git %s: %s", verb, words.data + 1);
        }
        return sw_err_new(SW_E_REMOTE, "git %s ended with %s %d", verb,
                          e->signalled ? "signal" : "exit status", e->value);
}

static sw_err *
run(struct talk *t, bool *yes)
{
        sw_auto(pipes) p = { { -1, -1 }, { -1, -1 } };
        sw_autoptr(sw_child) child = NULL;
        struct sw_exit e = { .value = 0 };
        sw_err *err = make_pipes(&p);

        if (!err)
                err = start(t->r, t->q, &p, &child);
        if (!err)
                err = listen_to(t, child, &p);
        pipes_close(&p);
        if (err && child && sw_err_code(err) != SW_E_CANCELLED)
                return err; /* freeing it kills it */
        if (child) {
                sw_err *end = sw_child_wait(child, sw_ctx_cancel(t->r->ctx), &e);

                if (err)
                        sw_err_drop(end, "the first one is told");
                else
                        err = end;
        }
        *yes = !err && !e.signalled && e.value == 0;
        if (err || *yes)
                return err;
        return failed(t, &e);
}

static sw_err *
git_run_yes(const struct runner *r, const struct run *q, bool *yes)
{
        struct talk t = { .r = r, .q = q, .line = SW_BUF_INIT, .words = SW_BUF_INIT };
        sw_err *err = run(&t, yes);

        sw_buf_release(&t.line);
        sw_buf_release(&t.words);
        return err;
}

sw_err *
git_run(const struct runner *r, const struct run *q)
{
        bool yes;

        return git_run_yes(r, q, &yes);
}

sw_err *
git_ask(const struct runner *r, const struct run *q, bool *yes)
{
        sw_err *err = git_run_yes(r, q, yes);

        if (sw_err_code(err) != SW_E_REMOTE)
                return err;
        sw_err_drop(err, "then it is not so");
        *yes = false;
        return SW_OK;
}
