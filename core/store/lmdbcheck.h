/*
 * core/store/lmdbcheck.h - whether an LMDB data file is safe to map.
 *
 * LMDB trusts its file: a page that points outside it, or at itself, a flag that is not
 * what the database was made with, a page that is both free and in use end the program,
 * hang it or spread. This looks at the whole file first, with bounded reads only, for
 * everything that LMDB 0.9.24 relies on, when it reads and when it writes:
 *
 *   - both meta pages, and that LMDB would take the newer one for the newer one too
 *   - every page of every tree, at most once: number, exact flags, bounds; nodes fill the
 *     used part of a page without gap or overlap and are of a size that LMDB would make
 *   - keys in order within a page and, by the keys above it, among pages
 *   - node flags that fit the kind of database; duplicates in sub-pages and in trees
 *   - the list of free pages: sorted, none of them in use, none twice
 *   - that the counts of pages and entries in each database's record are right
 *
 * What it passes may hold nonsense as data, but LMDB can walk and change it. The strict
 * counts are there because a page of an older state in the place of a newer one (a power
 * failure) often fits in every other way.
 *
 * Only what slipway makes is passed: no fixed-size values, integer or reversed keys, pages
 * of 4 KiB to 32 KiB, at most SW_LMDB_FILE_MAX bytes.
 *
 * Format: data version 1 of LMDB 0.9, 64-bit, little-endian.
 */
#ifndef SLIPWAY_CORE_STORE_LMDBCHECK_H
#define SLIPWAY_CORE_STORE_LMDBCHECK_H

#include <stddef.h>

#include <slipway/error.h>

SW_BEGIN_DECLS

/* The most that the pages of a file may span: the address space that is mapped for it. */
#define SW_LMDB_FILE_MAX ((uint64_t) 64 << 30)

/** sw__lmdb_check - @p: the whole file, @n bytes. Errors: SW_E_CORRUPT, says where.
 *  Thread: any.   Time and memory: linear in @n. */
SW_API SW_NODISCARD sw_err *sw__lmdb_check(const void *p, size_t n);

/** sw__lmdb_peek - look for the value of @key in the main database of a file that may be
 *  damaged. @out: given @size bytes, gets at most @size - 1 of the value and a NUL.
 *  Returns whether one was found. */
SW_API bool sw__lmdb_peek(const void *p, size_t n, const char *key, char *out, size_t size);

SW_END_DECLS
#endif
