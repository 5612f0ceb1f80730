/*
 * plugins/exec-runc/run.c - run one container: what comes before its runtime, and after.
 *
 * Everything that was made is taken back in reverse order, whatever failed in between.
 * Thread: any; a run is its thread's own but for what is in `live`.
 */
#include <string.h>

#include <slipway/id.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define HOSTNAME      "buildkitsandbox"
#define PID_FILE      "pid"
#define LOG_FILE      "log"
#define LOG_MAX       (1 << 16)
#define REMOVE_MS     500
#define MAX_HOST_NAME 253

/* ---- the runtime's command line ------------------------------------------------------ */

void
runc_argv(const struct runc_exec *x, const char *command, bool systemd, sw_strlist *argv)
{
        sw_strlist_add(argv, x->runtime.path);
        sw_strlist_add(argv, "--root");
        sw_strlist_take(argv, sw_asprintf("%s/state", x->box_path));
        sw_strlist_add(argv, "--log");
        sw_strlist_take(argv, sw_asprintf("%s/" LOG_FILE, x->box_path));
        /* What crun has to say once the container's process is its own goes where that
         * prints, for people to read; in this format, too. */
        sw_strlist_add(argv, "--log-format");
        sw_strlist_add(argv, x->runtime.flavour == RUNC_IS_CRUN ? "text" : "json");
        if (systemd)
                sw_strlist_add(argv, "--systemd-cgroup");
        else if (x->runtime.flavour == RUNC_IS_CRUN)
                sw_strlist_add(argv, x->cgroups.usable ? "--cgroup-manager=cgroupfs"
                                                       : "--cgroup-manager=disabled");
        sw_strlist_add(argv, command);
}

void
runc_env(sw_strlist *env)
{
        static const char *const kept[] = { "PATH", "XDG_RUNTIME_DIR" };

        for (size_t i = 0; i < SW_COUNT(kept); i++) {
                const char *value = getenv(kept[i]);

                if (value)
                        sw_strlist_take(env, sw_asprintf("%s=%s", kept[i], value));
        }
        sw_strlist_take(env, NULL);
}

/* The message of the last error in a log: of one JSON object a line, or as it is. */
static char *
last_error(const char *log)
{
        sw_auto(sw_strlist) lines = { 0 };
        const char *plain = NULL;

        sw_strlist_split(&lines, log, '\n');
        for (size_t i = lines.n; i > 0; i--) {
                sw_autoptr(sw_json) o = NULL;
                const char *text = NULL;
                sw_err *err =
                        sw_json_parse("log", lines.v[i - 1], strlen(lines.v[i - 1]), &o);

                if (!err)
                        err = sw_json_str(o, "msg", &text);
                if (!err && text)
                        return sw_strdup(text);
                sw_err_drop(err, "a line that is no such object");
                if (!plain && *lines.v[i - 1])
                        plain = lines.v[i - 1];
        }
        return plain ? sw_strdup(plain) : NULL;
}

sw_err *
runc_failure(const struct runc_exec *x, int box_fd, int status)
{
        sw_auto(sw_buf) log = SW_BUF_INIT;
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&log, box_fd, LOG_FILE, LOG_MAX);
        sw_auto(sw_str) text = NULL;

        sw_err_drop(err, "then nothing is known");
        text = last_error(log.data);
        if (!text)
                return sw_err_new(SW_E_BROKEN,
                                  "%s ended with status %d before the container ran, and "
                                  "did not say why",
                                  x->runtime.path, status);
        /* one that is not there, or cannot be run, is the step's own fault */
        bool own = strstr(text, "executable") || strstr(text, "exec: ");
        for (char *c = text; *c; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        *c = ' ';
        sw_buf_addf(&shown, "%s: %s", x->runtime.path, text);
        while (shown.len && strchr(" .", shown.data[shown.len - 1]))
                sw_buf_truncate(&shown, shown.len - 1);
        return sw_err_new(own ? SW_E_STEP : SW_E_BROKEN, "%s", shown.data);
}

/* ---- one run ------------------------------------------------------------------------- */

struct run {
        struct runc_exec *x;
        sw_ctx *ctx;
        const struct sw_exec_container *c;
        const struct sw_exec_process *p;
        struct runc_user user;
        struct runc_cgroup cgroup;
        struct runc_stubs stubs;
        struct runc_box box;
        struct runc_spec spec;
        sw_fd lock, master, slave;
        bool own_ns; /* the runtime has a PID namespace */
        sw_child *child;
        struct runc_procs procs;
};

/* What "sandbox" is here. */
static sw_err *
network_of(struct run *r, bool *host)
{
        const char *wanted = r->c->network ? r->c->network : "sandbox";
        const char *mode = sw_options_str(r->x->options, "network");

        if (strcmp(wanted, "sandbox") == 0)
                wanted = !mode || !*mode || strcmp(mode, "auto") == 0 ? "host" : mode;
        *host = strcmp(wanted, "host") == 0;
        if (*host || strcmp(wanted, "none") == 0)
                return SW_OK;
        return sw_err_new(SW_E_UNSUPPORTED,
                          "network mode %s is not known to executor runc; it has host and "
                          "none",
                          wanted);
}

/* Names that end up as lines of a file. */
static sw_err *
check_names(const struct sw_exec_container *c)
{
        if (c->hostname &&
            (strlen(c->hostname) > MAX_HOST_NAME || strpbrk(c->hostname, " \t\r\n/")))
                return sw_err_new(SW_E_INVALID, "hostname is not one");
        for (size_t i = 0; i < c->n_hosts; i++)
                if (strpbrk(c->hosts[i].name, "\r\n") ||
                    strpbrk(c->hosts[i].address, "\r\n"))
                        return sw_err_new(SW_E_INVALID, "extra host %zu is not one line",
                                          i);
        return SW_OK;
}

static sw_err *
prepare_root(struct run *r)
{
        const char *user = r->p->user ? r->p->user : "";
        sw_err *err = runc_user_find(r->c->rootfd, user, &r->user);

        if (err)
                return err;
        if (r->p->cwd[0] != '/')
                return sw_err_new(SW_E_INVALID, "working directory %s is not absolute",
                                  r->p->cwd);
        return runc_make_cwd(r->c->rootfd, r->p->cwd, &r->user);
}

static sw_err *
prepare_cgroup(struct run *r)
{
        const char *parent = r->c->cgroup_parent;
        sw_err *err;

        if (!parent || !*parent)
                parent = sw_options_str(r->x->options, "cgroup-parent");
        err = runc_cgroup_plan(&r->cgroup, &r->x->cgroups, parent, r->c->id);
        if (!err)
                err = runc_state_claim(r->x, r->c->id, r->cgroup.outer, &r->lock);
        if (!err)
                err = runc_cgroup_prepare(&r->cgroup, r->c->resources);
        return err;
}

static sw_err *
fill_box(struct run *r)
{
        sw_auto(sw_buf) hosts = SW_BUF_INIT;
        sw_auto(sw_buf) resolv = SW_BUF_INIT;
        sw_auto(sw_buf) config = SW_BUF_INIT;

        runc_hosts(r->c, r->spec.hostname, &hosts);
        sw_err *err = runc_resolv_conf(r->x, r->spec.host_network, &resolv);
        if (!err)
                err = runc_spec_json(&r->spec, &config);
        if (!err)
                err = runc_box_write(r->box.fd, "hosts", hosts.data, hosts.len);
        if (!err)
                err = runc_box_write(r->box.fd, "resolv.conf", resolv.data, resolv.len);
        if (!err)
                err = runc_box_write(r->box.fd, "config.json", config.data, config.len);
        return err;
}

/* What crun must not see to work: version 2 beside version 1; or that no cgroups are
 * mounted at all, when it insists on a tmpfs. */
static const char *
hidden_from(const struct runc_exec *x)
{
        static const char mounts[] = "/sys/fs/cgroup";

        if (x->runtime.flavour != RUNC_IS_CRUN)
                return NULL;
        if (x->cgroups.hybrid)
                return x->cgroups.hybrid_path;
        return !x->cgroups.n && access(mounts, F_OK) == 0 ? mounts : NULL;
}

static sw_err *
prepare_box(struct run *r)
{
        const char *hide = hidden_from(r->x);
        sw_err *err = runc_box_open(&r->box, r->x->box_path, r->c, hide,
                                    !r->x->cgroups.usable && !r->c->insecure);

        if (err)
                return err;
        r->spec = (struct runc_spec){
                .x = r->x,
                .c = r->c,
                .p = r->p,
                .user = &r->user,
                .box = &r->box,
                .cgroup = &r->cgroup,
                .hostname = r->c->hostname && *r->c->hostname ? r->c->hostname : HOSTNAME,
        };
        (void) sw_id_new(r->spec.mark);
        err = network_of(r, &r->spec.host_network);
        if (!err)
                err = runc_spec_stubs(&r->spec, &r->stubs);
        return err ? err : fill_box(r);
}

static sw_err *
start(struct run *r)
{
        sw_auto(sw_strlist) argv = { 0 };
        sw_auto(sw_strlist) env = { 0 };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_err *err = SW_OK;

        /* systemd is told numbers, and knows those of its own namespace alone */
        r->own_ns =
                !r->cgroup.systemd && !sw_options_bool(r->x->options, "no-process-sandbox");
        runc_argv(r->x, "run", r->cgroup.systemd, &argv);
        sw_strlist_add(&argv, "--bundle");
        sw_strlist_add(&argv, r->x->box_path);
        sw_strlist_add(&argv, "--pid-file");
        sw_strlist_take(&argv, sw_asprintf("%s/" PID_FILE, r->x->box_path));
        sw_strlist_add(&argv, r->c->id);
        sw_strlist_take(&argv, NULL);
        runc_env(&env);
        s.argv = (const char *const *) argv.v;
        s.env = (const char *const *) env.v;
        s.mounts = r->box.mounts.v;
        s.n_mounts = r->box.mounts.n;
        s.exe_fd = r->x->program;
        s.flags = r->own_ns ? SW_SPAWN_PID_NS | SW_SPAWN_STAY : SW_SPAWN_KEEP;
        if (r->p->terminal)
                err = runc_terminal(&r->master, &r->slave);
        for (int i = 0; i < 3; i++)
                s.fds_std[i] = r->p->terminal ? r->slave : r->p->fds_std[i];
        if (!err)
                err = sw_spawn_start(&s, &r->child);
        sw_fd_clear(&r->slave);
        if (!err)
                err = runc_procs_open(&r->procs, r->child, r->own_ns);
        if (!err && !r->own_ns)
                runc_state_note(r->lock, sw_child_pid(r->child));
        return sw_err_wrap(err, "start a container");
}

static sw_err *
see_through(struct run *r, void (*started)(void *arg), void *arg, struct sw_exit *exit)
{
        struct runc_live live = { .id = r->c->id,
                                  .box_fd = r->box.fd,
                                  .rootfd = r->c->rootfd,
                                  .master = r->master,
                                  .runtime = sw_child_pid(r->child),
                                  .procs = r->procs,
                                  .insecure = r->c->insecure };
        struct runc_wait w = { .child = r->child,
                               .p = r->p,
                               .master = r->master,
                               .cancel = sw_ctx_cancel(r->ctx),
                               .box_fd = r->box.fd,
                               .pid_file = PID_FILE,
                               .procs = &r->procs,
                               .cgroups = &r->x->cgroups,
                               .outer = r->cgroup.outer,
                               .started = started,
                               .started_arg = arg };

        runc_live_add(r->x, &live);
        sw_err *err = runc_wait(&w);
        runc_live_remove(r->x, &live);
        sw_err *reaped = sw_child_wait(r->child, NULL, exit);
        if (err)
                sw_err_drop(reaped, "the first error is the one to tell");
        return err ? err : reaped;
}

static sw_err *
run_it(struct run *r, void (*started)(void *arg), void *arg, struct sw_exec_status *out)
{
        struct sw_exit exit = { 0 };
        sw_err *err = start(r);

        if (!err)
                err = see_through(r, started, arg, &exit);
        if (err)
                return err;
        out->signalled = exit.signalled;
        out->value = exit.value;
        out->cpu_ns = exit.cpu_ns;
        runc_cgroup_read(&r->cgroup, out);
        err = sw_ctx_check(r->ctx);
        if (!err && (exit.signalled || exit.value != 0) &&
            !runc_first_pid(r->box.fd, PID_FILE))
                err = runc_failure(r->x, r->box.fd, exit.value);
        return err;
}

/* What is left of a container, once its processes are dead. */
struct remains {
        struct runc_exec *x;
        char *id;
        char *cgroup; /* or NULL */
        sw_fd lock;
        sw_child *child; /* or NULL */
};

static void
clear_away(void *arg)
{
        struct remains *m = arg;
        sw_err *left = SW_OK;

        sw_child_free(m->child);
        if (m->cgroup && m->lock >= 0)
                left = runc_cgroup_remove(&m->x->cgroups, m->cgroup, REMOVE_MS);
        if (left) { /* its file stays, for the next sweep */
                sw_log_err(m->x->log, SW_LOG_WARN, left);
                sw_err_drop(left, "told");
                sw_fd_clear(&m->lock);
        }
        runc_state_drop(m->x, m->id, &m->lock);
        free(m->cgroup);
        free(m->id);
        free(m);
}

/* @ended: nothing of it can run any more, so it need not be waited for. */
static void
take_back(struct run *r, bool ended)
{
        struct remains *m = sw_new(struct remains);

        *m = (struct remains){ .x = r->x,
                               .id = sw_strdup(r->c->id),
                               .cgroup = sw_steal(r->cgroup.outer),
                               .lock = sw_fd_steal(&r->lock),
                               .child = sw_steal(r->child) };
        if (ended) {
                janitor_add(r->x->janitor, runc_warm, r->x);
                janitor_add(r->x->janitor, clear_away, m);
        } else {
                clear_away(m);
        }
        runc_procs_release(&r->procs);
        if (!r->c->keep_stubs)
                runc_stubs_remove(&r->stubs, r->c->remove_stubs_recursive);
        runc_stubs_release(&r->stubs);
        runc_box_release(&r->box);
        runc_cgroup_release(&r->cgroup);
        runc_user_release(&r->user);
        sw_fd_clear(&r->master);
        sw_fd_clear(&r->slave);
}

sw_err *
runc_run(void *self, sw_ctx *ctx, const struct sw_exec_container *c,
         const struct sw_exec_process *p, void (*started)(void *arg), void *arg,
         struct sw_exec_status *out)
{
        struct run r = { .x = self,
                         .ctx = ctx,
                         .c = c,
                         .p = p,
                         .lock = -1,
                         .master = -1,
                         .slave = -1,
                         .procs = { .proc = -1 },
                         .box = { .fd = -1 },
                         .cgroup = { .oom_event = -1, .oom_control = -1 } };
        sw_err *err = sw_id_check("container", c->id);

        out->cpu_ns = out->memory_peak = out->io_read = out->io_written = -1;
        if (!err)
                err = sw_ctx_check(ctx);
        if (!err)
                err = check_names(c);
        if (!err)
                err = runc_ready(r.x, ctx);
        if (!err)
                err = prepare_root(&r);
        if (!err)
                err = prepare_cgroup(&r);
        if (!err)
                err = prepare_box(&r);
        if (!err)
                err = run_it(&r, started, arg, out);
        take_back(&r, !err && r.own_ns);
        return err;
}
