/*
 * plugins/exporter-oci/oci.h - images as archives and directories, in the layout of OCI.
 *
 *      oci-layout, index.json    what it is, and the images in it by name
 *      blobs/sha256/HEX          manifests, configurations, layers
 *      manifest.json             for `docker load`: type=docker alone
 *
 * Attributes: those of lib/imageexport, and tar (default true; false: a directory).
 */
#ifndef SLIPWAY_PLUGINS_EXPORTER_OCI_H
#define SLIPWAY_PLUGINS_EXPORTER_OCI_H

#include "lib/imageexport/imageexport.h"

#define OCI_LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

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

/** oci_entries - what index.json lists: the image once for each name. @dflt: the tag it has
 *  there when there is no name; NULL: none. Added to @out. */
void oci_entries(const struct oci_job *j, const char *dflt, sw_descs *out);
/** oci_index_json - index.json with these images. */
void oci_index_json(const sw_descs *entries, sw_buf *out);
/** oci_docker_json - manifest.json. */
void oci_docker_json(const struct oci_job *j, sw_buf *out);

/** oci_archive, oci_directory - to the request's target. */
SW_NODISCARD sw_err *oci_archive(const struct oci_job *j);
SW_NODISCARD sw_err *oci_directory(const struct oci_job *j);

#endif
