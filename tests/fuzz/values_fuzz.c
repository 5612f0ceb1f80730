/*
 * tests/fuzz/values_fuzz.c - the small parsers of the base, all on the same text. What is
 * accepted must print to something that parses to the same value.
 */
#include <slipway/digest.h>
#include <slipway/id.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "tests/fuzz/fuzz.h"

static void
try_time(const char *s)
{
        char text[SW_TIME_STR_SIZE];
        int64_t ns, again;

        if (!fuzz_ok(sw_time_parse(s, &ns)))
                return;
        fuzz_check(fuzz_ok(sw_time_parse(sw_time_str(ns, text), &again)));
        fuzz_check(again == ns);
}

static void
try_duration(const char *s)
{
        char text[SW_TIME_STR_SIZE];
        int64_t ns, again;

        if (!fuzz_ok(sw_duration_parse(s, &ns)))
                return;
        fuzz_check(strlen(sw_duration_str(ns, text)) < SW_TIME_STR_SIZE);
        fuzz_check(fuzz_ok(sw_duration_parse(text, &again)));
        fuzz_check(again == ns);
}

static void
try_numbers(const char *s)
{
        char text[32];
        int64_t n, size;
        bool yes;

        if (fuzz_ok(sw_parse_int(s, -5, INT64_MAX, &n)))
                fuzz_check(n >= -5);
        if (fuzz_ok(sw_parse_size(s, &size)))
                fuzz_check(size >= 0 && strlen(sw_size_str(size, text)) < sizeof(text));
        (void) fuzz_ok(sw_parse_bool(s, &yes));
}

static void
try_names(const char *s, size_t n)
{
        static const char *const known[] = { "image", "oci", "docker", "local", "tar" };
        char text[SW_DIGEST_STR_SIZE];
        sw_digest d;

        if (fuzz_ok(sw_digest_parse(s, n, &d))) {
                fuzz_check(n == SW_DIGEST_STR_LEN);
                fuzz_check(memcmp(sw_digest_str(&d, text), s, n) == 0);
        }
        if (fuzz_ok(sw_id_check("id", s)))
                fuzz_check(!strchr(s, '/') && s[0] != '.');
        (void) sw_near(s, known, SW_COUNT(known));
}

static void
try_quoting(const char *s, size_t n)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_add_quoted(&b, s, n, 100);
        fuzz_check(b.len <= 2 + 4 * 100 + 3);
        fuzz_check(sw_utf8_valid(b.data, b.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_buf_add(&text, data, size);
        try_time(text.data);
        try_duration(text.data);
        try_numbers(text.data);
        try_names(text.data, size);
        try_quoting(text.data, size);
        return 0;
}
