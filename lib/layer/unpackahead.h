/*
 * lib/layer/unpackahead.h - a thread that reads ahead of who uses the bytes, and hashes
 * them.
 */
#ifndef SLIPWAY_LIB_LAYER_UNPACKAHEAD_H
#define SLIPWAY_LIB_LAYER_UNPACKAHEAD_H

#include "lib/layer/unpack.h"

struct sw_ahead;

/** sw_ahead_start - @in is read by the thread, until it ends, fails, or sw_ahead_stop. */
SW_NODISCARD sw_err *sw_ahead_start(const struct sw_reader *in, struct sw_ahead **out);
/* @ahead: a struct sw_ahead. */
/** sw_ahead_peek - what comes next: at least one byte, and unless it is the very end, up to
 *  a place that is a multiple of 256 KiB from the beginning. *n == 0: the end. The bytes
 *  stay until all of them were skipped. */
SW_NODISCARD sw_err *sw_ahead_peek(void *ahead, const char **p, size_t *n);
void sw_ahead_skip(void *ahead, size_t n); /* at most what peek said */
/** sw_ahead_end - after peek said that it ended. */
void sw_ahead_end(struct sw_ahead *a, sw_digest *digest, int64_t *size);
/** sw_ahead_stop - waits for the read that is going on. NULL is fine. */
void sw_ahead_stop(struct sw_ahead *a);

#endif
