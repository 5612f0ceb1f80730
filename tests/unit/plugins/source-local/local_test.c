/*
 * local_test.c - catches a listing that is not what the reference would have sent: wrong
 * order, entries that patterns leave out, directories without what is in them, links that
 * are not followed; digests that are remembered too long, or not at all; files that change,
 * vanish or cannot be read.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <slipway/localsession.h>
#include <slipway/path.h>
#include <slipway/source.h>
#include <slipway/time.h>

#include "core/contenthash/contenthash.h"
#include "plugins/source-local/local.h"
#include "tests/unit/tmp.h"

SW_API extern const struct sw_plugin source_local_LTX_sw_plugin;

static char dir[128];
static int root = -1;
static sw_local_session *session;

static void
before(void)
{
        char spec[160];

        (void) umask(022);
        unit_mkdtemp(dir, sizeof(dir), "srclocal");
        root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(root, 0);
        session = sw_local_session_new();
        (void) snprintf(spec, sizeof(spec), "ctx=%s", dir);
        ok(sw_local_session_add_local(session, spec));
}

static void
after(void)
{
        sw_local_session_free(session);
        (void) close(root);
        ok(sw_path_remove(AT_FDCWD, dir));
}

static void
add_file(const char *path, const char *text)
{
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_str) parent = sw_strdup(path);
        char *slash = strrchr(parent, '/');

        if (slash) {
                *slash = '\0';
                ok(sw_path_mkdirs(root, parent, 0755, NULL));
        }
        ok(sw_path_open(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd));
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

/* Open and take a snapshot; attributes as pairs. */
static sw_err *
snapshot(const struct sw_attr *attrs, size_t n, sw_ref **out)
{
        const struct sw_source_ops *ops = (const void *) source_local_LTX_sw_plugin.ops;
        struct sw_source_request req = { .size = sizeof(req),
                                         .identifier = "local://ctx",
                                         .attrs = attrs,
                                         .n_attrs = n };
        void *inst = NULL;
        sw_err *err = ops->open(NULL, NULL, &req, &inst);

        if (err)
                return err;
        err = ops->snapshot(NULL, inst, NULL, sw_local_session_get(session), out);
        ops->close(NULL, inst);
        return err;
}

/* "a a/b c" */
static char *
listed(const struct sw_attr *attrs, size_t n)
{
        sw_buf b = SW_BUF_INIT;
        sw_ref *ref = NULL;

        ok(snapshot(attrs, n, &ref));
        const struct sw_listing *l = sw_ref_listing(ref);
        ck_assert_ptr_nonnull(l);
        for (size_t i = 0; i < l->n; i++) {
                sw_buf_adds(&b, i ? " " : "");
                sw_buf_adds(&b, l->v[i].path);
                ck_assert_uint_eq(l->v[i].uid, 0);
                ck_assert_ptr_eq(sw_listing_find(l, l->v[i].path), &l->v[i]);
        }
        sw_ref_unref(ref);
        return sw_buf_detach(&b);
}

#define lists(want, ...)                                                                   \
        do {                                                                               \
                const struct sw_attr attrs_[] = { { "local.unique", "x" }, __VA_ARGS__ };  \
                sw_auto(sw_str) got_ = listed(attrs_, sizeof(attrs_) / sizeof(*attrs_));   \
                ck_assert_str_eq(got_, want);                                              \
        } while (0)

#define refuses(code, part, ...)                                                           \
        do {                                                                               \
                const struct sw_attr attrs_[] = { { "local.unique", "x" }, __VA_ARGS__ };  \
                sw_ref *r_ = NULL;                                                         \
                fails(snapshot(attrs_, sizeof(attrs_) / sizeof(*attrs_), &r_), code,       \
                      part);                                                               \
        } while (0)

START_TEST(lists_in_order)
{
        add_file("a/b", "");
        add_file("a.txt", "");
        add_file("a-b/c", "");
        add_file("a/b-c", "");
        add_file("Z", "");
        ok(sw_path_mkdirs(root, "empty", 0755, NULL));
        lists("Z a a/b a/b-c a-b a-b/c a.txt empty");
}
END_TEST

START_TEST(lists_what_patterns_want)
{
        add_file("src/main.c", "");
        add_file("src/gen/a.o", "");
        add_file("lib/x/y.c", "");
        add_file("README", "");
        ok(sw_path_mkdirs(root, "empty", 0755, NULL));
        lists("src src/main.c", { "local.includepattern", "[\"src/main.c\"]" });
        lists("README empty src src/gen src/main.c",
              { "local.excludepatterns", "[\"**/*.o\",\"lib\"]" });
        lists("lib lib/x lib/x/y.c src src/main.c",
              { "local.includepattern", "[\"**/*.c\"]" });
        lists("src src/gen src/gen/a.o src/main.c",
              { "local.excludepatterns", "[\"*\",\"!src\"]" });
        lists("src src/main.c", { "local.excludepatterns", "[\"*\",\"!src/main.c\"]" });
        lists("", { "local.includepattern", "[\"none\"]" });
        lists("README empty lib lib/x lib/x/y.c src src/gen src/gen/a.o src/main.c",
              { "local.includepattern", "null" }, { "local.followpaths", "[]" });
}
END_TEST

START_TEST(follows_links_to_what_is_wanted)
{
        add_file("real/deep/file", "");
        add_file("other", "");
        add_file("x1.txt", "");
        ck_assert_int_eq(symlinkat("real", root, "link"), 0);
        ck_assert_int_eq(symlinkat("/link/deep", root, "again"), 0);
        ck_assert_int_eq(symlinkat("../../../other", root, "x2.txt"), 0);
        ck_assert_int_eq(symlinkat("loop", root, "loop"), 0);
        lists("again link real real/deep real/deep/file",
              { "local.followpaths", "[\"again/file\"]" });
        lists("other x1.txt x2.txt", { "local.followpaths", "[\"x*.txt\"]" });
        lists("loop", { "local.followpaths", "[\"loop\",\"gone\"]" });
        lists("again link loop other real real/deep real/deep/file x1.txt x2.txt",
              { "local.followpaths", "[\"/\",\"other\"]" });
}
END_TEST

START_TEST(refuses_malformed_attributes)
{
        refuses(SW_E_INVALID, "local.includepattern", { "local.includepattern", "[" });
        refuses(SW_E_INVALID, "no JSON array", { "local.includepattern", "{}" });
        refuses(SW_E_INVALID, "no string", { "local.followpaths", "[1]" });
        refuses(SW_E_INVALID, "illegal exclusion", { "local.excludepatterns", "[\"!\"]" });
        refuses(SW_E_INVALID, "local.differ", { "local.differ", "magic" });
        refuses(SW_E_INVALID, "", { "local.metadatatransfer", "perhaps" });
        refuses(SW_E_NOT_FOUND, "no access allowed to dir \"sub-ctx\"",
                { "local.session", "sub:1234" });
}
END_TEST

START_TEST(knows_hard_links_and_modes)
{
        sw_ref *ref = NULL;

        add_file("b", "x");
        ck_assert_int_eq(linkat(root, "b", root, "a", 0), 0);
        ck_assert_int_eq(fchmodat(root, "b", 04755, 0), 0);
        ok(snapshot(NULL, 0, &ref));
        const struct sw_listing *l = sw_ref_listing(ref);
        ck_assert_uint_eq(l->n, 2);
        ck_assert_uint_eq(l->v[0].same_as, 0);
        ck_assert_uint_eq(l->v[1].same_as, 1);
        ck_assert_uint_eq(l->v[1].mode, S_IFREG | 04755);
        sw_ref_unref(ref);
}
END_TEST

START_TEST(finds_runs_of_directories)
{
        sw_ref *ref = NULL;
        size_t first;

        add_file("a/b/c", "");
        add_file("a/b.c", "");
        add_file("a.b/c", "");
        ok(snapshot(NULL, 0, &ref));
        const struct sw_listing *l = sw_ref_listing(ref);
        ck_assert_uint_eq(sw_listing_below(l, "", &first), 6);
        ck_assert_uint_eq(sw_listing_below(l, "a", &first), 4);
        ck_assert_uint_eq(first, 0);
        ck_assert_uint_eq(sw_listing_below(l, "a/b", &first), 2);
        ck_assert_uint_eq(first, 1);
        ck_assert_uint_eq(sw_listing_below(l, "a/b.c", &first), 1);
        ck_assert_uint_eq(sw_listing_below(l, "a/x", &first), 0);
        ck_assert_ptr_null(sw_listing_find(l, "a/"));
        sw_ref_unref(ref);
}
END_TEST

static sw_digest
hash_of(sw_ref *ref, const char *path)
{
        sw_digest d;

        ok(sw__contenthash(NULL, NULL, ref, &(struct sw_hash_select){ .path = path }, &d));
        return d;
}

START_TEST(hashes_as_the_reference_does)
{
        /* from a cache configuration that the reference exported: the whole of a context */
        sw_ref *ref = NULL;
        char text[SW_DIGEST_STR_SIZE], at[SW_DIGEST_STR_SIZE + 8];

        add_file("a.txt", "A\n"
                          "");
        add_file("Dockerfile", "FROM busybox AS build\n"
                               "WORKDIR /src\n"
                               "COPY . .\n"
                               "RUN cat a.txt > out\n"
                               "FROM scratch\n"
                               "COPY --from=build /src/out /out\n"
                               "ENTRYPOINT [\"/out\"]\n"
                               "");
        ok(snapshot(NULL, 0, &ref));
        sw_digest d = hash_of(ref, "/");
        d = sw_digest_of(sw_digest_str(&d, text), SW_DIGEST_STR_LEN);
        (void) snprintf(at, sizeof(at), "%s@-1", sw_digest_str(&d, text));
        d = sw_digest_of(at, strlen(at));
        ck_assert_str_eq(
                sw_digest_str(&d, text),
                "sha256:8e349fb9a9f03016d203312e8caf0bc4d4c428597654553031825e97a821f173");
        sw_ref_unref(ref);
}
END_TEST

START_TEST(hashes_what_changed_before_it_was_read)
{
        sw_ref *ref = NULL, *again = NULL;
        struct stat st;
        sw_auto(sw_fd) fd = -1;

        add_file("f", "before");
        add_file("g", "stays");
        ok(snapshot(NULL, 0, &ref));
        add_file("f", "after, and longer");
        sw_digest d = hash_of(ref, "/f");
        ok(snapshot(NULL, 0, &again));
        sw_digest want = hash_of(again, "/f");
        ck_assert(sw_digest_eq(&d, &want));
        /* what is copied afterwards is what was hashed */
        ok(sw_listing_open(sw_ref_listing(ref), 0, &fd, &st));
        ck_assert_int_eq(st.st_size, 17);
        add_file("f", "now it is too late");
        fails(sw_listing_check(sw_ref_listing(ref), 0, fd, &st), SW_E_BUSY, "f");
        ck_assert_int_eq(unlinkat(root, "g", 0), 0);
        sw_digest none;
        fails(sw__contenthash(NULL, NULL, ref, &(struct sw_hash_select){ .path = "/g" },
                              &none),
              SW_E_BUSY, "g");
        sw_ref_unref(ref);
        sw_ref_unref(again);
}
END_TEST

START_TEST(does_not_follow_what_became_a_link)
{
        sw_ref *ref = NULL;
        struct stat st;
        sw_digest d;
        int fd;

        add_file("sub/f", "x");
        add_file("secret", "y");
        ok(snapshot(NULL, 0, &ref));
        ok(sw_path_remove(root, "sub"));
        ck_assert_int_eq(symlinkat("/etc", root, "sub"), 0);
        fails(sw_listing_open(sw_ref_listing(ref), 2, &fd, &st), SW_E_BUSY, "sub/f");
        fails(sw__contenthash(NULL, NULL, ref, &(struct sw_hash_select){ .path = "/" }, &d),
              SW_E_BUSY, "sub");
        sw_ref_unref(ref);
}
END_TEST

/* ---- what is kept between builds ---- */

/* The directory as a list, its times well in the past. */
static struct list *
quiet_list(void)
{
        struct found_dir *found = NULL;
        struct list *l = NULL;

        ok(walk_directory(NULL, root, NULL, NULL, &found));
        ok(list_make(found, sw_time_now() + 60 * SW_NS_PER_SEC, &l));
        found_dir_free(found);
        return l;
}

static void
know_all(struct list *l)
{
        for (size_t i = 0; i < l->n; i++) {
                l->items[i].digest = sw_digest_of(l->v[i].path, strlen(l->v[i].path));
                l->items[i].known = true;
        }
}

START_TEST(remembers_digests_of_unchanged_files)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_digest want;

        add_file("a/b", "1");
        add_file("a.c", "2");
        add_file("a-", "3");
        add_file("z", "4");
        struct list *l = quiet_list();
        ck_assert_uint_eq(l->n, 5);
        know_all(l);
        statcache_pack(l, &b);
        list_free(l);

        l = quiet_list();
        ck_assert_uint_eq(statcache_apply(b.data, b.len, l), 5);
        for (size_t i = 0; i < l->n; i++) {
                want = sw_digest_of(l->v[i].path, strlen(l->v[i].path));
                ck_assert(sw_digest_eq(&l->items[i].digest, &want));
        }
        list_free(l);

        add_file("a.c", "longer"); /* one changed, one gone, one new */
        ck_assert_int_eq(unlinkat(root, "z", 0), 0);
        add_file("b", "");
        l = quiet_list();
        ck_assert_uint_eq(statcache_apply(b.data, b.len, l), 3);
        list_free(l);
}
END_TEST

START_TEST(forgets_files_that_changed_without_a_trace)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct found_dir *found = NULL;
        struct list *l = NULL;

        add_file("fresh", "1"); /* written just now: a second write may show no new time */
        ok(walk_directory(NULL, root, NULL, NULL, &found));
        ok(list_make(found, sw_time_now(), &l));
        found_dir_free(found);
        ck_assert(l->items[0].racy);
        know_all(l);
        statcache_pack(l, &b);
        l->items[0].known = false;
        ck_assert_uint_eq(statcache_apply(b.data, b.len, l), 0);
        list_free(l);
}
END_TEST

START_TEST(keeps_digests_in_a_file)
{
        add_file("f", "1");
        struct list *l = quiet_list();
        know_all(l);
        sw_auto(sw_fd) state = -1;
        ok(sw_path_mkdirs(root, "state", 0755, &state));
        statcache_save(state, "x", l, NULL);
        l->items[0].known = false;
        statcache_load(state, "none", l);
        ck_assert(!l->items[0].known);
        statcache_load(state, "x", l);
        ck_assert(l->items[0].known);
        /* one damaged byte: none of it is used */
        sw_auto(sw_fd) fd = openat(state, "x", O_RDWR);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, "\x55", 1, 80), 1);
        l->items[0].known = false;
        statcache_load(state, "x", l);
        ck_assert(!l->items[0].known);
        list_free(l);
}
END_TEST

/* Everything known is in a file's state; what of it comes through @how? */
static size_t
known_after(void (*how)(void))
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct list *l = quiet_list();

        know_all(l);
        statcache_pack(l, &b);
        list_free(l);
        how();
        l = quiet_list();
        size_t known = statcache_apply(b.data, b.len, l);
        list_free(l);
        return known;
}

static void
chmod_and_back(void)
{
        struct stat st;

        ck_assert_int_eq(fstatat(root, "f", &st, 0), 0);
        usleep(20000); /* more than a grain: the change time is another */
        ck_assert_int_eq(fchmodat(root, "f", 0600, 0), 0);
        ck_assert_int_eq(fchmodat(root, "f", st.st_mode & 07777, 0), 0);
}

/* Another file of the same size and time. */
static void
replace(void)
{
        struct stat st;

        ck_assert_int_eq(fstatat(root, "f", &st, 0), 0);
        add_file("new", "2");
        ck_assert_int_eq(utimensat(root, "new",
                                   (struct timespec[]){ st.st_atim, st.st_mtim }, 0),
                         0);
        ck_assert_int_eq(renameat(root, "new", root, "f"), 0);
}

/* Written again, and its time put back. */
static void
rewrite(void)
{
        struct stat st;

        ck_assert_int_eq(fstatat(root, "f", &st, 0), 0);
        usleep(20000);
        add_file("f", "3");
        ck_assert_int_eq(utimensat(root, "f", (struct timespec[]){ st.st_atim, st.st_mtim },
                                   0),
                         0);
}

static void
nothing(void)
{
}

START_TEST(sees_through_times_that_were_put_back)
{
        add_file("f", "1");
        ck_assert_uint_eq(known_after(nothing), 1);
        ck_assert_uint_eq(known_after(chmod_and_back), 0);
        ck_assert_uint_eq(known_after(replace), 0);
        ck_assert_uint_eq(known_after(rewrite), 0);
}
END_TEST

/* Whether a file that was last changed @age ns before a walk is trusted. */
static bool
racy_after(int64_t age)
{
        struct found_dir *found = NULL;
        struct list *l = NULL;
        struct stat st;

        ck_assert_int_eq(fstatat(root, "f", &st, 0), 0);
        const int64_t changed = sw_time_from_spec(&st.st_ctim);
        ok(walk_directory(NULL, root, NULL, NULL, &found));
        ok(list_make(found, changed + age, &l));
        bool racy = l->items[0].racy;
        found_dir_free(found);
        list_free(l);
        return racy;
}

START_TEST(trusts_no_file_that_changed_just_now)
{
        add_file("f", "1");
        struct timespec old[2] = { { .tv_sec = 1000, .tv_nsec = 5 },
                                   { .tv_sec = 1000, .tv_nsec = 5 } };
        ck_assert_int_eq(utimensat(root, "f", old, 0), 0);
        ck_assert(racy_after(0));
        ck_assert(racy_after(SW_NS_PER_SEC / 20));
        ck_assert(!racy_after(SW_NS_PER_SEC / 5));
        ck_assert(racy_after(-SW_NS_PER_SEC)); /* a clock that is wrong */
}
END_TEST

/* Change a file all the time, until told to stop. */
static void *
keep_writing(void *arg)
{
        atomic_bool *stop = arg;
        sw_auto(sw_fd) fd = openat(root, "busy", O_WRONLY | O_CLOEXEC);

        while (!atomic_load(stop))
                (void) !pwrite(fd, "x", 1, 0);
        return NULL;
}

START_TEST(says_what_changes_while_it_is_read)
{
        atomic_bool stop = false;
        sw_ref *ref = NULL;
        pthread_t writer;
        sw_digest d;
        sw_auto(sw_fd) fd = -1;

        add_file("busy", "");
        fd = openat(root, "busy", O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(ftruncate(fd, 64 << 20), 0); /* long enough to be caught reading */
        ok(snapshot(NULL, 0, &ref));
        ck_assert_int_eq(pthread_create(&writer, NULL, keep_writing, &stop), 0);
        usleep(20000);
        fails(sw__contenthash(NULL, NULL, ref, &(struct sw_hash_select){ .path = "/" }, &d),
              SW_E_BUSY, "busy");
        atomic_store(&stop, true);
        (void) pthread_join(writer, NULL);
        sw_ref_unref(ref);
}
END_TEST

START_TEST(takes_names_as_they_are)
{
        char longest[256];
        const char *names[] = { "-rf", "new\nline", "\033[31m", "\xff\xfe",
                                "a b", "..x",       "*",        longest };
        sw_ref *ref = NULL;

        memset(longest, 'n', 255);
        longest[255] = '\0';
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                add_file(names[i], "");
        ok(snapshot(NULL, 0, &ref));
        const struct sw_listing *l = sw_ref_listing(ref);
        ck_assert_uint_eq(l->n, sizeof(names) / sizeof(*names));
        for (size_t i = 0; i < l->n; i++)
                ck_assert_ptr_nonnull(sw_listing_find(l, names[i]));
        (void) hash_of(ref, "/");
        sw_ref_unref(ref);
}
END_TEST

START_TEST(refuses_paths_that_are_too_long)
{
        char name[201];
        sw_fd at = dup(root);

        memset(name, 'd', 200);
        name[200] = '\0';
        for (int i = 0; i < 30; i++) {
                ck_assert_int_eq(mkdirat(at, name, 0755), 0);
                sw_fd next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(next, 0);
                (void) close(at);
                at = next;
        }
        sw_fd_clear(&at);
        refuses(SW_E_LIMIT, "ddd", { "local.differ", "none" });
        lists("", { "local.excludepatterns", "[\"d*\"]" });
}
END_TEST

START_TEST(says_what_cannot_be_read)
{
        bool is_root = geteuid() == 0; /* root reads everything */
        sw_ref *ref = NULL;
        sw_digest d;

        add_file("closed/f", "");
        add_file("secret", "x");
        ck_assert_int_eq(fchmodat(root, "secret", 0, 0), 0);
        ck_assert_int_eq(fchmodat(root, "closed", 0, 0), 0);
        ck_assert_int_eq(fchmod(root, 0755), 0);
        if (is_root)
                ck_assert_int_eq(seteuid(65534), 0);
        refuses(SW_E_DENIED, "closed", { "local.differ", "none" });
        lists("secret", { "local.excludepatterns", "[\"closed\"]" });
        const struct sw_attr attrs[] = { { "local.excludepatterns", "[\"closed\"]" } };
        ok(snapshot(attrs, 1, &ref));
        fails(sw__contenthash(NULL, NULL, ref, &(struct sw_hash_select){ .path = "/" }, &d),
              SW_E_DENIED, "secret");
        sw_ref_unref(ref);
        if (is_root)
                ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(fchmodat(root, "closed", 0755, 0), 0);
}
END_TEST

UNIT_MAIN_WITH("source-local", before, after, lists_in_order, lists_what_patterns_want,
               follows_links_to_what_is_wanted, refuses_malformed_attributes,
               knows_hard_links_and_modes, finds_runs_of_directories,
               hashes_as_the_reference_does, hashes_what_changed_before_it_was_read,
               does_not_follow_what_became_a_link, remembers_digests_of_unchanged_files,
               forgets_files_that_changed_without_a_trace, keeps_digests_in_a_file,
               sees_through_times_that_were_put_back, trusts_no_file_that_changed_just_now,
               says_what_changes_while_it_is_read, takes_names_as_they_are,
               refuses_paths_that_are_too_long, says_what_cannot_be_read)
