/*
 * slipway/json.h - helpers over jansson for JSON that came from outside.
 *
 * sw_json_t is jansson's json_t. Getters are strict: a member of the wrong type is
 * SW_E_INVALID and names the member; a missing one, or one that is null (which is how Go
 * programs write what they do not have), leaves *out untouched and is fine unless the
 * getter's name ends in _req. Documents are of one thread at a time.
 */
#ifndef SLIPWAY_JSON_H
#define SLIPWAY_JSON_H

#include <jansson.h>

#include <slipway/buf.h>

SW_BEGIN_DECLS

typedef json_t sw_json;
SW_DEFINE_AUTOPTR(sw_json, json_decref)

/** sw_json_parse - duplicate keys are refused, depth is limited by jansson, @what names
 *  the document in errors with line and column. Errors: SW_E_INVALID, SW_E_NOMEM. */
SW_API SW_NODISCARD sw_err *sw_json_parse(const char *what, const char *p, size_t n,
                                          sw_json **out);

/** Members of an object. Strings are borrowed from @o. Errors: SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_json_str(const sw_json *o, const char *key,
                                        const char **out);
SW_API SW_NODISCARD sw_err *sw_json_str_req(const sw_json *o, const char *key,
                                            const char **out);
SW_API SW_NODISCARD sw_err *sw_json_int(const sw_json *o, const char *key, int64_t *out);
SW_API SW_NODISCARD sw_err *sw_json_bool(const sw_json *o, const char *key, bool *out);
SW_API SW_NODISCARD sw_err *sw_json_obj(const sw_json *o, const char *key, sw_json **out);
SW_API SW_NODISCARD sw_err *sw_json_arr(const sw_json *o, const char *key, sw_json **out);

/** sw_json_add_str - append @s as a JSON string as Go's encoding/json writes it: < > &
 *  U+2028 U+2029 escaped, invalid UTF-8 replaced by U+FFFD (as \ufffd). */
SW_API void sw_json_add_str(sw_buf *b, const char *s, size_t n);
/** sw_json_add_base64 - append a JSON string holding standard base64 of @n bytes. */
SW_API void sw_json_add_base64(sw_buf *b, const void *p, size_t n);
/** sw_json_base64 - the bytes of standard base64 with its padding, appended. False: @text
 * is none; an empty one is none either. */
SW_API bool sw_json_base64(const char *text, sw_buf *out);

SW_END_DECLS
#endif
