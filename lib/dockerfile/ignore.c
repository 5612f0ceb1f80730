/* lib/dockerfile/ignore.c - see ignore.h. */
#include <string.h>

#include <slipway/path.h>

#include "lib/dockerfile/ignore.h"
#include "lib/dockerfile/said.h"

/* Bytes of the white space at the start of @s, or 0: what Unicode calls so. */
static size_t
space_at(const unsigned char *s, size_t n)
{
        if (n && (*s == ' ' || (*s >= '\t' && *s <= '\r')))
                return 1;
        if (n >= 2 && s[0] == 0xc2 && (s[1] == 0x85 || s[1] == 0xa0))
                return 2;
        if (n < 3)
                return 0;
        if (memcmp(s, "\xe1\x9a\x80", 3) == 0 || memcmp(s, "\xe2\x81\x9f", 3) == 0 ||
            memcmp(s, "\xe3\x80\x80", 3) == 0)
                return 3;
        if (s[0] == 0xe2 && s[1] == 0x80 &&
            ((s[2] >= 0x80 && s[2] <= 0x8a) || s[2] == 0xa8 || s[2] == 0xa9 ||
             s[2] == 0xaf))
                return 3;
        return 0;
}

static void
trim(const char **s, size_t *n)
{
        size_t k;
        bool more = true;

        while ((k = space_at((const unsigned char *) *s, *n)) > 0) {
                *s += k;
                *n -= k;
        }
        while (more && *n) {
                more = false;
                for (k = 1; k <= 3 && k <= *n && !more; k++)
                        if (space_at((const unsigned char *) *s + *n - k, k) == k) {
                                *n -= k;
                                more = true;
                        }
        }
}

static sw_err *
add_pattern(const char *line, size_t n, sw_strlist *out)
{
        bool except = *line == '!';
        sw_auto(sw_str) raw = NULL, clean = NULL;
        const char *pattern;

        if (except) {
                line++;
                n--;
                trim(&line, &n);
                if (!n)
                        return sw_df_err(SW_E_INVALID, "illegal exclusion pattern: \"!\"");
        }
        raw = sw_strndup(line, n);
        clean = sw_path_clean(raw);
        pattern = clean[0] == '/' && clean[1] ? clean + 1 : clean;
        sw_strlist_take(out, sw_asprintf("%s%s", except ? "!" : "", pattern));
        return SW_OK;
}

static sw_err *
take_line(const char *line, size_t n, size_t number, sw_strlist *out)
{
        if (n > SW_DF_IGNORE_LINE_MAX)
                return sw_df_err(SW_E_LIMIT, "line %zu is longer than %d bytes", number,
                                 SW_DF_IGNORE_LINE_MAX);
        if (n && *line == '#')
                return SW_OK;
        trim(&line, &n);
        if (!n)
                return SW_OK;
        if (memchr(line, 0, n))
                return sw_df_err(SW_E_INVALID, "line %zu has a NUL byte in it", number);
        if (out->n >= SW_DF_IGNORE_PATTERNS_MAX)
                return sw_df_err(SW_E_LIMIT, "more than %d patterns",
                                 SW_DF_IGNORE_PATTERNS_MAX);
        return add_pattern(line, n, out);
}

sw_err *
sw_df_ignore_parse(const char *text, size_t len, sw_strlist *out)
{
        const char *end = text + len;
        sw_err *err = SW_OK;

        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3;
        for (size_t number = 1; text < end && !err; number++) {
                const char *nl = (const char *) memchr(text, '\n', (size_t) (end - text));
                const char *stop = nl ? nl : end;

                err = take_line(text, (size_t) (stop - text), number, out);
                text = nl ? nl + 1 : end;
        }
        return err;
}
