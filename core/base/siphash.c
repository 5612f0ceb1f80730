/*
 * core/base/siphash.c - SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF"), with one round per word and three at the end: enough that who does not know the
 * key cannot make keys collide, and the cheapest variant of which that is believed.
 *
 * libcrypto has SipHash too, as a MAC that is fetched and set up per key: that costs more
 * than the hash of a short string does.
 */
#include <endian.h>
#include <string.h>

#include "core/base/siphash.h"

struct state {
        uint64_t a, b, c, d;
};

static inline uint64_t
rotl(uint64_t x, unsigned n)
{
        return x << n | x >> (64 - n);
}

static inline void
sip_round(struct state *s)
{
        s->a += s->b;
        s->c += s->d;
        s->b = rotl(s->b, 13) ^ s->a;
        s->d = rotl(s->d, 16) ^ s->c;
        s->a = rotl(s->a, 32) + s->d;
        s->c += s->b;
        s->d = rotl(s->d, 21) ^ s->a;
        s->b = rotl(s->b, 17) ^ s->c;
        s->c = rotl(s->c, 32);
}

static inline void
absorb(struct state *s, uint64_t word)
{
        s->d ^= word;
        sip_round(s);
        s->a ^= word;
}

uint64_t
sw__siphash13(uint64_t k0, uint64_t k1, const void *p, size_t n)
{
        /* The constants of the specification, "somepseudorandomlygeneratedbytes". */
        struct state s = { k0 ^ UINT64_C(0x736f6d6570736575),
                           k1 ^ UINT64_C(0x646f72616e646f6d),
                           k0 ^ UINT64_C(0x6c7967656e657261),
                           k1 ^ UINT64_C(0x7465646279746573) };
        const unsigned char *at = (const unsigned char *) p;
        uint64_t last = (uint64_t) n << 56;
        size_t left = n;

        for (; left >= 8; at += 8, left -= 8) {
                uint64_t word;

                memcpy(&word, at, 8);
                absorb(&s, le64toh(word));
        }
        for (size_t i = 0; i < left; i++)
                last |= (uint64_t) at[i] << (8 * i);
        absorb(&s, last);

        s.c ^= 0xff;
        sip_round(&s);
        sip_round(&s);
        sip_round(&s);
        return s.a ^ s.b ^ s.c ^ s.d;
}
