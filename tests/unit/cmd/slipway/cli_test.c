/*
 * tests/unit/cmd/slipway/cli_test.c - parser of the command line, check of the tables.
 *
 * Would catch: a form of flag that is not understood, a value taken for a flag or the
 * other way round, a mistake that passes or is told without the word that is wrong.
 */
#include "tests/unit/unit.h"
#include "tests/unit/cmd/slipway/program.h"

/* Parse "prog WORDS…". */
#define parse(call, ...)                                                                   \
        ({                                                                                 \
                static const char *const argv_[] = { "prog", __VA_ARGS__ };                \
                cli_parse(&test_program, SW_COUNT(argv_), argv_, (call));                  \
        })

#define refuses(part, ...)                                                                 \
        do {                                                                               \
                struct cli_call c_ = CLI_CALL_INIT;                                        \
                sw_err *e_ = parse(&c_, __VA_ARGS__);                                      \
                if (!e_)                                                                   \
                        e_ = cli_check_args(&c_);                                          \
                fails(e_, SW_E_USAGE, part);                                               \
                cli_call_release(&c_);                                                     \
        } while (0)

START_TEST(nothing_at_all)
{
        struct cli_call call = CLI_CALL_INIT;

        ok(cli_parse(&test_program, 0, NULL, &call));
        ck_assert_ptr_null(call.verb);
        cli_call_release(&call);
}
END_TEST

START_TEST(long_flags)
{
        struct cli_call call = CLI_CALL_INIT;
        sw_auto(sw_strlist) outputs = { 0 };

        ok(parse(&call, "build", "--output", "a=b", "--output=c", "--progress=plain",
                 "--jobs", "7", "--quiet", "dir"));
        ck_assert_str_eq(call.verb->name, "build");
        cli_list(&call, "output", &outputs);
        ck_assert_uint_eq(outputs.n, 2);
        ck_assert_str_eq(outputs.v[0], "a=b");
        ck_assert_str_eq(outputs.v[1], "c");
        ck_assert_str_eq(cli_str(&call, "progress"), "plain");
        ck_assert_str_eq(cli_str(&call, "jobs"), "7");
        ck_assert(cli_bool(&call, "quiet"));
        ck_assert(!cli_bool(&call, "debug"));
        ck_assert_str_eq(cli_argument(&call, 0), "dir");
        ck_assert_ptr_null(cli_argument(&call, 1));
        cli_call_release(&call);
}
END_TEST

START_TEST(short_flags)
{
        struct cli_call call = CLI_CALL_INIT;
        sw_auto(sw_strlist) outputs = { 0 };

        ok(parse(&call, "build", "-qo", "one", "-otwo", "-o=three", "-hj3", "dir"));
        cli_list(&call, "output", &outputs);
        ck_assert_uint_eq(outputs.n, 3);
        ck_assert_str_eq(outputs.v[0], "one");
        ck_assert_str_eq(outputs.v[1], "two");
        ck_assert_str_eq(outputs.v[2], "three");
        ck_assert(cli_bool(&call, "quiet"));
        ck_assert(cli_bool(&call, "help"));
        ck_assert_str_eq(cli_str(&call, "jobs"), "3");
        cli_call_release(&call);
}
END_TEST

START_TEST(switches_with_values)
{
        struct cli_call call = CLI_CALL_INIT;

        ok(parse(&call, "list", "--json=true", "--json=false", "--debug=1"));
        ck_assert(cli_given(&call, "json"));
        ck_assert(!cli_bool(&call, "json")); /* the last one counts */
        ck_assert(cli_bool(&call, "debug"));
        cli_call_release(&call);
}
END_TEST

/* A value may look like a flag; "--" ends flags and verbs; "-" is an argument. */
START_TEST(words_that_look_like_flags)
{
        struct cli_call call = CLI_CALL_INIT, after = CLI_CALL_INIT;

        ok(parse(&call, "--config", "--debug", "build", "-", "--quiet", "--", "--quiet"));
        ck_assert_str_eq(cli_str(&call, "config"), "--debug");
        ck_assert(!cli_bool(&call, "debug"));
        ck_assert_uint_eq(call.args.n, 2);
        ck_assert_str_eq(cli_argument(&call, 0), "-");
        ck_assert_str_eq(cli_argument(&call, 1), "--quiet");
        cli_call_release(&call);

        ok(parse(&after, "list", "show", "--", "show", "--"));
        ck_assert_str_eq(after.verb->name, "list show");
        ck_assert_uint_eq(after.args.n, 2);
        cli_call_release(&after);
}
END_TEST

START_TEST(nested_verbs)
{
        struct cli_call call = CLI_CALL_INIT, other = CLI_CALL_INIT, group = CLI_CALL_INIT;

        ok(parse(&call, "--debug", "list", "--config", "f", "show", "list"));
        ck_assert_str_eq(call.verb->name, "list show");
        ck_assert_str_eq(cli_argument(&call, 0), "list");
        cli_call_release(&call);

        ok(parse(&other, "list"));
        ck_assert_str_eq(other.verb->name, "list");
        cli_call_release(&other);

        ok(parse(&group, "store"));
        ck_assert_ptr_null(group.verb->run);
        cli_call_release(&group);
}
END_TEST

START_TEST(wrong_flags)
{
        refuses("unknown flag --jsno; did you mean --json?", "list", "--jsno");
        refuses("unknown flag --jsno; did you mean --json?", "list", "--jsno=1");
        refuses("unknown flag --zzzzzzzz", "list", "--zzzzzzzz");
        refuses("unknown flag -x", "list", "-x");
        refuses("unknown flag -json; did you mean --json?", "list", "-json");
        refuses("unknown flag --output", "--output", "a", "build", "d");
        refuses("--json is not a flag of list show", "list", "--json", "show", "a");
        refuses("--config needs a value: --config FILE", "list", "--config");
        refuses("--jobs needs a value: --jobs N", "build", "d", "-j");
        refuses("--config: the value is empty", "list", "--config=");
        refuses("--config: the value is empty", "list", "--config", "");
        refuses("--json: the value is empty; give true or false", "list", "--json=");
        refuses("--json: \"maybe\" is not true or false", "list", "--json=maybe");
        refuses("--progress: \"tty\" is not one of auto, plain", "build", "--progress=tty");
}
END_TEST

START_TEST(wrong_words)
{
        refuses("unknown command biuld; did you mean build?", "biuld");
        refuses("unknown command zzz; 'prog --help' lists them", "zzz");
        refuses("unknown command zzz; 'prog store --help' lists them", "store", "zzz");
        refuses("unknown command prnue; did you mean prune?", "store", "prnue");
        refuses("unknown command shwo; did you mean show?", "list", "shwo");
        refuses("unexpected argument zzz", "list", "zzz");
        refuses("unknown command \"\"", "");
        refuses("a command must come before --", "--", "build");
        refuses("DIR is missing: the context", "build");
        refuses("NAME is missing: what to show", "list", "show");
        refuses("unexpected argument four", "build", "one", "two", "three", "four");
        refuses("argument 2 is empty", "build", "one", "");
        /* A hidden verb is run when asked for, and never suggested. */
        refuses("unknown command secrt; 'prog", "secrt");
}
END_TEST

/* What cannot be shown as it is reaches a message quoted, cut, and on one line. */
START_TEST(hostile_words)
{
        static char longword[5000];
        const char *argv[] = { "prog", longword };
        struct cli_call call = CLI_CALL_INIT;

        refuses("unknown flag \"--a\\x1b[31m\"", "list", "--a\033[31m");
        refuses("unknown command \"a\\x0ab\"", "a\nb");
        memset(longword, 'a', sizeof(longword) - 1);
        sw_err *err = cli_parse(&test_program, 2, argv, &call);
        ck_assert_int_eq(sw_err_code(err), SW_E_USAGE);
        ck_assert_uint_lt(strlen(sw_err_message(err)), 200);
        sw_err_free(err);
        cli_call_release(&call);
}
END_TEST

START_TEST(help_is_known_before_a_mistake)
{
        struct cli_call call = CLI_CALL_INIT;
        sw_err *err = parse(&call, "build", "--help", "--wrong");

        fails(err, SW_E_USAGE, "--wrong");
        ck_assert(cli_bool(&call, "help"));
        ck_assert_str_eq(call.verb->name, "build");
        cli_call_release(&call);
}
END_TEST

/* ---- tables ---- */

/* Check a program that has only @verb besides a group "list". */
static sw_err *
check_verb(const struct cli_verb *verb)
{
        const struct cli_verb *verbs[] = { &list_verb, verb };
        struct cli_program p = test_program;

        p.verbs = verbs;
        p.n_verbs = 2;
        return cli_check_tables(&p);
}

START_TEST(good_tables)
{
        ok(cli_check_tables(&test_program));
}
END_TEST

START_TEST(bad_verbs)
{
        struct cli_verb v = list_show_verb;

        ok(check_verb(&v));
        fails(check_verb(&list_verb), SW_E_INTERNAL, "list: there are two");
        v.name = "lost show";
        fails(check_verb(&v), SW_E_INTERNAL, "nothing is called lost");
        v.name = "list Show";
        fails(check_verb(&v), SW_E_INTERNAL, "bad name");
        v = list_show_verb;
        v.summary = "ends in a stop.";
        fails(check_verb(&v), SW_E_INTERNAL, "summary");
}
END_TEST

START_TEST(bad_flags)
{
        struct cli_flag flags[] = { { .name = "one", .letter = 'o', .help = "h" },
                                    { .name = "two", .letter = 't', .help = "h" },
                                    { .name = NULL } };
        struct cli_verb v = {
                .name = "v", .summary = "s", .flags = flags, .run = run_nothing
        };

        ok(check_verb(&v));
        flags[1].letter = 'o';
        fails(check_verb(&v), SW_E_INTERNAL, "--one clashes with --two");
        flags[1].letter = 'h'; /* the program's own --help */
        fails(check_verb(&v), SW_E_INTERNAL, "--two clashes with --help");
        flags[1].letter = 0;
        flags[1].name = "debug";
        fails(check_verb(&v), SW_E_INTERNAL, "--debug clashes with --debug");
        flags[1].name = "Two";
        fails(check_verb(&v), SW_E_INTERNAL, "bad name");
        flags[1].name = "two";
        flags[1].help = "";
        fails(check_verb(&v), SW_E_INTERNAL, "help");
        flags[1].help = "h";
        flags[1].value = "FILE"; /* a switch has no value */
        fails(check_verb(&v), SW_E_INTERNAL, "placeholder and type disagree");
        flags[1].type = CLI_STRING;
        ok(check_verb(&v));
        flags[1].value = "it's";
        fails(check_verb(&v), SW_E_INTERNAL, "bad placeholder");
        v.name = "list v";
        flags[1] = (struct cli_flag){
                .name = "json", .type = CLI_STRING, .value = "N", .help = "h"
        };
        fails(check_verb(&v), SW_E_INTERNAL, "another type in list");
}
END_TEST

START_TEST(bad_args)
{
        struct cli_arg args[] = { { .name = "A", .min = 0, .max = 1, .help = "h" },
                                  { .name = "B", .min = 1, .max = 1, .help = "h" },
                                  { .name = NULL } };
        struct cli_verb v = {
                .name = "v", .summary = "s", .args = args, .run = run_nothing
        };

        fails(check_verb(&v), SW_E_INTERNAL, "argument B: counts");
        args[0].min = 1;
        ok(check_verb(&v));
        args[0].max = CLI_MANY;
        fails(check_verb(&v), SW_E_INTERNAL, "argument A is not the last");
        args[0].max = 0;
        fails(check_verb(&v), SW_E_INTERNAL, "argument A: counts");
}
END_TEST

UNIT_MAIN("cli", nothing_at_all, long_flags, short_flags, switches_with_values,
          words_that_look_like_flags, nested_verbs, wrong_flags, wrong_words, hostile_words,
          help_is_known_before_a_mistake, good_tables, bad_verbs, bad_flags, bad_args)
