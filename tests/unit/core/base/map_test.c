/* Unit tests of core/base/map.c. */
#include <uthash.h>

#include <slipway/map.h>
#include <slipway/time.h>

#include "tests/unit/unit.h"

/* Values whose release is counted. */
static int freed;

static void
count_free(void *value)
{
        freed++;
        free(value);
}

/* Values that only have to be told apart: the i-th is &values[i]. */
enum { MANY = 100000 };
static char values[MANY];

/* Would catch a lost entry, a wrong order, and a table whose buckets degrade: with those
 * the test runs into its time limit. */
START_TEST(keeps_many_in_order)
{
        sw_autoptr(sw_map) m = sw_map_new(NULL);
        struct sw_map_iter it;
        size_t seen = 0;
        char key[32];

        for (size_t i = 0; i < MANY; i++) {
                (void) snprintf(key, sizeof(key), "key-%zu", i);
                ck_assert(sw_map_set(m, key, &values[i]));
        }
        ck_assert_uint_eq(sw_map_count(m), MANY);
        for (size_t i = 0; i < MANY; i++) {
                (void) snprintf(key, sizeof(key), "key-%zu", i);
                ck_assert_ptr_eq(sw_map_get(m, key), &values[i]);
        }
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it))
                ck_assert_ptr_eq(it.value, &values[seen++]);
        ck_assert_uint_eq(seen, MANY);
        ck_assert(!sw_map_next(&it));
}
END_TEST

/* Would catch keys that are borrowed, compared as strings, or not NUL-terminated. */
START_TEST(keys_are_copied_bytes)
{
        sw_autoptr(sw_map) m = sw_map_new(NULL);
        char key[] = "ab";
        int a, b, c, d;
        struct sw_map_iter it;

        ck_assert(sw_map_set(m, key, &a));
        key[0] = 'x';
        ck_assert_ptr_eq(sw_map_get(m, "ab"), &a);
        ck_assert_ptr_null(sw_map_get(m, "xb"));
        ck_assert(sw_map_set_bytes(m, "a\0b", 3, &b));
        ck_assert(sw_map_set_bytes(m, "a\0c", 3, &c));
        ck_assert(sw_map_set_bytes(m, NULL, 0, &d));
        ck_assert_ptr_eq(sw_map_get_bytes(m, "a\0b", 3), &b);
        ck_assert_ptr_eq(sw_map_get_bytes(m, "a\0c", 3), &c);
        ck_assert_ptr_null(sw_map_get_bytes(m, "a\0", 2));
        ck_assert_ptr_eq(sw_map_get(m, ""), &d);
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it))
                ck_assert_int_eq(((const char *) it.key)[it.keylen], 0);
        ck_assert(sw_map_remove_bytes(m, "a\0b", 3));
        ck_assert_uint_eq(sw_map_count(m), 3);
}
END_TEST

/* Would catch a key without a value taken for one that is absent. */
START_TEST(null_is_a_value)
{
        sw_autoptr(sw_map) m = sw_map_new(count_free);

        ck_assert(!sw_map_has(m, "k"));
        ck_assert(sw_map_set(m, "k", NULL));
        ck_assert(sw_map_has(m, "k"));
        ck_assert_ptr_null(sw_map_get(m, "k"));
        ck_assert(!sw_map_set(m, "k", NULL));
        ck_assert(sw_map_remove(m, "k"));
        ck_assert_int_eq(freed, 0);
}
END_TEST

/* Would catch values freed twice, never, or while they are still in the map. */
START_TEST(values_are_freed_once)
{
        sw_map *m = sw_map_new(count_free);
        void *one = sw_alloc(1), *taken;

        freed = 0;
        ck_assert(sw_map_set(m, "a", one));
        ck_assert(!sw_map_set(m, "a", one)); /* the same value again: stays */
        ck_assert_int_eq(freed, 0);
        ck_assert(!sw_map_set(m, "a", sw_alloc(1)));
        ck_assert_int_eq(freed, 1);
        ck_assert(sw_map_remove(m, "a"));
        ck_assert(!sw_map_remove(m, "a"));
        ck_assert_int_eq(freed, 2);

        ck_assert(sw_map_set(m, "b", sw_alloc(1)));
        taken = sw_map_take(m, "b");
        ck_assert_ptr_nonnull(taken);
        ck_assert_ptr_null(sw_map_take(m, "b"));
        free(taken);
        ck_assert_int_eq(freed, 2);

        ck_assert(sw_map_set(m, "c", sw_alloc(1)));
        ck_assert(sw_map_set(m, "d", sw_alloc(1)));
        sw_map_free(m);
        ck_assert_int_eq(freed, 4);
        sw_map_free(NULL);
}
END_TEST

/* Would catch a replaced value that moves to the end, and a re-added one that does not. */
START_TEST(order_is_of_first_insertion)
{
        sw_autoptr(sw_map) m = sw_map_new(NULL);
        struct sw_map_iter it;
        char digits[] = "012345", order[8] = "";

        (void) sw_map_set(m, "a", &digits[1]);
        (void) sw_map_set(m, "b", &digits[2]);
        (void) sw_map_set(m, "c", &digits[3]);
        (void) sw_map_set(m, "a", &digits[4]);
        ck_assert(sw_map_remove(m, "b"));
        (void) sw_map_set(m, "b", &digits[5]);
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it))
                strncat(order, (const char *) it.value, 1);
        ck_assert_str_eq(order, "435");
}
END_TEST

/* Would catch an iterator that steps through freed memory (ASan) or skips an entry. */
START_TEST(current_may_go_while_iterating)
{
        enum { N = 1000 };
        sw_autoptr(sw_map) m = sw_map_new(NULL);
        struct sw_map_iter it;
        size_t seen = 0;
        char key[32];

        for (size_t i = 0; i < N; i++) {
                (void) snprintf(key, sizeof(key), "%zu", i);
                (void) sw_map_set(m, key, &values[i]);
        }
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it)) {
                ck_assert_ptr_eq(it.value, &values[seen]);
                if (seen++ % 3)
                        ck_assert(sw_map_remove_bytes(m, it.key, it.keylen));
        }
        ck_assert_uint_eq(seen, N);
        ck_assert_uint_eq(sw_map_count(m), (N + 2) / 3);
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it))
                ck_assert(sw_map_remove_bytes(m, it.key, it.keylen));
        ck_assert_uint_eq(sw_map_count(m), 0);
        it = SW_MAP_ITER(m);
        ck_assert(!sw_map_next(&it));
        ck_assert(sw_map_set(m, "usable again", NULL));
}
END_TEST

/*
 * Keys of two 12-byte blocks that all have one hash under uthash's own function: the first
 * block is a number, the second brings the state to where it would be without the first.
 */
static void
colliding_key(uint32_t number, unsigned char key[24])
{
        uint32_t i = 0x9e3779b9u + number, j = 0x9e3779b9u, hash = 0xfeedbeefu;
        uint32_t words[3];

        HASH_JEN_MIX(i, j, hash);
        words[0] = 1 - i;
        words[1] = 2 - j;
        words[2] = 3 - hash;
        memset(key, 0, 12);
        for (int k = 0; k < 4; k++) {
                key[k] = (unsigned char) (number >> (8 * k));
                for (int w = 0; w < 3; w++)
                        key[12 + 4 * w + k] = (unsigned char) (words[w] >> (8 * k));
        }
}

/* Nanoseconds for filling a map with @n keys, colliding ones or others of their length:
 * the best of three, as others use this machine too. */
static int64_t
time_to_fill(uint32_t n, bool collide)
{
        int64_t best = INT64_MAX;

        for (int round = 0; round < 3; round++) {
                sw_autoptr(sw_map) m = sw_map_new(NULL);
                int64_t begin = sw_time_mono(), took;
                unsigned char key[24];

                for (uint32_t i = 0; i < n; i++) {
                        colliding_key(i, key);
                        if (!collide)
                                memset(key + 12, 0, 12);
                        (void) sw_map_set_bytes(m, key, sizeof(key), NULL);
                }
                took = sw_time_mono() - begin;
                ck_assert_uint_eq(sw_map_count(m), n);
                best = took < best ? took : best;
        }
        return best;
}

/* Would catch the unkeyed hash of uthash coming back: then these keys make one long chain,
 * and filling the map takes hundreds of times as long as with others. */
START_TEST(hostile_keys_do_not_collide)
{
        enum { N = 20000 };
        unsigned char a[24], b[24];
        unsigned hash_a, hash_b;
        int64_t usual, hostile;

        colliding_key(1, a);
        colliding_key(77777, b);
        HASH_JEN(a, sizeof(a), hash_a);
        HASH_JEN(b, sizeof(b), hash_b);
        ck_assert_uint_eq(hash_a, hash_b);

        usual = time_to_fill(N, false);
        hostile = time_to_fill(N, true);
        ck_assert_int_lt(hostile, 20 * usual);
}
END_TEST

UNIT_MAIN("map", keeps_many_in_order, keys_are_copied_bytes, null_is_a_value,
          values_are_freed_once, order_is_of_first_insertion,
          current_may_go_while_iterating, hostile_keys_do_not_collide)
