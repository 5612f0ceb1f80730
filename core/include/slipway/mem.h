/*
 * slipway/mem.h - memory.
 *
 * Small allocations of fixed size cannot usefully fail: these helpers end the program
 * with one line on stderr ("slipway: out of memory (N bytes)") and abort(). Sizes that
 * come from input are limited before anything is taken for them (SW_E_LIMIT).
 * Thread: any. Memory is released with free().
 */
#ifndef SLIPWAY_MEM_H
#define SLIPWAY_MEM_H

#include <slipway/error.h>

SW_BEGIN_DECLS

/** sw_alloc - zeroed memory; never NULL. Release with free(). */
SW_API SW_MALLOC void *sw_alloc(size_t size);

/** sw_alloc_array - zeroed array of @n elements; overflow ends the program. */
SW_API SW_MALLOC void *sw_alloc_array(size_t n, size_t size);

/** sw_realloc_array - resize; new bytes are not zeroed; never NULL. */
SW_API void *sw_realloc_array(void *p, size_t n, size_t size);

/** sw_new - one zeroed T. */
#define sw_new(T) ((T *) sw_alloc(sizeof(T)))

/** sw_strdup, sw_strndup, sw_memdup - copies; NULL gives NULL. */
SW_API SW_MALLOC char *sw_strdup(const char *s);
SW_API SW_MALLOC char *sw_strndup(const char *s, size_t n);
SW_API SW_MALLOC void *sw_memdup(const void *p, size_t n);

/** sw_asprintf - formatted string; never NULL. */
SW_API SW_MALLOC char *sw_asprintf(const char *fmt, ...) SW_PRINTF(1, 2);

SW_END_DECLS
#endif
