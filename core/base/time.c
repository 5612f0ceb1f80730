/*
 * core/base/time.c - clocks, RFC 3339 times, Go's durations.
 *
 * Text comes from outside: every step of the arithmetic is checked.
 * Thread: any, no state; no time zone and no locale is looked at.
 */
#include <string.h>
#include <time.h>

#include <slipway/time.h>

#include "core/base/utf8.h"

#define NS_PER_SEC ((uint64_t) SW_NS_PER_SEC)

static int64_t
clock_ns(clockid_t clock)
{
        struct timespec ts;

        (void) clock_gettime(clock, &ts); /* fails for unknown clocks only */
        return sw_time_from_spec(&ts);
}

int64_t
sw_time_from_spec(const struct timespec *ts)
{
        int64_t seconds = ts->tv_sec, rest = ts->tv_nsec, ns;

        if (seconds < 0) { /* of one sign, so that only what is out of range overflows */
                seconds++;
                rest -= SW_NS_PER_SEC;
        }
        if (__builtin_mul_overflow(seconds, SW_NS_PER_SEC, &ns) ||
            __builtin_add_overflow(ns, rest, &ns))
                return ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
        return ns;
}

struct timespec
sw_time_to_spec(int64_t ns)
{
        int64_t seconds = ns / SW_NS_PER_SEC, rest = ns % SW_NS_PER_SEC;

        if (rest < 0) {
                rest += SW_NS_PER_SEC;
                seconds--;
        }
        return (struct timespec){ .tv_sec = (time_t) seconds, .tv_nsec = (long) rest };
}

int64_t
sw_time_now(void)
{
        return clock_ns(CLOCK_REALTIME);
}

int64_t
sw_time_mono(void)
{
        return clock_ns(CLOCK_MONOTONIC);
}

/* Append ".25" for a fraction of @digits decimal digits, without trailing zeros; nothing
 * for 0. Returns the new end of the text, which is not terminated. */
static char *
put_fraction(char *at, uint64_t fraction, int digits)
{
        if (fraction == 0)
                return at;
        while (fraction % 10 == 0) {
                fraction /= 10;
                digits--;
        }
        *at = '.';
        for (int i = digits; i > 0; i--) {
                at[i] = (char) ('0' + fraction % 10);
                fraction /= 10;
        }
        return at + digits + 1;
}

const char *
sw_time_str(int64_t ns, char out[SW_TIME_STR_SIZE])
{
        struct timespec ts = sw_time_to_spec(ns);
        struct tm tm;
        char *at = out;

        (void) gmtime_r(&ts.tv_sec, &tm);
        at += strftime(at, SW_TIME_STR_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
        at = put_fraction(at, (uint64_t) ts.tv_nsec, 9);
        *at++ = 'Z';
        *at = '\0';
        return out;
}

static bool
is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Take exactly @n digits, at least @min and at most @max in value. */
static bool
take_number(const char **s, int n, int min, int max, int *out)
{
        int value = 0;

        for (int i = 0; i < n; i++, (*s)++) {
                if (!is_digit(**s))
                        return false;
                value = value * 10 + (**s - '0');
        }
        *out = value;
        return value >= min && value <= max;
}

static bool
take_char(const char **s, char c)
{
        if (**s != c)
                return false;
        (*s)++;
        return true;
}

/* ".123" into nanoseconds; digits after the ninth are passed over. */
static bool
take_fraction(const char **s, int *ns)
{
        int unit = 100000000;

        *ns = 0;
        if (!take_char(s, '.'))
                return true;
        if (!is_digit(**s))
                return false;
        for (; is_digit(**s); (*s)++) {
                *ns += (**s - '0') * unit;
                unit /= 10;
        }
        return true;
}

/* "Z" or "+01:30" into seconds east of UTC. */
static bool
take_offset(const char **s, int *seconds)
{
        bool west = **s == '-';
        int hours, minutes;

        *seconds = 0;
        if (take_char(s, 'Z'))
                return true;
        if (!take_char(s, '+') && !take_char(s, '-'))
                return false;
        if (!take_number(s, 2, 0, 23, &hours) || !take_char(s, ':') ||
            !take_number(s, 2, 0, 59, &minutes))
                return false;
        *seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
        return true;
}

static int
days_in_month(int year, int month)
{
        static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month - 1] + (month == 2 && leap);
}

/* The parts of @s; false when it is no RFC 3339 time. */
static bool
scan_time(const char *s, struct tm *tm, int *ns, int *offset)
{
        int year, month;
        bool fine = take_number(&s, 4, 0, 9999, &year) && take_char(&s, '-') &&
                    take_number(&s, 2, 1, 12, &month) && take_char(&s, '-') &&
                    take_number(&s, 2, 1, days_in_month(year, month), &tm->tm_mday) &&
                    take_char(&s, 'T') && take_number(&s, 2, 0, 23, &tm->tm_hour) &&
                    take_char(&s, ':') && take_number(&s, 2, 0, 59, &tm->tm_min) &&
                    take_char(&s, ':') && take_number(&s, 2, 0, 60, &tm->tm_sec) &&
                    take_fraction(&s, ns) && take_offset(&s, offset);

        if (!fine || *s)
                return false;
        tm->tm_year = year - 1900;
        tm->tm_mon = month - 1;
        return true;
}

sw_err *
sw_time_parse(const char *s, int64_t *out)
{
        struct tm tm = { 0 };
        int ns, offset;
        int64_t seconds, value;
        bool valid = scan_time(s, &tm, &ns, &offset), leap = valid && tm.tm_sec == 60;

        if (leap) { /* the last nanosecond that our count of seconds has */
                tm.tm_sec = 59;
                ns = (int) (SW_NS_PER_SEC - 1);
        }
        seconds = valid ? (int64_t) timegm(&tm) - offset : 0;
        /* Leap seconds are added at the end of a UTC day and nowhere else. */
        if (!valid || (leap && (seconds + 1) % (24 * 60 * 60) != 0)) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID,
                                  "%s is not a time like 2026-11-21T08:30:00Z (RFC 3339)",
                                  text);
        }
        /* Before 1970 the seconds are rounded down and may be one too low to multiply. */
        if (seconds < 0 && ns > 0) {
                seconds++;
                ns -= (int) SW_NS_PER_SEC;
        }
        if (__builtin_mul_overflow(seconds, SW_NS_PER_SEC, &value) ||
            __builtin_add_overflow(value, ns, &value)) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_LIMIT,
                                  "time %s is not between 1677-09-21 and 2262-04-11", text);
        }
        *out = value;
        return SW_OK;
}

/* Units of a duration in nanoseconds. Both signs for micro are in use: U+00B5, U+03BC. */
static const struct unit {
        const char *name;
        uint64_t ns;
} units[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "\xc2\xb5s", 1000 },
        { "\xce\xbcs", 1000 },
        { "ms", 1000000 },
        { "s", UINT64_C(1000000000) },
        { "m", UINT64_C(60000000000) },
        { "h", UINT64_C(3600000000000) },
};

/* Take the unit at *@s, which reaches up to the next digit or dot; 0 when unknown. */
static uint64_t
take_unit(const char **s)
{
        size_t n = strcspn(*s, ".0123456789");

        for (size_t i = 0; i < SW_COUNT(units); i++) {
                if (strlen(units[i].name) == n && memcmp(units[i].name, *s, n) == 0) {
                        *s += n;
                        return units[i].ns;
                }
        }
        return 0;
}

/* Of the magnitude: INT64_MIN has it, positive durations stay below. */
#define DURATION_LIMIT (UINT64_C(1) << 63)

/* Digits before the dot; false when they are too many. */
static bool
take_whole(const char **s, uint64_t *whole)
{
        *whole = 0;
        for (; is_digit(**s); (*s)++) {
                if (__builtin_mul_overflow(*whole, 10, whole) ||
                    __builtin_add_overflow(*whole, (uint64_t) (**s - '0'), whole) ||
                    *whole > DURATION_LIMIT)
                        return false;
        }
        return true;
}

/* Digits after the dot, as many as fit; the rest cannot matter. */
static void
take_duration_fraction(const char **s, uint64_t *fraction, double *scale)
{
        bool full = false;

        *fraction = 0;
        *scale = 1;
        for (; is_digit(**s); (*s)++) {
                uint64_t digit = (uint64_t) (**s - '0');

                full = full || *fraction > (DURATION_LIMIT - 1) / 10 ||
                       *fraction * 10 + digit > DURATION_LIMIT;
                if (full)
                        continue;
                *fraction = *fraction * 10 + digit;
                *scale *= 10;
        }
}

/* Add one "1.5h" at *@s to *@sum: false when it is none or the sum is too large. */
static bool
take_part(const char **s, uint64_t *sum)
{
        const char *begin = *s;
        uint64_t whole, fraction = 0, unit;
        double scale = 1;
        size_t digits;

        if (!take_whole(s, &whole))
                return false;
        digits = (size_t) (*s - begin);
        if (take_char(s, '.')) {
                begin = *s;
                take_duration_fraction(s, &fraction, &scale);
                digits += (size_t) (*s - begin);
        }
        unit = digits ? take_unit(s) : 0;
        if (unit == 0 || whole > DURATION_LIMIT / unit)
                return false;
        whole *= unit;
        /* In floating point because Go does it so: the last digit is to be the same. */
        whole += (uint64_t) ((double) fraction * ((double) unit / scale));
        if (whole > DURATION_LIMIT || __builtin_add_overflow(*sum, whole, sum))
                return false;
        return *sum <= DURATION_LIMIT;
}

/* The magnitude of a duration without its sign; false when it is none. */
static bool
scan_duration(const char *s, uint64_t *out)
{
        *out = 0;
        if (*s && s[strspn(s, "0123456789")] == '\0') {
                uint64_t seconds;

                return take_whole(&s, &seconds) &&
                       !__builtin_mul_overflow(seconds, NS_PER_SEC, out);
        }
        do {
                if (!take_part(&s, out))
                        return false;
        } while (*s);
        return true;
}

sw_err *
sw_duration_parse(const char *s, int64_t *out)
{
        bool negative = *s == '-';
        uint64_t magnitude;

        if (!scan_duration(*s == '-' || *s == '+' ? s + 1 : s, &magnitude) ||
            magnitude > (negative ? DURATION_LIMIT : DURATION_LIMIT - 1)) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID,
                                  "%s is not a duration like 90s, 1h30m or 250ms, or is "
                                  "longer than 292 years",
                                  text);
        }
        *out = (int64_t) (negative ? -magnitude : magnitude);
        return SW_OK;
}

static char *
put_number(char *at, uint64_t n)
{
        char digits[20];
        size_t i = sizeof(digits);

        do {
                digits[--i] = (char) ('0' + n % 10);
                n /= 10;
        } while (n);
        memcpy(at, digits + i, sizeof(digits) - i);
        return at + sizeof(digits) - i;
}

static char *
put_text(char *at, const char *s)
{
        return stpcpy(at, s);
}

/* Durations below one second: in the largest unit that keeps a digit before the dot. */
static char *
put_small_duration(char *at, uint64_t ns)
{
        const char *unit = "ns";
        uint64_t size = 1;
        int digits = 0;

        if (ns >= 1000000) {
                unit = "ms";
                size = 1000000;
                digits = 6;
        } else if (ns >= 1000) {
                unit = "\xc2\xb5s";
                size = 1000;
                digits = 3;
        }
        at = put_number(at, ns / size);
        at = put_fraction(at, ns % size, digits);
        return put_text(at, unit);
}

/* The longest is that of INT64_MIN, "-2562047h47m16.854775808s". */
const char *
sw_duration_str(int64_t ns, char out[SW_TIME_STR_SIZE])
{
        uint64_t left = ns < 0 ? -(uint64_t) ns : (uint64_t) ns;
        uint64_t seconds = left / NS_PER_SEC;
        char *at = out;

        if (ns < 0)
                *at++ = '-';
        if (seconds == 0 && left > 0) {
                at = put_small_duration(at, left);
        } else {
                if (seconds >= 3600)
                        at = put_text(put_number(at, seconds / 3600), "h");
                if (seconds >= 60)
                        at = put_text(put_number(at, seconds / 60 % 60), "m");
                at = put_number(at, seconds % 60);
                at = put_text(put_fraction(at, left % NS_PER_SEC, 9), "s");
        }
        *at = '\0';
        return out;
}
