/*
 * contenthash_test.c - catches digests that differ from the reference's: those of its own
 * remote caches for files and directories made here, headers, order of names, symlinks on
 * the way and at the end, wildcards, patterns, listings; changes that are not named, or
 * named for the wrong reason.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/path.h>

#include "core/contenthash/contenthash.h"
#include "tests/unit/core/store/fakesnap.h"
#include "tests/unit/tmp.h"

static char dir[128];

static void
before(void)
{
        unit_mkdtemp(dir, sizeof(dir), "hash");
        (void) umask(022);
}

static void
after(void)
{
        ok(sw_path_remove(AT_FDCWD, dir));
}

static int
root(void)
{
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        return fd;
}

static void
add_file(const char *path, const char *text)
{
        sw_auto(sw_fd) r = root();
        sw_auto(sw_fd) fd = -1;

        ok(sw_path_open(r, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd));
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

static void
add_dir(const char *path)
{
        sw_auto(sw_fd) r = root();

        ok(sw_path_mkdirs(r, path, 0755, NULL));
}

static void
add_link(const char *path, const char *target)
{
        sw_auto(sw_fd) r = root();

        ck_assert_int_eq(symlinkat(target, r, path), 0);
}

/* The digest of a selection as text. */
static const char *
digest_of(const struct sw_hash_select *sel)
{
        static char text[16][SW_DIGEST_STR_SIZE]; /* those of a test stay */
        static int turn;
        sw_ref *ref = sw_ref_new_dir("test", root());
        sw_digest d;

        ok(sw__contenthash(NULL, NULL, ref, sel, &d));
        sw_ref_unref(ref);
        turn = (turn + 1) % 16;
        return sw_digest_str(&d, text[turn]);
}
#define digest(...) digest_of(&(const struct sw_hash_select){ __VA_ARGS__ })

static void
fails_with(const struct sw_hash_select *sel, int code, const char *part)
{
        sw_ref *ref = sw_ref_new_dir("test", root());
        sw_digest d;

        fails(sw__contenthash(NULL, NULL, ref, sel, &d), code, part);
        sw_ref_unref(ref);
}

/* What the reference makes of one content hash in the keys it exports. */
static const char *
as_exported(const char *content)
{
        static char text[SW_DIGEST_STR_SIZE];
        char at[SW_DIGEST_STR_SIZE + 8];
        sw_digest d = sw_digest_of(content, strlen(content));

        (void) snprintf(at, sizeof(at), "%s@-1", sw_digest_str(&d, text));
        d = sw_digest_of(at, strlen(at));
        return sw_digest_str(&d, text);
}

START_TEST(agrees_with_caches_of_the_reference)
{
        /* record digests of BuildKit's exported cache configurations for these contexts */
        add_file("a.txt", "A\n");
        add_dir("dir");
        add_file("dir/b", "B\n");
        ck_assert_str_eq(
                as_exported(digest(.path = "/a.txt")),
                "sha256:53b95985eacf0b30918ac523e6a42f4a1ee8a4fdd470e902f440603cfd3a57c4");
        ck_assert_str_eq(
                as_exported(digest(.path = "/dir")),
                "sha256:26967b5e55635baea55bb688cb38e6decf165831fa54638a6faf205643c1c8a9");
}
END_TEST

START_TEST(follows_symlinks_within_the_root)
{
        add_dir("aa/bb");
        add_file("aa/bb/file", "data");
        add_link("aa/ln", "/aa");
        add_link("aa/bb/up", "../../../../aa/bb/file");
        add_link("loop", "loop");
        const char *file = digest(.path = "/aa/bb/file");

        ck_assert_str_eq(digest(.path = "/aa/ln/bb/file"), file);
        ck_assert_str_eq(digest(.path = "/aa/ln/ln/bb/up", .follow_links = true), file);
        ck_assert_str_ne(digest(.path = "/aa/bb/up"), file);
        fails_with(&(struct sw_hash_select){ .path = "/loop", .follow_links = true },
                   SW_E_LIMIT, "symlinks");
        fails_with(&(struct sw_hash_select){ .path = "/aa/none" }, SW_E_NOT_FOUND,
                   "\"/aa/none\": not found");
        fails_with(&(struct sw_hash_select){ .path = "/aa/bb/file/x" }, SW_E_NOT_FOUND,
                   "not found");
}
END_TEST

START_TEST(depends_on_what_it_should_and_nothing_else)
{
        char path[256];

        add_dir("d");
        add_file("d/f", "x");
        const char *was = digest(.path = "/d");
        (void) snprintf(path, sizeof(path), "%s/d/f", dir);
        const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
        ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
        ck_assert_str_eq(digest(.path = "/d"), was);
        ck_assert_int_eq(chmod(path, 0755), 0);
        ck_assert_str_ne(digest(.path = "/d"), was);
        ck_assert_int_eq(chmod(path, 0644), 0);
        ck_assert_str_eq(digest(.path = "/d"), was);
        add_file("d/f", "y");
        ck_assert_str_ne(digest(.path = "/d"), was);
        add_file("d/f", "x");
        add_file("d/g", "");
        ck_assert_str_ne(digest(.path = "/d"), was);
}
END_TEST

START_TEST(lists_what_patterns_cover)
{
        add_dir("src/gen");
        add_dir("node_modules/x");
        add_file("src/main.c", "main");
        add_file("src/gen/a.o", "o");
        add_file("node_modules/x/y", "y");
        const char *const o[] = { "**/*.o", NULL }, *const all[] = { "**", NULL };
        const char *const none[] = { "*.none", NULL };
        const char *const no_src[] = { "*", "!src", NULL };

        /* nothing is covered: the digest of nothing */
        sw_digest empty = sw_digest_of("", 0);
        char text[SW_DIGEST_STR_SIZE];
        ck_assert_str_eq(digest(.path = "/", .include = none), sw_digest_str(&empty, text));
        ck_assert_str_eq(digest(.path = "/", .exclude = all), sw_digest_str(&empty, text));
        /* leaving out what is not there changes nothing, leaving out what is there does */
        const char *without = digest(.path = "/", .exclude = o);
        ck_assert_str_ne(without, digest(.path = "/", .exclude = none));
        add_file("src/gen/b.o", "another");
        ck_assert_str_eq(digest(.path = "/", .exclude = o), without);
        /* what is outside of the exception does not count */
        const char *src = digest(.path = "/", .exclude = no_src);
        add_file("node_modules/x/z", "z");
        ck_assert_str_eq(digest(.path = "/", .exclude = no_src), src);
        add_file("src/new", "z");
        ck_assert_str_ne(digest(.path = "/", .exclude = no_src), src);
        fails_with(&(struct sw_hash_select){ .path = "/",
                                             .include = (const char *[]){ "a[", NULL } },
                   SW_E_INVALID, "invalid include patterns");
}
END_TEST

/* A copy makes the directory that it names, and each that its wildcard names, whatever the
 * patterns let in of them: their names and modes make a difference. */
START_TEST(counts_directories_that_are_named)
{
        const char *const none[] = { "*.none", NULL }, *const all[] = { "**", NULL };
        const char *was;

        add_dir("a/below");
        add_file("a/x", "x");
        was = digest(.path = "/*", .wildcard = true, .include = none);
        const char *named = digest(.path = "/a", .include = none);
        const char *excluded = digest(.path = "/a", .exclude = all);
        add_dir("a/more"); /* nothing of it is copied */
        ck_assert_str_eq(digest(.path = "/*", .wildcard = true, .include = none), was);
        ck_assert_str_eq(digest(.path = "/a", .include = none), named);

        char path[256];
        (void) snprintf(path, sizeof(path), "%s/a", dir);
        ck_assert_int_eq(chmod(path, 0700), 0);
        ck_assert_str_ne(digest(.path = "/a", .include = none), named);
        ck_assert_str_ne(digest(.path = "/a", .exclude = all), excluded);
        const char *mode = digest(.path = "/*", .wildcard = true, .include = none);
        ck_assert_str_ne(mode, was);
        add_dir("b");
        ck_assert_str_ne(digest(.path = "/*", .wildcard = true, .include = none), mode);
        /* that it is named does not make it one that was wanted */
        fails_with(&(struct sw_hash_select){ .path = "/a",
                                             .include = none,
                                             .required = (const char *[]){ "a", NULL } },
                   SW_E_NOT_FOUND, "\"a\": not found");
}
END_TEST

START_TEST(wants_required_paths)
{
        const char *const all[] = { "**", NULL };

        add_dir("a");
        add_file("a/x", "x");
        (void) digest(.path = "/", .include = all,
                      .required = (const char *[]){ "a/x", "/a", NULL });
        fails_with(&(struct sw_hash_select){ .path = "/",
                                             .include = all,
                                             .required =
                                                     (const char *[]){ "a", "b", NULL } },
                   SW_E_NOT_FOUND, "\"b\": not found");
}
END_TEST

START_TEST(joins_several)
{
        struct sw_hash_select sel[2] = { { .path = "/a" }, { .path = "/b" } };
        sw_ref *ref;
        sw_digest d, want;
        char text[3 * SW_DIGEST_STR_SIZE];

        add_file("a", "1");
        add_file("b", "2");
        (void) snprintf(text, sizeof(text), "%s", digest(.path = "/a"));
        memcpy(text + SW_DIGEST_STR_LEN + 1, digest(.path = "/b"), SW_DIGEST_STR_SIZE);
        want = sw_digest_of(text, (size_t) 2 * SW_DIGEST_STR_LEN + 1);
        ref = sw_ref_new_dir("test", root());
        ok(sw__contenthash_key(NULL, NULL, ref, sel, 2, &d));
        ck_assert(sw_digest_eq(&d, &want));
        sw_ref_unref(ref);
}
END_TEST

START_TEST(hashes_the_empty_tree)
{
        sw_digest d, empty = sw_digest_of("", 0);

        ok(sw__contenthash(NULL, NULL, NULL, &(struct sw_hash_select){ .path = "/" }, &d));
        ck_assert(sw_digest_eq(&d, &empty));
        fails(sw__contenthash(NULL, NULL, NULL, &(struct sw_hash_select){ .path = "/a" },
                              &d),
              SW_E_NOT_FOUND, "/a");
}
END_TEST

/* A root of a store, in a directory beside the tree. */
static sw_root *
open_store(struct fake *fake)
{
        sw_auto(sw_str) path = sw_asprintf("%s.root", dir);

        return fake_root(path, fake);
}

static void
remove_store(sw_root *store)
{
        sw_auto(sw_str) path = sw_asprintf("%s.root", dir);

        sw__root_close(store);
        ok(sw_path_remove(AT_FDCWD, path));
}

/* The tree as it is now, hashed. */
static sw_ref *
hashed_now(sw_worker *w, const struct sw_hash_select *sel)
{
        sw_ref *ref = sw_ref_new_dir("tree", root());
        sw_digest d;

        ok(sw__contenthash_key(w, NULL, ref, sel, 1, &d));
        return ref;
}

START_TEST(names_what_changed)
{
        struct sw_hash_select sel = { .path = "/" };
        sw_auto(sw_strlist) paths = { 0 };
        struct fake fake;
        sw_root *store = open_store(&fake);
        sw_worker *w = sw__root_worker(store);
        sw_ref *ref;

        add_dir("a/b");
        add_dir("keep");
        add_file("a/b/file", "1");
        add_file("a/gone", "1");
        add_file("keep/same", "1");
        ref = hashed_now(w, &sel);
        sw__contenthash_note(w, ref, "op-a-0");
        sw__contenthash_note(w, ref, "op-b-0"); /* another name of the same file */
        sw__contenthash_note(w, ref, "op-b-0");
        sw_ref_unref(ref);
        sw_auto(sw_fd) r = root();
        add_file("a/b/file", "2");
        ok(sw_path_remove(r, "a/gone"));
        add_file("a/new", "");
        ref = hashed_now(w, &sel);
        ok(sw__contenthash_changed(w, NULL, "op-b-0", ref, &sel, 1, 10, &paths));
        sw_auto(sw_str) all = sw_strlist_join(&paths, " ");
        ck_assert_str_eq(all, "a/b/file a/gone a/new");
        /* nothing is known of it: nothing is said */
        sw_auto(sw_strlist) none = { 0 };
        ok(sw__contenthash_changed(w, NULL, "op-c-0", ref, &sel, 1, 10, &none));
        ok(sw__contenthash_changed(w, NULL, "../meta", ref, &sel, 1, 10, &none));
        ck_assert_uint_eq(none.n, 0);
        ok(sw__contenthash_changed(w, NULL, "op-a-0", ref, &sel, 1, 2, &none));
        ck_assert_uint_eq(none.n, 2);
        sw_ref_unref(ref);
        remove_store(store);
}
END_TEST

START_TEST(says_what_cannot_be_read)
{
        char path[256];

        if (geteuid() == 0)
                return; /* root reads everything */
        add_file("secret", "x");
        (void) snprintf(path, sizeof(path), "%s/secret", dir);
        ck_assert_int_eq(chmod(path, 0), 0);
        fails_with(&(struct sw_hash_select){ .path = "/" }, SW_E_DENIED, "secret");
}
END_TEST

UNIT_MAIN_WITH("contenthash", before, after, agrees_with_caches_of_the_reference,
               follows_symlinks_within_the_root, depends_on_what_it_should_and_nothing_else,
               lists_what_patterns_cover, counts_directories_that_are_named,
               wants_required_paths, joins_several, hashes_the_empty_tree,
               names_what_changed, says_what_cannot_be_read)
