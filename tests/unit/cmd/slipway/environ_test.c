/*
 * Unit tests of cmd/slipway/environ.c. Catch: a misspelt variable that nobody hears of;
 * warnings of what is known, set to nothing, or no business of ours; names that steer a
 * terminal.
 */
#include "cmd/slipway/environ.h"
#include "tests/unit/unit.h"

static const struct cli_env known[] = {
        { "SLIPWAY_CONFIG", "the file" },
        { "SLIPWAY_PLUGIN_PATH", "directories" },
        { "SLIPWAY_ROOT", "the root" },
        { "NO_COLOR", "no colours" },
        { NULL, NULL },
};
static const struct cli_program program = { .name = "prog", .env = known };

/* These words are said of the environment that has just @entry. */
static void
says(const char *entry, const char *want)
{
        const char *const env[] = { "PATH=/bin", entry, "HOME=/", NULL };
        sw_auto(sw_buf) out = SW_BUF_INIT;

        environ_add_unknown(&out, &program, env);
        ck_assert_str_eq(out.data, want);
}

START_TEST(names_the_nearest)
{
        says("SLIPWAY_ROTO=/x",
             "prog: warning: SLIPWAY_ROTO is set, but no variable of that name is known; "
             "did you mean SLIPWAY_ROOT?\n");
        says("SLIPWAY_PLUGINPATH=x",
             "prog: warning: SLIPWAY_PLUGINPATH is set, but no variable of that name is "
             "known; did you mean SLIPWAY_PLUGIN_PATH?\n");
        says("SLIPWAY_NO_COLOR=1",
             "prog: warning: SLIPWAY_NO_COLOR is set, but no variable of that name is "
             "known\n");
        says("SLIPWAY_=x",
             "prog: warning: SLIPWAY_ is set, but no variable of that name is known\n");
        says("SLIPWAY_\x1b[31m\n=x",
             "prog: warning: SLIPWAY_\\x1b[31m\\x0a is set, but no variable of that name "
             "is known\n");
}
END_TEST

START_TEST(is_silent_about_the_rest)
{
        says("SLIPWAY_ROOT=/x", "");
        says("SLIPWAY_ROTO=", "");
        says("SLIPWAY_ROTO", "");
        says("SLIPWAY=x", "");
        says("SLIPWAYS_ROOT=x", "");
        says("slipway_root=x", "");
        says("NO_COLOUR=1", "");
        says("SLIPWAY_MODEL_SEEDS=100", "");
}
END_TEST

START_TEST(names_each)
{
        const char *const env[] = { "SLIPWAY_A=1", "SLIPWAY_ROOT=/x", "SLIPWAY_B=1", NULL };
        sw_auto(sw_buf) out = SW_BUF_INIT;

        environ_add_unknown(&out, &program, env);
        ck_assert_str_eq(out.data, "prog: warning: SLIPWAY_A is set, but no variable of "
                                   "that name is known\n"
                                   "prog: warning: SLIPWAY_B is set, but no variable of "
                                   "that name is known\n");
}
END_TEST

UNIT_MAIN("environ", names_the_nearest, is_silent_about_the_rest, names_each)
