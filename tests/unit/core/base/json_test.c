/* Unit tests of core/base/json.c. */
#include <slipway/json.h>

#include "tests/unit/unit.h"

static sw_json *
parsed(const char *text)
{
        sw_json *doc = NULL;

        ok(sw_json_parse("test", text, strlen(text), &doc));
        return doc;
}

static sw_err *
parse_error(const char *text, size_t n)
{
        sw_json *doc = NULL;
        sw_err *err = sw_json_parse("config of x", text, n, &doc);

        ck_assert_ptr_null(doc);
        return err;
}

/* Would catch a document that is accepted although programs disagree about it, and an
 * error that does not say where. */
START_TEST(bad_documents_are_refused)
{
        static const char *const bad[] = {
                "",
                " ",
                "{",
                "{}x",
                "{} {}",
                "[1,]",
                "{\"a\":1,}",
                "{'a':1}",
                "{\"a\":01}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":\"\xff\"}",
                "{\"a\":\"\\ud800\"}",
                "{\"a\":\"\\u0000\"}",
                "{\"a\":\"\n\"}",
                "{\"a\":1e999}",
                "[NaN]",
                "[99999999999999999999]",
                "//\n{}",
                "\xef\xbb\xbf{}",
                "7",
                "null",
        };
        char deep[100000];

        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(parse_error(bad[i], strlen(bad[i])), SW_E_INVALID,
                      "config of x: line ");
        memset(deep, '[', sizeof(deep));
        fails(parse_error(deep, sizeof(deep)), SW_E_INVALID, "depth");
        fails(parse_error("{}\0", 3), SW_E_INVALID, "line 1");
        fails(parse_error(NULL, 0), SW_E_INVALID, "line");
        fails(parse_error("{\n \"a\": }", 9), SW_E_INVALID, "line 2, column 7");
}
END_TEST

/* Would catch the parser's quotation of the document reaching a terminal raw. */
START_TEST(errors_are_printable)
{
        sw_autoptr(sw_err) err = parse_error("{\"a\": \x1b[2J}", 11);

        ck_assert_ptr_nonnull(err);
        ck_assert_ptr_null(strchr(sw_err_message(err), '\x1b'));
}
END_TEST

/* Would catch a wrong value, and a read past the length. */
START_TEST(getters_get)
{
        sw_autoptr(sw_json) doc = parsed(
                "{\"s\":\"\xc3\xa9\",\"i\":-5,\"big\":9223372036854775807,\"t\":true,"
                "\"f\":false,\"o\":{\"x\":1},\"a\":[1,2],\"e\":\"\"}");
        const char *s = NULL;
        int64_t i = 0;
        bool b = false;
        sw_json *sub = NULL;

        ok(sw_json_str(doc, "s", &s));
        ck_assert_str_eq(s, "\xc3\xa9");
        ok(sw_json_str_req(doc, "e", &s));
        ck_assert_str_eq(s, "");
        ok(sw_json_int(doc, "i", &i));
        ck_assert_int_eq(i, -5);
        ok(sw_json_int(doc, "big", &i));
        ck_assert_int_eq(i, INT64_MAX);
        ok(sw_json_bool(doc, "t", &b));
        ck_assert(b);
        ok(sw_json_bool(doc, "f", &b));
        ck_assert(!b);
        ok(sw_json_obj(doc, "o", &sub));
        ok(sw_json_int(sub, "x", &i));
        ck_assert_int_eq(i, 1);
        ok(sw_json_arr(doc, "a", &sub));
        ck_assert_uint_eq(json_array_size(sub), 2);
        sw_json *cut = NULL;
        ok(sw_json_parse("cut", "[1]garbage", 3, &cut));
        json_decref(cut);
}
END_TEST

/* Would catch a missing or null member that changes *out or is an error, and a required
 * one that is not missed. */
START_TEST(missing_members_change_nothing)
{
        sw_autoptr(sw_json) doc = parsed("{\"null\":null}");
        static const char *const keys[] = { "null", "absent", "" };

        for (size_t k = 0; k < SW_COUNT(keys); k++) {
                const char *s = "kept";
                int64_t i = 7;
                bool b = true;
                sw_json *sub = doc;

                ok(sw_json_str(doc, keys[k], &s));
                ok(sw_json_int(doc, keys[k], &i));
                ok(sw_json_bool(doc, keys[k], &b));
                ok(sw_json_obj(doc, keys[k], &sub));
                ok(sw_json_arr(doc, keys[k], &sub));
                fails(sw_json_str_req(doc, keys[k], &s), SW_E_INVALID, "is missing");
                ck_assert_str_eq(s, "kept");
                ck_assert_int_eq(i, 7);
                ck_assert(b);
                ck_assert_ptr_eq(sub, doc);
        }
}
END_TEST

/* Would catch a wrong type that is ignored or converted. */
START_TEST(wrong_types_are_refused)
{
        sw_autoptr(sw_json) doc =
                parsed("{\"s\":\"x\",\"i\":1,\"r\":1.0,\"b\":true,\"o\":{},\"a\":[]}");
        static const char *const keys = "sirboa";
        const char *s = "kept";
        int64_t i = 7;
        bool b = false;
        sw_json *sub = NULL;

        for (const char *k = keys; *k; k++) {
                const char key[2] = { *k, '\0' };

                if (*k != 's') {
                        fails(sw_json_str(doc, key, &s), SW_E_INVALID, "expected a string");
                        fails(sw_json_str_req(doc, key, &s), SW_E_INVALID, key);
                }
                if (*k != 'i')
                        fails(sw_json_int(doc, key, &i), SW_E_INVALID, "expected a whole");
                if (*k != 'b')
                        fails(sw_json_bool(doc, key, &b), SW_E_INVALID, "expected true or");
                if (*k != 'o')
                        fails(sw_json_obj(doc, key, &sub), SW_E_INVALID,
                              "expected an object");
                if (*k != 'a')
                        fails(sw_json_arr(doc, key, &sub), SW_E_INVALID,
                              "expected an array");
        }
        ck_assert_str_eq(s, "kept");
        ck_assert_int_eq(i, 7);
        ck_assert(!b);
        ck_assert_ptr_null(sub);
        fails(sw_json_str(json_object_get(doc, "a"), "x", &s), SW_E_INVALID, "an array");
        fails(sw_json_str(NULL, "x", &s), SW_E_INVALID, "\"x\"");
}
END_TEST

static void
spells(const char *s, size_t n, const char *want)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_json_add_str(&b, s, n);
        ck_assert_str_eq(b.data, want);
}

/* Would catch any byte that differs from encoding/json of Go 1.22, which is what digests
 * of configurations are computed over. */
START_TEST(strings_as_go_writes_them)
{
        spells("", 0, "\"\"");
        spells("plain /'`", 9, "\"plain /'`\"");
        spells("\"\\", 2, "\"\\\"\\\\\"");
        spells("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
        spells("<>&", 3, "\"\\u003c\\u003e\\u0026\"");
        spells("a<b", 3, "\"a\\u003cb\"");
        spells("\x7f", 1, "\"\x7f\"");
        spells("\0", 1, "\"\\u0000\"");
        spells("\x1f\x0b", 2, "\"\\u001f\\u000b\"");
        spells("\xc3\xa9\xf0\x9f\x9a\xa2", 6, "\"\xc3\xa9\xf0\x9f\x9a\xa2\"");
        spells("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 12,
               "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"");
        spells("\xef\xbf\xbd", 3, "\"\xef\xbf\xbd\""); /* U+FFFD itself is valid */
        spells("\xff", 1, "\"\\ufffd\"");
        spells("a\xffz", 3, "\"a\\ufffdz\"");
        spells("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate: per byte */
        spells("\xe2\x82", 2, "\"\\ufffd\\ufffd\"");            /* cut: per byte */
        spells("\xe2\x82"
               "a",
               3, "\"\\ufffd\\ufffda\"");
        spells("\xc0\x80", 2, "\"\\ufffd\\ufffd\"");
        spells("\xe2\x80\xa8", 2, "\"\\ufffd\\ufffd\""); /* the length counts */
}
END_TEST

/* Would catch a control character left out of the table. */
START_TEST(every_control_character_is_escaped)
{
        for (int c = 0; c < 0x20; c++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;
                char byte = (char) c, want[16];

                (void) snprintf(want, sizeof(want), "\"\\u%04x\"", (unsigned) c);
                sw_json_add_str(&b, &byte, 1);
                if (strchr("\b\f\n\r\t", c) && c)
                        ck_assert_uint_eq(b.len, 4);
                else
                        ck_assert_str_eq(b.data, want);
        }
}
END_TEST

/* Would catch what we write and jansson reads differently. */
START_TEST(strings_round_trip)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_autoptr(sw_json) doc = NULL;

        for (int c = 1; c < 0x80; c++)
                sw_buf_addc(&text, (char) c);
        sw_buf_adds(&text, "\xc3\xa9\xe2\x80\xa8\xf0\x9f\x9a\xa2");
        sw_buf_addc(&b, '[');
        sw_json_add_str(&b, text.data, text.len);
        sw_buf_addc(&b, ']');
        ok(sw_json_parse("ours", b.data, b.len, &doc));
        ck_assert_uint_eq(json_string_length(json_array_get(doc, 0)), text.len);
        ck_assert_str_eq(json_string_value(json_array_get(doc, 0)), text.data);
}
END_TEST

/* Would catch bytes lost at the end, and what is no base64 taken for it. */
START_TEST(base64_back)
{
        static const char *const bad[] = {
                "",     "Z",        "Zg",   "Zg=",  "Z===", "=",
                "====", "Zg==Zg==", "Zg=a", "Z-Zv", " Zg=", "Zg==\n"
        };
        static const char *const good[][2] = {
                { "Zg==", "f" },        { "Zm8=", "fo" },           { "Zm9v", "foo" },
                { "Zm9vYg==", "foob" }, { "+//+", "\xfb\xff\xfe" },
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                ck_assert_msg(!sw_json_base64(bad[i], &b), "\"%s\"", bad[i]);
        }
        for (size_t i = 0; i < SW_COUNT(good); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                ck_assert(sw_json_base64(good[i][0], &b));
                ck_assert_str_eq(b.data, good[i][1]);
                ck_assert_uint_eq(b.len, strlen(good[i][1]));
        }
}
END_TEST

/* Would catch wrong padding, and a seam between the pieces it is written in. */
START_TEST(base64)
{
        static const struct {
                const char *bytes, *text;
        } cases[] = {
                { "", "\"\"" },
                { "f", "\"Zg==\"" },
                { "fo", "\"Zm8=\"" },
                { "foo", "\"Zm9v\"" },
                { "foob", "\"Zm9vYg==\"" },
                { "fooba", "\"Zm9vYmE=\"" },
                { "foobar", "\"Zm9vYmFy\"" },
                { "\xfb\xff\xfe", "\"+//+\"" },
        };
        enum { N = 200001 };
        sw_auto(sw_buf) big = SW_BUF_INIT;
        sw_auto(sw_buf) zeros = SW_BUF_INIT;

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                sw_json_add_base64(&b, cases[i].bytes, strlen(cases[i].bytes));
                ck_assert_str_eq(b.data, cases[i].text);
                ck_assert_uint_eq(b.len, strlen(b.data));
        }
        sw_buf_reserve(&zeros, N);
        memset(zeros.data, 0, N);
        sw_json_add_base64(&big, zeros.data, N);
        ck_assert_uint_eq(big.len, N / 3 * 4 + 2);
        ck_assert_uint_eq(strspn(big.data + 1, "A"), big.len - 2);
        sw_json_add_base64(&big, NULL, 0);
        ck_assert_str_eq(big.data + big.len - 3, "\"\"\"");
}
END_TEST

UNIT_MAIN("json", bad_documents_are_refused, errors_are_printable, getters_get,
          missing_members_change_nothing, wrong_types_are_refused,
          strings_as_go_writes_them, every_control_character_is_escaped, strings_round_trip,
          base64, base64_back)
