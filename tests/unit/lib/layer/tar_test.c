/*
 * lib/layer: what the tar writer makes is what tar(1) and Python read back, and the same
 * tree always gives the same bytes. Catches wrong header fields, pax lengths, lost hard
 * links, attributes in the wrong place, names at the limits of their fields.
 */
#include "lib/layer/tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/buf.h>

#include "lib/layer/tarhead.h"
#include "lib/layer/walk.h"
#include "tests/unit/lib/layer/trees.h"

static int
open_dir(const char *name)
{
        int fd = openat(here, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

/* Archive the directory @from as @to. */
static void
archive(const char *from, const char *to, int64_t epoch)
{
        const struct sw_walk_opts opts = { .no_root = true, .epoch = epoch };
        sw_auto(sw_fd) tree = open_dir(from);
        sw_auto(sw_fd) fd = openat(here, to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        struct sw_tar_fd out;
        struct sw_tar_sink sink;

        ck_assert_int_ge(fd, 0);
        sw_tar_fd_init(&out, fd, &sink);
        sw_tar *t = sw_tar_new(NULL, &sink);
        ok(sw_layer_walk(NULL, tree, &opts, sw_tar_ops(), t));
        ok(sw_tar_ops()->finish(t));
        ok(sw_tar_fd_flush(&out));
        sw_tar_fd_release(&out);
}

/* What tar(1) unpacks is the tree, seen by find(1). */
START_TEST(test_round_trip)
{
        free(shell(make_tree));
        archive("t", "t.tar", -1);
        free(shell("mkdir out; tar --xattrs --xattrs-include='*' -xpf t.tar -C out"));
        sw_auto(sw_str) first = sw_asprintf("cd t; %s", look_at_tree);
        sw_auto(sw_str) second = sw_asprintf("cd out; %s", look_at_tree);
        sw_auto(sw_str) want = shell(first);
        sw_auto(sw_str) got = shell(second);
        /* Times of directories change by unpacking only where tar does not set them. */
        ck_assert_str_eq(want, got);
        ck_assert_int_gt((int) strlen(want), 1000);
}
END_TEST

/* Python's reader, strict about checksums and pax, sees the same names. */
START_TEST(test_python)
{
        free(shell(make_tree));
        archive("t", "t.tar", -1);
        sw_auto(sw_str) want =
                shell("cd t; find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort");
        sw_auto(sw_str) got =
                shell("python3 -c 'import tarfile\n"
                      "t = tarfile.open(\"t.tar\", errors=\"surrogateescape\")\n"
                      "for n in sorted(t.getnames(), key=lambda s: s.encode()):\n"
                      "  print(n)'");
        ck_assert_str_eq(want, got);
}
END_TEST

/* Order of making, inode numbers and places do not show. */
START_TEST(test_same_bytes)
{
        free(shell("mkdir x y; cd x; mkdir d; echo 1 >d/a; ln d/a d/b; echo 2 >c; cd ../y\n"
                   "echo 2 >c; mkdir d; echo 1 >d/b; ln d/b d/a"));
        archive("x", "x.tar", INT64_C(1000000000000000000));
        archive("y", "y.tar", INT64_C(1000000000000000000));
        free(shell("cmp x.tar y.tar; tar -tvf x.tar --utc | grep -c '2001-09-09 01:46'"));
}
END_TEST

/* Deeper than descriptors are kept for, and back. */
START_TEST(test_deep)
{
        free(shell("mkdir t; cd t; p=.; for i in $(seq 300); do p=$p/d; done; mkdir -p $p\n"
                   "echo end >$p/file; p=.; for i in $(seq 100); do p=$p/d; done; echo z "
                   ">$p/z"));
        archive("t", "t.tar", -1);
        sw_auto(sw_str) n = shell("tar -tf t.tar | wc -l");
        ck_assert_str_eq(n, "302\n");
}
END_TEST

/* A layer's markers. */
/* Would catch a time that gets later, and one of an entry that is forgotten. */
START_TEST(test_clamped)
{
        const struct sw_layer_meta early = { .mode = 0755, .mtime = INT64_C(5000000000) };
        const struct sw_layer_meta late = { .mode = 0644, .mtime = INT64_C(99000000000) };
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_auto(sw_fd) fd = openat(here, "x.tar", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        struct sw_tar_fd f;
        struct sw_tar_sink sink;
        sw_tar *t;

        sw_tar_fd_init(&f, fd, &sink);
        t = sw_tar_new(NULL, &sink);
        sw_tar_clamp(t, INT64_C(10000000000));
        ok(ops->mkdir(t, "d", &early));
        ok(ops->data(t, "d/f", &late, "x", 1));
        ok(ops->symlink(t, "d/l", &late, "f"));
        ok(ops->finish(t));
        ok(sw_tar_fd_flush(&f));
        sw_tar_fd_release(&f);
        sw_auto(sw_str) said = shell("TZ=UTC tar --full-time -tvf x.tar | "
                                     "while read -r a b c d e f g; do echo $d $e; done");
        ck_assert_str_eq(said, "1970-01-01 00:00:05\n1970-01-01 00:00:10\n"
                               "1970-01-01 00:00:10\n");
}
END_TEST

START_TEST(test_markers)
{
        const struct sw_layer_meta m = { .mode = 0755 };
        struct sw_tar_fd out;
        struct sw_tar_sink sink;
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_auto(sw_fd) fd = openat(here, "l.tar", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        sw_tar_fd_init(&out, fd, &sink);
        sw_tar *t = sw_tar_new(NULL, &sink);
        ok(ops->mkdir(t, "", &m));
        ok(ops->whiteout(t, "gone"));
        ok(ops->mkdir(t, "dir", &m));
        ok(ops->opaque(t, "dir"));
        ok(ops->whiteout(t, "dir/too"));
        ok(ops->data(t, "dir/hello", &m, "hello\n", 6));
        ok(ops->xattr(t, "dir/hello", "user.k", "v", 1));
        fails(ops->xattr(t, "other", "user.k", "v", 1), SW_E_INVALID, "");
        fails(ops->xattr(t, "dir/hello", "user.a=b", "v", 1), SW_E_INVALID, "");
        ok(ops->finish(t));
        ok(sw_tar_fd_flush(&out));
        sw_tar_fd_release(&out);
        sw_auto(sw_str) names = shell("tar -tf l.tar; tar -xOf l.tar dir/hello");
        ck_assert_str_eq(names,
                         "./\n.wh.gone\ndir/\ndir/.wh..wh..opq\ndir/.wh.too\ndir/hello\n"
                         "hello\n");
}
END_TEST

/* A file that is shorter than was said when its turn comes is an error, not a short entry.
 */
START_TEST(test_shrinking)
{
        const struct sw_layer_meta m = { .mode = 0644 };
        struct sw_tar_fd out;
        struct sw_tar_sink sink;
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_auto(sw_fd) fd = openat(here, "s.tar", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

        free(shell("head -c 100000 /dev/zero >f; head -c 10 /dev/zero >g"));
        for (int i = 0; i < 2; i++) {
                sw_auto(sw_fd) f = openat(here, i ? "g" : "f", O_RDWR | O_CLOEXEC);

                sw_tar_fd_init(&out, fd, &sink);
                sw_tar *t = sw_tar_new(NULL, &sink);
                ok(ops->file(t, "f", &m, f, 0, i ? 10 : 100000));
                ck_assert_int_eq(ftruncate(f, 5), 0);
                fails(ops->finish(t), SW_E_IO, "");
                sw_tar_fd_release(&out);
        }
}
END_TEST

/* Numbers beyond the fields of ustar. */
START_TEST(test_large)
{
        const struct sw_tar_entry e = { .type = '0',
                                        .name = "huge",
                                        .link = "",
                                        .mode = 0644,
                                        .uid = UINT32_MAX,
                                        .gid = 07777777,
                                        .size = INT64_C(9) << 30,
                                        .mtime = -1 };
        sw_auto(sw_buf) head = SW_BUF_INIT, none = SW_BUF_INIT;
        const sw_strlist no_names = { 0 };

        ok(sw_tar_head(&head, &e, &no_names, &none));
        sw_auto(sw_fd) fd = openat(here, "h.tar", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_int_eq((int) write(fd, head.data, head.len), (int) head.len);
        sw_auto(sw_str) got =
                shell("python3 -c 'import tarfile\n"
                      "i = tarfile.open(\"h.tar\").next()\n"
                      "print(i.name, i.uid, i.gid, i.size, int(i.mtime), oct(i.mode))'");
        ck_assert_str_eq(got, "huge 4294967295 2097151 9663676416 -1 0o644\n");
}
END_TEST

UNIT_MAIN_WITH("lib/layer/tar", setup, teardown, test_clamped, test_round_trip, test_python,
               test_same_bytes, test_deep, test_markers, test_shrinking, test_large)
