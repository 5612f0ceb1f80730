/*
 * core/solver/keystore_lmdb_read.c - reading the key store on LMDB.
 *
 * What cannot be decoded is left out, as if it were not there.
 * Thread: one at a time (the scheduler's).
 */
#include <string.h>

#include "core/solver/keystore_lmdb_impl.h"
#include "proto/pbuf.h"
#include "proto/store.pb-c.h"

/* Values that are longer are not decoded. */
enum { RECORD_MAX = 4096 };

/* A transaction to read with: that of the open group, or a snapshot until read_end(). */
static sw_err *
read_begin(struct sw__keydb *st, MDB_txn **txn)
{
        int rc = 0;

        *txn = st->group;
        if (st->group)
                return SW_OK;
        if (!st->reader)
                rc = mdb_txn_begin(sw__meta_env(st->meta), NULL, MDB_RDONLY, &st->reader);
        else
                rc = mdb_txn_renew(st->reader);
        *txn = st->reader;
        return sw__meta_failed(st->meta, rc, "cache: begin to read");
}

static void
read_end(struct sw__keydb *st, MDB_txn *txn)
{
        if (txn == st->reader)
                mdb_txn_reset(txn);
}

/* ---- cursors ---- */

int
sw__keydb_each_value(MDB_txn *txn, MDB_dbi db, MDB_val key,
                     bool (*fn)(void *arg, MDB_val v), void *arg)
{
        MDB_cursor *c;
        MDB_val v;
        int rc = mdb_cursor_open(txn, db, &c);

        if (rc)
                return rc;
        rc = mdb_cursor_get(c, &key, &v, MDB_SET_KEY);
        while (!rc && fn(arg, v))
                rc = mdb_cursor_get(c, &key, &v, MDB_NEXT_DUP);
        mdb_cursor_close(c);
        return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Entries whose key begins with @prefix; all of them when it is empty. */
static int
each_prefix(MDB_txn *txn, MDB_dbi db, MDB_val prefix,
            bool (*fn)(void *arg, MDB_val k, MDB_val v), void *arg)
{
        MDB_cursor *c;
        MDB_val k = prefix, v;
        int rc = mdb_cursor_open(txn, db, &c);

        if (rc)
                return rc;
        rc = mdb_cursor_get(c, &k, &v, prefix.mv_size ? MDB_SET_RANGE : MDB_FIRST);
        while (!rc && k.mv_size >= prefix.mv_size &&
               memcmp(k.mv_data, prefix.mv_data, prefix.mv_size) == 0 && fn(arg, k, v))
                rc = mdb_cursor_get(c, &k, &v, MDB_NEXT);
        mdb_cursor_close(c);
        return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool
note_first(void *arg, MDB_val k, MDB_val v)
{
        (void) k;
        (void) v;
        *(bool *) arg = true;
        return false;
}

int
sw__keydb_used(struct sw__keydb *st, MDB_txn *txn, const char *id, bool *out)
{
        const MDB_val prefix = sw__keydb_val(id, strlen(id) + 1); /* with its NUL */
        int rc = each_prefix(txn, sw__keydb_dbi(st, SW_META_RECORDS), prefix, note_first,
                             out);

        if (!rc && !*out)
                rc = each_prefix(txn, sw__keydb_dbi(st, SW_META_LINKS), prefix, note_first,
                                 out);
        return rc;
}

/* ---- reads ---- */

sw_err *
sw__keydb_exists(sw_keystore *ks, const char *id, bool *out)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        MDB_val key = sw__keydb_str(id), v;
        bool found = false;
        MDB_txn *txn;

        *out = false;
        if (!sw__keydb_is_id(id))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = sw__keydb_used(st, txn, id, &found);
        if (!rc && !found) {
                rc = mdb_get(txn, sw__keydb_dbi(st, SW_META_BACKLINKS), &key, &v);
                found = rc == 0;
                rc = rc == MDB_NOTFOUND ? 0 : rc;
        }
        read_end(st, txn);
        if (rc)
                return sw__meta_failed(st->meta, rc, "cache: look up a key");
        *out = found;
        return SW_OK;
}

struct ids {
        sw_key_id_fn *fn;
        void *arg;
};

static bool
give_id(void *arg, MDB_val v)
{
        const struct ids *to = arg;
        sw_key_id id;

        return !sw__keydb_id(v, &id) || to->fn(to->arg, id.s);
}

sw_err *
sw__keydb_walk_links(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
                     sw_key_id_fn *fn, void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct ids to = { fn, arg };
        struct sw__keydb_place p;
        MDB_txn *txn;

        if (!sw__keydb_place_make(parent, link, &p))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = sw__keydb_each_value(txn, sw__keydb_dbi(st, SW_META_LINKS),
                                      sw__keydb_val(p.b, p.len), give_id, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk links");
}

sw_err *
sw__keydb_has_link(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
                   const char *child, bool *out)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct sw__keydb_place p;
        MDB_txn *txn;
        MDB_cursor *c;

        *out = false;
        if (!sw__keydb_place_make(parent, link, &p) || !sw__keydb_is_id(child))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        MDB_val key = sw__keydb_val(p.b, p.len), v = sw__keydb_str(child);
        int rc = mdb_cursor_open(txn, sw__keydb_dbi(st, SW_META_LINKS), &c);
        if (!rc) {
                rc = mdb_cursor_get(c, &key, &v, MDB_GET_BOTH);
                mdb_cursor_close(c);
        }
        read_end(st, txn);
        if (rc && rc != MDB_NOTFOUND)
                return sw__meta_failed(st->meta, rc, "cache: look up a link");
        *out = rc == 0;
        return SW_OK;
}

struct records {
        size_t id_size; /* with its NUL */
        sw_key_record_fn *fn;
        void *arg;
};

static bool
give_record(void *arg, MDB_val k, MDB_val v)
{
        const struct records *to = arg;
        const size_t n = k.mv_size - to->id_size;
        char result[SW_RESULT_ID_MAX + 1];

        if (n == 0 || n > SW_RESULT_ID_MAX || v.mv_size > RECORD_MAX)
                return true;
        memcpy(result, (const char *) k.mv_data + to->id_size, n);
        result[n] = '\0';
        if (strlen(result) != n)
                return true;
        Slipway__Store__V1__Record *r =
                slipway__store__v1__record__unpack(NULL, v.mv_size, v.mv_data);
        if (!r)
                return true;
        const struct sw_key_record rec = { result, r->created_at, r->priority };
        slipway__store__v1__record__free_unpacked(r, NULL);
        return to->fn(to->arg, &rec);
}

sw_err *
sw__keydb_walk_records(sw_keystore *ks, const char *id, sw_key_record_fn *fn, void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct records to = { strlen(id) + 1, fn, arg };
        MDB_txn *txn;

        if (!sw__keydb_is_id(id))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = each_prefix(txn, sw__keydb_dbi(st, SW_META_RECORDS),
                             sw__keydb_val(id, to.id_size), give_record, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk records");
}

struct backlinks {
        sw_key_backlink_fn *fn;
        void *arg;
};

static bool
give_backlink(void *arg, MDB_val v)
{
        const struct backlinks *to = arg;
        struct sw_key_link link;
        const char *parent;

        return !sw__keydb_parse(v, &parent, &link) || to->fn(to->arg, parent, &link);
}

sw_err *
sw__keydb_walk_backlinks(sw_keystore *ks, const char *child, sw_key_backlink_fn *fn,
                         void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct backlinks to = { fn, arg };
        MDB_txn *txn;

        if (!sw__keydb_is_id(child))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = sw__keydb_each_value(txn, sw__keydb_dbi(st, SW_META_BACKLINKS),
                                      sw__keydb_str(child), give_backlink, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk back links");
}

sw_err *
sw__keydb_walk_by_result(sw_keystore *ks, const char *result, sw_key_id_fn *fn, void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct ids to = { fn, arg };
        MDB_txn *txn;

        if (!sw__keydb_is_result(result))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = sw__keydb_each_value(txn, sw__keydb_dbi(st, SW_META_BYRESULT),
                                      sw__keydb_str(result), give_id, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk keys of a result");
}

struct keys {
        sw_key_id_fn *fn;
        void *arg;
        sw_key_id last;
};

/* Keys of records are sorted, so those of one id stand together. */
static bool
give_key(void *arg, MDB_val k, MDB_val v)
{
        struct keys *to = arg;
        const size_t n = strnlen(k.mv_data, k.mv_size);
        sw_key_id id;

        (void) v;
        if (n == k.mv_size || !sw__keydb_id(sw__keydb_val(k.mv_data, n), &id) ||
            !strcmp(id.s, to->last.s))
                return true;
        to->last = id;
        return to->fn(to->arg, id.s);
}

sw_err *
sw__keydb_walk_keys(sw_keystore *ks, sw_key_id_fn *fn, void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        struct keys to = { .fn = fn, .arg = arg };
        MDB_txn *txn;
        sw_err *err = read_begin(st, &txn);

        if (err)
                return err;
        int rc = each_prefix(txn, sw__keydb_dbi(st, SW_META_RECORDS), sw__keydb_val("", 0),
                             give_key, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk keys");
}

/* A stored note; NULL when it is none. */
static Slipway__Store__V1__Note *
decode_note(MDB_val v)
{
        Slipway__Store__V1__Note *note = NULL;
        ProtobufCMessage *message = NULL;
        sw_err *err = sw__pb_unpack(&slipway__store__v1__note__descriptor, NULL, v.mv_data,
                                    v.mv_size, &message);

        if (err) {
                sw_err_drop(err, "as if it were not there");
                return NULL;
        }
        note = (Slipway__Store__V1__Note *) message;
        err = sw__key_check_note("-", (const char *const *) note->content, note->n_content);
        if (!err)
                return note;
        sw_err_drop(err, "not one that was written here");
        slipway__store__v1__note__free_unpacked(note, NULL);
        return NULL;
}

sw_err *
sw__keydb_recall(sw_keystore *ks, const char *digest, bool *known, sw_key_note_fn *fn,
                 void *arg)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        MDB_val key = sw__keydb_str(digest), v;
        Slipway__Store__V1__Note *note = NULL;
        MDB_txn *txn;

        *known = false;
        if (!sw__keydb_is_id(digest))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = mdb_get(txn, sw__keydb_dbi(st, SW_META_NOTES), &key, &v);
        if (!rc)
                note = decode_note(v);
        read_end(st, txn);
        if (rc && rc != MDB_NOTFOUND)
                return sw__meta_failed(st->meta, rc, "cache: recall");
        if (!note)
                return SW_OK;
        *known = true;
        for (size_t i = 0; i < note->n_content; i++)
                if (!fn(arg, (uint32_t) i, note->content[i]))
                        break;
        slipway__store__v1__note__free_unpacked(note, NULL);
        return SW_OK;
}
