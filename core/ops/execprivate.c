/*
 * core/ops/execprivate.c - what only this command may see: secrets, and the sockets that
 * stand for the client's agents.
 *
 * They lie on a tmpfs of the command's own that is attached nowhere; the container gets
 * files of it, and it goes with the last descriptor. No value comes near a message, a layer
 * or a cache key.
 *
 * Thread: the one that runs the command; sw__exec_open_agent also its I/O thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <slipway/io.h>

#include "core/ops/exec.h"

static sw_err *
open_tmpfs(struct sw__exec_private *p)
{
        if (p->tree >= 0)
                return SW_OK;
        sw_auto(sw_fd) fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
        if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a tmpfs for secrets");
        /* not to be written to a disk, where the kernel can promise that (6.4) */
        (void) fsconfig(fs, FSCONFIG_SET_FLAG, "noswap", NULL, 0);
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a tmpfs for secrets");
        p->tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (p->tree < 0)
                return sw_err_sys(SW_E_IO, errno, "mount a tmpfs for secrets");
        return SW_OK;
}

/* ---- secrets ------------------------------------------------------------------------- */

struct asking {
        const char *id;
        sw_buf value;
        int fd;
};

static sw_err *
ask_secret(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct asking *a = arg;

        sw_buf_clear(&a->value);
        if (!job->session)
                return sw_err_new(SW_E_NOT_FOUND, "the client offers no secrets");
        return sw_session_secret(job->session, ctx, a->id, &a->value);
}

/* Ask the client of a job that wants the command, or of who entered what it left. */
static sw_err *
ask_client(struct sw__exec *x,
           sw_err *(*fn)(void *arg, sw_ctx *ctx, const struct sw_op_job *job), void *arg)
{
        if (x->shell)
                return fn(arg, x->ctx,
                          &(const struct sw_op_job){ .session = x->shell->session });
        return sw__op_with_job(x->call, fn, arg);
}

/* *found false: the client has none of that name, and that is allowed. */
static sw_err *
get_secret(struct sw__exec *x, const char *id, bool optional, sw_buf *value, bool *found)
{
        struct asking a = { .id = id, .value = SW_BUF_INIT };
        sw_err *err = ask_client(x, ask_secret, &a);

        *found = !err;
        if (err && optional && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "it is optional");
                err = SW_OK;
        }
        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "said in fewer words");
                err = sw_err_new(
                        SW_E_NOT_FOUND,
                        "secret %s: not found; give it with --secret id=%s,src=FILE", id,
                        id);
        }
        sw_buf_add(value, a.value.data, a.value.len);
        explicit_bzero(a.value.data, a.value.len);
        sw_buf_release(&a.value);
        return err;
}

static sw_err *
store_secret(struct sw__exec *x, const Pb__SecretOpt *o, const sw_buf *value, int *fd)
{
        char name[32];
        sw_err *err = open_tmpfs(&x->priv);

        if (err)
                return err;
        (void) snprintf(name, sizeof(name), "%u", x->priv.n++);
        sw_auto(sw_fd) f =
                openat(x->priv.tree, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (f < 0)
                return sw_err_sys(SW_E_IO, errno, "make a file for secret %s", o->id);
        int failed = sw_write_all(f, value->data, value->len);
        if (failed)
                return sw_err_sys(SW_E_IO, failed, "write secret %s", o->id);
        if (fchown(f, o->uid, o->gid) != 0 || fchmod(f, o->mode & 0777) != 0)
                return sw_err_sys(SW_E_IO, errno, "set owner and mode of secret %s", o->id);
        *fd = openat(x->priv.tree, name, O_PATH | O_CLOEXEC);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open secret %s", o->id) : SW_OK;
}

sw_err *
sw__exec_secret(struct sw__exec *x, const Pb__SecretOpt *o, int *fd)
{
        sw_auto(sw_buf) value = SW_BUF_INIT;
        bool found;
        sw_err *err = get_secret(x, o->id, o->optional, &value, &found);

        if (!err && found)
                err = store_secret(x, o, &value, fd);
        explicit_bzero(value.data, value.len);
        return err;
}

sw_err *
sw__exec_secret_env(struct sw__exec *x)
{
        for (size_t i = 0; i < x->pb->n_secretenv; i++) {
                const Pb__SecretEnv *e = x->pb->secretenv[i];
                sw_auto(sw_buf) value = SW_BUF_INIT;
                bool found;
                sw_err *err = get_secret(x, e->id, e->optional, &value, &found);

                if (!err && strlen(value.data) != value.len)
                        err = sw_err_new(SW_E_INVALID,
                                         "secret %s has a zero byte in it and cannot be an "
                                         "environment variable",
                                         e->id);
                if (!err && !found && x->shell)
                        sw_ctx_logf(x->ctx, SW_LOG_WARN,
                                    "$%s is not set: give it with --secret id=%s,src=FILE",
                                    e->name, e->id);
                else if (!err)
                        sw_strlist_take(&x->env_list,
                                        sw_asprintf("%s=%s", e->name, value.data));
                explicit_bzero(value.data, value.len);
                if (err)
                        return err;
        }
        return SW_OK;
}

/* ---- agents -------------------------------------------------------------------------- */

/* Who gives no id means the one that clients offer as this. */
static const char *
agent_id(const Pb__SSHOpt *o)
{
        return *o->id ? o->id : "default";
}

static sw_err *
ask_agent(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct asking *a = arg;

        if (!job->session)
                return sw_err_new(SW_E_NOT_FOUND, "the client offers no agents");
        return sw_session_agent(job->session, ctx, a->id, &a->fd);
}

sw_err *
sw__exec_open_agent(struct sw__exec *x, const char *id, int *fd)
{
        struct asking a = { .id = id, .value = SW_BUF_INIT, .fd = -1 };
        sw_err *err = ask_client(x, ask_agent, &a);

        *fd = a.fd;
        return err;
}

/* bind(2) takes a path; the directory's descriptor makes one that works where it is not
 * attached, too. */
static sw_err *
listen_at(struct sw__exec *x, const Pb__SSHOpt *o, const char *name, sw_fd *out)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        sw_auto(sw_fd) s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void) snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/%s",
                        x->priv.tree, name);
        if (s < 0 || bind(s, (struct sockaddr *) &to, sizeof(to)) != 0 ||
            fchownat(x->priv.tree, name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW) != 0 ||
            fchmodat(x->priv.tree, name, o->mode & 0777, 0) != 0 || listen(s, 16) != 0)
                return sw_err_sys(SW_E_IO, errno, "make a socket for ssh agent %s", o->id);
        *out = sw_fd_steal(&s);
        return SW_OK;
}

static sw_err *
check_agent(struct sw__exec *x, const Pb__SSHOpt *o, bool *found)
{
        sw_fd fd = -1;
        sw_err *err = sw__exec_open_agent(x, agent_id(o), &fd);

        sw_fd_clear(&fd);
        *found = !err;
        if (!err || sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "said in the reference's words");
        if (o->optional)
                return SW_OK;
        return sw_err_new(
                SW_E_NOT_FOUND,
                "no SSH key \"%s\" forwarded from the client; give it with --ssh %s",
                agent_id(o), agent_id(o));
}

sw_err *
sw__exec_agent(struct sw__exec *x, const Pb__SSHOpt *o, int *fd)
{
        struct sw__exec_agent a = { .listener = -1, .id = agent_id(o) };
        char name[32];
        bool found;
        sw_err *err = check_agent(x, o, &found);

        if (err || !found)
                return err;
        err = open_tmpfs(&x->priv);
        (void) snprintf(name, sizeof(name), "%u", x->priv.n++);
        if (!err)
                err = listen_at(x, o, name, &a.listener);
        if (err)
                return err;
        sw_array_push(&x->priv.agents, a);
        *fd = openat(x->priv.tree, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "open the socket of ssh agent %s",
                                    o->id)
                       : SW_OK;
}

void
sw__exec_private_release(struct sw__exec *x)
{
        for (size_t i = 0; i < x->priv.agents.n; i++)
                sw_fd_clear(&x->priv.agents.v[i].listener);
        sw_array_release(&x->priv.agents);
        sw_fd_clear(&x->priv.tree);
}
