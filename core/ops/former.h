/*
 * core/ops/former.h - what a step copied when it ran last: files that are the same again
 * are shared with the layer that it made then, instead of being copied.
 *
 * Of each file that was copied from a listing a *mark* is kept: the digest of where it is
 * in the layer, its content digest (its header and extended attributes are in that) and the
 * metadata it was given. A mark that comes up again says that the layer has this very file
 * there, whatever else has changed: no other step, base or source could have made the same.
 * They are in one file below <root>/hashes, "copy-" and a digest of what people call the
 * step, which the next run replaces.
 *
 *      new -> load -> has, add ... -> keep -> free
 *
 * Thread: one; but has() any. Nothing here is an error: files are copied then.
 */
#ifndef SLIPWAY_CORE_OPS_FORMER_H
#define SLIPWAY_CORE_OPS_FORMER_H

#include <slipway/layer.h>

#include "core/store/refs.h"

SW_BEGIN_DECLS

/* For less it is not worth a file. */
#define SW__FORMER_LEAST 256

typedef struct sw__former sw__former;

/** sw__former_new - @w, @ctx: borrowed. @name: what the step is known by. @use: false: to
 *  have the next run use it only. */
SW_API sw__former *sw__former_new(sw_worker *w, sw_ctx *ctx, const char *name, bool use);
SW_API void sw__former_free(sw__former *f);

/** sw__former_load - the layer that was made last, which is leased from now on; NULL: there
 *  is none any more. Remembered. */
SW_API const char *sw__former_load(sw__former *f);
SW_API sw_digest sw__former_mark(sw_hasher *h, const char *path, const sw_digest *content,
                                 const struct sw_layer_meta *m);
/** sw__former_has - whether that layer has it. */
SW_API bool sw__former_has(const sw__former *f, const sw_digest *mark);
/** sw__former_add - the new layer has it. */
SW_API void sw__former_add(sw__former *f, const sw_digest *mark);
/** sw__former_spoil - something that was told to the new layer was replaced: nothing is
 *  kept of it. */
SW_API void sw__former_spoil(sw__former *f);
/** sw__former_keep - @layer was committed with what was added. */
SW_API void sw__former_keep(sw__former *f, const char *layer);

SW_DEFINE_AUTOPTR(sw__former, sw__former_free)

SW_END_DECLS
#endif
