/* Unit tests of core/base/siphash.c. */
#include <openssl/evp.h>
#include <openssl/params.h>

#include "core/base/siphash.h"
#include "tests/unit/unit.h"

/* SipHash-1-3 as libcrypto computes it. */
static uint64_t
reference(const unsigned char key[16], const unsigned char *p, size_t n)
{
        EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
        EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
        unsigned int c = 1, d = 3;
        size_t size = 8, len;
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_uint("c-rounds", &c),
                OSSL_PARAM_construct_uint("d-rounds", &d),
                OSSL_PARAM_construct_size_t("size", &size),
                OSSL_PARAM_construct_end(),
        };
        unsigned char out[8];
        uint64_t value = 0;

        ck_assert_ptr_nonnull(ctx);
        ck_assert_int_eq(EVP_MAC_init(ctx, key, 16, params), 1);
        ck_assert_int_eq(EVP_MAC_update(ctx, p, n), 1);
        ck_assert_int_eq(EVP_MAC_final(ctx, out, &len, sizeof(out)), 1);
        ck_assert_uint_eq(len, 8);
        EVP_MAC_CTX_free(ctx);
        EVP_MAC_free(mac);
        for (int i = 7; i >= 0; i--)
                value = value << 8 | out[i];
        return value;
}

/* Would catch any slip in the rounds or in how the last bytes are taken. */
START_TEST(agrees_with_libcrypto)
{
        unsigned char bytes[80], key[16];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char) (i * 37 + 200);
        for (size_t i = 0; i < sizeof(key); i++)
                key[i] = (unsigned char) i;
        for (size_t n = 0; n + 1 < sizeof(bytes); n++)
                ck_assert_uint_eq(sw__siphash13(UINT64_C(0x0706050403020100),
                                                UINT64_C(0x0f0e0d0c0b0a0908), bytes + 1, n),
                                  reference(key, bytes + 1, n));
}
END_TEST

UNIT_MAIN("siphash", agrees_with_libcrypto)
