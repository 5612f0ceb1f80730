/*
 * core/base/mem.h - what the base shares with itself beside slipway/mem.h.
 */
#ifndef SLIPWAY_BASE_MEM_H
#define SLIPWAY_BASE_MEM_H

#include <slipway/mem.h>

/* Say "slipway: out of memory (N bytes)" on stderr and abort(). Allocates nothing. */
SW_API void sw__nomem(size_t size) __attribute__((noreturn, cold));

#endif
