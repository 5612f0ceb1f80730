/*
 * slipway/digest.h - SHA-256 digests and their strict text form.
 *
 * Text: "sha256:" and exactly 64 lower-case hexadecimal digits, nothing else. Digests
 * from outside are parsed before they are used as a name of anything.
 * Thread: any, but for hashers. A libcrypto without SHA-256 ends the program.
 */
#ifndef SLIPWAY_DIGEST_H
#define SLIPWAY_DIGEST_H

#include <slipway/error.h>

SW_BEGIN_DECLS

#define SW_DIGEST_LEN      32 /* bytes */
#define SW_DIGEST_HEX_LEN  64 /* characters */
#define SW_DIGEST_STR_LEN  (7 + SW_DIGEST_HEX_LEN)
#define SW_DIGEST_STR_SIZE (SW_DIGEST_STR_LEN + 1) /* with NUL */

typedef struct sw_digest {
        uint8_t b[SW_DIGEST_LEN];
} sw_digest;

/** sw_digest_of - SHA-256 of @n bytes. */
SW_API sw_digest sw_digest_of(const void *p, size_t n);

/** sw_digest_parse - strict. @len: bytes of @s, or SIZE_MAX for a C string.
 *  Errors: SW_E_INVALID (says what is wrong and shows at most 100 characters of @s). */
SW_API SW_NODISCARD sw_err *sw_digest_parse(const char *s, size_t len, sw_digest *out);

/** sw_digest_is - whether @s would parse; makes no error object. */
SW_API bool sw_digest_is(const char *s, size_t len);

/** sw_digest_str - "sha256:…" into @out, which is returned. */
SW_API const char *sw_digest_str(const sw_digest *d, char out[SW_DIGEST_STR_SIZE]);
/** sw_digest_hex - the 64 digits alone. */
SW_API const char *sw_digest_hex(const sw_digest *d, char out[SW_DIGEST_HEX_LEN + 1]);

SW_API bool sw_digest_eq(const sw_digest *a, const sw_digest *b);
/** sw_digest_cmp - below, at or above 0, as memcmp. */
SW_API int sw_digest_cmp(const sw_digest *a, const sw_digest *b);

/* Incremental hashing. One thread at a time. */
typedef struct sw_hasher sw_hasher;
SW_API sw_hasher *sw_hasher_new(void); /* never NULL */
SW_API void sw_hasher_add(sw_hasher *h, const void *p, size_t n);
SW_API sw_digest sw_hasher_finish(sw_hasher *h); /* the hasher is fresh again */
SW_API void sw_hasher_free(sw_hasher *h);

SW_DEFINE_AUTOPTR(sw_hasher, sw_hasher_free)

SW_END_DECLS
#endif
