/*
 * plugins/exec-runc/process.c - containers that run: more processes in them, signals, the
 * size of their terminal.
 *
 * A container is found by its id while its runtime runs. Who found it counts as a user of
 * it until done, and the run that owns it does not end before: what is borrowed from it
 * stays.
 *
 * Thread: any.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <slipway/id.h>

#include "plugins/exec-runc/runc.h"

void
runc_live_add(struct runc_exec *x, struct runc_live *l)
{
        pthread_cond_init(&l->unused, NULL);
        pthread_mutex_lock(&x->lock);
        (void) sw_map_set(x->live, l->id, l);
        pthread_mutex_unlock(&x->lock);
}

void
runc_live_remove(struct runc_exec *x, struct runc_live *l)
{
        pthread_mutex_lock(&x->lock);
        l->ended = true;
        (void) sw_map_remove(x->live, l->id);
        while (l->users)
                pthread_cond_wait(&l->unused, &x->lock);
        pthread_mutex_unlock(&x->lock);
        pthread_cond_destroy(&l->unused);
}

static sw_err *
use(struct runc_exec *x, const char *id, struct runc_live **out)
{
        pthread_mutex_lock(&x->lock);
        struct runc_live *l = sw_map_get(x->live, id);
        if (l)
                l->users++;
        pthread_mutex_unlock(&x->lock);
        if (!l)
                return sw_err_new(SW_E_NOT_FOUND, "container %s is not running", id);
        *out = l;
        return SW_OK;
}

static void
unuse(struct runc_exec *x, struct runc_live *l)
{
        pthread_mutex_lock(&x->lock);
        if (--l->users == 0)
                pthread_cond_broadcast(&l->unused);
        pthread_mutex_unlock(&x->lock);
}

sw_err *
runc_signal(void *self, sw_ctx *ctx, const char *id, int sig)
{
        struct runc_exec *x = self;
        struct runc_live *l;
        sw_err *err = use(x, id, &l);

        (void) ctx;
        if (err)
                return err;
        if (!runc_signal_pid(&l->procs, runc_first_pid(l->box_fd, "pid"), sig))
                err = sw_err_new(SW_E_NOT_FOUND,
                                 "container %s has not started or has ended", id);
        unuse(x, l);
        return err;
}

sw_err *
runc_resize(void *self, sw_ctx *ctx, const char *id, unsigned rows, unsigned columns)
{
        struct winsize size = { .ws_row = (unsigned short) rows,
                                .ws_col = (unsigned short) columns };
        struct runc_exec *x = self;
        struct runc_live *l;
        sw_err *err = use(x, id, &l);

        (void) ctx;
        if (err)
                return err;
        if (l->master < 0)
                err = sw_err_new(SW_E_INVALID, "container %s has no terminal", id);
        else if (ioctl(l->master, TIOCSWINSZ, &size) != 0)
                err = sw_err_sys(SW_E_IO, errno, "resize the terminal of %s", id);
        else { /* the terminal is nobody's controlling one: the runtime is told by us */
                (void) kill(l->runtime, SIGWINCH);
                runc_resize_pid(&l->procs, runc_first_pid(l->box_fd, "pid"), &size);
        }
        unuse(x, l);
        return err;
}

/* ---- another process ----------------------------------------------------------------- */

struct another {
        struct runc_exec *x;
        sw_ctx *ctx;
        struct runc_live *l;
        const struct sw_exec_process *p;
        char spec[32], pid[32]; /* files in the box */
        sw_fd ns, pid_ns, master, slave;
        sw_child *child;
};

static sw_err *
write_spec(struct another *a)
{
        struct runc_user user;
        struct runc_spec s = { .x = a->x, .p = a->p, .user = &user };
        sw_autoptr(sw_json) process = NULL;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = runc_user_find(a->l->rootfd, a->p->user ? a->p->user : "", &user);

        if (err)
                return err;
        (void) sw_id_new(s.mark);
        err = runc_process_json(&s, a->l->insecure && a->p->insecure, &process);
        if (!err)
                err = runc_json_dump(&s, process, &text);
        if (!err)
                err = runc_box_write(a->l->box_fd, a->spec, text.data, text.len);
        runc_user_release(&user);
        return err;
}

static sw_err *
start_another(struct another *a, const char *id)
{
        sw_auto(sw_strlist) argv = { 0 };
        sw_auto(sw_strlist) env = { 0 };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_err *err = SW_OK;

        runc_argv(a->x, "exec", false, &argv);
        sw_strlist_add(&argv, "--process");
        sw_strlist_take(&argv, sw_asprintf("%s/%s", a->x->box_path, a->spec));
        sw_strlist_add(&argv, "--pid-file");
        sw_strlist_take(&argv, sw_asprintf("%s/%s", a->x->box_path, a->pid));
        sw_strlist_add(&argv, id);
        sw_strlist_take(&argv, NULL);
        runc_env(&env);
        s.argv = (const char *const *) argv.v;
        s.env = (const char *const *) env.v;
        s.mount_ns_fd = a->ns;
        s.pid_ns_fd = a->pid_ns;
        s.exe_fd = a->x->program;
        if (a->p->terminal)
                err = runc_terminal(&a->master, &a->slave);
        for (int i = 0; i < 3; i++)
                s.fds_std[i] = a->p->terminal ? a->slave : a->p->fds_std[i];
        if (!err)
                err = sw_spawn_start(&s, &a->child);
        sw_fd_clear(&a->slave);
        return err;
}

/* The number of the runtime that starts it, where the container's numbers are from. */
static pid_t
number_inside(const struct another *a)
{
        char path[64];
        sw_auto(sw_buf) text = SW_BUF_INIT;
        pid_t pid = sw_child_pid(a->child);

        if (a->pid_ns < 0)
                return pid;
        (void) snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        sw_err_drop(sw_buf_read_file(&text, AT_FDCWD, path, 1 << 16),
                    "it is not ours then");
        const char *p = strstr(text.data, "\nNSpid:");
        const char *end = p ? strchrnul(p + 1, '\n') : NULL;
        while (end && end[-1] != '\t' && end[-1] != ' ')
                end--;
        return end ? (pid_t) strtol(end, NULL, 10) : 0;
}

static sw_err *
run_another(struct another *a, const char *id, struct sw_exec_status *out)
{
        struct sw_exit exit = { 0 };
        sw_err *err = start_another(a, id);
        struct runc_procs procs = { .proc = a->l->procs.proc,
                                    .runtime = err ? 0 : number_inside(a) };
        struct runc_wait w = { .child = a->child,
                               .p = a->p,
                               .master = a->master,
                               .cancel = sw_ctx_cancel(a->ctx),
                               .box_fd = a->l->box_fd,
                               .pid_file = a->pid,
                               .procs = &procs };

        if (!err)
                err = runc_wait(&w);
        if (!err)
                err = sw_child_wait(a->child, NULL, &exit);
        if (err)
                return err;
        out->signalled = exit.signalled;
        out->value = exit.value;
        out->cpu_ns = exit.cpu_ns;
        err = sw_ctx_check(a->ctx);
        if (!err && exit.value != 0 && !runc_first_pid(a->l->box_fd, a->pid))
                err = runc_failure(a->x, a->l->box_fd, exit.value);
        return err;
}

static sw_err *
open_ns(const struct runc_live *l, const char *name, sw_fd *out)
{
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int) l->runtime, name);
        *out = open(path, O_RDONLY | O_CLOEXEC);
        return *out < 0 ? sw_err_sys(SW_E_NOT_FOUND, errno, "the container has ended")
                        : SW_OK;
}

static sw_err *
enter(struct another *a)
{
        sw_err *err = open_ns(a->l, "mnt", &a->ns);

        if (!err && a->l->procs.runtime == 1)
                err = open_ns(a->l, "pid", &a->pid_ns);
        if (err)
                return err;
        pthread_mutex_lock(&a->x->lock);
        unsigned n = a->l->n_execs++;
        pthread_mutex_unlock(&a->x->lock);
        (void) snprintf(a->spec, sizeof(a->spec), "exec-%u.json", n);
        (void) snprintf(a->pid, sizeof(a->pid), "exec-%u.pid", n);
        return write_spec(a);
}

sw_err *
runc_exec(void *self, sw_ctx *ctx, const char *id, const struct sw_exec_process *p,
          struct sw_exec_status *out)
{
        struct another a = { .x = self,
                             .ctx = ctx,
                             .p = p,
                             .ns = -1,
                             .pid_ns = -1,
                             .master = -1,
                             .slave = -1 };
        sw_err *err = use(a.x, id, &a.l);

        out->cpu_ns = out->memory_peak = out->io_read = out->io_written = -1;
        if (err)
                return err;
        err = enter(&a);
        if (!err)
                err = run_another(&a, id, out);
        sw_child_free(a.child);
        sw_fd_clear(&a.ns);
        sw_fd_clear(&a.pid_ns);
        sw_fd_clear(&a.master);
        sw_fd_clear(&a.slave);
        (void) unlinkat(a.l->box_fd, a.spec, 0);
        (void) unlinkat(a.l->box_fd, a.pid, 0);
        unuse(a.x, a.l);
        return err;
}
