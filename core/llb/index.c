/*
 * core/llb/index.c - digests to numbers, by open addressing. See index.h.
 *
 * Invariants: at most half of the slots are taken; a slot's tag is half of the hash, so
 * that other digests are rarely looked at.
 * Thread: any, one at a time while digests are added.
 */
#include <string.h>
#include <sys/random.h>

#include <slipway/mem.h>

#include "core/llb/index.h"

#define PREFIX "sha256:"

struct sw__llb_slot {
        uint32_t number, tag; /* number + 1; 0: free */
};

/* A digest is random but its maker may choose among many: mix in what he cannot know. */
static uint64_t
hash_of(const struct sw__llb_index *x, const sw_digest *d)
{
        uint64_t a, b;
        unsigned __int128 m;

        memcpy(&a, d->b, sizeof(a));
        memcpy(&b, d->b + sizeof(a), sizeof(b));
        m = (unsigned __int128) (a ^ x->secret) * (b ^ (x->secret << 32 | x->secret >> 32));
        return (uint64_t) m ^ (uint64_t) (m >> 64);
}

void
sw__llb_index_init(struct sw__llb_index *x, size_t max, const sw_digest *digests)
{
        size_t n = 16;

        while (n < max * 2)
                n *= 2;
        *x = (struct sw__llb_index){ .mask = (uint32_t) (n - 1), .digests = digests };
        x->slots = (struct sw__llb_slot *) sw_alloc_array(n, sizeof(*x->slots));
        while (getrandom(&x->secret, sizeof(x->secret), 0) != (ssize_t) sizeof(x->secret))
                if (errno != EINTR)
                        abort(); /* a kernel without getrandom is older than what we need */
}

void
sw__llb_index_release(struct sw__llb_index *x)
{
        free(x->slots);
        x->slots = NULL;
}

void
sw__llb_index_add(struct sw__llb_index *x, uint32_t number)
{
        uint64_t h = hash_of(x, &x->digests[number]);
        uint32_t i = (uint32_t) h & x->mask;

        while (x->slots[i].number)
                i = (i + 1) & x->mask;
        x->slots[i] = (struct sw__llb_slot){ number + 1, (uint32_t) (h >> 32) };
}

uint32_t
sw__llb_index_find(const struct sw__llb_index *x, const sw_digest *d)
{
        uint64_t h = hash_of(x, d);
        uint32_t i = (uint32_t) h & x->mask, tag = (uint32_t) (h >> 32);

        for (; x->slots[i].number; i = (i + 1) & x->mask)
                if (x->slots[i].tag == tag &&
                    memcmp(x->digests[x->slots[i].number - 1].b, d->b, sizeof(d->b)) == 0)
                        return x->slots[i].number - 1;
        return SW__LLB_NONE;
}

/* One more than the value of a lower-case hexadecimal digit; 0 for anything else. */
static const uint8_t digit[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

bool
sw__llb_digest_read(const char *s, sw_digest *out)
{
        if (strnlen(s, SW_DIGEST_STR_SIZE) != SW_DIGEST_STR_LEN ||
            memcmp(s, PREFIX, sizeof(PREFIX) - 1) != 0)
                return false;
        s += sizeof(PREFIX) - 1;
        for (size_t i = 0; i < SW_DIGEST_LEN; i++) {
                unsigned high = digit[(uint8_t) s[2 * i]];
                unsigned low = digit[(uint8_t) s[2 * i + 1]];

                if (!high || !low)
                        return false;
                out->b[i] = (uint8_t) ((high - 1) << 4 | (low - 1));
        }
        return true;
}
