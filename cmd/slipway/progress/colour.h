/*
 * cmd/slipway/progress/colour.h - colours of the progress on a terminal: blue for what is
 * done, yellow and red for what is not well, unless BUILDKIT_COLORS says otherwise
 * ("run=green:error=255,80,80"). NO_COLOR: none at all. Thread: main.
 */
#ifndef SLIPWAY_CMD_PROGRESS_COLOUR_H
#define SLIPWAY_CMD_PROGRESS_COLOUR_H

/* Escape sequences; NULL: the terminal's own colour. */
struct colours {
        const char *done, *cancel, *error, *warning, *log;
        char store[4][32];
};

/** colours_init - for who may use colours at all. */
void colours_init(struct colours *c);

#endif
