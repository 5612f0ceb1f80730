/*
 * lib/image/name.h - names of images: "alpine", "host:5000/a/b:tag@sha256:…", taken apart
 * and written out in full.
 *
 * The rules are those of the distribution project's reference format: a first component
 * with '.' or ':' in it, or "localhost", is the host; without one it is docker.io, where a
 * repository of one component is below library/. Pure; any thread.
 */
#ifndef SLIPWAY_LIB_IMAGE_NAME_H
#define SLIPWAY_LIB_IMAGE_NAME_H

#include <slipway/digest.h>

struct sw_image_name {
        char *host; /* "docker.io", "localhost:5000"; as written, lower case not forced */
        char *repo; /* "library/alpine" */
        char *tag;  /* NULL: none given */
        bool has_digest;
        sw_digest digest;
};

/** sw_image_name_parse - Errors: SW_E_INVALID: "invalid reference format: …" with what is
 *  wrong (upper case, length over 255, a character). */
SW_NODISCARD sw_err *sw_image_name_parse(const char *s, struct sw_image_name *out);
void sw_image_name_release(struct sw_image_name *n);
typedef struct sw_image_name sw_image_name;
SW_DEFINE_AUTO(sw_image_name, sw_image_name_release)
/** sw_image_name_default_tag - "latest" unless it has a tag or a digest. */
void sw_image_name_default_tag(struct sw_image_name *n);
/** sw_image_name_str - in full: "docker.io/library/alpine:latest@sha256:…"; from malloc. */
char *sw_image_name_str(const struct sw_image_name *n);
/** sw_image_name_repo - "docker.io/library/alpine"; from malloc. */
char *sw_image_name_repo(const struct sw_image_name *n);
/** sw_image_name_familiar - as people write it: "alpine:latest"; from malloc. */
char *sw_image_name_familiar(const struct sw_image_name *n);

#endif
