/*
 * core/base/random.c - random bytes from the kernel. Thread: any, no state.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/base/random.h"

void
sw__random(void *p, size_t n)
{
        unsigned char *at = (unsigned char *) p;

        while (n) {
                ssize_t got = getrandom(at, n, 0);

                if (got > 0) {
                        at += got;
                        n -= (size_t) got;
                } else if (errno != EINTR) {
                        static const char line[] = "slipway: the kernel gives no random "
                                                   "numbers: getrandom(2) failed\n";

                        if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
                                abort();
                        abort();
                }
        }
}
