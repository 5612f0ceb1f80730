/*
 * core/store/chainid.h - names by which layers are found: "chainid:sha256:…".
 *
 * The chain id of a tree is that of OCI images: of the bottom layer its diff id, of a
 * higher one the digest of "<chain id below> <diff id>". A ref has that name when every
 * layer of it is here and known to have its diff id, so that what a manifest only claims
 * never leads to another image's files.
 */
#ifndef SLIPWAY_CORE_STORE_CHAINID_H
#define SLIPWAY_CORE_STORE_CHAINID_H

#include "core/store/stack.h"

enum { SW__CHAIN_NAME_SIZE = SW_DIGEST_STR_SIZE + 8 };

/** sw__chain_next - @chain with a layer on top; @first: that is the bottom one. */
void sw__chain_next(sw_digest *chain, bool first, const sw_digest *diff_id);
/** sw__chain_of - of the layers of a stack. *known false: one lacks a diff id, or is lazy.
 */
SW_NODISCARD sw_err *sw__chain_of(sw__tx *tx, struct sw_stack stack, sw_digest *chain,
                                  bool *known);
void sw__chain_name(const sw_digest *chain, char out[SW__CHAIN_NAME_SIZE]);
/** sw__chain_name_all - give the ref @id, whose stack that is (NULL: none), and the refs of
 *  its layers the names that are known. */
SW_NODISCARD sw_err *sw__chain_name_all(sw__tx *tx, const char *id, struct sw_stack stack);

#endif
