/*
 * cmd/slipway/doctor/userns.c - user namespaces: needed without root, useful with it.
 * Thread: main.
 */
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slipway/buf.h>

#include "cmd/slipway/doctor/doctor.h"

/* Settings that switch user namespaces off. */
static const struct {
        const char *path, *bad, *remedy;
} switches[] = {
        { "/proc/sys/user/max_user_namespaces", "0",
          "sysctl -w user.max_user_namespaces=15000" },
        { "/proc/sys/kernel/unprivileged_userns_clone", "0",
          "sysctl -w kernel.unprivileged_userns_clone=1" },
        { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
          "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor "
          "profile "
          "for slipway with the rule \"userns\"" },
};

/* The first switch that is off, or NULL. Only the first matters to root. */
static const char *
blocked_by(const doctor *d, const char **remedy)
{
        size_t n = d->uid == 0 ? 1 : SW_COUNT(switches);

        for (size_t i = 0; i < n; i++) {
                sw_auto(sw_str) value = doctor_read_line(switches[i].path);
                if (value && strcmp(value, switches[i].bad) == 0) {
                        *remedy = switches[i].remedy;
                        return switches[i].path;
                }
        }
        return NULL;
}

static void
check_namespaces(doctor *d)
{
        const char *remedy = NULL, *path = blocked_by(d, &remedy);
        enum doctor_status bad = d->uid == 0 ? DOCTOR_WARN : DOCTOR_MISSING;

        if (access("/proc/self/ns/user", F_OK) != 0) {
                doctor_add(d, bad, "user-namespaces", "this kernel has none");
                doctor_remedy(d, "boot a kernel with CONFIG_USER_NS");
        } else if (path) {
                sw_auto(sw_str) value = doctor_read_line(path);
                doctor_add(d, bad, "user-namespaces", "switched off: %s is %s", path,
                           value ? value : "unreadable");
                doctor_remedy(d, "%s", remedy);
        } else {
                sw_auto(sw_str) most = doctor_read_line(switches[0].path);
                doctor_add(d, DOCTOR_OK, "user-namespaces", "at most %s",
                           most ? most : "unknown");
        }
}

/* Whether @path has a line "USER:" or "UID:". */
static bool
has_range(const char *path, const char *user, uid_t uid)
{
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_auto(sw_strlist) lines = { 0 };
        sw_auto(sw_str) by_name = sw_asprintf("%s:", user);
        sw_auto(sw_str) by_id = sw_asprintf("%u:", (unsigned) uid);
        sw_err *err = sw_buf_read_file(&file, AT_FDCWD, path, 1024 * 1024);

        sw_err_drop(err, "a file that cannot be read gives no ranges");
        sw_strlist_split(&lines, file.data, '\n');
        for (size_t i = 0; i < lines.n; i++)
                if (strncmp(lines.v[i], by_name, strlen(by_name)) == 0 ||
                    strncmp(lines.v[i], by_id, strlen(by_id)) == 0)
                        return true;
        return false;
}

/* Images have files of many owners; one user may own them all only through these. */
static void
check_ranges(doctor *d)
{
        struct passwd *pw = getpwuid(d->uid);
        sw_auto(sw_str) user =
                pw ? sw_strdup(pw->pw_name) : sw_asprintf("%u", (unsigned) d->uid);

        if (has_range("/etc/subuid", user, d->uid) &&
            has_range("/etc/subgid", user, d->uid)) {
                doctor_add(d, DOCTOR_OK, "subordinate-ids", "%s has ranges of ids", user);
                return;
        }
        doctor_add(d, DOCTOR_WARN, "subordinate-ids",
                   "%s has no range in /etc/subuid and /etc/subgid: steps can only use one "
                   "user",
                   user);
        doctor_remedy(d,
                      "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
                      user);
}

void
doctor_userns(doctor *d)
{
        check_namespaces(d);
        if (d->uid != 0)
                check_ranges(d);
}
