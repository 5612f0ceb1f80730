/*
 * lib/layer/spool.h - files without a name, for data that have to wait.
 */
#ifndef SLIPWAY_LIB_LAYER_SPOOL_H
#define SLIPWAY_LIB_LAYER_SPOOL_H

#include <slipway/ctx.h>

/* What is no larger than this is better kept in memory. */
#define SW_SPOOL_MEMORY ((int64_t) 1 << 20)

/** sw_spool_new - an empty file in $TMPDIR, else /var/tmp, else in memory, that is gone
 *  when it is closed. @fd: read and write. Errors: SW_E_IO. */
SW_NODISCARD sw_err *sw_spool_new(int *fd);

/** sw_spool_fill - a new one with @len bytes that @read gives. Errors: SW_E_IO (they end
 *  early), what @read says, SW_E_CANCELLED. */
SW_NODISCARD sw_err *sw_spool_fill(sw_ctx *ctx,
                                   sw_err *(*read)(void *arg, void *p, size_t n,
                                                   size_t *got),
                                   void *arg, int64_t len, int *fd);

#endif
