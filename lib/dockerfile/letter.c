/*
 * lib/dockerfile/letter.c - letters of all scripts, by what is none: the blocks of
 * punctuation, symbols, marks and pictures, as Unicode has laid them out. Coarse on
 * purpose: names of variables are ASCII, and what follows one in a sentence is what
 * matters.
 */
#include <stdbool.h>
#include <stdint.h>

#include <slipway/api.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/letter.h"

static const struct {
        uint32_t first, last;
} others[] = {
        { 0x80, 0xa9 },        { 0xab, 0xb4 },       { 0xb6, 0xb9 },
        { 0xbb, 0xbf },        { 0xd7, 0xd7 },       { 0xf7, 0xf7 },
        { 0x2c2, 0x2c5 },      { 0x2d2, 0x2df },     { 0x300, 0x36f },
        { 0x37e, 0x37e },      { 0x387, 0x387 },     { 0x482, 0x489 },
        { 0x55a, 0x55f },      { 0x589, 0x5cf },     { 0x600, 0x61f },
        { 0x64b, 0x66d },      { 0x964, 0x965 },     { 0xe3f, 0xe3f },
        { 0x1680, 0x1680 },    { 0x1800, 0x180f },   { 0x2000, 0x2070 },
        { 0x2072, 0x207e },    { 0x2080, 0x208f },   { 0x209d, 0x2101 },
        { 0x2103, 0x2106 },    { 0x2108, 0x2109 },   { 0x2114, 0x2114 },
        { 0x2116, 0x2118 },    { 0x211e, 0x2123 },   { 0x2140, 0x2144 },
        { 0x2150, 0x2182 },    { 0x2185, 0x2bff },   { 0x2e00, 0x2e2e },
        { 0x2e30, 0x3004 },    { 0x3007, 0x3030 },   { 0x3036, 0x303a },
        { 0x303d, 0x3040 },    { 0x3099, 0x309c },   { 0x30a0, 0x30a0 },
        { 0x30fb, 0x30fb },    { 0x3190, 0x319f },   { 0x3200, 0x33ff },
        { 0x4dc0, 0x4dff },    { 0xd800, 0xf8ff },   { 0xfe00, 0xfe6f },
        { 0xfeff, 0xff20 },    { 0xff3b, 0xff40 },   { 0xff5b, 0xff65 },
        { 0xffe0, 0xffff },    { 0x1d000, 0x1d3ff }, { 0x1f000, 0x1faff },
        { 0xe0000, 0x10ffff },
};

static bool
is_other(uint32_t c)
{
        for (size_t i = 0; i < SW_COUNT(others); i++)
                if (c <= others[i].last)
                        return c >= others[i].first;
        return false;
}

size_t
sw_df_letter(const char *s, size_t n)
{
        uint32_t c = 0;
        size_t len;

        if ((unsigned char) s[0] < 0x80)
                return (s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z') ||
                       (s[0] >= '0' && s[0] <= '9') || s[0] == '_';
        len = sw__utf8_decode(s, n, &c);
        return len && !is_other(c) ? len : 0;
}
