/*
 * Platforms: parsing and spelling.
 *
 * Catches: two spellings of a platform that do not become one, strings that are taken for a
 * platform though they are none.
 */
#include <time.h>

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/platform.h>

#include "tests/unit/unit.h"

static const struct {
        const char *in, *out;
} good[] = {
        { "linux/amd64", "linux/amd64" },
        { "LINUX/x86_64", "linux/amd64" },
        { "linux/x86-64/v1", "linux/amd64" },
        { "linux/amd64/v2", "linux/amd64/v2" },
        { "linux/aarch64", "linux/arm64" },
        { "linux/arm64/v8", "linux/arm64" },
        { "linux/arm64/v9", "linux/arm64/v9" },
        { "linux/arm", "linux/arm/v7" },
        { "linux/armhf", "linux/arm/v7" },
        { "linux/armel", "linux/arm/v6" },
        { "linux/arm/6", "linux/arm/v6" },
        { "linux/i386", "linux/386" },
        { "macos/arm64", "darwin/arm64" },
        { "windows(10.0.17763)/amd64", "windows/amd64" },
        { "weird/thing/x", "weird/thing/x" },
};

START_TEST(parsed)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_auto(sw_str) s = NULL;

        ok(sw_platform_parse(good[_i].in, &p));
        s = sw_platform_str(p);
        ck_assert_str_eq(s, good[_i].out);
}
END_TEST

START_TEST(one_part)
{
        sw_autoptr(sw_platform) os = NULL;
        sw_autoptr(sw_platform) arch = NULL;

        ok(sw_platform_parse("windows", &os));
        ck_assert_str_eq(os->os, "windows");
        ck_assert_str_eq(os->arch, sw_platform_host()->arch);
        ok(sw_platform_parse("riscv64", &arch));
        ck_assert_str_eq(arch->os, sw_platform_host()->os);
        ck_assert_str_eq(arch->arch, "riscv64");
}
END_TEST

START_TEST(version_and_features)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_autoptr(sw_platform) copy = NULL;

        ok(sw_platform_parse("windows(10.0.1+win32k+abc+win32k)/amd64", &p));
        ck_assert_str_eq(p->os_version, "10.0.1");
        ck_assert_str_eq(p->os_features[0], "abc");
        ck_assert_str_eq(p->os_features[1], "win32k");
        ck_assert_ptr_null(p->os_features[2]);
        copy = sw_platform_copy(p);
        ck_assert_str_eq(copy->os_features[1], "win32k");
        ck_assert_ptr_ne(copy->os_features[1], p->os_features[1]);
        ck_assert_ptr_null(sw_platform_copy(NULL));
}
END_TEST

static const char *const bad[] = {
        "",           "/",          "linux/",       "/amd64",        "linux//v7",
        "linux/*",    "a/b/c/d",    "nosuchthing",  "linux/a b",     "windows(1",
        "windows)/x", "win(a b)/x", "linux(1+)x/y", "li\nnux/amd64", "(1)/amd64",
};

START_TEST(refused)
{
        sw_platform *p;

        fails(sw_platform_parse(bad[_i], &p), SW_E_INVALID, "platform");
}
END_TEST

START_TEST(too_long)
{
        char s[1000] = "linux/";
        sw_platform *p;

        memset(s + 6, 'a', sizeof(s) - 7);
        fails(sw_platform_parse(s, &p), SW_E_INVALID, "too long");
}
END_TEST

/* Catches: sorting in time by the square; a definition may bring a million of them. */
START_TEST(many_features)
{
        enum { N = 200000 };
        char **list = (char **) sw_alloc_array(N + 2, sizeof(*list));
        clock_t start;

        for (size_t i = 0; i < N; i++)
                list[i] = sw_asprintf("f%06zu", N - 1 - i);
        list[N] = sw_strdup("f000007"); /* twice */
        start = clock();
        sw_autoptr(sw_platform) p = sw_platform_normalize(
                &(sw_platform){ .os = "linux",
                                .arch = "amd64",
                                .os_features = (const char *const *) list });
        ck_assert_int_lt(clock() - start, 2 * CLOCKS_PER_SEC);
        for (size_t i = 0; i < N; i++)
                ck_assert_str_eq(p->os_features[i], list[N - 1 - i]);
        ck_assert_ptr_null(p->os_features[N]);
        for (size_t i = 0; i <= N; i++)
                free(list[i]);
        free(list);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("platform");
        TCase *t = tcase_create("platform");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, parsed, 0, SW_COUNT(good));
        tcase_add_loop_test(t, refused, 0, SW_COUNT(bad));
        tcase_add_test(t, one_part);
        tcase_add_test(t, version_and_features);
        tcase_add_test(t, too_long);
        tcase_add_test(t, many_features);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
