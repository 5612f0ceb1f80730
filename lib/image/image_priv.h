/* lib/image/image_priv.h - what the files of lib/image share. */
#ifndef SLIPWAY_LIB_IMAGE_PRIV_H
#define SLIPWAY_LIB_IMAGE_PRIV_H

#include "lib/image/image.h"

/** image_json_out - append @j as Go's encoding/json writes it: strings escaped as there,
 *  members in the order they were added in, or by key in the outermost object when @sorted.
 *  @indented: by two spaces a level; else without any space. */
void image_json_out(sw_buf *b, const sw_json *j, bool indented, bool sorted);

/** image_json_set - add a member; @value is given. image_json_set_str: unless it is NULL or
 *  "". */
void image_json_set(sw_json *o, const char *key, sw_json *value);
void image_json_set_str(sw_json *o, const char *key, const char *value);
sw_json *image_json_digest(const sw_digest *d);
/** image_json_pairs - an object of strings; by key. */
sw_json *image_json_pairs(const sw_pairs *p);

/** image_pairs_parse - an object of strings: member @key of @o, which may be missing. */
SW_NODISCARD sw_err *image_pairs_parse(const sw_json *o, const char *key, sw_pairs *out);

/** image_platform_parse - os, architecture and so on as members of @o. @out: handed back,
 *  spelled as it was; NULL when it says nothing of it. */
SW_NODISCARD sw_err *image_platform_parse(const sw_json *o, sw_platform **out);
void image_platform_json(const sw_platform *p, sw_json *o);

/* Text from outside, fit for a message: quoted, cut. */
struct image_shown {
        char text[272];
};
struct image_shown image_shown(const char *s);

/** image_digest_parse - sha256, or SW_E_UNSUPPORTED. */
SW_NODISCARD sw_err *image_digest_parse(const char *s, sw_digest *out);

#endif
