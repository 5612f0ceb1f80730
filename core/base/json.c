/*
 * core/base/json.c - strict reading of JSON from outside over jansson, and Go's spelling
 * of strings for documents whose bytes are hashed.
 *
 * Thread: any; a document belongs to one thread at a time.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include <slipway/json.h>

#include "core/base/utf8.h"

sw_err *
sw_json_parse(const char *what, const char *p, size_t n, sw_json **out)
{
        json_error_t error;
        json_t *doc = json_loadb(n ? p : "", n, JSON_REJECT_DUPLICATES, &error);

        if (!doc) {
                /* jansson's words quote the document. */
                sw_auto(sw_buf) text = SW_BUF_INIT;

                if (json_error_code(&error) == json_error_out_of_memory)
                        return sw_err_sys(SW_E_NOMEM, ENOMEM, "parse %s", what);
                sw__buf_add_escaped(&text, error.text, strlen(error.text), SIZE_MAX, '\0');
                return sw_err_new(SW_E_INVALID, "%s: line %d, column %d: %s", what,
                                  error.line, error.column, text.data);
        }
        *out = doc;
        return SW_OK;
}

static const char *
type_name(json_type type)
{
        switch (type) {
        case JSON_OBJECT: return "an object";
        case JSON_ARRAY: return "an array";
        case JSON_STRING: return "a string";
        case JSON_INTEGER: return "a whole number";
        case JSON_REAL: return "a number";
        case JSON_TRUE:
        case JSON_FALSE: return "true or false";
        case JSON_NULL: return "null";
        }
        return "unknown";
}

/* Member @key of @o if it is of type @want; NULL in *@out when it is missing or null. */
static sw_err *
member(const json_t *o, const char *key, json_type want, json_t **out)
{
        json_t *found;
        bool matches;

        *out = NULL;
        if (!json_is_object(o))
                return sw_err_new(SW_E_INVALID, "member \"%s\": looked for in %s", key,
                                  o ? type_name(json_typeof(o)) : "nothing");
        found = json_object_get(o, key);
        if (!found || json_is_null(found))
                return SW_OK;
        matches = want == JSON_TRUE ? json_is_boolean(found) : json_typeof(found) == want;
        if (!matches)
                return sw_err_new(SW_E_INVALID, "member \"%s\" is %s, expected %s", key,
                                  type_name(json_typeof(found)), type_name(want));
        *out = found;
        return SW_OK;
}

sw_err *
sw_json_str(const sw_json *o, const char *key, const char **out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_STRING, &found);

        if (!err && found)
                *out = json_string_value(found);
        return err;
}

sw_err *
sw_json_str_req(const sw_json *o, const char *key, const char **out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_STRING, &found);

        if (err)
                return err;
        if (!found)
                return sw_err_new(SW_E_INVALID, "member \"%s\" is missing", key);
        *out = json_string_value(found);
        return SW_OK;
}

sw_err *
sw_json_int(const sw_json *o, const char *key, int64_t *out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_INTEGER, &found);

        if (!err && found)
                *out = (int64_t) json_integer_value(found);
        return err;
}

sw_err *
sw_json_bool(const sw_json *o, const char *key, bool *out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_TRUE, &found);

        if (!err && found)
                *out = json_is_true(found);
        return err;
}

sw_err *
sw_json_obj(const sw_json *o, const char *key, sw_json **out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_OBJECT, &found);

        if (!err && found)
                *out = found;
        return err;
}

sw_err *
sw_json_arr(const sw_json *o, const char *key, sw_json **out)
{
        json_t *found;
        sw_err *err = member(o, key, JSON_ARRAY, &found);

        if (!err && found)
                *out = found;
        return err;
}

/* "\u0026"; there is one for each & of a shell command. */
static void
add_number(sw_buf *b, unsigned c)
{
        static const char digits[] = "0123456789abcdef";
        const char text[] = { '\\',
                              'u',
                              digits[c >> 12 & 15],
                              digits[c >> 8 & 15],
                              digits[c >> 4 & 15],
                              digits[c & 15] };

        sw_buf_add(b, text, sizeof(text));
}

/* Append one ASCII character as Go spells it in a string. */
static void
add_ascii(sw_buf *b, char c)
{
        switch (c) {
        case '"': sw_buf_adds(b, "\\\""); return;
        case '\\': sw_buf_adds(b, "\\\\"); return;
        case '\b': sw_buf_adds(b, "\\b"); return;
        case '\f': sw_buf_adds(b, "\\f"); return;
        case '\n': sw_buf_adds(b, "\\n"); return;
        case '\r': sw_buf_adds(b, "\\r"); return;
        case '\t': sw_buf_adds(b, "\\t"); return;
        default: add_number(b, (unsigned) c); return;
        }
}

/* Whether a character stands for itself. */
static bool
is_plain(uint32_t c)
{
        return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' &&
               c != 0x2028 && c != 0x2029;
}

void
sw_json_add_str(sw_buf *b, const char *s, size_t n)
{
        size_t plain = 0; /* where the run of characters not yet added begins */

        sw_buf_addc(b, '"');
        for (size_t i = 0, len; i < n; i += len) {
                uint32_t c = 0;

                len = sw__utf8_decode(s + i, n - i, &c);
                if (len > 0 && is_plain(c))
                        continue;
                sw_buf_add(b, s + plain, i - plain);
                if (len == 1)
                        add_ascii(b, (char) c);
                else
                        add_number(b, len ? (unsigned) c : 0xfffdU);
                if (len == 0)
                        len = 1;
                plain = i + len;
        }
        sw_buf_add(b, s + plain, n - plain);
        sw_buf_addc(b, '"');
}

void
sw_json_add_base64(sw_buf *b, const void *p, size_t n)
{
        enum { PIECE = 48 * 1024 }; /* a multiple of 3, within libcrypto's int */
        const unsigned char *at = (const unsigned char *) p;

        sw_buf_addc(b, '"');
        for (size_t piece; n; at += piece, n -= piece) {
                piece = n < PIECE ? n : PIECE;
                sw_buf_reserve(b, (piece + 2) / 3 * 4);
                b->len += (size_t) EVP_EncodeBlock((unsigned char *) b->data + b->len, at,
                                                   (int) piece);
        }
        sw_buf_addc(b, '"');
}

static int
digit(char c)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int) (at - digits) : -1;
}

bool
sw_json_base64(const char *s, sw_buf *out)
{
        size_t n = strlen(s);

        if (n == 0 || n % 4 != 0)
                return false;
        for (size_t i = 0; i < n; i += 4) {
                int pad = i + 4 == n ? (s[i + 3] == '=') + (s[i + 2] == '=') : 0;
                uint32_t v = 0;

                for (size_t k = 0; k < 4; k++) {
                        int d = k >= 4 - (size_t) pad ? 0 : digit(s[i + k]);
                        if (d < 0)
                                return false;
                        v = v << 6 | (uint32_t) d;
                }
                for (int k = 0; k < 3 - pad; k++)
                        sw_buf_addc(out, (char) (v >> (16 - 8 * k)));
        }
        return true;
}
