/*
 * tests/fault/inject.h - make the n-th allocation or system call of a stretch of code fail.
 *
 * inject.c defines malloc, open, read and so on in the test program itself, which comes
 * before every library in the linker's search; so it sees the calls of libslipway, libltdl,
 * libyaml, jansson and of the C library's own strdup, opendir and dlopen.
 *
 *      inject_arm(INJECT_MEM_ONE, 3); work(); inject_disarm();
 *
 * One thread.
 */
#ifndef SLIPWAY_TESTS_INJECT_H
#define SLIPWAY_TESTS_INJECT_H

#include <stdbool.h>

enum inject_mode {
        INJECT_NONE,
        INJECT_MEM_ONE,    /* the n-th allocation fails with ENOMEM */
        INJECT_MEM_REST,   /* the n-th and all that follow */
        INJECT_SYS_ONE,    /* the n-th system call fails with EIO, EMFILE where it opens */
        INJECT_SYS_REST,   /* the n-th and all that follow */
        INJECT_READ_EINTR, /* the n-th read or pread is interrupted */
        INJECT_READ_SHORT, /* all reads from the n-th on give one byte */
};

void inject_arm(enum inject_mode mode, long n);
/* Whether anything was made to fail since inject_arm(). */
bool inject_disarm(void);
/* The function that was made to fail last. */
const char *inject_call(void);

#endif
