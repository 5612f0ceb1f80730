/*
 * tests/unit/plugins/exec-runc/box.h - a root with busybox in it, and a way to run things
 * in a container on it through the plugin.
 *
 * Without root or a runtime there is nothing to test: box_usable() says so.
 */
#ifndef SLIPWAY_TESTS_EXEC_RUNC_BOX_H
#define SLIPWAY_TESTS_EXEC_RUNC_BOX_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <slipway/executor.h>
#include <slipway/host.h>
#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/spawn.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "tests/unit/tmp.h"

#define BUSYBOX "/bin/busybox"

struct box {
        char dir[128];
        int rootfd; /* of the directory <dir>/root */
        sw_host *host;
        const struct sw_executor_ops *ops;
        void *self;
};

/* What a run is given, beside the box. Zero values are sensible. */
struct box_run {
        const char *script; /* for sh -c; or args */
        const char *const *args;
        struct sw_exec_container c;
        struct sw_exec_process p;
        sw_cancel *cancel;
        void (*started)(void *arg);
        void *arg;
        struct sw_exec_status status; /* out */
        sw_buf out;                   /* out: stdout and stderr */
        char id[SW_ID_SIZE];
};

static inline bool
box_usable(const char *runtime)
{
        const char *const dirs[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin" };
        int status = 1;
        bool found = false;

        for (size_t i = 0; i < 3; i++) {
                char path[256];

                snprintf(path, sizeof(path), "%s/%s", dirs[i], runtime);
                found = found || access(path, X_OK) == 0;
        }
        if (!found || access(BUSYBOX, X_OK) != 0 || geteuid() != 0)
                return false;
        pid_t pid = fork();
        if (pid == 0)
                _exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return status == 0;
}

static inline void
box_copy_busybox(int rootfd)
{
        static const char *const names[] = {
                "sh",      "cat",   "ls",   "id",   "sleep",    "true", "false", "mkdir",
                "touch",   "mount", "grep", "head", "tail",     "wc",   "env",   "pwd",
                "stat",    "test",  "kill", "dd",   "hostname", "ip",   "mknod", "setsid",
                "seq",     "awk",   "tty",  "stty", "chmod",    "rm",   "echo",  "nproc",
                "unshare", "chown", "find", "sort", "sed"
        };
        struct stat st;
        int from = open(BUSYBOX, O_RDONLY | O_CLOEXEC), to;

        ck_assert_int_eq(mkdirat(rootfd, "bin", 0755), 0);
        to = openat(rootfd, "bin/busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        ck_assert(from >= 0 && to >= 0 && fstat(from, &st) == 0);
        for (off_t left = st.st_size; left > 0;) {
                ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t) left, 0);
                char bytes[65536];

                if (n <= 0) {
                        n = read(from, bytes, sizeof(bytes));
                        ck_assert(n > 0 && write(to, bytes, (size_t) n) == n);
                }
                left -= n;
        }
        ck_assert_int_eq(fchmod(to, 0755), 0);
        close(from);
        close(to);
        for (size_t i = 0; i < SW_COUNT(names); i++) {
                char link[64];

                snprintf(link, sizeof(link), "bin/%s", names[i]);
                ck_assert_int_eq(symlinkat("busybox", rootfd, link), 0);
        }
}

static inline void
box_write(const struct box *b, const char *path, const char *text)
{
        ok(sw_path_write_file(b->rootfd, path, text, strlen(text), 0644));
}

static inline void
box_open(struct box *b, const char *runtime)
{
        char path[256], bin[160], file[200], target[64];
        const struct sw_ops_hdr *ops;

        unit_mkdtemp(b->dir, sizeof(b->dir), "box");
        snprintf(path, sizeof(path), "%s/root", b->dir);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        b->rootfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(b->rootfd, 0);
        box_copy_busybox(b->rootfd);

        /* a PATH in which this runtime is the only one */
        snprintf(bin, sizeof(bin), "%s/bin", b->dir);
        ck_assert_int_eq(mkdir(bin, 0755), 0);
        snprintf(file, sizeof(file), "%s/%s", bin, runtime);
        snprintf(target, sizeof(target), "/usr/bin/%s", runtime);
        if (access(target, X_OK) != 0)
                snprintf(target, sizeof(target), "/usr/sbin/%s", runtime);
        ck_assert_int_eq(symlink(target, file), 0);
        setenv("PATH", bin, 1);

        const char *dirs[] = { getenv("SLIPWAY_TEST_PLUGINS")
                                       ? getenv("SLIPWAY_TEST_PLUGINS")
                                       : "plugins/.libs",
                               NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };
        ok(sw_host_new(&opts, &b->host));
        ok(sw_host_require(b->host, SW_KIND_EXECUTOR, "runc"));
        ok(sw_host_lookup(b->host, SW_KIND_EXECUTOR, "runc", &ops, &b->self));
        b->ops = (const struct sw_executor_ops *) ops;
}

static inline void
box_close(struct box *b)
{
        sw_host_free(b->host);
        close(b->rootfd);
        sw_auto(sw_fd) root = open("/", O_PATH | O_CLOEXEC);
        ok(sw_path_remove(root, b->dir));
}

struct box_reader {
        int fd;
        sw_buf *out;
};

static inline void *
box_read(void *arg)
{
        struct box_reader *r = arg;

        ok(sw_buf_read_fd(r->out, r->fd, 64 << 20, "output"));
        return NULL;
}

/* Run and collect; the plugin's error. */
static inline sw_err *
box_try(struct box *b, struct box_run *r)
{
        static const char *const env[] = { "PATH=/bin", "HOME=/", NULL };
        const char *const args[] = { "/bin/sh", "-c", r->script, NULL };
        int p[2];
        pthread_t t;

        sw_buf_init(&r->out);
        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        struct box_reader reader = { p[0], &r->out };
        ck_assert_int_eq(pthread_create(&t, NULL, box_read, &reader), 0);
        r->c.size = sizeof(r->c);
        r->p.size = sizeof(r->p);
        if (!r->id[0])
                sw_id_new(r->id);
        r->c.id = r->id;
        if (r->c.rootfd <= 0)
                r->c.rootfd = b->rootfd;
        r->p.args = r->args ? r->args : args;
        if (!r->p.env)
                r->p.env = env;
        if (!r->p.cwd)
                r->p.cwd = "/";
        if (!r->p.terminal)
                r->p.fds_std[0] = -1;
        r->p.fds_std[1] = r->p.fds_std[2] = p[1];
        r->status = (struct sw_exec_status){ .size = sizeof(r->status) };
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(r->cancel, NULL, NULL, NULL, "test");
        sw_err *err =
                b->ops->run(b->self, ctx, &r->c, &r->p, r->started, r->arg, &r->status);
        close(p[1]);
        pthread_join(t, NULL);
        close(p[0]);
        return err;
}

/* What @script prints, which ends well. */
static inline char *
box_output(struct box *b, struct box_run *r)
{
        ok(box_try(b, r));
        ck_assert_msg(!r->status.signalled && r->status.value == 0, "status %d: %s",
                      r->status.value, r->out.data);
        return sw_buf_detach(&r->out);
}

#define box_says(b, text, ...)                                                             \
        do {                                                                               \
                struct box_run r_ = { __VA_ARGS__ };                                       \
                sw_auto(sw_str) out_ = box_output(b, &r_);                                 \
                ck_assert_str_eq(out_, text);                                              \
        } while (0)

#endif
