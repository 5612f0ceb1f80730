/*
 * tests/fuzz/pattern_fuzz.c - Go's glob and lists of patterns against a matcher that tries
 * everything. Input: a pattern, NUL, a path.
 */
#include <slipway/pattern.h>
#include <slipway/path.h>

#include "tests/fuzz/fuzz.h"

#define MAX_TEXT 24 /* trying everything takes exponential time */

/* Stars only: no class, no escape, ASCII. @wide: "**" crosses '/'. */
static bool
naive(const char *p, const char *s, bool wide)
{
        if (!*p)
                return !*s;
        if (wide && p[0] == '*' && p[1] == '*') {
                const char *after = p + 2 + (p[2] == '/');

                if (!*after) {
                        for (; *s; s++) {
                                if (*s == '\n')
                                        return false;
                        }
                        return true;
                }
                if (naive(after, s, wide))
                        return true;
                for (; *s && *s != '\n'; s++) {
                        if (*s == '/' && naive(after, s + 1, wide))
                                return true;
                }
                return false;
        }
        if (*p == '*') {
                for (;; s++) {
                        if (naive(p + 1, s, wide))
                                return true;
                        if (!*s || *s == '/')
                                return false;
                }
        }
        if (!*s || (*p == '?' ? *s == '/' : *p != *s))
                return false;
        return naive(p + 1, s + 1, wide);
}

static bool
plain(const char *s)
{
        for (; *s; s++) {
                if ((unsigned char) *s >= 0x80 || strchr("[]\\!", *s))
                        return false;
        }
        return true;
}

/* One pattern without "!" on one path without its parents. */
static void
compare_list(const sw_patterns *ps, const char *clean, const char *path)
{
        struct sw_pattern_state alone = { (uint64_t[]){ 0 } };
        bool m = sw_patterns_match(ps, path, &alone, NULL);
        size_t stars = strcspn(clean, "*?");

        /* "x**" and "**x" are compared as text, newlines or not */
        if (strcmp(clean + stars, "**") == 0 && stars > 0)
                fuzz_check(m == (strncmp(path, clean, stars) == 0));
        else if (!strchr(path, '\n'))
                fuzz_check(m == naive(clean, path, true) ||
                           (strncmp(clean, "**", 2) == 0 && !strpbrk(clean + 2, "*?")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 2);
        size_t n;

        if (!text)
                abort();
        if (size)
                memcpy(text, data, size);
        text[size] = text[size + 1] = '\0';
        n = strlen(text);
        const char *path = n < size ? text + n + 1 : "";
        bool good = fuzz_ok(sw_glob_check(text)), small = n + strlen(path) < MAX_TEXT;

        bool m = sw_glob_match(text, path);
        fuzz_check(good || !m);
        if (small && plain(text) && plain(path))
                fuzz_check(m == naive(text, path, false));

        sw_patterns *ps = NULL;
        if (fuzz_ok(sw_patterns_new((const char *[]){ text }, 1, &ps))) {
                struct sw_pattern_state st = { NULL };
                char *clean = sw_path_clean(text);

                (void) sw_patterns_match(ps, path, NULL, &st);
                sw_pattern_state_release(&st);
                (void) sw_patterns_may_match_below(ps, path);
                (void) sw_patterns_may_except_below(ps, path);
                if (small && plain(text) && plain(path) && !strpbrk(text, " \t\n\v\f\r") &&
                    *text)
                        compare_list(ps, clean, path);
                free(clean);
                sw_patterns_free(ps);
        }
        free(text);
        return 0;
}
