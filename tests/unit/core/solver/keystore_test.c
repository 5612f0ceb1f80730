/*
 * tests/unit/core/solver/keystore_test.c - the contract of keystore.h, the same for every
 * store that we have: in memory, and on LMDB.
 */
#include "core/solver/keystore.h"

#include "tests/unit/core/store/metatool.h"

#define NAME_MAX_79                                                                        \
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678"

/* ---- a store to test, and what is in it as text ---- */

struct fixture {
        bool lasts; /* on LMDB */
        char dir[64];
        sw_meta *meta;
        sw_keystore *ks;
};

static void
fix_open(struct fixture *f)
{
        if (f->lasts) {
                ok(sw__meta_open(f->dir, NULL, &f->meta));
                f->ks = sw__keystore_lmdb_new(f->meta);
        } else {
                f->ks = sw__keystore_mem_new();
        }
}

static void
fix_close(struct fixture *f)
{
        if (f->lasts && f->ks)
                tool_check_invariants(f->meta);
        sw__keystore_free(f->ks);
        sw__meta_close(f->meta);
        f->ks = NULL;
        f->meta = NULL;
}

/* Close and open again; every file that LMDB made must be found sound. */
static void
fix_reopen(struct fixture *f)
{
        if (!f->lasts)
                return;
        fix_close(f);
        tool_check_file(f->dir);
        tool_forget_clean(f->dir);
        fix_open(f);
        ck_assert_int_eq(tool_set_aside(f->dir), 0);
}

static void
fix_begin(struct fixture *f, bool lasts)
{
        *f = (struct fixture){ .lasts = lasts };
        if (lasts)
                unit_mkdtemp(f->dir, sizeof(f->dir), "keystore");
        fix_open(f);
}

static void
fix_end(struct fixture *f)
{
        fix_close(f);
        if (f->lasts)
                tool_remove(f->dir);
}

/* Run @test on each kind of store. */
static void
on_each(void (*test)(struct fixture *f))
{
        for (int lasts = 0; lasts < 2; lasts++) {
                struct fixture f;

                fix_begin(&f, lasts);
                test(&f);
                fix_end(&f);
        }
}

static bool
add_id(void *arg, const char *id)
{
        sw_strlist_add(arg, id);
        return true;
}

static bool
add_record(void *arg, const struct sw_key_record *r)
{
        sw_strlist_take(arg, sw_asprintf("%s/%jd/%d", r->result, (intmax_t) r->created_at,
                                         r->priority));
        return true;
}

static bool
add_backlink(void *arg, const char *parent, const struct sw_key_link *l)
{
        sw_strlist_take(arg, sw_asprintf("%s-%u-%d-%s-%s", parent, l->input, l->output,
                                         l->digest, l->selector));
        return true;
}

static bool
add_note(void *arg, uint32_t input, const char *content)
{
        sw_strlist_take(arg, sw_asprintf("%u=%s", input, content));
        return true;
}

/* The list as one text, in an order of its own; empties it. */
static char *
joined(sw_strlist *l)
{
        sw_strlist_sort(l);
        char *s = sw_strlist_join(l, " ");
        sw_strlist_release(l);
        *l = (sw_strlist){ 0 };
        return s;
}

#define walk(f, fn, ...)                                                                   \
        ({                                                                                 \
                sw_strlist walk_l_ = { 0 };                                                \
                ok((f)->ks->ops->fn((f)->ks, __VA_ARGS__, &walk_l_));                      \
                joined(&walk_l_);                                                          \
        })

static char *
links(struct fixture *f, const char *parent, const struct sw_key_link *l)
{
        return walk(f, walk_links, parent, l, add_id);
}

static char *
records(struct fixture *f, const char *id)
{
        return walk(f, walk_records, id, add_record);
}

static char *
backlinks(struct fixture *f, const char *id)
{
        return walk(f, walk_backlinks, id, add_backlink);
}

static char *
by_result(struct fixture *f, const char *result)
{
        return walk(f, walk_by_result, result, add_id);
}

static char *
keys(struct fixture *f)
{
        return walk(f, walk_keys, add_id);
}

/* "-" when nothing is known. */
static char *
recall(struct fixture *f, const char *digest)
{
        sw_strlist l = { 0 };
        bool known = true;

        ok(f->ks->ops->recall(f->ks, digest, &known, add_note, &l));
        char *s = joined(&l);
        if (known)
                return s;
        ck_assert_str_eq(s, "");
        free(s);
        return sw_strdup("-");
}

static bool
exists(struct fixture *f, const char *id)
{
        bool found = false;

        ok(f->ks->ops->exists(f->ks, id, &found));
        return found;
}

static bool
has_link(struct fixture *f, const char *parent, const struct sw_key_link *l,
         const char *child)
{
        bool found = false;

        ok(f->ks->ops->has_link(f->ks, parent, l, child, &found));
        return found;
}

/* The text of a call equals @want. */
#define says(call, want)                                                                   \
        do {                                                                               \
                char *says_ = (call);                                                      \
                ck_assert_str_eq(says_, (want));                                           \
                free(says_);                                                               \
        } while (0)

static const struct sw_key_link plain = { 0, 0, "sha256:d", "" };

static void
link_to(struct fixture *f, const char *parent, const char *child)
{
        ok(f->ks->ops->add_link(f->ks, parent, &plain, child));
}

/* ---- the contract, case by case ---- */

/* Catches a link found through another input, output, digest, selector or parent. */
static void
links_are_exact(struct fixture *f)
{
        const struct sw_key_link l = { 1, 2, "sha256:d", "sel" };
        const struct sw_key_link others[] = {
                { 0, 2, "sha256:d", "sel" },   { 1, 1, "sha256:d", "sel" },
                { 1, -1, "sha256:d", "sel" },  { 1, 2, "sha256:e", "sel" },
                { 1, 2, "sha256:dsel", "" },   { 1, 2, "sha256:d", "" },
                { 256, 2, "sha256:d", "sel" }, { 1, 2, "sha256:d", "se" },
        };

        ok(f->ks->ops->add_link(f->ks, "p", &l, "c1"));
        ok(f->ks->ops->add_link(f->ks, "p", &l, "c2"));
        ok(f->ks->ops->add_link(f->ks, "p", &l, "c1"));
        for (int again = 0; again < 2; again++) {
                says(links(f, "p", &l), "c1 c2");
                ck_assert(has_link(f, "p", &l, "c1"));
                ck_assert(!has_link(f, "p", &l, "c"));
                ck_assert(!has_link(f, "p", &l, "c11"));
                ck_assert(!has_link(f, "c1", &l, "p"));
                says(links(f, "p2", &l), "");
                for (size_t i = 0; i < SW_COUNT(others); i++) {
                        says(links(f, "p", &others[i]), "");
                        ck_assert(!has_link(f, "p", &others[i], "c1"));
                }
                says(backlinks(f, "c1"), "p-1-2-sha256:d-sel");
                ck_assert(exists(f, "p") && exists(f, "c1") && !exists(f, "c"));
                ok(f->ks->ops->commit(f->ks));
                fix_reopen(f);
        }
}

START_TEST(finds_links_exactly)
{
        on_each(links_are_exact);
}
END_TEST

/* Catches numbers that lose their sign or size on the way. */
static void
extremes(struct fixture *f)
{
        const struct sw_key_link l = { UINT32_MAX, INT32_MIN, "d", "" };
        const struct sw_key_record a = { "r::a", INT64_MIN, INT32_MIN },
                                   b = { "r::b", INT64_MAX, INT32_MAX };

        ok(f->ks->ops->add_link(f->ks, "p", &l, "c"));
        ok(f->ks->ops->add_record(f->ks, "c", &a));
        ok(f->ks->ops->add_record(f->ks, "c", &b));
        says(backlinks(f, "c"), "p-4294967295--2147483648-d-");
        says(records(f, "c"), "r::a/-9223372036854775808/-2147483648 "
                              "r::b/9223372036854775807/2147483647");
}

START_TEST(keeps_extreme_numbers)
{
        on_each(extremes);
}
END_TEST

/* Catches a second record of the same result, records of a key whose id begins with this
 * one's, and results or keys that are not told of. */
static void
records_replace(struct fixture *f)
{
        tool_record(f->ks, "k", "w::1", 10);
        tool_record(f->ks, "k", "w::2", 5);
        tool_record(f->ks, "k2", "w::1", 7);
        const struct sw_key_record newer = { "w::1", 20, 9 };
        ok(f->ks->ops->add_record(f->ks, "k", &newer));
        ok(f->ks->ops->commit(f->ks));
        fix_reopen(f);
        says(records(f, "k"), "w::1/20/9 w::2/5/3");
        says(records(f, "k2"), "w::1/7/3");
        says(records(f, "k3"), "");
        says(by_result(f, "w::1"), "k k2");
        says(by_result(f, "w::2"), "k");
        says(by_result(f, "w::"), "");
        says(keys(f), "k k2");
        ck_assert(exists(f, "k"));
}

START_TEST(replaces_records)
{
        on_each(records_replace);
}
END_TEST

/* Catches drop_record taking links or other records with it. */
static void
drop_leaves_links(struct fixture *f)
{
        link_to(f, "p", "k");
        link_to(f, "k", "c");
        tool_record(f->ks, "k", "w::1", 1);
        tool_record(f->ks, "k", "w::2", 2);
        tool_record(f->ks, "p", "w::1", 3);
        ok(f->ks->ops->drop_record(f->ks, "k", "w::1"));
        ok(f->ks->ops->drop_record(f->ks, "k", "w::1"));
        ok(f->ks->ops->drop_record(f->ks, "k", "w::none"));
        ok(f->ks->ops->drop_record(f->ks, "none", "w::2"));
        says(records(f, "k"), "w::2/2/3");
        says(by_result(f, "w::1"), "p");
        ok(f->ks->ops->drop_record(f->ks, "k", "w::2"));
        says(by_result(f, "w::2"), "");
        says(keys(f), "p");
        says(links(f, "p", &plain), "k");
        says(links(f, "k", &plain), "c");
}

START_TEST(drops_one_record)
{
        on_each(drop_leaves_links);
}
END_TEST

/* Catches a release that stops half-way up, goes too far, or recurses. */
static void
release_goes_up(struct fixture *f)
{
        enum { LONG = 20000 };
        char a[32], b[32];

        for (int i = 0; i < LONG; i++) {
                snprintf(a, sizeof(a), "n%d", i);
                snprintf(b, sizeof(b), "n%d", i + 1);
                link_to(f, a, b);
        }
        tool_record(f->ks, b, "w::end", 1);
        tool_record(f->ks, "n10", "w::middle", 1);
        link_to(f, "n5", "branch");
        tool_record(f->ks, "branch", "w::branch", 1);
        ok(f->ks->ops->release(f->ks, "w::end"));
        ck_assert(!exists(f, b) && !exists(f, "n11") && exists(f, "n10"));
        says(links(f, "n9", &plain), "n10");
        ok(f->ks->ops->release(f->ks, "w::middle"));
        ck_assert(!exists(f, "n10") && !exists(f, "n6") && exists(f, "n5"));
        says(links(f, "n5", &plain), "branch");
        ok(f->ks->ops->release(f->ks, "w::branch"));
        ck_assert(!exists(f, "n5") && !exists(f, "n0") && !exists(f, "branch"));
        ok(f->ks->ops->release(f->ks, "w::branch"));
        says(keys(f), "");
}

START_TEST(releases_upwards)
{
        on_each(release_goes_up);
}
END_TEST

/* Catches loops and double frees where keys link in circles or to themselves, and where a
 * result stands under several keys of one chain. */
static void
release_in_circles(struct fixture *f)
{
        link_to(f, "self", "self");
        tool_record(f->ks, "self", "w::self", 1);
        link_to(f, "a", "b");
        link_to(f, "b", "a");
        tool_record(f->ks, "a", "w::ab", 1);
        tool_record(f->ks, "b", "w::ab", 1);
        link_to(f, "x", "y");
        link_to(f, "y", "z");
        link_to(f, "x", "z");
        for (int i = 0; i < 3; i++)
                tool_record(f->ks, (const char *[]){ "x", "y", "z" }[i], "w::xyz", 1);
        ok(f->ks->ops->release(f->ks, "w::self"));
        ok(f->ks->ops->release(f->ks, "w::ab"));
        ok(f->ks->ops->release(f->ks, "w::xyz"));
        says(keys(f), "");
        ck_assert(exists(f, "self") && exists(f, "a") && exists(f, "b"));
        ck_assert(!exists(f, "x") && !exists(f, "y") && !exists(f, "z"));
}

START_TEST(releases_in_circles)
{
        on_each(release_in_circles);
}
END_TEST

/* Catches notes that grow, vanish or are known without having been remembered. */
static void
notes(struct fixture *f)
{
        const char *const one[] = { "sha256:a", "", "sha256:c" }, *const two[] = { "" };

        says(recall(f, "d"), "-");
        ok(f->ks->ops->remember(f->ks, "d", one, 3));
        says(recall(f, "d"), "0=sha256:a 1= 2=sha256:c");
        ok(f->ks->ops->remember(f->ks, "d", two, 1));
        ok(f->ks->ops->remember(f->ks, "none", one, 0));
        ok(f->ks->ops->commit(f->ks));
        fix_reopen(f);
        says(recall(f, "d"), "0=");
        says(recall(f, "none"), "");
        says(recall(f, "dd"), "-");
}

START_TEST(remembers_notes)
{
        on_each(notes);
}
END_TEST

/* Catches texts at the limit that are cut, those above it that are stored, refused writes
 * that take the group with them, and reads that fail on what cannot be there. */
static void
limits(struct fixture *f)
{
        char long80[81], long255[256], long256[257];
        const struct sw_key_link most = { 0, 0, NAME_MAX_79, NAME_MAX_79 };
        const char *const content[] = { NAME_MAX_79 };
        const char *const too_long[] = { long80 };

        memset(long80, 'x', 80);
        memset(long255, 'y', 255);
        memset(long256, 'z', 256);
        long80[80] = long255[255] = long256[256] = '\0';
        const struct sw_key_link bad[] = { { 0, 0, long80, "" },
                                           { 0, 0, "d", long80 },
                                           { 0, 0, "", "" } };
        ok(f->ks->ops->add_link(f->ks, NAME_MAX_79, &most, NAME_MAX_79));
        tool_record(f->ks, NAME_MAX_79, long255, 1);
        ok(f->ks->ops->remember(f->ks, NAME_MAX_79, content, 1));
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                fails(f->ks->ops->add_link(f->ks, "p", &bad[i], "c"), SW_E_LIMIT, "bytes");
                says(links(f, "p", &bad[i]), "");
                ck_assert(!has_link(f, "p", &bad[i], "c"));
        }
        const char *const names[] = { long80, "" };
        for (size_t i = 0; i < SW_COUNT(names); i++) {
                const struct sw_key_record rec = { "w::r", 1, 1 };

                fails(f->ks->ops->add_link(f->ks, names[i], &plain, "c"), SW_E_LIMIT, "id");
                fails(f->ks->ops->add_link(f->ks, "p", &plain, names[i]), SW_E_LIMIT, "id");
                fails(f->ks->ops->add_record(f->ks, names[i], &rec), SW_E_LIMIT, "id");
                fails(f->ks->ops->remember(f->ks, names[i], content, 1), SW_E_LIMIT, "");
                ck_assert(!exists(f, names[i]));
                says(links(f, names[i], &plain), "");
                ck_assert(!has_link(f, "p", &plain, names[i]));
                says(records(f, names[i]), "");
                says(backlinks(f, names[i]), "");
                says(recall(f, names[i]), "-");
                ok(f->ks->ops->drop_record(f->ks, names[i], "w::r"));
        }
        const struct sw_key_record long_result = { long256, 1, 1 },
                                   no_result = { "", 1, 1 };
        fails(f->ks->ops->add_record(f->ks, "k", &long_result), SW_E_LIMIT, "result");
        fails(f->ks->ops->add_record(f->ks, "k", &no_result), SW_E_LIMIT, "result");
        fails(f->ks->ops->remember(f->ks, "d", too_long, 1), SW_E_LIMIT, "content");
        fails(f->ks->ops->remember(f->ks, "d", content, SW_KEY_NOTE_MAX + 1), SW_E_LIMIT,
              "inputs");
        says(by_result(f, long256), "");
        says(by_result(f, ""), "");
        ok(f->ks->ops->release(f->ks, long256));
        ok(f->ks->ops->drop_record(f->ks, NAME_MAX_79, long256));
        ok(f->ks->ops->commit(f->ks));
        fix_reopen(f);
        says(links(f, NAME_MAX_79, &most), NAME_MAX_79);
        says(keys(f), NAME_MAX_79);
        says(by_result(f, long255), NAME_MAX_79);
        says(recall(f, NAME_MAX_79), "0=" NAME_MAX_79);
}

START_TEST(keeps_to_limits)
{
        on_each(limits);
}
END_TEST

static bool
count_two(void *arg, const char *id)
{
        (void) id;
        return ++*(int *) arg < 2;
}

static bool
count_two_records(void *arg, const struct sw_key_record *r)
{
        return count_two(arg, r->result);
}

static bool
count_two_backlinks(void *arg, const char *parent, const struct sw_key_link *l)
{
        (void) l;
        return count_two(arg, parent);
}

static bool
count_two_notes(void *arg, uint32_t input, const char *content)
{
        (void) input;
        return count_two(arg, content);
}

/* Catches a walk that goes on after it was told to end. */
static void
stop_walks(struct fixture *f)
{
        const char *const content[] = { "a", "b", "c" };
        int n = 0;
        bool known;

        for (int i = 0; i < 3; i++) {
                link_to(f, "p", content[i]);
                link_to(f, content[i], "c");
                tool_record(f->ks, content[i], "w::r", i);
                tool_record(f->ks, "p", content[i], i);
        }
        ok(f->ks->ops->remember(f->ks, "d", content, 3));
        ok(f->ks->ops->walk_links(f->ks, "p", &plain, count_two, &n));
        ok(f->ks->ops->walk_records(f->ks, "p", count_two_records, (n = 0, &n)));
        ok(f->ks->ops->walk_backlinks(f->ks, "c", count_two_backlinks, (n = 0, &n)));
        ck_assert_int_eq(n, 2);
        ok(f->ks->ops->walk_by_result(f->ks, "w::r", count_two, (n = 0, &n)));
        ck_assert_int_eq(n, 2);
        ok(f->ks->ops->walk_keys(f->ks, count_two, (n = 0, &n)));
        ck_assert_int_eq(n, 2);
        ok(f->ks->ops->recall(f->ks, "d", &known, count_two_notes, (n = 0, &n)));
        ck_assert_int_eq(n, 2);
        ok(f->ks->ops->walk_links(f->ks, "p", &plain, count_two, (n = 0, &n)));
        ck_assert_int_eq(n, 2);
}

START_TEST(ends_walks_when_told)
{
        on_each(stop_walks);
}
END_TEST

/* Catches reads that do not see the open group, and parts of an abandoned group that stay.
 */
START_TEST(abandons_a_group_whole)
{
        const char *const content[] = { "sha256:now" };
        struct fixture f;

        fix_begin(&f, true);
        link_to(&f, "p", "c");
        tool_record(f.ks, "c", "w::1", 1);
        ok(f.ks->ops->commit(f.ks));
        link_to(&f, "p", "c2");
        tool_record(f.ks, "c2", "w::2", 1);
        tool_record(f.ks, "c", "w::1", 99);
        ok(f.ks->ops->remember(f.ks, "d", content, 1));
        says(links(&f, "p", &plain), "c c2");
        says(records(&f, "c"), "w::1/99/3");
        says(keys(&f), "c c2");
        ok(f.ks->ops->release(f.ks, "w::1"));
        says(keys(&f), "c2");
        says(links(&f, "p", &plain), "c2");
        sw__keystore_free(f.ks); /* no commit */
        f.ks = sw__keystore_lmdb_new(f.meta);
        for (int again = 0; again < 2; again++) {
                says(links(&f, "p", &plain), "c");
                says(records(&f, "c"), "w::1/1/3");
                says(by_result(&f, "w::2"), "");
                says(recall(&f, "d"), "-");
                says(keys(&f), "c");
                fix_reopen(&f);
        }
        fix_end(&f);
}
END_TEST

/* Catches ids that other stores would not understand, and volatile ones that look durable.
 * The sum is of "sha256:aaaa@2" by sha256sum(1). */
START_TEST(makes_ids)
{
        sw_key_id a, b;

        sw__key_root("sha256:aaaa", 2, &a);
        ck_assert_str_eq(
                a.s,
                "sha256:173aec04c32a230dac539d1e15ef6856c91fdf154f4b2bed7f621edc013eea2e");
        sw__key_root("random:aaaa", 2, &a);
        ck_assert(sw__key_is_volatile(a.s));
        sw__key_root("random:aaaa", 3, &b);
        ck_assert_str_ne(a.s, b.s);
        struct sw__key_maker maker = { .n = 0 }, other = { .n = 0 };
        sw_auto(sw_strlist) made = { 0 };
        for (int i = 0; i < 300; i++) {
                sw__key_new(&maker, &a);
                ck_assert(!sw_strlist_has(&made, a.s));
                sw_strlist_add(&made, a.s);
        }
        sw__key_new(&other, &b);
        ck_assert_str_ne(made.v[0], b.s);
        ck_assert(!sw__key_is_volatile(a.s));
        maker.n = UINT64_MAX - 1;
        sw__key_new(&maker, &a);
        ck_assert_uint_eq(strlen(a.s), SW_ID_LEN + 16);
        sw__key_new_volatile(&a);
        sw__key_new_volatile(&b);
        ck_assert_str_ne(a.s, b.s);
        ck_assert(sw__key_is_volatile(a.s) && strlen(a.s) <= SW_KEY_TEXT_MAX);
        sw__key_root(NAME_MAX_79, INT32_MIN, &a);
        ck_assert_uint_eq(strlen(a.s), 71);
}
END_TEST

/* ---- the two stores, compared ---- */

enum { N_KEYS = 14, N_DIGESTS = 3, N_SELECTORS = 2, N_RESULTS = 7 };

static const char *const digests[N_DIGESTS] = { "sha256:d0", "sha256:d1", "d" };
static const char *const selectors[N_SELECTORS] = { "", "sel" };

struct pair {
        struct fixture f[2];
        uint64_t seed;
        unsigned step;
};

static void
key_name(unsigned i, char out[16])
{
        snprintf(out, 16, i % 3 ? "k%u" : "k%ux", i / 2);
}

/* All that can be read about the small world of this test, as one text. */
static char *
dump(struct fixture *f)
{
        sw_strlist all = { 0 };
        char key[16], result[16];

        sw_strlist_take(&all, keys(f));
        for (unsigned k = 0; k < N_KEYS; k++) {
                key_name(k, key);
                sw_strlist_take(&all, sw_asprintf("%s%d", key, exists(f, key)));
                sw_strlist_take(&all, records(f, key));
                sw_strlist_take(&all, backlinks(f, key));
                for (unsigned i = 0; i < 4 * N_DIGESTS * N_SELECTORS; i++) {
                        const struct sw_key_link l = { i & 1, i / 2 & 1,
                                                       digests[i / 4 % N_DIGESTS],
                                                       selectors[i / 4 / N_DIGESTS] };
                        char *to = links(f, key, &l);
                        if (*to)
                                sw_strlist_take(&all, sw_asprintf("%s %u: %s", key, i, to));
                        free(to);
                }
        }
        for (unsigned r = 0; r < N_RESULTS; r++) {
                snprintf(result, sizeof(result), "w::%u", r);
                sw_strlist_take(&all, by_result(f, result));
        }
        for (unsigned d = 0; d < N_DIGESTS; d++)
                sw_strlist_take(&all, recall(f, digests[d]));
        char *s = sw_strlist_join(&all, "\n");
        sw_strlist_release(&all);
        return s;
}

static void
compare(struct pair *p)
{
        sw_auto(sw_str) a = dump(&p->f[0]);
        sw_auto(sw_str) b = dump(&p->f[1]);

        ck_assert_msg(strcmp(a, b) == 0, "seed %ju step %u:\n%s\n---- lmdb:\n%s",
                      (uintmax_t) p->seed, p->step, a, b);
}

/* One random operation, the same on both. */
static void
operate(struct pair *p, struct rng *r)
{
        const unsigned what = rng_below(r, 100), n = rng_below(r, 4);
        const struct sw_key_link l = { rng_below(r, 2), (int32_t) rng_below(r, 2),
                                       digests[rng_below(r, N_DIGESTS)],
                                       selectors[rng_below(r, N_SELECTORS)] };
        const char *const content[] = { "", "sha256:a", "sha256:b" };
        char a[16], b[16], result[16];

        key_name(rng_below(r, N_KEYS), a);
        key_name(rng_below(r, N_KEYS), b);
        snprintf(result, sizeof(result), "w::%u", rng_below(r, N_RESULTS));
        const struct sw_key_record rec = { result, (int64_t) rng_below(r, 5) - 2,
                                           (int32_t) rng_below(r, 3) - 1 };
        for (int i = 0; i < 2; i++) {
                sw_keystore *ks = p->f[i].ks;

                if (what < 40)
                        ok(ks->ops->add_link(ks, a, &l, b));
                else if (what < 65)
                        ok(ks->ops->add_record(ks, a, &rec));
                else if (what < 75)
                        ok(ks->ops->drop_record(ks, a, result));
                else if (what < 85)
                        ok(ks->ops->release(ks, result));
                else if (what < 90)
                        ok(ks->ops->remember(ks, l.digest, content, n % 4));
                else if (what < 98)
                        ok(ks->ops->commit(ks));
        }
}

static void
one_world(uint64_t seed)
{
        struct rng r = rng_seed(seed);
        struct pair p = { .seed = seed };

        fix_begin(&p.f[0], false);
        fix_begin(&p.f[1], true);
        for (p.step = 0; p.step < 250; p.step++) {
                operate(&p, &r);
                if (p.step % 25 == 24)
                        compare(&p);
                if (p.step % 100 == 99) {
                        ok(p.f[1].ks->ops->commit(p.f[1].ks));
                        fix_reopen(&p.f[1]);
                        compare(&p);
                }
        }
        fix_end(&p.f[0]);
        fix_end(&p.f[1]);
}

/* Catches every way in which what LMDB holds differs from what the simple store holds, in
 * any order of operations. SW_WORLDS=N runs that many. */
START_TEST(both_stores_agree)
{
        const unsigned n = rounds("SW_WORLDS", 60);

        for (uint64_t seed = 1; seed <= n; seed++)
                one_world(seed);
}
END_TEST

/* Catches a check of files that takes what LMDB makes in bulk for damage: many thousands
 * of entries, removed again in another order, looked at after every group. */
START_TEST(files_of_any_shape_are_sound)
{
        struct rng r = rng_seed(7);
        struct fixture f;
        char a[64], b[64];

        fix_begin(&f, true);
        for (unsigned round = 0; round < rounds("SW_SHAPES", 24); round++) {
                for (unsigned i = 0; i < 700; i++) {
                        snprintf(a, sizeof(a), "key-%u", rng_below(&r, 3000));
                        snprintf(b, sizeof(b), "w::%0*u", 1 + (int) rng_below(&r, 40),
                                 rng_below(&r, 60));
                        if (round % 3 == 2 && i % 4)
                                ok(f.ks->ops->release(f.ks, b));
                        else
                                tool_record(f.ks, a, b, (int64_t) rng_next(&r));
                        snprintf(b, sizeof(b), "key-%u", rng_below(&r, 3000));
                        if (round % 3 != 2)
                                tool_link(f.ks, rng_below(&r, 9) ? a : "popular",
                                          rng_below(&r, 2), "d", "", b);
                }
                ok(f.ks->ops->commit(f.ks));
                fix_reopen(&f);
        }
        fix_end(&f);
}
END_TEST

UNIT_MAIN("keystore", finds_links_exactly, keeps_extreme_numbers, replaces_records,
          drops_one_record, releases_upwards, releases_in_circles, remembers_notes,
          keeps_to_limits, ends_walks_when_told, abandons_a_group_whole, makes_ids,
          both_stores_agree, files_of_any_shape_are_sound)
