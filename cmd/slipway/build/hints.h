/*
 * cmd/slipway/build/hints.h - what to try after a failure: a table of mistakes that are
 * made often. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_HINTS_H
#define SLIPWAY_CMD_BUILD_HINTS_H

#include "cmd/slipway/progress/model.h"

/* What is known of a failure. */
struct hint_case {
        const char *message;           /* of the error */
        const struct model_step *step; /* that failed; or NULL */
        const char *context;           /* the directory that is built; or NULL */
        const char *ignore_file; /* what leaves files of it out; NULL: .dockerignore */
        bool not_root;           /* slipway runs as a user who may not do everything */
        const char *colour;      /* of the word "hint"; or NULL */
        size_t width;            /* of the terminal; 0: none */
};

/** hints_add - one line that begins with "hint: ", broken where it is too long for the
 *  terminal; nothing when nothing is known. */
void hints_add(sw_buf *b, const struct hint_case *c);

#endif
