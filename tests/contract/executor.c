/*
 * tests/contract/executor.c - the rules of executors (slipway/executor.h).
 *
 * Commands are run in a root with busybox in it (--attr rootfs=DIR: another one that has a
 * shell), and what they print and how they end is looked at. Rules of isolation are for
 * executors that change the root; one that does not is told so and let off.
 */
#include "tests/contract/contract.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <slipway/executor.h>
#include <slipway/id.h>
#include <slipway/text.h>
#include <slipway/time.h>

#define OUTPUT_MAX (1 << 20)
#define MARKER     "root-of-the-contract"
#define MS         INT64_C(1000000)

struct suite {
        struct contract *c;
        const struct sw_executor_ops *ops;
        void *self;
        sw_fd root;
        bool isolates; /* it changes the root */
};

/* One command. Zero values are sensible. */
struct attempt {
        const char *script; /* for sh -c */
        struct sw_exec_container c;
        struct sw_exec_process p;
        sw_cancel *cancel;
        void (*started)(void *arg);
        void *arg;
        char id[SW_ID_SIZE];
        sw_fd input; /* what is typed; given */
        /* afterwards */
        struct sw_exec_status status;
        sw_buf out;
        unsigned n_started;
};

/* ---- the root ------------------------------------------------------------------------ */

static bool
copy_program(int dirfd, const char *from, const char *to)
{
        sw_auto(sw_fd) in = open(from, O_RDONLY | O_CLOEXEC);
        sw_auto(sw_fd) out = openat(dirfd, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        ssize_t n = in < 0 || out < 0 ? -1 : 1;

        while (n > 0)
                n = sendfile(out, in, NULL, 1 << 20);
        return n == 0;
}

static bool
make_root(struct suite *s)
{
        static const char *const dirs[] = { "bin", "dev", "etc", "proc", "sys", "tmp" };
        /* several containers have this root at once: what one makes to mount on, and takes
         * away, another may be about to mount on */
        static const char *const files[] = { "etc/hosts", "etc/resolv.conf" };
        static const char *const names[] = { "sh",   "cat",   "id",   "ls",   "sleep",
                                             "stty", "touch", "grep", "echo", "kill" };
        sw_auto(sw_str) path = sw_asprintf("%s/root", s->c->workdir);

        if (mkdir(path, 0755) != 0)
                return false;
        s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < SW_COUNT(dirs); i++)
                if (mkdirat(s->root, dirs[i], 0755) != 0)
                        return false;
        for (size_t i = 0; i < SW_COUNT(files); i++) {
                sw_auto(sw_fd) fd =
                        openat(s->root, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                if (fd < 0)
                        return false;
        }
        for (size_t i = 0; i < SW_COUNT(names); i++) {
                char link[32];

                (void) snprintf(link, sizeof(link), "bin/%s", names[i]);
                if (symlinkat("busybox", s->root, link) != 0)
                        return false;
        }
        return copy_program(s->root, "/bin/busybox", "bin/busybox") ||
               copy_program(s->root, "/usr/bin/busybox", "bin/busybox");
}

static bool
open_root(struct suite *s)
{
        const char *given = sw_attr_get(s->c->attrs, s->c->n_attrs, "rootfs");

        s->root = -1;
        if (given)
                s->root = open(given, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        else if (!make_root(s))
                return false;
        sw_auto(sw_fd) marker =
                openat(s->root, MARKER, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        return marker >= 0;
}

/* ---- one command --------------------------------------------------------------------- */

static void
count_start(void *arg)
{
        struct attempt *a = arg;

        a->n_started++;
        if (a->started)
                a->started(a->arg);
}

static void *
read_output(void *arg)
{
        const struct attempt *a = arg;

        sw_err_drop(sw_buf_read_fd((sw_buf *) &a->out, a->p.fds_std[0], OUTPUT_MAX,
                                   "output"),
                    "what came until then counts");
        return NULL;
}

/* The executor's error; a->out has what was printed. */
static sw_err *
attempt_run(struct suite *s, struct attempt *a)
{
        static const char *const env[] = { "PATH=/bin:/usr/bin", "HOME=/", "RULE=kept",
                                           NULL };
        const char *const args[] = { "/bin/sh", "-c", a->script, NULL };
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(a->cancel, NULL, NULL, NULL, s->c->info->name);
        struct attempt reader = { .out = SW_BUF_INIT };
        pthread_t thread;
        int p[2];

        if (pipe2(p, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        (void) sw_id_new(a->id);
        a->c.size = sizeof(a->c);
        a->c.id = a->id;
        a->c.rootfd = s->root;
        a->p.size = sizeof(a->p);
        a->p.args = a->p.args ? a->p.args : args;
        a->p.env = env;
        a->p.cwd = a->p.cwd ? a->p.cwd : "/";
        a->p.user = a->p.user ? a->p.user : "";
        a->p.fds_std[0] = a->p.terminal ? a->input : -1;
        a->p.fds_std[1] = a->p.fds_std[2] = p[1];
        a->status = (struct sw_exec_status){ .size = sizeof(a->status) };
        reader.p.fds_std[0] = p[0];
        (void) pthread_create(&thread, NULL, read_output, &reader);
        sw_err *err = s->ops->run(s->self, ctx, &a->c, &a->p, count_start, a, &a->status);
        (void) close(p[1]);
        (void) pthread_join(thread, NULL);
        (void) close(p[0]);
        a->out = reader.out;
        return err;
}

/* Run @a; it ends well and prints @want. */
static void
check_output(struct suite *s, struct attempt *a, const char *want, const char *rule)
{
        sw_err *err = attempt_run(s, a);
        bool good = !err && !a->status.signalled && a->status.value == 0 &&
                    strcmp(a->out.data, want) == 0;

        contract_check(s->c, good, rule, "status %d, \"%s\" %s", a->status.value,
                       a->out.data, err ? sw_err_message(err) : "");
        sw_err_free(err);
        sw_buf_release(&a->out);
}

static void
check_error(struct suite *s, struct attempt *a, const int *codes, const char *rule)
{
        contract_refused(s->c, attempt_run(s, a), codes, rule);
        sw_buf_release(&a->out);
}

/* ---- rules of all -------------------------------------------------------------------- */

static const int invalid_codes[] = { SW_E_INVALID, SW_E_NOT_FOUND, 0 };
static const int program_codes[] = { SW_E_STEP, SW_E_NOT_FOUND, SW_E_BROKEN, 0 };
static const int cancel_codes[] = { SW_E_CANCELLED, 0 };
static const int gone_codes[] = { SW_E_NOT_FOUND, 0 };

static void
check_ends(struct suite *s)
{
        struct attempt plain = { .script = "echo out; echo $RULE" };
        struct attempt errors = { .script = "echo err >&2" };
        struct attempt status = { .script = "exit 42" };
        struct attempt killed = { .script = "sleep 100 & kill -9 $!; wait $!; exit $?" };

        check_output(s, &plain, "out\nkept\n",
                     "runs a command with its output and variables");
        check_output(s, &errors, "err\n", "and what it says on standard error");
        contract_check(s->c, plain.n_started == 1, "says once that it started", "%u times",
                       plain.n_started);
        contract_check(s->c,
                       plain.status.cpu_ns >= -1 && plain.status.memory_peak >= -1 &&
                               plain.status.io_read >= -1 && plain.status.io_written >= -1,
                       "tells what was used, or that it is not known", NULL);
        contract_ok(s->c, attempt_run(s, &status), "an exit status is no error");
        contract_check(s->c, !status.status.signalled && status.status.value == 42,
                       "and is told", "%d", status.status.value);
        sw_buf_release(&status.out);
        contract_ok(s->c, attempt_run(s, &killed), "a signal is no error");
        contract_check(s->c, killed.status.value == 128 + SIGKILL,
                       "and is told as shells do", "%d", killed.status.value);
        sw_buf_release(&killed.out);
}

static void
check_missing_program(struct suite *s)
{
        const char *const args[] = { "/no/such/program", NULL };
        struct attempt a = { .p = { .args = args } };
        sw_err *err = attempt_run(s, &a);

        if (err)
                contract_refused(s->c, err, program_codes,
                                 "a program that is not there: refused");
        else
                contract_check(s->c, a.status.value == 127,
                               "a program that is not there: status 127", "%d",
                               a.status.value);
        sw_buf_release(&a.out);
}

static void
cancel_it(void *arg)
{
        sw_cancel_now(arg, "the contract wants it");
}

static void
check_cancel(struct suite *s)
{
        sw_cancel *before = sw_cancel_new(NULL), *during = sw_cancel_new(NULL);
        struct attempt early = { .script = "echo ran", .cancel = before };
        struct attempt late = { .script = "sleep 1000 & sleep 1000",
                                .cancel = during,
                                .started = cancel_it,
                                .arg = during };
        int64_t begin;

        sw_cancel_now(before, "before it began");
        check_error(s, &early, cancel_codes, "cancelled before: nothing runs");
        begin = sw_time_mono();
        /* the pipe is read to its end: whoever lives on would hold it */
        check_error(s, &late, cancel_codes, "cancelled: ends as such");
        int64_t took = (sw_time_mono() - begin) / MS;
        contract_check(s->c, took < SW_CANCEL_GRACE_MS + 1000,
                       "every process is gone within the grace", "after %lld ms",
                       (long long) took);
        sw_cancel_unref(before);
        sw_cancel_unref(during);
}

static void *
run_one(void *arg)
{
        struct suite *s = arg;
        struct attempt a = { .script = "echo one" };
        sw_err *err = attempt_run(s, &a);
        bool good = !err && a.status.value == 0 && strcmp(a.out.data, "one\n") == 0;

        if (!good)
                printf("# one of several: %s, status %d, output \"%s\"\n",
                       err ? sw_err_message(err) : "no error", a.status.value, a.out.data);
        sw_err_drop(err, "counted");
        sw_buf_release(&a.out);
        return good ? s : NULL;
}

static void
check_several(struct suite *s)
{
        pthread_t t[8];
        unsigned good = 0;

        for (size_t i = 0; i < SW_COUNT(t); i++)
                (void) pthread_create(&t[i], NULL, run_one, s);
        for (size_t i = 0; i < SW_COUNT(t); i++) {
                void *result = NULL;

                (void) pthread_join(t[i], &result);
                good += result != NULL;
        }
        contract_check(s->c, good == SW_COUNT(t), "several at once", "%u of %zu", good,
                       SW_COUNT(t));
}

/* ---- rules of containers ------------------------------------------------------------- */

static void
check_place(struct suite *s)
{
        struct attempt user = { .script = "id -u; id -g", .p = { .user = "12:34" } };
        struct attempt nobody = { .script = "true", .p = { .user = "no-such-user" } };
        struct attempt cwd = { .script = "pwd", .p = { .cwd = "/made/here" } };
        struct attempt alone = { .script = "echo $$; ls /proc/self/fd | grep -c ." };
        struct attempt host = { .script = "cat /proc/sys/kernel/hostname",
                                .c = { .hostname = "contract" } };
        struct attempt ro = { .script = "(echo >/x) 2>/dev/null || echo no",
                              .c = { .readonly = true } };

        check_output(s, &user, "12\n34\n", "user and group by number");
        check_error(s, &nobody, invalid_codes, "a user that is not there is refused");
        check_output(s, &cwd, "/made/here\n",
                     "a working directory that is missing is made");
        check_output(s, &alone, "1\n4\n", "processes and descriptors of its own only");
        check_output(s, &host, "contract\n", "the host name is set");
        check_output(s, &ro, "no\n", "a read-only root cannot be written");
}

static void
check_mounts(struct suite *s)
{
        sw_auto(sw_fd) dir = openat(s->root, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct sw_exec_mount mounts[] = {
                { .type = SW_EXEC_TMPFS, .target = "/new/tmpfs", .fd = -1 },
                { .type = SW_EXEC_BIND,
                  .target = "/new/bound",
                  .fd = dir,
                  .readonly = true },
        };
        struct attempt a = {
                .script = "echo x >/new/tmpfs/x && cat /new/tmpfs/x; "
                          "(echo >/new/bound/x) 2>/dev/null || echo no",
                .c = { .mounts = mounts, .n_mounts = SW_COUNT(mounts) },
        };
        struct stat st;

        check_output(s, &a, "x\nno\n", "a tmpfs, and a directory that is read-only");
        contract_check(s->c, fstatat(s->root, "new/tmpfs", &st, 0) != 0,
                       "what was made to mount on is removed", NULL);
}

/* ---- running ones -------------------------------------------------------------------- */

struct visit {
        struct suite *s;
        struct attempt *a;
        sw_err *signal, *exec, *resize, *sweep;
        struct sw_exec_status status;
        sw_fd out;
};

static void
visit_it(void *arg)
{
        static const char *const args[] = { "/bin/sh", "-c", "echo inside; exit 3", NULL };
        static const char *const env[] = { "PATH=/bin:/usr/bin", NULL };
        struct visit *v = arg;
        const struct sw_executor_ops *ops = v->s->ops;
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, NULL, NULL, NULL, v->s->c->info->name);
        const struct sw_exec_process p = { .size = sizeof(p),
                                           .args = args,
                                           .env = env,
                                           .cwd = "/",
                                           .user = "",
                                           .fds_std = { -1, v->out, v->out } };

        v->status = (struct sw_exec_status){ .size = sizeof(v->status) };
        if (SW_OPS_HAS(ops, struct sw_executor_ops, sweep))
                v->sweep = ops->sweep(v->s->self);
        if (SW_OPS_HAS(ops, struct sw_executor_ops, exec))
                v->exec = ops->exec(v->s->self, ctx, v->a->id, &p, &v->status);
        if (SW_OPS_HAS(ops, struct sw_executor_ops, resize))
                v->resize = ops->resize(v->s->self, ctx, v->a->id, 33, 77);
        if (SW_OPS_HAS(ops, struct sw_executor_ops, signal))
                v->signal = ops->signal(v->s->self, ctx, v->a->id, SIGTERM);
}

static void
check_visit(struct suite *s)
{
        struct attempt a = { .script = "trap 'exit 9' TERM; echo ready; "
                                       "while :; do sleep 0.05; done" };
        struct visit v = { .s = s, .a = &a, .out = -1 };
        int p[2];

        if (!SW_OPS_HAS(s->ops, struct sw_executor_ops, signal) || pipe2(p, O_CLOEXEC) != 0)
                return;
        v.out = p[1];
        a.started = visit_it;
        a.arg = &v;
        contract_ok(s->c, attempt_run(s, &a), "runs while others look at it");
        if (SW_OPS_HAS(s->ops, struct sw_executor_ops, sweep))
                contract_ok(s->c, v.sweep, "sweeping leaves those that run");
        contract_ok(s->c, v.signal, "takes signals");
        contract_check(s->c, a.status.value == 9 || a.status.value == 128 + SIGTERM,
                       "which the command gets", "%d", a.status.value);
        if (SW_OPS_HAS(s->ops, struct sw_executor_ops, exec)) {
                char got[16] = "";

                contract_ok(s->c, v.exec, "runs another command in it");
                (void) !read(p[0], got, sizeof(got) - 1);
                contract_check(s->c, v.status.value == 3 && strcmp(got, "inside\n") == 0,
                               "with output and status of its own", "%d, \"%s\"",
                               v.status.value, got);
        }
        if (SW_OPS_HAS(s->ops, struct sw_executor_ops, resize))
                contract_refused(s->c, v.resize, (const int[]){ SW_E_INVALID, 0 },
                                 "what has no terminal has no size");
        (void) close(p[0]);
        (void) close(p[1]);
        sw_buf_release(&a.out);
}

static void
check_unknown(struct suite *s)
{
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, NULL, NULL, NULL, s->c->info->name);

        if (SW_OPS_HAS(s->ops, struct sw_executor_ops, signal))
                contract_refused(s->c, s->ops->signal(s->self, ctx, "nobody", SIGTERM),
                                 gone_codes, "one that does not run gets no signal");
        if (SW_OPS_HAS(s->ops, struct sw_executor_ops, resize))
                contract_refused(s->c, s->ops->resize(s->self, ctx, "nobody", 1, 1),
                                 gone_codes, "nor a size");
}

static void
check_terminal(struct suite *s)
{
        /* a size is passed on when the runtime comes to it */
        struct attempt a = { .script = "trap '' TERM; i=0; until [ \"$(stty size "
                                       "2>/dev/null)\" = '33 77' ] "
                                       "|| [ $i = 100 ]; do sleep 0.1; i=$((i+1)); done; "
                                       "test -t 0 && echo tty; stty size",
                             .p = { .terminal = true },
                             .input = -1 };
        struct visit v = { .s = s, .a = &a, .out = -1 };
        int p[2];

        if (!SW_OPS_HAS(s->ops, struct sw_executor_ops, resize) || pipe2(p, O_CLOEXEC) != 0)
                return;
        a.input = p[0];
        a.started = visit_it;
        a.arg = &v;
        check_output(s, &a, "tty\r\n33 77\r\n", "a terminal, of the size it was given");
        sw_err_drop(v.exec, "it has no descriptors");
        sw_err_drop(v.signal, "ignored");
        sw_err_drop(v.resize, "seen");
        (void) close(p[0]);
        (void) close(p[1]);
}

/* -------------------------------------------------------------------------------------- */

/* Executors may clear away after run() has returned: how many there are once that is done,
 * or at the end of a while if there are more than @most. */
static unsigned
settled_fds(unsigned most)
{
        unsigned now = contract_count_fds();

        for (int same = 0, i = 0; i < 500 && (same < 10 || now > most); i++) {
                unsigned last = now;

                (void) poll(NULL, 0, 10);
                now = contract_count_fds();
                same = now == last ? same + 1 : 0;
        }
        return now;
}

static void
check_all(struct suite *s)
{
        struct attempt where = { .script = "test -e /" MARKER };
        unsigned before;

        /* everything else holds after it: announced twice, with nothing run in between */
        for (int i = 0; i < 2 && SW_OPS_HAS(s->ops, struct sw_executor_ops, soon); i++)
                s->ops->soon(s->self);
        sw_err_drop(attempt_run(s, &where), "told by the next rule");
        sw_buf_release(&where.out);
        s->isolates = where.status.value == 0;
        before = settled_fds(UINT_MAX);
        check_ends(s);
        check_missing_program(s);
        check_cancel(s);
        check_several(s);
        check_visit(s);
        check_unknown(s);
        if (s->isolates) {
                check_place(s);
                check_mounts(s);
                check_terminal(s);
        } else {
                printf("# the root is not changed: rules of containers are left out\n");
        }
        unsigned after = settled_fds(before);
        contract_check(s->c, after <= before, "keeps no descriptor", "%u before, %u after",
                       before, after);
}

void
contract_executor(struct contract *c)
{
        struct suite s = { .c = c, .root = -1 };
        const struct sw_ops_hdr *hdr;
        sw_err *err =
                sw_host_lookup(c->host, SW_KIND_EXECUTOR, c->info->name, &hdr, &s.self);

        if (err) {
                contract_ok(c, err, "is there");
                return;
        }
        s.ops = (const struct sw_executor_ops *) hdr;
        if (open_root(&s))
                check_all(&s);
        else
                contract_check(c, false, "there is a root to run in",
                               "install busybox-static, or give --attr rootfs=DIR");
        sw_fd_clear(&s.root);
}
