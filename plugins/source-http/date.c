/*
 * plugins/source-http/date.c - dates of HTTP, whatever the locale.
 *
 *      Sun, 06 Nov 1994 08:49:37 GMT     what is written today
 *      Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *      Sun Nov  6 08:49:37 1994          asctime()
 */
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

/* Up to @most digits; a date that is one short may have a space before it. */
static bool
take_number(const char **s, size_t most, int *out)
{
        size_t n = 0;

        *out = 0;
        if (most == 2 && **s == ' ')
                (*s)++;
        for (; n < most && (*s)[n] >= '0' && (*s)[n] <= '9'; n++)
                *out = 10 * *out + (*s)[n] - '0';
        *s += n;
        return n > 0;
}

static bool
take_letters(const char **s, char out[10])
{
        size_t n = 0;

        for (; n < 9 && (((*s)[n] | 0x20) >= 'a' && ((*s)[n] | 0x20) <= 'z'); n++)
                out[n] = (*s)[n];
        out[n] = '\0';
        *s += n;
        return n >= 3;
}

/* A letter of @form stands for a part, anything else for itself. */
static bool
take_form(const char *s, const char *form, struct tm *tm, char month[10], int *year)
{
        char day[10];
        bool good = true;

        for (; *form && good; form++) {
                switch (*form) {
                case 'W': good = take_letters(&s, day); break;
                case 'M': good = take_letters(&s, month); break;
                case 'D': good = take_number(&s, 2, &tm->tm_mday); break;
                case 'Y': good = take_number(&s, 4, year); break;
                case 'y':
                        good = take_number(&s, 2, year);
                        *year += *year < 69 ? 2000 : 1900;
                        break;
                case 'h': good = take_number(&s, 2, &tm->tm_hour); break;
                case 'm': good = take_number(&s, 2, &tm->tm_min); break;
                case 's': good = take_number(&s, 2, &tm->tm_sec); break;
                case 'Z':
                        good = strncmp(s, "GMT", 3) == 0;
                        s += good ? 3 : 0;
                        break;
                default: good = *s++ == *form; break;
                }
        }
        return good && *s == '\0';
}

bool
date_parse(const char *s, int64_t *out)
{
        static const char *const forms[] = {
                "W, D M Y h:m:s Z",
                "W, D-M-y h:m:s Z",
                "W M D h:m:s Y",
        };

        if (strnlen(s, 41) > 40)
                return false;
        for (size_t i = 0; i < SW_COUNT(forms); i++) {
                struct tm tm = { .tm_isdst = 0 };
                char month[10];
                int year = 0;

                if (!take_form(s, forms[i], &tm, month, &year))
                        continue;
                if (year < 1 || strlen(month) != 3)
                        return false;
                tm.tm_year = year - 1900;
                return make(&tm, month, out);
        }
        return false;
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
