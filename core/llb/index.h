/*
 * core/llb/index.h - which of an array of digests is this one: a flat hash table of
 * numbers.
 *
 * The digests stay in the array, which only grows; room for all is made at the start.
 * Digests come from outside, so their bits are mixed with a secret before they choose a
 * slot.
 */
#ifndef SLIPWAY_CORE_LLB_INDEX_H
#define SLIPWAY_CORE_LLB_INDEX_H

#include <slipway/digest.h>

#define SW__LLB_NONE UINT32_MAX

struct sw__llb_index {
        struct sw__llb_slot *slots;
        uint64_t secret;
        uint32_t mask;
        const sw_digest *digests; /* borrowed */
};

/** sw__llb_index_init - @max: how many @digests there will be at most. */
void sw__llb_index_init(struct sw__llb_index *x, size_t max, const sw_digest *digests);
void sw__llb_index_release(struct sw__llb_index *x);
/** sw__llb_index_add - digests[@i] has been set and is not in the table. */
void sw__llb_index_add(struct sw__llb_index *x, uint32_t i);
/** sw__llb_index_find - the number of @d, or SW__LLB_NONE. */
uint32_t sw__llb_index_find(const struct sw__llb_index *x, const sw_digest *d);

/** sw__llb_digest_read - "sha256:…" as sw_digest_parse() reads it, without an error
 *  object; false when it is no digest. */
bool sw__llb_digest_read(const char *s, sw_digest *out);

#endif
