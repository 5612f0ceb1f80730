/*
 * core/base/siphash.h - SipHash, the keyed hash of byte strings behind sw_map.
 */
#ifndef SLIPWAY_BASE_SIPHASH_H
#define SLIPWAY_BASE_SIPHASH_H

#include <slipway/api.h>

/* SipHash-1-3 of @n bytes under the 128-bit key @k0, @k1. Thread: any. */
SW_API uint64_t sw__siphash13(uint64_t k0, uint64_t k1, const void *p, size_t n);

#endif
