/*
 * URLs of git repositories.
 *
 * Catches: forms of URLs that git takes and we do not, hosts and paths split wrongly, and
 * passwords shown in messages.
 */
#include "core/llb/giturl.h"
#include "tests/unit/unit.h"

static const struct {
        const char *in, *scheme, *host, *path, *remote;
} good[] = {
        { "https://github.com/o/r.git", "https", "github.com", "/o/r.git",
          "https://github.com/o/r.git" },
        { "HTTP://h:80/r", "http", "h:80", "/r", "http://h:80/r" },
        { "https://u:p@h/r", "https", "h", "/r", "https://u:p@h/r" },
        { "ssh://git@h:22/o/r", "ssh", "h:22", "/o/r", "ssh://git@h:22/o/r" },
        { "git://h/r", "git", "h", "/r", "git://h/r" },
        { "https://[::1]:3/r", "https", "[::1]:3", "/r", "https://[::1]:3/r" },
        { "https://h", "https", "h", "", "https://h" },
        { "https://h/a%20b/c", "https", "h", "/a b/c", "https://h/a%20b/c" },
        { "https://h/a b", "https", "h", "/a b", "https://h/a%20b" },
        { "git@github.com:o/r.git", "ssh", "github.com", "o/r.git",
          "git@github.com:o/r.git" },
        { "git@h:/abs/r", "ssh", "h", "/abs/r", "git@h:/abs/r" },
        { "h:r", "ssh", "h", "r", "h:r" },
        { "github.com/o/r.git", "https", "github.com", "/o/r.git",
          "https://github.com/o/r.git" },
};

START_TEST(parsed)
{
        sw_auto(git_url) u = { NULL, NULL, NULL, NULL };

        ok(sw__git_url_parse(good[_i].in, &u));
        ck_assert_str_eq(u.scheme, good[_i].scheme);
        ck_assert_str_eq(u.host, good[_i].host);
        ck_assert_str_eq(u.path, good[_i].path);
        ck_assert_str_eq(u.remote, good[_i].remote);
}
END_TEST

static const struct {
        const char *in, *why;
} bad[] = {
        { "", "empty" },
        { "ftp://h/r", "protocol" },
        { "file:///r", "protocol" },
        { "https:///r", "no host" },
        { "https://h/r#main", "fragment" },
        { "https://h/r?ref=main", "query" },
        { "git@h:r#main", "fragment" },
        { "https://h/%zz", "escape" },
        { "https://h/%", "escape" },
        { "https://h/%2", "escape" },
        { "https://h/%00", "escape" },
        { "https://h:8x/r", "port" },
        { "https://h y/r", "host" },
        { "https://h/\nx", "control" },
};

START_TEST(refused)
{
        struct git_url u;

        fails(sw__git_url_parse(bad[_i].in, &u), SW_E_INVALID, bad[_i].why);
}
END_TEST

START_TEST(passwords_stay_hidden)
{
        struct git_url u;
        sw_err *err = sw__git_url_parse("https://me:hunter2@host:8x/r", &u);

        ck_assert_ptr_nonnull(err);
        ck_assert_ptr_null(strstr(sw_err_message(err), "hunter2"));
        sw_err_free(err);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("giturl");
        TCase *t = tcase_create("giturl");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, parsed, 0, SW_COUNT(good));
        tcase_add_loop_test(t, refused, 0, SW_COUNT(bad));
        tcase_add_test(t, passwords_stay_hidden);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
