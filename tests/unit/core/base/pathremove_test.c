/*
 * tests/unit/core/base/pathremove_test.c - removing trees: depth, links, mounts, races.
 */
#include "tests/unit/tmp.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <slipway/path.h>

static char top[256];
static int topfd = -1;

static void
setup(void)
{
        unit_mkdtemp(top, sizeof(top), "remove");
        topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(topfd, 0);
}

static void
teardown(void)
{
        sw_auto(sw_fd) real = open("/", O_PATH | O_CLOEXEC);

        close(topfd);
        ok(sw_path_remove(real, top));
        ck_assert_int_ne(access(top, F_OK), 0);
}

static void
put_file(const char *path)
{
        sw_auto(sw_fd) fd = openat(topfd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
}

static void
put_dir(const char *path)
{
        ck_assert_msg(mkdirat(topfd, path, 0755) == 0, "%s: %s", path, strerror(errno));
}

static bool
there(const char *path)
{
        return faccessat(topfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Catches: a missing path that is an error, the root or a parent removed. */
START_TEST(little_things)
{
        setup();
        put_dir("d");
        put_file("d/f");
        put_file("f");
        ok(sw_path_remove(topfd, "d/none"));
        ok(sw_path_remove(topfd, "none/none"));
        ok(sw_path_remove(topfd, "f/none"));
        ok(sw_path_remove(topfd, "d/f"));
        ck_assert(there("d") && !there("d/f"));
        ok(sw_path_remove(topfd, "/d/"));
        ok(sw_path_remove(topfd, "f"));
        ck_assert(!there("d") && !there("f"));
        fails(sw_path_remove(topfd, "/"), SW_E_INVALID, "\"/\"");
        fails(sw_path_remove(topfd, "../.."), SW_E_INVALID, "");
        ck_assert_int_eq(access(top, F_OK), 0);
        teardown();
}
END_TEST

/* Catches: links followed, FIFOs opened (which would block), odd names missed. */
START_TEST(every_kind_of_entry)
{
        setup();
        put_dir("keep");
        put_file("keep/f");
        put_dir("d");
        put_dir("d/sub");
        put_dir("d/sub/empty");
        put_file("d/sub/f");
        put_file("d/new\nline");
        put_file("d/sub/...");
        ck_assert_int_eq(symlinkat("../keep", topfd, "d/link"), 0);
        ck_assert_int_eq(symlinkat("/", topfd, "d/sub/root"), 0);
        ck_assert_int_eq(symlinkat("nowhere", topfd, "d/sub/dangling"), 0);
        ck_assert_int_eq(mkfifoat(topfd, "d/sub/fifo", 0644), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(mknodat(topfd, "d/null", S_IFCHR | 0666, makedev(1, 3)),
                                 0);
        ok(sw_path_remove(topfd, "d"));
        ck_assert(!there("d") && there("keep/f"));
        ck_assert_int_eq(symlinkat("keep", topfd, "link"), 0);
        ok(sw_path_remove(topfd, "link"));
        ck_assert(!there("link") && there("keep/f"));
        teardown();
}
END_TEST

/* A chain of @depth directories below @name, each with a file beside the next one. */
static void
dig(const char *name, int depth)
{
        int at = dup(topfd);

        for (int i = 0; i < depth; i++) {
                const char *next = i ? "d" : name;

                ck_assert_int_eq(mkdirat(at, next, 0755), 0);
                int fd = openat(at, next, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(fd, 0);
                close(at);
                at = fd;
                ck_assert_int_eq(mknodat(at, "a", S_IFREG | 0644, 0), 0);
                ck_assert_int_eq(mknodat(at, "z", S_IFREG | 0644, 0), 0);
                ck_assert_int_eq(mkdirat(at, "e", 0755), 0);
                ck_assert_int_eq(mkdirat(at, "e/e", 0755), 0);
        }
        close(at);
}

/* Catches: recursion or a descriptor per level; a path that grows too long. */
START_TEST(deep_trees_take_few_descriptors)
{
        struct rlimit before, few;

        setup();
        dig("deep", 5000);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = (rlim_t) dup(topfd) + 24;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        ok(sw_path_remove(topfd, "deep"));
        ck_assert(!there("deep"));
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        teardown();
}
END_TEST

/* Catches: entries skipped because the listing changes while it is read. */
START_TEST(wide_directories)
{
        setup();
        put_dir("w");
        for (int i = 0; i < 5000; i++) {
                char name[32];

                snprintf(name, sizeof(name), "w/%d", i);
                if (i % 5 == 0)
                        put_dir(name);
                else
                        put_file(name);
                if (i % 10 == 0) {
                        unit_append(name, sizeof(name), "/f");
                        put_file(name);
                }
        }
        ok(sw_path_remove(topfd, "w"));
        ck_assert(!there("w"));
        teardown();
}
END_TEST

/* Catches: what is mounted below emptied or taken away with the tree; a bind mount of the
 * same file system not seen. */
START_TEST(mounts_are_refused)
{
        char path[300], keep[300];

        setup();
        put_dir("keep");
        put_file("keep/f");
        put_dir("t");
        put_dir("t/a");
        put_dir("t/a/mnt");
        put_file("t/a/file");
        snprintf(keep, sizeof(keep), "%s/keep", top);
        snprintf(path, sizeof(path), "%s/t/a/mnt", top);
        if (unshare(CLONE_NEWNS) != 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
            mount(keep, path, NULL, MS_BIND, NULL) != 0) {
                teardown(); /* not allowed here */
                return;
        }
        fails(sw_path_remove(topfd, "t"), SW_E_BUSY, "mnt");
        fails(sw_path_remove(topfd, "t/a/mnt"), SW_E_BUSY, "mnt");
        ck_assert(there("keep/f"));
        ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
        ck_assert_int_eq(mount("none", path, "tmpfs", 0, NULL), 0);
        put_file("t/a/mnt/inside");
        fails(sw_path_remove(topfd, "t"), SW_E_BUSY, "mnt");
        ck_assert(there("t/a/mnt/inside"));
        ck_assert_int_eq(umount2(path, MNT_DETACH), 0);

        snprintf(path, sizeof(path), "%s/t/a/file", top);
        put_file("t/a/file");
        snprintf(keep, sizeof(keep), "%s/keep/f", top);
        ck_assert_int_eq(mount(keep, path, NULL, MS_BIND, NULL), 0);
        fails(sw_path_remove(topfd, "t"), SW_E_BUSY, "t/a/file");
        ck_assert(there("keep/f"));
        ck_assert_int_eq(umount2(path, MNT_DETACH), 0);
        ok(sw_path_remove(topfd, "t"));
        teardown();
}
END_TEST

/* Another round of a race? As many as @most, fewer where the machine is slow: what a race
 * finds it finds in some runs anyhow, and one that times out finds nothing. */
static bool
another(int round, int most, const struct timespec *start)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return round < most && (round < 20 || now.tv_sec - start->tv_sec < 10);
}

struct meddler {
        atomic_bool stop;
        atomic_ulong done;
};

/* Moves a directory far down the tree out of it and back. */
static void *
move_out_and_back(void *arg)
{
        struct meddler *m = arg;
        const char *in = "t/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";

        while (!atomic_load(&m->stop)) {
                if (renameat(topfd, in, topfd, "outside/moved") == 0)
                        atomic_fetch_add(&m->done, 1);
                (void) renameat(topfd, "outside/moved", topfd, in);
        }
        return NULL;
}

/* Catches: ".." believed after somebody moved the directory we are in, so that the
 * neighbours of its new place are removed. */
START_TEST(moved_away_while_removing)
{
        struct timespec start;

        setup();
        clock_gettime(CLOCK_MONOTONIC, &start);
        put_dir("outside");
        put_dir("outside/d");
        put_file("outside/canary");
        put_file("outside/d/canary");
        for (int round = 0; another(round, 250, &start); round++) {
                struct meddler m = { 0 };
                pthread_t t;

                dig("t", 30);
                ck_assert_int_eq(pthread_create(&t, NULL, move_out_and_back, &m), 0);
                while (atomic_load(&m.done) < 5)
                        sched_yield();
                sw_err *err = sw_path_remove(topfd, "t");
                sw_err_drop(err, "what counts is what stays");
                atomic_store(&m.stop, true);
                pthread_join(t, NULL);
                ck_assert_msg(there("outside/canary"), "round %d", round);
                ck_assert_msg(there("outside/d/canary"), "round %d", round);
                ok(sw_path_remove(topfd, "outside/moved"));
                ok(sw_path_remove(topfd, "t"));
        }
        teardown();
}
END_TEST

/* Exchanges a directory of the tree with a link to the outside. */
static void *
swap_with_link(void *arg)
{
        struct meddler *m = arg;

        while (!atomic_load(&m->stop))
                if (syscall(SYS_renameat2, topfd, "t/d", topfd, "link", 2) == 0)
                        atomic_fetch_add(&m->done, 1);
        return NULL;
}

/* Catches: an entry looked at as a directory and entered as a link. */
START_TEST(links_swapped_in_while_removing)
{
        struct timespec start;

        setup();
        clock_gettime(CLOCK_MONOTONIC, &start);
        put_dir("outside");
        put_file("outside/canary");
        for (int round = 0; another(round, 300, &start); round++) {
                struct meddler m = { 0 };
                pthread_t t;

                dig("t", 3);
                ck_assert_int_eq(symlinkat("../outside", topfd, "link"), 0);
                ck_assert_int_eq(pthread_create(&t, NULL, swap_with_link, &m), 0);
                while (atomic_load(&m.done) < 5) /* both at work at the same time */
                        sched_yield();
                sw_err *err = sw_path_remove(topfd, "t");
                sw_err_drop(err, "what counts is what stays");
                atomic_store(&m.stop, true);
                pthread_join(t, NULL);
                ck_assert_msg(there("outside/canary"), "round %d", round);
                ok(sw_path_remove(topfd, "t"));
                ok(sw_path_remove(topfd, "link"));
        }
        teardown();
}
END_TEST

/* Puts files into the tree for as long as it is there. */
static void *
refill(void *arg)
{
        struct meddler *m = arg;

        for (unsigned i = 0; !atomic_load(&m->stop); i++) {
                char name[32];

                snprintf(name, sizeof(name), i % 3 ? "t/d/n%u" : "t/n%u", i % 100);
                if (mknodat(topfd, name, S_IFREG | 0644, 0) == 0)
                        atomic_fetch_add(&m->done, 1);
        }
        return NULL;
}

/* Catches: 'directory not empty' handed on although trying again would do. */
START_TEST(filled_while_removing)
{
        setup();
        for (int round = 0; round < 8; round++) {
                struct meddler m = { 0 };
                pthread_t t;

                dig("t", 3);
                ck_assert_int_eq(pthread_create(&t, NULL, refill, &m), 0);
                ok(sw_path_remove(topfd, "t"));
                ck_assert(!there("t"));
                atomic_store(&m.stop, true);
                pthread_join(t, NULL);
        }
        teardown();
}
END_TEST

static void *
remove_too(void *arg)
{
        ok(sw_path_remove(topfd, arg));
        return NULL;
}

/* Catches: an entry that somebody else removed first being an error. */
START_TEST(removed_by_two)
{
        char name[] = "t";

        setup();
        for (int round = 0; round < 20; round++) {
                pthread_t t;

                dig("t", 40);
                ck_assert_int_eq(pthread_create(&t, NULL, remove_too, name), 0);
                ok(sw_path_remove(topfd, "t"));
                pthread_join(t, NULL);
                ck_assert(!there("t"));
        }
        teardown();
}
END_TEST

UNIT_MAIN("pathremove", little_things, every_kind_of_entry, deep_trees_take_few_descriptors,
          wide_directories, mounts_are_refused, moved_away_while_removing,
          links_swapped_in_while_removing, filled_while_removing, removed_by_two)
