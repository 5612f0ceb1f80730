/*
 * tests/unit/core/store/lmdbvalues_test.c - the check's rules of values: with pages of
 * their own, duplicates, named databases, lists of free pages: see lmdbrules.h. Catches a
 * rule that is not looked at.
 */
#include "tests/unit/core/store/lmdbrules.h"

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

static const struct rule rules[] = {
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
};

START_TEST(finds_what_breaks_each_rule_of_values)
{
        try_rules(rules, SW_COUNT(rules));
}
END_TEST

UNIT_MAIN("lmdbvalues", finds_what_breaks_each_rule_of_values)
