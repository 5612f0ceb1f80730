/* Unit tests of core/base/id.c. */
#include <slipway/id.h>
#include <slipway/map.h>

#include "tests/unit/unit.h"

/* Would catch a wrong length or alphabet, a repeated id, and a digit that is favoured:
 * each of 36 is expected 6944 times in 250,000, with a deviation of 82. */
START_TEST(ids_are_random)
{
        enum { N = 10000 };
        static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        size_t counts[36] = { 0 };

        for (int i = 0; i < N; i++) {
                char id[SW_ID_SIZE];

                ck_assert_ptr_eq(sw_id_new(id), id);
                ck_assert_uint_eq(strlen(id), SW_ID_LEN);
                ck_assert_uint_eq(strspn(id, digits), SW_ID_LEN);
                ck_assert(sw_map_set(seen, id, NULL));
                ok(sw_id_check("id", id));
                for (int k = 0; k < SW_ID_LEN; k++)
                        counts[strchr(digits, id[k]) - digits]++;
        }
        for (int i = 0; i < 36; i++) {
                ck_assert_uint_gt(counts[i], 6944 - 600);
                ck_assert_uint_lt(counts[i], 6944 + 600);
        }
}
END_TEST

/* Would catch an id that leaves its directory, hides, or looks like an option. */
START_TEST(ids_from_outside_are_checked)
{
        static const char *const bad[] = {
                "",    ".",    "..",  ".hidden", "-rf",      "a/b",
                "/",   "../x", "a b", "a\n",     "a\x1b[2J", "\xc3\xa9",
                "a:b", "a\\b", "a*",  "~",       "a\x7f",
        };
        char text[130];

        ok(sw_id_check("id", "a"));
        ok(sw_id_check("id", "_"));
        ok(sw_id_check("id", "0-9.A_z"));
        ok(sw_id_check("id", "a..b"));
        memset(text, 'x', sizeof(text));
        text[128] = '\0';
        ok(sw_id_check("id", text));
        text[128] = 'x';
        text[129] = '\0';
        fails(sw_id_check("lease", text), SW_E_INVALID, "lease \"xxx");
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw_id_check("session", bad[i]), SW_E_INVALID, "session \"");
        fails(sw_id_check("id", "a\x1b[2J"), SW_E_INVALID, "\"a\\x1b[2J\"");
}
END_TEST

UNIT_MAIN("id", ids_are_random, ids_from_outside_are_checked)
