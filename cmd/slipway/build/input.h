/*
 * cmd/slipway/build/input.h - standard input, waited for no longer than the build is
 * wanted. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_INPUT_H
#define SLIPWAY_CMD_BUILD_INPUT_H

#include <slipway/buf.h>
#include <slipway/cancel.h>

/** input_read - what is there of standard input, at most @n bytes; *got 0: it has ended.
 *  Errors: SW_E_CANCELLED, SW_E_IO. */
SW_NODISCARD sw_err *input_read(sw_cancel *cancel, void *p, size_t n, size_t *got);
/** input_read_all - all of it. Errors: besides, SW_E_LIMIT: more than @limit bytes. */
SW_NODISCARD sw_err *input_read_all(sw_cancel *cancel, size_t limit, sw_buf *out);

#endif
