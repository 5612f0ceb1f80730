/*
 * core/store/lmdbcheck.h - whether an LMDB data file is safe to map.
 *
 * LMDB trusts its file: a page that points outside it, or at itself, ends the program or
 * hangs it. This looks at the file with bounded reads only: both meta pages, then every
 * page that can be reached from the newer one, each at most once; that page numbers, flags,
 * bounds and node sizes make sense; that keys are in order within a page. What it passes
 * may hold nonsense as data, but LMDB can walk it.
 *
 * Format: data version 1 of LMDB 0.9, 64-bit, little-endian.
 */
#ifndef SLIPWAY_CORE_STORE_LMDBCHECK_H
#define SLIPWAY_CORE_STORE_LMDBCHECK_H

#include <stddef.h>

#include <slipway/error.h>

SW_BEGIN_DECLS

/** sw__lmdb_check - @p: the whole file, @n bytes. Errors: SW_E_CORRUPT, says where.
 *  Thread: any.   Time and memory: linear in @n. */
SW_API SW_NODISCARD sw_err *sw__lmdb_check(const void *p, size_t n);

SW_END_DECLS
#endif
