/*
 * core/store/record.c - records of refs in the metadata. See record.h.
 */
#include "core/store/record.h"

#include <string.h>

#include "core/store/recblob.h"

#include <slipway/mem.h>

#include "proto/pbuf.h"

enum { ID_MAX = 128, PACKED_MAX = 4 << 20 };

static MDB_val
val(const void *p, size_t n)
{
        return (MDB_val){ n, (void *) p };
}

static MDB_val
val_str(const char *s)
{
        return val(s, strlen(s));
}

bool
sw__id_ok(const char *s)
{
        const size_t n = strnlen(s, ID_MAX + 1);

        return n > 0 && n <= ID_MAX && *s != '.' && *s != '-' &&
               strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789_.-") == n;
}

/* ---- transactions ---- */

sw_err *
sw__tx_begin(sw_meta *meta, bool write, sw__tx *tx)
{
        tx->meta = meta;
        return sw__meta_begin(meta, write, &tx->txn,
                              write ? "begin to write metadata" : "begin to read metadata");
}

sw_err *
sw__tx_commit(sw__tx *tx, bool durable)
{
        int rc = mdb_txn_commit(sw_steal(tx->txn));

        if (!rc && durable)
                sw__meta_committed(tx->meta);
        else if (!rc)
                sw__meta_touched(tx->meta);
        return sw__meta_failed(tx->meta, rc, "commit metadata");
}

void
sw__tx_abort(sw__tx *tx)
{
        if (tx->txn)
                mdb_txn_abort(sw_steal(tx->txn));
}

static MDB_dbi
dbi(const sw__tx *tx, enum sw_meta_db db)
{
        return sw__meta_dbi(tx->meta, db);
}

static sw_err *
failed(sw__tx *tx, int rc, const char *what)
{
        return rc == MDB_NOTFOUND ? SW_OK : sw__meta_failed(tx->meta, rc, what);
}

/* ---- pairs ---- */

sw_err *
sw__pair_put(sw__tx *tx, enum sw_meta_db db, const char *k, const char *v)
{
        MDB_val key = val_str(k), value = val_str(v);
        int rc = mdb_put(tx->txn, dbi(tx, db), &key, &value, MDB_NODUPDATA);

        return failed(tx, rc == MDB_KEYEXIST ? 0 : rc, "write metadata");
}

sw_err *
sw__pair_del(sw__tx *tx, enum sw_meta_db db, const char *k, const char *v)
{
        MDB_val key = val_str(k), value = val_str(v ? v : "");

        return failed(tx, mdb_del(tx->txn, dbi(tx, db), &key, v ? &value : NULL),
                      "write metadata");
}

sw_err *
sw__pair_any(sw__tx *tx, enum sw_meta_db db, const char *k, bool *any)
{
        MDB_val key = val_str(k), value;
        int rc = mdb_get(tx->txn, dbi(tx, db), &key, &value);

        *any = rc == 0;
        return failed(tx, rc, "read metadata");
}

sw_err *
sw__pair_list(sw__tx *tx, enum sw_meta_db db, const char *k, sw_strlist *keys,
              sw_strlist *values)
{
        MDB_cursor *c;
        MDB_val key = val_str(k ? k : ""), value;
        int rc = mdb_cursor_open(tx->txn, dbi(tx, db), &c);

        if (rc)
                return failed(tx, rc, "read metadata");
        rc = mdb_cursor_get(c, &key, &value, k ? MDB_SET_KEY : MDB_FIRST);
        while (!rc) {
                if (keys)
                        sw_strlist_take(keys, sw_strndup(key.mv_data, key.mv_size));
                sw_strlist_take(values, sw_strndup(value.mv_data, value.mv_size));
                rc = mdb_cursor_get(c, &key, &value, k ? MDB_NEXT_DUP : MDB_NEXT);
        }
        mdb_cursor_close(c);
        return failed(tx, rc, "read metadata");
}

sw_err *
sw__text_get(sw__tx *tx, enum sw_meta_db db, const char *k, char **out)
{
        MDB_val key = val_str(k), value;
        int rc = mdb_get(tx->txn, dbi(tx, db), &key, &value);

        *out = rc ? NULL : sw_strndup(value.mv_data, value.mv_size);
        return failed(tx, rc, "read metadata");
}

sw_err *
sw__text_put(sw__tx *tx, enum sw_meta_db db, const char *k, const char *v)
{
        MDB_val key = val_str(k), value = val_str(v);

        return failed(tx, mdb_put(tx->txn, dbi(tx, db), &key, &value, 0), "write metadata");
}

/* ---- records ---- */

static bool
ids_ok(char *const *ids, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!sw__id_ok(ids[i]))
                        return false;
        return true;
}

/* Whether it is one that was written here: what follows relies on it. */
static bool
sound(const sw__rec *r)
{
        if (r->state < SW__REC_ACTIVE || r->state > SW__REC_LAZY || !sw__rec_blobs_ok(r) ||
            r->n_parents > SW__REC_PARENTS_MAX || !ids_ok(r->parents, r->n_parents) ||
            (*r->lease && !sw__id_ok(r->lease)))
                return false;
        for (size_t i = 0; i < r->n_names; i++)
                if (!*r->names[i] ||
                    strnlen(r->names[i], SW__REC_NAME_MAX + 1) > SW__REC_NAME_MAX)
                        return false;
        switch (r->kind) {
        case SW__REC_LAYER: return r->n_parents <= 1;
        case SW__REC_MERGE: return r->n_parents >= 1;
        case SW__REC_SLICE: return r->n_parents == 1;
        default: return false;
        }
}

static sw__rec *
decode(MDB_val v)
{
        ProtobufCMessage *m = NULL;

        if (v.mv_size > PACKED_MAX)
                return NULL;
        sw_err *err = sw__pb_unpack(&slipway__store__v1__ref__descriptor, NULL, v.mv_data,
                                    v.mv_size, &m);
        if (err) {
                sw_err_drop(err, "as if it were not there");
                return NULL;
        }
        sw_autoptr(sw__rec) r = (sw__rec *) m;
        return sound(r) ? sw_steal(r) : NULL;
}

sw_err *
sw__rec_get(sw__tx *tx, const char *id, sw__rec **out)
{
        MDB_val key = val_str(id), value;

        *out = NULL;
        if (!sw__id_ok(id))
                return SW_OK;
        int rc = mdb_get(tx->txn, dbi(tx, SW_META_REFS), &key, &value);
        if (!rc)
                *out = decode(value);
        return failed(tx, rc, "look up a ref");
}

sw_err *
sw__rec_put(sw__tx *tx, const char *id, const sw__rec *r)
{
        const size_t n = slipway__store__v1__ref__get_packed_size(r);
        MDB_val key = val_str(id), value = { n, NULL };

        if (n > PACKED_MAX)
                return sw_err_new(SW_E_LIMIT, "ref %s: its record is too large", id);
        /* packed in place: LMDB makes the room */
        int rc = mdb_put(tx->txn, dbi(tx, SW_META_REFS), &key, &value, MDB_RESERVE);
        if (!rc)
                slipway__store__v1__ref__pack(r, value.mv_data);
        return failed(tx, rc, "write a ref");
}

sw_err *
sw__rec_add(sw__tx *tx, const char *id, const sw__rec *r)
{
        sw_err *err = sw__rec_put(tx, id, r);

        if (!err && !sound(r))
                err = sw_err_new(SW_E_INTERNAL, "ref %s: unsound record", id);
        for (size_t i = 0; i < r->n_parents && !err; i++) {
                MDB_val key = val_str(r->parents[i]), value;

                if (mdb_get(tx->txn, dbi(tx, SW_META_REFS), &key, &value) == MDB_NOTFOUND)
                        return sw_err_new(SW_E_NOT_FOUND, "ref %s is gone", r->parents[i]);
                err = sw__pair_put(tx, SW_META_CHILDREN, r->parents[i], id);
        }
        for (size_t i = 0; i < r->n_names && !err; i++)
                err = sw__pair_put(tx, SW_META_NAMES, r->names[i], id);
        return err ? err : sw__rec_pair_blobs(tx, id, r, true);
}

sw_err *
sw__rec_remove(sw__tx *tx, const char *id, const sw__rec *r)
{
        sw_err *err = sw__pair_del(tx, SW_META_REFS, id, NULL);

        for (size_t i = 0; i < r->n_parents && !err; i++)
                err = sw__pair_del(tx, SW_META_CHILDREN, r->parents[i], id);
        for (size_t i = 0; i < r->n_names && !err; i++)
                err = sw__pair_del(tx, SW_META_NAMES, r->names[i], id);
        if (!err)
                err = sw__rec_pair_blobs(tx, id, r, false);
        if (!err)
                err = sw__pair_del(tx, SW_META_HOLDERS, id, NULL);
        if (!err && r->kind == SW__REC_LAYER)
                err = sw__text_put(tx, SW_META_DOOMED, id, "");
        return err;
}

sw_err *
sw__rec_add_name(sw__tx *tx, const char *id, sw__rec *r, const char *name)
{
        for (size_t i = 0; i < r->n_names; i++)
                if (strcmp(r->names[i], name) == 0)
                        return SW_OK;
        r->names = sw_realloc_array(r->names, r->n_names + 1, sizeof(*r->names));
        r->names[r->n_names++] = sw_strdup(name);
        sw_err *err = sw__rec_put(tx, id, r);
        return err ? err : sw__pair_put(tx, SW_META_NAMES, name, id);
}

sw_err *
sw__rec_each(sw__tx *tx, sw__rec_fn *fn, void *arg)
{
        MDB_cursor *c;
        MDB_val key, value;
        bool more = true;
        int rc = mdb_cursor_open(tx->txn, dbi(tx, SW_META_REFS), &c);

        if (rc)
                return failed(tx, rc, "read metadata");
        while (more && !rc) {
                rc = mdb_cursor_get(c, &key, &value, MDB_NEXT);
                if (rc)
                        break;
                sw_auto(sw_str) id = sw_strndup(key.mv_data, key.mv_size);
                sw_autoptr(sw__rec) r = sw__id_ok(id) ? decode(value) : NULL;
                if (r)
                        more = fn(arg, id, r);
        }
        mdb_cursor_close(c);
        return failed(tx, rc, "read metadata");
}
