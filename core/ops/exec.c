/*
 * core/ops/exec.c - the exec op: a command in a container.
 *
 *      open what it mounts, ask the client for secrets and agents
 *      run it, with its output going to progress
 *      judge its exit status; commit what it wrote, or drop that
 *
 * Whatever failed, everything opened is given back.
 * Thread: workers.
 */
#include <string.h>

#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "core/ops/exec.h"

/* ---- the executor -------------------------------------------------------------------- */

sw_err *
sw__exec_find(const struct sw_ops_env *env, bool to_run, const struct sw_executor_ops **ops,
              void **self)
{
        const struct sw_ops_hdr *hdr;
        const char *name = env->executor;

        if (!name || !*name || strcmp(name, "auto") == 0)
                name = "runc";
        if (!env->host)
                return sw_err_new(SW_E_UNSUPPORTED, "commands need an executor, and no "
                                                    "plugins are loaded");
        sw_err *err = sw_host_require(env->host, SW_KIND_EXECUTOR, name);
        if (!err)
                err = sw_host_lookup(env->host, SW_KIND_EXECUTOR, name, &hdr, self);
        if (!err && to_run)
                err = sw__running_note(env, name);
        if (!err)
                *ops = (const struct sw_executor_ops *) hdr;
        return err;
}

/* ---- what it is told ----------------------------------------------------------------- */

static bool
has_variable(const sw_strlist *env, const char *name)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < env->n; i++)
                if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
                        return true;
        return false;
}

/* In both spellings: programs do not agree which one counts. */
static void
add_proxy(sw_strlist *env, const char *upper, const char *lower, const char *value)
{
        if (!value[0])
                return;
        sw_strlist_take(env, sw_asprintf("%s=%s", upper, value));
        sw_strlist_take(env, sw_asprintf("%s=%s", lower, value));
}

static sw_err *
fill_env(struct sw__exec *x)
{
        const Pb__Meta *m = x->pb->meta;
        const Pb__ProxyEnv *proxy = m->proxy_env;

        for (size_t i = 0; i < m->n_env; i++)
                sw_strlist_add(&x->env_list, m->env[i]);
        if (proxy) {
                add_proxy(&x->env_list, "HTTP_PROXY", "http_proxy", proxy->http_proxy);
                add_proxy(&x->env_list, "HTTPS_PROXY", "https_proxy", proxy->https_proxy);
                add_proxy(&x->env_list, "FTP_PROXY", "ftp_proxy", proxy->ftp_proxy);
                add_proxy(&x->env_list, "NO_PROXY", "no_proxy", proxy->no_proxy);
                add_proxy(&x->env_list, "ALL_PROXY", "all_proxy", proxy->all_proxy);
        }
        if (!has_variable(&x->env_list, "PATH"))
                sw_strlist_add(&x->env_list, SW__EXEC_DEFAULT_PATH);
        sw_err *err = sw__exec_secret_env(x);
        for (const char *const *v = x->shell ? x->shell->env : NULL; v && *v; v++) {
                sw_auto(sw_str) name = sw_strndup(*v, strcspn(*v, "="));

                if (!has_variable(&x->env_list, name))
                        sw_strlist_add(&x->env_list, *v);
        }
        sw_strlist_take(&x->env_list, NULL);
        return err;
}

const char *
sw__exec_network(Pb__NetMode mode)
{
        switch (mode) {
        case PB__NET_MODE__HOST: return "host";
        case PB__NET_MODE__NONE: return "none";
        default: return "sandbox";
        }
}

static void
fill_resources(const struct sw__exec *x, struct sw_exec_resources *out)
{
        const struct sw_llb_resources *r = x->resources;

        *out = (struct sw_exec_resources){
                .size = sizeof(*out),
                .memory = r->memory,
                .memory_swap = r->memory_swap,
                .cpu_shares = (int64_t) r->cpu_shares,
                .cpu_period = (int64_t) r->cpu_period,
                .cpu_quota = r->cpu_quota,
                .cpuset_cpus = r->cpuset_cpus,
                .cpuset_mems = r->cpuset_mems,
        };
}

/* Arrays behind a process and a container. */
struct told {
        SW_ARRAY(const char *) args;
        SW_ARRAY(struct sw_exec_rlimit) rlimits;
        SW_ARRAY(struct sw_exec_host) hosts;
        struct sw_exec_resources resources;
        char id[SW_ID_SIZE];
        char *cwd;
};

static void
told_release(struct told *t)
{
        sw_array_release(&t->args);
        sw_array_release(&t->rlimits);
        sw_array_release(&t->hosts);
        free(t->cwd);
}

static void
fill_told(const struct sw__exec *x, struct told *t)
{
        const Pb__Meta *m = x->pb->meta;

        for (size_t i = 0; i < m->n_args; i++)
                sw_array_push(&t->args, m->args[i]);
        sw_array_push(&t->args, NULL);
        for (size_t i = 0; i < m->n_ulimit; i++)
                sw_array_push(&t->rlimits, (struct sw_exec_rlimit){ m->ulimit[i]->name,
                                                                    m->ulimit[i]->soft,
                                                                    m->ulimit[i]->hard });
        for (size_t i = 0; i < m->n_extrahosts; i++)
                sw_array_push(&t->hosts, (struct sw_exec_host){ m->extrahosts[i]->host,
                                                                m->extrahosts[i]->ip });
        t->cwd = sw_path_join("/", m->cwd);
        (void) sw_id_new(t->id);
        if (x->resources)
                fill_resources(x, &t->resources);
}

/* ---- running ------------------------------------------------------------------------- */

static sw_err *
call_executor(struct sw__exec *x, const struct told *t)
{
        const Pb__Meta *m = x->pb->meta;
        const struct sw__exec_place *root = &x->places[x->root];
        const struct sw_executor_ops *ops;
        void *self;
        struct sw_exec_process p = {
                .size = sizeof(p),
                .args = t->args.v,
                .env = (const char *const *) x->env_list.v,
                .cwd = t->cwd,
                .user = m->user,
                .fds_std = { -1, sw__exec_io_end(x, 1), sw__exec_io_end(x, 2) },
                .rlimits = t->rlimits.v,
                .n_rlimits = t->rlimits.n,
        };
        struct sw_exec_container c = {
                .size = sizeof(c),
                .id = t->id,
                .trees = x->trees.v,
                .n_trees = x->trees.n,
                .rootfd = root->fd,
                .readonly = root->pb->readonly,
                .mounts = x->mounts.v,
                .n_mounts = x->mounts.n,
                .hostname = m->hostname[0] ? m->hostname : NULL,
                .hosts = t->hosts.v,
                .n_hosts = t->hosts.n,
                .network = sw__exec_network(x->pb->network),
                .insecure = x->pb->security == PB__SECURITY_MODE__INSECURE,
                .cgroup_parent = m->cgroupparent[0] ? m->cgroupparent : NULL,
                .resources = x->resources ? &t->resources : NULL,
                .remove_stubs_recursive = m->removemountstubsrecursive,
        };
        const struct sw_ops_shell *shell = x->shell;
        sw_err *err = sw__exec_find(x->env, true, &ops, &self);

        if (shell) {
                memcpy(p.fds_std, shell->fds_std, sizeof(p.fds_std));
                p.terminal = shell->terminal;
                c.id = shell->container;
        }
        x->status = (struct sw_exec_status){ .size = sizeof(x->status) };
        if (!err)
                err = ops->run(self, x->ctx, &c, &p, shell ? shell->started : NULL,
                               shell ? shell->arg : NULL, &x->status);
        return err;
}

sw_err *
sw__exec_run(struct sw__exec *x)
{
        struct told t = { 0 };
        sw_err *err = fill_env(x);

        /* who is in it has output of their own; agents are for all */
        if (!err && (!x->shell || x->priv.agents.n))
                err = sw__exec_io_start(x);
        if (!err) {
                fill_told(x, &t);
                sw__exec_plan_mounts(x);
                err = call_executor(x, &t);
        }
        sw__exec_io_stop(x);
        told_release(&t);
        return err;
}

static sw_err *
run(struct sw__exec *x)
{
        sw_err *err = sw__exec_run(x);

        if (err)
                return sw__exec_failed(x, err);
        sw__exec_tell_usage(x);
        return sw__exec_judge(x);
}

/* ---- the op -------------------------------------------------------------------------- */

static char *
command_of(const Pb__Meta *m)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        for (size_t i = 0; i < m->n_args; i++)
                sw_buf_addf(&b, "%s%s", i ? " " : "", m->args[i]);
        return sw_buf_detach(&b);
}

/* Who asked that the cache be ignored does not want what cache mounts hold either. */
static sw_err *
drop_caches(const struct sw__exec *x, sw_ref *const *in)
{
        for (size_t i = 0; i < x->pb->n_mounts; i++) {
                const Pb__Mount *m = x->pb->mounts[i];

                if (m->mounttype != PB__MOUNT_TYPE__CACHE)
                        continue;
                sw_auto(sw_str) name =
                        sw__cache_name(m->cacheopt->id, m->input < 0 ? NULL : in[m->input]);
                sw_err *err = sw__cache_drop(x->env, x->ctx, name);
                if (err)
                        return err;
        }
        return SW_OK;
}

void
sw__exec_init(struct sw__exec *x, const struct sw_ops_env *env, sw_ctx *ctx,
              const Pb__ExecOp *op)
{
        *x = (struct sw__exec){
                .env = env,
                .pb = op,
                .ctx = ctx,
                .command = command_of(op->meta),
                .priv = { .tree = -1 },
        };
}

sw_err *
sw__exec_close(struct sw__exec *x)
{
        sw_err *err = sw__exec_close_places(x);

        sw__exec_private_release(x);
        for (size_t i = 0; i < x->env_list.n; i++) /* secrets may be among them */
                if (x->env_list.v[i])
                        explicit_bzero(x->env_list.v[i], strlen(x->env_list.v[i]));
        sw_strlist_release(&x->env_list);
        sw_array_release(&x->trees);
        sw_array_release(&x->mounts);
        free(x->command);
        return err;
}

static void
tell_executor(const struct sw_ops_env *env)
{
        const struct sw_executor_ops *ops;
        void *self;
        sw_err *err = sw__exec_find(env, false, &ops, &self);

        if (!err && SW_OPS_HAS(ops, struct sw_executor_ops, soon))
                ops->soon(self);
        sw_err_drop(err, "it comes again when the command is to run");
}

static sw_err *
execute(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
        sw_ref **out, size_t n_out)
{
        struct sw__exec x;
        sw_err *err = SW_OK, *closed;

        (void) n_in;
        sw__exec_init(&x, op->env, ctx, op->pb->exec);
        x.vertex = sw_llb_vertex_digest_str(op->v);
        x.platform = sw_llb_vertex_platform(op->v);
        x.resources = sw_llb_vertex_resources(op->v);
        x.call = call;
        tell_executor(op->env);
        if (sw_llb_vertex_ignore_cache(op->v))
                err = drop_caches(&x, in);
        if (!err)
                err = sw__exec_open_places(&x, in);
        if (!err) {
                err = run(&x);
                if (err)
                        err = sw__exec_keep(&x, err);
                else
                        err = sw__exec_outputs(&x, out, n_out);
        }
        closed = sw__exec_close(&x);
        if (err)
                sw_err_drop(closed, "the first error is the one to tell");
        return err ? err : closed;
}

static const struct sw__op_kind exec_kind = {
        .name = "exec",
        .flags = SW_OP_FAST_CACHE_MAP,
        .keys = sw__op_keys_exec,
        .execute = execute,
};

sw_err *
sw__op_exec_new(struct sw__op *op, const struct sw_ops_job *job)
{
        const Pb__ExecOp *pb = op->pb->exec;
        const struct sw__exec_wish wish = {
                .network_host = pb->network == PB__NET_MODE__HOST,
                .insecure = pb->security == PB__SECURITY_MODE__INSECURE,
        };
        sw_err *err = sw__entitled(job, &wish);

        for (size_t i = 0; i < pb->n_cdidevices && !err; i++)
                err = sw__entitled(job, &(const struct sw__exec_wish){
                                                .device = pb->cdidevices[i]->name });
        if (err)
                return err;
        for (size_t i = 0; i < pb->n_cdidevices; i++)
                if (!pb->cdidevices[i]->optional)
                        return sw_err_new(SW_E_UNSUPPORTED,
                                          "required device \"%s\" is not registered",
                                          pb->cdidevices[i]->name);
        op->kind = &exec_kind;
        op->limit = op->env->exec_limit;
        op->units = 1;
        return SW_OK;
}
