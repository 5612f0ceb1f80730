/* plugins/exporter-local/mirror.h - removing what a result does not have. */
#ifndef SLIPWAY_PLUGINS_EXPORTER_LOCAL_MIRROR_H
#define SLIPWAY_PLUGINS_EXPORTER_LOCAL_MIRROR_H

#include <slipway/ctx.h>
#include <slipway/map.h>

/** mirror_remove - everything below @dirfd (borrowed) whose path is not in @keep. */
SW_NODISCARD sw_err *mirror_remove(sw_ctx *ctx, int dirfd, const sw_map *keep);

#endif
