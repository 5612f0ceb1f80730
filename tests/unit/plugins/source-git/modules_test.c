/*
 * modules_test.c - catches submodules that are fetched from elsewhere than git would, from
 * this machine, or with options; a .gitmodules that is read otherwise than git does; trees
 * that are larger than they may be.
 */
#include "plugins/source-git/modules.h"
#include "tests/unit/unit.h"

#define TEXT(s) s, sizeof(s) - 1

START_TEST(what_gitmodules_says)
{
        static const char text[] = "core.x\ny\0"
                                   "submodule.a.b.path\nd/e\0"
                                   "submodule.a.b.url\n../x\0"
                                   "submodule.c.path\nf\0"
                                   "submodule.c.update\nnone\0"
                                   "submodule.a.b.url\n../y\0"
                                   "submodule.c.branch\nz\0"
                                   "submodule.c.pathx\nz\0"
                                   "submodule.bare\0"
                                   "submodule..path\nno name\0"
                                   "submodule.c.url\nnot at its end";
        sw_auto(git_modules) m = { 0 };

        ok(modules_read(TEXT(text), &m));
        ck_assert_uint_eq(m.n, 2);
        ck_assert_str_eq(modules_find(&m, "d/e")->name, "a.b");
        ck_assert_str_eq(modules_find(&m, "d/e")->url, "../y");
        ck_assert(!modules_find(&m, "d/e")->none);
        ck_assert(modules_find(&m, "f")->none);
        ck_assert_ptr_null(modules_find(&m, "f")->url);
        ck_assert_ptr_null(modules_find(&m, "d"));
}
END_TEST

START_TEST(too_many)
{
        sw_auto(git_modules) m = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        for (int i = 0; i <= MAX_MODULES; i++) {
                sw_buf_addf(&b, "submodule.%d.path\nx", i);
                sw_buf_addc(&b, '\0');
        }
        fails(modules_read(b.data, b.len, &m), SW_E_LIMIT, "more than 4096");
}
END_TEST

START_TEST(where_they_are)
{
        static const struct {
                const char *base, *url, *is;
        } cases[] = {
                { "https://h/a/b.git", "../c.git", "https://h/a/c.git" },
                { "https://h/a/b.git", "./c.git", "https://h/a/b.git/c.git" },
                { "https://h/a/b.git/", "../../c", "https://h/c" },
                { "https://u:p@h/a/b", "../c", "https://h/a/c" },
                { "h/a", "../c", "https://h/c" },
                { "ssh://g@h:22/a/b", "../../c/d", "ssh://g@h:22/c/d" },
                { "git@h:a/b", "../c", "git@h:a/c" },
                { "git@h:a", "../c", "git@h:c" },
                { "git@h:/a", "../c", "git@h:/c" },
                { "https://h/a", "git://k/x", "git://k/x" },
                { "https://h/a", "git@k:x", "git@k:x" },
                { "https://h/a", "https://u:p@k/x", "https://k/x" },
        };
        static const struct {
                const char *base, *url;
                int code;
                const char *why;
        } bad[] = {
                { "https://h/a", "../../c", SW_E_INVALID, "leads out" },
                { "https://h", "../c", SW_E_INVALID, "leads out" },
                { "git@h:a", "../../c", SW_E_INVALID, "leads out" },
                { "git@h:/a", "../../c", SW_E_INVALID, "leads out" },
                { "git@h:a/b", "../../", SW_E_INVALID, "leads out" },
                { "https://h/a", "/etc", SW_E_INVALID, "is a path" },
                { "https://h/a", "c", SW_E_INVALID, "is a path" },
                { "https://h/a", "c/d:e", SW_E_INVALID, "is a path" },
                { "https://h/a", "", SW_E_INVALID, "is a path" },
                { "https://h/a", "..", SW_E_INVALID, "is a path" },
                { "https://h/a", "--upload-pack=x", SW_E_INVALID, "is a path" },
                { "https://h/a", "-oProxyCommand=x:y", SW_E_INVALID, "git repository" },
                { "https://h/a", "file:///etc", SW_E_UNSUPPORTED, "protocol" },
                { "https://h/a", "ext::x", SW_E_UNSUPPORTED, "program" },
                { "https://h/a", "../x\ny", SW_E_INVALID, "control" },
                { "https://h/a", "http://x/\ny", SW_E_INVALID, "control" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(git_remote) base = { .url = NULL };
                sw_auto(git_remote) is = { .url = NULL };

                ok(remote_parse(cases[i].base, &base));
                ok(remote_join(&base, cases[i].url, &is));
                ck_assert_str_eq(is.url, cases[i].is);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(git_remote) base = { .url = NULL };
                sw_auto(git_remote) is = { .url = NULL };

                ok(remote_parse(bad[i].base, &base));
                fails(remote_join(&base, bad[i].url, &is), bad[i].code, bad[i].why);
        }
}
END_TEST

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* In pieces of any size. */
START_TEST(a_tree)
{
        static const char text[] = "100644 blob " A "       5\t.gitmodules\0"
                                   "040000 tree " A "       -\td\te\0"
                                   "160000 commit " B "       -\td\te/s\n\0"
                                   "100755 blob " A "    5000\tx\0";

        for (size_t step = 1; step <= sizeof(text) - 1; step++) {
                sw_auto(git_survey) s = { .left = 100000, .line = SW_BUF_INIT };

                for (size_t at = 0; at < sizeof(text) - 1; at += step)
                        ok(survey_take(&s, text + at,
                                       at + step > sizeof(text) - 1 ? sizeof(text) - 1 - at
                                                                    : step));
                ck_assert(s.names_modules);
                ck_assert_int_eq(s.left, 100000 - 3 * 4096 - 5000);
                ck_assert_uint_eq(s.links.n, 1);
                ck_assert_str_eq(s.links.v[0].path, "d\te/s\n");
                ck_assert_str_eq(s.links.v[0].sha, B);
        }
}
END_TEST

START_TEST(a_tree_that_is_too_large)
{
        static const char small[] = "100644 blob " A "       5\tx\0";
        static const char large[] = "100644 blob " A " 9223372036854775807\tx\0";
        sw_auto(git_survey) s = { .left = 3 * 4096 - 1, .line = SW_BUF_INIT };

        ok(survey_take(&s, TEXT(small)));
        ok(survey_take(&s, TEXT(small)));
        fails(survey_take(&s, TEXT(small)), SW_E_LIMIT, "too large");
        sw_auto(git_survey) t = { .left = INT64_C(1) << 40, .line = SW_BUF_INIT };
        fails(survey_take(&t, TEXT(large)), SW_E_LIMIT, "too large");
}
END_TEST

START_TEST(no_tree)
{
        static const char *const bad[] = {
                "",
                "x",
                "100644 blob " A " 5",
                "100644 blob xx 5\ty",
                "100644 blob " A "b 5\ty",
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(git_survey) s = { .left = 1 << 20, .line = SW_BUF_INIT };

                fails(survey_take(&s, bad[i], strlen(bad[i]) + 1), SW_E_REMOTE, "no entry");
        }
}
END_TEST

UNIT_MAIN("modules", what_gitmodules_says, too_many, where_they_are, a_tree,
          a_tree_that_is_too_large, no_tree)
