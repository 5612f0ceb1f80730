/*
 * tests/unit/cmd/slipway/docs_test.c - help, man pages and completion made from tables.
 *
 * Would catch: text that is lost or broken in the wrong place, words that mdoc would take
 * for its own, hidden verbs that show up. That man and bash accept the results is tested
 * on the real ones, in tests/integration/cli.sh.
 */
#include "tests/unit/unit.h"
#include "tests/unit/cmd/slipway/program.h"

static bool
has(const sw_buf *b, const char *part)
{
        return strstr(b->data, part) != NULL;
}

START_TEST(usage_shows_arguments)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        cli_add_usage(&b, &test_program, &build_verb);
        ck_assert_str_eq(b.data, "prog build [FLAGS] DIR [EXTRA...]");
        sw_buf_clear(&b);
        cli_add_usage(&b, &test_program, &list_show_verb);
        ck_assert_str_eq(b.data, "prog list show [FLAGS] NAME...");
        sw_buf_clear(&b);
        cli_add_usage(&b, &test_program, &group_verb);
        ck_assert_str_eq(b.data, "prog store [FLAGS] COMMAND");
        sw_buf_clear(&b);
        cli_add_usage(&b, &test_program, NULL);
        ck_assert_str_eq(b.data, "prog [FLAGS] COMMAND");
}
END_TEST

START_TEST(help_of_the_program)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        cli_add_help(&b, &test_program, NULL, 80);
        ck_assert_str_eq(b.data, "Usage: prog [FLAGS] COMMAND\n"
                                 "\n"
                                 "A program.\n"
                                 "\n"
                                 "Its details.\n"
                                 "\n"
                                 "Commands:\n"
                                 "  build  build things\n"
                                 "  list   list things\n"
                                 "  store  group of verbs\n"
                                 "\n"
                                 "Flags:\n"
                                 "      --config FILE  read FILE\n"
                                 "      --debug        say more\n"
                                 "  -h, --help         print help\n"
                                 "\n"
                                 "'prog COMMAND --help' tells more about a command.\n");
}
END_TEST

/* Would catch: help that stands left of the flags it is for. */
START_TEST(help_of_long_flags)
{
        static const struct cli_flag flags[] = {
                { .name = "progress",
                  .type = CLI_CHOICE,
                  .value = "plain|tty|rawjson|quiet",
                  .help = "how to show it" },
                { .name = NULL },
        };
        const struct cli_verb v = { .name = "logs", .summary = "show", .flags = flags };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        cli_add_help(&b, &test_program, &v, 80);
        ck_assert(strstr(b.data, "      --progress plain|tty|rawjson|quiet\n"
                                 "                                how to show it\n"));
}
END_TEST

START_TEST(help_of_a_verb)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        cli_add_help(&b, &test_program, &build_verb, 60);
        ck_assert(has(&b, "Usage: prog build [FLAGS] DIR [EXTRA...]\n"));
        ck_assert(has(&b, "First paragraph, quite long so that it has to be broken\n"
                          "somewhere when it is shown.\n\n"
                          "    literal \\line -x\n      .deeper\n\nLast one.\n"));
        ck_assert(has(&b, "  DIR    the context\n"));
        ck_assert(has(&b, "  -o, --output SPEC          where results go"));
        ck_assert(has(&b, "(repeatable)"));
        ck_assert(has(&b, "Flags of every command:\n"));
        for (const char *line = b.data; *line; line += strcspn(line, "\n") + 1)
                ck_assert_uint_le(strcspn(line, "\n"), 60);
}
END_TEST

START_TEST(man_page_of_a_verb)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(cli_add_man(&b, &test_program, "prog-build", INT64_C(86400000000000)));
        ck_assert(has(&b, ".Dd January 2, 1970\n.Dt PROG-BUILD 1\n"));
        ck_assert(has(&b, ".Nm prog build\n.Op Fl -output Ar \\&SPEC\n"));
        ck_assert(has(&b, "Where results go"));
        /* backslash, leading dot and dashes are not lost to the formatter */
        ck_assert(has(&b, ".Bd -literal -offset indent\n"
                          "literal \\eline \\-x\n"
                          "  .deeper\n"
                          ".Ed\n"));
        ck_assert(has(&b, "./it's-here"));
        ck_assert(has(&b, ".Sh EXIT STATUS\n"));
        ck_assert(has(&b, ".Xr prog 1 ,\n.Xr prog-list 1 ,\n.Xr prog-store 1\n"));
        ck_assert(!has(&b, "secret"));
}
END_TEST

START_TEST(man_page_covers_what_lies_below)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(cli_add_man(&b, &test_program, "prog-list", 0));
        ck_assert(has(&b, ".Ss prog list\n"));
        ck_assert(has(&b, ".Ss prog list show\n"));
        sw_buf_clear(&b);
        fails(cli_add_man(&b, &test_program, "prog-none", 0), SW_E_NOT_FOUND, "prog-none");
        fails(cli_add_man(&b, &test_program, "prog-secret", 0), SW_E_NOT_FOUND, "secret");
        fails(cli_add_man(&b, &test_program, "prog-list show", 0), SW_E_NOT_FOUND, "show");
        fails(cli_add_man(&b, &test_program, "other", 0), SW_E_NOT_FOUND, "other");
}
END_TEST

START_TEST(man_page_of_the_program)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(cli_add_man(&b, &test_program, "prog", 0));
        ck_assert(has(&b, ".It Cm list\nList things.\nSee\n.Xr prog-list 1 .\n"));
        ck_assert(has(&b, ".It Ev TEST_CONFIG\nThe file.\n"));
        ck_assert(!has(&b, "secret"));
        ck_assert(!has(&b, "store prune"));
}
END_TEST

START_TEST(completion_has_every_word)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        cli_add_bash(&b, &test_program);
        ck_assert(has(&b, "subs='build list store'"));
        ck_assert(has(&b, "        'store')\n                subs='prune'\n"));
        ck_assert(has(&b, "'build --progress') _prog_reply words 'auto plain' ;;"));
        ck_assert(has(&b, "'build --output'|'build -o') _prog_reply none ;;"));
        ck_assert(has(&b, "*' --config') _prog_reply files -f ;;"));
        ck_assert(has(&b, "'build 0') _prog_reply files -d ;;"));
        ck_assert(has(&b, "'list show '*) _prog_reply none ;;"));
        ck_assert(has(&b, "complete -F _prog prog\n"));
        ck_assert(has(&b, "\"${dirs[@]}\""));
        ck_assert(!has(&b, "secret"));
}
END_TEST

UNIT_MAIN("docs", usage_shows_arguments, help_of_the_program, help_of_a_verb,
          help_of_long_flags, man_page_of_a_verb, man_page_covers_what_lies_below,
          man_page_of_the_program, completion_has_every_word)
