/*
 * core/llb/imagename.h - names of images as people write them, and in full.
 *
 *   alpine                    docker.io/library/alpine
 *   o/app:v1                  docker.io/o/app:v1
 *   ghcr.io/o/app@sha256:…    itself
 *   localhost:5000/app        itself
 */
#ifndef SLIPWAY_CORE_LLB_IMAGENAME_H
#define SLIPWAY_CORE_LLB_IMAGENAME_H

#include <slipway/error.h>

struct image_name {
        char *name;   /* domain and path, normalized */
        char *tag;    /* NULL: none */
        char *digest; /* "algorithm:hex"; NULL: none */
};

/** sw__image_name_parse - @out: handed back, to be released.
 *  Errors: SW_E_INVALID, which shows the name and says what is wrong with it. */
SW_API SW_NODISCARD sw_err *sw__image_name_parse(const char *s, struct image_name *out);
SW_API void sw__image_name_release(struct image_name *n);

/** sw__image_name_str - "name[:tag][@digest]", from malloc. */
SW_API char *sw__image_name_str(const struct image_name *n);

typedef struct image_name image_name;
SW_DEFINE_AUTO(image_name, sw__image_name_release)

#endif
