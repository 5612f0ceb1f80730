/*
 * cmd/slipway/progress/colour.h - colours of the progress on a terminal: blue for what is
 * done, yellow and red for what is not well, unless BUILDKIT_COLORS says otherwise
 * ("run=green:error=255,80,80"). NO_COLOR: none at all. Thread: main.
 */
#ifndef SLIPWAY_CMD_PROGRESS_COLOUR_H
#define SLIPWAY_CMD_PROGRESS_COLOUR_H

#include <stdbool.h>

/* Escape sequences; NULL: the terminal's own colour. */
struct colours {
        const char *done, *cancel, *error, *warning, *log;
        char store[4][32];
};

/** colours_init - false when there are to be no colours. */
bool colours_init(struct colours *c);

#endif
