/*
 * tests/fuzz/archive_fuzz.c - archives that a copy unpacks. Input: an archive; sums of tar
 * headers in it are put right, so that what is behind them is reached.
 */
#include "tests/fuzz/opsfuzz.h"

/* What looks like a header: the magic at its place. */
static void
mend_sums(uint8_t *p, size_t size)
{
        for (size_t at = 0; at + 512 <= size; at += 512) {
                uint8_t *h = p + at;
                unsigned sum = 0;
                char text[8];

                if (memcmp(h + 257, "ustar", 5) != 0)
                        continue;
                memset(h + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += h[i];
                (void) snprintf(text, sizeof(text), "%06o", sum);
                memcpy(h + 148, text, 7);
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static int dirfd = -1;
        const struct sw__owner as_is = { 0 }, owned = { .set = true, .uid = 7, .gid = 8 };
        Pb__FileActionCopy copy = PB__FILE_ACTION_COPY__INIT;
        uint8_t *p = sw_memdup(size ? data : (const uint8_t *) "", size ? size : 1);
        int fd;

        if (dirfd < 0)
                dirfd = scratch_dir();
        mend_sums(p, size);
        fd = openat(dirfd, "a", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        fuzz_check(fd >= 0 && write(fd, p, size) == (ssize_t) size);
        (void) close(fd);
        copy.src = (char *) "/a";
        copy.dest = (char *) (size % 3 ? "/" : size % 2 ? "/l/x" : "/d");
        copy.mode = copy.timestamp = -1;
        copy.createdestpath = copy.attemptunpackdockercompatibility = true;
        copy_once(dirfd, &copy, size % 5 ? &as_is : &owned);
        free(p);
        return 0;
}
