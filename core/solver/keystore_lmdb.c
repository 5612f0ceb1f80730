/*
 * core/solver/keystore_lmdb.c - the key store on LMDB.
 *
 * Schema 1. A link's place is one string of bytes, used as key and as value:
 *
 *      place     := parent NUL digest NUL selector NUL input(be32) output(be32)
 *
 *      links      place            -> child ids, sorted
 *      backlinks  child            -> places, sorted
 *      records    id NUL result    -> protobuf slipway.store.v1.Record
 *      byresult   result           -> ids, sorted
 *      notes      digest           -> protobuf slipway.store.v1.Note
 *
 * Invariants, kept within each group of writes:
 *   L1  child is under a place in links exactly when the place is under it in backlinks
 *   L2  a record of (id, result) exists exactly when id is under result in byresult
 *
 * An open group is one transaction, so they hold in every state that can be read. A write
 * that LMDB fails takes the whole open group with it: half a change is none.
 *
 * Reading takes a snapshot for one call (a kept reader slot, renewed), or, while a group is
 * open, goes through its transaction and so sees it. What cannot be decoded is left out, as
 * if it were not there.
 * Thread: one at a time (the scheduler's).
 */
#include "core/solver/keystore_lmdb.h"

#include <arpa/inet.h>
#include <string.h>

#include <slipway/array.h>

#include "proto/pbuf.h"
#include "proto/store.pb-c.h"

/* LMDB's limit for keys and sorted values. */
enum { PLACE_MAX = 511, RECORD_KEY_MAX = SW_KEY_TEXT_SIZE + SW_RESULT_ID_MAX };

/* Values that are longer are not decoded. */
enum { RECORD_MAX = 4096 };
_Static_assert(3 * SW_KEY_TEXT_SIZE + 8 <= PLACE_MAX, "a place fits LMDB's keys");
_Static_assert(RECORD_KEY_MAX <= PLACE_MAX, "a record's key fits LMDB's keys");

struct store {
        sw_keystore base;
        sw_meta *meta;
        MDB_txn *reader; /* kept, reset between calls; NULL until the first */
        MDB_txn *group;  /* open group, or NULL */
};

struct place {
        size_t len;
        uint8_t b[PLACE_MAX];
};

static struct store *
store_of(sw_keystore *ks)
{
        return (struct store *) ks;
}

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

/* ---- places ---- */

/* False: too long for a place; there can be none in the store. */
static bool
place_add(struct place *p, const char *s)
{
        const size_t n = strnlen(s, SW_KEY_TEXT_SIZE);

        if (n > SW_KEY_TEXT_MAX)
                return false;
        memcpy(p->b + p->len, s, n + 1);
        p->len += n + 1;
        return true;
}

static bool
place_make(const char *parent, const struct sw_key_link *link, struct place *p)
{
        const uint32_t numbers[2] = { htonl(link->input), htonl((uint32_t) link->output) };

        p->len = 0;
        if (!place_add(p, parent) || !place_add(p, link->digest) ||
            !place_add(p, link->selector))
                return false;
        memcpy(p->b + p->len, numbers, sizeof(numbers));
        p->len += sizeof(numbers);
        return true;
}

/* Whether @id can be that of a key. */
static bool
is_id(const char *id)
{
        return *id && strnlen(id, SW_KEY_TEXT_SIZE) <= SW_KEY_TEXT_MAX;
}

static bool
is_result(const char *result)
{
        return *result && strnlen(result, SW_RESULT_ID_MAX + 1) <= SW_RESULT_ID_MAX;
}

/* Take a stored place apart; the strings stay where they are. False: not a place. One that
 * is has at most PLACE_MAX bytes. */
static bool
place_parse(MDB_val v, const char **parent, struct sw_key_link *link)
{
        const char *s = v.mv_data, *parts[3];
        size_t left = v.mv_size;
        uint32_t numbers[2];

        for (int i = 0; i < 3; i++) {
                const size_t n = strnlen(s, left);

                if (n == left || n > SW_KEY_TEXT_MAX)
                        return false;
                parts[i] = s;
                s += n + 1;
                left -= n + 1;
        }
        if (left != sizeof(numbers) || !*parts[0] || !*parts[1])
                return false;
        memcpy(numbers, s, sizeof(numbers));
        *parent = parts[0];
        *link = (struct sw_key_link){
                .input = ntohl(numbers[0]),
                .output = (int32_t) ntohl(numbers[1]),
                .digest = parts[1],
                .selector = parts[2],
        };
        return true;
}

/* A stored id as a C string. False: it is none. */
static bool
id_of(MDB_val v, sw_key_id *out)
{
        if (v.mv_size == 0 || v.mv_size > SW_KEY_TEXT_MAX ||
            memchr(v.mv_data, 0, v.mv_size))
                return false;
        memcpy(out->s, v.mv_data, v.mv_size);
        out->s[v.mv_size] = '\0';
        return true;
}

/* ---- transactions ---- */

static MDB_dbi
dbi(const struct store *st, enum sw_meta_db db)
{
        return sw__meta_dbi(st->meta, db);
}

static sw_err *
read_begin(struct store *st, MDB_txn **txn)
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
read_end(struct store *st, MDB_txn *txn)
{
        if (txn == st->reader)
                mdb_txn_reset(txn);
}

static sw_err *
write_begin(struct store *st)
{
        if (st->group)
                return SW_OK;
        return sw__meta_failed(st->meta,
                               mdb_txn_begin(sw__meta_env(st->meta), NULL, 0, &st->group),
                               "cache: begin to write");
}

/* A write that fails takes its whole group with it: half a change is none. */
static sw_err *
write_end(struct store *st, int rc, const char *what)
{
        if (rc && st->group) {
                mdb_txn_abort(st->group);
                st->group = NULL;
        }
        return sw__meta_failed(st->meta, rc, what);
}

/* ---- cursors ---- */

/* Values under exactly @key, one call each; false ends it. Returns LMDB's code. */
static int
each_value(MDB_txn *txn, MDB_dbi db, MDB_val key, bool (*fn)(void *arg, MDB_val v),
           void *arg)
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

/* ---- reads ---- */

/* Whether a key has a record, or a link from it. */
static int
is_used(struct store *st, MDB_txn *txn, const char *id, bool *out)
{
        const MDB_val prefix = val(id, strlen(id) + 1); /* with its NUL */
        int rc = each_prefix(txn, dbi(st, SW_META_RECORDS), prefix, note_first, out);

        if (!rc && !*out)
                rc = each_prefix(txn, dbi(st, SW_META_LINKS), prefix, note_first, out);
        return rc;
}

static sw_err *
lmdb_exists(sw_keystore *ks, const char *id, bool *out)
{
        struct store *st = store_of(ks);
        MDB_val key = val_str(id), v;
        bool found = false;
        MDB_txn *txn;

        *out = false;
        if (!is_id(id))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = is_used(st, txn, id, &found);
        if (!rc && !found) {
                rc = mdb_get(txn, dbi(st, SW_META_BACKLINKS), &key, &v);
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

        return !id_of(v, &id) || to->fn(to->arg, id.s);
}

static sw_err *
lmdb_walk_links(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
                sw_key_id_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        struct ids to = { fn, arg };
        struct place p;
        MDB_txn *txn;

        if (!place_make(parent, link, &p))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = each_value(txn, dbi(st, SW_META_LINKS), val(p.b, p.len), give_id, &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk links");
}

static sw_err *
lmdb_has_link(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
              const char *child, bool *out)
{
        struct store *st = store_of(ks);
        struct place p;
        MDB_txn *txn;
        MDB_cursor *c;

        *out = false;
        if (!place_make(parent, link, &p) || !is_id(child))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        MDB_val key = val(p.b, p.len), v = val_str(child);
        int rc = mdb_cursor_open(txn, dbi(st, SW_META_LINKS), &c);
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

static sw_err *
lmdb_walk_records(sw_keystore *ks, const char *id, sw_key_record_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        struct records to = { strlen(id) + 1, fn, arg };
        MDB_txn *txn;

        if (!is_id(id))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = each_prefix(txn, dbi(st, SW_META_RECORDS), val(id, to.id_size),
                             give_record, &to);
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

        return !place_parse(v, &parent, &link) || to->fn(to->arg, parent, &link);
}

static sw_err *
lmdb_walk_backlinks(sw_keystore *ks, const char *child, sw_key_backlink_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        struct backlinks to = { fn, arg };
        MDB_txn *txn;

        if (!is_id(child))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = each_value(txn, dbi(st, SW_META_BACKLINKS), val_str(child), give_backlink,
                            &to);
        read_end(st, txn);
        return sw__meta_failed(st->meta, rc, "cache: walk back links");
}

static sw_err *
lmdb_walk_by_result(sw_keystore *ks, const char *result, sw_key_id_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        struct ids to = { fn, arg };
        MDB_txn *txn;

        if (!is_result(result))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = each_value(txn, dbi(st, SW_META_BYRESULT), val_str(result), give_id, &to);
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
        if (n == k.mv_size || !id_of(val(k.mv_data, n), &id) || !strcmp(id.s, to->last.s))
                return true;
        to->last = id;
        return to->fn(to->arg, id.s);
}

static sw_err *
lmdb_walk_keys(sw_keystore *ks, sw_key_id_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        struct keys to = { .fn = fn, .arg = arg };
        MDB_txn *txn;
        sw_err *err = read_begin(st, &txn);

        if (err)
                return err;
        int rc = each_prefix(txn, dbi(st, SW_META_RECORDS), val("", 0), give_key, &to);
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

static sw_err *
lmdb_recall(sw_keystore *ks, const char *digest, bool *known, sw_key_note_fn *fn, void *arg)
{
        struct store *st = store_of(ks);
        MDB_val key = val_str(digest), v;
        Slipway__Store__V1__Note *note = NULL;
        MDB_txn *txn;

        *known = false;
        if (!is_id(digest))
                return SW_OK;
        sw_err *err = read_begin(st, &txn);
        if (err)
                return err;
        int rc = mdb_get(txn, dbi(st, SW_META_NOTES), &key, &v);
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

/* ---- writes ---- */

static int
put_sorted(MDB_txn *txn, MDB_dbi db, MDB_val k, MDB_val v)
{
        int rc = mdb_put(txn, db, &k, &v, MDB_NODUPDATA);

        return rc == MDB_KEYEXIST ? 0 : rc;
}

static int
drop(MDB_txn *txn, MDB_dbi db, MDB_val k, MDB_val *v)
{
        int rc = mdb_del(txn, db, &k, v);

        return rc == MDB_NOTFOUND ? 0 : rc;
}

static sw_err *
lmdb_add_link(sw_keystore *ks, const char *parent, const struct sw_key_link *link,
              const char *child)
{
        struct store *st = store_of(ks);
        struct place p = { 0 };
        sw_err *err = sw__key_check_link(parent, link, child);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        (void) place_make(parent, link, &p); /* fits: it was checked */
        int rc = put_sorted(st->group, dbi(st, SW_META_LINKS), val(p.b, p.len),
                            val_str(child));
        if (!rc)
                rc = put_sorted(st->group, dbi(st, SW_META_BACKLINKS), val_str(child),
                                val(p.b, p.len));
        return write_end(st, rc, "cache: add a link");
}

/* "id NUL result" into @out; both were checked. */
static MDB_val
record_key(const char *id, const char *result, char out[RECORD_KEY_MAX])
{
        const size_t n = strlen(id) + 1, m = strlen(result);

        memcpy(out, id, n);
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length is known */
        memcpy(out + n, result, m);
        return val(out, n + m);
}

static sw_err *
lmdb_add_record(sw_keystore *ks, const char *id, const struct sw_key_record *rec)
{
        struct store *st = store_of(ks);
        Slipway__Store__V1__Record r = SLIPWAY__STORE__V1__RECORD__INIT;
        char buf[RECORD_KEY_MAX];
        uint8_t packed[32]; /* two varints and their tags */
        sw_err *err = sw__key_check_record(id, rec->result);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        MDB_val key = record_key(id, rec->result, buf);
        r.created_at = rec->created_at;
        r.priority = rec->priority;
        MDB_val v = val(packed, slipway__store__v1__record__pack(&r, packed));
        int rc = mdb_put(st->group, dbi(st, SW_META_RECORDS), &key, &v, 0);
        if (!rc)
                rc = put_sorted(st->group, dbi(st, SW_META_BYRESULT), val_str(rec->result),
                                val_str(id));
        return write_end(st, rc, "cache: add a record");
}

static int
drop_record(struct store *st, const char *id, const char *result)
{
        char buf[RECORD_KEY_MAX];
        MDB_val v = val_str(id);
        int rc = drop(st->group, dbi(st, SW_META_RECORDS), record_key(id, result, buf),
                      NULL);

        return rc ? rc : drop(st->group, dbi(st, SW_META_BYRESULT), val_str(result), &v);
}

static sw_err *
lmdb_drop_record(sw_keystore *ks, const char *id, const char *result)
{
        struct store *st = store_of(ks);

        if (!is_id(id) || !is_result(result))
                return SW_OK;
        sw_err *err = write_begin(st);
        if (err)
                return err;
        return write_end(st, drop_record(st, id, result), "cache: drop a record");
}

static bool
collect(void *arg, MDB_val v)
{
        sw_key_id id;

        if (id_of(v, &id))
                sw_strlist_add(arg, id.s);
        return true;
}

struct places {
        SW_ARRAY(struct place) all;
};

static bool
collect_place(void *arg, MDB_val v)
{
        struct places *to = arg;
        struct place p = { .len = v.mv_size };
        struct sw_key_link link;
        const char *parent;

        if (place_parse(v, &parent, &link)) {
                memcpy(p.b, v.mv_data, v.mv_size);
                sw_array_push(&to->all, p);
        }
        return true;
}

/* Remove every link to @id; their parents are added to @todo, which may lose theirs. */
static int
drop_links_to(struct store *st, const char *id, sw_strlist *todo)
{
        struct places from = { 0 };
        MDB_val child = val_str(id);
        int rc = each_value(st->group, dbi(st, SW_META_BACKLINKS), child, collect_place,
                            &from);

        for (size_t i = 0; i < from.all.n && !rc; i++) {
                const struct place *p = &from.all.v[i];

                rc = drop(st->group, dbi(st, SW_META_LINKS), val(p->b, p->len), &child);
                sw_strlist_add(todo, (const char *) p->b); /* begins with the parent */
        }
        if (!rc)
                rc = drop(st->group, dbi(st, SW_META_BACKLINKS), child, NULL);
        sw_array_release(&from.all);
        return rc;
}

/* Remove keys of @todo that lead nowhere, and then the parents that this leaves so. */
static int
drop_unused(struct store *st, sw_strlist *todo)
{
        int rc = 0;

        while (todo->n && !rc) {
                sw_auto(sw_str) id = todo->v[--todo->n];
                bool used = false;

                rc = is_used(st, st->group, id, &used);
                if (!rc && !used)
                        rc = drop_links_to(st, id, todo);
        }
        return rc;
}

static int
release(struct store *st, const char *result)
{
        sw_auto(sw_strlist) ids = { 0 };
        int rc = each_value(st->group, dbi(st, SW_META_BYRESULT), val_str(result), collect,
                            &ids);
        for (size_t i = 0; i < ids.n && !rc; i++)
                rc = drop_record(st, ids.v[i], result);
        return rc ? rc : drop_unused(st, &ids);
}

static sw_err *
lmdb_release(sw_keystore *ks, const char *result)
{
        struct store *st = store_of(ks);

        if (!is_result(result))
                return SW_OK;
        sw_err *err = write_begin(st);
        if (err)
                return err;
        return write_end(st, release(st, result), "cache: release a result");
}

static sw_err *
lmdb_remember(sw_keystore *ks, const char *digest, const char *const *content, size_t n)
{
        struct store *st = store_of(ks);
        Slipway__Store__V1__Note note = SLIPWAY__STORE__V1__NOTE__INIT;
        MDB_val key = val_str(digest), v;
        sw_err *err = sw__key_check_note(digest, content, n);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        note.content = (char **) content;
        note.n_content = n;
        const size_t size = slipway__store__v1__note__get_packed_size(&note);
        sw_auto(sw_str) packed = sw_alloc(size + 1);
        v = val(packed, slipway__store__v1__note__pack(&note, (uint8_t *) packed));
        return write_end(st, mdb_put(st->group, dbi(st, SW_META_NOTES), &key, &v, 0),
                         "cache: remember");
}

static sw_err *
lmdb_commit(sw_keystore *ks)
{
        struct store *st = store_of(ks);
        MDB_txn *group = sw_steal(st->group);

        if (!group)
                return SW_OK;
        int rc = mdb_txn_commit(group);
        if (!rc)
                sw__meta_committed(st->meta);
        return sw__meta_failed(st->meta, rc, "cache: commit");
}

static void
lmdb_free(sw_keystore *ks)
{
        struct store *st = store_of(ks);

        if (st->group)
                mdb_txn_abort(st->group);
        if (st->reader)
                mdb_txn_abort(st->reader);
        free(st);
}

sw_keystore *
sw__keystore_lmdb_new(sw_meta *meta)
{
        static const struct sw_keystore_ops ops = {
                .size = sizeof(ops),
                .name = "lmdb",
                .exists = lmdb_exists,
                .walk_links = lmdb_walk_links,
                .has_link = lmdb_has_link,
                .walk_records = lmdb_walk_records,
                .walk_backlinks = lmdb_walk_backlinks,
                .walk_by_result = lmdb_walk_by_result,
                .walk_keys = lmdb_walk_keys,
                .recall = lmdb_recall,
                .add_link = lmdb_add_link,
                .add_record = lmdb_add_record,
                .drop_record = lmdb_drop_record,
                .release = lmdb_release,
                .remember = lmdb_remember,
                .commit = lmdb_commit,
                .free = lmdb_free,
        };
        struct store *st = sw_new(struct store);

        st->base.ops = &ops;
        st->meta = meta;
        return &st->base;
}
