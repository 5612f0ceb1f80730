/*
 * slipway/platform.h - what a tree is for: operating system, architecture, variant.
 *
 * Names are Go's (GOOS, GOARCH), as everywhere in the container world: "linux/amd64",
 * "linux/arm/v7". A platform is immutable; those handed back are one block of memory,
 * released with sw_platform_free() whatever they hold. Thread: any.
 */
#ifndef SLIPWAY_PLATFORM_H
#define SLIPWAY_PLATFORM_H

#include <slipway/error.h>

SW_BEGIN_DECLS

/* Members may be NULL, which is the same as "". Made by hand for a call:
 * &(struct sw_platform){ .os = "linux", .arch = "arm64" } */
typedef struct sw_platform {
        const char *os;
        const char *arch;
        const char *variant;
        const char *os_version;
        const char *const *os_features; /* NULL-ended; or NULL */
} sw_platform;

/**
 * sw_platform_parse - "os", "arch", "os/arch", "os/arch/variant"; the first part may be
 * "os(version+feature…)". What is left out is this machine's. Spellings are made
 * canonical (x86_64, aarch64, armhf, macos).
 * @out: handed back.
 * Errors: SW_E_INVALID, which shows the string and the part that is wrong.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_platform_parse(const char *s, sw_platform **out);

/** sw_platform_normalize - a copy with canonical spelling: lower case, arm64/v8 is arm64,
 *  arm is arm/v7, no os is this machine's; features sorted. Handed back.   Since: 0.1 */
SW_API sw_platform *sw_platform_normalize(const sw_platform *p);

/** sw_platform_copy - an exact copy, handed back; NULL gives NULL.   Since: 0.1 */
SW_API sw_platform *sw_platform_copy(const sw_platform *p);

/** sw_platform_host - what this library was built for; static.   Since: 0.1 */
SW_API const sw_platform *sw_platform_host(void);

/** sw_platform_str - "os/arch[/variant]", from malloc.   Since: 0.1 */
SW_API char *sw_platform_str(const sw_platform *p);

/** sw_platform_free - @p: given; NULL is allowed. */
SW_API void sw_platform_free(sw_platform *p);

SW_DEFINE_AUTOPTR(sw_platform, sw_platform_free)

SW_END_DECLS
#endif
