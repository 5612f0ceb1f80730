/*
 * slipway/imagename.h - names of images: "alpine", "host:5000/a/b:tag@sha256:…", taken
 * apart and written out in full.
 *
 * The rules are those of the distribution project's reference format: a first component
 * with '.' or ':' in it, or a capital, or "localhost", is the host; without one it is
 * docker.io, where a repository of one component is below library/.
 *
 *      alpine                   docker.io/library/alpine
 *      o/app:v1                 docker.io/o/app:v1
 *      localhost:5000/app       itself
 *
 * Thread: any.
 */
#ifndef SLIPWAY_IMAGENAME_H
#define SLIPWAY_IMAGENAME_H

#include <slipway/digest.h>

SW_BEGIN_DECLS

typedef struct sw_image_name {
        char *host; /* "docker.io", "localhost:5000"; as written, lower case not forced */
        char *repo; /* "library/alpine" */
        char *tag;  /* NULL: none given */
        bool has_digest;
        sw_digest digest;
} sw_image_name;

/** sw_image_name_parse - @out: handed back, to be released.
 *  Errors: SW_E_INVALID: "invalid reference format: …" with what is wrong (upper case,
 *  length over 255, a character); SW_E_UNSUPPORTED: a digest that is not sha256.
 *  Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_image_name_parse(const char *s, sw_image_name *out);
SW_API void sw_image_name_release(sw_image_name *n);

/** sw_image_name_default_tag - "latest" unless it has a tag or a digest.   Since: 0.1 */
SW_API void sw_image_name_default_tag(sw_image_name *n);

/** sw_image_name_str - in full: "docker.io/library/alpine:latest@sha256:…"; from malloc.
 *  Since: 0.1 */
SW_API char *sw_image_name_str(const sw_image_name *n);
/** sw_image_name_repo - "docker.io/library/alpine"; from malloc.   Since: 0.1 */
SW_API char *sw_image_name_repo(const sw_image_name *n);
/** sw_image_name_familiar - as people write it: "alpine:latest"; from malloc.
 *  Since: 0.1 */
SW_API char *sw_image_name_familiar(const sw_image_name *n);

SW_DEFINE_AUTO(sw_image_name, sw_image_name_release)

SW_END_DECLS
#endif
