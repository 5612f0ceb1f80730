/*
 * tests/fuzz/dockerconfig_fuzz.c - Docker's config.json, behind a line with the host that
 * is looked for: what is found is whole, and an error shows no secret.
 */
#include <slipway/mem.h>

#include "core/session/local.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *bytes = size ? (const char *) data : "";
        const char *end = memchr(bytes, '\n', size);
        struct sw__dockercred c = { 0 };

        if (!end)
                return 0;
        sw_auto(sw_str) host = sw_strndup(bytes, (size_t) (end - bytes));
        sw_err *err = sw__dockerconfig_find("config.json", end + 1,
                                            size - (size_t) (end + 1 - bytes), host, &c);
        fuzz_check(!strstr(sw_err_message(err), " near '"));
        if (!fuzz_ok(err)) {
                fuzz_check(!c.user && !c.secret && !c.helper);
                return 0;
        }
        fuzz_check(!c.user || c.secret);
        fuzz_check(!c.helper || (*c.helper && !strchr(c.helper, '/')));
        sw__dockercred_release(&c);
        return 0;
}
