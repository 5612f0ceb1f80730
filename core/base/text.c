/*
 * core/base/text.c - small values from text, near names, escaping for messages.
 *
 * Everything parsed here may come from outside: values are quoted and cut in errors, and
 * arithmetic is checked. Thread: any, no state.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>

#include "core/base/mem.h"
#include "core/base/utf8.h"

enum { SHOWN_MAX = 100, NEAR_MAX = 128 };

char *
sw__shown(const char *s, size_t len)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_add_quoted(&b, s, len == SIZE_MAX ? strlen(s) : len, SHOWN_MAX);
        return sw_buf_detach(&b);
}

sw_err *
sw_parse_bool(const char *s, bool *out)
{
        static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
        static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

        for (size_t i = 0; i < SW_COUNT(yes); i++) {
                if (strcmp(s, yes[i]) == 0) {
                        *out = true;
                        return SW_OK;
                }
                if (strcmp(s, no[i]) == 0) {
                        *out = false;
                        return SW_OK;
                }
        }
        sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);
        return sw_err_new(SW_E_INVALID, "%s is neither true nor false", text);
}

static bool
is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Whether @s is a sign or none and digits; *@fits tells whether *@out could hold it. */
static bool
scan_int(const char *s, int64_t *out, bool *fits)
{
        bool negative = *s == '-';

        *out = 0;
        *fits = true;
        if (*s == '-' || *s == '+')
                s++;
        if (!is_digit(*s))
                return false;
        for (; is_digit(*s); s++) {
                int digit = negative ? '0' - *s : *s - '0';

                *fits = *fits && !__builtin_mul_overflow(*out, 10, out) &&
                        !__builtin_add_overflow(*out, digit, out);
        }
        return *s == '\0';
}

sw_err *
sw_parse_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
        bool fits;
        int64_t value;

        if (!scan_int(s, &value, &fits)) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID, "%s is not a whole number", text);
        }
        if (!fits || value < min || value > max) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID,
                                  "%s is not between %" PRId64 " and %" PRId64, text, min,
                                  max);
        }
        *out = value;
        return SW_OK;
}

/* The factor of a unit: "", b, then k m g t p each alone, with b or with ib; 0: unknown. */
static uint64_t
size_unit(const char *s)
{
        static const char letters[] = "kmgtp";
        char low[4] = { 0 };
        const char *letter;
        size_t n = strlen(s);

        if (n >= sizeof(low))
                return 0;
        for (size_t i = 0; i < n; i++)
                low[i] = (char) (s[i] >= 'A' && s[i] <= 'Z' ? s[i] + ('a' - 'A') : s[i]);
        if (n == 0 || strcmp(low, "b") == 0)
                return 1;
        letter = strchr(letters, low[0]);
        if (!letter || (low[1] && strcmp(low + 1, "b") != 0 && strcmp(low + 1, "ib") != 0))
                return 0;
        return UINT64_C(1) << (10 * (letter - letters + 1));
}

/* A decimal number with or without a fraction; NULL when there is none, otherwise what is
 * behind it. Fraction digits after the 18th cannot change a number of bytes below 2^60
 * by more than the one that truncation takes anyway. */
static const char *
scan_decimal(const char *s, uint64_t *whole, uint64_t *fraction, uint64_t *scale,
             bool *fits)
{
        size_t digits = 0;

        *whole = *fraction = 0;
        *scale = 1;
        *fits = true;
        for (; is_digit(*s); s++, digits++)
                *fits = *fits && !__builtin_mul_overflow(*whole, 10, whole) &&
                        !__builtin_add_overflow(*whole, (uint64_t) (*s - '0'), whole);
        if (*s == '.') {
                for (s++; is_digit(*s); s++, digits++) {
                        if (*scale == UINT64_C(1000000000000000000))
                                continue;
                        *fraction = *fraction * 10 + (uint64_t) (*s - '0');
                        *scale *= 10;
                }
        }
        return digits ? s : NULL;
}

sw_err *
sw_parse_size(const char *s, int64_t *out)
{
        uint64_t whole, fraction, scale, unit, bytes;
        bool fits;
        const char *rest = scan_decimal(s, &whole, &fraction, &scale, &fits);

        if (rest && rest[0] == ' ' && rest[1])
                rest++;
        unit = rest ? size_unit(rest) : 0;
        if (unit == 0) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID,
                                  "%s is not a size (a number and b, k, m, g, t or p)",
                                  text);
        }

        fits = fits && !__builtin_mul_overflow(whole, unit, &bytes) &&
               !__builtin_add_overflow(bytes,
                                       (uint64_t) ((unsigned __int128) fraction * unit /
                                                   scale),
                                       &bytes);
        if (!fits || bytes > INT64_MAX) {
                sw_auto(sw_str) text = sw__shown(s, SIZE_MAX);

                return sw_err_new(SW_E_INVALID, "%s is more than 2^63-1 bytes", text);
        }
        *out = (int64_t) bytes;
        return SW_OK;
}

const char *
sw_size_str(int64_t bytes, char out[32])
{
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        uint64_t size = bytes < 0 ? -(uint64_t) bytes : (uint64_t) bytes, unit = 1;
        const char *sign = bytes < 0 ? "-" : "";
        size_t i = 0;

        while (i + 1 < SW_COUNT(units) && size / unit >= 1000) {
                unit *= 1000;
                i++;
        }
        if (i == 0)
                (void) snprintf(out, 32, "%s%uB", sign, (unsigned) size);
        else
                (void) snprintf(out, 32, "%s%.2f%s", sign, (double) size / (double) unit,
                                units[i]);
        return out;
}

static size_t
least(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Edits that make a into b: insert, remove, replace, swap neighbours (each place edited
 * once). Both are at most NEAR_MAX bytes. */
static size_t
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
        unsigned char rows[3][NEAR_MAX + 1];
        unsigned char *before = rows[0], *last = rows[1], *row = rows[2];

        for (size_t j = 0; j <= b_len; j++)
                last[j] = (unsigned char) j;
        for (size_t i = 1; i <= a_len; i++) {
                unsigned char *spare = before;

                row[0] = (unsigned char) i;
                for (size_t j = 1; j <= b_len; j++) {
                        size_t cost = last[j - 1] + (size_t) (a[i - 1] != b[j - 1]);

                        cost = least(cost, least(last[j], row[j - 1]) + 1U);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                cost = least(cost, before[j - 2] + 1U);
                        row[j] = (unsigned char) cost;
                }
                before = last;
                last = row;
                row = spare;
        }
        return last[b_len];
}

const char *
sw_near(const char *word, const char *const *candidates, size_t n)
{
        size_t len = strlen(word), best = len / 3;
        const char *nearest = NULL;

        if (len > NEAR_MAX)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                size_t c_len = strlen(candidates[i]), distance;

                if (c_len > NEAR_MAX)
                        continue;
                distance = edit_distance(word, len, candidates[i], c_len);
                if (distance < best || (distance == best && !nearest)) {
                        best = distance;
                        nearest = candidates[i];
                }
        }
        return nearest;
}

/* Whether a character could steer a terminal or turn text around: C0, DEL, C1, line and
 * paragraph separators, and the marks that change the direction of writing. */
static bool
is_unprintable(uint32_t c)
{
        return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c ||
               (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069);
}

void
sw__buf_add_escaped(sw_buf *b, const char *s, size_t len, size_t max, char quote)
{
        for (size_t i = 0, n; i < len; i += n) {
                uint32_t c = 0;
                bool raw;

                n = sw__utf8_decode(s + i, len - i, &c);
                raw = n > 0 && !is_unprintable(c);
                if (n == 0)
                        n = 1;
                if (i + n > max) {
                        sw_buf_adds(b, "…");
                        return;
                }
                if (!raw) {
                        for (size_t j = 0; j < n; j++)
                                sw_buf_addf(b, "\\x%02x", (unsigned char) s[i + j]);
                        continue;
                }
                if (quote && (s[i] == quote || s[i] == '\\'))
                        sw_buf_addc(b, '\\');
                sw_buf_add(b, s + i, n);
        }
}

void
sw_buf_add_quoted(sw_buf *b, const char *s, size_t len, size_t max)
{
        sw_buf_addc(b, '"');
        sw__buf_add_escaped(b, s, len, max, '"');
        sw_buf_addc(b, '"');
}

static int
base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
sw_base64_decode(const char *s, size_t n, sw_buf *out)
{
        size_t before = out->len;
        uint32_t bits = 0;
        int have = 0;

        if (n % 4 == 0 && n > 0 && s[n - 1] == '=')
                n -= s[n - 2] == '=' ? 2 : 1;
        bool good = n % 4 != 1;
        for (size_t i = 0; i < n && good; i++) {
                int v = base64_value(s[i]);

                good = v >= 0;
                bits = bits << 6 | (uint32_t) (v & 63);
                have += 6;
                if (have >= 8) {
                        have -= 8;
                        sw_buf_addc(out, (char) (bits >> have));
                }
        }
        if (!good)
                sw_buf_truncate(out, before);
        return good;
}

bool
sw_str_has_prefix(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
sw_str_has_suffix(const char *s, const char *suffix)
{
        size_t len = strlen(s), suffix_len = strlen(suffix);

        return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

bool
sw_str_eq(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool
sw_utf8_valid(const char *s, size_t n)
{
        for (size_t i = 0; i < n;) {
                uint32_t c;
                size_t len = sw__utf8_decode(s + i, n - i, &c);

                if (len == 0)
                        return false;
                i += len;
        }
        return true;
}
