/*
 * cmd/slipway/doctor/kernel.c - kernel version and the system calls slipway likes to have.
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <slipway/buf.h>

#include "cmd/slipway/doctor/doctor.h"
#include "cmd/slipway/doctor/version.h"

/* 5.11 is the first with overlayfs in user namespaces; before 4.18 nothing is tested. */
#define GOOD_MAJOR  5
#define GOOD_MINOR  11
#define LEAST_MAJOR 4
#define LEAST_MINOR 18

static bool
is_since(const struct doctor_version *v, int major, int minor)
{
        return v->major > major || (v->major == major && v->minor >= minor);
}

static void
check_version(doctor *d)
{
        struct utsname u;
        struct doctor_version v;

        if (uname(&u) != 0 || !doctor_version_parse(u.release, &v)) {
                doctor_add(d, DOCTOR_WARN, "kernel", "its version cannot be told");
                doctor_remedy(d, "look at the output of: uname -r");
                return;
        }
        bool good = is_since(&v, GOOD_MAJOR, GOOD_MINOR);
        bool works = is_since(&v, LEAST_MAJOR, LEAST_MINOR);
        doctor_add(d,
                   good    ? DOCTOR_OK
                   : works ? DOCTOR_WARN
                           : DOCTOR_MISSING,
                   "kernel", "Linux %s on %s", u.release, u.machine);
        if (!works)
                doctor_remedy(d, "boot a kernel of version %d.%d or later", GOOD_MAJOR,
                              GOOD_MINOR);
        else if (!good)
                doctor_remedy(d,
                              "boot a kernel of version %d.%d or later for overlay mounts "
                              "without root",
                              GOOD_MAJOR, GOOD_MINOR);
}

static void
check_openat2(doctor *d)
{
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

        if (fd >= 0) {
                (void) close((int) fd);
                doctor_add(d, DOCTOR_OK, "openat2", "paths are resolved by the kernel");
                return;
        }
        doctor_add(d, DOCTOR_WARN, "openat2",
                   "%s: paths are walked step by step, which is slower", strerror(errno));
        doctor_remedy(d, "boot a kernel of version 5.6 or later, or allow openat2 in the "
                         "seccomp profile of this container");
}

static void
check_mount_api(doctor *d)
{
        const char *tried = doctor_tried(d, "mount-api");

        if (tried && !*tried) {
                doctor_add(d, DOCTOR_OK, "mount-api",
                           "fsopen, fsmount and move_mount work");
                return;
        }
        doctor_add(
                d, DOCTOR_WARN, "mount-api",
                "fsopen and move_mount: %s: mount is used instead, which limits overlays "
                "to about 80 layers",
                tried ? tried : "could not be tried");
        doctor_remedy(d, "boot a kernel of version 5.2 or later, or allow fsopen in the "
                         "seccomp profile of this container");
}

/* Whether the running kernel lists @fs, or can load it as a module. */
static bool
has_file_system(const char *fs)
{
        sw_auto(sw_buf) list = SW_BUF_INIT, modules = SW_BUF_INIT;
        sw_auto(sw_str) word = sw_asprintf("\t%s\n", fs);
        sw_auto(sw_str) file = sw_asprintf("/%s.ko", fs);
        struct utsname u;

        sw_err *err = sw_buf_read_file(&list, AT_FDCWD, "/proc/filesystems", 64 * 1024);
        sw_err_drop(err, "then the modules decide");
        if (strstr(list.data, word))
                return true;
        if (uname(&u) != 0)
                return false;
        sw_auto(sw_str) dep = sw_asprintf("/lib/modules/%s/modules.dep", u.release);
        err = sw_buf_read_file(&modules, AT_FDCWD, dep, 16 * 1024 * 1024);
        sw_err_drop(err, "no modules, then");
        return strstr(modules.data, file) != NULL;
}

static void
check_erofs(doctor *d)
{
        if (has_file_system("erofs")) {
                doctor_add(d, DOCTOR_OK, "erofs", "layers can be mounted as EROFS images");
                return;
        }
        doctor_add(d, DOCTOR_WARN, "erofs", "this kernel has no EROFS; it is not needed");
        doctor_remedy(d, "boot a kernel with CONFIG_EROFS_FS");
}

void
doctor_kernel(doctor *d)
{
        check_version(d);
        check_openat2(d);
        check_mount_api(d);
        check_erofs(d);
}
