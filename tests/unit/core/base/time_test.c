/* Unit tests of core/base/time.c. */
#include <slipway/time.h>

#include "tests/unit/unit.h"

#define US   INT64_C(1000)
#define MS   INT64_C(1000000)
#define SEC  SW_NS_PER_SEC
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)

/* Would catch a clock that stands, runs backwards or counts in other units. */
START_TEST(clocks_run)
{
        int64_t mono = sw_time_mono(), wall = sw_time_now();

        ck_assert_int_gt(wall, INT64_C(1700000000) * SEC);
        ck_assert_int_gt(mono, 0);
        for (int i = 0; i < 1000; i++) {
                int64_t now = sw_time_mono();

                ck_assert_int_ge(now, mono);
                mono = now;
        }
}
END_TEST

static const struct {
        struct timespec ts;
        int64_t ns;
        bool nearest; /* more than int64_t holds: it does not come back */
} specs[] = {
        { { 0, 0 }, 0, false },
        { { 1, 5 }, SEC + 5, false },
        { { -1, 999999999 }, -1, false },
        { { -1, 0 }, -SEC, false },
        { { -2, 500000000 }, -3 * SEC / 2, false },
        { { 9223372036, 854775807 }, INT64_MAX, false },
        { { 9223372036, 854775808 }, INT64_MAX, true },
        { { 9223372037, 0 }, INT64_MAX, true },
        { { INT64_MAX, 999999999 }, INT64_MAX, true },
        { { -9223372037, 145224193 }, INT64_MIN + 1, false },
        { { -9223372037, 145224192 }, INT64_MIN, false },
        { { -9223372037, 145224191 }, INT64_MIN, true },
        { { -9223372038, 0 }, INT64_MIN, true },
        { { INT64_MIN, 0 }, INT64_MIN, true },
};

/* Would catch times before 1970 that are rounded the wrong way, and file times of the years
 * that int64_t does not reach: they overflow. */
START_TEST(specs_both_ways)
{
        for (size_t i = 0; i < SW_COUNT(specs); i++) {
                struct timespec back = sw_time_to_spec(specs[i].ns);

                ck_assert_int_eq(sw_time_from_spec(&specs[i].ts), specs[i].ns);
                ck_assert_int_eq(sw_time_from_spec(&back), specs[i].ns);
                ck_assert_int_ge(back.tv_nsec, 0);
                ck_assert_int_lt(back.tv_nsec, SEC);
                if (!specs[i].nearest) {
                        ck_assert_int_eq(back.tv_sec, specs[i].ts.tv_sec);
                        ck_assert_int_eq(back.tv_nsec, specs[i].ts.tv_nsec);
                }
        }
}
END_TEST

static const struct {
        const char *text;
        int64_t ns;
        const char *canonical; /* NULL: text */
} times[] = {
        { "1970-01-01T00:00:00Z", 0, NULL },
        { "1970-01-01T00:00:00.000000001Z", 1, NULL },
        { "1969-12-31T23:59:59.999999999Z", -1, NULL },
        { "1969-12-31T23:59:59Z", -SEC, NULL },
        { "1969-12-31T23:59:58.5Z", -3 * SEC / 2, NULL },
        { "2026-11-21T08:30:00.25Z", INT64_C(1795249800) * SEC + 250 * MS, NULL },
        { "2026-11-21T08:30:00.250000000Z", INT64_C(1795249800) * SEC + 250 * MS,
          "2026-11-21T08:30:00.25Z" },
        { "2000-02-29T12:00:00Z", INT64_C(951825600) * SEC, NULL },
        { "1980-01-01T00:00:00Z", INT64_C(315532800) * SEC, NULL },
        { "2106-02-07T06:28:16Z", (INT64_C(1) << 32) * SEC, NULL },
        { "1900-02-28T23:59:59Z", INT64_C(-2203891201) * SEC, NULL },
        /* offsets */
        { "1970-01-01T01:30:00+01:30", 0, "1970-01-01T00:00:00Z" },
        { "1969-12-31T16:00:00-08:00", 0, "1970-01-01T00:00:00Z" },
        { "1970-01-01T00:00:00+00:00", 0, "1970-01-01T00:00:00Z" },
        { "1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00Z" },
        { "1970-01-01T23:59:00.5+23:59", 500 * MS, "1970-01-01T00:00:00.5Z" },
        { "1969-12-31T23:59:59.75-00:01", 59 * SEC + 750 * MS, "1970-01-01T00:00:59.75Z" },
        { "1969-12-31T23:59:59.75+00:01", -60 * SEC - 250 * MS, "1969-12-31T23:58:59.75Z" },
        /* digits after the ninth */
        { "1970-01-01T00:00:00.1234567899Z", 123456789, "1970-01-01T00:00:00.123456789Z" },
        { "1970-01-01T00:00:00.000000000999999999999999999999Z", 0,
          "1970-01-01T00:00:00Z" },
        /* leap seconds */
        { "2016-12-31T23:59:60Z", INT64_C(1483228800) * SEC - 1,
          "2016-12-31T23:59:59.999999999Z" },
        { "2017-01-01T05:29:60.5+05:30", INT64_C(1483228800) * SEC - 1,
          "2016-12-31T23:59:59.999999999Z" },
        /* the ends of what int64 holds */
        { "2262-04-11T23:47:16.854775807Z", INT64_MAX, NULL },
        { "1677-09-21T00:12:43.145224192Z", INT64_MIN, NULL },
        { "1677-09-21T00:12:44Z", INT64_MIN + 854775808, NULL },
};

/* Would catch wrong days, wrong signs before 1970, offsets added instead of subtracted,
 * and fractions with zeros at their end. */
START_TEST(times_parse_and_print)
{
        for (size_t i = 0; i < SW_COUNT(times); i++) {
                const char *canonical =
                        times[i].canonical ? times[i].canonical : times[i].text;
                char text[SW_TIME_STR_SIZE];
                int64_t ns;

                ok(sw_time_parse(times[i].text, &ns));
                ck_assert_msg(ns == times[i].ns, "%s: %lld", times[i].text, (long long) ns);
                ck_assert_str_eq(sw_time_str(ns, text), canonical);
        }
}
END_TEST

/* Would catch every laxness that makes two programs read one time differently. */
START_TEST(times_are_strict)
{
        static const char *const bad[] = {
                "",
                "now",
                "2026-11-21",
                "2026-11-21T08:30Z",
                "2026-11-21T08:30:00",
                "2026-11-21 08:30:00Z",
                "2026-11-21t08:30:00z",
                "2026-11-21T08:30:00z",
                "2026-11-21T8:30:00Z",
                "2026-1-21T08:30:00Z",
                "26-11-21T08:30:00Z",
                "+2026-11-21T08:30:00Z",
                "-026-11-21T08:30:00Z",
                "12026-11-21T08:30:00Z",
                "2026-00-21T08:30:00Z",
                "2026-13-21T08:30:00Z",
                "2026-11-00T08:30:00Z",
                "2026-11-31T08:30:00Z",
                "2026-02-29T08:30:00Z",
                "1900-02-29T08:30:00Z",
                "2026-11-21T24:00:00Z",
                "2026-11-21T08:60:00Z",
                "2026-11-21T08:30:61Z",
                "2026-11-21T08:30:60Z",
                "2016-12-31T23:59:60+01:00",
                "2026-11-21T08:30:00.Z",
                "2026-11-21T08:30:00,5Z",
                "2026-11-21T08:30:00.5",
                "2026-11-21T08:30:00+0100",
                "2026-11-21T08:30:00+01",
                "2026-11-21T08:30:00+24:00",
                "2026-11-21T08:30:00+01:60",
                "2026-11-21T08:30:00 Z",
                " 2026-11-21T08:30:00Z",
                "2026-11-21T08:30:00Z ",
                "2026-11-21T08:30:00ZZ",
                "2026-11-21T08:30:00Z\n",
                "2026-11-21T08:30:0\xd9\xa0Z",
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                int64_t ns = 77;

                fails(sw_time_parse(bad[i], &ns), SW_E_INVALID, "RFC 3339");
                ck_assert_int_eq(ns, 77);
        }
}
END_TEST

/* Would catch an overflow at the ends, and Go's zero time taken for nonsense. */
START_TEST(times_out_of_range_are_told_apart)
{
        static const char *const far[] = {
                "0001-01-01T00:00:00Z",           "0000-01-01T00:00:00Z",
                "9999-12-31T23:59:59.999999999Z", "2262-04-11T23:47:16.854775808Z",
                "2262-04-11T23:47:17Z",           "1677-09-21T00:12:43.145224191Z",
                "1677-09-21T00:12:43Z",           "2262-04-11T23:47:16.9-00:00",
        };

        for (size_t i = 0; i < SW_COUNT(far); i++) {
                int64_t ns;

                fails(sw_time_parse(far[i], &ns), SW_E_LIMIT, far[i]);
        }
}
END_TEST

/* Would catch a printed time that does not parse to itself, anywhere in the range. */
START_TEST(times_round_trip)
{
        uint64_t random = 88172645463325252u; /* xorshift, the same each time */

        for (int i = 0; i < 20000; i++) {
                char text[SW_TIME_STR_SIZE];
                int64_t ns;

                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                ok(sw_time_parse(sw_time_str((int64_t) random, text), &ns));
                ck_assert_int_eq(ns, (int64_t) random);
        }
}
END_TEST

/* What Go 1.22's time.ParseDuration gives, and bare integers. */
static const struct {
        const char *text;
        int64_t ns;
} durations[] = {
        { "0", 0 },
        { "+0", 0 },
        { "-0", 0 },
        { "5s", 5 * SEC },
        { "30s", 30 * SEC },
        { "1478s", 1478 * SEC },
        { "-5s", -5 * SEC },
        { "+5s", 5 * SEC },
        { "5.0s", 5 * SEC },
        { "5.6s", 5 * SEC + 600 * MS },
        { "5.s", 5 * SEC },
        { ".5s", 500 * MS },
        { "1.0s", SEC },
        { "1.00s", SEC },
        { "1.004s", SEC + 4 * MS },
        { "1.0040s", SEC + 4 * MS },
        { "100.00100s", 100 * SEC + MS },
        { "10ns", 10 },
        { "11us", 11 * US },
        { "12\xc2\xb5s", 12 * US },
        { "12\xce\xbcs", 12 * US },
        { "13ms", 13 * MS },
        { "14s", 14 * SEC },
        { "15m", 15 * MIN },
        { "16h", 16 * HOUR },
        { "3h30m", 3 * HOUR + 30 * MIN },
        { "10.5s4m", 4 * MIN + 10 * SEC + 500 * MS },
        { "-2m3.4s", -(2 * MIN + 3 * SEC + 400 * MS) },
        { "1h2m3s4ms5us6ns", HOUR + 2 * MIN + 3 * SEC + 4 * MS + 5 * US + 6 },
        { "39h9m14.425s", 39 * HOUR + 9 * MIN + 14 * SEC + 425 * MS },
        { "52763797000ns", INT64_C(52763797000) },
        { "0.3333333333333333333h", 20 * MIN },
        { "9007199254740993ns", (INT64_C(1) << 53) + 1 },
        { "9223372036854775807ns", INT64_MAX },
        { "9223372036854775.807us", INT64_MAX },
        { "9223372036s854ms775us807ns", INT64_MAX },
        { "-9223372036854775808ns", INT64_MIN },
        { "-9223372036854775.808us", INT64_MIN },
        { "-9223372036s854ms775us808ns", INT64_MIN },
        { "-2562047h47m16.854775808s", INT64_MIN },
        { "0.100000000000000000000h", 6 * MIN },
        { "0.830103483285477580700h", 49 * MIN + 48 * SEC + 372539827 },
        { "1s1s1s", 3 * SEC },
        { "0.9ns", 0 },
        { "9223372036.854775807s", INT64_MAX },
        /* ours: bare seconds */
        { "90", 90 * SEC },
        { "-90", -90 * SEC },
        { "007", 7 * SEC },
        { "9223372036", INT64_C(9223372036) * SEC },
};

/* Would catch any difference from Go's reading. */
START_TEST(durations_parse_as_in_go)
{
        for (size_t i = 0; i < SW_COUNT(durations); i++) {
                int64_t ns;

                ok(sw_duration_parse(durations[i].text, &ns));
                ck_assert_msg(ns == durations[i].ns, "%s: %lld, not %lld",
                              durations[i].text, (long long) ns,
                              (long long) durations[i].ns);
        }
}
END_TEST

/* Would catch an overflow that wraps round, and syntax that Go refuses. */
START_TEST(bad_durations_are_refused)
{
        static const char *const bad[] = {
                "",
                "-",
                "+",
                "s",
                ".",
                "-.",
                ".s",
                "+.s",
                "1d",
                "1w",
                "\x85\x85",
                "\xff",
                "hello \xff world",
                "1 s",
                " 1s",
                "1s ",
                "1S",
                "1H",
                "3000000h",
                "9223372036854775808ns",
                "9223372036854775.808us",
                "9223372036854ms775us808ns",
                "-9223372036854775809ns",
                "99999999999999999999s",
                "9223372037",
                "-9223372037",
                "99999999999999999999",
                "1.5",
                "1h5",
                "5h1.",
                "1e3s",
                "0x1s",
                "--1s",
                "+-1s",
                "1s-1s",
                "1,5s",
                "1\xc2s",
                "1\xb5s",
                "inf",
                "2562047h48m",
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                int64_t ns = 77;

                fails(sw_duration_parse(bad[i], &ns), SW_E_INVALID, "duration");
                ck_assert_int_eq(ns, 77);
        }
}
END_TEST

/* Would catch a wrong unit, zeros at the end and lost zeros in the middle. */
START_TEST(durations_print_as_in_go)
{
        static const struct {
                const char *text;
                int64_t ns;
        } cases[] = {
                { "0s", 0 },
                { "1ns", 1 },
                { "999ns", 999 },
                { "1.1\xc2\xb5s", 1100 },
                { "999.999\xc2\xb5s", 999999 },
                { "2.2ms", 2200 * US },
                { "250ms", 250 * MS },
                { "999.999999ms", 999999999 },
                { "1s", SEC },
                { "3.3s", 3300 * MS },
                { "1.000000001s", SEC + 1 },
                { "59.9s", 59900 * MS },
                { "1m0s", MIN },
                { "4m5s", 4 * MIN + 5 * SEC },
                { "4m5.001s", 4 * MIN + 5001 * MS },
                { "1h30m0s", 90 * MIN },
                { "1h0m0s", HOUR },
                { "5h6m7.001s", 5 * HOUR + 6 * MIN + 7001 * MS },
                { "8m0.000000001s", 8 * MIN + 1 },
                { "-1.5s", -1500 * MS },
                { "-1ns", -1 },
                { "2562047h47m16.854775807s", INT64_MAX },
                { "-2562047h47m16.854775808s", INT64_MIN },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                char text[SW_TIME_STR_SIZE];
                int64_t back;

                ck_assert_str_eq(sw_duration_str(cases[i].ns, text), cases[i].text);
                ok(sw_duration_parse(text, &back));
                ck_assert_int_eq(back, cases[i].ns);
        }
}
END_TEST

UNIT_MAIN("time", clocks_run, specs_both_ways, times_parse_and_print, times_are_strict,
          times_out_of_range_are_told_apart, times_round_trip, durations_parse_as_in_go,
          bad_durations_are_refused, durations_print_as_in_go)
