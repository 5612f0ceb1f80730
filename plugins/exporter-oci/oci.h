/*
 * plugins/exporter-oci/oci.h - images as archives and directories, in the layout of OCI
 * (lib/imagearchive); type=docker has manifest.json, too.
 *
 * Attributes: those of lib/imageexport, and tar (default true; false: a directory).
 */
#ifndef SLIPWAY_PLUGINS_EXPORTER_OCI_H
#define SLIPWAY_PLUGINS_EXPORTER_OCI_H

#include "lib/imageexport/imageexport.h"

struct oci {
        struct sw_imageexport e;
        bool dir; /* tar=false */
};

/* One export under way. */
struct oci_job {
        sw_ctx *ctx;
        const struct sw_export_request *req;
        struct sw_made *made;
        sw_strlist names; /* in full */
        bool docker;
};

/** oci_export - for sw_exporter_ops.export_refs. */
SW_NODISCARD sw_err *oci_export(sw_ctx *ctx, const struct sw_export_request *req,
                                struct sw_export_result *out);

/** oci_archive, oci_directory - to the request's target. */
SW_NODISCARD sw_err *oci_archive(const struct oci_job *j);
SW_NODISCARD sw_err *oci_directory(const struct oci_job *j);

#endif
