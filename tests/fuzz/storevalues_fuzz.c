/*
 * tests/fuzz/storevalues_fuzz.c - the reads and removals of the key store over whatever is
 * stored: records, notes and places of links that nobody wrote.
 *
 * Input: entries of database (one byte, modulo 5), length of the key (one byte), length of
 * the value (two bytes, low first), key, value. They are put straight into LMDB.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/core/store/metatool.h"

static sw_meta *meta;
static char dir[64];

static void
clean_up(void)
{
        sw__meta_close(meta);
        tool_remove(dir);
}

static void
begin(void)
{
        snprintf(dir, sizeof(dir), "%s/sw-values-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        fuzz_check(mkdtemp(dir));
        must(sw__meta_open(dir, NULL, &meta));
        (void) atexit(clean_up);
}

/* Ids and results that were put in, or that came out. */
struct seen {
        sw_keystore *ks;
        sw_strlist ids, results;
};

static void
see(sw_strlist *l, const char *s, size_t max)
{
        fuzz_check(*s && strlen(s) <= max);
        if (l->n < 200)
                sw_strlist_add(l, s);
}

static bool
see_id(void *arg, const char *id)
{
        see(arg, id, SW_KEY_TEXT_MAX);
        return true;
}

static bool
see_record(void *arg, const struct sw_key_record *r)
{
        see(arg, r->result, SW_RESULT_ID_MAX);
        return true;
}

static bool
see_backlink(void *arg, const char *parent, const struct sw_key_link *link)
{
        see(arg, parent, SW_KEY_TEXT_MAX);
        fuzz_check(*link->digest && strlen(link->digest) <= SW_KEY_TEXT_MAX);
        fuzz_check(strlen(link->selector) <= SW_KEY_TEXT_MAX);
        return true;
}

static bool
see_note(void *arg, uint32_t input, const char *content)
{
        uint32_t *next = arg;

        fuzz_check(input == (*next)++ && strlen(content) <= SW_KEY_TEXT_MAX);
        return true;
}

static bool
is_there(void *arg, const char *s)
{
        (void) s;
        *(bool *) arg = true;
        return false;
}

static bool
same_result(void *arg, const struct sw_key_record *r)
{
        const char **want = arg;

        if (strcmp(r->result, *want) == 0)
                *want = NULL;
        return *want != NULL;
}

static void
put(MDB_txn *txn, struct seen *seen, const uint8_t *p, size_t size)
{
        while (size >= 4) {
                MDB_val k = { p[1], (void *) (p + 4) };
                MDB_val v = { p[2] | (size_t) p[3] << 8, (void *) (p + 4 + p[1]) };

                if (k.mv_size + v.mv_size > size - 4)
                        return;
                /* LMDB refuses what it cannot hold: empty keys, long duplicates. */
                if (mdb_put(txn, sw__meta_dbi(meta, p[0] % SW_META_N_DBS), &k, &v, 0) ==
                    0) {
                        sw_strlist_take(&seen->ids, sw_strndup(k.mv_data, k.mv_size));
                        sw_strlist_take(&seen->results, sw_strndup(k.mv_data, k.mv_size));
                }
                p += 4 + k.mv_size + v.mv_size;
                size -= 4 + k.mv_size + v.mv_size;
        }
}

static void
read_all(struct seen *s)
{
        const struct sw_keystore_ops *ops = s->ks->ops;
        const size_t n = s->ids.n;
        bool b;

        must(ops->walk_keys(s->ks, see_id, &s->ids));
        for (size_t i = 0; i < s->ids.n; i++) {
                uint32_t input = 0;

                must(ops->exists(s->ks, s->ids.v[i], &b));
                must(ops->walk_records(s->ks, s->ids.v[i], see_record, &s->results));
                must(ops->recall(s->ks, s->ids.v[i], &b, see_note, &input));
                fuzz_check(b || input == 0);
                if (i < n)
                        must(ops->walk_backlinks(s->ks, s->ids.v[i], see_backlink,
                                                 &s->ids));
        }
        for (size_t i = 0; i < s->results.n; i++)
                must(ops->walk_by_result(s->ks, s->results.v[i], see_id, &s->ids));
}

/* What was dropped is not there any more, in whatever mess. */
static void
drop_all(struct seen *s)
{
        const struct sw_keystore_ops *ops = s->ks->ops;

        for (size_t i = 0; i < s->results.n; i++) {
                const char *result = s->results.v[i], *want = result;
                const char *id = s->ids.n ? s->ids.v[i % s->ids.n] : "id";
                bool there = false;

                must(ops->drop_record(s->ks, id, result));
                must(ops->walk_records(s->ks, id, same_result, &want));
                fuzz_check(want);
                must(ops->release(s->ks, result));
                must(ops->walk_by_result(s->ks, result, is_there, &there));
                fuzz_check(!there);
        }
        must(ops->commit(s->ks));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen seen = { 0 };
        MDB_txn *txn;

        if (!meta)
                begin();
        fuzz_check(mdb_txn_begin(sw__meta_env(meta), NULL, 0, &txn) == 0);
        put(txn, &seen, data, size);
        fuzz_check(mdb_txn_commit(txn) == 0);
        seen.ks = sw__keystore_lmdb_new(meta);
        read_all(&seen);
        drop_all(&seen);
        sw__keystore_free(seen.ks);
        sw_strlist_release(&seen.ids);
        sw_strlist_release(&seen.results);
        fuzz_check(mdb_txn_begin(sw__meta_env(meta), NULL, 0, &txn) == 0);
        for (int i = 0; i < SW_META_N_DBS; i++)
                fuzz_check(mdb_drop(txn, sw__meta_dbi(meta, (enum sw_meta_db) i), 0) == 0);
        fuzz_check(mdb_txn_commit(txn) == 0);
        return 0;
}
