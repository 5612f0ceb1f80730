/*
 * core/solver/keystore_lmdb.h - the key store that lasts, in the metadata environment.
 */
#ifndef SLIPWAY_CORE_SOLVER_KEYSTORE_LMDB_H
#define SLIPWAY_CORE_SOLVER_KEYSTORE_LMDB_H

#include "core/solver/keystore.h"
#include "core/store/meta.h"

SW_BEGIN_DECLS

/** sw__keystore_lmdb_new - never NULL. @meta: borrowed, outlives the store. Several stores,
 *  in several processes, may be over one environment. */
SW_API sw_keystore *sw__keystore_lmdb_new(sw_meta *meta);

SW_END_DECLS
#endif
