/*
 * cmd/slipway/doctor/confine.c - seccomp, and emulators for other machines' programs.
 * Thread: main.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <slipway/array.h>
#include <slipway/buf.h>

#include "cmd/slipway/doctor/doctor.h"

#define BINFMT "/proc/sys/fs/binfmt_misc"

static void
check_seccomp(doctor *d)
{
        uint32_t action = SECCOMP_RET_ERRNO;

        if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) {
                doctor_add(d, DOCTOR_OK, "seccomp", "system calls of steps are filtered");
                return;
        }
        doctor_add(d, DOCTOR_WARN, "seccomp", "%s: system calls of steps are not filtered",
                   strerror(errno));
        doctor_remedy(d, "boot a kernel with CONFIG_SECCOMP_FILTER");
}

/* Whether the entry is switched on and, by flag F, works inside containers too. */
static bool
is_usable(const char *name, bool *fixed)
{
        sw_auto(sw_str) path = sw_asprintf(BINFMT "/%s", name);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&b, AT_FDCWD, path, 4096);

        if (err) {
                sw_err_drop(err, "an entry that cannot be read is of no use");
                return false;
        }
        const char *flags = strstr(b.data, "flags:");
        *fixed = flags && memchr(flags + 6, 'F', strcspn(flags + 6, "\n"));
        return strncmp(b.data, "enabled", 7) == 0;
}

static void
list_emulators(sw_strlist *good, sw_strlist *not_fixed)
{
        DIR *dir = opendir(BINFMT);
        bool fixed;

        if (!dir)
                return;
        for (struct dirent *e = readdir(dir); e; e = readdir(dir))
                if (strncmp(e->d_name, "qemu-", 5) == 0 && is_usable(e->d_name, &fixed))
                        sw_strlist_add(fixed ? good : not_fixed, e->d_name + 5);
        (void) closedir(dir);
        sw_strlist_sort(good);
        sw_strlist_sort(not_fixed);
}

static void
check_emulators(doctor *d)
{
        sw_auto(sw_strlist) good = { 0 }, not_fixed = { 0 };

        list_emulators(&good, &not_fixed);
        sw_auto(sw_str) names = sw_strlist_join(&good, " ");
        sw_auto(sw_str) bad = sw_strlist_join(&not_fixed, " ");
        if (not_fixed.n > 0) {
                doctor_add(d, DOCTOR_WARN, "emulators",
                           "%s: registered without flag F, so not usable in containers",
                           bad);
                doctor_remedy_package(d, "qemu-user-static");
        } else if (good.n > 0) {
                doctor_add(d, DOCTOR_OK, "emulators", "%s", names);
        } else {
                doctor_add(d, DOCTOR_OK, "emulators",
                           "none: steps run for this machine's own platform only");
                doctor_remedy_package(d, "qemu-user-static binfmt-support");
        }
}

void
doctor_confine(doctor *d)
{
        check_seccomp(d);
        check_emulators(d);
}
