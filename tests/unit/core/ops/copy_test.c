/*
 * The copy action against what a shell makes: where things go, what metadata they get, what
 * is replaced and what is refused.
 *
 * Catches: a destination that is taken for a directory or is not; metadata of the wrong
 * side; wildcards, patterns and links that select other files; a writer that is not told of
 * parents.
 */
#pragma GCC diagnostic ignored "-Woverride-init"
#include "tests/unit/core/ops/tree.h"

#define S(text) ((char *) (text))

/* ---- where it goes ---- */

START_TEST(file_to_new_path)
{
        struct run r;

        sh("echo hi >src/f; chmod 640 src/f; touch -d @1000.5 src/f");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/f"), .dest = S("/x/y"))));
        run_end(&r);
        sh("mkdir -p want/x; cp -p src/f want/x/y");
        same(true);
}
END_TEST

START_TEST(file_into_directory)
{
        struct run r;

        sh("echo hi >src/f; mkdir -m 700 base/d; echo old >base/d/other");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("f"), .dest = S("/d"))));
        ok(copy(&r, COPY(.src = S("f"), .dest = S("/new/"))));
        run_end(&r);
        sh("cp -a base/. want; cp -p src/f want/d/f; mkdir want/new; cp -p src/f want/new");
        same(true);
}
END_TEST

START_TEST(contents_of_directory)
{
        struct run r;

        sh("mkdir -m 750 src/d; mkdir -m 711 src/d/s; echo a >src/d/a; echo b >src/d/s/b;"
           "ln -s a src/d/l; mkfifo src/d/p");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))));
        run_end(&r);
        sh("mkdir want/t; cp -a src/d/. want/t; chmod 755 want/t"); /* the top's is new */
        same(true);
}
END_TEST

START_TEST(directory_itself)
{
        struct run r;

        sh("mkdir -m 750 src/d; echo a >src/d/a; mkdir base/t");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"), .dircopycontents = false)));
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/u"), .dircopycontents = false)));
        run_end(&r);
        sh("mkdir want/t; cp -a src/d want/t/d; cp -a src/d want/u");
        same(true);
}
END_TEST

/* Onto what is there: the top keeps its metadata, below the source's goes. */
START_TEST(merge_of_directories)
{
        struct run r;

        sh("mkdir -m 700 src/d src/d/s; echo n >src/d/s/n; mkdir -m 755 -p base/t/s;"
           "echo o >base/t/s/o; echo o >base/t/s/n; chmod 755 base/t base/t/s");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))));
        run_end(&r);
        sh("cp -a base/. want; cp -p src/d/s/n want/t/s/n; chmod 700 want/t/s");
        same(true);
}
END_TEST

START_TEST(to_the_root)
{
        struct run r;

        sh("echo a >src/a; mkdir src/d; echo b >src/d/b; echo k >base/keep");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/"), .dest = S("/"))));
        run_end(&r);
        sh("cp -a base/. want; cp -a src/. want");
        same(true);
}
END_TEST

START_TEST(destination_through_links)
{
        struct run r;

        sh("echo a >src/a; mkdir -p base/real/in; ln -s /real base/abs; ln -s "
           "../../real/in "
           "base/real/up; ln -s nowhere base/dangling");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("a"), .dest = S("/abs/up/"))));
        ok(copy(&r, COPY(.src = S("a"), .dest = S("/dangling"))));
        run_end(&r);
        sh("cp -a base/. want; cp -p src/a want/real/in/a; cp -p src/a want/nowhere");
        same(true);
}
END_TEST

/* A path that climbs out ends at the root, as in a chroot. */
START_TEST(destination_cannot_leave)
{
        struct run r;

        sh("echo a >src/a; ln -s ../../../../../../../../tmp base/out");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("a"), .dest = S("/out/x"))));
        ok(copy(&r, COPY(.src = S("a"), .dest = S("../../y"))));
        run_end(&r);
        sh("cp -a base/. want; mkdir want/tmp; cp -p src/a want/tmp/x; cp -p src/a want/y");
        same(true);
}
END_TEST

START_TEST(parent_must_exist)
{
        struct run r;

        sh("echo a >src/a");
        run_begin(&r);
        fails(copy(&r, COPY(.src = S("a"), .dest = S("/no/x"), .createdestpath = false)),
              SW_E_NOT_FOUND, "failed to stat /no/x");
        ok(copy(&r, COPY(.src = S("a"), .dest = S("/x"), .createdestpath = false)));
        run_end(&r);
}
END_TEST

/* ---- what is replaced ---- */

START_TEST(links_in_the_way_are_replaced)
{
        struct run r;

        sh("mkdir -p src/d base/t; echo a >src/d/f; echo secret >base/victim; ln -s "
           "/victim base/t/f");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))));
        run_end(&r);
        sh("cp -a base/. want; rm want/t/f; cp -p src/d/f want/t/f");
        same(true);
}
END_TEST

START_TEST(kinds_that_do_not_fit)
{
        struct run r;

        sh("mkdir -p src/d/x; echo a >src/d/x/in; echo a >src/d/f; mkdir -p base/t/f; echo "
           "b >base/t/f/in; echo b >base/t/x");
        run_begin(&r);
        fails(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))), SW_E_EXISTS,
              "cannot replace a directory with a file: /t/f");
        run_end(&r);
        sh("rm -r base/t/f");
        run_begin(&r);
        fails(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))), SW_E_EXISTS,
              "cannot copy to non-directory: /t/x");
        run_end(&r);
        sh("mkdir -p base/t/f; echo b >base/t/f/in");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"),
                         .alwaysreplaceexistingdestpaths = true)));
        run_end(&r);
        sh("mkdir want/t; cp -a src/d/. want/t");
        same(true);
}
END_TEST

/* ---- what is selected ---- */

START_TEST(wildcards)
{
        struct run r;

        sh("mkdir -p src/a/x src/b/x src/c; echo 1 >src/a/x/1.c; echo 2 >src/b/x/2.c; echo "
           "3 >src/b/x/3.h; echo 4 >src/c/4.c; echo s >'src/[s].c'");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/*/x/*.c"), .dest = S("/t/"))));
        ok(copy(&r, COPY(.src = S("/\\[s]*.c"), .dest = S("/esc/"))));
        ok(copy(&r, COPY(.src = S("/nothing*"), .dest = S("/never/"))));
        fails(copy(&r, COPY(.src = S("/nothing*"), .dest = S("/t/"),
                            .allowemptywildcard = false)),
              SW_E_NOT_FOUND, "/nothing* not found");
        fails(copy(&r, COPY(.src = S("/[a"), .dest = S("/t/"))), SW_E_INVALID, "");
        run_end(&r);
        sh("mkdir want/t want/esc; cp -p src/a/x/1.c src/b/x/2.c want/t; cp -p 'src/[s].c' "
           "want/esc");
        same(true);
}
END_TEST

START_TEST(missing_source)
{
        struct run r;

        run_begin(&r);
        fails(copy(&r, COPY(.src = S("/no"), .dest = S("/t/"))), SW_E_NOT_FOUND, "no");
        run_end(&r);
}
END_TEST

START_TEST(followed_or_not)
{
        struct run r;

        sh("mkdir -p src/real; echo a >src/real/a; ln -s /real src/l; ln -s ../../../real "
           "src/real/loop");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/l/a"), .dest = S("/1"), .followsymlink = false)));
        ok(copy(&r, COPY(.src = S("/l"), .dest = S("/2"))));
        ok(copy(&r, COPY(.src = S("/l"), .dest = S("/3"), .followsymlink = false)));
        run_end(&r);
        sh("cp -p src/real/a want/1; mkdir want/2; cp -a src/real/. want/2; cp -a src/l "
           "want/3");
        same(true);
}
END_TEST

START_TEST(include_and_exclude)
{
        struct run r;
        char *in[] = { S("a/*/c"), S("top") }, *ex[] = { S("**/*.o"), S("!keep.o") };

        sh("mkdir -p src/a/1 src/a/2 src/b; echo c >src/a/1/c; echo d >src/a/2/d; echo t "
           ">src/top; echo b >src/b/c; chmod 700 src/a; echo o >src/b/x.o; echo k "
           ">src/keep.o");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/"), .dest = S("/i"), .include_patterns = in,
                         .n_include_patterns = 2)));
        ok(copy(&r, COPY(.src = S("/"), .dest = S("/e"), .exclude_patterns = ex,
                         .n_exclude_patterns = 2)));
        run_end(&r);
        sh("mkdir -p want/i/a/1 want/e; cp -p src/a/1/c want/i/a/1; cp -p src/top want/i; "
           "chmod 700 want/i/a; cp -a src/. want/e; rm want/e/b/x.o; chmod 755 want/e");
        same(true);
}
END_TEST

/* ---- metadata ---- */

START_TEST(owner_mode_time)
{
        struct run r;

        sh("mkdir -m 700 -p src/d/s; echo f >src/d/f; ln -s f src/d/l; chmod 4711 "
           "src/d/f; chmod 700 src/d/s; chown -h 5:6 src/d/f");
        run_begin(&r);
        r.owner = (struct sw__owner){ true, 11, 12 };
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/1"), .mode = 0640,
                         .timestamp = INT64_C(1500000000))));
        r.owner.set = false;
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/2"), .modestr = S("u=rw,go=rX,a+X"))));
        run_end(&r);
        sh("mkdir want/1; cp -a src/d/. want/1; chmod 755 want/1; chmod 640 want/1/f "
           "want/1/s; chown -hR 11:12 want/1; touch -hd @1.5 want/1/f want/1/l; mkdir "
           "want/2; cp -a src/d/. want/2; chmod 755 want/2; chmod u=rw,go=rX,a+X want/2/f "
           "want/2/s");
        same(true);
}
END_TEST

START_TEST(hard_links_and_attributes)
{
        struct run r;
        char value[16];
        sw_auto(sw_str) path = NULL;

        sh("mkdir src/d base/t; echo f >src/d/a; ln src/d/a src/d/b; ln src/d/a "
           "src/outside; "
           "setfattr -n user.x -v one src/d/a; setfattr -n user.t -v two base/t");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))));
        run_end(&r);
        sh("mkdir want/t; cp -a src/d/. want/t");
        same(true);
        path = sw_asprintf("%s/out/t/b", top);
        ck_assert_int_eq(getxattr(path, "user.x", value, sizeof(value)), 3);
        free(path);
        path = sw_asprintf("%s/out/t", top);
        ck_assert_int_eq(getxattr(path, "user.t", value, sizeof(value)), 3);
}
END_TEST

/* Many files, so that several threads copy: all of them arrive. */
START_TEST(many_files)
{
        struct run r;

        sh("cd src; mkdir $(seq 40); for i in $(seq 40); do for j in $(seq 25); do "
           "echo $i $j >$i/$j; done; done; ln 1/1 1/link; ln 2/1 3/link");
        run_begin(&r);
        ok(copy(&r, COPY(.src = S("/"), .dest = S("/t"))));
        ck_assert_uint_eq(r.a.files, 1000);
        run_end(&r);
        sh("cp -a src want/t; chmod 755 want/t");
        same(true);
}
END_TEST

UNIT_MAIN_WITH("copy", setup, teardown, file_to_new_path, file_into_directory,
               contents_of_directory, directory_itself, merge_of_directories, to_the_root,
               destination_through_links, destination_cannot_leave, parent_must_exist,
               links_in_the_way_are_replaced, kinds_that_do_not_fit, wildcards,
               missing_source, followed_or_not, include_and_exclude, owner_mode_time,
               hard_links_and_attributes, many_files)
