/*
 * tests/unit/core/store/lmdbread_test.c - reading LMDB files that may be damaged.
 */
#include "tests/unit/core/store/lmdbrules.h"

/* Catches reading past the end: each part of the file in memory that ends where it does
 * (AddressSanitizer sees what is beyond). */
START_TEST(reads_no_further_than_the_file)
{
        char text[8];

        tool_make(40, &sound);
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

        tool_make(40, &sound);
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

UNIT_MAIN("lmdbread", reads_no_further_than_the_file, peeks_at_values)
