/*
 * tests/unit/core/base/path_test.c - paths from hostile input, below a root directory.
 *
 * Every case runs twice: with openat2, and with the walk alone. A third set lets a filter
 * refuse openat2, and compares both on random trees.
 */
#include "core/base/pathwalk.h"
#include "tests/unit/tmp.h"

#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <slipway/mem.h>
#include <slipway/path.h>

/* A fresh directory: top/root is the root, top/outside must never be reached. */
static char top[256];
static int topfd = -1, root = -1;
static struct stat canary;

static void
put_file(int dirfd, const char *path, const char *text)
{
        int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        close(fd);
}

static void
put_dir(int dirfd, const char *path)
{
        ck_assert_msg(mkdirat(dirfd, path, 0755) == 0, "%s: %s", path, strerror(errno));
}

static void
put_link(int dirfd, const char *path, const char *target)
{
        ck_assert_msg(symlinkat(target, dirfd, path) == 0, "%s: %s", path, strerror(errno));
}

static void
setup(void)
{
        unit_mkdtemp(top, sizeof(top), "path");
        topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_dir(topfd, "root");
        put_dir(topfd, "outside");
        put_file(topfd, "outside/canary", "outside");
        ck_assert_int_eq(fstatat(topfd, "outside/canary", &canary, 0), 0);
        root = openat(topfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root, 0);
}

static void
teardown(void)
{
        close(root);
        close(topfd);
        int real = open("/", O_PATH | O_CLOEXEC);
        ok(sw_path_remove(real, top));
        close(real);
}

/* Define two tests from static void NAME(void). */
#define BOTH(name)                                                                         \
        START_TEST(name##_openat2)                                                         \
        {                                                                                  \
                sw__path_force_walk(false);                                                \
                setup();                                                                   \
                name();                                                                    \
                teardown();                                                                \
        }                                                                                  \
        END_TEST                                                                           \
        START_TEST(name##_walk)                                                            \
        {                                                                                  \
                sw__path_force_walk(true);                                                 \
                setup();                                                                   \
                name();                                                                    \
                teardown();                                                                \
        }                                                                                  \
        END_TEST

/* What @path says when it is read; "" when it cannot be opened. */
static const char *
text_of(const char *path)
{
        static char text[128];
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw_path_open(root, path, O_RDONLY, 0, &fd);
        ssize_t n = err ? 0 : read(fd, text, sizeof(text) - 1);

        sw_err_drop(err, "the caller compares");
        text[n > 0 ? n : 0] = 0;
        return text;
}

static ino_t
ino_of(const char *path)
{
        struct stat st;

        ok(sw_path_stat(root, path, true, &st));
        return st.st_ino;
}

/* Catches: plain names not found, descriptors that survive exec. */
static void
plain_paths(void)
{
        sw_auto(sw_fd) fd = -1;

        put_dir(root, "a");
        put_dir(root, "a/b");
        put_file(root, "a/b/f", "hello");
        ck_assert_str_eq(text_of("a/b/f"), "hello");
        ck_assert_str_eq(text_of("/a//b/./f"), "hello");
        ck_assert_str_eq(text_of("a/../a/b/../b/f"), "hello");
        ok(sw_path_open(root, "a", O_RDONLY | O_DIRECTORY, 0, &fd));
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        fails(sw_path_open(root, "a/nothing", O_RDONLY, 0, &fd), SW_E_NOT_FOUND,
              "\"a/nothing\"");
        fails(sw_path_open(root, "a/b/f/x", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
        fails(sw_path_open(root, "a/b/f", O_RDONLY | O_DIRECTORY, 0, &fd), SW_E_NOT_FOUND,
              "");
        fails(sw_path_open(root, "a", O_WRONLY, 0, &fd), SW_E_INVALID, "directory");
}
BOTH(plain_paths)

/* Catches: any way of ".." or "" out of the root. */
static void
the_root_is_a_floor(void)
{
        static const char *const names[] = { "",     "/",        ".",         "..",
                                             "/..",  "../..",    "//",        "a/..",
                                             "./..", "a/../../", "../a/../.." };
        struct stat st;

        put_dir(root, "a");
        ck_assert_int_eq(fstat(root, &st), 0);
        for (size_t i = 0; i < SW_COUNT(names); i++)
                ck_assert_msg(ino_of(names[i]) == st.st_ino, "\"%s\"", names[i]);
        ck_assert_str_eq(text_of("../outside/canary"), "");
        ck_assert_str_eq(text_of("a/../../outside/canary"), "");
}
BOTH(the_root_is_a_floor)

/* Catches: links that lead out of the root, in every form a link can take. */
static void
links_stay_inside(void)
{
        static const char *const targets[] = {
                "../outside",
                "../../../outside",
                "/outside",
                "/../outside",
                "/proc/../outside",
                "a/../../outside",
                "..",
                "../",
                "/..",
                "a/up/../outside",
                "./..",
        };

        put_dir(root, "a");
        put_link(root, "a/up", "..");
        for (size_t i = 0; i < SW_COUNT(targets); i++) {
                char name[8], path[64];

                snprintf(name, sizeof(name), "l%zu", i);
                put_link(root, name, targets[i]);
                snprintf(path, sizeof(path), "%s/canary", name);
                ck_assert_msg(strcmp(text_of(path), "") == 0, "%s", targets[i]);
                snprintf(path, sizeof(path), "%s/../outside/canary", name);
                ck_assert_msg(strcmp(text_of(path), "") == 0, "%s", targets[i]);
        }
        char absolute[300];
        snprintf(absolute, sizeof(absolute), "%s/outside/canary", top);
        put_link(root, "absolute", absolute);
        ck_assert_str_eq(text_of("absolute"), "");
}
BOTH(links_stay_inside)

/* Catches: absolute links taken from the real root or from the link's directory. */
static void
absolute_links_start_at_the_root(void)
{
        put_dir(root, "a");
        put_dir(root, "a/b");
        put_file(root, "f", "top");
        put_file(root, "a/b/f", "deep");
        put_link(root, "a/b/to_top", "/f");
        put_link(root, "a/b/slash", "/");
        put_link(root, "a/b/dirs", "/a//b/");
        put_link(root, "a/b/rel", "../../f");
        put_link(root, "loop_to_root", "a/b/slash");
        ck_assert_str_eq(text_of("a/b/to_top"), "top");
        ck_assert_str_eq(text_of("a/b/slash/f"), "top");
        ck_assert_str_eq(text_of("a/b/slash/a/b/f"), "deep");
        ck_assert_str_eq(text_of("a/b/dirs/f"), "deep");
        ck_assert_str_eq(text_of("a/b/dirs/../../f"), "top");
        ck_assert_str_eq(text_of("a/b/rel"), "top");
        ck_assert_str_eq(text_of("loop_to_root/loop_to_root/a/b/slash/../f"), "top");
        ck_assert_uint_eq(ino_of("a/b/slash"), ino_of("/"));
        ck_assert_uint_eq(ino_of("a/b/slash/.."), ino_of("/"));
}
BOTH(absolute_links_start_at_the_root)

/* Catches: endless resolution, and a limit that is off by one or the kernel's. */
static void
loops_and_chains_of_links(void)
{
        sw_auto(sw_fd) fd = -1;

        put_link(root, "self", "self");
        put_link(root, "x", "y");
        put_link(root, "y", "./x");
        put_link(root, "grow", "grow/grow");
        put_link(root, "abs", "/abs/abs");
        const char *const loops[] = { "self", "x", "y/z", "grow", "abs", "self/", "x/.." };
        for (size_t i = 0; i < SW_COUNT(loops); i++)
                fails(sw_path_open(root, loops[i], O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        fails(sw_path_open(root, "self", O_WRONLY | O_CREAT, 0644, &fd), SW_E_LIMIT, "");

        put_file(root, "c0", "end");
        for (int i = 1; i <= 256; i++) {
                char name[16], target[16];

                snprintf(name, sizeof(name), "c%d", i);
                snprintf(target, sizeof(target), i % 2 ? "c%d" : "/c%d", i - 1);
                put_link(root, name, target);
        }
        ck_assert_str_eq(text_of("c40"), "end");
        ck_assert_str_eq(text_of("c41"), "end");
        ck_assert_str_eq(text_of("c254"), "end");
        ck_assert_str_eq(text_of("c255"), "end");
        fails(sw_path_open(root, "c256", O_RDONLY, 0, &fd), SW_E_LIMIT, "\"c256\"");
        ck_assert_int_eq(fd, -1);
}
BOTH(loops_and_chains_of_links)

/* Catches: a last link followed, or not, against the flags. */
static void
last_component_links(void)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;

        put_dir(root, "d");
        put_file(root, "f", "file");
        put_link(root, "to_f", "f");
        put_link(root, "to_d", "d");
        fails(sw_path_open(root, "to_f", O_RDONLY | O_NOFOLLOW, 0, &fd), SW_E_LIMIT, "");
        ok(sw_path_open(root, "to_f", O_PATH | O_NOFOLLOW, 0, &fd));
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert(S_ISLNK(st.st_mode));
        sw_fd_clear(&fd);
        ok(sw_path_open(root, "to_f", O_PATH, 0, &fd));
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert(S_ISREG(st.st_mode));
        sw_fd_clear(&fd);
        ok(sw_path_open(root, "to_d", O_RDONLY | O_DIRECTORY, 0, &fd));
        sw_fd_clear(&fd);
        ok(sw_path_open(root, "to_d/", O_RDONLY | O_NOFOLLOW, 0, &fd));
        sw_fd_clear(&fd);
        fails(sw_path_open(root, "to_d", O_PATH | O_NOFOLLOW | O_DIRECTORY, 0, &fd),
              SW_E_NOT_FOUND, "");
        ok(sw_path_stat(root, "to_d", false, &st));
        ck_assert(S_ISLNK(st.st_mode));
        ok(sw_path_stat(root, "to_d", true, &st));
        ck_assert(S_ISDIR(st.st_mode));
}
BOTH(last_component_links)

/* Catches: a slash at the end ignored, or taken as a name. */
static void
trailing_slashes(void)
{
        sw_auto(sw_fd) fd = -1;

        put_dir(root, "d");
        put_file(root, "f", "file");
        put_link(root, "to_f", "f");
        ck_assert_uint_eq(ino_of("d///"), ino_of("d"));
        fails(sw_path_open(root, "f/", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
        fails(sw_path_open(root, "to_f/", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
        fails(sw_path_open(root, "f/.", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
        fails(sw_path_open(root, "new/", O_WRONLY | O_CREAT, 0644, &fd), SW_E_INVALID, "");
        fails(sw_path_open(root, "d/", O_RDONLY | O_CREAT, 0644, &fd), SW_E_INVALID, "");
        fails(sw_path_open(root, "d", O_RDONLY | O_CREAT, 0644, &fd), SW_E_INVALID, "");
        fails(sw_path_open(root, ".", O_RDONLY | O_CREAT, 0644, &fd), SW_E_INVALID, "");
        ck_assert_int_ne(faccessat(root, "new", F_OK, 0), 0);
}
BOTH(trailing_slashes)

static mode_t
mode_of(const char *path)
{
        struct stat st;

        ok(sw_path_stat(root, path, false, &st));
        return st.st_mode & 07777;
}

/* Catches: the umask taking bits away, the mode of an existing file changed. */
static void
created_with_the_mode_exactly(void)
{
        static const mode_t modes[] = { 0, 0400, 0644, 0666, 0777, 02755, 04711, 01777 };
        mode_t before = umask(077);

        for (size_t i = 0; i < SW_COUNT(modes); i++) {
                sw_auto(sw_fd) a = -1, b = -1;

                ok(sw_path_open(root, "f", O_RDWR | O_CREAT, modes[i], &a));
                ck_assert_uint_eq(mode_of("f"), modes[i]);
                ok(sw_path_open(root, "g", O_RDWR | O_CREAT | O_EXCL, modes[i], &b));
                ck_assert_uint_eq(mode_of("g"), modes[i]);
                ck_assert_int_eq(unlinkat(root, "f", 0), 0);
                ck_assert_int_eq(unlinkat(root, "g", 0), 0);
        }
        sw_auto(sw_fd) fd = -1;
        put_file(root, "old", "kept");
        ck_assert_int_eq(fchmodat(root, "old", 0604, 0), 0);
        ok(sw_path_open(root, "old", O_RDWR | O_CREAT, 0777, &fd));
        ck_assert_uint_eq(mode_of("old"), 0604);
        fails(sw_path_open(root, "old", O_RDWR | O_CREAT | O_EXCL, 0777, &fd), SW_E_EXISTS,
              "\"old\"");
        fails(sw_path_open(root, "new", O_RDWR | O_CREAT, S_IFREG | 0644, &fd),
              SW_E_INVALID, "");
        ck_assert_uint_eq(umask(before), 077);
}
BOTH(created_with_the_mode_exactly)

/* Catches: O_TMPFILE refused or made with the umask's mode. */
static void
unnamed_files(void)
{
        mode_t before = umask(077);
        sw_auto(sw_fd) a = -1, b = -1;
        struct stat st;

        put_dir(root, "d");
        put_link(root, "to_d", "d");
        sw_err *err = sw_path_open(root, "to_d", O_TMPFILE | O_RDWR, 0666, &a);
        if (err && sw_err_errno(err) == EOPNOTSUPP) {
                sw_err_free(err);
                return;
        }
        ok(err);
        ck_assert_int_eq(fstat(a, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0666);
        ok(sw_path_open(root, "/", O_TMPFILE | O_RDWR, 0640, &b));
        ck_assert_int_eq(fstat(b, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        umask(before);
}
BOTH(unnamed_files)

/* Catches: a link that leads nowhere making a file outside, or no file at all. */
static void
creating_through_dangling_links(void)
{
        sw_auto(sw_fd) a = -1, b = -1, c = -1, fd = -1;

        put_dir(root, "d");
        put_link(root, "dangling", "d/made");
        put_link(root, "escape", "../outside/made");
        put_link(root, "absolute", "/d/absolute");
        put_link(root, "slash", "d/slash/");
        ok(sw_path_open(root, "dangling", O_RDWR | O_CREAT, 0640, &a));
        ck_assert_uint_eq(mode_of("d/made"), 0640);
        ok(sw_path_open(root, "absolute", O_RDWR | O_CREAT, 0600, &b));
        ck_assert_uint_eq(mode_of("d/absolute"), 0600);
        fails(sw_path_open(root, "escape", O_RDWR | O_CREAT, 0640, &fd), SW_E_NOT_FOUND,
              "");
        put_dir(root, "outside");
        ok(sw_path_open(root, "escape", O_RDWR | O_CREAT, 0640, &c));
        ck_assert_uint_eq(mode_of("outside/made"), 0640);
        ck_assert_int_ne(faccessat(topfd, "outside/made", F_OK, 0), 0);
        fails(sw_path_open(root, "slash", O_RDWR | O_CREAT, 0640, &fd), SW_E_INVALID, "");
        ck_assert_int_eq(unlinkat(root, "d/made", 0), 0);
        fails(sw_path_open(root, "dangling", O_RDWR | O_CREAT | O_EXCL, 0640, &fd),
              SW_E_EXISTS, "");
        fails(sw_path_open(root, "dangling", O_RDWR | O_CREAT | O_NOFOLLOW, 0640, &fd),
              SW_E_LIMIT, "");
        ck_assert_int_ne(faccessat(root, "d/made", F_OK, 0), 0);
}
BOTH(creating_through_dangling_links)

/* Catches: names cut, names with control bytes printed as they are. */
static void
strange_names(void)
{
        sw_auto(sw_fd) fd = -1;
        char name[NAME_MAX + 2], *path = sw_alloc(PATH_MAX + 10);

        memset(name, 'n', sizeof(name));
        name[NAME_MAX] = 0;
        put_file(root, name, "long");
        ck_assert_str_eq(text_of(name), "long");
        name[NAME_MAX] = 'n';
        name[NAME_MAX + 1] = 0;
        fails(sw_path_open(root, name, O_RDONLY, 0, &fd), SW_E_LIMIT, "");

        put_file(root, "new\nline\x1b[2J", "odd");
        ck_assert_str_eq(text_of("new\nline\x1b[2J"), "odd");
        fails(sw_path_open(root, "no\nline\x1b[2J", O_RDONLY, 0, &fd), SW_E_NOT_FOUND,
              "\"no\\x0aline\\x1b[2J\"");
        put_file(root, "\xff\xfe", "bytes");
        ck_assert_str_eq(text_of("\xff\xfe"), "bytes");
        put_file(root, "...", "dots");
        ck_assert_str_eq(text_of("/..."), "dots");

        memset(path, '/', PATH_MAX + 8);
        memcpy(path + PATH_MAX - 1 - 3, "...", 4); /* as long as a path may be */
        ck_assert_str_eq(text_of(path), "dots");
        path[PATH_MAX - 4] = '/';
        memcpy(path + PATH_MAX - 3, "...", 4);
        fails(sw_path_open(root, path, O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        free(path);
}
BOTH(strange_names)

/* Catches: a FIFO that blocks a look at it, devices opened by mistake, a directory
 * expected and something else found. */
static void
special_files(void)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;

        ck_assert_int_eq(mkfifoat(root, "fifo", 0644), 0);
        put_link(root, "to_fifo", "fifo");
        ok(sw_path_stat(root, "to_fifo", true, &st));
        ck_assert(S_ISFIFO(st.st_mode));
        ok(sw_path_open(root, "to_fifo", O_RDONLY | O_NONBLOCK, 0, &fd));
        sw_fd_clear(&fd);
        ok(sw_path_open(root, "fifo", O_PATH, 0, &fd));
        sw_fd_clear(&fd);
        fails(sw_path_open(root, "fifo/x", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
        fails(sw_path_open(root, "fifo", O_WRONLY | O_NONBLOCK, 0, &fd), SW_E_IO, "");
        if (mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)) == 0) {
                ok(sw_path_stat(root, "null", true, &st));
                ck_assert(S_ISCHR(st.st_mode));
                fails(sw_path_open(root, "null/", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "");
                ok(sw_path_open(root, "null", O_PATH | O_NONBLOCK | O_WRONLY, 0, &fd));
        }
}
BOTH(special_files)

/* Catches: a jump through /proc out of the root; plain links of /proc refused. */
static void
links_of_proc(void)
{
        sw_auto(sw_fd) proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) fd = -1;
        char path[64];

        if (proc < 0)
                return;
        fails(sw_path_open(proc, "self/root/tmp", O_PATH, 0, &fd), SW_E_LIMIT, "");
        fails(sw_path_open(proc, "self/cwd", O_PATH, 0, &fd), SW_E_LIMIT, "");
        fails(sw_path_open(proc, "self/exe", O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        snprintf(path, sizeof(path), "self/fd/%d", topfd);
        fails(sw_path_open(proc, path, O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        unit_append(path, sizeof(path), "/outside");
        fails(sw_path_open(proc, path, O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        fails(sw_path_open(proc, "self/ns/mnt", O_RDONLY, 0, &fd), SW_E_LIMIT, "");
        ok(sw_path_open(proc, "self/exe", O_PATH | O_NOFOLLOW, 0, &fd));
        sw_fd_clear(&fd);
        ok(sw_path_open(proc, "self/status", O_RDONLY, 0, &fd));
}
BOTH(links_of_proc)

/* Catches: components passed although their directory may not be searched. */
static void
permissions(void)
{
        sw_auto(sw_fd) fd = -1;

        put_dir(root, "closed");
        put_file(root, "closed/f", "secret");
        ck_assert_int_eq(fchmodat(root, "closed", 0600, 0), 0);
        if (geteuid() == 0) /* this test runs in a process of its own */
                ck_assert_int_eq(seteuid(65534), 0);
        fails(sw_path_open(root, "closed/f", O_RDONLY, 0, &fd), SW_E_DENIED, "");
        fails(sw_path_open(root, "closed/../closed/f", O_RDONLY, 0, &fd), SW_E_DENIED, "");
        if (getuid() == 0)
                ck_assert_int_eq(seteuid(0), 0);
        else
                ck_assert_int_eq(fchmodat(root, "closed", 0700, 0), 0);
}
BOTH(permissions)

/* Catches: a wrong split, the last link followed, dots or the root handed back as names. */
static void
parents(void)
{
        static const struct {
                const char *path, *dir, *base;
        } good[] = {
                { "f", "/", "f" },
                { "/a/b/f", "a/b", "f" },
                { "a/b", "a", "b" },
                { "a/b///", "a", "b" },
                { "to_b/new", "a/b", "new" },
                { "a/to_f", "a", "to_f" },
                { "to_b", "/", "to_b" },
                { "a/b/.", "a", "b" },
                { "a/b/..", "/", "a" },
                { "to_b/..", "/", "a" },
                { "to_b/.", "a", "b" },
                { "../../f", "/", "f" },
                { "to_b/", "/", "to_b" },
        };
        static const char *const roots[] = {
                "", "/", ".", "..", "/..", "a/..", "to_b/../.."
        };
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_str) none = NULL;

        put_dir(root, "a");
        put_dir(root, "a/b");
        put_link(root, "to_b", "/a/b");
        put_link(root, "a/to_f", "../../outside/canary");
        for (size_t i = 0; i < SW_COUNT(good); i++) {
                sw_auto(sw_fd) dirfd = -1;
                sw_auto(sw_str) base = NULL;
                struct stat st;

                ok(sw_path_open_parent(root, good[i].path, &dirfd, &base));
                ck_assert_int_eq(fstat(dirfd, &st), 0);
                ck_assert_msg(st.st_ino == ino_of(good[i].dir), "%s", good[i].path);
                ck_assert_msg(strcmp(base, good[i].base) == 0, "%s: %s", good[i].path,
                              base);
                ck_assert_int_eq(fcntl(dirfd, F_GETFD), FD_CLOEXEC);
        }
        for (size_t i = 0; i < SW_COUNT(roots); i++)
                fails(sw_path_open_parent(root, roots[i], &fd, &none), SW_E_INVALID, "");
        fails(sw_path_open_parent(root, "no/f", &fd, &none), SW_E_NOT_FOUND, "\"no/f\"");
        ck_assert(fd == -1 && none == NULL);
}
BOTH(parents)

/* Catches: text cut or changed; other things than links read. */
static void
reading_links(void)
{
        sw_auto(sw_str) a = NULL;
        char *target = NULL, *longest = sw_alloc(PATH_MAX);

        put_dir(root, "d");
        put_link(root, "l", "../outside/canary");
        put_link(root, "d/up", "/l");
        ok(sw_path_readlink(root, "d/../l", &a));
        ck_assert_str_eq(a, "../outside/canary");
        memset(longest, 't', PATH_MAX - 1);
        if (symlinkat(longest, root, "longest") == 0) {
                ok(sw_path_readlink(root, "longest", &target));
                ck_assert_str_eq(target, longest);
                free(target);
        }
        free(longest);
        target = NULL;
        fails(sw_path_readlink(root, "d", &target), SW_E_INVALID, "\"d\"");
        fails(sw_path_readlink(root, "d/up/", &target), SW_E_NOT_FOUND, "");
        fails(sw_path_readlink(root, "no", &target), SW_E_NOT_FOUND, "");
        ck_assert_ptr_null(target);
}
BOTH(reading_links)

/* Catches: a wrong mode, an existing directory changed, a way out of the root. */
static void
making_directories(void)
{
        mode_t before = umask(077);
        sw_auto(sw_fd) fd = -1, none = -1;
        struct stat st;

        put_dir(root, "old");
        ck_assert_int_eq(fchmodat(root, "old", 0711, 0), 0);
        put_link(root, "abs", "/old");
        put_link(root, "dangling", "../outside/made");
        put_file(root, "file", "x");
        ok(sw_path_mkdirs(root, "old/x/y/", 0757, &fd));
        ck_assert_uint_eq(mode_of("old"), 0711);
        ck_assert_uint_eq(mode_of("old/x"), 0757);
        ck_assert_uint_eq(mode_of("old/x/y"), 0757);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_ino, ino_of("old/x/y"));
        ck_assert_int_eq(fsync(fd), 0);
        ok(sw_path_mkdirs(root, "abs/z", 0700, NULL));
        ck_assert_uint_eq(mode_of("old/z"), 0700);
        ok(sw_path_mkdirs(root, "old/x/y", 0700, NULL));
        ck_assert_uint_eq(mode_of("old/x/y"), 0757);
        ok(sw_path_mkdirs(root, "dangling/w", 01777, NULL));
        ck_assert_uint_eq(mode_of("outside/made/w"), 01777);
        ck_assert_int_ne(faccessat(topfd, "outside/made", F_OK, 0), 0);
        ok(sw_path_mkdirs(root, "p/../../q", 0755, NULL));
        ck_assert_uint_eq(mode_of("q"), 0755);
        ok(sw_path_mkdirs(root, "/", 0755, NULL));
        ok(sw_path_mkdirs(root, "", 0755, NULL));
        fails(sw_path_mkdirs(root, "file", 0755, &none), SW_E_EXISTS, "\"file\"");
        fails(sw_path_mkdirs(root, "file/x", 0755, &none), SW_E_NOT_FOUND, "");
        ck_assert_int_eq(none, -1);
        umask(before);
}
BOTH(making_directories)

/* Catches: descriptors by depth, a wrong ".." after many directories. */
static void
deep_paths_take_few_descriptors(void)
{
        struct rlimit before, few;
        char path[PATH_MAX] = "", up[PATH_MAX] = "";

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = (rlim_t) dup(root) + 48;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        for (int i = 0; i < 600; i++)
                unit_append(path, sizeof(path), i % 2 ? "b/" : "a/");
        ok(sw_path_mkdirs(root, path, 0755, NULL));
        for (int i = 0; i < 599; i++)
                unit_append(up, sizeof(up), "../");
        put_link(root, "f", "nowhere");
        ck_assert_uint_eq(ino_of(path), ino_of(path));
        unit_append(path, sizeof(path), up);
        ck_assert_uint_eq(ino_of(path), ino_of("a"));
        unit_append(path, sizeof(path), "../../a/b/a");
        ck_assert_uint_eq(ino_of(path), ino_of("a/b/a"));
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
BOTH(deep_paths_take_few_descriptors)

/* Catches: a small path that keeps the resolver busy for minutes. */
static void
expensive_paths_end(void)
{
        sw_auto(sw_fd) fd = -1;
        char target[4000] = "";

        put_dir(root, "d");
        for (int i = 0; i < 780; i++)
                unit_append(target, sizeof(target), "d/../");
        for (int i = 1; i <= 250; i++) {
                char name[8], text[4096];

                snprintf(name, sizeof(name), "x%d", i);
                snprintf(text, sizeof(text), "%sx%d", target, i + 1);
                put_link(root, name, text);
        }
        fails(sw_path_open(root, "x1", O_RDONLY, 0, &fd), SW_E_LIMIT, "");
}
BOTH(expensive_paths_end)

static int
entries(const char *path)
{
        sw_auto(sw_fd) fd = -1;
        char buf[4096];
        int n = 0;

        ok(sw_path_open(root, path, O_RDONLY | O_DIRECTORY, 0, &fd));
        long got = syscall(SYS_getdents64, fd, buf, sizeof(buf));
        for (long at = 0; at < got; n++)
                at += *(unsigned short *) (buf + at + 16);
        return n - 2;
}

/* Catches: half a file, a followed link, a wrong mode, temporary files left behind. */
static void
writing_files(void)
{
        mode_t before = umask(077);
        sw_auto(sw_str) target = NULL;

        put_dir(root, "d");
        put_dir(root, "d/sub");
        put_link(root, "d/l", "../../outside/canary");
        ok(sw_path_write_file(root, "d/f", "one", 3, 0664));
        ck_assert_str_eq(text_of("d/f"), "one");
        ck_assert_uint_eq(mode_of("d/f"), 0664);
        ok(sw_path_write_file(root, "d/f", "", 0, 0600));
        ck_assert_str_eq(text_of("d/f"), "");
        ck_assert_uint_eq(mode_of("d/f"), 0600);
        ok(sw_path_write_file(root, "d/l", "two", 3, 0644));
        ck_assert_str_eq(text_of("d/l"), "two");
        fails(sw_path_readlink(root, "d/l", &target), SW_E_INVALID, "");
        fails(sw_path_write_file(root, "d/sub", "x", 1, 0644), SW_E_INVALID, "\"d/sub\"");
        fails(sw_path_write_file(root, "d/f/", "x", 1, 0644), SW_E_INVALID, "");
        fails(sw_path_write_file(root, "no/f", "x", 1, 0644), SW_E_NOT_FOUND, "");
        fails(sw_path_write_file(root, "/", "x", 1, 0644), SW_E_INVALID, "");
        ck_assert_int_eq(entries("d"), 3);
        umask(before);
}
BOTH(writing_files)

static void
putting_files(void)
{
        put_dir(root, "d");
        sw_auto(sw_fd) d = openat(root, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw_path_put(d, "f", "one", 3));
        ok(sw_path_get(d, "f", 3, &b));
        ck_assert_str_eq(b.data, "one");
        ck_assert_uint_eq(mode_of("d/f"), 0600);
        ok(sw_path_put(d, "f", "", 0));
        sw_buf_clear(&b);
        ok(sw_path_get(d, "f", 0, &b));
        ck_assert_uint_eq(b.len, 0);
        put_dir(root, "d/sub");
        fails(sw_path_put(d, "sub", "x", 1), SW_E_IO, "sub");
        ck_assert_int_eq(entries("d"), 2); /* nothing half made */
}
BOTH(putting_files)

/* Would catch bytes that are handed back unchecked: any one changed, any number missing. */
static void
getting_files(void)
{
        sw_auto(sw_buf) whole = SW_BUF_INIT;
        sw_auto(sw_buf) b = SW_BUF_INIT;

        put_dir(root, "d");
        sw_auto(sw_fd) d = openat(root, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw_path_put(d, "f", "kept", 4));
        ok(sw_buf_read_file(&whole, d, "f", 1000));
        for (size_t i = 0; i < whole.len; i++) {
                whole.data[i] ^= 1;
                ok(sw_path_write_file(d, "f", whole.data, whole.len, 0600));
                fails(sw_path_get(d, "f", 100, &b), SW_E_CORRUPT, "f is damaged");
                whole.data[i] ^= 1;
                ok(sw_path_write_file(d, "f", whole.data, i, 0600));
                fails(sw_path_get(d, "f", 100, &b), SW_E_CORRUPT, "f is damaged");
                ck_assert_uint_eq(b.len, 0);
        }
        ok(sw_path_write_file(d, "f", whole.data, whole.len, 0600));
        fails(sw_path_get(d, "f", 3, &b), SW_E_LIMIT, "");
        ok(sw_path_get(d, "f", SIZE_MAX, &b));
        ck_assert_str_eq(b.data, "kept");
        fails(sw_path_get(d, "none", 3, &b), SW_E_NOT_FOUND, "none");
}
BOTH(getting_files)

/* ---- races ---- */

struct swapper {
        const char *a, *b; /* exchanged again and again, below top */
        atomic_bool stop;
        atomic_ulong swaps;
};

static void *
swap_for_ever(void *arg)
{
        struct swapper *s = arg;

        while (!atomic_load(&s->stop))
                if (syscall(SYS_renameat2, topfd, s->a, topfd, s->b, 2 /* EXCHANGE */) == 0)
                        atomic_fetch_add(&s->swaps, 1);
        return NULL;
}

/* Open @paths again and again while @a and @b change places; count what was opened, and
 * fail when it was ever something outside. */
static unsigned long
race(const char *a, const char *b, const char *const *paths, size_t n, int rounds)
{
        struct swapper s = { .a = a, .b = b };
        unsigned long opened = 0, round = 0;
        pthread_t t;

        ck_assert_int_eq(pthread_create(&t, NULL, swap_for_ever, &s), 0);
        /* go on until the swapper had its turns, whatever else the machine does */
        while (round < (unsigned) rounds ||
               (atomic_load(&s.swaps) < 1000 && round < 100UL * (unsigned) rounds)) {
                sw_auto(sw_fd) fd = -1;
                struct stat st;
                sw_err *err = sw_path_open(root, paths[round++ % n], O_RDONLY, 0, &fd);

                if (err) {
                        sw_err_drop(err, "it may be away just now");
                        continue;
                }
                opened++;
                ck_assert_int_eq(fstat(fd, &st), 0);
                ck_assert_msg(st.st_ino != canary.st_ino || st.st_dev != canary.st_dev,
                              "opened the file outside by %s", paths[(round - 1) % n]);
        }
        atomic_store(&s.stop, true);
        pthread_join(t, NULL);
        ck_assert_uint_gt(atomic_load(&s.swaps), 0);
        return opened;
}

/* Catches: a component looked at and then opened by name again, or ".." taken from the
 * directory that a link led to. */
static void
a_directory_swapped_with_a_link(void)
{
        static const char *const paths[] = {
                "d/canary",      "d/sub/../canary",    "d/../d/canary",
                "x/up/d/canary", "d/sub/../../canary", "d/sub/../../outside/canary",
        };

        put_dir(root, "d");
        put_dir(root, "d/sub");
        put_dir(root, "x");
        put_link(root, "x/up", "..");
        put_file(root, "d/canary", "inside");
        put_link(root, "out", "../../outside");
        ck_assert_uint_gt(race("root/d", "root/out", paths, SW_COUNT(paths), 20000), 0);
        ck_assert_int_eq(unlinkat(root, "out", 0) == 0 || unlinkat(root, "d", 0) == 0, 1);
        put_link(root, faccessat(root, "d", F_OK, 0) == 0 ? "out" : "d", "/../outside");
        ck_assert_uint_gt(race("root/d", "root/out", paths, SW_COUNT(paths), 20000), 0);
}
BOTH(a_directory_swapped_with_a_link)

/* Catches: ".." from a directory that was moved out of the root in between. */
static void
a_directory_moved_out_of_the_root(void)
{
        static const char *const paths[] = {
                "d/sub/../../canary", "d/sub/deep/../../../canary",
                "d/../canary",        "d/sub/deep/../../../outside/canary",
                "d/sub/../canary",
        };

        put_dir(root, "d");
        put_dir(root, "d/sub");
        put_dir(root, "d/sub/deep");
        put_file(root, "canary", "inside");
        put_dir(topfd, "outside/elsewhere");
        ck_assert_uint_gt(race("root/d/sub", "outside/elsewhere", paths, SW_COUNT(paths),
                               20000),
                          0);
}
BOTH(a_directory_moved_out_of_the_root)

/* ---- where there is no openat2 ---- */

/* From now on openat2 fails with @err in this process. */
static void
refuse_openat2(unsigned err)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { SW_COUNT(code), code };

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void
without_openat2(unsigned err)
{
        sw_auto(sw_fd) fd = -1;

        sw__path_force_walk(false);
        setup();
        put_dir(root, "d");
        put_file(root, "d/f", "here");
        put_link(root, "l", "/d/f");
        refuse_openat2(err);
        ck_assert_str_eq(text_of("l"), "here");
        ok(sw_path_mkdirs(root, "d/e", 0755, NULL));
        ok(sw_path_open(root, "d/e/new", O_WRONLY | O_CREAT, 0644, &fd));
        ok(sw_path_write_file(root, "d/f", "then", 4, 0644));
        ck_assert_str_eq(text_of("l"), "then");
        fails(sw_path_open(root, "no", O_RDONLY, 0, &fd), SW_E_NOT_FOUND, "\"no\"");
        teardown();
}

/* Catches: an old kernel or an old seccomp profile (which says EPERM) stopping us. */
START_TEST(kernel_without_openat2)
{
        without_openat2(ENOSYS);
}
END_TEST
START_TEST(filter_refuses_openat2)
{
        without_openat2(EPERM);
}
END_TEST
/* Catches: giving up when renames elsewhere never let openat2 finish. */
START_TEST(openat2_never_gets_through)
{
        without_openat2(EAGAIN);
}
END_TEST

/* ---- both give the same answers ---- */

static unsigned seed;

static unsigned
pick(unsigned n)
{
        seed = seed * 1103515245u + 12345u;
        return (seed >> 16) % n;
}

static void
random_path(char out[256])
{
        static const char *const parts[] = { "a", "b", "c", "..", ".", "", "d", "a" };
        unsigned n = 1 + pick(6);

        out[0] = 0;
        if (pick(4) == 0)
                unit_append(out, 256, "/");
        for (unsigned i = 0; i < n; i++) {
                unit_append(out, 256, parts[pick(SW_COUNT(parts))]);
                if (i + 1 < n || pick(5) == 0)
                        unit_append(out, 256, "/");
        }
}

/* Directories, files and links with names that random_path will hit. */
static void
random_tree(void)
{
        for (int i = 0; i < 60; i++) {
                char path[256], target[256];
                sw_auto(sw_fd) dirfd = -1;
                sw_auto(sw_str) base = NULL;

                random_path(path);
                sw_err *err = sw_path_open_parent(root, path, &dirfd, &base);
                if (err) {
                        sw_err_drop(err, "random");
                        continue;
                }
                random_path(target);
                int rc = pick(3) == 0   ? symlinkat(*target ? target : ".", dirfd, base)
                         : pick(4) == 0 ? mknodat(dirfd, base, S_IFREG | 0644, 0)
                                        : mkdirat(dirfd, base, 0755);
                (void) rc;
        }
}

/* What came of opening @path: the file's name (which goes again when it was made), or the
 * errno. */
static void
outcome(const char *path, int flags, bool walk, char out[PATH_MAX + 32])
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        char proc[64], real[PATH_MAX];

        sw__path_force_walk(walk);
        sw_err *err = sw_path_open(root, path, flags, 0600, &fd);
        if (err) {
                snprintf(out, PATH_MAX + 32, "%s", strerror(sw_err_errno(err)));
                sw_err_free(err);
                return;
        }
        ck_assert_int_eq(fstat(fd, &st), 0);
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(proc, real, sizeof(real) - 1);
        ck_assert_int_gt(n, 0);
        real[n] = 0;
        snprintf(out, PATH_MAX + 32, "%s ino %lu", real, (unsigned long) st.st_ino);
        if (flags & O_CREAT && (st.st_mode & 0777) == 0600)
                ck_assert_int_eq(unlink(real), 0);
        if (flags & O_CREAT) /* a fresh inode has any number */
                snprintf(out, PATH_MAX + 32, "%s %o", real, st.st_mode);
}

/* Catches: any difference between the two ways, of result or of errno. */
START_TEST(both_ways_agree)
{
        static const int flags[] = {
                O_RDONLY,
                O_RDWR,
                O_PATH,
                O_PATH | O_NOFOLLOW,
                O_RDONLY | O_NOFOLLOW,
                O_RDONLY | O_DIRECTORY,
                O_PATH | O_DIRECTORY | O_NOFOLLOW,
                O_RDWR | O_CREAT,
                O_RDWR | O_CREAT | O_NOFOLLOW,
                O_RDWR | O_CREAT | O_EXCL,
                O_RDONLY | O_CREAT,
        };
        static char a[PATH_MAX + 32], b[PATH_MAX + 32];

        for (unsigned tree = 1; tree <= 25; tree++) {
                setup();
                seed = tree;
                random_tree();
                for (int i = 0; i < 200; i++) {
                        char path[256];
                        int f = flags[pick(SW_COUNT(flags))];

                        random_path(path);
                        outcome(path, f, false, a);
                        outcome(path, f, true, b);
                        ck_assert_msg(strcmp(a, b) == 0,
                                      "tree %u, \"%s\" flags %#o: openat2 %s, walk %s",
                                      tree, path, (unsigned) f, a, b);
                }
                teardown();
        }
}
END_TEST

UNIT_MAIN("path", plain_paths_openat2, plain_paths_walk, the_root_is_a_floor_openat2,
          the_root_is_a_floor_walk, links_stay_inside_openat2, links_stay_inside_walk,
          absolute_links_start_at_the_root_openat2, absolute_links_start_at_the_root_walk,
          loops_and_chains_of_links_openat2, loops_and_chains_of_links_walk,
          last_component_links_openat2, last_component_links_walk, trailing_slashes_openat2,
          trailing_slashes_walk, created_with_the_mode_exactly_openat2,
          created_with_the_mode_exactly_walk, unnamed_files_openat2, unnamed_files_walk,
          creating_through_dangling_links_openat2, creating_through_dangling_links_walk,
          strange_names_openat2, strange_names_walk, special_files_openat2,
          special_files_walk, links_of_proc_openat2, links_of_proc_walk,
          permissions_openat2, permissions_walk, parents_openat2, parents_walk,
          reading_links_openat2, reading_links_walk, making_directories_openat2,
          making_directories_walk, putting_files_openat2, putting_files_walk,
          getting_files_openat2, getting_files_walk,
          deep_paths_take_few_descriptors_openat2, deep_paths_take_few_descriptors_walk,
          expensive_paths_end_openat2, expensive_paths_end_walk, writing_files_openat2,
          writing_files_walk, a_directory_swapped_with_a_link_openat2,
          a_directory_swapped_with_a_link_walk, a_directory_moved_out_of_the_root_openat2,
          a_directory_moved_out_of_the_root_walk, kernel_without_openat2,
          filter_refuses_openat2, openat2_never_gets_through, both_ways_agree)
