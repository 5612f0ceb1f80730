/*
 * tests/fault/snapdir_test.c - layers kept as directories (lib/snapdir) while the n-th
 * system call fails, for every n.
 *
 * A child does a whole life of a few layers: written, committed, looked at, put together,
 * copied, compared, removed. Each run must end with success or an error that has a message;
 * no descriptor may stay open; what a commit said to be there must be whole when the store
 * is opened again, and everything can be removed then. Would catch: errors that are
 * dropped, half-made layers under their final name, leaks, stores that a fault makes
 * useless.
 *
 * SLIPWAY_FAULT_STEP=1 takes every n; otherwise every third is enough.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/snapdir/snapdir.h"
#include "tests/fault/inject.h"

enum { RUNS_MAX = 20000, HANG_SECONDS = 60 };

/* What a child tells before it ends; shared memory. */
struct report {
        bool fired, failed;
        char call[20];
        char message[300];
        char wrong[600];
};
static struct report *report;

#define WRONG(...)                                                                         \
        do {                                                                               \
                if (!report->wrong[0])                                                     \
                        (void) snprintf(report->wrong, sizeof(report->wrong),              \
                                        __VA_ARGS__);                                      \
        } while (0)

#define STACK(...)                                                                         \
        (&(const struct sw_stack){ (const char *const[]){ __VA_ARGS__ },                   \
                                   sizeof((const char *const[]){ __VA_ARGS__ }) /          \
                                           sizeof(const char *) })

static const struct sw_layer_meta dir_meta = { 0755, 0, 0, 1 },
                                  file_meta = { 0644, 0, 0, 2 };

static unsigned
count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        while (d && readdir(d))
                n++;
        if (d)
                (void) closedir(d);
        return n;
}

/* The first error of several calls. */
#define TELL(op, ...)                                                                      \
        do {                                                                               \
                if (!err)                                                                  \
                        err = ops->op(w, __VA_ARGS__);                                     \
        } while (0)

static sw_err *
write_base(struct snapdir *s, int big)
{
        const struct sw_layer_ops *ops;
        void *w;
        sw_err *err = snapdir_prepare(s, "base", STACK());

        if (!err)
                err = snapdir_write(s, NULL, "base", &ops, &w);
        if (err)
                return err;
        TELL(mkdir, "d", &dir_meta);
        TELL(data, "d/f", &file_meta, "f", 1);
        TELL(file, "d/big", &file_meta, big, 0, 100000);
        TELL(hardlink, "d/g", "d/f", &file_meta);
        TELL(symlink, "d/l", &file_meta, "f");
        TELL(node, "d/p", &file_meta, S_IFIFO, 0);
        TELL(xattr, "d/f", "user.x", "y", 1);
        TELL(mkdir, "e", &dir_meta);
        TELL(data, "e/x", &file_meta, "x", 1);
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : snapdir_commit(s, "base");
}

static sw_err *
write_top(struct snapdir *s)
{
        const struct sw_layer_ops *ops;
        void *w;
        sw_err *err = snapdir_prepare(s, "top", STACK("base"));

        if (!err)
                err = snapdir_write(s, NULL, "top", &ops, &w);
        if (err)
                return err;
        TELL(mkdir, "d", &dir_meta);
        TELL(whiteout, "d/f");
        TELL(data, "d/g", &file_meta, "new", 3);
        TELL(mkdir, "e", &dir_meta);
        TELL(opaque, "e");
        TELL(data, "n", &file_meta, "n", 1);
        TELL(mkdir, "n", &dir_meta); /* replaces */
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : snapdir_commit(s, "top");
}

/* A command that changes a copy of the tree. */
static sw_err *
run_command(struct snapdir *s)
{
        struct snapdir_work *work;
        char path[SNAPDIR_PATH];
        sw_err *err = snapdir_prepare(s, "run", STACK("base", "top"));

        if (!err)
                err = snapdir_work_begin(s, NULL, "run", &work, path);
        if (err)
                return err;
        sw_auto(sw_fd) fd = snapdir_open_dir(s->dirfd, path);
        if (fd < 0 || unlinkat(fd, "d/g", 0) < 0 || mkdirat(fd, "made", 0755) < 0)
                err = sw_err_sys(SW_E_IO, errno, "run");
        sw_err *end = snapdir_work_end(work);
        if (err) {
                sw_err_drop(end, "the first one is told");
                return err;
        }
        return end ? end : snapdir_commit(s, "run");
}

/* Whether the tree of a stack has these names in "d". */
static sw_err *
look(struct snapdir *s, const struct sw_stack *stack, const char *want, bool *right)
{
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_strlist) dirs = { 0 };
        sw_auto(sw_strlist) names = { 0 };
        sw_auto(sw_buf) seen = SW_BUF_INIT;
        struct snapdir_look *l;
        sw_err *err = snapdir_stack_check(s, stack, &st);

        if (err)
                return err;
        snapdir_stack_dirs(&st, &dirs);
        err = snapdir_look_open(s, &dirs, &l);
        if (err)
                return err;
        err = snapdir_look_names(l, "d", &names);
        snapdir_look_close(l);
        for (size_t i = 0; i < names.n; i++)
                sw_buf_addf(&seen, "%s ", names.v[i]);
        *right = err || strcmp(seen.len ? seen.data : "", want) == 0;
        return err;
}

static sw_err *
put_together(struct snapdir *s)
{
        static const char *const keys[] = { "base", "top" };
        sw_auto(snapdir_slice) sl = { .keys = keys, .n = 2 };
        char path[SNAPDIR_PATH];
        sw_err *err;

        sw_array_push(&sl.sources, sw_strdup("c/top/fs"));
        sw_array_push(&sl.sources, sw_strdup("c/base/fs"));
        err = snapdir_slice_make(s, NULL, &sl, path);
        if (err || !snapdir_slice_find(s, &sl, path))
                return err ? err : sw_err_new(SW_E_IO, "the slice is not found");
        sl.whole = true;
        return snapdir_slice_make(s, NULL, &sl, path);
}

/* A layer like the difference between two stacks. */
static sw_err *
compare(struct snapdir *s)
{
        const struct sw_layer_ops *ops;
        void *w;
        sw_err *err = snapdir_prepare(s, "diff", STACK());

        if (!err)
                err = snapdir_write(s, NULL, "diff", &ops, &w);
        if (err)
                return err;
        err = snapdir_diff(s, NULL, STACK("base"), STACK("base", "top"), ops, w);
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : snapdir_commit(s, "diff");
}

static bool
note_layer(void *arg, const char *key, bool committed)
{
        (void) committed;
        sw_strlist_add(arg, key);
        return true;
}

static sw_err *
remove_all(struct snapdir *s)
{
        sw_auto(sw_strlist) keys = { 0 };
        struct sw_snapshot_usage u;
        sw_err *err = snapdir_list(s, NULL, note_layer, &keys);

        for (size_t i = 0; i < keys.n && !err; i++) {
                err = snapdir_usage(s, NULL, keys.v[i], &u);
                if (!err)
                        err = snapdir_remove(s, keys.v[i]);
        }
        return err;
}

struct done {
        bool base, top, run;
};

static sw_err *
live(int dirfd, int big, bool remove, struct done *done)
{
        struct snapdir *s;
        bool right = true;
        sw_err *err = snapdir_open(dirfd, &s);

        if (err)
                return err;
        err = write_base(s, big);
        done->base = !err;
        if (!err)
                err = write_top(s);
        done->top = done->base && !err;
        if (!err)
                err = look(s, STACK("base", "top"), "big g l p ", &right);
        if (!err && !right)
                WRONG("a lookup succeeds and does not tell what is there");
        if (!err)
                err = put_together(s);
        if (!err)
                err = run_command(s);
        done->run = done->top && !err;
        if (!err)
                err = compare(s);
        if (!err && remove) {
                err = remove_all(s);
                *done = (struct done){ false, false, false };
        }
        snapdir_close(s);
        return err;
}

/* Nothing fails any more: what was committed is whole, and all can go. */
static void
check_store(int dirfd, const struct done *done)
{
        struct snapdir *s = NULL;
        bool right = true;
        sw_err *err = snapdir_open(dirfd, &s);

        if (!err && done->base)
                err = look(s, STACK("base"), "big f g l p ", &right);
        if (!err && right && done->top)
                err = look(s, STACK("base", "top"), "big g l p ", &right);
        if (!err && right && done->run)
                err = look(s, STACK("base", "top", "run"), "big l p ", &right);
        if (!err && !right)
                WRONG("what was committed is not whole");
        if (!err)
                err = remove_all(s);
        if (s)
                snapdir_close(s);
        if (err)
                WRONG("afterwards: %s", sw_err_message(err));
        sw_err_free(err);
        if (unlinkat(dirfd, "t", AT_REMOVEDIR) < 0 ||
            unlinkat(dirfd, "c", AT_REMOVEDIR) < 0 ||
            unlinkat(dirfd, "a", AT_REMOVEDIR) < 0)
                WRONG("something is left: %s", strerror(errno));
}

static void
child(const char *scratch, long n, bool remove)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%ld", scratch, n);
        struct done done = { false, false, false };
        int big = memfd_create("big", MFD_CLOEXEC);

        (void) alarm(HANG_SECONDS);
        if (mkdir(path, 0700) < 0 || ftruncate(big, 100000) < 0 ||
            pwrite(big, "x", 1, 70000) != 1)
                _exit(99);
        int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const unsigned before = count_fds();
        inject_arm(INJECT_SYS_ONE, n);
        sw_err *err = live(dirfd, big, remove, &done);
        report->fired = inject_disarm();
        (void) snprintf(report->call, sizeof(report->call), "%s", inject_call());
        report->failed = err != NULL;
        if (err && (!sw_err_message(err)[0] || sw_err_code(err) <= 0))
                WRONG("an error without code or message");
        if (err)
                (void) snprintf(report->message, sizeof(report->message), "%s",
                                sw_err_message(err));
        if (err && !report->fired)
                WRONG("undisturbed: %s", sw_err_message(err));
        sw_err_free(err);
        if (count_fds() != before)
                WRONG("%u descriptors instead of %u", count_fds(), before);
        check_store(dirfd, &done);
        sw_auto(sw_fd) top = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_str) name = sw_asprintf("%ld", n);
        sw_err_drop(sw_path_remove(top, name), "the test removes it");
        _exit(report->wrong[0] ? 1 : 0);
}

/* All n until a run is through undisturbed; whether every one ended well. */
static bool
campaign(const char *scratch, bool remove)
{
        const char *step = getenv("SLIPWAY_FAULT_STEP");
        long errors = 0, bad = 0, n, by = step ? atol(step) : 3;

        for (n = 1; n < RUNS_MAX && bad<10; n += by> 0 ? by : 1) {
                int status = 0;

                memset(report, 0, sizeof(*report));
                (void) fflush(NULL);
                const pid_t pid = fork();
                if (pid == 0)
                        child(scratch, n, remove);
                if (pid < 0 || waitpid(pid, &status, 0) != pid)
                        return false;
                errors += report->failed;
                if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                        bad++;
                        printf("# n = %ld, %s failed (%s): status %d: %s\n", n,
                               report->call, report->message, status, report->wrong);
                }
                if (!report->fired)
                        break;
        }
        printf("# %ld calls, %ld of those tried gave an error\n", n, errors);
        return bad == 0 && n > 100 && errors * (by > 0 ? by : 1) * 2 > n;
}

int
main(void)
{
        char scratch[] = "/tmp/slipway-fault-XXXXXX";

        report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (report == MAP_FAILED || !mkdtemp(scratch)) {
                printf("Bail out! %s\n", strerror(errno));
                return 1;
        }
        printf("1..2\n");
        const bool made = campaign(scratch, false), removed = campaign(scratch, true);
        printf("%sok 1 - each system call fails while layers are made\n",
               made ? "" : "not ");
        printf("%sok 2 - and while they are removed\n", removed ? "" : "not ");
        sw_auto(sw_fd) top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_err_drop(sw_path_remove(top, scratch), "it is in /tmp");
        return made && removed ? 0 : 1;
}
