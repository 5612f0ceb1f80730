/*
 * Command lines to words.
 *
 * Catches: words split differently than the Go client's shlex does.
 */
#include "tests/unit/core/llb/state/make.h"

static const struct {
        const char *line;
        const char *words[6];
} cases[] = {
        { "one two", { "one", "two" } },
        { "  one\ttwo\r\nthree ", { "one", "two", "three" } },
        { "'a b' \"c d\"", { "a b", "c d" } },
        { "a'b'\"c\"d", { "abcd" } },
        { "'' \"\" x", { "", "", "x" } },
        { "a\\ b \\'c", { "a b", "'c" } },
        { "\"a\\\"b\\\\\" '\\'", { "a\"b\\", "\\" } },
        { "\"\\n\"", { "n" } },
        { "a # b\nc #d", { "a", "c" } },
        { "a#b '#' \\#", { "a#b", "#", "#" } },
        { "$HOME && *|", { "$HOME", "&&", "*|" } },
        { "\"it's\" 'a\"b'", { "it's", "a\"b" } },
        { "\xc3\xa9 x", { "\xc3\xa9", "x" } },
};

START_TEST(split)
{
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_autoptr(sw_state) root = NULL;
        struct made m;
        size_t n = 0;

        ok(sw_run_command(r, cases[_i].line));
        ok(sw_run_end(r, NULL, &root));
        make(&m, root, NULL);
        for (; cases[_i].words[n]; n++) {
                ck_assert_uint_lt(n, m.op[1]->exec->meta->n_args);
                ck_assert_str_eq(m.op[1]->exec->meta->args[n], cases[_i].words[n]);
        }
        ck_assert_uint_eq(n, m.op[1]->exec->meta->n_args);
        unmake(&m);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("split");
        TCase *t = tcase_create("split");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, split, 0, SW_COUNT(cases));
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
