/*
 * tarhead_test.c - catches archives that are taken for text, and text for archives.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/io.h>

#include "tests/unit/unit.h"

/* A header with its sum in @digits after @blanks; @as_signed: of signed bytes. */
static void
make(unsigned char h[512], const char *name, int blanks, int digits, bool as_signed)
{
        long sum = 0;
        char text[16];

        memset(h, 0, 512);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): zeros follow */
        memcpy(h, name, strlen(name));
        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
                sum += as_signed ? (signed char) h[i] : h[i];
        (void) snprintf(text, sizeof(text), "%*s%0*lo ", blanks, "", digits,
                        (unsigned long) sum);
        memcpy(h + 148, text, 8);
}

START_TEST(sums)
{
        static const int forms[][2] = { { 0, 6 }, { 0, 7 }, { 1, 6 }, { 2, 5 } };
        unsigned char h[513];

        for (size_t i = 0; i < SW_COUNT(forms); i++)
                for (int old = 0; old < 2; old++) {
                        make(h, "dir/\xc3\xa9", forms[i][0], forms[i][1], old);
                        ck_assert_msg(sw_tar_starts(h, 512), "form %zu", i);
                        ck_assert(sw_tar_starts(h, 513));
                        ck_assert(!sw_tar_starts(h, 511));
                        h[300]++;
                        ck_assert(!sw_tar_starts(h, 512));
                }
}
END_TEST

START_TEST(other_bytes)
{
        unsigned char h[512];

        make(h, "", 0, 6, false);
        ck_assert(!sw_tar_starts(h, 512)); /* that is its end, or zeroes */
        memset(h, 0, sizeof(h));
        ck_assert(!sw_tar_starts(h, 512));
        memset(h, 'a', sizeof(h));
        ck_assert(!sw_tar_starts(h, 512));
        memset(h, ' ', sizeof(h));
        ck_assert(!sw_tar_starts(h, 512));
        ck_assert(!sw_tar_starts(h, 0));
}
END_TEST

UNIT_MAIN("tarhead", sums, other_bytes)
