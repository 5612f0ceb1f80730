/*
 * core/solver/keystore_lmdb_impl.h - what the files of the key store on LMDB share: how
 * places and records are written, transactions, cursors. keystore_lmdb.c has the schema.
 */
#ifndef SLIPWAY_CORE_SOLVER_KEYSTORE_LMDB_IMPL_H
#define SLIPWAY_CORE_SOLVER_KEYSTORE_LMDB_IMPL_H

#include "core/solver/keystore_lmdb.h"

/* LMDB's limit for keys and sorted values. */
enum {
        SW__KEYDB_PLACE_MAX = 511,
        SW__KEYDB_RECORD_KEY_MAX = SW_KEY_TEXT_SIZE + SW_RESULT_ID_MAX,
};
_Static_assert(3 * SW_KEY_TEXT_SIZE + 8 <= SW__KEYDB_PLACE_MAX, "a place fits LMDB's keys");
_Static_assert(SW__KEYDB_RECORD_KEY_MAX <= SW__KEYDB_PLACE_MAX,
               "a record's key fits LMDB's keys");

struct sw__keydb {
        sw_keystore base;
        sw_meta *meta;
        MDB_txn *reader; /* kept, reset between calls; NULL until the first */
        MDB_txn *group;  /* open group, or NULL */
};

static inline struct sw__keydb *
sw__keydb_of(sw_keystore *ks)
{
        return (struct sw__keydb *) ks;
}

static inline MDB_dbi
sw__keydb_dbi(const struct sw__keydb *db, enum sw_meta_db which)
{
        return sw__meta_dbi(db->meta, which);
}

static inline MDB_val
sw__keydb_val(const void *p, size_t n)
{
        return (MDB_val){ n, (void *) p };
}

static inline MDB_val
sw__keydb_str(const char *s)
{
        return sw__keydb_val(s, strlen(s));
}

/* ---- keystore_lmdb_place.c ---- */

struct sw__keydb_place {
        size_t len;
        uint8_t b[SW__KEYDB_PLACE_MAX];
};

/* False: too long for a place; there can be none in the store. */
bool sw__keydb_place_make(const char *parent, const struct sw_key_link *link,
                          struct sw__keydb_place *p);
/* Take a stored place apart; the strings stay where they are. False: not a place. One that
 * is has at most SW__KEYDB_PLACE_MAX bytes. */
bool sw__keydb_parse(MDB_val v, const char **parent, struct sw_key_link *link);
/* Whether @id can be that of a key, @result that of a result. */
bool sw__keydb_is_id(const char *id);
bool sw__keydb_is_result(const char *result);
/* A stored id as a C string. False: it is none. */
bool sw__keydb_id(MDB_val v, sw_key_id *out);
/* "id NUL result" into @out; both were checked. */
MDB_val sw__keydb_record(const char *id, const char *result,
                         char out[SW__KEYDB_RECORD_KEY_MAX]);

/* ---- keystore_lmdb_read.c ---- */

/* Values under exactly @key, one call each; false ends it. Returns LMDB's code. */
int sw__keydb_each_value(MDB_txn *txn, MDB_dbi db, MDB_val key,
                         bool (*fn)(void *arg, MDB_val v), void *arg);
/* Whether a key has a record, or a link from it. Returns LMDB's code. */
int sw__keydb_used(struct sw__keydb *db, MDB_txn *txn, const char *id, bool *out);

/* Of sw_keystore_ops. */
sw_err *sw__keydb_exists(sw_keystore *ks, const char *id, bool *out);
sw_err *sw__keydb_walk_links(sw_keystore *ks, const char *parent,
                             const struct sw_key_link *link, sw_key_id_fn *fn, void *arg);
sw_err *sw__keydb_has_link(sw_keystore *ks, const char *parent,
                           const struct sw_key_link *link, const char *child, bool *out);
sw_err *sw__keydb_walk_records(sw_keystore *ks, const char *id, sw_key_record_fn *fn,
                               void *arg);
sw_err *sw__keydb_walk_backlinks(sw_keystore *ks, const char *child, sw_key_backlink_fn *fn,
                                 void *arg);
sw_err *sw__keydb_walk_by_result(sw_keystore *ks, const char *result, sw_key_id_fn *fn,
                                 void *arg);
sw_err *sw__keydb_walk_keys(sw_keystore *ks, sw_key_id_fn *fn, void *arg);
sw_err *sw__keydb_recall(sw_keystore *ks, const char *digest, bool *known,
                         sw_key_note_fn *fn, void *arg);

#endif
