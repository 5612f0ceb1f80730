/*
 * cmd/slipway/images.h - images that are kept: finding, reading and measuring them, for
 * the verbs below `slipway images`. Thread: main.
 */
#ifndef SLIPWAY_CMD_IMAGES_H
#define SLIPWAY_CMD_IMAGES_H

#include <slipway/blob.h>
#include <slipway/time.h>

#include "cmd/slipway/usage.h"
#include "lib/image/image.h"

/** images_full_name - "app" as it is kept: "docker.io/library/app:latest"; from malloc.
 *  Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *images_full_name(const char *asked, char **out);
/** image_find - by the name as it is kept, or what that is in full. @out: has one; handed
 *  back. Errors: SW_E_NOT_FOUND, with a near name. */
SW_NODISCARD sw_err *image_find(store *s, const char *asked, sw_image_list *out);
/** image_read - a document of the content store, appended. Errors: SW_E_NOT_FOUND,
 *  SW_E_LIMIT, SW_E_CORRUPT. */
SW_NODISCARD sw_err *image_read(sw_worker *w, const sw_digest *d, size_t limit,
                                sw_buf *out);
/** image_size - of all that it points at, as manifests say, each blob once; what cannot be
 *  read counts as nothing. */
int64_t image_size(sw_worker *w, const struct sw_image *i);
/** image_json - what is known without looking at documents. */
sw_json *image_json(sw_worker *w, const struct sw_image *i);
/** image_time - "2026-11-21T18:00:00Z". */
void image_time(int64_t ns, char out[SW_TIME_STR_SIZE]);

#endif
