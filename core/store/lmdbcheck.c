/*
 * core/store/lmdbcheck.c - look over an LMDB data file before it is mapped.
 *
 * A worklist of pages, not recursion: the file decides how deep it goes. Every page is
 * taken at most once (a bitmap), so that loops and shared pages are found. Invariant:
 * nothing is read at an offset that was not compared with the file's size.
 */
#include "core/store/lmdbcheck.h"

#include <string.h>

#include <slipway/array.h>

enum {
        PAGE_HEADER = 16,
        NODE_HEADER = 8,
        DB_SIZE = 48,
        PAGE_MIN = 512,
        PAGE_MAX = 65536,
        DEPTH_MAX = 32, /* LMDB's own CURSOR_STACK */
};

enum { P_BRANCH = 0x01, P_LEAF = 0x02, P_OVERFLOW = 0x04, P_META = 0x08, P_SUBP = 0x40 };
enum { F_BIGDATA = 0x01, F_SUBDATA = 0x02, F_DUPDATA = 0x04 };
enum { DB_DUPFIXED = 0x10 };

#define NO_PAGE UINT64_MAX

/* One tree page to look at. */
struct todo {
        uint64_t page;
        unsigned depth; /* levels below it, itself included */
        bool is_free;   /* in the list of free pages: values are page lists */
};

struct check {
        const uint8_t *p;
        uint64_t n_pages; /* in the file */
        uint64_t last;    /* last page in use, as the meta page says */
        uint32_t page_size;
        uint8_t *seen; /* bitmap by page */
        SW_ARRAY(struct todo) todo;
};

static uint16_t
u16(const uint8_t *p)
{
        uint16_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static uint32_t
u32(const uint8_t *p)
{
        uint32_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static uint64_t
u64(const uint8_t *p)
{
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static sw_err *
damaged(uint64_t page, const char *what)
{
        return sw_err_new(SW_E_CORRUPT, "page %llu: %s", (unsigned long long) page, what);
}

/* Mark @page as taken. */
static sw_err *
take(struct check *c, uint64_t page)
{
        if (page < 2 || page > c->last || page >= c->n_pages)
                return damaged(page, "outside the file");
        if (c->seen[page / 8] & (1 << (page % 8)))
                return damaged(page, "used twice");
        c->seen[page / 8] |= (uint8_t) (1 << (page % 8));
        return SW_OK;
}

/* Queue the tree of an MDB_db record. */
static sw_err *
queue_db(struct check *c, const uint8_t *db, uint64_t where, bool is_free)
{
        const unsigned flags = u16(db + 4), depth = u16(db + 6);
        const uint64_t root = u64(db + 40);

        if (flags & DB_DUPFIXED)
                return damaged(
                        where,
                        "a database of fixed-size values, which slipway never makes");
        if (root == NO_PAGE)
                return depth ? damaged(where, "a database without a root has depth")
                             : SW_OK;
        if (depth == 0 || depth > DEPTH_MAX)
                return damaged(where, "a database of impossible depth");
        sw_array_push(&c->todo, (struct todo){ root, depth, is_free });
        return SW_OK;
}

/* A value that fills pages of its own. */
static sw_err *
check_overflow(struct check *c, uint64_t page, uint64_t size)
{
        sw_err *err = take(c, page);

        if (err)
                return err;
        const uint8_t *p = c->p + page * c->page_size;
        const uint64_t pages = u32(p + 12);
        if (u64(p) != page || !(u16(p + 10) & P_OVERFLOW))
                return damaged(page, "not the overflow page it should be");
        if (pages == 0 || pages > c->last - page + 1 || pages > c->n_pages - page ||
            size > pages * c->page_size - PAGE_HEADER)
                return damaged(page, "an overflow value larger than its pages");
        for (uint64_t i = 1; i < pages && !err; i++)
                err = take(c, page + i);
        return err;
}

/* The value of a free-list entry: a count and that many page numbers. */
static sw_err *
check_free_list(struct check *c, uint64_t where, const uint8_t *v, uint64_t size)
{
        const uint64_t n = size >= 8 ? u64(v) : NO_PAGE;

        if (n > size / 8 - 1)
                return damaged(where, "a list of free pages longer than its value");
        for (uint64_t i = 1; i <= n; i++)
                if (u64(v + 8 * i) < 2 || u64(v + 8 * i) > c->last)
                        return damaged(where, "a free page outside the file");
        return SW_OK;
}

struct node {
        unsigned flags, key_size;
        uint64_t low; /* data size in leaves, child page in branches */
        const uint8_t *key, *data;
        uint64_t room; /* bytes from data to the end of the page */
};

/* Node @i of the page at @p, whose @size bytes are readable. */
static sw_err *
read_node(uint64_t where, const uint8_t *p, uint32_t size, unsigned i, bool branch,
          struct node *out)
{
        const unsigned at = u16(p + PAGE_HEADER + 2 * i);

        if (at < PAGE_HEADER || at + NODE_HEADER > size)
                return damaged(where, "a node outside its page");
        out->low = (uint64_t) u16(p + at) | (uint64_t) u16(p + at + 2) << 16;
        out->flags = branch ? 0 : u16(p + at + 4);
        if (branch)
                out->low |= (uint64_t) u16(p + at + 4) << 32;
        out->key_size = u16(p + at + 6);
        if (at + NODE_HEADER + out->key_size > size)
                return damaged(where, "a key outside its page");
        out->key = p + at + NODE_HEADER;
        out->data = out->key + out->key_size;
        out->room = size - at - NODE_HEADER - out->key_size;
        return SW_OK;
}

/* Bounds of the page at @p. @n: how many nodes it has. */
static sw_err *
page_bounds(uint64_t where, const uint8_t *p, uint32_t size, unsigned *n)
{
        const unsigned lower = u16(p + 12), upper = u16(p + 14);

        if (lower < PAGE_HEADER || lower > upper || upper > size || (lower & 1))
                return damaged(where, "impossible bounds");
        *n = (lower - PAGE_HEADER) / 2;
        return SW_OK;
}

/* A page of duplicates inside a leaf's value. */
static sw_err *
check_subpage(uint64_t where, const uint8_t *p, uint64_t size)
{
        unsigned n = 0;
        struct node node;

        if (size < PAGE_HEADER || size > PAGE_MAX)
                return damaged(where, "a page of duplicates of impossible size");
        if ((u16(p + 10) & (P_LEAF | P_SUBP)) != (P_LEAF | P_SUBP) || (u16(p + 10) & 0x20))
                return damaged(where, "not the page of duplicates it should be");
        sw_err *err = page_bounds(where, p, (uint32_t) size, &n);
        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(where, p, (uint32_t) size, i, false, &node);
                if (!err && (node.flags || node.low > node.room))
                        err = damaged(where, "a duplicate with a value of its own");
        }
        return err;
}

static sw_err *
check_leaf_node(struct check *c, const struct todo *t, const struct node *node)
{
        if (node->flags & ~(unsigned) (F_BIGDATA | F_SUBDATA | F_DUPDATA))
                return damaged(t->page, "unknown node flags");
        if (node->flags & F_BIGDATA) {
                if (node->room < 8)
                        return damaged(t->page, "a value outside its page");
                sw_err *err = check_overflow(c, u64(node->data), node->low);
                if (err || !t->is_free)
                        return err;
                return check_free_list(c, t->page,
                                       c->p + u64(node->data) * c->page_size + PAGE_HEADER,
                                       node->low);
        }
        if (node->low > node->room)
                return damaged(t->page, "a value outside its page");
        if (t->is_free)
                return node->flags || node->key_size != 8
                               ? damaged(t->page, "not a list of free pages")
                               : check_free_list(c, t->page, node->data, node->low);
        if (node->flags & F_SUBDATA)
                return node->low != DB_SIZE
                               ? damaged(t->page, "a database of impossible size")
                               : queue_db(c, node->data, t->page, false);
        if (node->flags & F_DUPDATA)
                return check_subpage(t->page, node->data, node->low);
        return SW_OK;
}

/* LMDB compares by bytes; free-list keys are integers. The first key of a branch is unused.
 */
static bool
in_order(const struct node *a, const struct node *b, bool is_free)
{
        if (is_free)
                return a->key_size == 8 && b->key_size == 8 && u64(a->key) < u64(b->key);
        unsigned n = a->key_size < b->key_size ? a->key_size : b->key_size;
        int order = memcmp(a->key, b->key, n);
        return order < 0 || (order == 0 && a->key_size < b->key_size);
}

static sw_err *
check_page(struct check *c, const struct todo *t)
{
        sw_err *err = take(c, t->page);
        struct node node, before = { 0 };
        unsigned n = 0;

        if (err)
                return err;
        const uint8_t *p = c->p + t->page * c->page_size;
        const bool branch = t->depth > 1;
        if (u64(p) != t->page || (u16(p + 10) & 0x6f) != (branch ? P_BRANCH : P_LEAF))
                return damaged(t->page, "not the tree page it should be");
        err = page_bounds(t->page, p, c->page_size, &n);
        if (!err && n < (branch ? 2u : 1u))
                err = damaged(t->page, "an empty tree page");
        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(t->page, p, c->page_size, i, branch, &node);
                if (err)
                        break;
                if (i > (branch ? 1u : 0u) && !in_order(&before, &node, t->is_free))
                        return damaged(t->page, "keys out of order");
                before = node;
                if (branch)
                        sw_array_push(&c->todo,
                                      (struct todo){ node.low, t->depth - 1, t->is_free });
                else
                        err = check_leaf_node(c, t, &node);
        }
        return err;
}

static bool
meta_ok(const uint8_t *p, uint64_t page)
{
        return u64(p) == page && (u16(p + 10) & P_META) && u32(p + 16) == 0xBEEFC0DE &&
               u32(p + 20) == 1;
}

/* The newer of the two meta pages. LMDB reads both, so both must be sound. */
static sw_err *
read_meta(struct check *c, size_t n, const uint8_t **meta)
{
        if (n < 2 * PAGE_MIN || !meta_ok(c->p, 0))
                return damaged(0, "not a meta page of LMDB");
        c->page_size = u32(c->p + 16 + 24);
        if (c->page_size < PAGE_MIN || c->page_size > PAGE_MAX ||
            (c->page_size & (c->page_size - 1)))
                return damaged(0, "impossible page size");
        c->n_pages = n / c->page_size;
        if (c->n_pages < 2 || !meta_ok(c->p + c->page_size, 1))
                return damaged(1, "not a meta page of LMDB");
        const uint8_t *a = c->p + 16, *b = c->p + c->page_size + 16;
        const uint64_t txn_a = u64(a + 24 + 2 * DB_SIZE + 8),
                       txn_b = u64(b + 24 + 2 * DB_SIZE + 8);
        *meta = txn_a > txn_b ? a : b;
        if (u32(b + 24) != c->page_size)
                return damaged(1, "another page size than page 0");
        c->last = u64(*meta + 24 + 2 * DB_SIZE);
        /* The file may end before the last page in use: one that was taken and given back
           within a transaction is never written. What is reached must be there: take(). */
        return SW_OK;
}

sw_err *
sw__lmdb_check(const void *p, size_t n)
{
        struct check c = { .p = p };
        const uint8_t *meta = NULL;
        sw_err *err = read_meta(&c, n, &meta);

        if (err)
                return err;
        c.seen = sw_alloc(c.n_pages / 8 + 1);
        err = queue_db(&c, meta + 24, 0, true);
        if (!err)
                err = queue_db(&c, meta + 24 + DB_SIZE, 0, false);
        while (!err && c.todo.n) {
                const struct todo t = c.todo.v[--c.todo.n];

                err = check_page(&c, &t);
        }
        sw_array_release(&c.todo);
        free(c.seen);
        return err;
}
