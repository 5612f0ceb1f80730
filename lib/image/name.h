/* lib/image/name.h - names of images are the core's: it has them in definitions, too. */
#ifndef SLIPWAY_LIB_IMAGE_NAME_H
#define SLIPWAY_LIB_IMAGE_NAME_H

#include <slipway/imagename.h>

#endif
