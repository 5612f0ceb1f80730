/*
 * lib/dockerfile/directive.h - "# name=value" lines at the top of a text. Private.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_DIRECTIVE_H
#define SLIPWAY_LIB_DOCKERFILE_DIRECTIVE_H

#include "lib/dockerfile/span.h"

enum sw_df_directive_name {
        SW_DF_DIRECTIVE_SYNTAX,
        SW_DF_DIRECTIVE_ESCAPE,
        SW_DF_DIRECTIVE_CHECK,
        SW_DF_DIRECTIVES
};
extern const char *const sw_df_directive_names[SW_DF_DIRECTIVES];

/** sw_df_directive_line - take a line (no line end, no blanks before it) apart. @comment:
 *  what a comment starts with. False: it is no directive that we know, and none can follow
 *  it. */
bool sw_df_directive_line(struct sw_df_span line, const char *comment,
                          enum sw_df_directive_name *name, struct sw_df_span *value);

/** sw_df_text_start - where the text starts: after a byte order mark. */
struct sw_df_span sw_df_text_start(const char *data, size_t len);
/** sw_df_text_line - take the next line off @rest: without "\n" and the "\r"s before it.
 *  False: nothing is left. */
bool sw_df_text_line(struct sw_df_span *rest, struct sw_df_span *line);

#endif
