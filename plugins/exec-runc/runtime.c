/*
 * plugins/exec-runc/runtime.c - which OCI runtime is used, and what is known against it.
 *
 * A container must not be able to overwrite the runtime through /proc/PID/exe, so crun
 * makes a copy of itself that nobody can write to and runs that instead, each time anew. It
 * takes a sealed memfd for such a copy; so it is handed one that was made once.
 *
 * Thread: any; called with the plugin's lock held.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"

#define VERSION_MAX 4096
#define PROGRAM_MAX (64 << 20)

/* The file that @name means in $PATH, from malloc; NULL when there is none. */
static char *
in_path(const char *name)
{
        const char *path = getenv("PATH");
        sw_auto(sw_strlist) dirs = { 0 };

        sw_strlist_split(&dirs, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':');
        for (size_t i = 0; i < dirs.n; i++) {
                struct stat st;
                sw_auto(sw_str) file = sw_asprintf("%s/%s", dirs.v[i], name);

                if (dirs.v[i][0] == '/' && access(file, X_OK) == 0 &&
                    stat(file, &st) == 0 && S_ISREG(st.st_mode))
                        return sw_steal(file);
        }
        return NULL;
}

static void
set_runtime(struct runc_runtime *out, char *path)
{
        sw_auto(sw_str) base = sw_path_base(path);

        out->path = path;
        out->flavour = strstr(base, "crun") ? RUNC_IS_CRUN : RUNC_IS_OTHER;
}

sw_err *
runc_find_runtime(const char *wanted, struct runc_runtime *out)
{
        static const char *const usual[] = { "crun", "buildkit-runc", "runc" };

        if (wanted && *wanted) {
                char *path = strchr(wanted, '/') ? sw_strdup(wanted) : in_path(wanted);

                if (!path || access(path, X_OK) != 0) {
                        free(path);
                        return sw_err_sys(SW_E_NOT_FOUND, errno, "OCI runtime %s", wanted);
                }
                set_runtime(out, path);
                return SW_OK;
        }
        for (size_t i = 0; i < SW_COUNT(usual); i++) {
                char *path = in_path(usual[i]);

                if (path) {
                        set_runtime(out, path);
                        return SW_OK;
                }
        }
        return sw_err_new(SW_E_NOT_FOUND,
                          "no OCI runtime: neither crun nor runc is in PATH; install one "
                          "of these packages, or name another with the option binary");
}

/* ---- a copy that cannot be written to ------------------------------------------------ */

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

static int
new_program(void)
{
        int fd = memfd_create("crun", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

        if (fd < 0 && errno == EINVAL) /* before Linux 6.3 all can be executed */
                fd = memfd_create("crun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd;
}

static bool
copy_program(int from, int to)
{
        char magic[4];
        off_t size = lseek(from, 0, SEEK_END), at = 0;

        if (size > PROGRAM_MAX || pread(from, magic, sizeof(magic), 0) != sizeof(magic) ||
            memcmp(magic, "\177ELF", sizeof(magic)) != 0)
                return false;
        while (at < size)
                if (sendfile(to, from, &at, (size_t) (size - at)) <= 0)
                        return false;
        return fcntl(to, F_ADD_SEALS,
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
}

int
runc_program(const struct runc_runtime *r)
{
        sw_auto(sw_fd) from = -1;
        sw_auto(sw_fd) to = -1;

        if (r->flavour != RUNC_IS_CRUN)
                return -1;
        from = open(r->path, O_RDONLY | O_CLOEXEC);
        to = new_program();
        return from >= 0 && to >= 0 && copy_program(from, to) ? sw_fd_steal(&to) : -1;
}

/* ---- what is known ------------------------------------------------------------------- */

/* Releases in which containers are known to get out: before these numbers. */
struct fixed_in {
        const char *name;
        int series[2], release; /* in the series MAJOR.MINOR, fixed in .release */
};
static const struct fixed_in fixed[] = {
        { "runc", { 1, 1 }, 12 }, /* CVE-2024-21626 */
        { "runc", { 1, 2 }, 8 },  /* CVE-2025-31133, -52565, -52881 */
        { "runc", { 1, 3 }, 3 },
};

/* The first line says "NAME version MAJOR.MINOR.RELEASE…". Distributions repair without a
 * new number, and say so after it: "1.1.5+ds1". */
static bool
is_bad(const char *text)
{
        char name[32];
        int major, minor, release, end = 0;

        /* NOLINTNEXTLINE(cert-err34-c): four digits always fit */
        if (sscanf(text, "%31s version %4d.%4d.%4d%n", name, &major, &minor, &release,
                   &end) != 4 ||
            text[end] == '+')
                return false;
        for (size_t i = 0; i < SW_COUNT(fixed); i++)
                if (strcmp(name, fixed[i].name) == 0 && major == fixed[i].series[0] &&
                    minor == fixed[i].series[1] && release < fixed[i].release)
                        return true;
        return strcmp(name, "runc") == 0 && (major < 1 || (major == 1 && minor < 1));
}

/* What was seen of a binary is kept beside the state: asking it costs as much as a step. */
static bool
was_checked(int dirfd, const char *mark)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, dirfd, "../runtime-checked", 256);

        sw_err_drop(err, "not checked then");
        return strcmp(text.data, mark) == 0;
}

void
runc_warn_if_bad(struct runc_exec *x, sw_ctx *ctx)
{
        struct stat st;
        struct sw_exit exit;
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) out = SW_BUF_INIT;

        if (stat(x->runtime.path, &st) != 0)
                return;
        sw_auto(sw_str) mark =
                sw_asprintf("%llx %llx %lld\n", (unsigned long long) st.st_dev,
                            (unsigned long long) st.st_ino, (long long) st.st_ctime);
        if (was_checked(x->state_fd, mark))
                return;
        s.argv = (const char *const[]){ x->runtime.path, "--version", NULL };
        sw_err *err = sw_spawn_capture(&s, sw_ctx_cancel(ctx), VERSION_MAX, &out, NULL,
                                       NULL, &exit);
        if (err) {
                sw_err_drop(err, "it will fail again when it is to do something");
                return;
        }
        if (is_bad(out.data)) {
                out.data[strcspn(out.data, "\n")] = 0;
                sw_progress_warn(ctx,
                                 "%s (%s) has known holes through which a build step can "
                                 "get out of its container; see slipway doctor",
                                 x->runtime.path, out.data);
                return; /* and say so again */
        }
        sw_auto(sw_fd) dir = openat(x->state_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_err_drop(sw_path_write_file(dir, "runtime-checked", mark, strlen(mark), 0600),
                    "it is asked again then");
}
