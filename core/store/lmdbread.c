/*
 * core/store/lmdbread.c - see lmdbread.h. Thread: any.
 *
 * Invariant: nothing is read at an offset that was not compared with the file's size, or
 * the page's.
 */
#include "core/store/lmdbread.h"

#include "core/store/lmdbcheck.h"

sw_err *
sw__lmdb_damaged(uint64_t page, const char *what)
{
        return sw_err_new(SW_E_CORRUPT, "page %llu: %s", (unsigned long long) page, what);
}

/* ---- pages ---- */

sw_err *
sw__lmdb_page_bounds(uint64_t where, const uint8_t *p, unsigned size, unsigned *n)
{
        const unsigned lower = u16(p + 12), upper = u16(p + 14);

        if (lower < PAGE_HEADER || lower > upper || upper > size || (lower & 1) ||
            (upper & 1) || (size & 1))
                return sw__lmdb_damaged(where, "impossible bounds");
        *n = (lower - PAGE_HEADER) / 2;
        return SW_OK;
}

sw_err *
sw__lmdb_read_node(uint64_t where, const uint8_t *p, unsigned size, unsigned i, bool branch,
                   struct node *out)
{
        const unsigned at = u16(p + PAGE_HEADER + 2 * i);

        if (at < u16(p + 14) || at + NODE_HEADER > size || (at & 1))
                return sw__lmdb_damaged(where, "a node outside its page");
        out->at = at;
        out->low = (uint64_t) u16(p + at) | (uint64_t) u16(p + at + 2) << 16;
        out->flags = branch ? 0 : u16(p + at + 4);
        if (branch)
                out->low |= (uint64_t) u16(p + at + 4) << 32;
        out->key.n = u16(p + at + 6);
        if (at + NODE_HEADER + out->key.n > size)
                return sw__lmdb_damaged(where, "a key outside its page");
        out->key.p = p + at + NODE_HEADER;
        out->data = out->key.p + out->key.n;
        out->room = size - at - NODE_HEADER - out->key.n;
        return SW_OK;
}

int
sw__lmdb_compare(const struct key *a, const struct key *b, enum tree_kind kind)
{
        if (kind == FREE_LIST) /* see the header */
                return u64(a->p) < u64(b->p) ? -1 : u64(a->p) > u64(b->p);
        const unsigned n = a->n < b->n ? a->n : b->n;
        const int order = n ? memcmp(a->p, b->p, n) : 0;
        return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* ---- meta pages ---- */

static uint64_t
meta_txn(const uint8_t *meta)
{
        return u64(meta + META_DBS + 2 * DB_SIZE + 8);
}

static bool
meta_ok(const uint8_t *p, uint64_t page)
{
        return u64(p) == page && u16(p + 10) == P_META &&
               u32(p + PAGE_HEADER) == 0xBEEFC0DE && u32(p + PAGE_HEADER + 4) == 1;
}

/* The newer of the two meta pages. LMDB finds it by the larger transaction, and later by
 * that number being odd; a file without transactions has 0 in both. */
sw_err *
sw__lmdb_read_meta(struct lmdb_file *f, size_t n)
{
        if (n < 2 * PAGE_MIN || !meta_ok(f->p, 0))
                return sw__lmdb_damaged(0, "not a meta page of LMDB");
        f->page_size = u32(f->p + META_DBS);
        if (f->page_size < PAGE_MIN || f->page_size > PAGE_MAX ||
            (f->page_size & (f->page_size - 1)))
                return sw__lmdb_damaged(0, "impossible page size");
        f->n_pages = n / f->page_size;
        f->node_max = (((f->page_size - PAGE_HEADER) / 2) & ~1u) - 2;
        const uint8_t *second = f->p + f->page_size;
        if (f->n_pages < 2 || !meta_ok(second, 1))
                return sw__lmdb_damaged(1, "not a meta page of LMDB");
        if (u32(second + META_DBS) != f->page_size)
                return sw__lmdb_damaged(1, "another page size than page 0");
        const bool odd = meta_txn(f->p) < meta_txn(second);
        const uint8_t *meta = odd ? second : f->p;
        f->txn = meta_txn(meta);
        if ((f->txn & 1) != odd || f->txn >> 62)
                return sw__lmdb_damaged(odd, "an impossible transaction number");
        f->last = u64(meta + META_DBS + 2 * DB_SIZE);
        if (f->last < 1 || f->last >= SW_LMDB_FILE_MAX / f->page_size)
                return sw__lmdb_damaged(odd, "an impossible last page");
        f->meta = meta;
        return SW_OK;
}

/* ---- looking for one value ---- */

/* Go through the page at hand: the value in a leaf; else the child to go on with. */
static bool
peek_page(const struct lmdb_file *f, uint64_t page, const struct key *key,
          struct node *found, uint64_t *child)
{
        const uint8_t *p = f->p + page * f->page_size;
        const bool branch = u16(p + 10) == P_BRANCH;
        unsigned n = 0;
        sw_err *err = sw__lmdb_page_bounds(page, p, f->page_size, &n);

        *child = 0;
        for (unsigned i = 0; i < n && !err; i++) {
                err = sw__lmdb_read_node(page, p, f->page_size, i, branch, found);
                if (err)
                        break;
                const int order =
                        i || !branch ? sw__lmdb_compare(key, &found->key, MAIN) : 1;
                if (branch && order >= 0)
                        *child = found->low;
                if (!branch && order == 0 && !found->flags && found->low <= found->room)
                        return true;
        }
        sw_err_drop(err, "it is a guess, not a judgement");
        return false;
}

bool
sw__lmdb_peek(const void *p, size_t n, const char *key, char *out, size_t size)
{
        const struct key want = { (const uint8_t *) key, (unsigned) strlen(key) };
        struct lmdb_file f = { .p = p };
        struct node node = { 0 };
        sw_err *err = sw__lmdb_read_meta(&f, n);

        if (err) {
                sw_err_drop(err, "then there is nothing to see");
                return false;
        }
        uint64_t page = u64(f.meta + META_DBS + DB_SIZE + 40);
        for (int depth = 0; depth < DEPTH_MAX && page >= 2 && page < f.n_pages; depth++) {
                uint64_t child;

                if (peek_page(&f, page, &want, &node, &child)) {
                        const size_t len = node.low < size - 1 ? node.low : size - 1;

                        memcpy(out, node.data, len);
                        out[len] = '\0';
                        return true;
                }
                page = child;
        }
        return false;
}
