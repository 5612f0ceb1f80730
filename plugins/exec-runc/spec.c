/*
 * plugins/exec-runc/spec.c - config.json: the process, the root, the mounts. What belongs
 * to Linux alone (namespaces, limits, seccomp): speclinux.c.
 *
 * Thread: any.
 */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define OCI_VERSION "1.0.2"

/* crun takes the compiled filter instead of compiling "seccomp", which costs more than all
 * else it does. Others know nothing of it, and have "seccomp". */
#define FILTER_ANNOTATION "run.oci.seccomp_bpf_data"

sw_err *
runc_json_text(const char *what, const char *s, json_t **out)
{
        *out = json_string(s);
        if (!*out)
                return sw_err_new(SW_E_INVALID,
                                  "%s is not valid UTF-8, which OCI runtimes insist on",
                                  what);
        return SW_OK;
}

static sw_err *
set_text(json_t *o, const char *key, const char *s)
{
        json_t *text;
        sw_err *err = runc_json_text(key, s, &text);

        if (!err)
                json_object_set_new(o, key, text);
        return err;
}

static sw_err *
text_list(const char *what, const char *const *v, json_t **out)
{
        json_t *list = json_array();

        for (size_t i = 0; v && v[i]; i++) {
                json_t *text;
                sw_err *err = runc_json_text(what, v[i], &text);

                if (err) {
                        json_decref(list);
                        return err;
                }
                json_array_append_new(list, text);
        }
        *out = list;
        return SW_OK;
}

/* ---- the process --------------------------------------------------------------------- */

static json_t *
user_json(const struct runc_user *u)
{
        json_t *o = json_object(), *groups = json_array();

        json_object_set_new(o, "uid", json_integer(u->uid));
        json_object_set_new(o, "gid", json_integer(u->gid));
        for (size_t i = 0; i < u->groups.n; i++)
                json_array_append_new(groups, json_integer(u->groups.v[i]));
        json_object_set_new(o, "additionalGids", groups);
        return o;
}

/* No limit is the largest unsigned number. */
static json_t *
limit_value(const struct runc_spec *s, int64_t n)
{
        return n < 0 ? runc_raw_json(s, RUNC_UNLIMITED) : json_integer(n);
}

static sw_err *
rlimits_json(const struct runc_spec *s, json_t **out)
{
        const struct sw_exec_process *p = s->p;
        static const char *const known[] = { "as",     "core",   "cpu",        "data",
                                             "fsize",  "locks",  "memlock",    "msgqueue",
                                             "nice",   "nofile", "nproc",      "rss",
                                             "rtprio", "rttime", "sigpending", "stack" };
        json_t *list = json_array();

        for (size_t i = 0; i < p->n_rlimits; i++) {
                const struct sw_exec_rlimit *r = &p->rlimits[i];
                char name[32] = "RLIMIT_";
                size_t k = 0, n = strlen(name);

                while (k < SW_COUNT(known) && strcasecmp(known[k], r->name) != 0)
                        k++;
                if (k == SW_COUNT(known)) {
                        json_decref(list);
                        return sw_err_new(SW_E_INVALID, "ulimit %s is unknown", r->name);
                }
                for (const char *c = known[k]; *c; c++)
                        name[n++] = (char) (*c - 'a' + 'A');
                name[n] = 0;
                json_t *o = json_object();
                json_object_set_new(o, "type", json_string(name));
                json_object_set_new(o, "soft", limit_value(s, r->soft));
                json_object_set_new(o, "hard", limit_value(s, r->hard));
                json_array_append_new(list, o);
        }
        *out = list;
        return SW_OK;
}

static bool
has_variable(const char *const *env, const char *name)
{
        size_t n = strlen(name);

        for (; env && *env; env++)
                if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
                        return true;
        return false;
}

static sw_err *
env_json(const struct runc_spec *s, json_t **out)
{
        sw_err *err = text_list("an environment variable", s->p->env, out);

        if (!err && !has_variable(s->p->env, "HOME")) {
                sw_auto(sw_str) home = sw_asprintf("HOME=%s", s->user->home);
                json_t *text = json_string(home);

                json_array_append_new(*out, text ? text : json_string("HOME=/"));
        }
        if (!err && s->p->terminal && !has_variable(s->p->env, "TERM"))
                json_array_append_new(*out, json_string("TERM=xterm"));
        return err;
}

sw_err *
runc_process_json(const struct runc_spec *s, bool insecure, json_t **out)
{
        sw_autoptr(sw_json) o = json_object();
        const char *profile = sw_options_str(s->x->options, "apparmor-profile");
        uint64_t caps = insecure ? s->x->caps : s->x->caps & RUNC_DEFAULT_CAPS;
        json_t *list = NULL;

        if (!insecure && !s->x->cgroups.usable) /* no cgroup keeps it from devices */
                caps &= ~RUNC_CAP_MKNOD;
        json_object_set_new(o, "terminal", json_boolean(s->p->terminal));
        json_object_set_new(o, "user", user_json(s->user));
        sw_err *err = text_list("an argument", s->p->args, &list);
        if (!err) {
                json_object_set_new(o, "args", list);
                err = env_json(s, &list);
        }
        if (!err) {
                json_object_set_new(o, "env", list);
                err = set_text(o, "cwd", s->p->cwd);
        }
        if (!err)
                err = rlimits_json(s, &list);
        if (err)
                return err;
        json_object_set_new(o, "rlimits", list);
        json_object_set_new(o, "capabilities", runc_caps_json(caps));
        json_object_set_new(o, "noNewPrivileges", json_false());
        if (profile && *profile && !insecure)
                json_object_set_new(o, "apparmorProfile", json_string(profile));
        *out = json_incref(o);
        return SW_OK;
}

/* ---- mounts -------------------------------------------------------------------------- */

struct default_mount {
        const char *target, *type, *source, *options; /* options: separated by ',' */
};
static const struct default_mount defaults[] = {
        { "/proc", "proc", "proc", "nosuid,noexec,nodev" },
        { "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
        { "/dev/pts", "devpts", "devpts",
          "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
        { "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
        { "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
        { "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
        { "/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev,relatime" },
};

/* Files of the box that every container gets. */
static const struct default_mount files[] = {
        { "/etc/resolv.conf", "bind", "resolv.conf", "rbind,ro,nosuid,noexec,nodev" },
        { "/etc/hosts", "bind", "hosts", "rbind,ro,nosuid,noexec,nodev" },
};

static json_t *
options_json(const char *text)
{
        sw_auto(sw_strlist) words = { 0 };
        json_t *list = json_array();

        sw_strlist_split(&words, text, ',');
        for (size_t i = 0; i < words.n; i++)
                json_array_append_new(list, json_string(words.v[i]));
        return list;
}

static sw_err *
add_mount(json_t *list, const char *target, const char *type, const char *source,
          json_t *options)
{
        sw_autoptr(sw_json) o = json_object();

        json_object_set_new(o, "options", options);
        sw_err *err = set_text(o, "destination", target);
        if (!err)
                err = set_text(o, "type", type);
        if (!err)
                err = set_text(o, "source", source);
        if (!err)
                json_array_append(list, o);
        return err;
}

/* Whether the container brings a mount of its own for @target. */
static bool
is_replaced(const struct runc_spec *s, const char *target)
{
        for (size_t i = 0; i < s->c->n_mounts; i++)
                if (strcmp(s->c->mounts[i].target, target) == 0)
                        return true;
        return false;
}

/* Insecure containers may write what belongs to the kernel. */
static json_t *
default_options(const struct runc_spec *s, const struct default_mount *m)
{
        json_t *list = options_json(m->options);

        for (size_t i = json_array_size(list); s->c->insecure && i > 0; i--)
                if (strcmp(json_string_value(json_array_get(list, i - 1)), "ro") == 0)
                        json_array_set_new(list, i - 1, json_string("rw"));
        return list;
}

static bool
host_processes(const struct runc_spec *s)
{
        return sw_options_bool(s->x->options, "no-process-sandbox");
}

static sw_err *
add_defaults(const struct runc_spec *s, json_t *list)
{
        for (size_t i = 0; i < SW_COUNT(defaults); i++) {
                const struct default_mount *m = &defaults[i];
                bool bound = i == 0 && host_processes(s);
                sw_err *err;

                if (is_replaced(s, m->target))
                        continue;
                if (strcmp(m->type, "cgroup") == 0 && !s->x->cgroups.usable)
                        continue;
                err = bound ? add_mount(list, m->target, "bind", "/proc",
                                        options_json("rbind,nosuid,noexec,nodev"))
                            : add_mount(list, m->target, m->type, m->source,
                                        default_options(s, m));
                if (err)
                        return err;
        }
        for (size_t i = 0; i < SW_COUNT(files); i++) {
                sw_auto(sw_str) source = sw_path_join(s->box->path, files[i].source);

                if (is_replaced(s, files[i].target))
                        continue;
                sw_err *err = add_mount(list, files[i].target, "bind", source,
                                        options_json(files[i].options));
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
add_own(const struct runc_spec *s, size_t i, json_t *list)
{
        const struct sw_exec_mount *m = &s->c->mounts[i];
        json_t *o = m->type == SW_EXEC_BIND ? options_json("rbind,rprivate") : json_array();

        json_array_append_new(o, json_string(m->readonly ? "ro" : "rw"));
        if (m->nosuid)
                json_array_append_new(o, json_string("nosuid"));
        if (m->nodev)
                json_array_append_new(o, json_string("nodev"));
        if (m->noexec)
                json_array_append_new(o, json_string("noexec"));
        if (m->type == SW_EXEC_BIND)
                return add_mount(list, m->target, "bind", s->box->sources.v[i], o);
        json_array_append_new(o, json_string("mode=1777"));
        if (m->tmpfs_size > 0) {
                sw_auto(sw_str) size = sw_asprintf("size=%lld", (long long) m->tmpfs_size);
                json_array_append_new(o, json_string(size));
        }
        return add_mount(list, m->target, "tmpfs", "tmpfs", o);
}

static sw_err *
mounts_json(const struct runc_spec *s, json_t **out)
{
        sw_autoptr(sw_json) list = json_array();
        sw_err *err = add_defaults(s, list);

        for (size_t i = 0; !err && i < s->c->n_mounts; i++)
                err = add_own(s, i, list);
        if (!err)
                *out = json_incref(list);
        return err;
}

/* ---- stubs --------------------------------------------------------------------------- */

/* In which of the container's trees the target of mount @i lies: the last mount before it
 * whose target is above it, otherwise the root. @fd: -1 when nothing can be made there. */
static const char *
place_in(const struct runc_spec *s, size_t i, int *fd)
{
        const char *target = s->c->mounts[i].target, *rest = target;

        *fd = s->c->rootfd;
        for (size_t k = 0; k < i; k++) {
                const struct sw_exec_mount *m = &s->c->mounts[k];
                size_t n = strlen(m->target);

                if (strncmp(target, m->target, n) != 0 || target[n] != '/')
                        continue;
                *fd = m->type == SW_EXEC_BIND && !m->readonly ? m->fd : -1;
                rest = target + n;
        }
        for (size_t k = 0; k < SW_COUNT(defaults); k++)
                if (rest == target && sw_str_has_prefix(target, defaults[k].target) &&
                    target[strlen(defaults[k].target)] == '/')
                        *fd = -1;
        return rest;
}

/* Some runtimes give a tmpfs the mode of what it is mounted on. */
static mode_t
stub_mode(const struct sw_exec_mount *m)
{
        struct stat st;

        if (m->type != SW_EXEC_BIND)
                return S_IFDIR | 01777;
        return fstat(m->fd, &st) != 0 || S_ISDIR(st.st_mode) ? S_IFDIR | 0755
                                                             : S_IFREG | 0644;
}

sw_err *
runc_spec_stubs(const struct runc_spec *s, struct runc_stubs *stubs)
{
        static const char *const tops[] = { "/proc", "/dev", "/sys" };
        sw_err *err = SW_OK;

        for (size_t i = 0; !err && i < SW_COUNT(tops); i++)
                if (!is_replaced(s, tops[i]))
                        err = runc_stub_make(stubs, s->c->rootfd, tops[i], S_IFDIR | 0755);
        for (size_t i = 0; !err && i < SW_COUNT(files); i++)
                if (!is_replaced(s, files[i].target))
                        err = runc_stub_make(stubs, s->c->rootfd, files[i].target,
                                             S_IFREG | 0644);
        for (size_t i = 0; !err && i < s->c->n_mounts; i++) {
                int fd;
                const char *rest = place_in(s, i, &fd);

                if (fd >= 0)
                        err = runc_stub_make(stubs, fd, rest, stub_mode(&s->c->mounts[i]));
        }
        return err;
}

/* ---- all of it ----------------------------------------------------------------------- */

json_t *
runc_raw_json(const struct runc_spec *s, enum runc_raw raw)
{
        sw_auto(sw_str) word = sw_asprintf("%s%c", s->mark, (char) raw);

        return json_string(word);
}

static void
add_raw(const struct runc_spec *s, char raw, sw_buf *out)
{
        switch (raw) {
        case RUNC_UNLIMITED: sw_buf_adds(out, "18446744073709551615"); break;
        case RUNC_PROFILE: sw_buf_adds(out, s->x->profile); break;
        case RUNC_FILTER: sw_buf_addf(out, "\"%s\"", s->x->filter); break;
        }
}

sw_err *
runc_json_dump(const struct runc_spec *s, const json_t *o, sw_buf *out)
{
        sw_auto(sw_str) text = json_dumps(o, JSON_COMPACT);
        sw_auto(sw_str) word = sw_asprintf("\"%s", s->mark);
        const char *at = text, *found;

        if (!text)
                return sw_err_new(SW_E_INTERNAL, "the specification cannot be written");
        while ((found = strstr(at, word))) {
                sw_buf_add(out, at, (size_t) (found - at));
                found += strlen(word);
                add_raw(s, *found, out);
                at = found + strlen("u\"");
        }
        sw_buf_adds(out, at);
        return SW_OK;
}

sw_err *
runc_spec_json(const struct runc_spec *s, sw_buf *out)
{
        sw_autoptr(sw_json) o = json_object();
        json_t *part = NULL;

        json_object_set_new(o, "ociVersion", json_string(OCI_VERSION));
        sw_err *err = set_text(o, "hostname", s->hostname);
        if (!err)
                err = runc_process_json(s, s->c->insecure, &part);
        if (!err) {
                json_object_set_new(o, "process", part);
                json_object_set_new(o, "root",
                                    json_pack("{s:s, s:b}", "path", s->box->root,
                                              "readonly", s->c->readonly));
                err = mounts_json(s, &part);
        }
        if (!err) {
                json_object_set_new(o, "mounts", part);
                err = runc_linux_json(s, &part);
        }
        if (err)
                return err;
        json_object_set_new(o, "linux", part);
        if (s->x->filter && json_object_get(part, "seccomp"))
                json_object_set_new(o, "annotations",
                                    json_pack("{s:o}", FILTER_ANNOTATION,
                                              runc_raw_json(s, RUNC_FILTER)));
        return runc_json_dump(s, o, out);
}
