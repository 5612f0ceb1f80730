/*
 * core/ops/cachemap_priv.h - what the files that make cache keys share.
 */
#ifndef SLIPWAY_CORE_OPS_CACHEMAP_PRIV_H
#define SLIPWAY_CORE_OPS_CACHEMAP_PRIV_H

#include "core/ops/internal.h"

/* Keep @s (given) as long as the keys. */
const char *sw__keys_keep(struct sw__op_keys *k, char *s);
/* For qsort() and bsearch() of strings. */
int sw__keys_by_bytes(const void *a, const void *b);
/* SHA-256 of the texts joined by NUL. */
void sw__keys_join(const char *const *v, size_t n, char out[SW_DIGEST_STR_SIZE]);
/* Sort, and leave out what another path in the list contains; returns how many stay. */
size_t sw__keys_dedupe(const char **v, size_t n);

#endif
