/*
 * pattern_test.c - catches lists that answer differently from moby's patternmatcher:
 * parents, exceptions, "**" in every place, patterns as they are cleaned; states that are
 * handed down; and walks that are cut short where something could still match.
 */
#include <slipway/pattern.h>

#include "tests/unit/unit.h"

/* "a b !c" as a list. */
static sw_patterns *
list(const char *text)
{
        const char *v[16];
        char *copy = strdup(text), *save = NULL;
        size_t n = 0;
        sw_patterns *p = NULL;

        for (char *s = strtok_r(copy, "|", &save); s; s = strtok_r(NULL, "|", &save))
                v[n++] = s;
        ok(sw_patterns_new(v, n, &p));
        free(copy);
        return p;
}

/* The same with states handed down from the root. */
static bool
match_walking(const sw_patterns *p, const char *path)
{
        struct sw_pattern_state parent = { NULL }, state = { NULL };
        char part[512];
        bool m = false;

        for (size_t i = 0; path[i]; i++) {
                if (path[i + 1] && path[i + 1] != '/')
                        continue;
                if (path[i] == '/')
                        continue;
                memcpy(part, path, i + 1);
                part[i + 1] = '\0';
                m = sw_patterns_match(p, part, &parent, &state);
                sw_pattern_state_release(&parent);
                parent = state;
                state.bits = NULL;
        }
        sw_pattern_state_release(&parent);
        return m;
}

static const struct {
        const char *patterns, *path;
        bool match;
} cases[] = {
        { "src", "src", true },
        { "src", "src/main.c", true },
        { "src", "srcs", false },
        { "src/", "src/a/b", true },
        { "/src", "src", false }, /* readers of .dockerignore take the '/' off, not we */
        { "  src  ", "src", true },
        { "./a//b/../c", "a/c", true },
        { "a/..", "x", false },
        { "*", "a/b/c", true },
        { "*.o", "main.o", true },
        { "*.o", "src/main.o", false },
        { "*/*.o", "src/main.o", true },
        { "*/*.o", "src/x/main.o", false },
        { "**", "a/b", true },
        { "**/*.o", "main.o", true },
        { "**/*.o", "a/b/main.o", true },
        { "**/*.o", "a/b/main.c", false },
        { "**/dir", "dir", true },
        { "**/dir", "x/dir", true },
        { "**/dir", "x/dir/y", true },
        { "**/dir", "xdir", false },
        { "**dir", "xdir", true },
        { "dir/**", "dir", false },
        { "dir/**", "dir/x/y", true },
        { "dir**", "directory/x", true },
        { "a/**/z", "a/z", true },
        { "a/**/z", "a/b/c/z", true },
        { "a/**/z", "az", false },
        { "a**z", "abcz", false },
        { "a**z", "a/b/z", true },
        { "a**z", "a/z", true },
        { "a**/z", "ab/z", true },
        { "**/a/**/b", "x/a/y/b/c", true },
        { "**/**", "x", true },
        { "a/*/", "a/b", true },
        { "[ab].c", "b.c", true },
        { "[^ab].c", "b.c", false },
        { "a\\*", "a*", true },
        { "a\\*", "ab", false },
        { "a.c", "axc", false }, /* no character of a regular expression is special */
        { "(a.b)+$*", "(a.b)+$x", true },
        { "a^b*", "a^bc", true },
        { "a]*", "a]x", true },
        { "docs|!docs/README.md", "docs/a", true },
        { "docs|!docs/README.md", "docs/README.md", false },
        { "docs|!docs/README.md", "docs", true },
        { "*|!src", "src/a", false },
        { "*|!src", "lib/a", true },
        { "*|!src|src/tmp", "src/tmp/x", true },
        { "*|!**/*.c", "a/b.c", false },
        { "!a|a", "a", true },
        { "**|!a/*|a/x", "a/x", true },
        { "a?c",
          "a\xe2\x98\xba"
          "c",
          true },
        { "?", "\xff", true },
};

START_TEST(matches_as_moby_does)
{
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                sw_autoptr(sw_patterns) p = list(cases[i].patterns);

                ck_assert_msg(sw_patterns_match(p, cases[i].path, NULL, NULL) ==
                                      cases[i].match,
                              "\"%s\" on \"%s\"", cases[i].patterns, cases[i].path);
                ck_assert_msg(match_walking(p, cases[i].path) == cases[i].match,
                              "\"%s\" down to \"%s\"", cases[i].patterns, cases[i].path);
        }
}
END_TEST

START_TEST(refuses_malformed_ones)
{
        sw_patterns *p = NULL;
        char big[5000];

        fails(sw_patterns_new((const char *[]){ "!" }, 1, &p), SW_E_INVALID,
              "illegal exclusion pattern: \"!\"");
        fails(sw_patterns_new((const char *[]){ "ok", "a[" }, 2, &p), SW_E_INVALID, "a[");
        fails(sw_patterns_new((const char *[]){ "a\\" }, 1, &p), SW_E_INVALID, "a");
        fails(sw_patterns_new((const char *[]){ "[z-a]" }, 1, &p), SW_E_INVALID,
              "empty range");
        memset(big, 'a', sizeof(big) - 1);
        big[sizeof(big) - 1] = '\0';
        fails(sw_patterns_new((const char *[]){ big }, 1, &p), SW_E_INVALID, "longer");
        ck_assert_ptr_null(p);
}
END_TEST

START_TEST(leaves_out_empty_ones)
{
        sw_patterns *p = NULL;

        ok(sw_patterns_new((const char *[]){ "", " \t", "\xc2\xa0" }, 3, &p));
        ck_assert(!sw_patterns_match(p, "a", NULL, NULL));
        ck_assert(!sw_patterns_may_match_below(p, ""));
        sw_patterns_free(p);
}
END_TEST

static const struct {
        const char *patterns, *dir;
        bool below, except;
} walks[] = {
        { "a/b/c", "", true, false },
        { "a/b/c", "a", true, false },
        { "a/b/c", "a/b", true, false },
        { "a/b/c", "a/bb", false, false },
        { "a/b/c", "b", false, false },
        { "a/b/**", "a", true, false },
        { "a/b/**", "a/b/x", true, false },
        { "a/b/**", "c", false, false },
        { "**/x", "any/where", true, false },
        { "a*/c", "ab", true, false },
        { "a*/c", "ba", false, false },
        { "a*/c", "ab/c/d", false, false },
        { "a/**/z", "a/q", true, false },
        { "a/**/z", "b", false, false },
        { "*|!src/gen", "src", false, true },
        { "*|!src/gen", "node_modules", false, false },
        { "*|!**/*.md", "x", false, true },
};

START_TEST(says_where_a_walk_may_end)
{
        for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
                sw_autoptr(sw_patterns) p = list(walks[i].patterns);

                ck_assert_msg(sw_patterns_may_match_below(p, walks[i].dir) ==
                                      walks[i].below,
                              "\"%s\" below \"%s\"", walks[i].patterns, walks[i].dir);
                ck_assert_msg(sw_patterns_may_except_below(p, walks[i].dir) ==
                                      walks[i].except,
                              "\"%s\" except below \"%s\"", walks[i].patterns,
                              walks[i].dir);
        }
}
END_TEST

START_TEST(long_patterns_work_and_take_no_time)
{
        char pattern[4000], path[4000];
        sw_patterns *p = NULL;

        memset(pattern, 'a', sizeof(pattern));
        pattern[0] = '*';
        pattern[3998] = '?';
        pattern[3999] = '\0';
        memset(path, 'a', sizeof(path));
        path[3999] = '\0';
        ok(sw_patterns_new((const char *[]){ pattern }, 1, &p));
        ck_assert(sw_patterns_match(p, path, NULL, NULL));
        path[3000] = 'b';
        ck_assert(!sw_patterns_match(p, path, NULL, NULL));
        sw_patterns_free(p);

        for (size_t i = 0; i + 4 < sizeof(pattern); i += 4)
                memcpy(pattern + i, "**/a", 5);
        memset(path, '/', sizeof(path) - 1);
        for (size_t i = 0; i < sizeof(path) - 1; i += 2)
                path[i] = 'a';
        path[3998] = 'b';
        ok(sw_patterns_new((const char *[]){ pattern }, 1, &p));
        struct sw_pattern_state none = { NULL };
        uint64_t zero = 0;
        none.bits = &zero; /* the path alone */
        ck_assert(!sw_patterns_match(p, path, &none, NULL));
        sw_patterns_free(p);
}
END_TEST

UNIT_MAIN("pattern", matches_as_moby_does, refuses_malformed_ones, leaves_out_empty_ones,
          says_where_a_walk_may_end, long_patterns_work_and_take_no_time)
