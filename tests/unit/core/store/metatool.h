/*
 * tests/unit/core/store/metatool.h - what the tests of the metadata environment share:
 * seeded random numbers, a store with something of everything in it, and the checks of the
 * invariants that keystore_lmdb.c states.
 */
#ifndef SLIPWAY_TESTS_METATOOL_H
#define SLIPWAY_TESTS_METATOOL_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "core/solver/keystore_lmdb.h"
#include "core/store/lmdbcheck.h"
#include "core/store/meta.h"
#include "tests/unit/tmp.h"

/* ---- checks without Check ----
 *
 * Check writes a message to its pipe for every assertion: slow in loops, and torn where a
 * process is killed. These are for loops and for child processes: they abort(), which Check
 * reports of a test, and a test sees of its child.
 */

#define must_be(cond)                                                                      \
        do {                                                                               \
                if (!(cond)) {                                                             \
                        (void) fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__,        \
                                       #cond);                                             \
                        abort();                                                           \
                }                                                                          \
        } while (0)

#define must(call)                                                                         \
        do {                                                                               \
                sw_err *must_err_ = (call);                                                \
                if (must_err_) {                                                           \
                        (void) fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__,    \
                                       #call, sw_err_message(must_err_));                  \
                        abort();                                                           \
                }                                                                          \
        } while (0)

/* ---- random numbers from a seed (xorshift64*) ---- */

struct rng {
        uint64_t s;
};

static inline struct rng
rng_seed(uint64_t seed)
{
        return (struct rng){ seed * 0x9e3779b97f4a7c15u + 0x1234567 };
}

static inline uint64_t
rng_next(struct rng *r)
{
        r->s ^= r->s >> 12;
        r->s ^= r->s << 25;
        r->s ^= r->s >> 27;
        return r->s * 0x2545f4914f6cdd1du;
}

/* 0 .. n-1 */
static inline unsigned
rng_below(struct rng *r, unsigned n)
{
        return (unsigned) (rng_next(r) >> 33) % n;
}

/* How many rounds: @normal, or what the environment variable @name says. */
static inline unsigned
rounds(const char *name, unsigned normal)
{
        const char *s = getenv(name);

        return s ? (unsigned) strtoul(s, NULL, 10) : normal;
}

/* The same for work that takes seconds: a third of it with a sanitizer, whose strength is
 * not in the numbers. */
static inline unsigned
effort(const char *name, unsigned normal)
{
        return rounds(name, UNIT_SANITIZED ? (normal + 2) / 3 : normal);
}

/* ---- directories ---- */

static inline void
tool_remove(const char *dir)
{
        sw_auto(sw_fd) fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *e;
        DIR *d = fd < 0 ? NULL : fdopendir(dup(fd));

        while (d && (e = readdir(d)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                    unlinkat(fd, e->d_name, 0) < 0)
                        (void) unlinkat(fd, e->d_name, AT_REMOVEDIR);
        if (d)
                closedir(d);
        (void) rmdir(dir);
}

/* How many files that were set aside are in @dir. */
static inline int
tool_set_aside(const char *dir)
{
        DIR *d = opendir(dir);
        struct dirent *e;
        int n = 0;

        while (d && (e = readdir(d)))
                n += strncmp(e->d_name, "data.mdb.damaged-", 17) == 0;
        if (d)
                closedir(d);
        return n;
}

/* Make the next opening look for damage. */
static inline void
tool_forget_clean(const char *dir)
{
        sw_auto(sw_str) path = sw_asprintf("%s/clean", dir);

        (void) unlink(path);
}

/* ---- contents ---- */

static inline void
tool_link(sw_keystore *ks, const char *parent, uint32_t input, const char *digest,
          const char *selector, const char *child)
{
        struct sw_key_link link = { input, 0, digest, selector };

        must(ks->ops->add_link(ks, parent, &link, child));
}

static inline void
tool_record(sw_keystore *ks, const char *id, const char *result, int64_t created)
{
        struct sw_key_record rec = { result, created, 3 };

        must(ks->ops->add_record(ks, id, &rec));
}

/* Something of everything LMDB stores in a way of its own: trees with branches, duplicates
 * in sub-pages and in trees, values with pages of their own, free pages in lists short and
 * long. @n: about how many entries of each kind. */
static inline void
tool_fill(sw_keystore *ks, unsigned n)
{
        const char *content[900];
        char a[80], b[80], c[80];

        for (unsigned i = 0; i < n; i++) {
                snprintf(a, sizeof(a), "key-%u", i * 7919 % n);
                snprintf(b, sizeof(b), "key-%u", i);
                snprintf(c, sizeof(c), "worker::ref-%u", i % (n / 2));
                tool_link(ks, a, i % 3, "sha256:digest", i % 2 ? "selector" : "", b);
                tool_link(ks, "base", 0, "sha256:popular", "", b);
                tool_link(ks, b, 1, "sha256:fan-in", "", "end");
                tool_record(ks, b, c, 1700000000000000000 + i);
                tool_record(ks, b, "worker::shared", i);
                if (i % 100 == 99)
                        must(ks->ops->commit(ks));
        }
        for (size_t i = 0; i < SW_COUNT(content); i++)
                content[i] = "sha256:content-of-an-input-that-is-about-this-long";
        must(ks->ops->remember(ks, "sha256:large", content, SW_COUNT(content)));
        must(ks->ops->remember(ks, "sha256:small", content, 3));
        must(ks->ops->remember(ks, "sha256:none", content, 0));
        must(ks->ops->commit(ks));
        for (unsigned i = 0; i < n / 4; i++) {
                snprintf(c, sizeof(c), "worker::ref-%u", i);
                must(ks->ops->release(ks, c));
        }
        must(ks->ops->commit(ks));
        must(ks->ops->remember(ks, "sha256:large", content, 60));
        must(ks->ops->commit(ks));
}

/* ---- invariants ---- */

static inline bool
tool_has_pair(MDB_txn *txn, MDB_dbi dbi, MDB_val k, MDB_val v)
{
        MDB_cursor *c;

        must_be(mdb_cursor_open(txn, dbi, &c) == 0);
        int rc = mdb_cursor_get(c, &k, &v, MDB_GET_BOTH);
        mdb_cursor_close(c);
        return rc == 0;
}

/* L1: every pair of links is there the other way round in backlinks, and no more. */
static inline void
tool_check_pairs(sw_meta *m, MDB_txn *txn)
{
        const MDB_dbi links = sw__meta_dbi(m, SW_META_LINKS),
                      back = sw__meta_dbi(m, SW_META_BACKLINKS);
        MDB_val k, v;
        MDB_cursor *c;
        size_t n = 0;
        MDB_stat st;

        must_be(mdb_cursor_open(txn, links, &c) == 0);
        for (; mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0; n++)
                must_be(tool_has_pair(txn, back, v, k)); /* L1 */
        mdb_cursor_close(c);
        must_be(mdb_stat(txn, back, &st) == 0);
        must_be(st.ms_entries == n); /* L1 */
        must_be(mdb_stat(txn, links, &st) == 0);
        must_be(st.ms_entries == n);
}

/* L2: the same for records and byresult. */
static inline void
tool_check_records(sw_meta *m, MDB_txn *txn)
{
        const MDB_dbi by = sw__meta_dbi(m, SW_META_BYRESULT);
        MDB_val k, v;
        MDB_cursor *c;
        size_t n = 0;
        MDB_stat st;

        must_be(mdb_cursor_open(txn, sw__meta_dbi(m, SW_META_RECORDS), &c) == 0);
        for (; mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0; n++) {
                const size_t id = strnlen(k.mv_data, k.mv_size);

                must_be(id < k.mv_size);
                must_be(tool_has_pair(txn, by,
                                      (MDB_val){ k.mv_size - id - 1,
                                                 (char *) k.mv_data + id + 1 },
                                      (MDB_val){ id, k.mv_data })); /* L2 */
        }
        mdb_cursor_close(c);
        must_be(mdb_stat(txn, by, &st) == 0);
        must_be(st.ms_entries == n); /* L2 */
}

static inline void
tool_check_invariants(sw_meta *m)
{
        MDB_txn *txn;

        must_be(mdb_txn_begin(sw__meta_env(m), NULL, MDB_RDONLY, &txn) == 0);
        tool_check_pairs(m, txn);
        tool_check_records(m, txn);
        mdb_txn_abort(txn);
}

/* Read whatever there is, through LMDB itself. Returns a sum of all bytes. */
static inline uint64_t
tool_read_all(sw_meta *m)
{
        uint64_t sum = 0;
        MDB_txn *txn;
        MDB_val k, v;

        must_be(mdb_txn_begin(sw__meta_env(m), NULL, MDB_RDONLY, &txn) == 0);
        for (int db = 0; db < SW_META_N_DBS; db++) {
                MDB_cursor *c;

                must_be(mdb_cursor_open(txn, sw__meta_dbi(m, (enum sw_meta_db) db), &c) ==
                        0);
                for (int rc = mdb_cursor_get(c, &k, &v, MDB_FIRST); rc == 0;
                     rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
                        for (size_t i = 0; i < k.mv_size; i++)
                                sum += ((uint8_t *) k.mv_data)[i];
                        for (size_t i = 0; i < v.mv_size; i++)
                                sum += ((uint8_t *) v.mv_data)[i];
                }
                mdb_cursor_close(c);
        }
        mdb_txn_abort(txn);
        return sum;
}

/* The whole of a file. */
static inline void
tool_read_file(const char *dir, const char *name, sw_buf *out)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);

        sw_buf_clear(out);
        must(sw_buf_read_file(out, AT_FDCWD, path, (size_t) 1 << 30));
}

/* The file of a new environment with @n of everything (tool_fill). */
static inline void
tool_make(unsigned n, sw_buf *out)
{
        char dir[64];
        sw_meta *m;

        unit_mkdtemp(dir, sizeof(dir), "file");
        must(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        tool_fill(ks, n);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_read_file(dir, "data.mdb", out);
        tool_remove(dir);
}

static inline void
tool_write_file(const char *dir, const char *name, const void *p, size_t n)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        must_be(fd >= 0);
        must_be(write(fd, p, n) == (ssize_t) n);
}

/* The file of a closed environment passes the check. */
static inline void
tool_check_file(const char *dir)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        tool_read_file(dir, "data.mdb", &b);
        must(sw__lmdb_check(b.data, b.len));
}

#endif
