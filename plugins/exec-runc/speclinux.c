/*
 * plugins/exec-runc/speclinux.c - config.json: what belongs to Linux: namespaces, cgroup,
 * limits, devices, paths of the kernel that are hidden or read-only.
 *
 * Thread: any.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <slipway/path.h>

#include "plugins/exec-runc/runc.h"

#define HOST_DEVICES_MAX   4096
#define HOST_DEVICES_DEPTH 4

static const char *const masked[] = {
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
};

static const char *const readonly[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static json_t *
list_json(const char *const *v, size_t n)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, json_string(v[i]));
        return list;
}

static void
add_namespace(json_t *list, const char *type)
{
        json_array_append_new(list, json_pack("{s:s}", "type", type));
}

static json_t *
namespaces_json(const struct runc_spec *s)
{
        json_t *list = json_array();

        if (!sw_options_bool(s->x->options, "no-process-sandbox"))
                add_namespace(list, "pid");
        add_namespace(list, "ipc");
        add_namespace(list, "uts");
        add_namespace(list, "mount");
        if (!s->host_network)
                add_namespace(list, "network");
        if (s->x->cgroups.v2)
                add_namespace(list, "cgroup");
        return list;
}

/* ---- devices ------------------------------------------------------------------------- */

static void
add_device(json_t *list, json_t *rules, const char *path, const struct stat *st,
           const char *access)
{
        const char *type = S_ISBLK(st->st_mode) ? "b" : "c";
        json_t *text = json_string(path);

        if (!text)
                return;
        json_array_append_new(list, json_pack("{s:o, s:s, s:I, s:I, s:i, s:I, s:I}", "path",
                                              text, "type", type, "major",
                                              (json_int_t) major(st->st_rdev), "minor",
                                              (json_int_t) minor(st->st_rdev), "fileMode",
                                              (int) (st->st_mode & 07777), "uid",
                                              (json_int_t) st->st_uid, "gid",
                                              (json_int_t) st->st_gid));
        if (access)
                json_array_append_new(rules,
                                      json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1,
                                                "type", type, "major",
                                                (json_int_t) major(st->st_rdev), "minor",
                                                (json_int_t) minor(st->st_rdev), "access",
                                                access));
}

/* Every device node below @dirfd, which is @path; those a runtime mounts or makes itself
 * are left to it. */
static void
add_host_devices(json_t *list, int dirfd, const char *path, int depth)
{
        static const char *const left[] = { "pts", "shm", "fd", "mqueue", "console" };
        DIR *d = fdopendir(dirfd);
        struct dirent *e;

        if (!d) {
                (void) close(dirfd);
                return;
        }
        while ((e = readdir(d)) && json_array_size(list) < HOST_DEVICES_MAX) {
                struct stat st;
                size_t k = 0;

                while (k < SW_COUNT(left) && strcmp(e->d_name, left[k]) != 0)
                        k++;
                if (e->d_name[0] == '.' || k < SW_COUNT(left) ||
                    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
                        continue;
                sw_auto(sw_str) name = sw_path_join(path, e->d_name);
                if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
                        add_device(list, NULL, name, &st, NULL);
                } else if (S_ISDIR(st.st_mode) && depth) {
                        int fd = openat(dirfd, e->d_name,
                                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        if (fd >= 0)
                                add_host_devices(list, fd, name, depth - 1);
                }
        }
        (void) closedir(d);
}

static sw_err *
devices_json(const struct runc_spec *s, json_t *list, json_t *rules)
{
        json_array_append_new(rules, json_pack("{s:b, s:s}", "allow", (int) s->c->insecure,
                                               "access", "rwm"));
        if (s->c->insecure) {
                int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd >= 0)
                        add_host_devices(list, fd, "/dev", HOST_DEVICES_DEPTH);
                return SW_OK;
        }
        for (size_t i = 0; i < s->c->n_devices; i++) {
                const struct sw_exec_device *d = &s->c->devices[i];
                struct stat st;

                if (stat(d->path, &st) != 0)
                        return sw_err_sys(SW_E_NOT_FOUND, errno, "device %s", d->path);
                if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                        return sw_err_new(SW_E_INVALID, "%s is no device", d->path);
                add_device(list, rules, d->path, &st, d->access ? d->access : "rwm");
        }
        return SW_OK;
}

/* ---- limits -------------------------------------------------------------------------- */

static void
set_number(json_t *o, const char *key, int64_t n)
{
        if (n != 0)
                json_object_set_new(o, key, json_integer(n));
}

static sw_err *
set_text(json_t *o, const char *key, const char *s)
{
        json_t *text;
        sw_err *err;

        if (!s || !*s)
                return SW_OK;
        err = runc_json_text(key, s, &text);
        if (!err)
                json_object_set_new(o, key, text);
        return err;
}

static sw_err *
limits_json(const struct sw_exec_resources *r, json_t *out)
{
        json_t *memory = json_object(), *cpu = json_object();

        json_object_set_new(out, "memory", memory);
        json_object_set_new(out, "cpu", cpu);
        set_number(memory, "limit", r->memory);
        set_number(memory, "swap", r->memory_swap);
        set_number(cpu, "shares", r->cpu_shares);
        set_number(cpu, "period", r->cpu_period);
        set_number(cpu, "quota", r->cpu_quota);
        sw_err *err = set_text(cpu, "cpus", r->cpuset_cpus);
        return err ? err : set_text(cpu, "mems", r->cpuset_mems);
}

static bool
has_limits(const struct sw_exec_resources *r)
{
        return r && (r->memory || r->memory_swap || r->cpu_shares || r->cpu_period ||
                     r->cpu_quota || (r->cpuset_cpus && *r->cpuset_cpus) ||
                     (r->cpuset_mems && *r->cpuset_mems));
}

static sw_err *
resources_json(const struct runc_spec *s, json_t *linux_part)
{
        json_t *resources = json_object(), *rules = json_array(), *devices = json_array();

        json_object_set_new(linux_part, "resources", resources);
        json_object_set_new(linux_part, "devices", devices);
        json_object_set_new(resources, "devices", rules);
        sw_err *err = devices_json(s, devices, rules);
        if (err || !has_limits(s->c->resources))
                return err;
        if (!s->cgroup->for_spec)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "the limits of this step need cgroups, which cannot be "
                                  "made here: /sys/fs/cgroup is missing or read-only");
        return limits_json(s->c->resources, resources);
}

sw_err *
runc_linux_json(const struct runc_spec *s, json_t **out)
{
        sw_autoptr(sw_json) o = json_object();
        bool guarded = !s->c->insecure;

        json_object_set_new(o, "namespaces", namespaces_json(s));
        sw_err *err = resources_json(s, o);
        if (!err && s->cgroup->for_spec)
                err = set_text(o, "cgroupsPath", s->cgroup->for_spec);
        if (err)
                return err;
        if (guarded) {
                json_object_set_new(o, "maskedPaths", list_json(masked, SW_COUNT(masked)));
                json_object_set_new(o, "readonlyPaths",
                                    list_json(readonly, SW_COUNT(readonly)));
        }
        if (guarded && s->x->profile)
                json_object_set_new(o, "seccomp", runc_raw_json(s, RUNC_PROFILE));
        *out = json_incref(o);
        return SW_OK;
}
