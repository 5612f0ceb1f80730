/*
 * cmd/slipway/progress/picture.h - what of a build is worth the rows that a terminal has.
 *
 *      [+] Building 12.3s (7/12)
 *       => 3 internal steps                                                         0.2s
 *       => 12 steps cached
 *       => [build 3/5] RUN make                                                     8.1s
 *       => => # cc -c main.c
 *       => [base 1/2] FROM docker.io/library/debian:12                              3.0s
 *       => => 1 of 2 transferred 12.00MB / 40.00MB 4.10MB/s [=====>          ]
 *       => => sha256:0123456789ab 2.00MB / 30.00MB 4.10MB/s [=>              ]      2.8s
 *
 * Steps of one stage stand together. What failed and what runs comes before what has ended
 * when there is no room for all; a running step has at least one row before another gets
 * more for what it says. The last picture has everything, but for what is folded.
 * Everything from outside is harmless, and cut to the width. Thread: one at a time.
 */
#ifndef SLIPWAY_CMD_PROGRESS_PICTURE_H
#define SLIPWAY_CMD_PROGRESS_PICTURE_H

#include "cmd/slipway/progress/colour.h"
#include "cmd/slipway/progress/model.h"
#include "cmd/slipway/progress/screen.h"

#define PICTURE_WINDOW 6 /* lines of a log, unless it is said otherwise */

struct picture {
        struct colours colours;
        size_t window;  /* lines of the log of a running step */
        sw_map *stages; /* name -> place */
        size_t n_places;
};

void picture_init(struct picture *p);
void picture_release(struct picture *p);

/** picture_make - the rows of @s, which was measured. @final: the build is over. */
void picture_make(struct picture *p, model *m, struct screen *s, bool final);

#endif
