/*
 * core/llb/imagename.h - names of images in definitions: as slipway/imagename.h, with
 * digests of algorithms that are known elsewhere.
 */
#ifndef SLIPWAY_CORE_LLB_IMAGENAME_H
#define SLIPWAY_CORE_LLB_IMAGENAME_H

#include <slipway/imagename.h>

/** sw__image_name_parse_any - @digest: "algorithm:hex" of any algorithm, from malloc, NULL
 *  when there is none; has_digest is set for sha256 alone.
 *  Errors: SW_E_INVALID, which shows the name and says what is wrong with it. */
SW_API SW_NODISCARD sw_err *sw__image_name_parse_any(const char *s, sw_image_name *out,
                                                     char **digest);

#endif
