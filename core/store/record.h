/*
 * core/store/record.h - what is stored of refs: records, who holds them, what is doomed.
 *
 *      refs      ref id     -> protobuf slipway.store.v1.Ref
 *      children  ref id     -> ids of refs that have it as a parent
 *      names     name       -> ref ids
 *      holders   ref id     -> lease ids
 *      doomed    layer key  -> ""; its record is gone, the snapshotter may still have it;
 *                              "lazy": its record is LAZY (unpack.c)
 *      store     "worker", "snapshotter", "synced" (root.c), "unchecked" -> text
 *      blobs     digest     -> ids of refs whose layer has that blob
 *      images    name       -> protobuf slipway.store.v1.Image
 *      kept      ref id or digest -> names of images that need it
 *
 * A digest is a key in holders, too: of a blob that a process brought in.
 *
 * Invariants, kept by each transaction:
 *   R1  id is under p in children exactly when the record of id names p as a parent, and
 *       every parent that is named has a record
 *   R2  id is under n in names exactly when its record has the name n
 *   R3  a lease is under id in holders only while id has a record
 *   R4  a layer the snapshotter has is that of a record (its key is the record's id), or
 *       doomed, or its file system lost its record with the metadata
 *   R5  id is under d in blobs exactly when its record has a blob of the digest d
 *   R6  n is under x in kept exactly when the image n names x
 *
 * So a record can go only when it has neither children nor holders and no image keeps it,
 * and what it was above stays whole. What cannot be decoded counts as not there.
 *
 * Thread: a transaction belongs to one thread. None of these may be begun on a thread that
 * has one open already: not on the solver's scheduler thread, where the key store has its
 * own open while the graph is stepped (sw_result_loader.fast stays false).
 */
#ifndef SLIPWAY_CORE_STORE_RECORD_H
#define SLIPWAY_CORE_STORE_RECORD_H

#include <slipway/blob.h>
#include <slipway/id.h>

#include "core/store/meta.h"
#include "proto/store.pb-c.h"

enum sw__rec_state {
        SW__REC_ACTIVE = 1, /* its layer is being written by the holder of .lease */
        SW__REC_COMMITTED,  /* never changes again */
        SW__REC_FREE,       /* mutable, and nobody writes it */
        SW__REC_LAZY,       /* known by a blob alone; see unpack.c */
};

enum sw__rec_kind {
        SW__REC_LAYER = 1, /* own layer on the stack of its parent, if it has one */
        SW__REC_MERGE,     /* the stacks of its parents, one above the other */
        SW__REC_SLICE,     /* the stack of its parent, less the lowest .skip layers */
};

/* What cannot be: more is SW_E_LIMIT when it is written, and damage when it is read. */
enum {
        SW__REC_PARENTS_MAX = 65536,
        SW__REC_NAME_MAX = 400,
        SW__REC_TEXT_MAX = 4096,
        SW__REC_BLOBS_MAX = 64,
        SW__REC_LOCATOR_MAX = 4096,
};

typedef Slipway__Store__V1__Ref sw__rec;
static inline void
sw__rec_free(sw__rec *r)
{
        slipway__store__v1__ref__free_unpacked(r, NULL);
}
SW_DEFINE_AUTOPTR(sw__rec, sw__rec_free)

/* A transaction; {0} is none. */
typedef struct sw__tx {
        sw_meta *meta;
        MDB_txn *txn;
} sw__tx;

SW_NODISCARD sw_err *sw__tx_begin(sw_meta *meta, bool write, sw__tx *tx);
/** sw__tx_commit - @durable: it is worth syncing. The transaction is over, also on error:
 *  then nothing of it was done. */
SW_NODISCARD sw_err *sw__tx_commit(sw__tx *tx, bool durable);
void sw__tx_abort(sw__tx *tx); /* {0} is fine */
SW_DEFINE_AUTO(sw__tx, sw__tx_abort)

/** sw__rec_is_ref - whether it can be held: it does not change any more. */
static inline bool
sw__rec_is_ref(const sw__rec *r)
{
        return r->state == SW__REC_COMMITTED || r->state == SW__REC_LAZY;
}

/** sw__rec_get - @out: handed back; NULL: there is none. */
SW_NODISCARD sw_err *sw__rec_get(sw__tx *tx, const char *id, sw__rec **out);
/** sw__rec_put - store or replace the record alone; parents and names did not change. */
SW_NODISCARD sw_err *sw__rec_put(sw__tx *tx, const char *id, const sw__rec *r);
/** sw__rec_add - a new record with its parents and names. SW_E_NOT_FOUND: a parent. */
SW_NODISCARD sw_err *sw__rec_add(sw__tx *tx, const char *id, const sw__rec *r);
/** sw__rec_remove - the record, everything that R1 to R3 tie to it, and its layer is
 *  doomed. The caller saw that it has no children. */
SW_NODISCARD sw_err *sw__rec_remove(sw__tx *tx, const char *id, const sw__rec *r);
SW_NODISCARD sw_err *sw__rec_add_name(sw__tx *tx, const char *id, sw__rec *r,
                                      const char *name);
/** sw__rec_blob - a blob of the record by its digest, or NULL. */
Slipway__Store__V1__Blob *sw__rec_blob(const sw__rec *r, const sw_digest *d);
/** sw__blob_says - whether all of @blob's annotations are said of it already. */
bool sw__blob_says(const Slipway__Store__V1__Blob *m, const struct sw_blob *blob);
/** sw__rec_set_blob - @r gets the diff id of @blob and the blob, or what is said of it is
 *  set anew where it is there: annotations of other keys stay. The record is written.
 * @origin: or NULL: none, or what it had. */
SW_NODISCARD sw_err *sw__rec_set_blob(sw__tx *tx, const char *id, sw__rec *r,
                                      const struct sw_blob *blob,
                                      const struct sw_blob_origin *origin);
/** sw__rec_diff_id - false: there is none. */
bool sw__rec_diff_id(const sw__rec *r, sw_digest *out);
/** sw__rec_each - every record that can be decoded, by id; @fn returns false to end it. */
typedef bool sw__rec_fn(void *arg, const char *id, sw__rec *r);
SW_NODISCARD sw_err *sw__rec_each(sw__tx *tx, sw__rec_fn *fn, void *arg);

/* Pairs of the databases with several values to a key. Strings of the same rules as ids,
 * but for names. */
SW_NODISCARD sw_err *sw__pair_put(sw__tx *tx, enum sw_meta_db db, const char *k,
                                  const char *v);
SW_NODISCARD sw_err *sw__pair_del(sw__tx *tx, enum sw_meta_db db, const char *k,
                                  const char *v);
SW_NODISCARD sw_err *sw__pair_any(sw__tx *tx, enum sw_meta_db db, const char *k, bool *any);
/** sw__pair_list - the values of @k, or with NULL every "key value" pair in turn: @keys
 *  gets the keys, and may be NULL otherwise. */
SW_NODISCARD sw_err *sw__pair_list(sw__tx *tx, enum sw_meta_db db, const char *k,
                                   sw_strlist *keys, sw_strlist *values);

/** sw__text_get, sw__text_put - values of "store" and "doomed"; *out from malloc or NULL.
 */
SW_NODISCARD sw_err *sw__text_get(sw__tx *tx, enum sw_meta_db db, const char *k,
                                  char **out);
SW_NODISCARD sw_err *sw__text_put(sw__tx *tx, enum sw_meta_db db, const char *k,
                                  const char *v);

/** sw__id_ok - whether @s is fit to be an id. */
bool sw__id_ok(const char *s);

#endif
