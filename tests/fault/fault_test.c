/*
 * tests/fault/fault_test.c - loading plugins and reading the configuration while the n-th
 * allocation, or the n-th system call, fails.
 *
 * For each kind of failure a child process does the whole work with n = 1, 2, … until a
 * run is through before the n-th call. Every run must end in one of three ways: with the
 * result of an undisturbed run, but for plugins that say why they are broken; with an
 * error that has a message; or, where memory is gone, with the line of mem.h on stderr and
 * abort(). Would catch: crashes, hangs, plugins or settings that are lost without a word,
 * half-made objects, leaks (in sanitized builds).
 *
 * FAULT_VERBOSE=1 prints how each run ended.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <slipway/config.h>
#include <slipway/host.h>
#include <slipway/text.h>

#include "tests/fault/inject.h"

enum { RUNS_MAX = 100000, FILES_MAX = 16, HANG_SECONDS = 60 };

/* What a child tells before it ends; shared memory. */
struct report {
        bool fired;
        bool failed;       /* the work ended with an error */
        char call[20];     /* that was made to fail */
        char message[300]; /* of the error */
        char wrong[1000];
        size_t n_files;
        struct {
                char file[200];
                enum sw_plugin_state state;
        } files[FILES_MAX];
};
static struct report *report, *undisturbed;

static char scratch[] = "/tmp/slipway-fault-XXXXXX";
static char plugin_dir[200], config_file[200];
static int err_fd; /* the children's stderr */

#define WRONG(...)                                                                         \
        do {                                                                               \
                if (!report->wrong[0])                                                     \
                        (void) snprintf(report->wrong, sizeof(report->wrong),              \
                                        __VA_ARGS__);                                      \
        } while (0)

/* The work is done: what was made to fail? */
static void
injected(void)
{
        report->fired = inject_disarm();
        (void) snprintf(report->call, sizeof(report->call), "%s", inject_call());
}

/* An error must say something. */
static void
take_error(sw_err *err)
{
        if (!err)
                return;
        report->failed = true;
        (void) snprintf(report->message, sizeof(report->message), "%s",
                        sw_err_message(err));
        if (!sw_err_message(err)[0] || sw_err_code(err) <= 0)
                WRONG("an error without code or message");
        sw_err_free(err);
}

static const char config_text[] = "root: /tmp/nowhere\n"
                                  "pluginDirs: [/tmp/nowhere/a, /tmp/nowhere/b]\n"
                                  "plugins:\n"
                                  "  exporter/options:\n"
                                  "    level: 5\n"
                                  "    names: [x, y]\n";

static void
work_config(void)
{
        sw_config *c = sw_config_new();
        sw_err *err = sw_config_load(c, config_file, true);

        if (!err) {
                static const char *const env[] = { "SLIPWAY_ROOT=/tmp/elsewhere", NULL };
                err = sw_config_load_env(c, env);
        }
        injected();
        if (!err) {
                const char *root = sw_config_str(c, "root");

                if (!root || strcmp(root, "/tmp/elsewhere") != 0)
                        WRONG("root is %s without an error", root ? root : "not set");
                if (sw_config_list(c, "pluginDirs")->n != 2)
                        WRONG("pluginDirs is lost without an error");
        } else {
                const char *root = sw_config_str(c, "root");

                if (root && strcmp(root, "/tmp/elsewhere") == 0)
                        WRONG("root was set in spite of an error");
        }
        take_error(err);
        sw_config_free(c);
}

/* Every file of an undisturbed run is there, in the same state or broken with a reason. */
static void
compare(const sw_host *h)
{
        for (size_t i = 0; i < undisturbed->n_files; i++) {
                const struct sw_plugin_info *p = NULL;

                for (size_t j = 0; j < sw_host_count(h); j++)
                        if (strcmp(sw_host_get(h, j)->file, undisturbed->files[i].file) ==
                            0)
                                p = sw_host_get(h, j);
                if (!p)
                        WRONG("%s is lost without an error", undisturbed->files[i].file);
                else if (p->state == SW_PLUGIN_BROKEN && !p->reason[0])
                        WRONG("%s is broken without a reason", p->file);
                else if (p->state != SW_PLUGIN_BROKEN &&
                         p->state != undisturbed->files[i].state)
                        WRONG("%s is %s", p->file, sw_plugin_state_name(p->state));
        }
}

static void
describe(const sw_host *h)
{
        report->n_files = sw_host_count(h);
        for (size_t i = 0; i < report->n_files && i < FILES_MAX; i++) {
                const struct sw_plugin_info *p = sw_host_get(h, i);

                (void) snprintf(report->files[i].file, sizeof(report->files[i].file), "%s",
                                p->file);
                report->files[i].state = p->state;
        }
}

static void
work_plugins(void)
{
        const struct sw_host_opts opts = { .path = plugin_dir, .no_default_dir = true };
        const struct sw_ops_hdr *ops = NULL;
        sw_host *h = NULL;
        sw_err *err = sw_host_new(&opts, &h);

        if (!err)
                err = sw_host_load(h);
        if (!err)
                err = sw_host_lookup(h, SW_KIND_EXPORTER, "needs-good", &ops, NULL);
        injected();
        if (!err && !ops)
                WRONG("a look-up succeeded without a result");
        if (!err)
                compare(h);
        if (!report->fired)
                describe(h);
        take_error(err);
        sw_host_free(h);
}

static void
work_require(void)
{
        const struct sw_host_opts opts = { .path = plugin_dir, .no_default_dir = true };
        const struct sw_ops_hdr *ops = NULL;
        sw_host *h = NULL;
        sw_err *err = sw_host_new(&opts, &h);

        if (!err)
                err = sw_host_require(h, SW_KIND_EXPORTER, "needs-good");
        if (!err)
                err = sw_host_lookup(h, SW_KIND_EXPORTER, "needs-good", &ops, NULL);
        injected();
        if (!err && !ops)
                WRONG("a look-up succeeded without a result");
        take_error(err);
        sw_host_free(h);
}

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
const char *__lsan_default_suppressions(void);

/* libltdl loses its table of a loader when lt_dlinit() runs out of memory half way. */
SW_API const char *
__lsan_default_suppressions(void)
{
        return "leak:libltdl\n";
}

static void
child(void (*work)(void), enum inject_mode mode, long n)
{
        const struct rlimit no_core = { 0, 0 };

        (void) setrlimit(RLIMIT_CORE, &no_core);
        (void) alarm(HANG_SECONDS);
        if (dup2(err_fd, STDERR_FILENO) < 0)
                _exit(99);
        inject_arm(mode, n);
        work();
        if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
                WRONG("memory leaks");
        _exit(report->wrong[0] ? 1 : 0);
}

/* What the children wrote to stderr since the last call. */
static const char *
stderr_text(char *out, size_t size)
{
        ssize_t n = pread(err_fd, out, size - 1, 0);

        out[n < 0 ? 0 : n] = '\0';
        (void) ftruncate(err_fd, 0);
        (void) lseek(err_fd, 0, SEEK_SET);
        return out;
}

struct tally {
        long runs, errors, aborts;
};

/* Judge how a child ended; false when it should not have ended so. */
static bool
judge(const char *what, enum inject_mode mode, long n, int status, struct tally *t)
{
        const bool memory = mode == INJECT_MEM_ONE || mode == INJECT_MEM_REST;
        static const char line[] = "slipway: out of memory";
        char text[4000];

        stderr_text(text, sizeof(text));
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && memory &&
            strncmp(text, line, strlen(line)) == 0) {
                t->aborts++;
                return true;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
                if (getenv("FAULT_VERBOSE"))
                        printf("# n = %ld: %s failed: %s\n", n, report->call,
                               report->failed ? report->message : "not harmed");
                t->errors += report->failed;
                return true;
        }
        printf("# %s, n = %ld, %s failed: %s %d: %s\n", what, n, report->call,
               WIFSIGNALED(status) ? "killed by signal" : "exit status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), report->wrong);
        for (char *rest = text, *l; (l = strsep(&rest, "\n")) != NULL;)
                printf("#   %s\n", l);
        return false;
}

/* All n until a run is through undisturbed; whether every one ended well. */
static bool
campaign(const char *what, void (*work)(void), enum inject_mode mode)
{
        struct tally t = { 0 };
        long bad = 0;

        for (long n = 1; n < RUNS_MAX && bad < 5; n++) {
                int status;
                pid_t pid;

                memset(report, 0, sizeof(*report));
                (void) fflush(stdout);
                pid = fork();
                if (pid == 0)
                        child(work, mode, n);
                if (pid < 0 || waitpid(pid, &status, 0) != pid) {
                        printf("# %s: cannot run a child\n", what);
                        return false;
                }
                t.runs++;
                bad += !judge(what, mode, n, status, &t);
                if (!report->fired && WIFEXITED(status))
                        break;
        }
        printf("# %s: %ld runs, %ld errors, %ld out of memory, the others not harmed\n",
               what, t.runs, t.errors, t.aborts);
        return bad == 0 && t.runs > 1 && t.runs < RUNS_MAX - 1;
}

/* One run from which nothing is made to fail, or only slowed down; it must succeed. */
static bool
succeeds(const char *what, void (*work)(void), enum inject_mode mode)
{
        struct tally t = { 0 };
        int status = -1;
        pid_t pid;

        memset(report, 0, sizeof(*report));
        (void) fflush(stdout);
        pid = fork();
        if (pid == 0)
                child(work, mode, 1);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                return false;
        return judge(what, mode, 1, status, &t) && !report->failed;
}

static void
put_fake(const char *name)
{
        const char *top = getenv("top_builddir");
        char cwd[4096];
        sw_auto(sw_str) from = sw_asprintf("%s/tests/fake-plugins/.libs/%s.so",
                                           top ? top : getcwd(cwd, sizeof(cwd)), name);
        sw_auto(sw_str) to = sw_asprintf("%s/%s.so", plugin_dir, name);

        if (access(from, R_OK) != 0 || symlink(from, to) != 0) {
                printf("Bail out! %s: %s\n", from, strerror(errno));
                exit(1);
        }
}

static void
write_file(const char *path, const char *text)
{
        FILE *f = fopen(path, "we");

        if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
                printf("Bail out! %s: %s\n", path, strerror(errno));
                exit(1);
        }
}

static void
set_up(void)
{
        static const char *const fakes[] = { "exporter_good", "exporter_needs_good",
                                             "exporter_options", "exporter_no_symbol" };
        sw_auto(sw_str) text = NULL;

        report = (struct report *) mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        undisturbed = (struct report *) calloc(1, sizeof(*undisturbed));
        err_fd = memfd_create("stderr", MFD_CLOEXEC);
        if (report == MAP_FAILED || !undisturbed || err_fd < 0 || !mkdtemp(scratch)) {
                printf("Bail out! cannot set up\n");
                exit(1);
        }
        (void) snprintf(plugin_dir, sizeof(plugin_dir), "%s/plugins", scratch);
        (void) snprintf(config_file, sizeof(config_file), "%s/config.yaml", scratch);
        (void) mkdir(plugin_dir, 0755);
        for (size_t i = 0; i < SW_COUNT(fakes); i++)
                put_fake(fakes[i]);
        text = sw_asprintf("%s/exporter_text.so", plugin_dir);
        write_file(text, "no module");
        write_file(config_file, config_text);
}

static void
tear_down(void)
{
        sw_auto(sw_str) command = sw_asprintf("rm -rf %s", scratch);

        if (system(command) != 0)
                printf("# %s is left behind\n", scratch);
}

struct scenario {
        const char *name;
        void (*work)(void);
};

int
main(void)
{
        static const struct scenario scenarios[] = {
                { "reading the configuration", work_config },
                { "loading all plugins", work_plugins },
                { "requiring one plugin", work_require },
        };
        static const struct {
                const char *name;
                enum inject_mode mode;
        } modes[] = {
                { "one allocation fails", INJECT_MEM_ONE },
                { "memory runs out", INJECT_MEM_REST },
                { "one system call fails", INJECT_SYS_ONE },
                { "system calls stop working", INJECT_SYS_REST },
        };
        int tests = 0, failed = 0;

        set_up();
        printf("1..%zu\n", SW_COUNT(scenarios) * (SW_COUNT(modes) + 3));
        for (size_t s = 0; s < SW_COUNT(scenarios); s++) {
                const struct scenario *sc = &scenarios[s];
                char what[100];
                bool fine = succeeds(sc->name, sc->work, INJECT_NONE);

                *undisturbed = *report;
                failed += !fine;
                printf("%s %d - %s, undisturbed\n", fine ? "ok" : "not ok", ++tests,
                       sc->name);
                for (size_t m = 0; m < SW_COUNT(modes); m++) {
                        (void) snprintf(what, sizeof(what), "%s, %s", sc->name,
                                        modes[m].name);
                        fine = campaign(what, sc->work, modes[m].mode);
                        failed += !fine;
                        printf("%s %d - %s\n", fine ? "ok" : "not ok", ++tests, what);
                }
                fine = succeeds(sc->name, sc->work, INJECT_READ_EINTR);
                failed += !fine;
                printf("%s %d - %s, interrupted\n", fine ? "ok" : "not ok", ++tests,
                       sc->name);
                fine = succeeds(sc->name, sc->work, INJECT_READ_SHORT);
                failed += !fine;
                printf("%s %d - %s, a byte at a time\n", fine ? "ok" : "not ok", ++tests,
                       sc->name);
        }
        tear_down();
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
