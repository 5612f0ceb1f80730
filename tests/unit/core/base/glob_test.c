/*
 * glob_test.c - catches differences from Go's path.Match: what stars and classes take,
 * which patterns are malformed, and patterns that make a backtracking matcher hang.
 */
#include <slipway/pattern.h>

#include "tests/unit/unit.h"

static const struct {
        const char *pattern, *path;
        bool match;
} cases[] = {
        { "main.c", "main.c", true },
        { "main.c", "main.cc", false },
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "main.c", true },
        { "*", "src/main.c", false },
        { "*.c", "main.c", true },
        { "*.c", ".c", true },
        { "src*", "src", true },
        { "src*", "src/x", false },
        { "s*/x", "src/x", true },
        { "s*/x", "src/y/x", false },
        { "a*b*c*/z", "a1b2c3/z", true },
        { "a*b*c*/z", "a1b2c3/zz", false },
        { "*x", "xxx", true },
        { "a*b?c*x", "abxbbxdbxebxczzx", true },
        { "a*b?c*x", "abxbbxdbxebxczzy", false },
        { "[ab]", "b", true },
        { "[a-c]x", "bx", true },
        { "[d-f]x", "bx", false },
        { "[^a]", "b", true },
        { "[^a-c]", "b", false },
        { "\\*", "*", true },
        { "\\*", "a", false },
        { "a?c",
          "a\xe2\x98\xba"
          "c",
          true }, /* one character, three bytes */
        { "a???c",
          "a\xe2\x98\xba"
          "c",
          false },
        { "a[^a]c",
          "a\xe2\x98\xba"
          "c",
          true },
        { "[a-\xce\xb6]*", "\xce\xb1", true },
        { "a?c", "a/c", false },
        { "[\\]x]", "]", true },
        { "[\\-]", "-", true },
        { "[x\\-]", "-", true },
        { "[\\-x]", "z", false },
        { "a[^b]c", "a/c", true },    /* a class takes a '/', as in Go */
        { "*[a/]*b", "xa/b", false }, /* the leftmost choice is not taken back */
        { "a\xff*",
          "a\xff"
          "b",
          true },
        { "?", "\xff", true },
        { "[]a]", "]", false }, /* malformed ones match nothing */
        { "a[", "a[", false },
        { "\\", "\\", false },
};

START_TEST(matches_as_go_does)
{
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                ck_assert_msg(sw_glob_match(cases[i].pattern, cases[i].path) ==
                                      cases[i].match,
                              "\"%s\" on \"%s\"", cases[i].pattern, cases[i].path);
}
END_TEST

START_TEST(refuses_what_go_refuses)
{
        static const char *const bad[] = { "[]a]",    "[-]",   "[x-]",   "[-x]",  "\\",
                                           "[a-b-c]", "[",     "[^",     "[^b",   "a[",
                                           "a[b",     "*[",    "a/b[",   "[a",    "[a-",
                                           "[\\",     "[^]a]", "[a\xff", "[\xff]" };
        static const char *const good[] = { "", "]", "a]b", "[^^]", "[[]", "a-b", "*[a]*" };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                fails(sw_glob_check(bad[i]), SW_E_INVALID, "syntax error in pattern");
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
                ok(sw_glob_check(good[i]));
}
END_TEST

START_TEST(many_stars_take_no_time)
{
        char pattern[400], path[2001];

        for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
                memcpy(pattern + i, "*a", 3);
        pattern[sizeof(pattern) - 2] = 'b';
        pattern[sizeof(pattern) - 1] = '\0';
        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        ck_assert(!sw_glob_match(pattern, path)); /* the time limit of the test */
}
END_TEST

UNIT_MAIN("glob", matches_as_go_does, refuses_what_go_refuses, many_stars_take_no_time)
