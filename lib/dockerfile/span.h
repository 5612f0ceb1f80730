/*
 * lib/dockerfile/span.h - bytes of a text that is not NUL-terminated, white space, and
 * words as messages show them. Private to lib/dockerfile. Pure.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_SPAN_H
#define SLIPWAY_LIB_DOCKERFILE_SPAN_H

#include <string.h>

#include <slipway/buf.h>

struct sw_df_span {
        const char *s;
        size_t n;
};

/** sw_df_blank - bytes of the white space at @s[0], n >= 1; 0: there is none. As Unicode
 *  has it: no-break and ideographic blanks count. */
size_t sw_df_blank(const char *s, size_t n);
/** sw_df_blank_ascii - tab, vertical tab, form feed, return, blank: what divides the words
 *  of FROM, EXPOSE and COPY, and an instruction's name from the rest. */
static inline bool
sw_df_blank_ascii(char c)
{
        return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

struct sw_df_span sw_df_trim_left(struct sw_df_span s);
struct sw_df_span sw_df_trim(struct sw_df_span s);

/** sw_df_plain - @s with what a terminal could take for a command escaped, cut to a
 *  sensible length, not quoted; from malloc. For messages that show it bare. */
char *sw_df_plain(const char *s);

#endif
