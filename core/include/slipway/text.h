/*
 * slipway/text.h - parsing of small values, near names, escaping for messages.
 *
 * Thread: any; no state, no locale. What parses sets *out on success only, and is
 * SW_E_INVALID otherwise, with a message that shows the text.
 */
#ifndef SLIPWAY_TEXT_H
#define SLIPWAY_TEXT_H

#include <slipway/array.h>
#include <slipway/buf.h>

SW_BEGIN_DECLS

/** sw_parse_bool - Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False. */
SW_API SW_NODISCARD sw_err *sw_parse_bool(const char *s, bool *out);
/** sw_parse_int - decimal, optional sign, nothing around it, min <= value <= max. */
SW_API SW_NODISCARD sw_err *sw_parse_int(const char *s, int64_t min, int64_t max,
                                         int64_t *out);
/** sw_parse_size - bytes with an optional unit: b k m g t p, kb…, kib… ; all of them
 *  count by 1024, as Docker's RAMInBytes does; fractions allowed ("1.5g"). */
SW_API SW_NODISCARD sw_err *sw_parse_size(const char *s, int64_t *out);

/** sw_size_str - "1.23MB": decimal units, two digits, as the plain progress prints. */
SW_API const char *sw_size_str(int64_t bytes, char out[32]);

/** sw_near - the candidate closest to @word (edit distance with transpositions), or NULL
 *  when none is within a third of its length. Ties go to the earlier one. Borrowed. */
SW_API const char *sw_near(const char *word, const char *const *candidates, size_t n);

/** sw_buf_add_quoted - @s in double quotes, control bytes and invalid UTF-8 as \xNN,
 *  cut after @max bytes with "…". For everything from outside that goes to a terminal. */
SW_API void sw_buf_add_quoted(sw_buf *b, const char *s, size_t len, size_t max);

/** sw_csv_split - add the fields of one line of CSV (RFC 4180); "" is one empty field.
 *  Errors: SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_csv_split(const char *s, sw_strlist *out);
/** sw_csv_pair - take a field "Key=value" apart. @key: in lower case, from malloc.
 *  @value: within @field. Errors: SW_E_INVALID: "invalid value FIELD". */
SW_API SW_NODISCARD sw_err *sw_csv_pair(const char *field, char **key, const char **value);

/** sw_base64_decode - standard base64, padding there or left out, appended to @out; false:
 *  it is none, and nothing is appended.   Since: 0.1 */
SW_API bool sw_base64_decode(const char *s, size_t n, sw_buf *out);

SW_API bool sw_str_has_prefix(const char *s, const char *prefix);
SW_API bool sw_str_has_suffix(const char *s, const char *suffix);
/** sw_str_eq - equal strings; NULL equals only NULL. */
SW_API bool sw_str_eq(const char *a, const char *b);
/** sw_utf8_valid - whether @n bytes are valid UTF-8. */
SW_API bool sw_utf8_valid(const char *s, size_t n);

SW_END_DECLS
#endif
