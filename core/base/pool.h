/*
 * core/base/pool.h - what the tests of the pool ask of it beside slipway/pool.h.
 */
#ifndef SLIPWAY_BASE_POOL_H
#define SLIPWAY_BASE_POOL_H

#include <slipway/pool.h>

/* How long a thread stays without work; ten seconds when not set. */
SW_API void sw__pool_set_idle(sw_pool *p, int64_t ns);
/* Threads there are now. */
SW_API unsigned sw__pool_threads(sw_pool *p);

#endif
