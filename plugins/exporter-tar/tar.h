/* plugins/exporter-tar/tar.h - from a request to an archive. */
#ifndef SLIPWAY_PLUGINS_EXPORTER_TAR_H
#define SLIPWAY_PLUGINS_EXPORTER_TAR_H

#include "lib/fsexport/fsexport.h"

/** tar_export - Errors: SW_E_INVALID: no place to write to; SW_E_IO; SW_E_CANCELLED. The
 *  file appears under its name only when all of it is there. */
SW_NODISCARD sw_err *tar_export(sw_ctx *ctx, const struct sw_export_request *req);

#endif
