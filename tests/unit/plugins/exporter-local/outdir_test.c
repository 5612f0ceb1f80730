/*
 * exporter-local's directory writer: what is in the user's directory before must neither
 * lead a write out of it nor be lost without need. Catches a followed symlink, a temporary
 * file that stays, set-id bits given to another owner, a mirror that removes too much.
 */
#include "plugins/exporter-local/outdir.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/path.h>

#include "lib/layer/walk.h"
#include "tests/unit/shell.h"

static void
shows(const char *line, const char *want)
{
        sw_auto(sw_str) got = shell(line);

        ck_assert_str_eq(got, want);
}

/* Write the tree t into the directory out. */
static sw_err *
write_tree(const struct outdir_opts *opts)
{
        const struct sw_walk_opts walk = { .no_root = true, .epoch = -1 };
        sw_auto(sw_fd) from = openat(here, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) to = openat(here, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        outdir *o = outdir_new(NULL, to, opts);

        outdir_source(o, "first");
        sw_err *err = sw_layer_walk(NULL, from, &walk, outdir_ops(), o);
        if (!err)
                return outdir_ops()->finish(o);
        outdir_ops()->abandon(o);
        return err;
}

static const struct outdir_opts plain;

/* A new directory gets what cp -a would make, hard links and times too. */
START_TEST(copies)
{
        free(shell(
                "mkdir -p t/a/b out; echo x >t/a/f; ln t/a/f t/a/b/g; ln -s f t/a/l; "
                "mkfifo t/p\n"
                "chmod 640 t/a/f; chmod 500 t/a/b; touch -d @7 t/a/f; touch -d @8 t/a/b; "
                "touch -d @9 t/a"));
        ok(write_tree(&plain));
        shows("cd out; find . -mindepth 1 -not -name p -printf '%P %y %m %Ts %l\\n' | sort "
              "| "
              "sed '/ l /s/ [0-9]* f/ f/'; test -p p; stat -c %h a/f",
              "a d 755 9 \na/b d 500 8 \na/b/g f 640 7 \na/f f 640 7 \na/l l 777 f\n2\n");
}
END_TEST

/* A file that is mostly holes takes no more room than it did: disk images are some. */
START_TEST(holes)
{
        free(shell("mkdir -p t out; truncate -s 64M t/f; echo end >>t/f"));
        ok(write_tree(&plain));
        shows("cmp t/f out/f && [ $(du -k out/f | cut -f1) -lt 1024 ] && echo sparse",
              "sparse\n");
}
END_TEST

/* Links that are there lead nowhere: not the file's, not the directory's. */
START_TEST(symlinks_are_replaced)
{
        free(shell(
                "mkdir -p t/d out outside; echo new >t/f; echo new >t/d/g\n"
                "echo keep >outside/f; ln -s ../outside/f out/f; ln -s ../outside out/d"));
        ok(write_tree(&plain));
        shows("cat outside/f; ls outside; cat out/f out/d/g; test -L out/f || echo file; "
              "test -L out/d || echo dir",
              "keep\nf\nnew\nnew\nfile\ndir\n");
}
END_TEST

/* Other kinds in the way make room; what has another name stays. */
START_TEST(kinds_change)
{
        free(shell(
                "mkdir -p t/dir out/file/full out/stays; echo f >t/file; echo g >t/dir/g\n"
                "echo x >out/file/full/x; echo d >out/dir; echo s >out/stays/s; "
                "ln -s . t/link; mkdir out/link"));
        ok(write_tree(&plain));
        shows("cat out/file out/dir/g out/stays/s; readlink out/link; ls -A out",
              "f\ng\ns\n.\ndir\nfile\nlink\nstays\n");
}
END_TEST

/* Doing it twice changes nothing and leaves nothing beside. */
START_TEST(again)
{
        free(shell(
                "mkdir -p t/d out; echo a >t/a; ln t/a t/b; ln -s a t/l; chmod 555 t/d"));
        ok(write_tree(&plain));
        ok(write_tree(&plain));
        shows("ls -A out; cat out/b", "a\nb\nd\nl\na\n");
}
END_TEST

START_TEST(mirror)
{
        const struct outdir_opts opts = { .mirror = true };

        free(shell("mkdir -p t/d/e out/d/old/older out/gone outside; echo 1 >t/d/f; echo 2 "
                   ">out/x\n"
                   "echo 3 >out/d/y; echo safe >outside/s; ln -s ../outside out/lnk; "
                   "ln -s ../outside out/d/e"));
        ok(write_tree(&opts));
        shows("cd out; find . | sort; ls ../outside", ".\n./d\n./d/e\n./d/f\ns\n");
}
END_TEST

/* Set-id bits stay only with their owner. */
START_TEST(set_id)
{
        if (geteuid() != 0)
                return;
        free(shell(
                "mkdir t out; echo a >t/mine; echo b >t/theirs; chown 4242:4242 t/theirs\n"
                "chmod 6755 t/mine t/theirs"));
        ok(write_tree(&plain));
        shows("stat -c '%n %a %u' out/mine out/theirs",
              "out/mine 6755 0\nout/theirs 755 0\n");
}
END_TEST

/* A result cannot open the host's devices to everybody. */
START_TEST(devices)
{
        if (geteuid() != 0)
                return;
        free(shell("mkdir t out; mknod t/d c 1 3; mkfifo t/p; chmod 666 t/d t/p"));
        ok(write_tree(&plain));
        shows("stat -c '%n %a' out/d out/p", "out/d 600\nout/p 666\n");
}
END_TEST

START_TEST(platforms_do_not_overwrite)
{
        const struct sw_layer_meta m = { .mode = 0755 };
        const struct sw_layer_ops *ops = outdir_ops();
        const struct outdir_opts opts = { .unique = true };

        free(shell("mkdir out"));
        sw_auto(sw_fd) to = openat(here, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        outdir *o = outdir_new(NULL, to, &opts);
        outdir_source(o, "linux/amd64");
        ok(ops->mkdir(o, "d", &m));
        ok(ops->data(o, "d/f", &m, "1", 1));
        outdir_source(o, "linux/arm64");
        ok(ops->mkdir(o, "d", &m));
        fails(ops->data(o, "d/f", &m, "2", 1), SW_E_EXISTS,
              "cannot overwrite d/f from linux/amd64 with linux/arm64 when split option is "
              "disabled");
        ops->abandon(o);
}
END_TEST

/* A write that fails half-way leaves neither the file nor a part of it. */
START_TEST(nothing_half)
{
        free(shell("mkdir t out; head -c 100000 /dev/zero >t/f; echo old >out/f"));
        sw_auto(sw_fd) from = openat(here, "t/f", O_RDWR | O_CLOEXEC);
        sw_auto(sw_fd) to = openat(here, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct sw_layer_meta m = { .mode = 0644 };
        outdir *o = outdir_new(NULL, to, &plain);

        fails(outdir_ops()->file(o, "f", &m, from, 0, 200000), SW_E_IO,
              "shorter than it was");
        outdir_ops()->abandon(o);
        shows("ls -A out; cat out/f", "f\nold\n");
}
END_TEST

UNIT_MAIN_WITH("exporter-local/outdir", setup, teardown, copies, holes,
               symlinks_are_replaced, kinds_change, again, mirror, set_id, devices,
               platforms_do_not_overwrite, nothing_half)
