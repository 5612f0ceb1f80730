/*
 * tests/unit/core/store/lmdbrules_test.c - every rule of the check of LMDB files by itself:
 * a sound file, one edit that breaks that rule and little else, and what the check says.
 *
 * An edit is tried on every page it fits; on some pages it must be found, and where it is
 * not (pages that are free), nothing may be said at all.
 */
#include "tests/unit/core/store/metatool.h"

enum { PAGE = 4096, HEADER = 16, META = 16, DBS = META + 24, DB = 48 };
enum { BRANCH = 1, LEAF = 2, OVERFLOW_PAGE = 4, SUBPAGE = 0x52 };
enum { BIG = 1, SUBDB = 2, DUP = 4 };

static sw_buf sound = SW_BUF_INIT;

static void
make_sound(unsigned n)
{
        char dir[64];
        sw_meta *m;

        unit_mkdtemp(dir, sizeof(dir), "rules");
        ok(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        tool_fill(ks, n);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_read_file(dir, "data.mdb", &sound);
        tool_remove(dir);
}

/* ---- places in a page ---- */

static unsigned
get16(const uint8_t *p)
{
        return p[0] | (unsigned) p[1] << 8;
}

static void
put16(uint8_t *p, unsigned v)
{
        p[0] = (uint8_t) v;
        p[1] = (uint8_t) (v >> 8);
}

static void
put64(uint8_t *p, uint64_t v)
{
        memcpy(p, &v, 8);
}

static uint64_t
get64(const uint8_t *p)
{
        uint64_t v;

        memcpy(&v, p, 8);
        return v;
}

static unsigned
flags(const uint8_t *page)
{
        return get16(page + 10);
}

static bool
is_tree(const uint8_t *page)
{
        return flags(page) == LEAF || flags(page) == BRANCH;
}

static unsigned
count(const uint8_t *page)
{
        return is_tree(page) || flags(page) == SUBPAGE ? (get16(page + 12) - HEADER) / 2
                                                       : 0;
}

static uint8_t *
node(uint8_t *page, unsigned i)
{
        return page + get16(page + HEADER + 2 * i);
}

static uint8_t *
data_of(uint8_t *n)
{
        return n + 8 + get16(n + 6);
}

/* The first node with exactly these flags, or NULL. */
static uint8_t *
with_flags(uint8_t *page, unsigned want)
{
        for (unsigned i = 0; flags(page) == LEAF && i < count(page); i++)
                if (get16(node(page, i) + 4) == want)
                        return node(page, i);
        return NULL;
}

static uint8_t *
subpage(uint8_t *page)
{
        uint8_t *n = with_flags(page, DUP);

        return n ? data_of(n) : NULL;
}

/* The newer meta page. */
static uint8_t *
meta(uint8_t *file)
{
        return get64(file + DBS + 2 * DB + 8) > get64(file + PAGE + DBS + 2 * DB + 8)
                       ? file
                       : file + PAGE;
}

/* ---- edits: false where the page is not one for it ---- */

typedef bool edit_fn(uint8_t *file, uint8_t *page);

#define EDIT(name) static bool name(SW_UNUSED uint8_t *file, SW_UNUSED uint8_t *page)
#define ONCE                                                                               \
        do {                                                                               \
                if (page != file)                                                          \
                        return false;                                                      \
        } while (0)

EDIT(magic)
{
        ONCE;
        page[META] ^= 1;
        return true;
}
EDIT(second_magic)
{
        ONCE;
        page[PAGE + META] ^= 1;
        return true;
}
EDIT(version)
{
        ONCE;
        page[META + 4] = 2;
        return true;
}
EDIT(meta_flags)
{
        ONCE;
        page[10] |= 0x10;
        return true;
}
EDIT(page_size)
{
        ONCE;
        put16(page + DBS, 512);
        return true;
}
EDIT(odd_page_size)
{
        ONCE;
        put16(page + DBS, 4097);
        return true;
}
EDIT(two_page_sizes)
{
        ONCE;
        put16(page + PAGE + DBS, 8192);
        return true;
}
EDIT(parity)
{
        ONCE;
        put64(meta(file) + DBS + 2 * DB + 8, 1000 + (meta(file) == file));
        return true;
}
EDIT(huge_txn)
{
        ONCE;
        put64(meta(file) + DBS + 2 * DB + 8, ((uint64_t) 3 << 62) + (meta(file) != file));
        return true;
}
EDIT(no_last)
{
        ONCE;
        put64(meta(file) + DBS + 2 * DB, 0);
        return true;
}
EDIT(huge_last)
{
        ONCE;
        put64(meta(file) + DBS + 2 * DB, (uint64_t) 1 << 24);
        return true;
}
EDIT(small_last)
{
        ONCE;
        put64(meta(file) + DBS + 2 * DB, 3);
        return true;
}
EDIT(free_flags)
{
        ONCE;
        meta(file)[DBS + 4] = 0;
        return true;
}
EDIT(main_flags)
{
        ONCE;
        meta(file)[DBS + DB + 4] = 4;
        return true;
}
EDIT(main_pad)
{
        ONCE;
        meta(file)[DBS + DB] = 4;
        return true;
}
EDIT(main_depth)
{
        ONCE;
        meta(file)[DBS + DB + 6] = 33;
        return true;
}
EDIT(main_no_root)
{
        ONCE;
        put64(meta(file) + DBS + DB + 40, UINT64_MAX);
        return true;
}
EDIT(main_root)
{
        ONCE;
        put64(meta(file) + DBS + DB + 40, 1);
        return true;
}
EDIT(main_is_free)
{
        ONCE;
        put64(meta(file) + DBS + DB + 40, get64(meta(file) + DBS + 40));
        return true;
}
EDIT(main_count)
{
        ONCE;
        meta(file)[DBS + DB + 32]++;
        return true;
}
EDIT(main_leaves)
{
        ONCE;
        meta(file)[DBS + DB + 16]++;
        return true;
}
EDIT(free_overflow)
{
        ONCE;
        meta(file)[DBS + 24]++;
        return true;
}

EDIT(page_number)
{
        if (!is_tree(page))
                return false;
        page[0] ^= 1;
        return true;
}
EDIT(dirty)
{
        if (!is_tree(page))
                return false;
        page[10] |= 0x10;
        return true;
}
EDIT(leaf2)
{
        if (!is_tree(page))
                return false;
        page[10] |= 0x20;
        return true;
}
EDIT(other_kind)
{
        if (!is_tree(page))
                return false;
        page[10] ^= 3;
        return true;
}
EDIT(low_bound)
{
        if (!is_tree(page))
                return false;
        put16(page + 12, 14);
        return true;
}
EDIT(high_bound)
{
        if (!is_tree(page))
                return false;
        put16(page + 14, PAGE + 2);
        return true;
}
EDIT(crossed_bounds)
{
        if (!is_tree(page))
                return false;
        put16(page + 12, get16(page + 14) + 2);
        return true;
}
EDIT(no_nodes)
{
        if (!is_tree(page))
                return false;
        put16(page + 12, HEADER);
        return true;
}
EDIT(node_outside)
{
        if (!count(page))
                return false;
        put16(page + HEADER, PAGE - 4);
        return true;
}
EDIT(node_in_header)
{
        if (!count(page))
                return false;
        put16(page + HEADER, 4);
        return true;
}
EDIT(node_odd)
{
        if (!count(page))
                return false;
        page[HEADER] |= 1;
        return true;
}
EDIT(node_twice)
{
        if (count(page) < 2)
                return false;
        memcpy(page + HEADER, page + HEADER + 2, 2);
        return true;
}
EDIT(nodes_swapped)
{
        if (count(page) < 3)
                return false;
        const unsigned a = get16(page + HEADER + 2);
        memcpy(page + HEADER + 2, page + HEADER + 4, 2);
        put16(page + HEADER + 4, a);
        return true;
}
EDIT(gap)
{
        if (!count(page) || get16(page + 14) - get16(page + 12) < 2)
                return false;
        put16(page + 14, get16(page + 14) - 2);
        return true;
}
EDIT(long_key)
{
        if (!is_tree(page) || get16(page + 14) > PAGE - 700)
                return false;
        put16(page + get16(page + 14) + 6, 512); /* the node that is nearest */
        return true;
}
EDIT(key_past_end)
{
        if (!count(page))
                return false;
        put16(node(page, 0) + 6, 5000);
        return true;
}
EDIT(long_value)
{
        uint8_t *n = with_flags(page, 0);
        if (!n)
                return false;
        put16(n, 5000);
        return true;
}
EDIT(shorter_value)
{
        uint8_t *n = with_flags(page, 0);
        if (!n || get16(n) < 4)
                return false;
        put16(n, get16(n) - 2);
        return true;
}
EDIT(unknown_flags)
{
        uint8_t *n = with_flags(page, 0);
        if (!n)
                return false;
        put16(n + 4, 8);
        return true;
}
EDIT(dup_in_plain)
{
        uint8_t *n = with_flags(page, 0);
        if (!n || with_flags(page, DUP))
                return false;
        put16(n + 4, DUP);
        return true;
}
EDIT(big_and_dup)
{
        uint8_t *n = with_flags(page, DUP);
        if (!n)
                return false;
        put16(n + 4, DUP | BIG);
        return true;
}
EDIT(sub_without_dup)
{
        uint8_t *n = with_flags(page, DUP | SUBDB);
        if (!n)
                return false;
        put16(n + 4, SUBDB);
        return true;
}
EDIT(child_outside)
{
        if (flags(page) != BRANCH)
                return false;
        put16(node(page, 0), 0xffff);
        return true;
}
EDIT(child_is_meta)
{
        if (flags(page) != BRANCH)
                return false;
        put16(node(page, 0), 0);
        return true;
}
EDIT(child_twice)
{
        if (flags(page) != BRANCH)
                return false;
        memcpy(node(page, 0), node(page, 1), 6);
        return true;
}
EDIT(child_is_self)
{
        if (flags(page) != BRANCH)
                return false;
        put16(node(page, 1), (unsigned) get64(page));
        return true;
}
EDIT(high_separator)
{
        if (flags(page) != BRANCH || count(page) < 2)
                return false;
        node(page, count(page) - 1)[8] = 0xff;
        return true;
}
EDIT(low_separator)
{
        if (flags(page) != BRANCH || count(page) < 2)
                return false;
        node(page, 1)[8] = 0x01;
        return true;
}

EDIT(over_number)
{
        if (flags(page) != OVERFLOW_PAGE)
                return false;
        page[0] ^= 1;
        return true;
}
EDIT(over_flags)
{
        if (flags(page) != OVERFLOW_PAGE)
                return false;
        page[10] |= 0x10;
        return true;
}
EDIT(over_none)
{
        if (flags(page) != OVERFLOW_PAGE)
                return false;
        memset(page + 12, 0, 4);
        return true;
}
EDIT(over_many)
{
        if (flags(page) != OVERFLOW_PAGE)
                return false;
        memset(page + 12, 0xff, 4);
        return true;
}
EDIT(over_outside)
{
        uint8_t *n = with_flags(page, BIG);
        if (!n)
                return false;
        put64(data_of(n), UINT64_MAX / 4096);
        return true;
}
EDIT(over_larger)
{
        uint8_t *n = with_flags(page, BIG);
        if (!n)
                return false;
        put16(n + 2, 0x7fff);
        return true;
}

EDIT(sub_flags)
{
        uint8_t *s = subpage(page);
        if (!s)
                return false;
        s[10] = LEAF | 0x40;
        return true;
}
EDIT(sub_number)
{
        uint8_t *s = subpage(page);
        if (!s)
                return false;
        put64(s, 1);
        return true;
}
EDIT(sub_empty)
{
        uint8_t *s = subpage(page);
        if (!s)
                return false;
        put16(s + 12, HEADER);
        return true;
}
EDIT(sub_bounds)
{
        uint8_t *s = subpage(page);
        if (!s)
                return false;
        put16(s + 14, 0x7ffe);
        return true;
}
EDIT(sub_value)
{
        uint8_t *s = subpage(page);
        if (!s || !count(s))
                return false;
        node(s, 0)[0] = 1;
        return true;
}
EDIT(sub_order)
{
        uint8_t *s = subpage(page);

        if (!s || count(s) < 2)
                return false;
        const unsigned a = get16(s + HEADER);
        memcpy(s + HEADER, s + HEADER + 2, 2);
        put16(s + HEADER + 2, a);
        return true;
}
EDIT(sub_twice)
{
        uint8_t *s = subpage(page);
        if (!s || count(s) < 2)
                return false;
        memcpy(s + HEADER, s + HEADER + 2, 2);
        return true;
}
EDIT(dups_flags)
{
        uint8_t *n = with_flags(page, DUP | SUBDB);
        if (!n)
                return false;
        data_of(n)[4] = 0x10;
        return true;
}
EDIT(dups_count)
{
        uint8_t *n = with_flags(page, DUP | SUBDB);
        if (!n)
                return false;
        data_of(n)[32]++;
        return true;
}
EDIT(dups_no_root)
{
        uint8_t *n = with_flags(page, DUP | SUBDB);
        if (!n)
                return false;
        put64(data_of(n) + 40, UINT64_MAX);
        put16(data_of(n) + 6, 0);
        return true;
}
EDIT(named_flags)
{
        uint8_t *n = with_flags(page, SUBDB);
        if (!n)
                return false;
        data_of(n)[4] |= 2;
        return true;
}
EDIT(named_dupsort)
{
        uint8_t *n = with_flags(page, SUBDB);
        if (!n || !data_of(n)[4])
                return false;
        data_of(n)[4] = 0;
        return true;
}
EDIT(named_entries)
{
        uint8_t *n = with_flags(page, SUBDB);
        if (!n)
                return false;
        data_of(n)[32] ^= 1;
        return true;
}
EDIT(named_size)
{
        uint8_t *n = with_flags(page, SUBDB);
        if (!n)
                return false;
        n[0] = n[6] & 1 ? 49 : 47;
        return true;
}

/* Nodes of the free list: keys of eight bytes, a small number. */
static uint8_t *
free_node(uint8_t *file, uint8_t *page)
{
        const uint64_t root = get64(meta(file) + DBS + 40);

        if (root == UINT64_MAX || page != file + root * PAGE || flags(page) != LEAF)
                return NULL;
        for (unsigned i = 0; i < count(page); i++)
                if (get16(node(page, i) + 4) == 0 && get64(data_of(node(page, i))) > 1)
                        return node(page, i);
        return NULL;
}

EDIT(free_length)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(data_of(n), 4000);
        return true;
}
EDIT(free_endless)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(data_of(n), UINT64_MAX);
        return true;
}
EDIT(free_order)
{
        uint8_t *n = free_node(file, page);

        if (!n)
                return false;
        const uint64_t a = get64(data_of(n) + 8);
        memcpy(data_of(n) + 8, data_of(n) + 16, 8);
        put64(data_of(n) + 16, a);
        return true;
}
EDIT(free_in_use)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(data_of(n) + 8 * get64(data_of(n)), get64(meta(file) + DBS + DB + 40));
        return true;
}
EDIT(free_outside)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(data_of(n) + 8, 1u << 23);
        return true;
}
EDIT(free_meta)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(data_of(n) + 8 * get64(data_of(n)), 1);
        return true;
}
EDIT(free_later)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(node(page, count(page) - 1) + 8, UINT64_MAX / 2);
        return true;
}
EDIT(free_never)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        put64(node(page, 0) + 8, 0);
        return true;
}
EDIT(free_key_size)
{
        uint8_t *n = free_node(file, page);
        if (!n)
                return false;
        n[6] = 7;
        return true;
}

static const struct rule {
        const char *name;
        edit_fn *edit;
        const char *says;
} rules[] = {
#define R(name, says)                                                                      \
        {                                                                                  \
#name, name, says                                                          \
        }
        R(magic, "not a meta page"),
        R(second_magic, "not a meta page"),
        R(version, "not a meta page"),
        R(meta_flags, "not a meta page"),
        R(page_size, "impossible page size"),
        R(odd_page_size, "impossible page size"),
        R(two_page_sizes, "another page size"),
        R(parity, "transaction number"),
        R(huge_txn, "transaction number"),
        R(no_last, "last page"),
        R(huge_last, "last page"),
        R(small_last, "outside the file"),
        R(free_flags, "never makes"),
        R(main_flags, "never makes"),
        R(main_pad, "never makes"),
        R(main_depth, "impossible depth"),
        R(main_no_root, "impossible depth"),
        R(main_root, "outside the file"),
        R(main_is_free, "used twice"),
        R(main_count, "wrong counts"),
        R(main_leaves, "wrong counts"),
        R(free_overflow, "wrong counts"),
        R(page_number, "not the tree page"),
        R(dirty, "not the tree page"),
        R(leaf2, "not the tree page"),
        R(other_kind, "not the tree page"),
        R(low_bound, "impossible bounds"),
        R(high_bound, "impossible bounds"),
        R(crossed_bounds, "impossible bounds"),
        R(no_nodes, "empty tree page"),
        R(node_outside, "node outside its page"),
        R(node_in_header, "node outside its page"),
        R(node_odd, "node outside its page"),
        R(node_twice, "keys out of order"),
        R(nodes_swapped, "keys out of order"),
        R(gap, "overlap or leave gaps"),
        R(long_key, "key of impossible size"),
        R(key_past_end, "key outside its page"),
        R(long_value, "value outside its page"),
        R(shorter_value, "overlap or leave gaps"),
        R(unknown_flags, "does not fit its database"),
        R(dup_in_plain, "does not fit its database"),
        R(big_and_dup, ""),
        R(sub_without_dup, "does not fit its database"),
        R(child_outside, "outside the file"),
        R(child_is_meta, "outside the file"),
        R(child_twice, "used twice"),
        R(child_is_self, "used twice"),
        R(high_separator, "key below those of its page"),
        R(low_separator, "key above those of its page"),
        R(over_number, "not the overflow page"),
        R(over_flags, "not the overflow page"),
        R(over_none, "larger than its pages"),
        R(over_many, "larger than its pages"),
        R(over_outside, "outside the file"),
        R(over_larger, "larger than its pages"),
        R(sub_flags, "not the page of duplicates"),
        R(sub_number, "not the page of duplicates"),
        R(sub_empty, "empty page of duplicates"),
        R(sub_bounds, "impossible bounds"),
        R(sub_value, "duplicate with a value"),
        R(sub_order, "keys out of order"),
        R(sub_twice, "keys out of order"),
        R(dups_flags, "never makes"),
        R(dups_count, "wrong counts"),
        R(dups_no_root, "without a root"),
        R(named_flags, "never makes"),
        R(named_dupsort, "does not fit its database"),
        R(named_entries, "wrong counts"),
        R(named_size, "does not fit its database"),
        R(free_length, "longer than its value"),
        R(free_endless, "longer than its value"),
        R(free_order, "out of order"),
        R(free_in_use, "used twice"),
        R(free_outside, "outside the file"),
        R(free_meta, "outside the file"),
        R(free_later, "freed in the future"),
        R(free_never, "freed in the future"),
        R(free_key_size, "key of impossible size"),
#undef R
};

/* How often the edit was found with these words. */
static unsigned
try_rule(const struct rule *r, uint8_t *copy)
{
        unsigned found = 0;

        for (size_t at = 0; at < sound.len; at += PAGE) {
                memcpy(copy, sound.data, sound.len);
                if (!r->edit(copy, copy + at))
                        continue;
                sw_err *err = sw__lmdb_check(copy, sound.len);
                must_be(!err || sw_err_code(err) == SW_E_CORRUPT);
                found += err && strstr(sw_err_message(err), r->says);
                sw_err_drop(err, "counted");
        }
        return found;
}

START_TEST(finds_what_breaks_each_rule)
{
        make_sound(400);
        uint8_t *copy = malloc(sound.len);

        ck_assert_ptr_nonnull(copy);
        ok(sw__lmdb_check(sound.data, sound.len));
        for (size_t i = 0; i < SW_COUNT(rules); i++)
                ck_assert_msg(try_rule(&rules[i], copy) > 0, "%s: nothing says \"%s\"",
                              rules[i].name, rules[i].says);
        free(copy);
}
END_TEST

/* Catches reading past the end: each part of the file in memory that ends where it does
 * (AddressSanitizer sees what is beyond). */
START_TEST(reads_no_further_than_the_file)
{
        char text[8];

        make_sound(40);
        for (size_t n = 0; n < sound.len; n += n < 300 ? 1 : 509) {
                uint8_t *part = malloc(n ? n : 1);

                must_be(part != NULL);
                memcpy(part, sound.data, n);
                sw_err_drop(sw__lmdb_check(part, n), "any answer will do");
                (void) sw__lmdb_peek(part, n, "schema", text, sizeof(text));
                free(part);
        }
}
END_TEST

/* Catches a look-up in a damaged file that takes another key's value, or cuts it wrongly.
 */
START_TEST(peeks_at_values)
{
        char text[32], small[3];

        make_sound(40);
        ck_assert(sw__lmdb_peek(sound.data, sound.len, "schema", text, sizeof(text)));
        ck_assert_str_eq(text, "1 1");
        ck_assert(sw__lmdb_peek(sound.data, sound.len, "schema", small, sizeof(small)));
        ck_assert_str_eq(small, "1 ");
        ck_assert(!sw__lmdb_peek(sound.data, sound.len, "schem", text, sizeof(text)));
        ck_assert(!sw__lmdb_peek(sound.data, sound.len, "zzz", text, sizeof(text)));
        ck_assert(!sw__lmdb_peek(sound.data, sound.len, "links", text, sizeof(text)));
        ck_assert(!sw__lmdb_peek("", 0, "schema", text, sizeof(text)));
}
END_TEST

UNIT_MAIN("lmdbrules", finds_what_breaks_each_rule, reads_no_further_than_the_file,
          peeks_at_values)
