/*
 * tests/unit/core/base/pathtext_test.c - paths as text, after Go's package path.
 */
#include "tests/unit/unit.h"

#include <slipway/path.h>

static void
check(char *got, const char *input, const char *want)
{
        ck_assert_msg(strcmp(got, want) == 0, "\"%s\": \"%s\", not \"%s\"", input, got,
                      want);
        free(got);
}

/* Catches: bytes below '/' that come between a directory and what is in it; signed bytes.
 */
START_TEST(order)
{
        static const char *const sorted[] = { "",   "a",   "a/", "a/b",  "a/\x80",
                                              "a!", "a-b", "a0", "a\x80" };

        for (size_t i = 0; i < sizeof(sorted) / sizeof(*sorted); i++)
                for (size_t j = 0; j < sizeof(sorted) / sizeof(*sorted); j++) {
                        int c = sw_path_cmp(sorted[i], sorted[j]);

                        ck_assert_int_eq((c > 0) - (c < 0), (i > j) - (i < j));
                }
}
END_TEST

/* Catches: any difference from path.Clean. */
START_TEST(clean)
{
        static const char *const table[][2] = {
                { "", "." },
                { "abc", "abc" },
                { "abc/def", "abc/def" },
                { "a/b/c", "a/b/c" },
                { ".", "." },
                { "..", ".." },
                { "../..", "../.." },
                { "../../abc", "../../abc" },
                { "/abc", "/abc" },
                { "/", "/" },
                { "abc/", "abc" },
                { "a/b/c/", "a/b/c" },
                { "./", "." },
                { "../", ".." },
                { "../../", "../.." },
                { "/abc/", "/abc" },
                { "abc//def//ghi", "abc/def/ghi" },
                { "//abc", "/abc" },
                { "///abc", "/abc" },
                { "//abc//", "/abc" },
                { "abc//", "abc" },
                { "abc/./def", "abc/def" },
                { "/./abc/def", "/abc/def" },
                { "abc/.", "abc" },
                { "abc/def/ghi/../jkl", "abc/def/jkl" },
                { "abc/def/../ghi/../jkl", "abc/jkl" },
                { "abc/def/..", "abc" },
                { "abc/def/../..", "." },
                { "/abc/def/../..", "/" },
                { "abc/def/../../..", ".." },
                { "/abc/def/../../..", "/" },
                { "abc/def/../../../ghi/jkl/../../../mno", "../../mno" },
                { "abc/./../def", "def" },
                { "abc//./../def", "def" },
                { "abc/../../././../def", "../../def" },
                { "/..", "/" },
                { "/../a", "/a" },
                { "...", "..." },
                { "a/.../..", "a" },
                { "..a/..", "." },
                { "a/..b", "a/..b" },
                { "../a/..", ".." },
                { "a/../..", ".." },
                { "a/../../b", "../b" },
        };

        for (size_t i = 0; i < SW_COUNT(table); i++)
                check(sw_path_clean(table[i][0]), table[i][0], table[i][1]);
}
END_TEST

/* Catches: any difference from path.Join of two. */
START_TEST(join)
{
        static const char *const table[][3] = {
                { "", "", "" },
                { "a", "", "a" },
                { "", "b", "b" },
                { "a", "b", "a/b" },
                { "a/", "/b", "a/b" },
                { "/", "a", "/a" },
                { "/", "", "/" },
                { "a/", "", "a" },
                { "a", "../b", "b" },
                { "a", "../../b", "../b" },
                { "/a", "../../b", "/b" },
                { "", "..", ".." },
        };

        for (size_t i = 0; i < SW_COUNT(table); i++)
                check(sw_path_join(table[i][0], table[i][1]), table[i][0], table[i][2]);
}
END_TEST

/* Catches: any difference from path.Base. */
START_TEST(base)
{
        static const char *const table[][2] = {
                { "", "." },        { ".", "." },         { "/.", "." },
                { "/", "/" },       { "////", "/" },      { "x/", "x" },
                { "abc", "abc" },   { "abc/def", "def" }, { "a/b/.x", ".x" },
                { "a/b/c.", "c." }, { "a/b///", "b" },
        };

        for (size_t i = 0; i < SW_COUNT(table); i++)
                check(sw_path_base(table[i][0]), table[i][0], table[i][1]);
}
END_TEST

/* Catches: a name taken that would be resolved, or cut by the file system. */
START_TEST(name_ok)
{
        char name[257];

        memset(name, 'n', 256);
        name[256] = 0;
        ck_assert(!sw_path_name_ok(name));
        name[255] = 0;
        ck_assert(sw_path_name_ok(name));
        ck_assert(sw_path_name_ok("...") && sw_path_name_ok(".a") && sw_path_name_ok("\n"));
        ck_assert(!sw_path_name_ok("") && !sw_path_name_ok(".") && !sw_path_name_ok(".."));
        ck_assert(!sw_path_name_ok("a/b") && !sw_path_name_ok("/") &&
                  !sw_path_name_ok("a/"));
}
END_TEST

/* Catches: a name by which a server, or a definition, writes elsewhere than in the
 * directory of its file, or steers a terminal. */
START_TEST(safe_name)
{
        static const char *const cases[][2] = {
                { "foo.txt", "foo.txt" },
                { "name with spaces.txt", "name with spaces.txt" },
                { "  foo.txt ", "foo.txt" },
                { "\v\tfoo.txt\n", "foo.txt" },
                { "a/b/c.txt", "c.txt" },
                { "/etc/passwd", "passwd" },
                { ".profile", ".profile" },
                { "..\\", "..\\" },
                { "\xe8\xb3\x87", "\xe8\xb3\x87" },
                { "", "download" },
                { ".", "download" },
                { "..", "download" },
                { "../", "download" },
                { "/", "download" },
                { "a\nb", "download" },
                { "a\x7f", "download" },
                { "a\xc2\x9b", "download" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) name = sw_path_safe_name(cases[i][0]);

                ck_assert_str_eq(name, cases[i][1]);
        }
        char long_name[300];
        memset(long_name, 'a', sizeof(long_name));
        long_name[sizeof(long_name) - 1] = '\0';
        sw_auto(sw_str) name = sw_path_safe_name(long_name);
        ck_assert_str_eq(name, "download");
}
END_TEST

UNIT_MAIN("pathtext", clean, join, base, name_ok, safe_name, order)
