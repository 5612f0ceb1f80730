/*
 * tests/fuzz/json_fuzz.c - JSON documents from outside, and strings as we write them: any
 * bytes must make a string that a JSON parser reads, and valid UTF-8 the same one.
 */
#include <slipway/json.h>
#include <slipway/text.h>

#include "tests/fuzz/fuzz.h"

static void
try_document(const char *p, size_t n)
{
        sw_autoptr(sw_json) doc = NULL;
        sw_json *sub = NULL;
        const char *s = NULL;
        int64_t i;
        bool b;

        if (!fuzz_ok(sw_json_parse("document", p, n, &doc)))
                return;
        (void) fuzz_ok(sw_json_str(doc, "s", &s));
        (void) fuzz_ok(sw_json_str_req(doc, "s", &s));
        (void) fuzz_ok(sw_json_int(doc, "i", &i));
        (void) fuzz_ok(sw_json_bool(doc, "b", &b));
        (void) fuzz_ok(sw_json_arr(doc, "a", &sub));
        (void) fuzz_ok(sw_json_obj(doc, "o", &sub));
}

static void
try_string(const char *s, size_t n)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_autoptr(sw_json) doc = NULL;
        const json_t *read;

        if (memchr(s, '\0', n)) /* which our parser refuses */
                return;
        sw_buf_addc(&b, '[');
        sw_json_add_str(&b, s, n);
        sw_buf_addc(&b, ',');
        sw_json_add_base64(&b, s, n);
        sw_buf_addc(&b, ']');
        fuzz_check(fuzz_ok(sw_json_parse("ours", b.data, b.len, &doc)));
        if (!sw_utf8_valid(s, n))
                return;
        read = json_array_get(doc, 0);
        fuzz_check(json_string_length(read) == n);
        fuzz_check(memcmp(json_string_value(read), s, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *bytes = size ? (const char *) data : "";

        try_document(bytes, size);
        try_string(bytes, size);
        return 0;
}
