/*
 * tests/unit/lib/snapdir/snapdir_test.c - what the contract suite of snapshotters cannot
 * see from outside: how files are copied, what is known of a copy, how whiteouts are kept,
 * that attributes of overlayfs stay out, what is left out of a layer.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "lib/snapdir/snapdir.h"
#include "tests/unit/tmp.h"

static char top[256];
static int here;
static struct snapdir *s;

static void
setup(void)
{
        unit_mkdtemp(top, sizeof(top), "snapdir");
        here = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(snapdir_open(here, &s));
}

static void
teardown(void)
{
        sw_auto(sw_fd) root = open("/", O_PATH | O_CLOEXEC);

        if (s)
                snapdir_close(s);
        ok(sw_path_remove(root, top));
        (void) close(here);
}

#define STACK(...)                                                                         \
        (&(const struct sw_stack){ (const char *const[]){ __VA_ARGS__ },                   \
                                   sizeof((const char *const[]){ __VA_ARGS__ }) /          \
                                           sizeof(const char *) })

static const struct sw_layer_meta dir_meta = { 0755, 0, 0, 5 },
                                  file_meta = { 0644, 0, 0, 5 };
static const struct sw_layer_ops *ops;
static void *w;

static void
begin(const char *key, const struct sw_stack *lower)
{
        ok(snapdir_prepare(s, key, lower));
        ok(snapdir_write(s, NULL, key, &ops, &w));
}

static void
commit(const char *key)
{
        ok(ops->finish(w));
        ok(snapdir_commit(s, key));
}

static bool
there(const char *path)
{
        return faccessat(here, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- copies of contents ---------------------------------------------------------------
 */

/* A file of @len bytes with something every @step bytes, and holes between. */
static int
make_sparse(int64_t len, int64_t step)
{
        int fd = openat(here, "source", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_eq(ftruncate(fd, len), 0);
        for (int64_t at = 0; at < len; at += step)
                ck_assert_int_eq(pwrite(fd, &at, sizeof(at), at) > 0, 1);
        return fd;
}

static void
check_equal(int a, int64_t off, int b, int64_t len)
{
        static char x[65536], y[65536];

        for (int64_t at = 0; at < len; at += (int64_t) sizeof(x)) {
                ssize_t n = pread(a, x, sizeof(x), off + at);
                ssize_t m = pread(b, y, sizeof(y), at);

                n = n > len - at ? len - at : n;
                ck_assert_int_eq(n, m);
                ck_assert_int_eq(memcmp(x, y, (size_t) n), 0);
        }
}

/* Ranges of files with and without holes; on the way holes stay holes. */
START_TEST(copies_ranges)
{
        static const struct {
                int64_t len, step, off, want;
        } c[] = {
                { 10, 8, 0, 10 },
                { 200000, 100, 0, 200000 },
                { 200000, 100, 777, 150001 },
                { 8 << 20, 3 << 20, 0, 8 << 20 },
                { 8 << 20, 3 << 20, 100, (8 << 20) - 100 },
                { 8 << 20, 3 << 20, (3 << 20) - 5, 4 << 20 },
                { 1 << 20, 2 << 20, 4096, (1 << 20) - 4096 },
                { 4096, 100, 4096, 0 },
        };
        atomic_bool no_clone = false;

        for (size_t i = 0; i < SW_COUNT(c); i++) {
                sw_auto(sw_fd) in = make_sparse(c[i].len, c[i].step);
                sw_auto(sw_fd) out =
                        openat(here, "copy", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                struct stat a, b;

                ok(snapdir_copy(in, c[i].off, c[i].want, out, &no_clone, NULL));
                ck_assert_int_eq(fstat(out, &b), 0);
                ck_assert_int_eq(b.st_size, c[i].want);
                check_equal(in, c[i].off, out, c[i].want);
                ck_assert_int_eq(fstat(in, &a), 0);
                ck_assert_int_le(b.st_blocks, a.st_blocks + 256);
        }
}
END_TEST

START_TEST(refuses_ranges)
{
        sw_auto(sw_fd) in = make_sparse(1000000, 100);
        sw_auto(sw_fd) out = openat(here, "copy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        atomic_bool no_clone = true;

        fails(snapdir_copy(in, 0, 1000001, out, &no_clone, NULL), SW_E_IO, "shorter");
        fails(snapdir_copy(in, 999990, 11, out, &no_clone, NULL), SW_E_IO, "shorter");
        fails(snapdir_copy(in, -1, 5, out, &no_clone, NULL), SW_E_INVALID, "");
        fails(snapdir_copy(in, INT64_MAX, 5, out, &no_clone, NULL), SW_E_INVALID, "");
        fails(snapdir_copy(in, 0, -5, out, &no_clone, NULL), SW_E_INVALID, "");
}
END_TEST

/* Files of /proc have no size and refuse what is quicker than reading. */
START_TEST(copies_what_is_only_read)
{
        sw_auto(sw_fd) in = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        sw_auto(sw_fd) out = openat(here, "copy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        atomic_bool no_clone = false;

        ok(snapdir_copy(in, 0, 100, out, &no_clone, NULL));
        ck_assert_int_eq(lseek(out, 0, SEEK_END), 100);
}
END_TEST

/* ---- what is known of a copied tree ----------------------------------------------------
 */

static bool
is_same(const struct snapdir_copied *c, const char *copy, const char *from)
{
        struct stat a, b;

        ck_assert_int_eq(fstatat(here, copy, &a, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert_int_eq(fstatat(here, from, &b, AT_SYMLINK_NOFOLLOW), 0);
        return snapdir_copied_same(c, a.st_ino, &a.st_ctim, 0, b.st_ino);
}

/* Would catch: a file that was changed and given its old size and time again, or moved, and
 * is taken for the old one. */
START_TEST(knows_what_was_touched)
{
        struct snapdir_copied c = { .files = NULL };
        sw_strlist sources = { 0 };
        struct stat st;

        begin("a", STACK());
        for (const char *n = "abcd"; *n; n++) {
                const char name[2] = { *n, 0 };

                ok(ops->data(w, name, &file_meta, name, 1));
        }
        ok(ops->hardlink(w, "e", "d", &file_meta));
        commit("a");
        sw_strlist_add(&sources, "c/a/fs");
        ck_assert_int_eq(mkdirat(here, "m", 0700), 0);
        ok(snapdir_copy_tree(s, NULL, &sources, "m", &c));

        ck_assert_int_eq(fstatat(here, "m/e", &st, 0), 0);
        ck_assert_uint_eq(st.st_nlink, 2);
        const struct timespec old[2] = { st.st_mtim, st.st_mtim };
        sw_auto(sw_fd) b = openat(here, "m/b", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(write(b, "X", 1), 1);
        ck_assert_int_eq(utimensat(here, "m/b", old, 0), 0);
        ck_assert_int_eq(renameat(here, "m/c", here, "m/d2"), 0);
        ck_assert_int_eq(mkdirat(here, "m/dir", 0755), 0);
        ck_assert(!is_same(&c, "m/b", "c/a/fs/b"));
        ck_assert(!is_same(&c, "m/d2", "c/a/fs/d"));
        ck_assert(!is_same(&c, "m/dir", "c/a/fs/a"));
        /* untouched ones may be unknown, when all happened within one tick; not wrong */
        c.when.tv_sec++;
        ck_assert(is_same(&c, "m/a", "c/a/fs/a"));
        ck_assert(!is_same(&c, "m/a", "c/a/fs/b"));
        snapdir_copied_release(&c);
        sw_strlist_release(&sources);
}
END_TEST

/* ---- whiteouts and marks ---------------------------------------------------------------
 */

START_TEST(keeps_whiteouts_as_files)
{
        struct stat st;
        sw_auto(sw_fd) fd = -1;

        snapdir_close(s);
        s = NULL;
        fd = openat(here, "w", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ok(snapdir_open(here, &s));
        ck_assert(s->file_whiteouts);
        begin("a", STACK());
        ok(ops->whiteout(w, "gone"));
        /* looks like one, and is none */
        const struct sw_layer_meta odd = { 01400, 0, 0, 5 };
        ok(ops->data(w, "empty", &odd, "", 0));
        commit("a");
        ck_assert_int_eq(fstatat(here, "c/a/fs/gone", &st, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert(S_ISREG(st.st_mode));
        ck_assert(snapdir_is_whiteout(s, here, "c/a/fs/gone", &st));
        ck_assert_int_eq(fstatat(here, "c/a/fs/empty", &st, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert(!snapdir_is_whiteout(s, here, "c/a/fs/empty", &st));
        ck_assert(!snapdir_is_plain(s, 'c', "a"));
}
END_TEST

/* Attributes by which overlayfs marks things are no part of a tree, wherever they are
 * from: a command with the right to set them must not make others' layers look different.
 */
START_TEST(leaves_private_attributes_out)
{
        struct snapdir_work *work;
        char path[SNAPDIR_PATH], value[8];
        sw_auto(sw_strlist) names = { 0 };

        begin("a", STACK());
        ok(ops->mkdir(w, "d", &dir_meta));
        ok(ops->data(w, "d/f", &file_meta, "f", 1));
        commit("a");
        ok(snapdir_prepare(s, "b", STACK("a")));
        ok(snapdir_work_begin(s, NULL, "b", &work, path));
        sw_auto(sw_fd) fd = openat(here, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) d = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(fsetxattr(d, snapdir_attr_opaque(s), "y", 1, 0), 0);
        ck_assert_int_eq(fchmod(d, 0700), 0);
        ok(snapdir_work_end(work));
        ok(snapdir_commit(s, "b"));
        sw_auto(sw_fd) kept = openat(here, "c/b/fs/d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(kept, 0);
        ck_assert_int_lt(fgetxattr(kept, snapdir_attr_opaque(s), value, sizeof(value)), 0);
        ok(snapdir_attr_list(kept, NULL, &names));
        for (size_t i = 0; i < names.n; i++)
                ck_assert(!snapdir_attr_private(names.v[i]));
}
END_TEST

/* ---- a layer has what was changed ------------------------------------------------------
 */

/* A directory that was renamed is told whole, where it is now; the old name is gone; a
 * directory of the same name in its place hides nothing of what is above. */
START_TEST(takes_renamed_directories)
{
        struct snapdir_work *work;
        char path[SNAPDIR_PATH];

        begin("a", STACK());
        ok(ops->mkdir(w, "d", &dir_meta));
        ok(ops->data(w, "d/f", &file_meta, "f", 1));
        ok(ops->mkdir(w, "d/s", &dir_meta));
        ok(ops->data(w, "d/s/g", &file_meta, "g", 1));
        ok(ops->data(w, "same", &file_meta, "s", 1));
        commit("a");
        ok(snapdir_prepare(s, "b", STACK("a")));
        ok(snapdir_work_begin(s, NULL, "b", &work, path));
        sw_auto(sw_fd) fd = openat(here, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(renameat(fd, "d", fd, "moved"), 0);
        ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
        ck_assert_int_eq(mkdirat(fd, "d/new", 0755), 0);
        ok(snapdir_work_end(work));
        ck_assert(!there("a/b/m"));
        ok(snapdir_commit(s, "b"));
        ck_assert(there("c/b/fs/moved/f"));
        ck_assert(there("c/b/fs/moved/s/g"));
        ck_assert(there("c/b/fs/d/new"));
        ck_assert(there("c/b/fs/d/s")); /* a whiteout */
        ck_assert(!there("c/b/fs/d/s/g"));
        ck_assert(!there("c/b/fs/same"));
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_strlist) dirs = { 0 };
        sw_auto(sw_strlist) names = { 0 };
        struct snapdir_look *l;
        ok(snapdir_stack_check(s, STACK("a", "b"), &st));
        snapdir_stack_dirs(&st, &dirs);
        ok(snapdir_look_open(s, &dirs, &l));
        ok(snapdir_look_names(l, "d", &names));
        ck_assert_uint_eq(names.n, 1);
        ck_assert_str_eq(names.v[0], "new");
        snapdir_look_close(l);
}
END_TEST

/* Directories that overlayfs copied up and nobody changed go, others stay, and times of
 * those above do not change. */
START_TEST(trims)
{
        const struct sw_layer_meta other = { 0700, 0, 0, 5 }, later = { 0755, 0, 0, 6 };
        struct stat st;

        begin("a", STACK());
        ok(ops->mkdir(w, "d", &dir_meta));
        ok(ops->mkdir(w, "d/same", &dir_meta));
        ok(ops->mkdir(w, "d/same/deep", &dir_meta));
        ok(ops->mkdir(w, "d/mode", &dir_meta));
        ok(ops->mkdir(w, "d/time", &dir_meta));
        ok(ops->mkdir(w, "d/attr", &dir_meta));
        ok(ops->mkdir(w, "d/opaque", &dir_meta));
        ok(ops->data(w, "d/file", &file_meta, "f", 1));
        commit("a");
        begin("b", STACK("a"));
        ok(ops->mkdir(w, "d", &dir_meta));
        ok(ops->mkdir(w, "d/same", &dir_meta));
        ok(ops->mkdir(w, "d/same/deep", &dir_meta));
        ok(ops->mkdir(w, "d/mode", &other));
        ok(ops->mkdir(w, "d/time", &later));
        ok(ops->mkdir(w, "d/attr", &dir_meta));
        ok(ops->xattr(w, "d/attr", "user.x", "y", 1));
        ok(ops->mkdir(w, "d/opaque", &dir_meta));
        ok(ops->opaque(w, "d/opaque"));
        ok(ops->mkdir(w, "d/file", &dir_meta));
        ok(ops->mkdir(w, "d/new", &dir_meta));
        ok(ops->finish(w));
        ok(snapdir_trim(s, NULL, "b"));
        ck_assert(!there("a/b/fs/d/same"));
        ck_assert(there("a/b/fs/d/mode"));
        ck_assert(there("a/b/fs/d/time"));
        ck_assert(there("a/b/fs/d/attr"));
        ck_assert(there("a/b/fs/d/opaque"));
        ck_assert(there("a/b/fs/d/file"));
        ck_assert(there("a/b/fs/d/new"));
        ck_assert_int_eq(fstatat(here, "a/b/fs/d", &st, 0), 0);
        ck_assert_int_eq(st.st_mtim.tv_sec, 0);
        ck_assert_int_eq(st.st_mtim.tv_nsec, 5);
}
END_TEST

UNIT_MAIN_WITH("lib/snapdir", setup, teardown, copies_ranges, refuses_ranges,
               copies_what_is_only_read, knows_what_was_touched, keeps_whiteouts_as_files,
               leaves_private_attributes_out, takes_renamed_directories, trims)
