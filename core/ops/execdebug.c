/*
 * core/ops/execdebug.c - the roots of commands that failed: kept for a while, and entered.
 *
 * What is kept is the root as the command left it, committed like any other tree. Who
 * enters it writes on a layer of their own that goes when they leave, so that each finds
 * what the command left.
 *
 * Thread: the one that runs the command, or the shell.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/exec.h"
#include "core/ops/kept.h"

/* ---- keeping ------------------------------------------------------------------------- */

static sw_err *
write_kept(const struct sw__exec *x, sw_ref *ref)
{
        const Pb__Meta *m = x->pb->meta;
        sw_auto(sw__kept) k = {
                .vertex = sw_strdup(x->vertex),
                .expires = sw_time_now() + x->env->debug_kept_for_s * SW_NS_PER_SEC,
                .cwd = sw_path_join("/", m->cwd),
                .user = sw_strdup(m->user),
                .hostname = sw_strdup(m->hostname),
                .network = sw_strdup(sw__exec_network(x->pb->network)),
                .insecure = x->pb->security == PB__SECURITY_MODE__INSECURE,
        };

        (void) snprintf(k.ref, sizeof(k.ref), "%s", sw_ref_id(ref));
        for (size_t i = 0; i < m->n_args; i++)
                sw_strlist_add(&k.args, m->args[i]);
        for (size_t i = 0; i < m->n_env; i++) /* secrets are not among them */
                sw_strlist_add(&k.env, m->env[i]);
        return sw__kept_write(x->env->root, &k);
}

sw_err *
sw__exec_keep(struct sw__exec *x, sw_err *err)
{
        struct sw__exec_place *root = &x->places[x->root];
        sw_autoptr(sw_ref) kept = NULL;

        if (!x->env->debug_kept_for_s || sw_err_code(err) != SW_E_STEP || !root->layer)
                return err;
        sw_fd_clear(&root->fd);
        root->m = NULL;
        sw_err *failed = sw_layer_unmount(root->layer, NULL);
        if (!failed)
                failed = sw_layer_commit(sw_steal(root->layer), NULL, &kept);
        if (!failed)
                failed = write_kept(x, kept);
        if (failed) {
                sw_progress_warn(x->ctx, "the root of the failed command is not kept: %s",
                                 sw_err_message(failed));
                sw_err_drop(failed, "told; the command's own error matters");
        }
        return err;
}

/* ---- entering ------------------------------------------------------------------------ */

struct entering {
        const struct sw_ops_env *env;
        const struct sw_ops_shell *req;
        sw__kept kept;
        sw_ref *ref;
        sw_layer *layer;
        const struct sw_snapshot_mount *m;
        sw_strlist vars;
};

static bool
has_variable(const sw_strlist *env, const char *variable)
{
        size_t n = strcspn(variable, "=") + 1;

        for (size_t i = 0; i < env->n; i++)
                if (strncmp(env->v[i], variable, n) == 0)
                        return true;
        return false;
}

static void
fill_env(struct entering *e)
{
        for (size_t i = 0; i < e->kept.env.n; i++)
                sw_strlist_add(&e->vars, e->kept.env.v[i]);
        for (const char *const *v = e->req->env; v && *v; v++)
                if (!has_variable(&e->vars, *v))
                        sw_strlist_add(&e->vars, *v);
        if (!has_variable(&e->vars, SW__EXEC_DEFAULT_PATH))
                sw_strlist_add(&e->vars, SW__EXEC_DEFAULT_PATH);
        sw_strlist_take(&e->vars, NULL);
}

static sw_err *
open_root(struct entering *e)
{
        const struct sw_ops_shell *r = e->req;
        const struct sw_ops_job job = { .allowed = r->allowed };
        sw_err *err = sw__kept_read(e->env->root, r->kept, &e->kept);
        const struct sw__exec_wish wish = {
                .network_host = !err && sw_str_eq(e->kept.network, "host"),
                .insecure = e->kept.insecure,
        };

        if (!err)
                err = sw__entitled(&job, &wish);
        if (!err)
                err = sw_worker_load(e->env->worker, r->ctx, r->kept, &e->ref);
        if (!err)
                err = sw_worker_layer(e->env->worker, r->ctx, e->ref,
                                      SW_REF_DESC(.description = "debug shell",
                                                  .type = "internal"),
                                      &e->layer);
        return err ? err : sw_layer_mount(e->layer, r->ctx, &e->m);
}

static sw_err *
run_in(struct entering *e, struct sw_exec_status *out)
{
        static const char *const shell[] = { "/bin/sh", NULL };
        const struct sw_ops_shell *r = e->req;
        const struct sw_executor_ops *ops;
        void *self;
        const struct sw_exec_process p = {
                .size = sizeof(p),
                .args = r->args && *r->args ? r->args : shell,
                .env = (const char *const *) e->vars.v,
                .cwd = e->kept.cwd,
                .user = r->user ? r->user : e->kept.user,
                .fds_std = { r->fds_std[0], r->fds_std[1], r->fds_std[2] },
                .terminal = r->terminal,
        };
        const struct sw_exec_container c = {
                .size = sizeof(c),
                .id = r->container,
                .trees = &e->m->treefd,
                .n_trees = e->m->treefd >= 0,
                .rootfd = e->m->dirfd,
                .hostname = *e->kept.hostname ? e->kept.hostname : NULL,
                .network = e->kept.network,
                .insecure = e->kept.insecure,
        };
        sw_err *err = sw__exec_find(e->env, true, &ops, &self);

        *out = (struct sw_exec_status){ .size = sizeof(*out) };
        return err ? err : ops->run(self, r->ctx, &c, &p, r->started, r->arg, out);
}

sw_err *
sw__ops_shell(const struct sw_ops_env *env, const struct sw_ops_shell *r,
              struct sw_exec_status *out)
{
        struct entering e = { .env = env, .req = r };
        sw_err *err = open_root(&e);

        if (!err) {
                fill_env(&e);
                err = run_in(&e, out);
        }
        sw_layer_abandon(e.layer);
        sw_ref_unref(e.ref);
        sw_strlist_release(&e.vars);
        sw__kept_release(&e.kept);
        return err;
}

sw_err *
sw__ops_shell_resize(const struct sw_ops_env *env, sw_ctx *ctx, const char *container,
                     unsigned rows, unsigned columns)
{
        const struct sw_executor_ops *ops;
        void *self;
        sw_err *err = sw__exec_find(env, false, &ops, &self);

        if (!err && !SW_OPS_HAS(ops, struct sw_executor_ops, resize))
                err = sw_err_new(SW_E_UNSUPPORTED, "the executor has no terminals");
        return err ? err : ops->resize(self, ctx, container, rows, columns);
}

sw_err *
sw__ops_shell_signal(const struct sw_ops_env *env, sw_ctx *ctx, const char *container,
                     int sig)
{
        const struct sw_executor_ops *ops;
        void *self;
        sw_err *err = sw__exec_find(env, false, &ops, &self);

        if (!err && !SW_OPS_HAS(ops, struct sw_executor_ops, signal))
                err = sw_err_new(SW_E_UNSUPPORTED, "the executor takes no signals");
        return err ? err : ops->signal(self, ctx, container, sig);
}
