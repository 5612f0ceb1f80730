/*
 * tests/unit/tmp.h - a fresh directory for a test ($TMPDIR, else in memory, else /tmp),
 * and its paths.
 */
#ifndef SLIPWAY_TESTS_UNIT_TMP_H
#define SLIPWAY_TESTS_UNIT_TMP_H

#include <unistd.h>

#include "tests/unit/unit.h"

/* Make a directory of its own for this test; @out is its path. The test removes it. */
static inline void
unit_mkdtemp(char *out, size_t size, const char *tag)
{
        const char *where = getenv("TMPDIR");

        if (!where)
                where = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
        int n = snprintf(out, size, "%s/sw-%s-XXXXXX", where, tag);
        ck_assert(n > 0 && (size_t) n < size);
        ck_assert_ptr_nonnull(mkdtemp(out));
}

/* Append to the text in @out, which has room for @size bytes. */
static inline void
unit_append(char *out, size_t size, const char *text)
{
        size_t used = strlen(out);

        ck_assert_uint_lt(used + strlen(text), size);
        memcpy(out + used, text, strlen(text) + 1);
}

#endif
