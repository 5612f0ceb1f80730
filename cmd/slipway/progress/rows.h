/*
 * cmd/slipway/progress/rows.h - the rows of one step in a picture: its name and time, its
 * transfers, what it prints. For picture.c. Thread: one at a time.
 */
#ifndef SLIPWAY_CMD_PROGRESS_ROWS_H
#define SLIPWAY_CMD_PROGRESS_ROWS_H

#include "cmd/slipway/progress/picture.h"

struct rows {
        struct screen *screen;
        const struct picture *p;
        bool final;
        int64_t now; /* ns since the epoch */
};

/** rows_add - one row: text cut to what fits, and @right (NULL: nothing) at its end. */
void rows_add(struct rows *r, const char *text, const char *right, const char *colour);
/** rows_step - its name, how it stands, how long it took. */
void rows_step(struct rows *r, const struct model_step *s);
/** rows_wanted - how many rows @s would fill with what goes on in it. */
size_t rows_wanted(const struct rows *r, const struct model_step *s);
/** rows_details - these, @n of them at most. */
void rows_details(struct rows *r, const struct model_step *s, size_t n);
/** rows_rates - look at how fast the transfers of @s are. */
void rows_rates(struct model_step *s, int64_t now_mono);

#endif
