/* roman NUMBER... - each number in the other way of writing it, one a line. */
#include <stdio.h>
#include <stdlib.h>

#include "roman.h"

static int
tell(const char *arg)
{
        char *end, letters[ROMAN_SIZE];
        unsigned long n = strtoul(arg, &end, 10);

        if (*end == 0 && n <= ROMAN_MAX && roman_write((unsigned) n, letters) == 0)
                return puts(letters) < 0;
        n = roman_read(arg);
        if (n > 0)
                return printf("%lu\n", n) < 0;
        fprintf(stderr, "roman: %s: not a number from 1 to %d\n", arg, ROMAN_MAX);
        return 1;
}

int
main(int argc, char **argv)
{
        int failed = 0;

        for (int i = 1; i < argc; i++)
                failed |= tell(argv[i]);
        return failed;
}
