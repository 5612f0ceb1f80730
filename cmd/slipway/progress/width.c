/*
 * cmd/slipway/progress/width.c - see width.h. Ranges are those of Unicode 15 that matter:
 * marks that join what is before them, and what East Asian terminals show wide.
 */
#include <slipway/array.h>

#include "cmd/slipway/progress/width.h"

struct range {
        uint32_t first, last;
};

static const struct range joining[] = {
        { 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },
        { 0x64b, 0x65f },   { 0x6d6, 0x6dc },   { 0x900, 0x902 },   { 0x93c, 0x93c },
        { 0x941, 0x948 },   { 0x94d, 0x94d },   { 0xe31, 0xe31 },   { 0xe34, 0xe3a },
        { 0xe47, 0xe4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
        { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
        { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },
        { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },   { 0x2648, 0x2653 },
        { 0x26a1, 0x26a1 },   { 0x26bd, 0x26be },   { 0x26d4, 0x26d4 },
        { 0x2705, 0x2705 },   { 0x270a, 0x270b },   { 0x2728, 0x2728 },
        { 0x274c, 0x274c },   { 0x2753, 0x2755 },   { 0x2795, 0x2797 },
        { 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2e80, 0x303e },
        { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },
        { 0xa000, 0xa4cf },   { 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },
        { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
        { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
        { 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool
in(const struct range *r, size_t n, uint32_t cp)
{
        for (size_t i = 0; i < n && r[i].first <= cp; i++)
                if (cp <= r[i].last)
                        return true;
        return false;
}

/* Columns of one code point: 0 for what joins the one before, 2 for wide ones. */
static int
width_of(uint32_t cp)
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

size_t
width_add(sw_buf *b, const char *s, size_t room)
{
        size_t used = 0;

        while (*s) {
                uint32_t cp;
                size_t n = decode((const unsigned char *) s, &cp);
                size_t w = (size_t) width_of(cp);

                if (used + w > room)
                        break;
                sw_buf_add(b, s, n);
                used += w;
                s += n;
        }
        return used;
}
