/*
 * tests/unit/cmd/slipway/doctor/version_test.c - versions of runtimes and their flaws.
 *
 * Would catch: a version that is read wrong or read where there is none, a flaw told of a
 * version that has the fix, and one not told of a version that lacks it.
 */
#include <limits.h>

#include "tests/unit/unit.h"

#include "cmd/slipway/doctor/version.h"

#define reads(text, a, b, c, r, rest)                                                      \
        do {                                                                               \
                struct doctor_version v_;                                                  \
                ck_assert_msg(doctor_version_parse((text), &v_), "%s is refused", (text)); \
                ck_assert_int_eq(v_.major, (a));                                           \
                ck_assert_int_eq(v_.minor, (b));                                           \
                ck_assert_int_eq(v_.patch, (c));                                           \
                ck_assert_int_eq(v_.rc, (r));                                              \
                ck_assert_str_eq(v_.extra, (rest));                                        \
        } while (0)

START_TEST(versions)
{
        reads("1.1.12", 1, 1, 12, INT_MAX, "");
        reads("1.20", 1, 20, 0, INT_MAX, "");
        reads("1.1.5+ds1", 1, 1, 5, INT_MAX, "+ds1");
        reads("1.1.12-0ubuntu3.1", 1, 1, 12, INT_MAX, "-0ubuntu3.1");
        reads("1.4.0-rc.3", 1, 4, 0, 3, "");
        reads("1.0.0-rc95", 1, 0, 0, 95, "");
        reads("1.0.0~rc93+ds1", 1, 0, 0, 93, "+ds1");
        reads("1.2.", 1, 2, 0, INT_MAX, ".");
}
END_TEST

START_TEST(no_versions)
{
        static const char *const texts[] = { "",        "1",      "1.",   "x.1",
                                             "unknown", "v1.2.3", "-1.2", "1.2.3-rc",
                                             "1.2-rc.", "1 .2" };
        struct doctor_version v;

        for (size_t i = 0; i < SW_COUNT(texts); i++)
                ck_assert_msg(!doctor_version_parse(texts[i], &v), "%s is taken", texts[i]);
        /* More digits than any version has do not overflow. */
        ck_assert(!doctor_version_parse("99999999999999999999.1", &v));
}
END_TEST

static bool
has(const char *program, const char *version, const char *features, const char *cve)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct doctor_version v;

        ck_assert(doctor_version_parse(version, &v));
        doctor_add_flaws(&out, program, &v, features);
        return strstr(out.data, cve) != NULL;
}

START_TEST(fixed_per_series)
{
        static const char *const bad[] = { "1.0.3", "1.1.99", "1.2.7",      "1.2.0-rc.1",
                                           "1.3.0", "1.3.2",  "1.4.0-rc.1", "1.4.0-rc.2" };
        static const char *const good[] = { "1.2.8", "1.2.9", "1.3.3", "1.4.0-rc.3",
                                            "1.4.0", "1.4.1", "1.5.0", "2.0.0" };

        for (size_t i = 0; i < SW_COUNT(bad); i++)
                ck_assert_msg(has("runc", bad[i], "", "CVE-2025-52881"), "%s", bad[i]);
        for (size_t i = 0; i < SW_COUNT(good); i++)
                ck_assert_msg(!has("runc", good[i], "", "CVE"), "%s", good[i]);
}
END_TEST

START_TEST(fixed_in_one_series)
{
        ck_assert(has("runc", "1.1.11", "", "CVE-2024-21626"));
        ck_assert(has("runc", "1.0.0", "", "CVE-2024-21626"));
        ck_assert(!has("runc", "1.1.12", "", "CVE-2024-21626"));
        ck_assert(!has("runc", "1.2.0", "", "CVE-2024-21626"));
        ck_assert(has("crun", "1.19.1", "+SECCOMP +LIBKRUN", "CVE-2025-24965"));
        ck_assert(!has("crun", "1.19.1", "+SECCOMP", "CVE"));
        ck_assert(!has("crun", "1.20", "+LIBKRUN", "CVE"));
        ck_assert(!has("youki", "0.0.1", "", "CVE"));
}
END_TEST

UNIT_MAIN("version", versions, no_versions, fixed_per_series, fixed_in_one_series)
