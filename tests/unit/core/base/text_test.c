/* Unit tests of core/base/text.c. */
#include <slipway/text.h>

#include "tests/unit/unit.h"

/* Would catch spellings that Go's ParseBool knows and we do not, or the reverse. */
START_TEST(bools)
{
        static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
        static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
        static const char *const bad[] = { "",   "yes",   "on",    "tRUE", "2",
                                           "01", " true", "true ", "tr",   "\x1b" };

        for (size_t i = 0; i < SW_COUNT(yes); i++) {
                bool b = false;

                ok(sw_parse_bool(yes[i], &b));
                ck_assert(b);
                ok(sw_parse_bool(no[i], &b));
                ck_assert(!b);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                bool b = true;

                fails(sw_parse_bool(bad[i], &b), SW_E_INVALID, "neither true nor false");
        }
}
END_TEST

/* Would catch an overflow that wraps round, and anything around the digits. */
START_TEST(ints)
{
        static const struct {
                const char *text;
                int64_t value;
        } good[] = {
                { "0", 0 },
                { "-0", 0 },
                { "+7", 7 },
                { "007", 7 },
                { "-12", -12 },
                { "9223372036854775807", INT64_MAX },
                { "-9223372036854775808", INT64_MIN },
        };
        static const char *const bad[] = { "",   "-",  "+",   "--1",     "+-1",
                                           " 1", "1 ", "1.0", "1e3",     "0x1",
                                           "1k", "a",  "1\n", "\xd9\xa1" };
        static const char *const far[] = { "9223372036854775808", "-9223372036854775809",
                                           "18446744073709551617",
                                           "99999999999999999999999" };
        int64_t v;

        for (size_t i = 0; i < SW_COUNT(good); i++) {
                ok(sw_parse_int(good[i].text, INT64_MIN, INT64_MAX, &v));
                ck_assert_int_eq(v, good[i].value);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw_parse_int(bad[i], INT64_MIN, INT64_MAX, &v), SW_E_INVALID,
                      "is not a whole number");
        for (size_t i = 0; i < SW_COUNT(far); i++)
                fails(sw_parse_int(far[i], INT64_MIN, INT64_MAX, &v), SW_E_INVALID,
                      "is not between");
        ok(sw_parse_int("3", 3, 5, &v));
        ok(sw_parse_int("5", 3, 5, &v));
        fails(sw_parse_int("2", 3, 5, &v), SW_E_INVALID, "\"2\" is not between 3 and 5");
        fails(sw_parse_int("6", 3, 5, &v), SW_E_INVALID, "\"6\" is not between 3 and 5");
        ck_assert_int_eq(v, 5);
}
END_TEST

/* Would catch decimal units, wrong roundings, lax syntax and an unchecked product. */
START_TEST(sizes)
{
        static const struct {
                const char *text;
                int64_t bytes;
        } good[] = {
                { "0", 0 },
                { "32", 32 },
                { "32b", 32 },
                { "32B", 32 },
                { "32 b", 32 },
                { "32k", 32768 },
                { "32K", 32768 },
                { "32kb", 32768 },
                { "32Kb", 32768 },
                { "32KiB", 32768 },
                { "32 KiB", 32768 },
                { "32m", 33554432 },
                { "1g", 1073741824 },
                { "1.5g", 1610612736 },
                { "1.5GB", 1610612736 },
                { ".5k", 512 },
                { "5.k", 5120 },
                { "1t", INT64_C(1) << 40 },
                { "1p", INT64_C(1) << 50 },
                { "0.1k", 102 },
                { "32.3", 32 },
                { "0.3333333333333333333333333333333k", 341 },
                { "1.999999999999999999999999b", 1 },
                { "8191p", INT64_C(8191) << 50 },
                { "9223372036854775807", INT64_MAX },
        };
        static const char *const bad[] = {
                "",     ".",   "k",   "-1",   "-1k",  "+1",  "1kk",   "1kbb",       "1kibb",
                "1bb",  "1ib", "1e3", "0x10", "1  k", " 1",  "1 ",    "1k ",        "1.2.3",
                "1,5k", "inf", "nan", "1z",   "1e",   "1ki", "hello", "1\xc2\xa0k",
        };
        static const char *const far[] = { "8192p",
                                           "9223372036854775808",
                                           "8388608t",
                                           "99999999999999999999",
                                           "99999999999999999999p",
                                           "18446744073709551615.9g" };
        int64_t v;

        for (size_t i = 0; i < SW_COUNT(good); i++) {
                ok(sw_parse_size(good[i].text, &v));
                ck_assert_msg(v == good[i].bytes, "%s: %lld", good[i].text, (long long) v);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw_parse_size(bad[i], &v), SW_E_INVALID, "is not a size");
        for (size_t i = 0; i < SW_COUNT(far); i++)
                fails(sw_parse_size(far[i], &v), SW_E_INVALID, "is more than 2^63-1");
}
END_TEST

/* Would catch binary units, wrong digits, and the negation of INT64_MIN (UBSan). */
START_TEST(size_strings)
{
        static const struct {
                int64_t bytes;
                const char *text;
        } cases[] = {
                { 0, "0B" },
                { 2, "2B" },
                { 999, "999B" },
                { 1000, "1.00kB" },
                { 1234567, "1.23MB" },
                { 3620000, "3.62MB" },
                { 999999, "1000.00kB" },
                { 120 * INT64_C(1000000000), "120.00GB" },
                { -5, "-5B" },
                { -1500, "-1.50kB" },
                { INT64_MAX, "9.22EB" },
                { INT64_MIN, "-9.22EB" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                char out[32];

                ck_assert_str_eq(sw_size_str(cases[i].bytes, out), cases[i].text);
        }
}
END_TEST

/* Would catch a suggestion that helps nobody, one that is missed, and a tie that goes to
 * the later one. */
START_TEST(near_names)
{
        static const char *const kinds[] = { "image", "oci",     "docker", "local",
                                             "tar",   "discard", "" };
        static const struct {
                const char *word, *near;
        } cases[] = {
                { "image", "image" },     { "imgae", "image" },
                { "imag", "image" },      { "images", "image" },
                { "iamge", "image" },     { "dokcer", "docker" },
                { "dokcre", "docker" },   { "dcoekr", "docker" },
                { "lcoal", "local" },     { "tra", "tar" },
                { "ta", NULL },           { "oc", NULL },
                { "zzz", NULL },          { "xyz", NULL },
                { "dicsard", "discard" }, { "", "" },
                { "exporter", NULL },
        };
        static const char *const ties[] = { "abcX", "abcY" };
        char huge[5000];

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                const char *near = sw_near(cases[i].word, kinds, SW_COUNT(kinds));

                ck_assert_msg(sw_str_eq(near, cases[i].near), "%s: %s", cases[i].word,
                              near ? near : "none");
        }
        ck_assert_str_eq(sw_near("abcZ", ties, 2), "abcX");
        ck_assert_ptr_null(sw_near("abc", NULL, 0));
        memset(huge, 'a', sizeof(huge));
        huge[sizeof(huge) - 1] = '\0';
        ck_assert_ptr_null(sw_near(huge, kinds, SW_COUNT(kinds)));
}
END_TEST

/* Would catch a swap of neighbours counted as two edits, and an edit of what was swapped:
 * "ca" to "abc" is 3 edits when each place is edited once, otherwise 2. */
START_TEST(distance_has_transpositions)
{
        static const char *const letters[] = { "abcdefghi" }, *const abc[] = {
                "abc......"
        };

        ck_assert_ptr_nonnull(sw_near("badcfeghi", letters, 1)); /* three of nine */
        ck_assert_ptr_null(sw_near("badcfegh_", letters, 1));    /* and one more edit */
        ck_assert_ptr_null(sw_near("ca......", abc, 1));
}
END_TEST

static void
quotes_as(const char *s, size_t len, size_t max, const char *want)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_add_quoted(&b, s, len, max);
        ck_assert_str_eq(b.data, want);
}

/* Would catch bytes that steer a terminal, invalid UTF-8, and a character cut in half. */
START_TEST(quoting)
{
        quotes_as("", 0, 10, "\"\"");
        quotes_as("plain", 5, 10, "\"plain\"");
        quotes_as("a\"b\\c", 5, 10, "\"a\\\"b\\\\c\"");
        quotes_as("a\nb\t\x1b[31m", 9, 20, "\"a\\x0ab\\x09\\x1b[31m\"");
        quotes_as("\0x\x7f", 3, 20, "\"\\x00x\\x7f\"");
        quotes_as("\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xa2", 9, 20,
                  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xa2\"");
        quotes_as("\xff\xc3", 2, 20, "\"\\xff\\xc3\"");
        quotes_as("\xed\xa0\x80", 3, 20, "\"\\xed\\xa0\\x80\"");
        quotes_as("\xc2\x9b"
                  "31m",
                  5, 20, "\"\\xc2\\x9b31m\""); /* CSI of C1 */
        quotes_as("\xe2\x80\xae"
                  "x",
                  4, 20, "\"\\xe2\\x80\\xaex\""); /* right to left */
        quotes_as("\xe2\x81\xa6"
                  "x",
                  4, 20, "\"\\xe2\\x81\\xa6x\""); /* isolate */
        quotes_as("abcdef", 6, 6, "\"abcdef\"");
        quotes_as("abcdef", 6, 5, "\"abcde…\"");
        quotes_as("abcdef", 6, 0, "\"…\"");
        quotes_as("a\xe2\x82\xac", 4, 3, "\"a…\"");
        quotes_as("a\xe2\x82\xac", 4, 4, "\"a\xe2\x82\xac\"");
        quotes_as("a\xe2\x82\xac", 3, 4, "\"a\\xe2\\x82\"");
}
END_TEST

/* Would catch a wrong answer where one is the beginning or end of the other. */
START_TEST(affixes)
{
        ck_assert(sw_str_has_prefix("abc", "ab"));
        ck_assert(sw_str_has_prefix("abc", ""));
        ck_assert(sw_str_has_prefix("abc", "abc"));
        ck_assert(!sw_str_has_prefix("abc", "abcd"));
        ck_assert(!sw_str_has_prefix("abc", "b"));
        ck_assert(sw_str_has_suffix("abc", "bc"));
        ck_assert(sw_str_has_suffix("abc", ""));
        ck_assert(sw_str_has_suffix("abc", "abc"));
        ck_assert(!sw_str_has_suffix("abc", "xabc"));
        ck_assert(!sw_str_has_suffix("abc", "ab"));
        ck_assert(sw_str_eq(NULL, NULL));
        ck_assert(!sw_str_eq(NULL, ""));
        ck_assert(!sw_str_eq("", NULL));
        ck_assert(sw_str_eq("a", "a"));
        ck_assert(!sw_str_eq("a", "b"));
}
END_TEST

/* Would catch overlong forms, surrogates, cut sequences and what is above U+10FFFF. */
START_TEST(utf8)
{
        static const char *const good[] = {
                "",
                "ascii",
                "\x7f",
                "\xc2\x80",
                "\xdf\xbf",
                "\xe0\xa0\x80",
                "\xed\x9f\xbf",
                "\xee\x80\x80",
                "\xef\xbf\xbf",
                "\xf0\x90\x80\x80",
                "\xf4\x8f\xbf\xbf",
        };
        static const char *const bad[] = {
                "\x80",
                "\xbf",
                "\xc0\x80",
                "\xc1\xbf",
                "\xc2",
                "\xc2\x7f",
                "\xc2\xc0",
                "\xe0\x9f\xbf",
                "\xe0\xa0",
                "\xe1\x80\x7f",
                "\xed\xa0\x80",
                "\xed\xbf\xbf",
                "\xf0\x8f\xbf\xbf",
                "\xf0\x90\x80",
                "\xf1\x80\x80\xc0",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xf8\x88\x80\x80\x80",
                "\xfe",
                "\xff",
                "ok\xff",
        };

        for (size_t i = 0; i < SW_COUNT(good); i++)
                ck_assert_msg(sw_utf8_valid(good[i], strlen(good[i])), "good %zu", i);
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                ck_assert_msg(!sw_utf8_valid(bad[i], strlen(bad[i])), "bad %zu", i);
        ck_assert(sw_utf8_valid("a\0b", 3));
}
END_TEST

START_TEST(base64)
{
        static const struct {
                const char *coded, *text;
        } cases[] = { { "", "" },
                      { "Zg==", "f" },
                      { "Zg", "f" },
                      { "Zm8=", "fo" },
                      { "Zm9v", "foo" },
                      { "Zm9vYmE=", "fooba" },
                      { "+/+/", "\373\377\277" } };
        static const char *const bad[] = { "Z",    "Zg=", "Zg===", "Zm9v Zg==",
                                           "Zm-_", "=",   "====",  "Zg==Zg==" };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                ck_assert(sw_base64_decode(cases[i].coded, strlen(cases[i].coded), &b));
                ck_assert_str_eq(b.data, cases[i].text);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                sw_buf_adds(&b, "x");
                ck_assert_msg(!sw_base64_decode(bad[i], strlen(bad[i]), &b), "bad %zu", i);
                ck_assert_str_eq(b.data, "x");
        }
}
END_TEST

UNIT_MAIN("text", bools, ints, sizes, size_strings, near_names, distance_has_transpositions,
          quoting, affixes, utf8, base64)
