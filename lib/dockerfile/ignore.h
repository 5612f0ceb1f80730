/*
 * lib/dockerfile/ignore.h - the text of a .dockerignore file. Pure; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_IGNORE_H
#define SLIPWAY_LIB_DOCKERFILE_IGNORE_H

#include <slipway/array.h>

/* Limits: bytes of a line, of the whole; lines that are patterns. */
enum {
        SW_DF_IGNORE_LINE_MAX = 64 * 1024,
        SW_DF_IGNORE_MAX = 16 * 1024 * 1024,
        SW_DF_IGNORE_PATTERNS_MAX = 100 * 1000,
};

/**
 * sw_df_ignore_parse - the patterns of a text, cleaned, in the order they stand: comments
 * and blank lines left out, relative to the context, "!" kept in front.
 * @out: added to. What is in it is for sw_patterns_new() and for the attribute of a source.
 * Errors: SW_E_LIMIT; SW_E_INVALID: a NUL in a line, or "!" alone.
 */
SW_NODISCARD sw_err *sw_df_ignore_parse(const char *text, size_t len, sw_strlist *out);

#endif
