/*
 * tests/fuzz/refs_fuzz.c - the worker over whatever is stored: records of refs, pairs,
 * blobs and images that nobody wrote. Looked up, listed as chains, counted, pruned.
 *
 * Input: entries of database (one byte, modulo their number), length of the key (one byte),
 * length of the value (two bytes, low first), key, value. They are put straight into LMDB.
 */
#include "tests/fuzz/fuzz.h"

#include <slipway/blob.h>

#include "core/store/refs.h"
#include "tests/unit/core/store/metatool.h"

static sw_root *root;
static sw_worker *w;
static char dir[64];

/* ---- a snapshotter that has nothing ---- */

static sw_err *
none_probe(void *self, sw_ctx *ctx, int dirfd)
{
        (void) self;
        (void) ctx;
        (void) dirfd;
        return SW_OK;
}

static sw_err *
none_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        (void) ctx;
        (void) dirfd;
        *store = self;
        return SW_OK;
}

static void
none_close(void *self, void *store)
{
        (void) self;
        (void) store;
}

static sw_err *
none_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        (void) store;
        (void) ctx;
        *out = (struct sw_snapshot_usage){ 0 };
        return *key ? sw_err_new(SW_E_NOT_FOUND, "there is none") : SW_OK;
}

static sw_err *
none_remove(void *store, sw_ctx *ctx, const char *key)
{
        (void) store;
        (void) ctx;
        (void) key;
        return SW_OK;
}

static sw_err *
none_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        (void) store;
        (void) ctx;
        (void) fn;
        (void) arg;
        return SW_OK;
}

static const struct sw_snapshotter_ops none = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = none_probe,
        .open = none_open,
        .close = none_close,
        .usage = none_usage,
        .remove = none_remove,
        .list = none_list,
};

static void
clean_up(void)
{
        sw__root_close(root);
        tool_remove(dir);
}

static void
begin(void)
{
        const struct sw_root_opts opts = { .path = dir };

        snprintf(dir, sizeof(dir), "%s/sw-refs-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        fuzz_check(mkdtemp(dir));
        must(sw__root_open(&opts, &root));
        w = sw__root_worker(root);
        sw__root_use_snapshotter(root, "none", &none, &root);
        (void) atexit(clean_up);
}

/* ---- what is done with it ---- */

static void
put(MDB_txn *txn, sw_strlist *keys, const uint8_t *p, size_t size)
{
        while (size >= 4) {
                MDB_val k = { p[1], (void *) (p + 4) };
                MDB_val v = { p[2] | (size_t) p[3] << 8, (void *) (p + 4 + p[1]) };

                if (k.mv_size + v.mv_size > size - 4)
                        return;
                /* LMDB refuses what it cannot hold: empty keys, long duplicates. */
                if (mdb_put(txn, sw__meta_dbi(sw__root_meta(root), p[0] % SW_META_N_DBS),
                            &k, &v, 0) == 0)
                        sw_strlist_take(keys, sw_strndup(k.mv_data, k.mv_size));
                p += 4 + k.mv_size + v.mv_size;
                size -= 4 + k.mv_size + v.mv_size;
        }
}

static void
drop(sw_err *err)
{
        sw_err_drop(err, "a refusal is as good");
}

static void
look_at(sw_ref *r)
{
        sw_ref *parent = NULL;
        sw_chain *c = NULL;

        drop(sw_ref_chain(w, NULL, r, &c));
        for (size_t i = 0; c && i < sw_chain_count(c); i++) {
                const struct sw_chain_layer *l = sw_chain_get(c, i);
                int fd = -1;

                fuzz_check(l->id && l->description);
                for (size_t k = 0; k < l->n_blobs; k++) {
                        fuzz_check(l->blobs[k].media_type && l->blobs[k].len >= 0);
                        drop(sw_chain_blob_open(c, NULL, i, &l->blobs[k].digest, &fd));
                        drop(sw_chain_add_blob(c, NULL, i, &l->blobs[k]));
                }
        }
        sw_chain_free(c);
        drop(sw_ref_ready(w, NULL, r));
        drop(sw_ref_parent(w, NULL, r, &parent));
        sw_ref_unref(parent);
}

static void
build_on(sw_ref *r)
{
        const struct sw_blob_origin origin = { "none", "here" };
        const struct sw_blob blob = { .size = sizeof(blob), .media_type = "text/plain" };
        sw_ref *top = NULL, *both = NULL, *parts[2] = { r, NULL };

        drop(sw_worker_blob_layer(w, NULL, r, &blob, &origin, NULL, &top));
        parts[1] = top;
        drop(sw_worker_merge(w, NULL, parts, 2, NULL, &both));
        sw_ref_unref(both);
        sw_ref_unref(top);
}

static bool
count(void *arg, const struct sw_usage *u)
{
        fuzz_check(u->id[0] && u->description && u->type);
        (*(unsigned *) arg)++;
        return true;
}

static void
use_all(const sw_strlist *keys)
{
        sw_image_list images = { 0 };

        for (size_t i = 0; i < keys->n && i < 8; i++) { /* rings take long */
                sw_ref *r = NULL;

                drop(sw_worker_load(w, NULL, keys->v[i], &r));
                if (r) {
                        look_at(r);
                        build_on(r);
                }
                sw_ref_unref(r);
                r = NULL;
                drop(sw_worker_find(w, NULL, keys->v[i], &r));
                sw_ref_unref(r);
                drop(sw_images_get(w, NULL, keys->v[i], &images));
                sw_image_list_release(&images);
        }
        drop(sw_images_list(w, NULL, &images));
        for (size_t i = 0; i < images.n; i++)
                drop(sw_images_remove(w, NULL, images.v[i].name));
        sw_image_list_release(&images);
}

static void
start_again(void)
{
        MDB_txn *txn;

        sw__worker_let_go(w);
        fuzz_check(mdb_txn_begin(sw__meta_env(sw__root_meta(root)), NULL, 0, &txn) == 0);
        for (int i = 0; i < SW_META_N_DBS; i++)
                if (i != SW_META_STORE)
                        fuzz_check(mdb_drop(txn,
                                            sw__meta_dbi(sw__root_meta(root),
                                                         (enum sw_meta_db) i),
                                            0) == 0);
        fuzz_check(mdb_txn_commit(txn) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct sw_prune_opts all = { .all = true };
        sw_auto(sw_strlist) keys = { 0 };
        unsigned n = 0;
        MDB_txn *txn;

        if (!root)
                begin();
        fuzz_check(mdb_txn_begin(sw__meta_env(sw__root_meta(root)), NULL, 0, &txn) == 0);
        put(txn, &keys, data, size);
        fuzz_check(mdb_txn_commit(txn) == 0);
        use_all(&keys);
        drop(sw__worker_usage(w, NULL, NULL, 0, count, &n));
        sw__worker_let_go(w);
        drop(sw__worker_prune(w, NULL, &all, count, &n));
        start_again();
        return 0;
}
