/*
 * cmd/slipway/build/excerpt.h - the lines of a source that an error is about, as BuildKit's
 * clients print them:
 *
 *      Dockerfile:3
 *      --------------------
 *         1 |     FROM alpine
 *         2 |     WORKDIR /app
 *         3 | >>> RUNN make
 *           |     ^^^^
 *         4 |
 *      --------------------
 *
 * The caret's line is ours, where the error knows the word. Thread: any.
 */
#ifndef SLIPWAY_CMD_BUILD_EXCERPT_H
#define SLIPWAY_CMD_BUILD_EXCERPT_H

#include <slipway/definition.h>

struct excerpt {
        const char *file;
        const char *data; /* the whole text */
        size_t len;
        const struct sw_llb_range *ranges; /* lines count from 1 */
        size_t n_ranges;
        int first_char, end_char; /* of the first marked line: from 1, in bytes, one past
                                     the end; 0: no caret */
        const char *colour;       /* of the caret: an escape sequence, or NULL */
        size_t width;             /* of the terminal: no caret in lines that are broken; 0:
                                     none */
};

/** excerpt_add - nothing when the lines are not in the text. Harmless to terminals. */
void excerpt_add(sw_buf *b, const struct excerpt *x);

#endif
