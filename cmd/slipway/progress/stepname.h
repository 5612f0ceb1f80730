/*
 * cmd/slipway/progress/stepname.h - what the name of a step says: "[build 2/5] RUN make" is
 * the second of five steps of the stage "build". Thread: any.
 */
#ifndef SLIPWAY_CMD_PROGRESS_STEPNAME_H
#define SLIPWAY_CMD_PROGRESS_STEPNAME_H

#include <stdbool.h>
#include <stddef.h>

struct step_name {
        const char *stage; /* "build", "linux/arm64 build", "" where there is one only;
                              borrowed, not ended; NULL: it is in none */
        size_t stage_len;
        bool internal;    /* it loads what a frontend reads, or a credential */
        const char *text; /* what is after the bracket, or the whole name */
};

void step_name_parse(const char *name, struct step_name *out);

#endif
