/*
 * tests/fuzz/fuzz.h - what fuzz targets share: the entry point that libFuzzer calls, and a
 * check that NDEBUG does not remove.
 */
#ifndef SLIPWAY_TESTS_FUZZ_H
#define SLIPWAY_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the parser that must hold for every input. */
#define fuzz_check(what)                                                                   \
        do {                                                                               \
                if (!(what)) {                                                             \
                        (void) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);  \
                        abort();                                                           \
                }                                                                          \
        } while (0)

/* Whether @err is success; an error must have words, and none that steer a terminal. */
static inline bool
fuzz_ok(sw_err *err)
{
        const char *message = sw_err_message(err);

        if (!err)
                return true;
        fuzz_check(message[0] != '\0' && strlen(message) < 2000);
        for (; *message; message++)
                fuzz_check((unsigned char) *message >= 0x20 && *message != 0x7f);
        sw_err_drop(err, "a refusal is as good as a value here");
        return false;
}

#endif
