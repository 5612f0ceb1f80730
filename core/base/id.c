/*
 * core/base/id.c - random identifiers.
 *
 * Thread: any, no state. 25 digits of base 36 are 129 bits: two ids are never equal.
 */
#include <string.h>

#include <slipway/id.h>

#include "core/base/random.h"
#include "core/base/utf8.h"

enum { ID_CHECK_MAX = 128 };

const char *
sw_id_new(char out[SW_ID_SIZE])
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
        unsigned char pool[32];
        size_t have = 0, n = 0;

        while (n < SW_ID_LEN) {
                unsigned char byte;

                if (have == 0) {
                        sw__random(pool, sizeof(pool));
                        have = sizeof(pool);
                }
                byte = pool[--have];
                if (byte < 252) /* 7 x 36: the four above would favour 0 to 3 */
                        out[n++] = digits[byte % 36];
        }
        out[n] = '\0';
        return out;
}

static bool
is_id_char(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '.' || c == '-';
}

sw_err *
sw_id_check(const char *what, const char *s)
{
        size_t n = 0;

        while (n <= ID_CHECK_MAX && is_id_char(s[n]))
                n++;
        if (n > 0 && n <= ID_CHECK_MAX && s[n] == '\0' && s[0] != '.' && s[0] != '-')
                return SW_OK;

        sw_auto(sw_str) text = sw__shown(s, strnlen(s, 2 * ID_CHECK_MAX));
        return sw_err_new(SW_E_INVALID,
                          "%s %s: not 1 to %d characters of A-Z a-z 0-9 _ . - that start "
                          "with a letter, a digit or _",
                          what, text, ID_CHECK_MAX);
}
