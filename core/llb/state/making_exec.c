/*
 * core/llb/state/making_exec.c - the op of a command. See making.h.
 */
#include <string.h>

#include "core/llb/state/making.h"
#include "core/llb/state/run.h"

#define PATH_UNIX    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_WINDOWS "PATH=c:\\Windows\\System32;c:\\Windows"

/* ---- what runs --------------------------------------------------------------------- */

static bool
has_variable(const Pb__Meta *meta, const char *key)
{
        for (size_t i = 0; i < meta->n_env; i++)
                if (sw__llb_env_is(meta->env[i], key))
                        return true;
        return false;
}

/* The environment of the state, the agent's socket, and a PATH where the daemon is known
 * not to add one. */
static sw_err *
set_env(struct making *m, const struct exec *e, Pb__Meta *meta, capset *caps)
{
        struct env_list env;
        sw_err *err = sw__llb_find_env(&m->r, e->base, &env);

        if (err)
                return err;
        meta->env = PB_ARRAY(m, char *, env.n + 2);
        meta->n_env = env.n;
        if (env.n)
                memcpy(meta->env, env.v, env.n * sizeof(*env.v));
        if (e->ssh.n && !has_variable(meta, "SSH_AUTH_SOCK")) {
                sw_auto(sw_str) socket =
                        sw_asprintf("SSH_AUTH_SOCK=%s", e->ssh.v[0].target);

                meta->env[meta->n_env++] =
                        sw__pb_arena_strndup(&m->tmp, socket, strlen(socket));
        }
        if (!m->base.caps_known)
                return SW_OK;
        if (m->base.sets_default_path)
                *caps |= CAP(EXEC_META_SETS_DEFAULT_PATH);
        else if (!has_variable(meta, "PATH"))
                meta->env[meta->n_env++] =
                        pb_text(m->platform->os && strcmp(m->platform->os, "windows") == 0
                                        ? PATH_WINDOWS
                                        : PATH_UNIX);
        return SW_OK;
}

static sw_err *
set_texts(struct making *m, const struct exec *e, Pb__Meta *meta)
{
        const char *dir, *user, *hostname, *cgroup;
        sw_err *err = sw__llb_find_dir(&m->r, e->base, &dir);

        if (!err)
                err = sw__llb_find_text(&m->r, e->base, VALUE_USER, &user);
        if (!err)
                err = sw__llb_find_text(&m->r, e->base, VALUE_HOSTNAME, &hostname);
        if (!err)
                err = sw__llb_find_text(&m->r, e->base, VALUE_CGROUP_PARENT, &cgroup);
        if (err)
                return err;
        if (!*dir)
                return sw_err_new(SW_E_INVALID, "no working directory is set");
        meta->cwd = pb_text(dir);
        meta->user = pb_text(user);
        meta->hostname = pb_text(hostname);
        meta->cgroupparent = pb_text(cgroup);
        return SW_OK;
}

static sw_err *
set_hosts(struct making *m, const struct exec *e, Pb__Meta *meta)
{
        const sw_state **nodes;
        size_t n;
        sw_err *err = sw__llb_find_all(&m->r, e->base, VALUE_HOST, &nodes, &n);

        if (err)
                return err;
        meta->extrahosts = PB_ARRAY(m, Pb__HostIP *, n);
        for (size_t i = 0; i < n; i++) {
                Pb__HostIP *h = PB_NEW(m, Pb__HostIP, PB__HOST_IP__INIT);

                h->host = pb_text(nodes[i]->name);
                h->ip = pb_text(nodes[i]->text);
                meta->extrahosts[meta->n_extrahosts++] = h;
        }
        return SW_OK;
}

static sw_err *
set_ulimits(struct making *m, const struct exec *e, Pb__Meta *meta, capset *caps)
{
        const sw_state **nodes;
        size_t n;
        sw_err *err = sw__llb_find_all(&m->r, e->base, VALUE_ULIMIT, &nodes, &n);

        if (err)
                return err;
        meta->ulimit = PB_ARRAY(m, Pb__Ulimit *, n);
        for (size_t i = 0; i < n; i++) {
                Pb__Ulimit *u = PB_NEW(m, Pb__Ulimit, PB__ULIMIT__INIT);

                u->name = pb_text(nodes[i]->name);
                u->soft = nodes[i]->number;
                u->hard = nodes[i]->number2;
                meta->ulimit[meta->n_ulimit++] = u;
        }
        if (n)
                *caps |= CAP(EXEC_META_ULIMIT);
        return SW_OK;
}

static sw_err *
set_meta(struct making *m, const struct exec *e, Pb__ExecOp *exec, capset *caps)
{
        Pb__Meta *meta = PB_NEW(m, Pb__Meta, PB__META__INIT);
        sw_err *err = set_env(m, e, meta, caps);

        if (!err)
                err = set_texts(m, e, meta);
        if (!err)
                err = set_hosts(m, e, meta);
        if (!err)
                err = set_ulimits(m, e, meta, caps);
        if (err)
                return err;
        meta->args = e->args.v;
        meta->n_args = e->args.n;
        meta->removemountstubsrecursive = 1;
        meta->validexitcodes = e->exit_codes.v;
        meta->n_validexitcodes = e->exit_codes.n;
        if (e->has_proxy) {
                meta->proxy_env = PB_NEW(m, Pb__ProxyEnv, PB__PROXY_ENV__INIT);
                meta->proxy_env->http_proxy = pb_text(e->proxy[0]);
                meta->proxy_env->https_proxy = pb_text(e->proxy[1]);
                meta->proxy_env->ftp_proxy = pb_text(e->proxy[2]);
                meta->proxy_env->no_proxy = pb_text(e->proxy[3]);
                meta->proxy_env->all_proxy = pb_text(e->proxy[4]);
        }
        exec->meta = meta;
        return SW_OK;
}

static sw_err *
set_modes(struct making *m, const struct exec *e, Pb__ExecOp *exec, capset *caps)
{
        int64_t network, security;
        sw_err *err = sw__llb_find_number(&m->r, e->base, VALUE_NETWORK, &network);

        if (!err)
                err = sw__llb_find_number(&m->r, e->base, VALUE_SECURITY, &security);
        if (err)
                return err;
        if (network < 0 || network > SW_LLB_NETWORK_NONE || security < 0 ||
            security > SW_LLB_SECURITY_INSECURE)
                return sw_err_new(SW_E_INVALID,
                                  "unknown network mode %d or security mode %d",
                                  (int) network, (int) security);
        exec->network = (Pb__NetMode) network;
        exec->security = (Pb__SecurityMode) security;
        if (network)
                *caps |= CAP(EXEC_META_NETWORK);
        if (security)
                *caps |= CAP(EXEC_META_SECURITY);
        return SW_OK;
}

/* ---- what it sees ------------------------------------------------------------------ */

static Pb__Mount *
add_mount(struct making *m, Pb__ExecOp *exec, const char *dest, Pb__MountType type)
{
        Pb__Mount *pb = PB_NEW(m, Pb__Mount, PB__MOUNT__INIT);

        pb->input = -1;
        pb->dest = pb_text(dest);
        pb->mounttype = type;
        exec->mounts[exec->n_mounts++] = pb;
        return pb;
}

static sw_err *
add_tree(struct making *m, const struct mount *mount, struct inputs *in, Pb__ExecOp *exec)
{
        Pb__Mount *pb = add_mount(m, exec, mount->dest, PB__MOUNT_TYPE__BIND);
        sw_err *err = sw__llb_inputs_add(m, in, mount->source, &pb->input);

        if (err)
                return err;
        if (mount->tmpfs && pb->input >= 0)
                return sw_err_new(SW_E_INVALID, "mount at %s: a tmpfs has no source",
                                  sw__llb_shown(mount->dest).text);
        pb->selector = pb_text(mount->selector);
        pb->readonly = mount->readonly;
        pb->output = mount->output;
        pb->contentcache = (Pb__MountContentCache) mount->content_cache;
        if (mount->cache_id) {
                pb->mounttype = PB__MOUNT_TYPE__CACHE;
                pb->cacheopt = PB_NEW(m, Pb__CacheOpt, PB__CACHE_OPT__INIT);
                pb->cacheopt->id = mount->cache_id;
                pb->cacheopt->sharing = (Pb__CacheSharingOpt) mount->sharing;
        }
        if (mount->tmpfs) {
                pb->mounttype = PB__MOUNT_TYPE__TMPFS;
                pb->tmpfsopt = PB_NEW(m, Pb__TmpfsOpt, PB__TMPFS_OPT__INIT);
                pb->tmpfsopt->size = mount->tmpfs_size;
        }
        return SW_OK;
}

static void
add_secret(struct making *m, const struct secret *s, Pb__ExecOp *exec)
{
        if (s->env) {
                Pb__SecretEnv *env = PB_NEW(m, Pb__SecretEnv, PB__SECRET_ENV__INIT);

                env->id = s->id;
                env->name = s->env;
                env->optional = s->optional;
                exec->secretenv[exec->n_secretenv++] = env;
        }
        if (s->target) {
                Pb__SecretOpt *opt = PB_NEW(m, Pb__SecretOpt, PB__SECRET_OPT__INIT);

                opt->id = s->id;
                opt->uid = s->uid;
                opt->gid = s->gid;
                opt->mode = s->mode;
                opt->optional = s->optional;
                add_mount(m, exec, s->target, PB__MOUNT_TYPE__SECRET)->secretopt = opt;
        }
}

static void
add_ssh(struct making *m, const struct ssh *s, Pb__ExecOp *exec)
{
        Pb__SSHOpt *opt = PB_NEW(m, Pb__SSHOpt, PB__SSHOPT__INIT);

        opt->id = s->id;
        opt->uid = s->uid;
        opt->gid = s->gid;
        opt->mode = s->mode;
        opt->optional = s->optional;
        add_mount(m, exec, s->target, PB__MOUNT_TYPE__SSH)->sshopt = opt;
}

static void
add_devices(struct making *m, const struct exec *e, Pb__ExecOp *exec)
{
        exec->cdidevices = PB_ARRAY(m, Pb__CDIDevice *, e->devices.n);
        for (size_t i = 0; i < e->devices.n; i++) {
                Pb__CDIDevice *d = PB_NEW(m, Pb__CDIDevice, PB__CDIDEVICE__INIT);

                d->name = e->devices.v[i].name;
                d->optional = e->devices.v[i].optional;
                exec->cdidevices[exec->n_cdidevices++] = d;
        }
}

static sw_err *
set_mounts(struct making *m, const struct exec *e, struct inputs *in, Pb__ExecOp *exec)
{
        sw_err *err = SW_OK;

        exec->mounts = PB_ARRAY(m, Pb__Mount *, e->mounts.n + e->secrets.n + e->ssh.n);
        exec->secretenv = PB_ARRAY(m, Pb__SecretEnv *, e->secrets.n);
        for (size_t i = 0; !err && i < e->mounts.n; i++)
                err = add_tree(m, &e->mounts.v[i], in, exec);
        for (size_t i = 0; i < e->secrets.n; i++)
                add_secret(m, &e->secrets.v[i], exec);
        for (size_t i = 0; i < e->ssh.n; i++)
                add_ssh(m, &e->ssh.v[i], exec);
        add_devices(m, e, exec);
        return err;
}

/* ---- the op ------------------------------------------------------------------------ */

/* The one of the vertex, of its state, of the marshalling: the first that is given. */
static sw_err *
set_platform(struct making *m, const struct vertex *v, Pb__Op *op)
{
        const sw_platform *p = v->opts.platform;
        const sw_state *n = NULL;
        sw_err *err =
                p ? SW_OK : sw__llb_find_value(&m->r, v->exec->base, VALUE_PLATFORM, &n);

        if (err)
                return err;
        if (!p)
                p = n ? n->platform : m->platform;
        op->platform = sw__llb_pb_platform(m, p);
        return SW_OK;
}

sw_err *
sw__llb_make_exec(struct making *m, const struct vertex *v, Pb__Op *op, capset *caps)
{
        Pb__ExecOp *exec = PB_NEW(m, Pb__ExecOp, PB__EXEC_OP__INIT);
        struct inputs in;
        sw_err *err = set_meta(m, v->exec, exec, caps);

        if (!err)
                err = set_modes(m, v->exec, exec, caps);
        if (!err)
                err = set_platform(m, v, op);
        if (err)
                return err;
        sw__llb_inputs_init(&in);
        err = set_mounts(m, v->exec, &in, exec);
        op->inputs = PB_ARRAY(m, Pb__Input *, in.n);
        op->n_inputs = in.n;
        if (in.n)
                memcpy(op->inputs, in.v, in.n * sizeof(*in.v));
        sw__llb_inputs_release(&in);
        op->op_case = PB__OP__OP_EXEC;
        op->exec = exec;
        return err;
}
