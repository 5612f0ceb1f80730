/*
 * plugins/exec-runc/state.c - the run directory: which containers there are, and sweeping
 * those whose keeper is dead.
 *
 *      <run dir>/box              where every child attaches its own box; always empty
 *      <run dir>/exec/<id>        the cgroup of a container, locked while somebody waits
 *                                 for it
 *      <run dir>/runtime-checked  see runtime.c
 *      <run dir>/seccomp          see filter.c
 *
 * The name of a file is removed under its lock, by its keeper or by a sweep; who gets the
 * lock of a file makes sure that it still has its name.
 *
 * A child that its keeper forked a moment before it was killed has the lock, too, until it
 * is gone: some milliseconds if it was about to join a cgroup or leave a mount namespace,
 * more on a busy machine. The sweep before the first container may meet it, so there is
 * another when the plugin is shut down; what is held even then is left for the next build.
 *
 * Thread: runc_ready with the plugin's lock held; the others any.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <slipway/id.h>
#include <slipway/path.h>

#include "plugins/exec-runc/runc.h"

#define NAME_MAX_BYTES 8192
#define SWEEP_MS       2000
#define CLAIM_TRIES    100

/* ---- the directory ------------------------------------------------------------------- */

/* Make @path (its parent is there) for this user alone. */
static sw_err *
make_dir(const char *path)
{
        struct stat st;

        if (mkdir(path, 0700) != 0 && errno != EEXIST)
                return sw_err_sys(errno == EACCES || errno == EROFS ? SW_E_DENIED : SW_E_IO,
                                  errno, "make %s", path);
        if (lstat(path, &st) != 0)
                return sw_err_sys(SW_E_IO, errno, "look at %s", path);
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
                return sw_err_new(SW_E_DENIED,
                                  "%s is not a directory that only this user can write to",
                                  path);
        return SW_OK;
}

static sw_err *
make_run_dir(struct runc_exec *x)
{
        const char *wanted = sw_options_str(x->options, "run-dir");
        const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
        sw_err *err;

        if (wanted && *wanted) {
                x->run_dir = sw_strdup(wanted);
                return make_dir(x->run_dir);
        }
        x->run_dir = sw_strdup("/run/slipway");
        err = make_dir(x->run_dir);
        if (err && runtime_dir && runtime_dir[0] == '/') {
                sw_err_drop(err, "there is another place");
                free(x->run_dir);
                x->run_dir = sw_asprintf("%s/slipway", runtime_dir);
                err = make_dir(x->run_dir);
        }
        return sw_err_wrap(err, "name another directory with the option run-dir");
}

static sw_err *
open_run_dir(struct runc_exec *x)
{
        sw_err *err = make_run_dir(x);

        if (err)
                return err;
        sw_auto(sw_str) states = sw_asprintf("%s/exec", x->run_dir);
        x->box_path = sw_asprintf("%s/box", x->run_dir);
        err = make_dir(x->box_path);
        if (!err)
                err = make_dir(states);
        if (err)
                return err;
        x->state_fd = open(states, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return x->state_fd < 0 ? sw_err_sys(SW_E_IO, errno, "open %s", states) : SW_OK;
}

/* ---- files --------------------------------------------------------------------------- */

/* Whether the locked file @fd is still the one called @id. */
static bool
has_name(const struct runc_exec *x, const char *id, int fd)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 &&
               fstatat(x->state_fd, id, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
               a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

sw_err *
runc_state_claim(struct runc_exec *x, const char *id, const char *cgroup, sw_fd *fd)
{
        for (int tries = 0;; tries++) {
                sw_auto(sw_fd) f = openat(x->state_fd, id,
                                          O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
                size_t n = cgroup ? strlen(cgroup) : 0;

                if (f < 0)
                        return sw_err_sys(SW_E_IO, errno, "make %s/exec/%s", x->run_dir,
                                          id);
                bool locked = flock(f, LOCK_EX | LOCK_NB) == 0;
                if (!locked && tries >= CLAIM_TRIES)
                        return sw_err_new(SW_E_EXISTS, "container %s is running already",
                                          id);
                if (!locked) { /* maybe by somebody who sweeps, and looks at it */
                        (void) poll(NULL, 0, 1);
                        continue;
                }
                if (!has_name(x, id, f))
                        continue; /* swept between open and lock */
                if (ftruncate(f, 0) != 0 || (n && pwrite(f, cgroup, n, 0) != (ssize_t) n))
                        return sw_err_sys(SW_E_IO, errno, "write %s/exec/%s", x->run_dir,
                                          id);
                *fd = sw_fd_steal(&f);
                return SW_OK;
        }
}

/* When process @pid started, in the kernel's ticks; 0: it has gone. */
static unsigned long long
started_at(pid_t pid)
{
        char path[64];
        sw_auto(sw_buf) text = SW_BUF_INIT;
        unsigned long long ticks = 0;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        sw_err_drop(sw_buf_read_file(&text, AT_FDCWD, path, 4096), "gone");
        const char *p = strrchr(text.data, ')');
        for (int field = 2; p && field < 22; field++) {
                p = strchr(p, ' ');
                p += p != NULL;
        }
        if (p)
                ticks = strtoull(p, NULL, 10);
        return ticks;
}

void
runc_state_note(int fd, pid_t monitor)
{
        char text[64];
        int n = snprintf(text, sizeof(text), "\n%d %llu\n", (int) monitor,
                         started_at(monitor));

        if (lseek(fd, 0, SEEK_END) < 0 || write(fd, text, (size_t) n) != n)
                return; /* it will end by itself, once its container is killed */
}

void
runc_state_drop(struct runc_exec *x, const char *id, sw_fd *fd)
{
        if (*fd >= 0)
                (void) unlinkat(x->state_fd, id, 0);
        sw_fd_clear(fd);
}

/* ---- what the dead left ---------------------------------------------------------------
 */

/* What a file says is only acted upon when it is a cgroup of ours. */
static bool
is_cgroup_of(const char *cgroup, const char *id)
{
        sw_auto(sw_str) clean = sw_path_clean(cgroup);
        sw_auto(sw_str) end = sw_asprintf("/slipway/%s", id);
        size_t n = strlen(cgroup), m = strlen(end);

        return cgroup[0] == '/' && strcmp(clean, cgroup) == 0 && n >= m &&
               strcmp(cgroup + n - m, end) == 0;
}

/* "PID START": the runtime that looks after the container. */
static void
kill_monitor(const char *text)
{
        char *end;
        long pid = strtol(text, &end, 10);
        unsigned long long start = strtoull(end, NULL, 10);

        if (pid > 1 && start && started_at((pid_t) pid) == start)
                (void) kill((pid_t) pid, SIGKILL);
}

static void
sweep_one(struct runc_exec *x, const char *id)
{
        sw_auto(sw_fd) fd = openat(x->state_fd, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_buf) cgroup = SW_BUF_INIT;
        sw_err *err = SW_OK;

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !has_name(x, id, fd))
                return;
        err = sw_buf_read_fd(&cgroup, fd, NAME_MAX_BYTES, id);
        char *line = cgroup.data + strcspn(cgroup.data, "\n");
        if (*line) {
                *line++ = 0;
                kill_monitor(line);
        }
        if (!err && is_cgroup_of(cgroup.data, id)) {
                sw_log_line(x->log, SW_LOG_WARN, "executor runc",
                            "removing container %s, which nobody waits for", id);
                (void) runc_cgroup_kill(&x->cgroups, cgroup.data);
                err = runc_cgroup_remove(&x->cgroups, cgroup.data, SWEEP_MS);
        }
        if (err) {
                sw_log_err(x->log, SW_LOG_WARN, err);
                sw_err_drop(err, "told; the next one may succeed");
                return;
        }
        (void) unlinkat(x->state_fd, id, 0);
}

void
runc_state_sweep(struct runc_exec *x)
{
        int fd = openat(x->state_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        while ((e = readdir(d)))
                if (e->d_name[0] != '.')
                        sweep_one(x, e->d_name);
        (void) closedir(d);
}

/* Run directory and cgroups. */
static sw_err *
open_states(struct runc_exec *x)
{
        free(x->run_dir);
        free(x->box_path);
        x->run_dir = x->box_path = NULL;
        sw_err *err = open_run_dir(x);
        if (err)
                return err;
        runc_cgroups_find(&x->cgroups);
        return SW_OK;
}

sw_err *
runc_sweep(void *self)
{
        struct runc_exec *x = self;

        pthread_mutex_lock(&x->lock);
        sw_err *err = x->state_fd < 0 ? open_states(x) : SW_OK;
        if (!err)
                runc_state_sweep(x);
        pthread_mutex_unlock(&x->lock);
        return err;
}

/* Before the first container: nobody waits for it. */
static void
warm_first(void *exec)
{
        struct runc_exec *x = exec;

        pthread_mutex_lock(&x->lock);
        if (x->state_fd < 0) {
                sw_err *err = open_states(x);

                if (!err)
                        runc_state_sweep(x);
                sw_err_drop(err, "who runs something is told");
        }
        bool first = x->state_fd >= 0 && !x->warm;
        x->warm = x->warm || first;
        pthread_mutex_unlock(&x->lock);
        if (first)
                runc_warm(x);
}

void
runc_soon(void *self)
{
        struct runc_exec *x = self;

        pthread_mutex_lock(&x->lock);
        bool first = !x->warm;
        pthread_mutex_unlock(&x->lock);
        if (first)
                janitor_add(x->janitor, warm_first, x);
}

static sw_err *
get_ready(struct runc_exec *x, sw_ctx *ctx)
{
        sw_err *err;

        if (sw_options_bool(x->options, "selinux"))
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "executor runc cannot label containers "
                                  "for SELinux: unset worker.oci.selinux");
        if (!x->runtime.path) {
                err = runc_find_runtime(sw_options_str(x->options, "binary"), &x->runtime);
                if (err)
                        return err;
        }
        if (x->state_fd < 0) {
                err = open_states(x);
                if (err)
                        return err;
                runc_state_sweep(x);
        }
        if (!x->warm)
                janitor_add(x->janitor, runc_warm, x);
        x->warm = true;
        x->caps = runc_caps_here();
        if (!x->profile && sw_options_bool(x->options, "seccomp")) {
                x->profile = runc_seccomp_text();
                if (!x->profile)
                        return sw_err_new(SW_E_INTERNAL,
                                          "the seccomp profile cannot be written");
        }
        if (!x->filter && x->profile && x->runtime.flavour == RUNC_IS_CRUN)
                x->filter = runc_filter(x->state_fd, x->profile);
        sw_fd_clear(&x->program);
        x->program = runc_program(&x->runtime);
        runc_warn_if_bad(x, ctx);
        x->ready = true;
        return SW_OK;
}

sw_err *
runc_ready(struct runc_exec *x, sw_ctx *ctx)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&x->lock);
        if (!x->ready)
                err = get_ready(x, ctx);
        pthread_mutex_unlock(&x->lock);
        return err;
}
