#include <stdio.h>

#include "greeting.h"

int
main(void)
{
        printf("%s, compiled by %s\n", GREETING, __VERSION__);
        return 0;
}
