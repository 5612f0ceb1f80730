#include "roman.h"

#include <string.h>

static const struct {
        unsigned value;
        const char *letters;
} parts[] = {
        { 1000, "M" }, { 900, "CM" }, { 500, "D" }, { 400, "CD" }, { 100, "C" },
        { 90, "XC" },  { 50, "L" },   { 40, "XL" }, { 10, "X" },   { 9, "IX" },
        { 5, "V" },    { 4, "IV" },   { 1, "I" },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

int
roman_write(unsigned n, char out[ROMAN_SIZE])
{
        if (n == 0 || n > ROMAN_MAX)
                return -1;
        *out = 0;
        for (unsigned i = 0; i < PARTS; i++)
                for (; n >= parts[i].value; n -= parts[i].value)
                        strcat(out, parts[i].letters);
        return 0;
}

unsigned
roman_read(const char *text)
{
        char again[ROMAN_SIZE];
        const char *p = text;
        unsigned n = 0;

        for (unsigned i = 0; i < PARTS; i++)
                for (; strncmp(p, parts[i].letters, strlen(parts[i].letters)) == 0;
                     p += strlen(parts[i].letters))
                        n += parts[i].value;
        /* IIII and VX are no numbers: only what would be written is read. */
        return roman_write(n, again) == 0 && strcmp(again, text) == 0 ? n : 0;
}
