/*
 * core/base/tarhead.c - the header of a tar archive, told from other bytes. Thread: any.
 */
#include <slipway/io.h>

enum { HEADER = 512, SUM = 148, SUM_END = 156 };

bool
sw_tar_starts(const void *bytes, size_t n)
{
        const unsigned char *p = bytes;
        long sum = 0, old_sum = 0, said = 0; /* old programs summed up signed bytes */
        size_t i = SUM;

        if (n < HEADER || !p[0])
                return false;
        for (size_t k = 0; k < HEADER; k++) {
                const unsigned char byte = k >= SUM && k < SUM_END ? ' ' : p[k];

                sum += byte;
                old_sum += (signed char) byte;
        }
        while (i < SUM_END && (p[i] == ' ' || p[i] == '\0'))
                i++;
        for (; i < SUM_END && p[i] >= '0' && p[i] <= '7'; i++)
                said = said * 8 + (p[i] - '0');
        return said == sum || said == old_sum;
}
