/*
 * plugins/source-http/date.c - dates of HTTP, whatever the locale.
 *
 *      Sun, 06 Nov 1994 08:49:37 GMT     what is written today
 *      Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *      Sun Nov  6 08:49:37 1994          asctime()
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugins/source-http/name.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

static int
find_month(const char *s)
{
        for (int i = 0; i < 12; i++)
                if (strncmp(s, months + 3 * i, 3) == 0)
                        return i;
        return -1;
}

static bool
make(struct tm *tm, const char *month, int64_t *out)
{
        tm->tm_mon = find_month(month);
        if (tm->tm_mon < 0 || tm->tm_mday < 1 || tm->tm_mday > 31 || tm->tm_hour > 23 ||
            tm->tm_min > 59 || tm->tm_sec > 60)
                return false;
        const int day = tm->tm_mday;
        *out = (int64_t) timegm(tm);
        return tm->tm_mday == day; /* else it was the 31st of a shorter month */
}

bool
date_parse(const char *s, int64_t *out)
{
        struct tm tm = { .tm_isdst = 0 };
        char month[4] = "";
        int year = 0, end = -1;

        if (strlen(s) > 40)
                return false;
        (void) sscanf(s, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday,
                      month, &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end);
        if (end < 0) {
                (void) sscanf(s, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n",
                              &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
                              &tm.tm_sec, &end);
                year += year < 69 ? 2000 : 1900;
        }
        if (end < 0)
                (void) sscanf(s, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month,
                              &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &year,
                              &end);
        if (end < 0 || s[end] != '\0' || year < 1 || strlen(month) != 3 || tm.tm_hour < 0 ||
            tm.tm_min < 0 || tm.tm_sec < 0)
                return false;
        tm.tm_year = year - 1900;
        return make(&tm, month, out);
}

void
date_add(sw_buf *b, int64_t seconds)
{
        const time_t t = (time_t) seconds;
        struct tm tm;

        if (!gmtime_r(&t, &tm))
                return;
        sw_buf_addf(b, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
                    tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour,
                    tm.tm_min, tm.tm_sec);
}
