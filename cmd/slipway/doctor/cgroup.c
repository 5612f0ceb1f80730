/*
 * cmd/slipway/doctor/cgroup.c - control groups: version, controllers, whether we may make
 * groups. Thread: main.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <slipway/array.h>
#include <slipway/buf.h>

#include "cmd/slipway/doctor/doctor.h"

#define V2_ONLY   "/sys/fs/cgroup"
#define V2_HYBRID "/sys/fs/cgroup/unified"
#define REMEDY_V2 "boot with systemd.unified_cgroup_hierarchy=1 on the kernel command line"

static bool
is_cgroup2(const char *path)
{
        struct statfs fs;

        return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Controllers of version 1 in use: the middle fields of /proc/self/cgroup. */
static void
v1_controllers(sw_strlist *out)
{
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_auto(sw_strlist) lines = { 0 };
        sw_err *err = sw_buf_read_file(&file, AT_FDCWD, "/proc/self/cgroup", 64 * 1024);

        sw_err_drop(err, "then there are none");
        sw_strlist_split(&lines, file.data, '\n');
        for (size_t i = 0; i < lines.n; i++) {
                const char *first = strchr(lines.v[i], ':');
                const char *last = first ? strchr(first + 1, ':') : NULL;
                if (!last || last == first + 1 || strncmp(first + 1, "name=", 5) == 0)
                        continue;
                sw_auto(sw_str) names = sw_strndup(first + 1, (size_t) (last - first - 1));
                sw_strlist_split(out, names, ',');
        }
}

/* Limits of steps need these three. */
static void
check_controllers(doctor *d, const sw_strlist *have, const char *version)
{
        static const char *const wanted[] = { "cpu", "memory", "pids" };
        sw_auto(sw_strlist) lacking = { 0 };

        for (size_t i = 0; i < SW_COUNT(wanted); i++)
                if (!sw_strlist_has(have, wanted[i]))
                        sw_strlist_add(&lacking, wanted[i]);
        sw_auto(sw_str) list = sw_strlist_join(have, " ");
        if (lacking.n == 0) {
                doctor_add(d, DOCTOR_OK, "cgroups", "%s: %s", version, list);
                return;
        }
        sw_auto(sw_str) names = sw_strlist_join(&lacking, " ");
        doctor_add(d, DOCTOR_WARN, "cgroups", "%s without %s: steps cannot be limited",
                   version, names);
        if (d->uid == 0)
                doctor_remedy(d, REMEDY_V2);
        else
                doctor_remedy(d,
                              "systemctl edit user@%u.service, and add: [Service] "
                              "Delegate=cpu cpuset io memory pids",
                              (unsigned) d->uid);
}

/* The directory of the group this process is in, below the v2 mount. */
static char *
own_group(void)
{
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_auto(sw_strlist) lines = { 0 };
        sw_err *err = sw_buf_read_file(&file, AT_FDCWD, "/proc/self/cgroup", 64 * 1024);

        sw_err_drop(err, "then the top is looked at");
        sw_strlist_split(&lines, file.data, '\n');
        for (size_t i = 0; i < lines.n; i++)
                if (strncmp(lines.v[i], "0::/", 4) == 0)
                        return sw_asprintf("%s%s", V2_ONLY, lines.v[i] + 3);
        return sw_strdup(V2_ONLY);
}

static void
check_v2(doctor *d)
{
        sw_auto(sw_str) group = own_group();
        sw_auto(sw_str) path =
                sw_asprintf("%s/cgroup.controllers", d->uid == 0 ? V2_ONLY : group);
        sw_auto(sw_str) line = doctor_read_line(path);
        sw_auto(sw_strlist) have = { 0 };

        if (line)
                sw_strlist_split(&have, line, ' ');
        check_controllers(d, &have, "version 2");
}

void
doctor_cgroups(doctor *d)
{
        sw_auto(sw_strlist) have = { 0 };

        if (is_cgroup2(V2_ONLY)) {
                check_v2(d);
                return;
        }
        v1_controllers(&have);
        if (have.n == 0) {
                doctor_add(d, DOCTOR_WARN, "cgroups",
                           "none mounted at /sys/fs/cgroup: steps cannot be limited");
                doctor_remedy(d, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
                return;
        }
        check_controllers(d, &have,
                          is_cgroup2(V2_HYBRID) ? "version 1 (hybrid)" : "version 1");
}
