/*
 * tests/contract/snapfaults.c - rules of snapshotters when things go wrong: a process that
 * is killed, a full disk; and two processes on one directory.
 *
 * What is killed or needs a mount namespace is a child of this program, which tells its
 * findings in one line.
 */
#include "tests/contract/snapshotter.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <slipway/path.h>

/* ---- children -------------------------------------------------------------------------
 */

typedef void child_fn(struct snap *s, FILE *out);

/* Run @fn in a child, with what it writes as the finding: nothing is well. @signal: how it
 * is to end. */
static void
in_child(struct snap *s, child_fn *fn, int signal, const char *rule)
{
        int pipefd[2], status = 0;
        char said[400] = "";

        (void) fflush(NULL);
        if (pipe2(pipefd, O_CLOEXEC) < 0)
                abort();
        const pid_t pid = fork();
        if (pid == 0) {
                FILE *out = fdopen(pipefd[1], "w");

                fn(s, out);
                (void) fclose(out);
                _exit(0);
        }
        (void) close(pipefd[1]);
        FILE *in = fdopen(pipefd[0], "r");
        if (pid < 0 || !in || waitpid(pid, &status, 0) != pid)
                abort();
        (void) !fgets(said, sizeof(said), in);
        (void) fclose(in);
        contract_check(s->c,
                       !said[0] &&
                               (signal ? WIFSIGNALED(status) && WTERMSIG(status) == signal
                                       : WIFEXITED(status)),
                       rule, "%s (status %d)", said, status);
}

/* As snap_simple(), with errors as findings. */
static bool
make_layer(struct snap *s, FILE *out, const char *key, const struct sw_stack *lower,
           size_t bytes, int *code)
{
        const struct sw_layer_ops *ops = NULL;
        void *w = NULL;
        sw_auto(sw_str) data = sw_alloc(bytes + 1);
        sw_err *err = s->ops->prepare(s->store, s->ctx, key, lower);

        memset(data, 'd', bytes);
        if (!err)
                err = s->ops->write(s->store, s->ctx, key, &ops, &w);
        if (!err) {
                err = ops->mkdir(w, "dir", META(0755, 1));
                for (int i = 0; i < 4 && !err; i++) {
                        sw_auto(sw_str) path = sw_asprintf("dir/%s-%d", key, i);

                        err = ops->data(w, path, META(0644, 1), data, bytes);
                }
                if (err)
                        ops->abandon(w);
                else
                        err = ops->finish(w);
        }
        if (!err)
                err = s->ops->commit(s->store, s->ctx, key);
        if (code)
                *code = sw_err_code(err);
        else if (err)
                fprintf(out, "%s\n", sw_err_message(err));
        const bool good = !err;
        sw_err_free(err);
        return good;
}

/* ---- a full disk ----------------------------------------------------------------------
 */

static void
fill_disk(struct snap *s, FILE *out)
{
        struct snap small = *s;
        int code = 0;

        if (unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mkdirat(s->dirfd, "small", 0700) < 0 || fchdir(s->dirfd) < 0 ||
            mount("tmpfs", "small", "tmpfs", 0, "size=400k,mode=700") < 0)
                return; /* not here */
        small.dirfd = open("small", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_err *err = s->ops->open(s->self, s->ctx, small.dirfd, &small.store);
        if (err) { /* not every file system is good for every snapshotter */
                sw_err_free(err);
                return;
        }
        if (!make_layer(&small, out, "fits", NOTHING, 1000, NULL))
                return;
        if (make_layer(&small, out, "large", STACK("fits"), 200000, &code))
                fprintf(out, "800 KB fit into 400\n");
        else if (code != SW_E_IO)
                fprintf(out, "error code %s\n", sw_err_code_name(code));
        err = s->ops->remove(small.store, s->ctx, "large");
        if (err)
                fprintf(out, "remove: %s\n", sw_err_message(err));
        sw_err_free(err);
        (void) make_layer(&small, out, "again", STACK("fits"), 1000, NULL);
        sw_auto(sw_str) tree = snap_tree(&small, STACK("fits", "again"));
        if (!tree || !strstr(tree, "dir/again-3"))
                fprintf(out, "the next layer is not there\n");
}

/* ---- killed ---------------------------------------------------------------------------
 */

static void
die_writing(struct snap *s, FILE *out)
{
        const struct sw_layer_ops *ops;
        struct sw_snapshot_mount m = { .size = sizeof(m), .dirfd = -1, .treefd = -1 };
        void *w, *store;
        sw_err *err = s->ops->open(s->self, s->ctx, s->dirfd, &store);

        s->store = store; /* a process of its own */
        if (err || !make_layer(s, out, "whole", NOTHING, 100, NULL))
                return;
        err = s->ops->prepare(store, s->ctx, "mounted", STACK("whole"));
        if (!err)
                err = s->ops->mount(store, s->ctx, "mounted", &m);
        if (!err && mkdirat(m.dirfd, "lost", 0755) < 0)
                err = sw_err_sys(SW_E_IO, errno, "mkdir");
        if (!err)
                err = s->ops->prepare(store, s->ctx, "written", STACK("whole"));
        if (!err)
                err = s->ops->write(store, s->ctx, "written", &ops, &w);
        if (!err)
                err = ops->mkdir(w, "d", META(0755, 1));
        if (!err)
                err = ops->data(w, "d/half", META(0644, 1), "h", 1);
        if (err)
                fprintf(out, "%s\n", sw_err_message(err));
        (void) fflush(out);
        (void) raise(SIGKILL);
}

struct keys {
        sw_strlist all;
        unsigned active;
};

static bool
note_key(void *arg, const char *key, bool committed)
{
        struct keys *k = arg;

        sw_strlist_add(&k->all, key);
        k->active += !committed;
        return true;
}

static unsigned
count_files(struct snap *s)
{
        sw_auto(sw_str) tree = snap_manifest(s->dirfd);
        unsigned n = 0;

        for (const char *p = tree; (p = strchr(p, '\n')); p++)
                n++;
        return n;
}

static void
check_killed(struct contract *c)
{
        struct snap s;
        struct keys k = { { 0 }, 0 };
        sw_err *err = SW_OK;

        if (!snap_open(&s, c, "killed"))
                return;
        const unsigned before = count_files(&s);
        in_child(&s, die_writing, SIGKILL, "a process works beside another, and is killed");
        snap_reopen(&s);
        snap_paths(&s, STACK("whole"),
                   "dir dir/whole-0 dir/whole-1 dir/whole-2 dir/whole-3",
                   "what was committed is whole");
        contract_ok(c, s.ops->list(s.store, s.ctx, note_key, &k), "list works");
        contract_check(c, k.all.n == 3 && k.active == 2,
                       "what was not committed is not, and is listed",
                       "%zu layers, %u of them active", k.all.n, k.active);
        for (size_t i = 0; i < k.all.n && !err; i++)
                err = s.ops->remove(s.store, s.ctx, k.all.v[i]);
        contract_ok(c, err, "all of it can be removed");
        snap_reopen(&s);
        contract_check(c, count_files(&s) == before, "then nothing is left of it",
                       "%u files instead of %u", count_files(&s), before);
        sw_strlist_release(&k.all);
        snap_close(&s);
}

/* ---- two processes --------------------------------------------------------------------
 */

enum { EACH = 25 };

static void
make_many(struct snap *s, FILE *out, const char *name)
{
        for (int i = 0; i < EACH; i++) {
                sw_auto(sw_str) key = sw_asprintf("%s-%d", name, i);
                sw_auto(sw_str) gone = sw_asprintf("%s-gone-%d", name, i);
                sw_auto(sw_str) tree = NULL;

                if (!make_layer(s, out, key, NOTHING, 10, NULL) ||
                    !make_layer(s, out, gone, STACK(key), 10, NULL))
                        return;
                tree = snap_tree(s, STACK(key, gone));
                sw_err *err = s->ops->remove(s->store, s->ctx, gone);
                if (err || !tree)
                        fprintf(out, "%s\n", err ? sw_err_message(err) : "no tree");
                sw_err_free(err);
        }
}

static void
other_process(struct snap *s, FILE *out)
{
        void *mine = s->store;
        sw_err *err = s->ops->open(s->self, s->ctx, s->dirfd, &s->store);

        if (err) {
                fprintf(out, "%s\n", sw_err_message(err));
                return;
        }
        const pid_t pid = fork();
        if (pid == 0) { /* beside its parent, with the store that was open before */
                s->store = mine;
                make_many(s, out, "one");
                (void) fflush(out);
                _exit(0);
        }
        make_many(s, out, "two");
        (void) waitpid(pid, NULL, 0);
        s->ops->close(s->self, s->store);
}

static void
check_together(struct contract *c)
{
        struct snap s;
        struct keys k = { { 0 }, 0 };

        if (!snap_open(&s, c, "together"))
                return;
        in_child(&s, other_process, 0, "two processes make and remove layers at once");
        contract_ok(c, s.ops->list(s.store, s.ctx, note_key, &k), "list works");
        contract_check(c, k.all.n == 2 * EACH && k.active == 0,
                       "the layers of both are there", "%zu, %u active", k.all.n, k.active);
        sw_strlist_release(&k.all);
        snap_close(&s);
}

void
snap_check_faults(struct contract *c)
{
        struct snap s;

        if (snap_open(&s, c, "full")) {
                if (s.root)
                        in_child(&s, fill_disk, 0,
                                 "a full disk is an error, and what was written before "
                                 "stays");
                snap_close(&s);
        }
        check_killed(c);
        check_together(c);
}
