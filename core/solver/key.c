/*
 * core/solver/key.c - ids of cache keys, and the limits of what is stored of them.
 *
 * Thread: any.
 */
#include <assert.h>
#include <stdio.h>

#include <slipway/id.h>

#include "core/solver/keystore.h"

void
sw__key_root(const char *digest, int32_t output, sw_key_id *out)
{
        char text[SW_KEY_TEXT_SIZE + 16];

        assert(strlen(digest) <= SW_KEY_TEXT_MAX);
        size_t n = strlen(digest);
        memcpy(text, digest, n + 1);
        n += (size_t) snprintf(text + n, sizeof(text) - n, "@%d", (int) output);
        sw_digest d = sw_digest_of(text, n);
        char hex[SW_DIGEST_HEX_LEN + 1];

        memcpy(out->s, sw__key_is_volatile(digest) ? "random:" : "sha256:", 7);
        memcpy(out->s + 7, sw_digest_hex(&d, hex), sizeof(hex));
}

void
sw__key_new(struct sw__key_maker *from, sw_key_id *out)
{
        static const char digits[] = "0123456789abcdef";
        size_t len = SW_ID_LEN;

        if (!from->begin[0])
                sw_id_new(from->begin);
        memcpy(out->s, from->begin, len);
        for (uint64_t n = ++from->n; n; n >>= 4) /* lowest digit first: as good */
                out->s[len++] = digits[n & 15];
        out->s[len] = '\0';
}

void
sw__key_new_volatile(sw_key_id *out)
{
        char id[SW_ID_SIZE];

        snprintf(out->s, sizeof(out->s), "random:%s", sw_id_new(id));
}

/* ---- limits ---- */

static sw_err *
check_text(const char *what, const char *s, size_t min, size_t max)
{
        const size_t n = strnlen(s, max + 1);

        if (n >= min && n <= max)
                return SW_OK;
        return sw_err_new(SW_E_LIMIT, "cache: %s must have %zu to %zu bytes", what, min,
                          max);
}

sw_err *
sw__key_check_link(const char *parent, const struct sw_key_link *link, const char *child)
{
        sw_err *err = check_text("the parent's id", parent, 1, SW_KEY_TEXT_MAX);

        if (!err)
                err = check_text("a digest", link->digest, 1, SW_KEY_TEXT_MAX);
        if (!err)
                err = check_text("a selector", link->selector, 0, SW_KEY_TEXT_MAX);
        return err ? err : check_text("the child's id", child, 1, SW_KEY_TEXT_MAX);
}

sw_err *
sw__key_check_record(const char *id, const char *result)
{
        sw_err *err = check_text("a key's id", id, 1, SW_KEY_TEXT_MAX);

        return err ? err : check_text("a result's id", result, 1, SW_RESULT_ID_MAX);
}

sw_err *
sw__key_check_note(const char *digest, const char *const *content, size_t n)
{
        sw_err *err = check_text("a digest", digest, 1, SW_KEY_TEXT_MAX);

        if (!err && n > SW_KEY_NOTE_MAX)
                err = sw_err_new(SW_E_LIMIT, "cache: a note of %zu inputs, more than %d", n,
                                 SW_KEY_NOTE_MAX);
        for (size_t i = 0; i < n && !err; i++)
                err = check_text("a content digest", content[i], 0, SW_KEY_TEXT_MAX);
        return err;
}
