/*
 * core/store/images.h - images from the inside: see slipway/blob.h, and record.h for what
 * is stored.
 */
#ifndef SLIPWAY_CORE_STORE_IMAGES_H
#define SLIPWAY_CORE_STORE_IMAGES_H

#include "core/store/worker_priv.h"

/** sw__images_sweep - pairs in "kept" of images that are not there, or cannot be read: what
 *  they kept can go. */
SW_NODISCARD sw_err *sw__images_sweep(sw_worker *w);
/** sw__image_retag - the image @name by the name @to, too; what had that name goes.
 *  Errors: SW_E_NOT_FOUND. */
SW_API SW_NODISCARD sw_err *sw__image_retag(sw_worker *w, sw_ctx *ctx, const char *name,
                                            const char *to);

#endif
