/*
 * cmd/slipway/doctor/doctor.c - the table of checks, and what they share; see doctor.h.
 * Thread: main; beside it, while a program runs, one that stops it when it takes too long.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/cancel.h>
#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/spawn.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/doctor/doctor.h"
#include "cmd/slipway/doctor/trial.h"

/* Mounts wait for disks and networks. */
enum { TRIAL_SECONDS = 60 };

static const struct doctor_check checks[] = {
        { "kernel version and system calls", doctor_kernel },
        { "overlay file system", doctor_overlay },
        { "user namespaces", doctor_userns },
        { "control groups", doctor_cgroups },
        { "seccomp and emulators", doctor_confine },
        { "OCI runtimes", doctor_runtimes },
        { "other programs", doctor_programs },
        { "storage", doctor_storage },
        { "limits of the process", doctor_limits },
};

/* ---- findings ---- */

void
doctor_add(doctor *d, enum doctor_status status, const char *name, const char *fmt, ...)
{
        struct doctor_finding f = { .status = status, .name = name };
        sw_buf b = SW_BUF_INIT;
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(&b, fmt, ap);
        va_end(ap);
        f.detail = sw_buf_detach(&b);
        sw_array_push(&d->findings, f);
}

void
doctor_remedy(doctor *d, const char *fmt, ...)
{
        struct doctor_finding *last = &d->findings.v[d->findings.n - 1];
        sw_buf b = SW_BUF_INIT;
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(&b, fmt, ap);
        va_end(ap);
        free(last->remedy);
        last->remedy = sw_buf_detach(&b);
}

/* What a distribution calls it. */
static const struct manager {
        const char *distro, *install, *upgrade;
} managers[] = {
        { "debian", "apt-get install", "apt-get install --only-upgrade" },
        { "ubuntu", "apt-get install", "apt-get install --only-upgrade" },
        { "fedora", "dnf install", "dnf upgrade" },
        { "rhel", "dnf install", "dnf upgrade" },
        { "suse", "zypper install", "zypper update" },
        { "arch", "pacman -S", "pacman -S" },
        { "alpine", "apk add", "apk add --upgrade" },
};

static const struct manager *
find_manager(const doctor *d)
{
        for (size_t i = 0; i < SW_COUNT(managers); i++)
                if (strstr(d->distro, managers[i].distro))
                        return &managers[i];
        return NULL;
}

void
doctor_remedy_package(doctor *d, const char *package)
{
        const struct manager *m = find_manager(d);

        doctor_remedy(d, "%s %s", m ? m->install : "install the package", package);
}

void
doctor_remedy_upgrade(doctor *d, const char *package)
{
        const struct manager *m = find_manager(d);

        doctor_remedy(d, "%s %s", m ? m->upgrade : "upgrade the package", package);
}

const char *
doctor_tried(const doctor *d, const char *name)
{
        const char *result = NULL;

        if (!d->trial)
                return NULL;
        sw_err *err = sw_json_str(d->trial, name, &result);
        if (err) {
                sw_err_drop(err, "a trial that cannot be read is one not made");
                return NULL;
        }
        return result;
}

/* ---- looking at the machine ---- */

char *
doctor_read_line(const char *path)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&b, AT_FDCWD, path, 64 * 1024);

        if (err) {
                sw_err_drop(err, "the caller takes it as absent");
                return NULL;
        }
        b.data[strcspn(b.data, "\n")] = '\0';
        size_t len = strlen(b.data);
        while (len > 0 && b.data[len - 1] == ' ')
                len--;
        return sw_strndup(b.data, len);
}

/* Who stops a program that does not end. */
struct patience {
        sw_cancel *stop, *ended;
        int64_t ns;
};

static void *
lose_patience(void *arg)
{
        const struct patience *p = arg;

        if (!sw_cancel_wait(p->ended, p->ns))
                sw_cancel_now(p->stop, "takes too long");
        return NULL;
}

/* sw_spawn_capture() with an end. */
static sw_err *
capture_in_time(const struct sw_spawn *s, size_t limit, int seconds, sw_buf *out,
                struct sw_exit *exit)
{
        sw_autoptr(sw_cancel) stop = sw_cancel_new(NULL);
        sw_autoptr(sw_cancel) ended = sw_cancel_new(NULL);
        struct patience p = { stop, ended, seconds * SW_NS_PER_SEC };
        bool truncated = false;
        pthread_t watch;

        if (pthread_create(&watch, NULL, lose_patience, &p) != 0)
                return sw_err_new(SW_E_LIMIT, "no thread can be started");
        sw_err *err = sw_spawn_capture(s, stop, limit, out, NULL, &truncated, exit);
        sw_cancel_now(ended, NULL);
        (void) pthread_join(watch, NULL);
        return err;
}

char *
doctor_capture(const char *const *argv, size_t limit, int seconds, const char **why)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        struct sw_exit exit = { 0 };
        sw_buf out = SW_BUF_INIT;

        s.argv = argv;
        s.flags = SW_SPAWN_SEARCH_PATH;
        sw_err *err = capture_in_time(&s, limit, seconds, &out, &exit);
        if (!err && !exit.signalled && exit.value == 0)
                return sw_buf_detach(&out);
        if (why)
                *why = sw_err_code(err) == SW_E_NOT_FOUND   ? "not found"
                       : sw_err_code(err) == SW_E_CANCELLED ? "does not end"
                                                            : "fails";
        sw_err_drop(err, "the caller takes it as absent");
        sw_buf_release(&out);
        return NULL;
}

/* "debian", "ubuntu debian": the words of ID= and ID_LIKE=. */
static char *
read_distro(void)
{
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_auto(sw_strlist) lines = { 0 };
        sw_buf words = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&file, AT_FDCWD, "/etc/os-release", 64 * 1024);

        if (err)
                sw_err_drop(err, "remedies are then told in general words");
        sw_strlist_split(&lines, file.data, '\n');
        for (size_t i = 0; i < lines.n; i++) {
                const char *s = lines.v[i];
                if (sw_str_has_prefix(s, "ID=") || sw_str_has_prefix(s, "ID_LIKE="))
                        sw_buf_addf(&words, "%s ", strchr(s, '=') + 1);
        }
        return sw_buf_detach(&words);
}

/* The nearest directory at or above @path that is there. */
static char *
nearest_directory(const char *path)
{
        sw_auto(sw_str) p = sw_path_clean(path);
        struct stat st;

        while (stat(p, &st) != 0 || !S_ISDIR(st.st_mode)) {
                char *slash = strrchr(p, '/');
                if (!slash)
                        return sw_strdup(".");
                if (slash == p)
                        return sw_strdup("/");
                *slash = '\0';
        }
        return sw_steal(p);
}

/* ---- trials ---- */

/* Run the trials in @dir, which is empty, and keep what they say. */
static void
run_trials(doctor *d, const char *dir)
{
        const char *argv[] = { "/proc/self/exe", "doctor-try", dir, NULL };
        const char *why = NULL;
        sw_auto(sw_str) text = doctor_capture(argv, 64 * 1024, TRIAL_SECONDS, &why);
        sw_err *err = SW_OK;

        if (text)
                err = sw_json_parse("trial", text, strlen(text), &d->trial);
        if (err)
                d->trial_error = sw_strdup(sw_err_message(err));
        else if (!text)
                d->trial_error = sw_asprintf("the program that tries mounts %s", why);
        sw_err_drop(err, "kept as text");
}

/* A directory of our own in @d->near; or else in /tmp, for the trials only. */
static char *
make_directory(doctor *d)
{
        sw_auto(sw_str) first = sw_asprintf("%s/.slipway-doctor-XXXXXX", d->near);

        d->writable = mkdtemp(first) != NULL;
        if (d->writable)
                return sw_steal(first);
        sw_auto(sw_str) second = sw_strdup("/tmp/.slipway-doctor-XXXXXX");
        return mkdtemp(second) ? sw_steal(second) : NULL;
}

/* Make a directory, try mounts in it, remove it. Signals that end the program wait until
 * it is removed. */
static sw_err *
try_mounts(doctor *d)
{
        sigset_t ending, before;
        sw_err *err = SW_OK;

        sigemptyset(&ending);
        sigaddset(&ending, SIGINT);
        sigaddset(&ending, SIGTERM);
        sigaddset(&ending, SIGHUP);
        (void) pthread_sigmask(SIG_BLOCK, &ending, &before);
        sw_auto(sw_str) dir = make_directory(d);
        if (dir) {
                run_trials(d, dir);
                sw_auto(sw_fd) rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                err = sw_path_remove(rootfd, dir);
        } else {
                d->trial_error =
                        sw_asprintf("no directory can be made in %s nor in /tmp", d->near);
        }
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return sw_err_wrap(err, "clean up what doctor tried");
}

sw_err *
doctor_run(doctor *d, const char *root)
{
        *d = (doctor){ .root = root, .uid = geteuid() };
        d->distro = read_distro();
        d->near = nearest_directory(root);
        sw_err *err = try_mounts(d);
        for (size_t i = 0; i < SW_COUNT(checks); i++)
                checks[i].run(d);
        return err;
}

void
doctor_release(doctor *d)
{
        for (size_t i = 0; i < d->findings.n; i++) {
                free(d->findings.v[i].detail);
                free(d->findings.v[i].remedy);
        }
        sw_array_release(&d->findings);
        free(d->distro);
        free(d->near);
        free(d->trial_error);
        if (d->trial)
                json_decref(d->trial);
}
