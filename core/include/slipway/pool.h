/*
 * slipway/pool.h - a pool of worker threads for blocking work.
 *
 * Threads are made as work arrives, up to the maximum, with all signals blocked but those
 * that report their own faults (SIGSEGV and the like), and end after ten idle seconds.
 * Work is taken first in, first out.
 */
#ifndef SLIPWAY_POOL_H
#define SLIPWAY_POOL_H

#include <slipway/error.h>

SW_BEGIN_DECLS

typedef struct sw_pool sw_pool;

/** sw_pool_new - @max_threads >= 1; @name: at most 11 bytes, for ps and gdb.
 *  Errors: SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_pool_new(const char *name, unsigned max_threads,
                                        sw_pool **out);
/** sw_pool_submit - run fn(arg) on a worker. Errors: SW_E_INTERNAL when no thread at all
 *  can be made (nothing is queued then). Thread: any, workers too. */
SW_API SW_NODISCARD sw_err *sw_pool_submit(sw_pool *p, void (*fn)(void *), void *arg);
/** sw_pool_drain - wait until nothing is queued or running. Thread: any but a worker. */
SW_API void sw_pool_drain(sw_pool *p);
/** sw_pool_free - drain, join all threads, release; only work that still runs may submit
 * more. NULL is fine. Thread: any but a worker. */
SW_API void sw_pool_free(sw_pool *p);

SW_DEFINE_AUTOPTR(sw_pool, sw_pool_free)

SW_END_DECLS
#endif
