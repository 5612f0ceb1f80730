/* Unit tests of core/base/map.c. */
#include <slipway/map.h>

#include "tests/unit/unit.h"

/* Would catch a lost entry, a wrong order, and a table whose buckets degrade. */
START_TEST(keeps_many_in_order)
{
        enum { N = 100000 };
        sw_autoptr(sw_map) m = sw_map_new(NULL);
        struct sw_map_iter it;
        uintptr_t want = 1;
        char key[32];

        for (uintptr_t i = 1; i <= N; i++) {
                (void) snprintf(key, sizeof(key), "key-%zu", (size_t) i);
                ck_assert(sw_map_set(m, key, (void *) i));
        }
        ck_assert_uint_eq(sw_map_count(m), N);
        it = SW_MAP_ITER(m);
        while (sw_map_next(&it))
                ck_assert_uint_eq((uintptr_t) it.value, want++);
        ck_assert_uint_eq(want, N + 1);
}
END_TEST

UNIT_MAIN("map", keeps_many_in_order)
