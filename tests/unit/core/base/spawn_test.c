/*
 * tests/unit/core/base/spawn_test.c - children: what they get, how they end, what is left.
 *
 * With SPAWN_TEST in the environment this program is a child: it prints what it was given;
 * with SPAWN_LEAVE it moves to the process group of its parent and stays.
 */
#include "tests/unit/tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/spawn.h>
#include <slipway/time.h>

#include "core/base/spawn.h"

/* As a child: descriptors, signals, group, parent signal; one line each. */
__attribute__((constructor)) static void
child_mode(void)
{
        sigset_t mask;
        struct sigaction sa;
        struct stat st;
        int pdeath = 0;

        if (!getenv("SPAWN_TEST"))
                return;
        printf("fds");
        for (int fd = 0; fd < 200; fd++)
                if (fstat(fd, &st) == 0)
                        printf(" %d", fd);
        printf("\nsignals");
        sigprocmask(SIG_SETMASK, NULL, &mask);
        for (int sig = 1; sig < 65; sig++) {
                if (sigismember(&mask, sig) == 1)
                        printf(" blocked:%d", sig);
                if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
                        printf(" ignored:%d", sig);
        }
        prctl(PR_GET_PDEATHSIG, &pdeath);
        printf("\ngroup %d session %d pdeath %d\n", getpgrp() == getpid(),
               getsid(0) == getpid(), pdeath);
        fflush(stdout);
        _exit(0);
}

__attribute__((constructor)) static void
leave_mode(void)
{
        if (!getenv("SPAWN_LEAVE"))
                return;
        if (setpgid(0, getpgid(getppid())) != 0)
                _exit(1);
        (void) !write(1, "", 1);
        for (;;)
                pause();
}

/* Every thread of this program has this much: threads of ours with stacks too small for
 * it cannot be made, and no child can be started then. */
static _Thread_local volatile char large[512 * 1024];

/* sh -c @script, with @s as far as it is set. */
#define SH(script)                                                                         \
        (const char *const[])                                                              \
        {                                                                                  \
                "/bin/sh", "-c", script, NULL                                              \
        }

/* Run to the end; what it printed. */
static char *
output_of(struct sw_spawn *s)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_exit e;

        ok(sw_spawn_capture(s, NULL, 1 << 20, &out, NULL, NULL, &e));
        ck_assert(!e.signalled && e.value == 0);
        return sw_buf_detach(&out);
}

/* This program as a child; what it saw. */
static char *
seen_by_child(struct sw_spawn *s)
{
        static const char *const argv[] = { "/proc/self/exe", NULL };

        setenv("SPAWN_TEST", "1", 1);
        s->argv = argv;
        char *seen = output_of(s);
        unsetenv("SPAWN_TEST");
        return seen;
}

/* How many descriptors this process has. */
static int
open_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

/* Catches: a wrong status, signal or usage; a second wait that fails; a thread of ours too
 * small for a program with much thread-local data. */
START_TEST(how_it_ended)
{
        large[0] = 1;
        struct sw_spawn s = SW_SPAWN_INIT;
        struct sw_exit e = { 0 };

        s.argv = SH("exit 7");
        sw_autoptr(sw_child) a = NULL;
        ok(sw_spawn_start(&s, &a));
        ck_assert_int_gt(sw_child_pid(a), 0);
        ok(sw_child_wait(a, NULL, &e));
        ck_assert(!e.signalled && e.value == 7 && e.max_rss > 0);
        memset(&e, 0, sizeof(e));
        ok(sw_child_wait(a, NULL, &e));
        ck_assert(!e.signalled && e.value == 7);
        ok(sw_child_signal(a, SIGKILL, true));
        ok(sw_child_signal(a, SIGKILL, false));

        s.argv = SH("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; kill -USR1 $$");
        sw_autoptr(sw_child) b = NULL;
        ok(sw_spawn_start(&s, &b));
        ok(sw_child_wait(b, NULL, &e));
        ck_assert(e.signalled && e.value == SIGUSR1);
        ck_assert_int_gt(e.cpu_ns, 0);
}
END_TEST

/* Catches: descriptors that leak into the child, marked or not. */
START_TEST(only_the_named_descriptors)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        struct sw_spawn_fd more[] = { { 0, 9 }, { 1, 5 } };

        ck_assert_int_ge(dup2(0, 60), 0); /* not close-on-exec */
        ck_assert_int_ge(dup2(0, 7), 0);
        sw_auto(sw_str) a = seen_by_child(&s);
        ck_assert_msg(strstr(a, "fds 0 1 2\n") == a, "%s", a);
        s.fds = more;
        s.n_fds = 2;
        sw_auto(sw_str) b = seen_by_child(&s);
        ck_assert_msg(strstr(b, "fds 0 1 2 5 9\n") == b, "%s", b);
}
END_TEST

/* Catches: a source overwritten by an earlier target: swapped, shifted, given twice. */
START_TEST(overlapping_descriptors)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        int fds[4];
        char name[] = "/tmp/sw-spawn-XXXXXX";

        for (int i = 0; i < 4; i++) {
                int fd = mkstemp(name);

                ck_assert_int_ge(fd, 0);
                unlink(name);
                strcpy(name, "/tmp/sw-spawn-XXXXXX");
                ck_assert_int_eq(dprintf(fd, "file%d\n", i), 6);
                fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 40);
                close(fd);
        }
        for (int i = 0; i < 3; i++) /* 23, 24, 25 are file0, file1, file2 */
                ck_assert_int_eq(dup3(fds[i], 23 + i, O_CLOEXEC), 23 + i);
        struct sw_spawn_fd swapped[] = {
                { 23, 24 }, { 24, 23 }, { 25, 26 }, { 24, 25 }, { 23, 27 }
        };
        s.fds = swapped;
        s.n_fds = SW_COUNT(swapped);
        s.fds_std[0] = 25;
        s.argv = SH("for i in 0 23 24 25 26 27; do cat /dev/fd/$i; done");
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "file2\nfile1\nfile0\nfile1\nfile2\nfile0\n");

        struct sw_spawn_fd twice[] = { { 23, 4 }, { 24, 4 } };
        sw_child *none = NULL;
        s.fds = twice;
        s.n_fds = 2;
        fails(sw_spawn_start(&s, &none), SW_E_INTERNAL, "descriptor 4");
        struct sw_spawn_fd closed = { 99, 4 };
        s.fds = &closed;
        s.n_fds = 1;
        fails(sw_spawn_start(&s, &none), SW_E_IO, "give descriptor 4");
        ck_assert_ptr_null(none);
}
END_TEST

/* Catches: standard descriptors that are closed here, or that are each other's number. */
START_TEST(standard_descriptors_reordered)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        int p[2], keep = fcntl(1, F_DUPFD_CLOEXEC, 20);
        char got[32] = "";

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        ck_assert_int_eq(dup3(p[1], 0, O_CLOEXEC), 0); /* our 0 is its 1 and 2 */
        s.fds_std[1] = s.fds_std[2] = 0;
        s.argv = SH("echo out; echo err >&2; read x; echo \"$?\"");
        sw_autoptr(sw_child) c = NULL;
        struct sw_exit e;
        ok(sw_spawn_start(&s, &c));
        ok(sw_child_wait(c, NULL, &e));
        ck_assert_int_gt(read(p[0], got, sizeof(got) - 1), 0);
        ck_assert_str_eq(got, "out\nerr\n1\n"); /* its 0 is /dev/null */
        close(keep);
}
END_TEST

static void
ignore_it(int sig)
{
        (void) sig;
}

/* Catches: handlers, ignored and blocked signals that the child inherits. */
START_TEST(signals_are_defaults)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sigset_t all, before;

        signal(SIGPIPE, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGRTMIN + 3, SIG_IGN);
        signal(SIGUSR2, ignore_it);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        sw_auto(sw_str) seen = seen_by_child(&s);
        sigset_t now;
        pthread_sigmask(SIG_SETMASK, &before, &now);
        ck_assert_msg(strstr(seen, "\nsignals\n") != NULL, "%s", seen);
        ck_assert(sigismember(&now, SIGTERM)); /* and ours are as they were */
}
END_TEST

/* Catches: flags of group, session and parent's death mixed up. */
START_TEST(groups_and_sessions)
{
        struct sw_spawn s = SW_SPAWN_INIT;

        sw_auto(sw_str) plain = seen_by_child(&s);
        ck_assert_msg(strstr(plain, "group 1 session 0 pdeath 9") != NULL, "%s", plain);
        s.flags = SW_SPAWN_SETSID | SW_SPAWN_KEEP;
        sw_auto(sw_str) kept = seen_by_child(&s);
        ck_assert_msg(strstr(kept, "group 1 session 1 pdeath 0") != NULL, "%s", kept);
}
END_TEST

/* Catches: environment or working directory of this process used instead. */
START_TEST(environment_and_directory)
{
        static const char *const env[] = { "A=1", "PATH=/nowhere", NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_fd) dir = open("/usr", O_PATH | O_CLOEXEC);
        sw_auto(sw_fd) file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

        s.argv = SH("echo $A $PATH; pwd; echo $PPID");
        s.env = env;
        s.cwd_fd = dir;
        sw_auto(sw_str) seen = output_of(&s);
        sw_auto(sw_str) want = sw_asprintf("1 /nowhere\n/usr\n%d\n", (int) getpid());
        ck_assert_str_eq(seen, want);
        sw_child *none = NULL;
        s.cwd_fd = file;
        fails(sw_spawn_start(&s, &none), SW_E_IO, "working directory");
        setenv("FROM_HERE", "yes", 1);
        s = (struct sw_spawn) SW_SPAWN_INIT;
        s.argv = SH("echo $FROM_HERE");
        sw_auto(sw_str) inherited = output_of(&s);
        ck_assert_str_eq(inherited, "yes\n");
}
END_TEST

/* Catches: limits that come after what the child starts, or bind this process, too. */
START_TEST(limits_of_its_own)
{
        static const struct sw_spawn_limit limits[] = { { RLIMIT_FSIZE, 4096 },
                                                        { RLIMIT_CORE, 0 } };
        struct sw_spawn s = SW_SPAWN_INIT;
        struct rlimit ours;

        s.argv = SH("sh -c 'ulimit -f; ulimit -c; ulimit -H -c'");
        s.limits = limits;
        s.n_limits = SW_COUNT(limits);
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "8\n0\n0\n"); /* blocks of 512 */
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &ours), 0);
        ck_assert(ours.rlim_cur > 4096);
}
END_TEST

/* Catches: an exec that failed taken for an exit status; vague reasons; children and
 * descriptors left behind. */
START_TEST(programs_that_do_not_run)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_child *none = NULL;
        char top[256], path[300];
        int before;

        unit_mkdtemp(top, sizeof(top), "spawn");
        sw_auto(sw_fd) dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw_path_write_file(dir, "plain", "text", 4, 0644));
        ok(sw_path_write_file(dir, "script", "#!/no/such/interpreter\n", 23, 0755));
        ok(sw_path_write_file(dir, "garbage", "\1\2\3", 3, 0755));
        before = open_fds();
        s.argv = (const char *const[]){ "/no/such/program", NULL };
        fails(sw_spawn_start(&s, &none), SW_E_NOT_FOUND, "\"/no/such/program\"");
        s.argv = (const char *const[]){ "no-such-program", NULL };
        s.flags = SW_SPAWN_SEARCH_PATH;
        setenv("PATH", "/usr/lib/no-such:relative", 1);
        fails(sw_spawn_start(&s, &none), SW_E_NOT_FOUND, "/usr/lib/no-such:relative");
        snprintf(path, sizeof(path), "%s/plain", top);
        s.argv = (const char *const[]){ path, NULL };
        fails(sw_spawn_start(&s, &none), SW_E_DENIED, "plain");
        snprintf(path, sizeof(path), "%s/script", top);
        fails(sw_spawn_start(&s, &none), SW_E_NOT_FOUND, "interpreter");
        snprintf(path, sizeof(path), "%s/garbage", top);
        fails(sw_spawn_start(&s, &none), SW_E_IO, "garbage");
        s.flags |= SW_SPAWN_KEEP;
        fails(sw_spawn_start(&s, &none), SW_E_IO, "garbage");
        ck_assert_ptr_null(none);
        ck_assert_int_eq(open_fds(), before);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
        sw_auto(sw_fd) real = open("/", O_PATH | O_CLOEXEC);
        ok(sw_path_remove(real, top));
}
END_TEST

/* Catches: the first match not taken, one that cannot run not skipped, the working
 * directory searched. */
START_TEST(search_in_path)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        char top[256];

        unit_mkdtemp(top, sizeof(top), "spawn");
        sw_auto(sw_fd) dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw_path_mkdirs(dir, "a", 0755, NULL));
        ok(sw_path_mkdirs(dir, "b", 0755, NULL));
        ok(sw_path_write_file(dir, "a/prog", "x", 1, 0644)); /* not executable */
        ok(sw_path_write_file(dir, "b/prog", "#!/bin/sh\necho b\n", 17, 0755));
        ok(sw_path_write_file(dir, "prog", "#!/bin/sh\necho here\n", 20, 0755));
        sw_auto(sw_str) path = sw_asprintf(":.:%s/none:%s/a:%s/b", top, top, top);
        setenv("PATH", path, 1);
        s.argv = (const char *const[]){ "prog", NULL };
        s.flags = SW_SPAWN_SEARCH_PATH;
        s.cwd_fd = dir;
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "b\n");
        s.argv = (const char *const[]){ "./prog", NULL };
        sw_auto(sw_str) here = output_of(&s);
        ck_assert_str_eq(here, "here\n");
        sw_auto(sw_fd) real = open("/", O_PATH | O_CLOEXEC);
        ok(sw_path_remove(real, top));
}
END_TEST

/* Wait until nobody holds the other end of @fd. */
static void
wait_hangup(int fd)
{
        struct pollfd p = { .fd = fd };

        ck_assert_int_eq(poll(&p, 1, 20000), 1);
        ck_assert(p.revents & POLLHUP);
}

static void *
cancel_it(void *arg)
{
        sw_cancel_now(arg, "test");
        return NULL;
}

/* Catches: a cancelled wait that hangs on a child that ignores SIGTERM, members of the
 * group that survive, a grace that is too long. */
START_TEST(cancelled_wait_kills_the_group)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        int p[2];
        char ready;
        pthread_t t;

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        s.fds_std[1] = p[1];
        s.argv = SH("trap '' TERM; (sleep 1000 & echo; sleep 1000); sleep 1000");
        sw_autoptr(sw_child) c = NULL;
        ok(sw_spawn_start(&s, &c));
        close(p[1]);
        ck_assert_int_eq(read(p[0], &ready, 1), 1);
        int64_t start = sw_time_mono();
        ck_assert_int_eq(pthread_create(&t, NULL, cancel_it, cancel), 0);
        struct sw_exit e;
        fails(sw_child_wait(c, cancel, &e), SW_E_CANCELLED, "test");
        ck_assert_int_ge(sw_time_mono() - start, SW_NS_PER_SEC / 2);
        wait_hangup(p[0]);
        pthread_join(t, NULL);
        close(p[0]);
}
END_TEST

/* Catches: a wait that never ends because the child is not in its group any more. */
START_TEST(cancelled_wait_finds_who_left_the_group)
{
        static const char *const argv[] = { "/proc/self/exe", NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        struct sw_exit e;
        int p[2];
        char ready;

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        setenv("SPAWN_LEAVE", "1", 1);
        s.argv = argv;
        s.fds_std[1] = p[1];
        sw_autoptr(sw_child) c = NULL;
        ok(sw_spawn_start(&s, &c));
        unsetenv("SPAWN_LEAVE");
        close(p[1]);
        ck_assert_int_eq(read(p[0], &ready, 1), 1);
        sw_cancel_now(cancel, "test");
        fails(sw_child_wait(c, cancel, &e), SW_E_CANCELLED, "test");
        wait_hangup(p[0]);
        close(p[0]);
}
END_TEST

/* Catches: SIGKILL where SIGTERM would do; a child that ended by itself called cancelled.
 */
START_TEST(cancelled_wait_asks_first)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        int p[2];
        char text[16] = "";
        struct sw_exit e;

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        s.fds_std[1] = p[1];
        s.argv = SH("trap 'echo bye; exit 3' TERM; echo; while :; do sleep 0.01; done");
        sw_autoptr(sw_child) c = NULL;
        ok(sw_spawn_start(&s, &c));
        close(p[1]);
        ck_assert_int_eq(read(p[0], text, 1), 1);
        sw_cancel_now(cancel, NULL);
        fails(sw_child_wait(c, cancel, &e), SW_E_CANCELLED, "");
        ck_assert_int_eq(read(p[0], text, 4), 4);
        ck_assert_str_eq(text, "bye\n");
        close(p[0]);

        sw_autoptr(sw_child) d = NULL;
        s.fds_std[1] = -1;
        s.argv = SH("exit 4");
        ok(sw_spawn_start(&s, &d));
        ok(sw_child_wait(d, NULL, &e));
        ok(sw_child_wait(d, cancel, &e));
        ck_assert_int_eq(e.value, 4);
}
END_TEST

/* Catches: a child that outlives the object that stands for it; free that hangs. */
START_TEST(free_kills)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        int p[2], before = open_fds();

        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        s.fds_std[1] = p[1];
        s.argv = SH("trap '' TERM; sleep 1000 & sleep 1000");
        sw_child *c = NULL;
        ok(sw_spawn_start(&s, &c));
        close(p[1]);
        ok(sw_child_signal(c, SIGTERM, false));
        sw_child_free(c);
        wait_hangup(p[0]);
        close(p[0]);
        ck_assert_int_eq(open_fds(), before);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

static void *
start_cat(void *arg)
{
        sw_child *c = NULL;

        ok(sw_spawn_start(arg, &c));
        return c;
}

/* Catches: PR_SET_PDEATHSIG taken as it is: the child dies with the thread that made it. */
START_TEST(outlives_the_thread_that_started_it)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        int in[2], out[2];
        pthread_t t;
        void *c;
        char got[8] = "";
        struct sw_exit e;

        ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        s.fds_std[0] = in[0];
        s.fds_std[1] = out[1];
        s.argv = (const char *const[]){ "/bin/cat", NULL };
        ck_assert_int_eq(pthread_create(&t, NULL, start_cat, &s), 0);
        pthread_join(t, &c);
        close(in[0]);
        close(out[1]);
        ck_assert_int_eq(write(in[1], "alive", 5), 5);
        ck_assert_int_eq(read(out[0], got, 5), 5);
        ck_assert_str_eq(got, "alive");
        close(in[1]);
        ok(sw_child_wait(c, NULL, &e));
        ck_assert(!e.signalled && e.value == 0);
        sw_child_free(c);
        close(out[0]);
}
END_TEST

static void *
start_and_leave(void *arg)
{
        sw_child *c;

        ok(sw_spawn_start(arg, &c));
        ck_assert(!c->has_keeper);
        return c;
}

/* Catches: SW_SPAWN_STAY that makes a thread, or a child that outlives the one it counts on
 * and so would outlive the process. */
START_TEST(may_count_on_its_thread)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_child *c;
        pthread_t t;
        void *left;
        struct sw_exit e;

        s.flags = SW_SPAWN_STAY;
        s.argv = (const char *const[]){ "/bin/true", NULL };
        c = start_and_leave(&s);
        ok(sw_child_wait(c, NULL, &e));
        ck_assert(!e.signalled && e.value == 0);
        sw_child_free(c);
        s.argv = (const char *const[]){ "/bin/sleep", "1000", NULL };
        ck_assert_int_eq(pthread_create(&t, NULL, start_and_leave, &s), 0);
        pthread_join(t, &left);
        ok(sw_child_wait(left, NULL, &e));
        ck_assert(e.signalled && e.value == SIGKILL);
        sw_child_free(left);
}
END_TEST

/* Catches: a child that stays when this process is killed; SW_SPAWN_KEEP that does not. */
START_TEST(dies_with_the_process)
{
        int ends[2], kept_ends[2], kept_in[2], ready[2];
        char byte;

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(kept_ends, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(kept_in, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        pid_t middle = fork();
        if (middle == 0) {
                struct sw_spawn s = SW_SPAWN_INIT;
                sw_child *a = NULL, *b = NULL;

                close(kept_in[1]);
                s.argv = (const char *const[]){ "/bin/sleep", "1000", NULL };
                s.fds_std[1] = ends[1];
                ok(sw_spawn_start(&s, &a));
                s.flags = SW_SPAWN_KEEP;
                s.fds_std[0] = kept_in[0];
                s.fds_std[1] = kept_ends[1];
                s.argv = (const char *const[]){ "/bin/cat", NULL };
                ok(sw_spawn_start(&s, &b));
                ck_assert_int_eq(write(ready[1], "", 1), 1);
                for (;;)
                        pause();
        }
        close(ends[1]);
        close(kept_ends[1]);
        close(kept_in[0]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        kill(middle, SIGKILL);
        ck_assert_int_eq(waitpid(middle, NULL, 0), middle);
        wait_hangup(ends[0]);
        ck_assert_int_eq(write(kept_in[1], "k", 1), 1);
        ck_assert_int_eq(read(kept_ends[0], &byte, 1), 1);
        ck_assert_int_eq(byte, 'k');
        close(kept_in[1]);
        wait_hangup(kept_ends[0]);
}
END_TEST

/* Catches: output lost, mixed up or unlimited; a full pipe that blocks the child. */
START_TEST(captured_output)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(sw_buf) err = SW_BUF_INIT;
        struct sw_exit e;
        bool cut = true;

        s.argv = SH("head -c 300000 /dev/zero | tr '\\0' o; "
                    "head -c 200000 /dev/zero | tr '\\0' e >&2; exit 5");
        sw_buf_adds(&out, "before ");
        ok(sw_spawn_capture(&s, NULL, 1 << 20, &out, &err, &cut, &e));
        ck_assert(!cut && e.value == 5);
        ck_assert_uint_eq(out.len, 300007);
        ck_assert_uint_eq(err.len, 200000);
        ck_assert(out.data[7] == 'o' && err.data[199999] == 'e');
        sw_buf_clear(&out);
        ok(sw_spawn_capture(&s, NULL, 1000, &out, NULL, &cut, &e));
        ck_assert(cut && e.value == 5);
        ck_assert_uint_eq(out.len, 1000);
        s.argv = SH("printf 12345");
        sw_buf_clear(&out);
        ok(sw_spawn_capture(&s, NULL, 5, &out, &err, &cut, &e));
        ck_assert(!cut);
        ck_assert_str_eq(out.data, "12345");
}
END_TEST

/* Catches: waiting for a background process that keeps the pipe open. */
START_TEST(capture_ends_with_the_program)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_exit e;
        int64_t start = sw_time_mono();

        s.argv = SH("sleep 20 & echo started $!");
        ok(sw_spawn_capture(&s, NULL, 1000, &out, NULL, NULL, &e));
        ck_assert_int_lt(sw_time_mono() - start, 10 * SW_NS_PER_SEC);
        ck_assert_int_eq(strncmp(out.data, "started ", 8), 0);
        kill((pid_t) strtol(out.data + 8, NULL, 10), SIGKILL);
}
END_TEST

/* Catches: reading for as long as there is something to read: background processes that
 * never stop printing. Without the reader they end. */
START_TEST(capture_ends_although_others_print)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_exit e;
        bool cut;

        s.argv = SH(
                "echo first; i=0; while [ $i -lt 40 ]; do yes & i=$((i+1)); done; exit 3");
        ok(sw_spawn_capture(&s, NULL, 6, &out, NULL, &cut, &e));
        ck_assert_int_eq(e.value, 3);
        ck_assert_str_eq(out.data, "first\n");
}
END_TEST

/* Catches: a capture that does not notice its cancellation, silent or printing. */
START_TEST(cancelled_capture)
{
        static const char *const scripts[] = { "sleep 1000", "while :; do echo y; done",
                                               "yes & yes & yes & yes" };

        for (size_t i = 0; i < SW_COUNT(scripts); i++) {
                struct sw_spawn s = SW_SPAWN_INIT;
                sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
                sw_auto(sw_buf) out = SW_BUF_INIT;
                pthread_t t;
                struct sw_exit e;

                s.argv = SH(scripts[i]);
                ck_assert_int_eq(pthread_create(&t, NULL, cancel_it, cancel), 0);
                fails(sw_spawn_capture(&s, cancel, 1000, &out, NULL, NULL, &e),
                      SW_E_CANCELLED, "test");
                pthread_join(t, NULL);
        }
}
END_TEST

/* Catches: an exit status invented when somebody else took it. */
START_TEST(reaped_by_somebody_else)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        struct sw_exit e;

        signal(SIGCHLD, SIG_IGN);
        s.argv = SH("exit 3");
        sw_autoptr(sw_child) c = NULL;
        ok(sw_spawn_start(&s, &c));
        fails(sw_child_wait(c, NULL, &e), SW_E_INTERNAL, "taken by another part");
        fails(sw_child_wait(c, NULL, &e), SW_E_INTERNAL, "taken by another part");
}
END_TEST

/* Catches: a cgroup that cannot be joined passed over. */
START_TEST(cgroup_of_the_child)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_child *none = NULL;
        char name[] = "/tmp/sw-spawn-XXXXXX", got[8] = "";
        sw_auto(sw_fd) fd = mkstemp(name);
        struct sw_exit e;

        s.argv = SH("exit 0");
        s.cgroup_procs = "/no/such/cgroup.procs";
        fails(sw_spawn_start(&s, &none), SW_E_IO, "/no/such/cgroup.procs");
        s.cgroup_procs = "/dev/full";
        fails(sw_spawn_start(&s, &none), SW_E_IO, "join the cgroup");
        ck_assert_ptr_null(none);
        s.cgroup_procs = name; /* "0" is the writer itself */
        sw_autoptr(sw_child) c = NULL;
        ok(sw_spawn_start(&s, &c));
        ok(sw_child_wait(c, NULL, &e));
        ck_assert_int_eq(read(fd, got, sizeof(got) - 1), 1);
        ck_assert_str_eq(got, "0");
        unlink(name);
}
END_TEST

static void *
spawn_many(void *arg)
{
        for (int i = 0; i < 25; i++) {
                struct sw_spawn s = SW_SPAWN_INIT;
                sw_auto(sw_buf) out = SW_BUF_INIT;
                sw_auto(sw_str) script = sw_asprintf("echo %d; exit %d", i, i);
                struct sw_exit e;

                s.argv = SH(script);
                ok(sw_spawn_capture(&s, arg, 100, &out, NULL, NULL, &e));
                ck_assert_int_eq(e.value, i);
                ck_assert_int_eq(strtol(out.data, NULL, 10), i);
        }
        return NULL;
}

/* Catches: outputs or statuses of one child in another's, descriptors lost, races. */
START_TEST(many_at_once)
{
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(NULL);
        pthread_t t[6];
        int fd, before;

        ok(sw_cancel_fd(cancel, &fd));
        before = open_fds();
        for (size_t i = 0; i < 6; i++)
                ck_assert_int_eq(pthread_create(&t[i], NULL, spawn_many, cancel), 0);
        for (size_t i = 0; i < 6; i++)
                pthread_join(t[i], NULL);
        ck_assert_int_eq(open_fds(), before);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

struct both {
        sw_child *c;
        atomic_int stop;
};

/* Catches: a signal sent to a number that is somebody else's by now (with a sanitizer:
 * the race of signalling and reaping). */
static void *
signal_it(void *arg)
{
        struct both *b = arg;

        while (!atomic_load(&b->stop))
                ok(sw_child_signal(b->c, 0, true));
        return NULL;
}

START_TEST(signals_race_with_the_end)
{
        for (int i = 0; i < 50; i++) {
                struct sw_spawn s = SW_SPAWN_INIT;
                struct both b = { 0 };
                struct sw_exit e;
                pthread_t t;

                s.argv = (const char *const[]){ "/bin/true", NULL };
                ok(sw_spawn_start(&s, &b.c));
                ck_assert_int_eq(pthread_create(&t, NULL, signal_it, &b), 0);
                ok(sw_child_wait(b.c, NULL, &e));
                atomic_store(&b.stop, 1);
                pthread_join(t, NULL);
                sw_child_free(b.c);
        }
}
END_TEST

/* Whether this process may make mount namespaces; without that there is nothing to test. */
static bool
may_mount(void)
{
        int status = 1;
        pid_t pid = fork();

        if (pid == 0)
                _exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        return status == 0;
}

/* A detached tmpfs with a file "file" in it that says @text. */
static int
detached_tmpfs(const char *text)
{
        int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

        ck_assert_int_ge(fs, 0);
        ck_assert_int_eq(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
        int fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        ck_assert_int_ge(fd, 0);
        close(fs);
        int file = openat(fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        ck_assert_int_ge(file, 0);
        ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t) strlen(text));
        close(file);
        ck_assert_int_eq(mkdirat(fd, "sub", 0755), 0);
        return fd;
}

/* Catches: mounts that the child does not see, that others see, or that stay; a copy that
 * takes the original away; a step that fails in silence. */
START_TEST(mounts_of_its_own)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        char dir[128], sub[160];
        sw_child *none = NULL;

        if (!may_mount())
                return;
        unit_mkdtemp(dir, sizeof(dir), "spawn");
        snprintf(sub, sizeof(sub), "%s/sub", dir);
        sw_auto(sw_fd) tree = detached_tmpfs("outer\n");
        sw_auto(sw_fd) file = openat(tree, "file", O_PATH | O_CLOEXEC);
        sw_auto(sw_fd) other = detached_tmpfs("inner\n");
        char over[192];
        snprintf(over, sizeof(over), "%s/file", sub);
        const struct sw_spawn_mount mounts[] = { { tree, dir, false },
                                                 { other, sub, false },
                                                 { file, over, true } };
        s.mounts = mounts;
        s.n_mounts = SW_COUNT(mounts);
        s.argv = (const char *const[]){ "/bin/cat", over, NULL };
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "outer\n");
        ck_assert_int_ne(access(over, F_OK), 0);

        sw_auto(sw_fd) again = detached_tmpfs("again\n");
        const struct sw_spawn_mount nowhere = { again, over, false };
        s.mounts = &nowhere;
        s.n_mounts = 1;
        fails(sw_spawn_start(&s, &none), SW_E_IO, "mount on ");
        ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* Catches: a child that stays in our mount namespace, or enters another one than told. */
START_TEST(enters_a_mount_namespace)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        char dir[128], ns[64], file[160];
        struct sw_exit e;

        if (!may_mount())
                return;
        unit_mkdtemp(dir, sizeof(dir), "spawn");
        snprintf(file, sizeof(file), "%s/file", dir);
        sw_auto(sw_fd) tree = detached_tmpfs("there\n");
        const struct sw_spawn_mount mount = { tree, dir, false };
        s.mounts = &mount;
        s.n_mounts = 1;
        s.argv = (const char *const[]){ "/bin/sleep", "60", NULL };
        sw_autoptr(sw_child) first = NULL;
        ok(sw_spawn_start(&s, &first));
        struct pollfd ended = { .fd = sw_child_fd(first), .events = POLLIN };
        ck_assert_int_eq(poll(&ended, 1, 0), 0);
        snprintf(ns, sizeof(ns), "/proc/%d/ns/mnt", (int) sw_child_pid(first));
        sw_auto(sw_fd) nsfd = open(ns, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(nsfd, 0);

        struct sw_spawn t = SW_SPAWN_INIT;
        t.mount_ns_fd = nsfd;
        t.argv = (const char *const[]){ "/bin/cat", file, NULL };
        sw_auto(sw_str) seen = output_of(&t);
        ck_assert_str_eq(seen, "there\n");
        ok(sw_child_signal(first, SIGKILL, false));
        ok(sw_child_wait(first, NULL, &e));
        ck_assert_int_eq(poll(&ended, 1, 0), 1);
        ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* Catches: a PID namespace that is ours, or whose /proc is; one that is not entered. */
START_TEST(pid_namespace_of_its_own)
{
        struct sw_spawn s = SW_SPAWN_INIT, t = SW_SPAWN_INIT;
        char path[64];
        int in[2];

        if (!may_mount())
                return;
        s.flags = SW_SPAWN_PID_NS;
        s.argv = (const char *const[]){ "/bin/sh", "-c", "echo $$; exec echo /proc/[0-9]*",
                                        NULL };
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "1\n/proc/1\n");

        ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
        s.argv = (const char *const[]){ "/bin/cat", NULL };
        s.fds_std[0] = in[0];
        sw_autoptr(sw_child) first = NULL;
        ok(sw_spawn_start(&s, &first));
        snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int) sw_child_pid(first));
        sw_auto(sw_fd) pid_ns = open(path, O_RDONLY | O_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int) sw_child_pid(first));
        sw_auto(sw_fd) mount_ns = open(path, O_RDONLY | O_CLOEXEC);
        t.pid_ns_fd = pid_ns;
        t.mount_ns_fd = mount_ns;
        t.argv = (const char *const[]){ "/bin/sh", "-c", "echo $$; exec echo /proc/[0-9]*",
                                        NULL };
        sw_auto(sw_str) second = output_of(&t);
        ck_assert_str_eq(second, "2\n/proc/1 /proc/2\n");
        close(in[0]);
        close(in[1]);
}
END_TEST

/* Catches: what a child has started outliving the child in its PID namespace, when this
 * process is killed. */
START_TEST(all_die_with_the_process)
{
        int ends[2], ready[2];
        char byte;

        if (!may_mount())
                return;
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        pid_t middle = fork();
        if (middle == 0) {
                struct sw_spawn s = SW_SPAWN_INIT;
                sw_child *c = NULL;

                s.flags = SW_SPAWN_PID_NS;
                s.argv = (const char *const[]){
                        "/bin/sh", "-c", "(exec setsid sleep 1000) & echo; exec sleep 1000",
                        NULL
                };
                s.fds_std[1] = ends[1];
                ok(sw_spawn_start(&s, &c));
                ck_assert_int_eq(write(ready[1], "", 1), 1);
                for (;;)
                        pause();
        }
        close(ends[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        ck_assert_int_eq(read(ends[0], &byte, 1), 1); /* the second one was started */
        kill(middle, SIGKILL);
        ck_assert_int_eq(waitpid(middle, NULL, 0), middle);
        wait_hangup(ends[0]);
        close(ends[0]);
}
END_TEST

static const char *const chroot_parts[] = { "bin", "dev",  "lib", "lib64",
                                            "usr", "proc", "tmp" };

/* A directory that is no mount, with what programs need bound into it, becomes the root of
 * the calling process, in a mount namespace of its own. Returns the root before. */
static int
enter_chroot(const char *dir)
{
        char here[64], there[192], target[256];

        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        (void) mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); /* this is one already */
        int root = open("/", O_PATH | O_CLOEXEC);
        for (size_t i = 0; i < SW_COUNT(chroot_parts); i++) {
                snprintf(here, sizeof(here), "/%s", chroot_parts[i]);
                snprintf(there, sizeof(there), "%s/%s", dir, chroot_parts[i]);
                ssize_t n = readlink(here, target, sizeof(target) - 1);
                if (n > 0) {
                        target[n] = '\0';
                        ck_assert_int_eq(symlink(target, there), 0);
                } else if (access(here, F_OK) == 0) {
                        ck_assert_int_eq(mkdir(there, 0755), 0);
                        ck_assert_int_eq(mount(here, there, NULL, MS_BIND | MS_REC, NULL),
                                         0);
                }
        }
        ck_assert_int_eq(chroot(dir), 0);
        ck_assert_int_eq(chdir("/tmp"), 0);
        return root;
}

/* @root: the one before. Nothing is removed but what enter_chroot() made. */
static void
leave_chroot(int root, const char *dir)
{
        char there[192];

        ck_assert_int_eq(fchdir(root), 0);
        ck_assert_int_eq(chroot("."), 0);
        for (size_t i = 0; i < SW_COUNT(chroot_parts); i++) {
                snprintf(there, sizeof(there), "%s/%s", dir, chroot_parts[i]);
                if (unlink(there) != 0)
                        (void) umount2(there, MNT_DETACH), (void) rmdir(there);
        }
        ck_assert_int_eq(rmdir(dir), 0);
}

/* Catches: no mounts where "/" is not a mount; children that end up outside of the chroot,
 * in another directory, or with mounts that the runtime cannot make private. */
START_TEST(mounts_in_a_chroot)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        char dir[128], inner[128];

        if (!may_mount())
                return;
        unit_mkdtemp(dir, sizeof(dir), "spawn-chroot");
        sw_auto(sw_fd) root = enter_chroot(dir);
        snprintf(inner, sizeof(inner), "/tmp/spawn-mount-%d", (int) getpid());
        ck_assert_int_eq(mkdir(inner, 0755), 0);
        sw_auto(sw_fd) tree = detached_tmpfs("there\n");
        const struct sw_spawn_mount mount = { tree, inner, false };
        s.mounts = &mount;
        s.n_mounts = 1;
        s.argv = (const char *const[]){
                "/bin/sh",
                "-c",
                "cat \"$1/file\" && pwd && ls / | tr '\\n' ' ' && mount --make-rprivate /",
                "sh",
                inner,
                NULL
        };
        sw_auto(sw_str) seen = output_of(&s);
        ck_assert_str_eq(seen, "there\n/tmp\nbin dev lib lib64 proc tmp usr ");
        ck_assert_int_eq(rmdir(inner), 0);
        leave_chroot(root, dir);
}
END_TEST

/* Catches: a program by descriptor that is looked up by name; one whose descriptor the
 * child keeps, or that is lost among the child's others; one that cannot be run. */
START_TEST(program_by_descriptor)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_child) c = NULL;
        sw_auto(sw_fd) self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        sw_auto(sw_fd) sh = open("/bin/sh", O_RDONLY | O_CLOEXEC);
        sw_auto(sw_fd) other = open("/dev/null", O_RDONLY | O_CLOEXEC);
        const struct sw_spawn_fd fds[] = { { other, 9 }, { other, 5 } };

        s.exe_fd = self;
        s.fds = fds;
        s.n_fds = SW_COUNT(fds);
        sw_auto(sw_str) seen = seen_by_child(&s);
        ck_assert_msg(strstr(seen, "fds 0 1 2 5 9\n") == seen, "%s", seen);
        s.exe_fd = sh;
        s.argv = (const char *const[]){ "no-such-program", "-c", "echo $0", NULL };
        sw_auto(sw_str) name = output_of(&s);
        ck_assert_str_eq(name, "no-such-program\n");
        s.exe_fd = other;
        fails(sw_spawn_start(&s, &c), SW_E_DENIED, "no-such-program");
}
END_TEST

UNIT_MAIN("spawn", program_by_descriptor, mounts_of_its_own, enters_a_mount_namespace,
          mounts_in_a_chroot, pid_namespace_of_its_own, all_die_with_the_process,
          how_it_ended, only_the_named_descriptors, overlapping_descriptors,
          standard_descriptors_reordered, signals_are_defaults, groups_and_sessions,
          environment_and_directory, limits_of_its_own, programs_that_do_not_run,
          search_in_path, cancelled_wait_kills_the_group,
          cancelled_wait_finds_who_left_the_group, cancelled_wait_asks_first, free_kills,
          outlives_the_thread_that_started_it, may_count_on_its_thread,
          dies_with_the_process, captured_output, capture_ends_with_the_program,
          capture_ends_although_others_print, cancelled_capture, reaped_by_somebody_else,
          cgroup_of_the_child, many_at_once, signals_race_with_the_end)
