/*
 * core/solver/key.c - ids of cache keys.
 *
 * Thread: any.
 */
#include <stdio.h>

#include <slipway/id.h>

#include "core/solver/keystore.h"

void
sw__key_root(const char *digest, int32_t output, sw_key_id *out)
{
        char text[SW_KEY_TEXT_SIZE + 16];
        int n = snprintf(text, sizeof(text), "%s@%d", digest, (int) output);
        sw_digest d = sw_digest_of(text, (size_t) n);
        char hex[SW_DIGEST_HEX_LEN + 1];
        const char *scheme = sw__key_is_volatile(digest) ? "random" : "sha256";

        snprintf(out->s, sizeof(out->s), "%s:%s", scheme, sw_digest_hex(&d, hex));
}

void
sw__key_new(sw_key_id *out)
{
        char id[SW_ID_SIZE];

        snprintf(out->s, sizeof(out->s), "%s", sw_id_new(id));
}

void
sw__key_new_volatile(sw_key_id *out)
{
        char id[SW_ID_SIZE];

        snprintf(out->s, sizeof(out->s), "random:%s", sw_id_new(id));
}
