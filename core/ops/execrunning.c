/*
 * core/ops/execrunning.c - which processes run commands, so that somebody clears away what
 * one that was killed has left of them.
 *
 *      <root>/running/<id>     the name of an executor, locked by the process that uses it
 *
 * The file is made before a process' first command and goes at its end. Who opens the root
 * and can lock one asks that executor to sweep. With nothing there that is one look at a
 * directory; no executor is loaded.
 *
 * Thread: any.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <slipway/id.h>
#include <slipway/path.h>

#include "core/ops/exec.h"
#include "core/store/lease.h"

#define DIRECTORY      "running"
#define NAME_MAX_BYTES 256

struct sw_running {
        pthread_mutex_t lock;
        sw_fd dirfd;    /* -1: no command ran so far */
        sw__lease mine; /* once dirfd is open */
};

sw_running *
sw__running_new(void)
{
        sw_running *r = sw_new(sw_running);

        pthread_mutex_init(&r->lock, NULL);
        r->dirfd = r->mine.fd = -1;
        return r;
}

void
sw__running_free(sw_running *r)
{
        if (!r)
                return;
        sw__lease_drop(r->dirfd, &r->mine);
        sw_fd_clear(&r->dirfd);
        pthread_mutex_destroy(&r->lock);
        free(r);
}

/* ---- noting -------------------------------------------------------------------------- */

static sw_err *
note_locked(sw_running *r, sw_root *root, const char *executor)
{
        sw_auto(sw_fd) dir = -1;
        ssize_t n = (ssize_t) strlen(executor);
        sw_err *err = sw_path_mkdirs(sw__root_fd(root), DIRECTORY, 0700, &dir);

        if (!err)
                err = sw__lease_take(dir, &r->mine);
        if (err)
                return err;
        if (write(r->mine.fd, executor, (size_t) n) != n) {
                err = sw_err_sys(SW_E_IO, errno, "write %s", DIRECTORY);
                sw__lease_drop(dir, &r->mine);
                return err;
        }
        r->dirfd = sw_fd_steal(&dir);
        return SW_OK;
}

sw_err *
sw__running_note(const struct sw_ops_env *env, const char *executor)
{
        sw_running *r = env->running;
        sw_err *err = SW_OK;

        if (!r)
                return SW_OK;
        pthread_mutex_lock(&r->lock);
        if (r->dirfd < 0)
                err = note_locked(r, env->root, executor);
        pthread_mutex_unlock(&r->lock);
        return sw_err_wrap(err, "note that commands run");
}

/* ---- sweeping ------------------------------------------------------------------------ */

static sw_err *
ask(const struct sw_ops_env *env, const char *name)
{
        const struct sw_ops_hdr *hdr;
        void *self;
        sw_err *err = sw_host_require(env->host, SW_KIND_EXECUTOR, name);

        if (!err)
                err = sw_host_lookup(env->host, SW_KIND_EXECUTOR, name, &hdr, &self);
        if (err)
                return err;
        const struct sw_executor_ops *ops = (const struct sw_executor_ops *) hdr;
        return SW_OPS_HAS(ops, struct sw_executor_ops, sweep) ? ops->sweep(self) : SW_OK;
}

/* @fd: the file of a process that is dead, locked by us. */
static sw_err *
sweep_one(const struct sw_ops_env *env, int dirfd, const char *id, int fd)
{
        sw_auto(sw_buf) name = SW_BUF_INIT;
        sw_err *err = sw_buf_read_fd(&name, fd, NAME_MAX_BYTES, id);

        if (!err && name.len) { /* else it was killed before there was a command */
                err = sw_id_check("executor", name.data);
                if (!err)
                        err = ask(env, name.data);
        }
        if (!err || sw_err_code(err) == SW_E_NOT_FOUND || sw_err_code(err) == SW_E_INVALID)
                (void) unlinkat(dirfd, id, 0); /* nobody could do more about it */
        return err;
}

static void
look_at(const struct sw_ops_env *env, int dirfd, const char *id)
{
        sw_auto(sw_fd) fd = openat(dirfd, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
                return; /* it lives */
        sw_err *err = sweep_one(env, dirfd, id, fd);
        if (err)
                sw_log_line(env->log, SW_LOG_WARN, "core/ops",
                            "what a killed process left of its commands: %s",
                            sw_err_message(err));
        sw_err_drop(err, "told; the next one tries again");
}

void
sw__running_sweep(const struct sw_ops_env *env)
{
        int fd = openat(sw__root_fd(env->root), DIRECTORY,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        while ((e = readdir(d)))
                if (e->d_name[0] != '.')
                        look_at(env, fd, e->d_name);
        (void) closedir(d);
}
