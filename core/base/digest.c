/*
 * core/base/digest.c - SHA-256 by OpenSSL, and the strict text form of digests.
 *
 * The algorithm is fetched once per process and a thread keeps one context for
 * sw_digest_of(), because fetching and making contexts costs several times what hashing a
 * short string does. Setting a context up again for the same algorithm allocates nothing.
 * Thread: any; a hasher belongs to one thread at a time.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include <slipway/digest.h>
#include <slipway/mem.h>

#include "core/base/utf8.h"

#define PREFIX     "sha256:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

struct sw_hasher {
        EVP_MD_CTX *ctx; /* set up, ready for bytes */
};

/* Made once, then only read. */
static struct {
        pthread_once_t once;
        EVP_MD *sha256;
        pthread_key_t ctx_key; /* this thread's EVP_MD_CTX for sw_digest_of() */
} lib = { .once = PTHREAD_ONCE_INIT };

/* A libcrypto that has no working SHA-256 is a broken installation: nothing can be named.
 */
static void __attribute__((noreturn, cold)) no_sha256(void)
{
        static const char line[] = "slipway: libcrypto cannot compute SHA-256\n";

        if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
                abort();
        abort();
}

static void
free_ctx(void *ctx)
{
        EVP_MD_CTX_free((EVP_MD_CTX *) ctx);
}

static void
set_up(void)
{
        /* Without this, exit() tears libcrypto down while other threads may still hash. */
        (void) OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
        lib.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (!lib.sha256 || pthread_key_create(&lib.ctx_key, free_ctx) != 0)
                no_sha256();
}

static void
start(EVP_MD_CTX *ctx)
{
        if (EVP_DigestInit_ex2(ctx, lib.sha256, NULL) != 1)
                no_sha256();
}

static EVP_MD_CTX *
new_ctx(void)
{
        EVP_MD_CTX *ctx;

        (void) pthread_once(&lib.once, set_up);
        ctx = EVP_MD_CTX_new();
        if (!ctx)
                no_sha256();
        return ctx;
}

static EVP_MD_CTX *
this_threads_ctx(void)
{
        EVP_MD_CTX *ctx;

        (void) pthread_once(&lib.once, set_up);
        ctx = (EVP_MD_CTX *) pthread_getspecific(lib.ctx_key);
        if (!ctx) {
                ctx = new_ctx();
                if (pthread_setspecific(lib.ctx_key, ctx) != 0)
                        no_sha256();
        }
        return ctx;
}

sw_digest
sw_digest_of(const void *p, size_t n)
{
        EVP_MD_CTX *ctx = this_threads_ctx();
        sw_digest d;

        start(ctx);
        if (EVP_DigestUpdate(ctx, p, n) != 1 || EVP_DigestFinal_ex(ctx, d.b, NULL) != 1)
                no_sha256();
        return d;
}

/* The value of a lower-case digit, or -1. */
static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL and *@out, or what is wrong with @s. */
static const char *
scan(const char *s, size_t len, sw_digest *out)
{
        if (len < PREFIX_LEN || memcmp(s, PREFIX, PREFIX_LEN) != 0)
                return "does not start with " PREFIX;
        if (len != SW_DIGEST_STR_LEN)
                return "has not 64 digits";
        s += PREFIX_LEN;
        for (size_t i = 0; i < SW_DIGEST_LEN; i++) {
                int high = hex_value(s[2 * i]), low = hex_value(s[2 * i + 1]);

                if (high < 0 || low < 0)
                        return "has a character that is not 0-9 or a-f";
                out->b[i] = (uint8_t) (high << 4 | low);
        }
        return NULL;
}

sw_err *
sw_digest_parse(const char *s, size_t len, sw_digest *out)
{
        sw_digest d;
        const char *wrong;

        if (len == SIZE_MAX)
                len = strlen(s);
        wrong = scan(s, len, &d);
        if (wrong) {
                sw_auto(sw_str) text = sw__shown(s, len);

                return sw_err_new(SW_E_INVALID, "digest %s %s", text, wrong);
        }
        *out = d;
        return SW_OK;
}

bool
sw_digest_is(const char *s, size_t len)
{
        sw_digest d;

        return scan(s, len == SIZE_MAX ? strlen(s) : len, &d) == NULL;
}

const char *
sw_digest_hex(const sw_digest *d, char out[SW_DIGEST_HEX_LEN + 1])
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < SW_DIGEST_LEN; i++) {
                out[2 * i] = digits[d->b[i] >> 4];
                out[2 * i + 1] = digits[d->b[i] & 15];
        }
        out[SW_DIGEST_HEX_LEN] = '\0';
        return out;
}

const char *
sw_digest_str(const sw_digest *d, char out[SW_DIGEST_STR_SIZE])
{
        memcpy(out, PREFIX, PREFIX_LEN);
        (void) sw_digest_hex(d, out + PREFIX_LEN);
        return out;
}

bool
sw_digest_eq(const sw_digest *a, const sw_digest *b)
{
        return memcmp(a->b, b->b, SW_DIGEST_LEN) == 0;
}

int
sw_digest_cmp(const sw_digest *a, const sw_digest *b)
{
        return memcmp(a->b, b->b, SW_DIGEST_LEN);
}

sw_hasher *
sw_hasher_new(void)
{
        sw_hasher *h = sw_new(sw_hasher);

        h->ctx = new_ctx();
        start(h->ctx);
        return h;
}

void
sw_hasher_add(sw_hasher *h, const void *p, size_t n)
{
        if (EVP_DigestUpdate(h->ctx, p, n) != 1)
                no_sha256();
}

sw_digest
sw_hasher_finish(sw_hasher *h)
{
        sw_digest d;

        if (EVP_DigestFinal_ex(h->ctx, d.b, NULL) != 1)
                no_sha256();
        start(h->ctx);
        return d;
}

void
sw_hasher_free(sw_hasher *h)
{
        if (!h)
                return;
        EVP_MD_CTX_free(h->ctx);
        free(h);
}
