/*
 * slipway/api.h - what every other header needs: visibility, attributes, versions.
 *
 * Names: sw_ and SW_ are public. sw__ names are shared between the parts of slipway
 * itself; the library exports them under the version node SLIPWAY_PRIVATE, for its own
 * programs and tests, and they may change in every release.
 */
#ifndef SLIPWAY_API_H
#define SLIPWAY_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version of the toolkit that these headers belong to. */
#define SW_VERSION_MAJOR 0
#define SW_VERSION_MINOR 1
#define SW_VERSION_PATCH 0

#define SW_API                __attribute__((visibility("default")))
#define SW_NODISCARD          __attribute__((warn_unused_result))
#define SW_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define SW_MALLOC             __attribute__((malloc))
#define SW_UNUSED             __attribute__((unused))

/* Number of elements of an array (not of a pointer). */
#define SW_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __cplusplus
#define SW_BEGIN_DECLS extern "C" {
#define SW_END_DECLS   }
#else
#define SW_BEGIN_DECLS
#define SW_END_DECLS
#endif

SW_BEGIN_DECLS

/**
 * sw_version - the version of the library that is loaded, "MAJOR.MINOR.PATCH".
 * Thread: any.   Errors: none.   Since: 0.1
 */
SW_API const char *sw_version(void);

SW_END_DECLS
#endif
