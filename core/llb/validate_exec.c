/*
 * core/llb/validate_exec.c - the rules of exec: what it runs and what it mounts.
 *
 * Thread: any.
 */
#include <inttypes.h>
#include <string.h>

#include <slipway/path.h>

#include "core/llb/llb_priv.h"

static sw_err *
bad_enum(struct sw__llb_check *c, int value)
{
        return sw__llb_bad(c, "unknown value %d", value);
}

/* Whether @selector is the whole tree. */
static bool
selects_all(const char *selector)
{
        sw_auto(sw_str) path = sw_path_join("/", selector);

        return strcmp(path, "/") == 0;
}

/* A mount whose content may stand for its whole input in a cache key: nothing that the
 * command did to it, nor what the selector left out, can be seen later. */
static sw_err *
validate_content_cache(struct sw__llb_check *c, const Pb__Mount *m, size_t i)
{
        if (m->contentcache != PB__MOUNT_CONTENT_CACHE__ON || m->input == -1 ||
            (m->mounttype != PB__MOUNT_TYPE__BIND && m->mounttype != PB__MOUNT_TYPE__CACHE))
                return SW_OK;
        if (m->output == -1 || m->readonly || selects_all(m->selector))
                return SW_OK;
        return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].contentCache", i),
                           "invalid mount cache content: the mount is writable, has an "
                           "output and shows a part of its input only");
}

static sw_err *
validate_mount_options(struct sw__llb_check *c, const Pb__Mount *m, size_t i)
{
        switch (m->mounttype) {
        case PB__MOUNT_TYPE__BIND: return SW_OK;
        case PB__MOUNT_TYPE__SECRET:
                if (m->secretopt)
                        return SW_OK;
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].secretOpt", i),
                                   "invalid secret mount options");
        case PB__MOUNT_TYPE__SSH:
                if (m->sshopt)
                        return SW_OK;
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].SSHOpt", i),
                                   "invalid ssh mount options");
        case PB__MOUNT_TYPE__CACHE:
                if (!m->cacheopt)
                        return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].cacheOpt", i),
                                           "missing cache mount options");
                if ((unsigned) m->cacheopt->sharing > PB__CACHE_SHARING_OPT__LOCKED)
                        return bad_enum(sw__llb_at(c, "exec.mounts[%zu].cacheOpt.sharing",
                                                   i),
                                        (int) m->cacheopt->sharing);
                return SW_OK;
        case PB__MOUNT_TYPE__TMPFS:
                if (!m->tmpfsopt || m->tmpfsopt->size >= 0)
                        return SW_OK;
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].TmpfsOpt.size", i),
                                   "invalid tmpfs size %" PRId64, m->tmpfsopt->size);
        default:
                return bad_enum(sw__llb_at(c, "exec.mounts[%zu].mountType", i),
                                (int) m->mounttype);
        }
}

/* Whether @dest is the root by another name: nothing is mounted over that. */
static bool
covers_root(const char *cwd, const char *dest)
{
        sw_auto(sw_str) joined = sw_path_join(cwd[0] == '/' ? cwd : "/", dest);
        sw_auto(sw_str) path = sw_path_join("/", dest[0] == '/' ? dest : joined);

        return strcmp(dest, "/") != 0 && strcmp(path, "/") == 0;
}

static sw_err *
validate_mount(struct sw__llb_check *c, const char *cwd, const Pb__Mount *m, size_t i)
{
        bool root = strcmp(m->dest, "/") == 0;
        sw_err *err;

        if (!m->dest[0])
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].dest", i),
                                   "invalid mount with no destination");
        if (covers_root(cwd, m->dest))
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].dest", i),
                                   "invalid mount over the rootfs");
        if (root && m->mounttype != PB__MOUNT_TYPE__BIND)
                return sw__llb_bad(
                        sw__llb_at(c, "exec.mounts[%zu].mountType", i),
                        "invalid mount type %d of the rootfs, which must be bind",
                        (int) m->mounttype);
        if (m->resultid[0])
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].resultID", i),
                                   "invalid mount of a result: only gateway containers "
                                   "have these");
        if (m->output < -1)
                return sw__llb_bad(sw__llb_at(c, "exec.mounts[%zu].output", i),
                                   "invalid output index %" PRId64, m->output);
        if ((unsigned) m->contentcache > PB__MOUNT_CONTENT_CACHE__OFF)
                return bad_enum(sw__llb_at(c, "exec.mounts[%zu].contentCache", i),
                                (int) m->contentcache);
        if (!sw__llb_has_input(c, m->input, true))
                return sw__llb_no_input(sw__llb_at(c, "exec.mounts[%zu].input", i),
                                        m->input);
        err = validate_content_cache(c, m, i);
        if (!err)
                err = validate_mount_options(c, m, i);
        return err;
}

static sw_err *
validate_mounts(struct sw__llb_check *c, const Pb__ExecOp *exec, uint32_t *n_outputs)
{
        size_t n_root = 0;

        *n_outputs = 0;
        if (exec->n_mounts == 0)
                return sw__llb_bad(sw__llb_at(c, "exec.mounts"),
                                   "invalid exec op with no mounts");
        for (size_t i = 0; i < exec->n_mounts; i++) {
                sw_err *err = validate_mount(c, exec->meta->cwd, exec->mounts[i], i);

                if (err)
                        return err;
                n_root += strcmp(exec->mounts[i]->dest, "/") == 0;
                *n_outputs += sw__llb_mount_has_output(exec->mounts[i]);
        }
        sw__llb_at(c, "exec.mounts");
        if (n_root == 0)
                return sw__llb_bad(c, "invalid exec op with no rootfs");
        if (n_root > 1)
                return sw__llb_bad(c, "invalid exec op with %zu rootfs", n_root);
        return SW_OK;
}

/* Of a command's environment and devices: what could not be given to it. */
static sw_err *
validate_grants(struct sw__llb_check *c, const Pb__ExecOp *exec)
{
        for (size_t i = 0; i < exec->n_secretenv; i++) {
                const char *name = exec->secretenv[i]->name;

                if (!name[0] || strchr(name, '='))
                        return sw__llb_bad(sw__llb_at(c, "exec.secretenv[%zu].name", i),
                                           "invalid name of an environment variable");
        }
        for (size_t i = 0; i < exec->n_cdidevices; i++)
                if (!exec->cdidevices[i]->name[0])
                        return sw__llb_bad(sw__llb_at(c, "exec.cdiDevices[%zu].name", i),
                                           "invalid device with no name");
        return SW_OK;
}

sw_err *
sw__llb_validate_exec(struct sw__llb_check *c, const Pb__ExecOp *exec, uint32_t *n_outputs)
{
        sw_err *err;

        if (!exec->meta)
                return sw__llb_bad(sw__llb_at(c, "exec.meta"),
                                   "invalid exec op with no meta");
        if (exec->meta->n_args == 0)
                return sw__llb_bad(sw__llb_at(c, "exec.meta.args"),
                                   "invalid exec op with no args");
        if ((unsigned) exec->network > PB__NET_MODE__NONE)
                return bad_enum(sw__llb_at(c, "exec.network"), (int) exec->network);
        if ((unsigned) exec->security > PB__SECURITY_MODE__INSECURE)
                return bad_enum(sw__llb_at(c, "exec.security"), (int) exec->security);
        err = validate_mounts(c, exec, n_outputs);
        if (!err)
                err = validate_grants(c, exec);
        return err;
}
