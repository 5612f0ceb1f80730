/* plugins/exporter-local/local.h - from a request to files in a directory. */
#ifndef SLIPWAY_PLUGINS_EXPORTER_LOCAL_H
#define SLIPWAY_PLUGINS_EXPORTER_LOCAL_H

#include "lib/fsexport/fsexport.h"

/** local_export - Errors: SW_E_INVALID: no directory; SW_E_EXISTS: two platforms have one
 *  file and are not split; SW_E_IO, SW_E_DENIED; SW_E_CANCELLED. A file appears under its
 *  name only when all of it is there. */
SW_NODISCARD sw_err *local_export(sw_ctx *ctx, const struct sw_export_request *req);

#endif
