/*
 * cmd/slipway/progress/width.c - see width.h. Terminals differ in what they do with
 * sequences of emoji; who draws must not depend on every column being right.
 */
#include <slipway/array.h>

#include "cmd/slipway/progress/width.h"
#include "cmd/slipway/progress/widthtab.h"

static bool
in(const struct range *r, size_t n, uint32_t cp)
{
        size_t from = 0;

        while (from < n) {
                size_t middle = from + (n - from) / 2;

                if (cp > r[middle].last)
                        from = middle + 1;
                else if (cp < r[middle].first)
                        n = middle;
                else
                        return true;
        }
        return false;
}

/* Columns of one code point: 0 for what joins the one before, 2 for wide ones. */
static size_t
columns(uint32_t cp)
{
        if (cp < 0x300)
                return 1;
        if (in(joining, SW_COUNT(joining), cp))
                return 0;
        return in(wide, SW_COUNT(wide), cp) ? 2 : 1;
}

/* The code point at @s and its length in bytes. */
static size_t
decode(const unsigned char *s, uint32_t *cp)
{
        size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

        *cp = n == 1 ? s[0] : s[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 1;
                *cp = *cp << 6 | (s[i] & 0x3f);
        }
        return n;
}

/* Bytes of @s that fit into @room columns; *used: the columns they take. */
static size_t
fit(const char *s, size_t room, size_t *used)
{
        const char *p = s;

        *used = 0;
        while (*p) {
                uint32_t cp;
                size_t n = decode((const unsigned char *) p, &cp);
                size_t w = columns(cp);

                if (*used + w > room)
                        break;
                *used += w;
                p += n;
        }
        return (size_t) (p - s);
}

size_t
width_add(sw_buf *b, const char *s, size_t room)
{
        size_t used, n = fit(s, room, &used);

        sw_buf_add(b, s, n);
        return used;
}

size_t
width_of(const char *s)
{
        size_t used;

        (void) fit(s, SIZE_MAX / 2, &used);
        return used;
}
