/*
 * cmd/slipway/build/image.h - which outputs there are: --output, and what -t, --push,
 * --load and --annotation make of them. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_IMAGE_H
#define SLIPWAY_CMD_BUILD_IMAGE_H

#include "cmd/slipway/build/load.h"
#include "cmd/slipway/build/output.h"
#include "cmd/slipway/cli.h"

typedef struct image {
        outputs outputs;
        SW_ARRAY(load *) loads; /* one for each name of --load */
} image;

/**
 * image_take - @cancel: borrowed until release. Errors: SW_E_USAGE, and those of
 * load_open().
 *
 * Without any output, names of -t are given to an image in the store; without names, there
 * is none, unless its id is asked for.
 */
SW_NODISCARD sw_err *image_take(image *im, const struct cli_call *call, sw_cancel *cancel);
/** image_why - a better word for @err (given), where an engine that loads has it. */
SW_NODISCARD sw_err *image_why(image *im, sw_err *err);
/** image_id - of the image that was made: its configuration's digest, or its own.
 *  Borrowed; NULL: none was made. */
const char *image_id(const image *im, const sw_build *b);
void image_release(image *im);

#endif
