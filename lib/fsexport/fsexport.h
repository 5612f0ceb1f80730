/*
 * lib/fsexport/fsexport.h - what the exporters of plain files share: attributes, folders of
 * platforms, progress.
 *
 *      source-date-epoch   seconds; every modification time becomes this. Empty: as it is
 *      platform-split      a folder for each platform, "linux_amd64"; default: when the
 *                          result is a map of platforms
 *      attestation-prefix  kept for attestations
 *      mode                copy, or delete what the result does not have; local only
 */
#ifndef SLIPWAY_LIB_FSEXPORT_H
#define SLIPWAY_LIB_FSEXPORT_H

#include <slipway/exporter.h>

#include "lib/layer/walk.h"

struct sw_fsexport {
        bool epoch_set;
        int64_t epoch; /* seconds; -1: explicitly none */
        bool split_set, split;
        bool mirror; /* mode=delete */
};

/** sw_fsexport_resolve - for sw_exporter_ops.resolve. @local: mode is known.
 *  Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_fsexport_resolve(sw_ctx *ctx, const struct sw_attr *attrs, size_t n,
                                         bool local, void **resolved);
void sw_fsexport_release(void *self, void *resolved);

/** sw_fsexport_split - whether results go into folders of their own. */
bool sw_fsexport_split(const struct sw_export_request *req);

/* Bytes that were written, told to who waits, at most ten times a second. */
struct sw_fsexport_progress {
        sw_ctx *ctx;
        struct sw_progress p;
        int64_t told; /* monotonic ns */
};
void sw_fsexport_begin(struct sw_fsexport_progress *g, sw_ctx *ctx, const char *id);
void sw_fsexport_add(struct sw_fsexport_progress *g, int64_t bytes);
void sw_fsexport_end(struct sw_fsexport_progress *g);

/** sw_fsexport_ready - fetch and unpack what is lazy in the results: before the target is
 *  opened, so that nothing of it stays when that fails. */
SW_NODISCARD sw_err *sw_fsexport_ready(sw_ctx *ctx, const struct sw_export_request *req);

/**
 * sw_fsexport_each - tell @ops everything of every result: in folders where they are split.
 * Directories above (folders) are told with mode 0755. @begin is called before each result
 * with its platform; may be NULL.
 */
SW_NODISCARD sw_err *sw_fsexport_each(sw_ctx *ctx, const struct sw_export_request *req,
                                      bool split, const struct sw_layer_ops *ops, void *w,
                                      void (*begin)(void *arg, const char *platform),
                                      void *arg);

#endif
