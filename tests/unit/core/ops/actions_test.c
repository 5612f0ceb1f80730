/*
 * The small actions, owners, modes and archives.
 *
 * Catches: entries that an earlier action made and a later one does not see; what is
 * removed and comes back; archives that reach out of their root; names and modes that are
 * parsed otherwise than passwd(5) and chmod(1) say.
 */
#pragma GCC diagnostic ignored "-Woverride-init"
#include "tests/unit/core/ops/tree.h"

#define S(text) ((char *) (text))

static const struct sw__owner nobody;

static sw_err *
mkfile(struct run *r, const char *path, const char *text)
{
        Pb__FileActionMkFile a = PB__FILE_ACTION_MK_FILE__INIT;

        a.path = S(path);
        a.mode = 0640;
        a.data = (ProtobufCBinaryData){ strlen(text), (uint8_t *) S(text) };
        a.timestamp = 5000000000;
        return sw__file_mkfile(r->d, &a, &nobody);
}

static sw_err *
make_dir(struct run *r, const char *path, bool parents)
{
        Pb__FileActionMkDir a = PB__FILE_ACTION_MK_DIR__INIT;

        a.path = S(path);
        a.mode = 0750;
        a.makeparents = parents;
        a.timestamp = -1;
        return sw__file_mkdir(r->d, &a, &nobody);
}

static sw_err *
make_link(struct run *r, const char *target, const char *path)
{
        Pb__FileActionSymlink a = PB__FILE_ACTION_SYMLINK__INIT;

        a.oldpath = S(target);
        a.newpath = S(path);
        a.timestamp = 7000000000;
        return sw__file_symlink(r->d, &a, &nobody);
}

static sw_err *
rm(struct run *r, const char *path, bool missing_ok, bool wildcard)
{
        Pb__FileActionRm a = PB__FILE_ACTION_RM__INIT;

        a.path = S(path);
        a.allownotfound = missing_ok;
        a.allowwildcard = wildcard;
        return sw__file_rm(r->d, &a);
}

START_TEST(chain_sees_itself)
{
        struct run r;

        sh("mkdir base/old; echo x >base/old/x; ln -s /old base/l");
        run_begin(&r);
        ok(make_dir(&r, "/a/b", true));
        ok(make_link(&r, "/a/b", "/to"));
        ok(mkfile(&r, "/to/f", "one"));
        ok(mkfile(&r, "/l/y", "two"));
        fails(make_link(&r, "x", "/l/y"), SW_E_EXISTS, "symlink /l/y");
        fails(make_dir(&r, "/no/where", false), SW_E_NOT_FOUND, "mkdir /no/where");
        fails(mkfile(&r, "/no/where", ""), SW_E_NOT_FOUND, "mkfile /no/where");
        ok(make_dir(&r, "/a/b", false));
        run_end(&r);
        sh("cp -a base/. want; mkdir -p want/a/b; chmod 750 want/a want/a/b; ln -s /a/b "
           "want/to; touch -hd @7 want/to; printf one >want/a/b/f; printf two >want/old/y; "
           "chmod 640 want/a/b/f want/old/y; touch -d @5 want/a/b/f want/old/y");
        same(true);
}
END_TEST

/* What is there keeps its mode and owner when it is written again. */
START_TEST(mkfile_over_a_file)
{
        struct run r;

        sh("echo old >base/f; chmod 604 base/f; chown 3:4 base/f; mkdir base/d");
        run_begin(&r);
        ok(mkfile(&r, "/f", "new"));
        fails(mkfile(&r, "/d", "new"), SW_E_INVALID, "no regular file");
        run_end(&r);
        sh("cp -a base/. want; printf new >want/f; touch -d @5 want/f");
        same(true);
}
END_TEST

START_TEST(removed_and_made_again)
{
        struct run r;

        sh("mkdir -p base/d/s; echo x >base/d/x; echo y >base/d/s/y; ln -s d base/l");
        run_begin(&r);
        ok(rm(&r, "/d", false, false));
        fails(rm(&r, "/d/x", false, false), SW_E_NOT_FOUND, "rm /d/x");
        ok(rm(&r, "/d/x", true, false));
        ok(make_dir(&r, "/d", false));
        ok(mkfile(&r, "/d/new", "n"));
        ok(rm(&r, "/l", false, false));
        fails(rm(&r, "/", false, false), SW_E_INVALID, "empty path");
        fails(rm(&r, "../..", false, false), SW_E_INVALID, "empty path");
        run_end(&r);
        sh("mkdir -m 750 want/d; printf n >want/d/new; chmod 640 want/d/new; touch -d @5 "
           "want/d/new");
        same(true);
}
END_TEST

START_TEST(remove_by_wildcard)
{
        struct run r;

        sh("mkdir -p base/a base/b; touch base/a/1.o base/a/2.c base/b/3.o");
        run_begin(&r);
        ok(mkfile(&r, "/a/new.o", ""));
        ok(rm(&r, "/*/*.o", false, true));
        run_end(&r);
        sh("cp -a base/. want; rm want/*/*.o");
        same(false);
}
END_TEST

/* A directory in the place of another's link, and a file in that of a tree. */
START_TEST(copies_over_earlier_actions)
{
        struct run r;

        sh("echo f >src/f; mkdir src/d; echo g >src/d/g");
        run_begin(&r);
        ok(make_dir(&r, "/t", false));
        ok(copy(&r, COPY(.src = S("/d"), .dest = S("/t"))));
        ok(mkfile(&r, "/t/g", "again"));
        ok(copy(&r, COPY(.src = S("/f"), .dest = S("/t/g"))));
        ok(rm(&r, "/t/g", false, false));
        ok(copy(&r, COPY(.src = S("/f"), .dest = S("/t/g"))));
        run_end(&r);
        sh("mkdir -m 750 want/t; cp -p src/f want/t/g");
        same(true);
}
END_TEST

START_TEST(owners)
{
        static const char passwd[] = "root:x:0:0::/:/bin/sh\nbad line\n x:x:7\nbin:x:2:3:a:"
                                     "b:c\nneg:x:-1:0:::\nbig:x:4294967295:0:::\nend:x:8:9";
        uint32_t id = 99, gid = 99;
        size_t n = sizeof(passwd) - 1;

        ck_assert(sw__owner_find(passwd, n, "bin", 7, &id, &gid));
        ck_assert_uint_eq(id, 2);
        ck_assert_uint_eq(gid, 3);
        ck_assert(sw__owner_find(passwd, n, "end", 7, &id, &gid));
        ck_assert_uint_eq(gid, 9);
        ck_assert(!sw__owner_find(passwd, n, "neg", 7, &id, &gid));
        ck_assert(!sw__owner_find(passwd, n, "big", 7, &id, &gid));
        ck_assert(!sw__owner_find(passwd, n, "x", 7, &id, &gid));
        ck_assert(!sw__owner_find("", 0, "x", 4, &id, NULL));
        ck_assert(sw__owner_find("a:x:5:", 6, "a", 4, &id, NULL));
        ck_assert_uint_eq(id, 5);
}
END_TEST

START_TEST(modes)
{
        static const struct {
                const char *text;
                mode_t from, to;
        } good[] = {
                { "0755", S_IFREG | 0600, 0755 },  { "u=rwX,go=rX", S_IFREG | 0600, 0644 },
                { "u=rwX,go=rX", S_IFDIR, 0755 },  { "a+x", S_IFREG | 0600, 0711 },
                { "+w", S_IFREG | 0444, 0644 },    { "go-rwx", S_IFREG | 0777, 0700 },
                { "g=u", S_IFREG | 0640, 0660 },   { "u+s,g+s", S_IFREG | 0755, 06755 },
                { "+t", S_IFDIR | 0777, 01777 },   { "u-x+w", S_IFREG | 0500, 0600 },
                { "4755", S_IFREG | 0600, 04755 },
        };
        static const char *const bad[] = { "", "u", "8", "77777", "u=q", "u+r,", ",u+r" };
        sw__modeset *m;

        for (size_t i = 0; i < SW_COUNT(good); i++) {
                ok(sw__modeset_new(good[i].text, &m));
                ck_assert_msg(sw__modeset_apply(m, good[i].from) == good[i].to, "%s: %o",
                              good[i].text, sw__modeset_apply(m, good[i].from));
                sw__modeset_free(m);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw__modeset_new(bad[i], &m), SW_E_INVALID, "invalid mode");
}
END_TEST

/* ---- archives ---- */

#define UNPACK(...) COPY(.attemptunpackdockercompatibility = true, __VA_ARGS__)

START_TEST(archives_of_all_kinds)
{
        struct run r;

        sh("mkdir -p t/d; echo a >t/d/a; ln t/d/a t/d/b; ln -s a t/d/l; chmod 4750 t/d/a; "
           "head -c 700000 /dev/zero >t/big; echo u >t/\xc3\xa4; chown 5:6 t/d/a; "
           "tar -C t -cf src/0.x .; gzip -c src/0.x >src/1.x; bzip2 -c src/0.x >src/2.x; "
           "xz -c src/0.x >src/3.x; zstd -q -c src/0.x >src/4.x; echo no | gzip -c "
           ">src/5.gz");
        run_begin(&r);
        ok(copy(&r, UNPACK(.src = S("/*.x"), .dest = S("/o"))));
        ok(copy(&r, UNPACK(.src = S("/3.x"), .dest = S("/o3"))));
        ok(copy(&r, UNPACK(.src = S("/5.gz"), .dest = S("/plain.gz"))));
        run_end(&r);
        sh("mkdir want/o want/o3; tar -C want/o -xpf src/0.x; tar -C want/o3 -xpf src/0.x; "
           "chmod 755 want/o want/o3; cp -p src/5.gz want/plain.gz");
        same(false);
}
END_TEST

/* Python writes archives that tar would not: src/0.tar and so on, each from its lines. */
static void
hostile(const char *const *entries, size_t n)
{
        sw_auto(sw_buf) script = SW_BUF_INIT;

        sw_buf_adds(&script,
                    "import tarfile, io\n"
                    "def add(n, ty=tarfile.REGTYPE, link='', data=b'', **k):\n"
                    " i = tarfile.TarInfo(n); i.type = ty; i.linkname = link\n"
                    " i.size = len(data)\n"
                    " for a in k: setattr(i, a, k[a])\n"
                    " t.addfile(i, io.BytesIO(data))\n"
                    "S, L, D = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE\n");
        for (size_t i = 0; i < n; i++)
                sw_buf_addf(&script,
                            "t = tarfile.open('src/%zu.tar', 'w')\n%s\nt.close()\n", i,
                            entries[i]);
        sh("python3 - <<'EOF'\n%sEOF", script.data);
}

static const struct {
        const char *entries, *part;
} bad[] = {
        { "add('../x', data=b'1')", "outside of its root" },
        { "add('a/../../x', data=b'1')", "outside of its root" },
        { "add('l', L, '/etc/passwd')", "not there" },
        { "add('l', L, '../keep')", "outside of its root" },
        { "add('d', D); add('l', L, 'd')", "a directory" },
        { "add('d', D); add('d/f', data=b'1'); add('d', L, 'd/f')", "it replaces" },
        { "add('f', uid=2**33)", "invalid owner" },
        { "add('f', data=b'1'); add('f/x', data=b'1')", "Not a directory" },
};

START_TEST(hostile_archives)
{
        const char *entries[SW_COUNT(bad)];
        sw_auto(sw_str) outside = sw_asprintf("%s/out/x", top);

        sh("mkdir base/d; echo k >base/keep; ln -s /keep base/d/out");
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                entries[i] = bad[i].entries;
        hostile(entries, SW_COUNT(bad));
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(sw_str) src = sw_asprintf("/%zu.tar", i);
                struct run r;

                run_begin(&r);
                fails(copy(&r, UNPACK(.src = src, .dest = S("/d"))),
                      bad[i].part[0] == 'N' ? SW_E_NOT_FOUND : SW_E_INVALID, bad[i].part);
                run_end(&r);
                ck_assert_int_eq(access(outside, F_OK), -1);
        }
}
END_TEST

/* Links that lead out end at the archive's root. */
START_TEST(archives_stay_inside)
{
        struct run r;

        sh("mkdir base/d base/up; echo k >base/keep");
        hostile((const char *[]){ "add('l', S, '/'); add('l/1', data=b'1'); "
                                  "add('m', S, '../../up'); add('m/2', data=b'2'); "
                                  "add('/abs', data=b'3'); add('keep', S, '/keep'); "
                                  "add('keep', data=b'4')" },
                1);
        run_begin(&r);
        ok(copy(&r, UNPACK(.src = S("/0.tar"), .dest = S("/d"))));
        run_end(&r);
        sh("cp -a base/. want; cd want/d; ln -s / l; printf 1 >1; ln -s ../../up m; mkdir "
           "up; printf 2 >up/2; printf 3 >abs; printf 4 >keep");
        same(false);
}
END_TEST

START_TEST(truncated_archive)
{
        struct run r;

        sh("head -c 900000 /dev/urandom >big; tar -cf all.tar big; head -c 500000 all.tar "
           ">src/cut.tar; gzip -c all.tar | head -c 400000 >src/cut.tgz");
        run_begin(&r);
        fails(copy(&r, UNPACK(.src = S("/cut.tar"), .dest = S("/d"))), SW_E_INVALID,
              "unpack /cut.tar");
        fails(copy(&r, UNPACK(.src = S("/cut.tgz"), .dest = S("/d"))), SW_E_INVALID,
              "unpack /cut.tgz");
        run_end(&r);
}
END_TEST

UNIT_MAIN_WITH("actions", setup, teardown, chain_sees_itself, mkfile_over_a_file,
               removed_and_made_again, remove_by_wildcard, copies_over_earlier_actions,
               owners, modes, archives_of_all_kinds, hostile_archives, archives_stay_inside,
               truncated_archive)
