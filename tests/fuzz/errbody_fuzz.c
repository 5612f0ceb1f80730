/* tests/fuzz/errbody_fuzz.c - bodies of refusals: short and printable, whatever they are.
 */
#include "lib/registry/parse.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw__errbody_text(size ? (const char *) data : "", size, &b);
        fuzz_check(b.len < 16 * 1024 && strlen(b.data) == b.len);
        for (size_t i = 0; i < b.len; i++)
                fuzz_check((unsigned char) b.data[i] >= 0x20 && b.data[i] != 0x7f);
        return 0;
}
