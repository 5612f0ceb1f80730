/*
 * lib/layer/unpack: archives that tar(1) and Python make, unpacked into a layer,
 * look as what tar(1) makes of them; told to the tar writer, they are an archive from which
 * tar(1) makes the same. Catches fields that are read in another way than others do.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/layer/tar.h"
#include "lib/layer/unpack.h"
#include "lib/snapdir/snapdir.h"
#include "tests/unit/lib/layer/trees.h"

static sw_err *
read_fd(void *arg, void *p, size_t n, size_t *got)
{
        const ssize_t r = read(*(int *) arg, p, n);

        *got = r > 0 ? (size_t) r : 0;
        return r < 0 ? sw_err_sys(SW_E_IO, errno, "read") : SW_OK;
}

static sw_err *
unpack_file(const char *name, const struct sw_layer_ops *ops, void *w)
{
        static const struct sw_unpack_opts opts;
        struct sw_unpack_result r = { 0 };
        sw_auto(sw_fd) fd = openat(here, name, O_RDONLY | O_CLOEXEC);
        const struct sw_reader in = { .read = read_fd, .arg = &fd };
        sw_err *err = sw_layer_unpack(NULL, &in, &opts, ops, w, &r);

        ck_assert_int_ge(fd, 0);
        sw_unpack_result_release(&r);
        return err;
}

/* Into the layer store/a/l/fs. */
static sw_err *
into_layer(const char *name)
{
        const struct sw_stack nothing = { NULL, 0 };
        const struct sw_layer_ops *ops;
        struct snapdir *s;
        void *w;

        free(shell("rm -rf store; mkdir store"));
        sw_auto(sw_fd) dir = openat(here, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(snapdir_open(dir, &s));
        ok(snapdir_prepare(s, "l", &nothing));
        ok(snapdir_write(s, NULL, "l", &ops, &w));
        sw_err *err = unpack_file(name, ops, w);
        if (err)
                ops->abandon(w);
        else
                ok(ops->finish(w));
        snapdir_close(s);
        return err;
}

static void
into_tar(const char *name, const char *to)
{
        sw_auto(sw_fd) fd = openat(here, to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        struct sw_tar_fd out;
        struct sw_tar_sink sink;

        sw_tar_fd_init(&out, fd, &sink);
        sw_tar *t = sw_tar_new(NULL, &sink);
        ok(unpack_file(name, sw_tar_ops(), t));
        ok(sw_tar_ops()->finish(t));
        ok(sw_tar_fd_flush(&out));
        sw_tar_fd_release(&out);
}

static char *
look(const char *dir)
{
        sw_auto(sw_str) line = sw_asprintf("cd %s; %s", dir, look_at_tree);

        return shell(line);
}

/* "x.tar", made by @line, unpacked by us and by tar(1) is the same, straight and by way of
 * an archive of our own. */
static void
compare(const char *line)
{
        static const char unpack[] =
                "rm -rf %s; mkdir %s; tar --xattrs --xattrs-include='*' "
                "-xpf %s -C %s";

        free(shell(line));
        sw_auto(sw_str) theirs = sw_asprintf(unpack, "out", "out", "x.tar", "out");
        free(shell(theirs));
        sw_auto(sw_str) want = look("out");
        ok(into_layer("x.tar"));
        sw_auto(sw_str) got = look("store/a/l/fs");
        ck_assert_msg(!strcmp(want, got), "%s:\n%s\n---\n%s", line, want, got);
        into_tar("x.tar", "y.tar");
        sw_auto(sw_str) ours = sw_asprintf(unpack, "out2", "out2", "y.tar", "out2");
        free(shell(ours));
        sw_auto(sw_str) again = look("out2");
        ck_assert_msg(!strcmp(want, again), "%s, again:\n%s\n---\n%s", line, want, again);
        ck_assert_int_gt((int) strlen(want), 300);
}

/* Larger than what goes through memory; holes in it. */
static const char more_files[] =
        "cd t; head -c 2500000 /dev/urandom >large; truncate -s 2M hole; exec python3 -c "
        "'\n"
        "with open(\"holes\", \"wb\") as f: f.seek(3000000); f.write(b\"x\"); "
        "f.truncate(5000000)\n"
        "with open(\"many\", \"wb\") as f:\n"
        "  for i in range(60): f.seek(i * 65536); f.write(b\"y\")'";

static void
make_trees(void)
{
        free(shell(make_tree));
        free(shell(more_files));
}

START_TEST(test_gnu_tar)
{
        make_trees();
        compare("tar --format=gnu -cf x.tar -C t .");
        compare("tar --format=pax --xattrs -cf x.tar -C t .");
        compare("tar --format=gnu --sparse -cf x.tar -C t .");
        compare("tar --format=pax --sparse --sparse-version=0.0 -cf x.tar -C t .");
        compare("tar --format=pax --sparse --sparse-version=0.1 -cf x.tar -C t .");
        compare("tar --format=pax --sparse --sparse-version=1.0 --xattrs -cf x.tar -C t .");
}
END_TEST

/* Formats that have no long names, large numbers, devices. */
START_TEST(test_old_tar)
{
        make_trees();
        free(shell("cd t; rm -rf d0* 0* longlink null disk pipe; chown -h 0:0 sparse || :; "
                   "touch -d @5 big"));
        compare("tar --format=ustar -cf x.tar -C t .");
        compare("tar --format=oldgnu -cf x.tar -C t .");
        compare("tar --format=v7 -cf x.tar -C t a empty big sparse nothing large dangling");
        compare("tar --format=ustar -P --transform='s,^[.]/,/,' -cf x.tar -C t .");
}
END_TEST

START_TEST(test_python)
{
        static const char make[] =
                "python3 -c 'import tarfile, sys\n"
                "t = tarfile.open(\"x.tar\", \"w\", format=getattr(tarfile, "
                "sys.argv[1] + \"_FORMAT\"))\n"
                "t.add(\"t\", \".\")\n"
                "t.close()' ";

        make_trees();
        sw_auto(sw_str) gnu = sw_asprintf("%sGNU", make);
        sw_auto(sw_str) pax = sw_asprintf("%sPAX", make);
        compare(gnu);
        compare(pax);
}
END_TEST

/* Packed in one way or another. */
START_TEST(test_packed)
{
        make_trees();
        compare("tar -cf - -C t . | gzip >x.tar");
        compare("tar -cf - -C t . | gzip -9N >x.tar");
        compare("tar -cf - -C t . | zstd -q >x.tar");
        compare("tar -cf z.tar -C t .; split -b 100000 z.tar part.; for p in part.*; do "
                "gzip "
                "-nc <$p; : | gzip -c; done >x.tar; rm part.*");
        compare("split -b 300000 z.tar part.; for p in part.*; do zstd -qc <$p; printf "
                "'\\120\\052\\115\\030\\3\\0\\0\\0abc'; done >x.tar; rm part.*");
}
END_TEST

/* What the tar writer made is, told to it again, the same bytes. */
START_TEST(test_fixed_point)
{
        make_trees();
        free(shell("tar --format=pax --xattrs -cf x.tar -C t ."));
        into_tar("x.tar", "y.tar");
        into_tar("y.tar", "z.tar");
        free(shell("cmp y.tar z.tar"));
}
END_TEST

/* Times to the nanosecond, of directories that were filled later, too. */
START_TEST(test_times)
{
        free(shell("mkdir -p t/d/e; echo x >t/d/f; echo y >t/d/e/g; for f in t/d/f t/d/e/g "
                   "t/d/e "
                   "t/d; do touch -d '2001-02-03 04:05:06.123456789Z' $f; done; tar "
                   "--format=pax -cf x.tar -C t d/f d/e/g d/e d"));
        ok(into_layer("x.tar"));
        sw_auto(sw_str) got = shell("cd store/a/l/fs; find d -printf '%T@\\n' | sort -u");
        ck_assert_str_eq(got, "981173106.1234567890\n");
}
END_TEST

/* Broken in every way a packed stream can be. */
START_TEST(test_broken)
{
        static const struct {
                const char *make;
                enum sw_code code;
                const char *part;
        } bad[] = {
                { "head -c 5000 g >x.tar", SW_E_CORRUPT, "early" },
                { "head -c 3 g >x.tar", SW_E_CORRUPT, "early" },
                { "cat g >x.tar; printf '\\1\\1\\1\\1' | dd of=x.tar bs=1 seek=$(($(stat "
                  "-c %s "
                  "g) - 8)) conv=notrunc status=none",
                  SW_E_CORRUPT, "checksum" },
                { "cat g >x.tar; printf '\\1\\1\\1\\1' | dd of=x.tar bs=1 seek=$(($(stat "
                  "-c %s "
                  "g) - 4)) conv=notrunc status=none",
                  SW_E_CORRUPT, "checksum" },
                { "cat g >x.tar; printf zzzzzzzzzzzzz | dd of=x.tar bs=1 seek=4000 "
                  "conv=notrunc status=none",
                  SW_E_CORRUPT, "gzip" },
                { "(cat g; echo rubbish) >x.tar", SW_E_CORRUPT, "rubbish" },
                { "(cat g; head -c 512 /dev/zero) >x.tar", SW_E_CORRUPT, "rubbish" },
                { "head -c 5000 z >x.tar", SW_E_CORRUPT, "early" },
                { "(cat z; head -c 4 z) >x.tar", SW_E_CORRUPT, "early" },
                { "cat z >x.tar; printf zzzz | dd of=x.tar bs=1 seek=4000 conv=notrunc "
                  "status=none",
                  SW_E_CORRUPT, "zstd" },
                { "(cat z; echo rubbish) >x.tar", SW_E_CORRUPT, "rubbish" },
                { "printf '\\050\\265\\057\\375\\040\\050\\001\\000\\000' >x.tar",
                  SW_E_CORRUPT, "zstd" },
        };

        free(shell(
                "mkdir t; seq 30000 >t/f; tar -cf - -C t . | tee y | gzip >g; zstd --check "
                "-q <y >z"));
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                free(shell(bad[i].make));
                fails(into_layer("x.tar"), bad[i].code, bad[i].part);
        }
}
END_TEST

UNIT_MAIN_WITH("lib/layer/unpackreal", setup, teardown, test_gnu_tar, test_old_tar,
               test_python, test_packed, test_fixed_point, test_times, test_broken)
