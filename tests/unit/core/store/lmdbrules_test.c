/*
 * tests/unit/core/store/lmdbrules_test.c - the check's rules of meta pages, databases,
 * pages of trees, nodes and children: see lmdbrules.h. Catches a rule that is not looked
 * at.
 */
#include "tests/unit/core/store/lmdbrules.h"

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

static const struct rule rules[] = {
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
};

START_TEST(finds_what_breaks_each_rule_of_pages)
{
        try_rules(rules, SW_COUNT(rules));
}
END_TEST

UNIT_MAIN("lmdbrules", finds_what_breaks_each_rule_of_pages)
