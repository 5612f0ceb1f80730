/* tests/fuzz/link_fuzz.c - Link headers: the next page's address is one that stood there.
 */
#include <slipway/mem.h>

#include "lib/registry/parse.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup(size ? (const char *) data : "", size);
        sw_auto(sw_str) next = NULL;

        if (!fuzz_ok(sw__link_next(text, &next)) || !next)
                return 0;
        sw_auto(sw_str) written = sw_asprintf("<%s>", next);
        sw_auto(sw_str) whole = sw_asprintf("<%s>; rel=\"prev next\"", next);
        sw_auto(sw_str) again = NULL;
        fuzz_check(strstr(text, written) && !strchr(next, '>'));
        if (strlen(whole) < 16000) {
                fuzz_check(fuzz_ok(sw__link_next(whole, &again)));
                fuzz_check(again && strcmp(again, next) == 0);
        }
        return 0;
}
