/* Unit tests of core/base/array.c. */
#include <slipway/array.h>

#include "tests/unit/unit.h"

struct pair {
        int a;
        const char *b;
};

/* Would catch growth that loses elements or writes past the end (ASan), and a macro that
 * splits a compound literal at its commas. */
START_TEST(grows)
{
        SW_ARRAY(int) v = { 0 };
        SW_ARRAY(struct pair) pairs = { 0 };

        for (int i = 0; i < 10000; i++)
                sw_array_push(&v, i);
        ck_assert_uint_eq(v.n, 10000);
        for (int i = 0; i < 10000; i++)
                ck_assert_int_eq(v.v[i], i);
        sw_array_release(&v);
        ck_assert_ptr_null(v.v);
        sw_array_push(&v, 1);
        ck_assert_int_eq(v.v[0], 1);
        sw_array_release(&v);

        sw_array_push(&pairs, (struct pair){ 1, "x" });
        sw_array_reserve(&pairs, 100);
        ck_assert_uint_ge(pairs.cap, 101);
        ck_assert_str_eq(pairs.v[0].b, "x");
        sw_array_release(&pairs);
}
END_TEST

/* Would catch empty parts that are kept and a last part that is lost. */
START_TEST(splits)
{
        static const struct {
                const char *text, *joined;
        } cases[] = {
                { "", "" },
                { ":", "" },
                { "a", "a" },
                { "a:b", "a|b" },
                { ":a::b:", "a|b" },
                { "a b:c", "a b|c" },
                { "/usr:/opt", "/usr|/opt" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_strlist) l = { 0 };
                sw_auto(sw_str) joined = NULL;

                sw_strlist_split(&l, cases[i].text, ':');
                joined = sw_strlist_join(&l, "|");
                ck_assert_str_eq(joined, cases[i].joined);
        }
}
END_TEST

/* Would catch an order by locale, and copies that are borrowed instead. */
START_TEST(sorts_and_finds)
{
        sw_auto(sw_strlist) l = { 0 };
        sw_auto(sw_str) joined = NULL;
        char word[] = "b";

        sw_strlist_sort(&l);
        ck_assert(!sw_strlist_has(&l, "b"));
        sw_strlist_add(&l, word);
        word[0] = 'x';
        sw_strlist_take(&l, sw_strdup("B"));
        sw_strlist_add(&l, "a");
        sw_strlist_add(&l, "\xc3\xa9");
        sw_strlist_add(&l, "");
        sw_strlist_sort(&l);
        joined = sw_strlist_join(&l, ",");
        ck_assert_str_eq(joined, ",B,a,b,\xc3\xa9");
        ck_assert(sw_strlist_has(&l, "b"));
        ck_assert(sw_strlist_has(&l, ""));
        ck_assert(!sw_strlist_has(&l, "x"));
        sw_strlist_release(&l);
        ck_assert_uint_eq(l.n, 0);
}
END_TEST

UNIT_MAIN("array", grows, splits, sorts_and_finds)
