/* tests/fuzz/httphead_fuzz.c - headers of downloads: names are names of one file, dates
 * come back as they were written, entity tags fit into a header. */
#include <slipway/mem.h>
#include <slipway/path.h>

#include "plugins/source-http/name.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup(size ? (const char *) data : "", size);
        sw_auto(sw_str) named = name_of_disposition(text);
        sw_auto(sw_str) safe = sw_path_safe_name(named ? named : text);
        sw_auto(sw_buf) tag = SW_BUF_INIT;
        sw_auto(sw_buf) date = SW_BUF_INIT;
        int64_t t, again;

        fuzz_check(!named || *named);
        fuzz_check(sw_path_name_ok(safe));
        for (const char *p = safe; *p; p++)
                fuzz_check((unsigned char) *p >= 0x20 && *p != 0x7f);
        etag_add(&tag, text);
        for (const char *p = tag.data; *p; p++)
                fuzz_check((unsigned char) *p >= 0x20 && *p != 0x7f);
        if (date_parse(text, &t)) {
                date_add(&date, t);
                fuzz_check(date_parse(date.data, &again) && again == t);
        }
        return 0;
}
