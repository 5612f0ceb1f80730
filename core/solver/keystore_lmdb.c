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
#include <string.h>

#include <slipway/array.h>

#include "core/solver/keystore_lmdb_impl.h"
#include "proto/store.pb-c.h"

/* ---- groups ---- */

static sw_err *
write_begin(struct sw__keydb *st)
{
        if (st->group)
                return SW_OK;
        return sw__meta_begin(st->meta, true, &st->group, "cache: begin to write");
}

/* A write that fails takes its whole group with it: half a change is none. */
static sw_err *
write_end(struct sw__keydb *st, int rc, const char *what)
{
        if (rc && st->group) {
                mdb_txn_abort(st->group);
                st->group = NULL;
        }
        return sw__meta_failed(st->meta, rc, what);
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
        struct sw__keydb *st = sw__keydb_of(ks);
        struct sw__keydb_place p = { 0 };
        sw_err *err = sw__key_check_link(parent, link, child);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        (void) sw__keydb_place_make(parent, link, &p); /* fits: it was checked */
        int rc = put_sorted(st->group, sw__keydb_dbi(st, SW_META_LINKS),
                            sw__keydb_val(p.b, p.len), sw__keydb_str(child));
        if (!rc)
                rc = put_sorted(st->group, sw__keydb_dbi(st, SW_META_BACKLINKS),
                                sw__keydb_str(child), sw__keydb_val(p.b, p.len));
        return write_end(st, rc, "cache: add a link");
}

static sw_err *
lmdb_add_record(sw_keystore *ks, const char *id, const struct sw_key_record *rec)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        Slipway__Store__V1__Record r = SLIPWAY__STORE__V1__RECORD__INIT;
        char buf[SW__KEYDB_RECORD_KEY_MAX];
        uint8_t packed[32]; /* two varints and their tags */
        sw_err *err = sw__key_check_record(id, rec->result);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        MDB_val key = sw__keydb_record(id, rec->result, buf);
        r.created_at = rec->created_at;
        r.priority = rec->priority;
        MDB_val v = sw__keydb_val(packed, slipway__store__v1__record__pack(&r, packed));
        int rc = mdb_put(st->group, sw__keydb_dbi(st, SW_META_RECORDS), &key, &v, 0);
        if (!rc)
                rc = put_sorted(st->group, sw__keydb_dbi(st, SW_META_BYRESULT),
                                sw__keydb_str(rec->result), sw__keydb_str(id));
        return write_end(st, rc, "cache: add a record");
}

static int
drop_record(struct sw__keydb *st, const char *id, const char *result)
{
        char buf[SW__KEYDB_RECORD_KEY_MAX];
        MDB_val v = sw__keydb_str(id);
        int rc = drop(st->group, sw__keydb_dbi(st, SW_META_RECORDS),
                      sw__keydb_record(id, result, buf), NULL);

        return rc ? rc
                  : drop(st->group, sw__keydb_dbi(st, SW_META_BYRESULT),
                         sw__keydb_str(result), &v);
}

static sw_err *
lmdb_drop_record(sw_keystore *ks, const char *id, const char *result)
{
        struct sw__keydb *st = sw__keydb_of(ks);

        if (!sw__keydb_is_id(id) || !sw__keydb_is_result(result))
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

        if (sw__keydb_id(v, &id))
                sw_strlist_add(arg, id.s);
        return true;
}

struct places {
        SW_ARRAY(struct sw__keydb_place) all;
};

static bool
collect_place(void *arg, MDB_val v)
{
        struct places *to = arg;
        struct sw__keydb_place p = { .len = v.mv_size };
        struct sw_key_link link;
        const char *parent;

        if (sw__keydb_parse(v, &parent, &link)) {
                memcpy(p.b, v.mv_data, v.mv_size);
                sw_array_push(&to->all, p);
        }
        return true;
}

/* Remove every link to @id; their parents are added to @todo, which may lose theirs. */
static int
drop_links_to(struct sw__keydb *st, const char *id, sw_strlist *todo)
{
        struct places from = { 0 };
        MDB_val child = sw__keydb_str(id);
        int rc = sw__keydb_each_value(st->group, sw__keydb_dbi(st, SW_META_BACKLINKS),
                                      child, collect_place, &from);

        for (size_t i = 0; i < from.all.n && !rc; i++) {
                const struct sw__keydb_place *p = &from.all.v[i];

                rc = drop(st->group, sw__keydb_dbi(st, SW_META_LINKS),
                          sw__keydb_val(p->b, p->len), &child);
                sw_strlist_add(todo, (const char *) p->b); /* begins with the parent */
        }
        if (!rc)
                rc = drop(st->group, sw__keydb_dbi(st, SW_META_BACKLINKS), child, NULL);
        sw_array_release(&from.all);
        return rc;
}

/* Remove keys of @todo that lead nowhere, and then the parents that this leaves so. */
static int
drop_unused(struct sw__keydb *st, sw_strlist *todo)
{
        int rc = 0;

        while (todo->n && !rc) {
                sw_auto(sw_str) id = todo->v[--todo->n];
                bool used = false;

                rc = sw__keydb_used(st, st->group, id, &used);
                if (!rc && !used)
                        rc = drop_links_to(st, id, todo);
        }
        return rc;
}

static int
release(struct sw__keydb *st, const char *result)
{
        sw_auto(sw_strlist) ids = { 0 };
        int rc = sw__keydb_each_value(st->group, sw__keydb_dbi(st, SW_META_BYRESULT),
                                      sw__keydb_str(result), collect, &ids);
        for (size_t i = 0; i < ids.n && !rc; i++)
                rc = drop_record(st, ids.v[i], result);
        return rc ? rc : drop_unused(st, &ids);
}

static sw_err *
lmdb_release(sw_keystore *ks, const char *result)
{
        struct sw__keydb *st = sw__keydb_of(ks);

        if (!sw__keydb_is_result(result))
                return SW_OK;
        sw_err *err = write_begin(st);
        if (err)
                return err;
        return write_end(st, release(st, result), "cache: release a result");
}

static sw_err *
lmdb_remember(sw_keystore *ks, const char *digest, const char *const *content, size_t n)
{
        struct sw__keydb *st = sw__keydb_of(ks);
        Slipway__Store__V1__Note note = SLIPWAY__STORE__V1__NOTE__INIT;
        MDB_val key = sw__keydb_str(digest), v;
        sw_err *err = sw__key_check_note(digest, content, n);

        if (!err)
                err = write_begin(st);
        if (err)
                return err;
        note.content = (char **) content;
        note.n_content = n;
        const size_t size = slipway__store__v1__note__get_packed_size(&note);
        sw_auto(sw_str) packed = sw_alloc(size + 1);
        v = sw__keydb_val(packed,
                          slipway__store__v1__note__pack(&note, (uint8_t *) packed));
        return write_end(st,
                         mdb_put(st->group, sw__keydb_dbi(st, SW_META_NOTES), &key, &v, 0),
                         "cache: remember");
}

static sw_err *
lmdb_commit(sw_keystore *ks)
{
        struct sw__keydb *st = sw__keydb_of(ks);
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
        struct sw__keydb *st = sw__keydb_of(ks);

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
                .exists = sw__keydb_exists,
                .walk_links = sw__keydb_walk_links,
                .has_link = sw__keydb_has_link,
                .walk_records = sw__keydb_walk_records,
                .walk_backlinks = sw__keydb_walk_backlinks,
                .walk_by_result = sw__keydb_walk_by_result,
                .walk_keys = sw__keydb_walk_keys,
                .recall = sw__keydb_recall,
                .add_link = lmdb_add_link,
                .add_record = lmdb_add_record,
                .drop_record = lmdb_drop_record,
                .release = lmdb_release,
                .remember = lmdb_remember,
                .commit = lmdb_commit,
                .free = lmdb_free,
        };
        struct sw__keydb *st = sw_new(struct sw__keydb);

        st->base.ops = &ops;
        st->meta = meta;
        return &st->base;
}
