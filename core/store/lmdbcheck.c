/*
 * core/store/lmdbcheck.c - look over an LMDB data file before it is mapped.
 *
 * A worklist of pages, not recursion: the file decides how deep it goes. Every page is
 * taken at most once (a bitmap), when it is first pointed at, so that loops and shared
 * pages are found and the list is never longer than the file has pages. Each page carries
 * the range that its keys must be in, as pointers into the file.
 *
 * Invariants:
 *   C1  nothing is read at an offset that was not compared with the file's size
 *   C2  a page on the worklist is below n_pages, and no other entry has its number
 */
#include "core/store/lmdbcheck.h"

#include <string.h>

#include <slipway/array.h>

enum {
        PAGE_HEADER = 16,
        NODE_HEADER = 8,
        META_DBS = PAGE_HEADER + 24, /* offset of the two core databases in a meta page */
        DB_SIZE = 48,
        META_SIZE = META_DBS + 2 * DB_SIZE + 16,
        KEY_MAX = 511,
        PAGE_MIN = 4096,
        PAGE_MAX = 32768, /* LMDB's own limit */
        DEPTH_MAX = 32,   /* LMDB's own CURSOR_STACK */
};

enum { P_BRANCH = 0x01, P_LEAF = 0x02, P_OVERFLOW = 0x04, P_META = 0x08 };
enum { P_SUBPAGE = 0x52 }; /* leaf, sub-page, and LMDB leaves its dirty mark on them */
enum { F_BIGDATA = 0x01, F_SUBDATA = 0x02, F_DUPDATA = 0x04 };
enum { DB_DUPSORT = 0x04, DB_INTEGERKEY = 0x08 };

#define NO_PAGE UINT64_MAX

enum tree_kind {
        FREE_LIST, /* integer keys; values are lists of pages */
        MAIN,      /* plain values and records of named databases */
        NAMED,
        NAMED_DUPS, /* sorted duplicates: plain, in sub-pages or in trees of their own */
        DUPS,       /* one of those trees: keys only */
};

/* One database: where its record is, and what was counted. */
struct tree {
        const uint8_t *record;
        uint64_t where; /* page of the record */
        enum tree_kind kind;
        uint64_t branches, leaves, overflow, entries;
};

struct key {
        const uint8_t *p; /* NULL: no bound */
        unsigned n;
};

/* One page to look at. Its keys: low <= key < high. */
struct todo {
        uint64_t page;
        size_t tree;    /* index into check.trees */
        unsigned depth; /* levels below it, itself included */
        struct key low, high;
};

struct check {
        const uint8_t *p;
        uint64_t n_pages; /* in the file */
        uint64_t last;    /* last page in use, as the meta page says */
        uint64_t txn;     /* of the newer meta page */
        uint32_t page_size, node_max;
        uint8_t *seen;        /* bitmap by page, up to last */
        uint16_t *node_sizes; /* by half offset in the page at hand */
        SW_ARRAY(struct tree) trees;
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

/* Mark @page as taken. Free pages may be past the end of the file: LMDB does not write
 * what was taken and given back within one transaction. */
static sw_err *
take(struct check *c, uint64_t page, bool in_file)
{
        if (page < 2 || page > c->last || (in_file && page >= c->n_pages))
                return damaged(page, "outside the file");
        if (c->seen[page / 8] & (1 << (page % 8)))
                return damaged(page, "used twice");
        c->seen[page / 8] |= (uint8_t) (1 << (page % 8));
        return SW_OK;
}

static sw_err *
queue_page(struct check *c, const struct todo *t)
{
        sw_err *err = take(c, t->page, true);

        if (!err)
                sw_array_push(&c->todo, *t);
        return err;
}

/* ---- databases ---- */

static bool
flags_fit(enum tree_kind kind, const uint8_t *record)
{
        const unsigned pad = u32(record), flags = u16(record + 4);

        switch (kind) {
        case FREE_LIST: return flags == DB_INTEGERKEY; /* its pad is the page size */
        case NAMED_DUPS: return pad == 0 && flags == DB_DUPSORT;
        case MAIN:
        case NAMED:
        case DUPS: break;
        }
        return pad == 0 && flags == 0;
}

/* Queue the tree of a database's record. */
static sw_err *
queue_tree(struct check *c, const uint8_t *record, uint64_t where, enum tree_kind kind)
{
        const unsigned depth = u16(record + 6);
        const uint64_t root = u64(record + 40);
        struct tree tree = { .record = record, .where = where, .kind = kind };

        if (!flags_fit(kind, record))
                return damaged(where, "a database of a kind that slipway never makes");
        if (root == NO_PAGE && kind == DUPS)
                return damaged(where, "a tree of duplicates without a root");
        if ((root == NO_PAGE) != (depth == 0) || depth > DEPTH_MAX)
                return damaged(where, "a database of impossible depth");
        sw_array_push(&c->trees, tree);
        if (root == NO_PAGE)
                return SW_OK;
        const struct todo t = { .page = root, .tree = c->trees.n - 1, .depth = depth };
        return queue_page(c, &t);
}

/* What was counted is what the record says. */
static sw_err *
check_counts(const struct tree *t)
{
        if (t->branches != u64(t->record + 8) || t->leaves != u64(t->record + 16) ||
            t->overflow != u64(t->record + 24) || t->entries != u64(t->record + 32))
                return damaged(t->where, "a database with wrong counts");
        return SW_OK;
}

/* ---- keys ---- */

static int
compare(const struct key *a, const struct key *b, enum tree_kind kind)
{
        if (kind == FREE_LIST) /* both have 8 bytes: check_key() */
                return u64(a->p) < u64(b->p) ? -1 : u64(a->p) > u64(b->p);
        const unsigned n = a->n < b->n ? a->n : b->n;
        const int order = n ? memcmp(a->p, b->p, n) : 0;
        return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* A key that is compared: of a size that LMDB takes, above @before, below @high. */
static sw_err *
check_key(const struct todo *t, enum tree_kind kind, const struct key *key,
          const struct key *before)
{
        if (kind == FREE_LIST ? key->n != 8
                              : key->n > KEY_MAX || (key->n == 0 && kind != DUPS))
                return damaged(t->page, "a key of impossible size");
        if (before->p && compare(before, key, kind) >= 0)
                return damaged(t->page, "keys out of order");
        if (!before->p && t->low.p && compare(&t->low, key, kind) > 0)
                return damaged(t->page, "a key below those of its page");
        if (t->high.p && compare(key, &t->high, kind) >= 0)
                return damaged(t->page, "a key above those of its page");
        return SW_OK;
}

/* ---- nodes ---- */

struct node {
        unsigned flags;
        struct key key;
        uint64_t low; /* data size in leaves, child page in branches */
        const uint8_t *data;
        unsigned at, room; /* room: bytes from data to the end of the page */
};

/* Bounds of the page at @p, whose @size bytes are readable. @n: how many nodes it has. */
static sw_err *
page_bounds(uint64_t where, const uint8_t *p, unsigned size, unsigned *n)
{
        const unsigned lower = u16(p + 12), upper = u16(p + 14);

        if (lower < PAGE_HEADER || lower > upper || upper > size || (lower & 1) ||
            (upper & 1) || (size & 1))
                return damaged(where, "impossible bounds");
        *n = (lower - PAGE_HEADER) / 2;
        return SW_OK;
}

static sw_err *
read_node(uint64_t where, const uint8_t *p, unsigned size, unsigned i, bool branch,
          struct node *out)
{
        const unsigned at = u16(p + PAGE_HEADER + 2 * i);

        if (at < u16(p + 14) || at + NODE_HEADER > size || (at & 1))
                return damaged(where, "a node outside its page");
        out->at = at;
        out->low = (uint64_t) u16(p + at) | (uint64_t) u16(p + at + 2) << 16;
        out->flags = branch ? 0 : u16(p + at + 4);
        if (branch)
                out->low |= (uint64_t) u16(p + at + 4) << 32;
        out->key.n = u16(p + at + 6);
        if (at + NODE_HEADER + out->key.n > size)
                return damaged(where, "a key outside its page");
        out->key.p = p + at + NODE_HEADER;
        out->data = out->key.p + out->key.n;
        out->room = size - at - NODE_HEADER - out->key.n;
        return SW_OK;
}

/* Bytes of a node, data included. 0: they are not all in the page. */
static unsigned
node_size(const struct node *node, bool branch)
{
        uint64_t data = branch ? 0 : node->low;

        if (node->flags & F_BIGDATA)
                data = 8;
        if (data > node->room)
                return 0;
        return (NODE_HEADER + node->key.n + (unsigned) data + 1) & ~1u;
}

/* Nodes fill the page from its upper bound to its end, each byte in one of them: LMDB moves
 * them about on the strength of that. */
static sw_err *
check_tiling(struct check *c, uint64_t where, const uint8_t *p, unsigned size, unsigned n)
{
        unsigned at = u16(p + 14);

        for (unsigned i = 0; i < n; i++) {
                if (at >= size || c->node_sizes[at / 2] == 0)
                        return damaged(where, "nodes that overlap or leave gaps");
                const unsigned next = at + c->node_sizes[at / 2];

                c->node_sizes[at / 2] = 0; /* all are 0 again when this is done */
                at = next;
        }
        return at == size ? SW_OK : damaged(where, "nodes that overlap or leave gaps");
}

static sw_err *
note_size(struct check *c, uint64_t where, const struct node *node, bool branch)
{
        const unsigned size = node_size(node, branch);

        if (size == 0)
                return damaged(where, "a value outside its page");
        if (size > c->node_max)
                return damaged(where, "a node larger than LMDB makes them");
        if (c->node_sizes[node->at / 2])
                return damaged(where, "two nodes in one place");
        c->node_sizes[node->at / 2] = (uint16_t) size;
        return SW_OK;
}

/* ---- values ---- */

/* A value that fills pages of its own. */
static sw_err *
check_overflow(struct check *c, struct tree *tree, uint64_t page, uint64_t size)
{
        sw_err *err = take(c, page, true);

        if (err)
                return err;
        const uint8_t *p = c->p + page * c->page_size;
        const uint64_t pages = u32(p + 12);
        if (u64(p) != page || u16(p + 10) != P_OVERFLOW)
                return damaged(page, "not the overflow page it should be");
        if (pages == 0 || pages > c->n_pages - page ||
            size > pages * c->page_size - PAGE_HEADER)
                return damaged(page, "an overflow value larger than its pages");
        for (uint64_t i = 1; i < pages && !err; i++)
                err = take(c, page + i, true);
        tree->overflow += pages;
        return err;
}

/* The value of a free-list entry: a count and that many page numbers, falling. */
static sw_err *
check_free_list(struct check *c, uint64_t where, const uint8_t *v, uint64_t size)
{
        const uint64_t n = size >= 8 ? u64(v) : 0;
        sw_err *err = SW_OK;

        if (size < 8 || n > size / 8 - 1)
                return damaged(where, "a list of free pages longer than its value");
        for (uint64_t i = 1; i <= n && !err; i++) {
                if (i > 1 && u64(v + 8 * i) >= u64(v + 8 * (i - 1)))
                        return damaged(where, "a list of free pages out of order");
                err = take(c, u64(v + 8 * i), false);
        }
        return err;
}

/* A page of duplicates inside a leaf's value. */
static sw_err *
check_subpage(struct check *c, const struct todo *t, const uint8_t *p, uint64_t size)
{
        const struct todo inside = { .page = t->page };
        struct key before = { 0 };
        struct node node;
        unsigned n = 0;

        if (size < PAGE_HEADER || size > c->node_max)
                return damaged(t->page, "a page of duplicates of impossible size");
        /* The number is that of a page it once was in. */
        if (u16(p + 10) != P_SUBPAGE || u64(p) < 2 || u64(p) > c->last)
                return damaged(t->page, "not the page of duplicates it should be");
        sw_err *err = page_bounds(t->page, p, (unsigned) size, &n);
        if (!err && n == 0)
                err = damaged(t->page, "an empty page of duplicates");
        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(t->page, p, (unsigned) size, i, false, &node);
                if (!err && (node.flags || node.low))
                        err = damaged(t->page, "a duplicate with a value of its own");
                if (!err)
                        err = check_key(&inside, DUPS, &node.key, &before);
                if (!err)
                        err = note_size(c, t->page, &node, false);
                before = node.key;
        }
        if (!err)
                err = check_tiling(c, t->page, p, (unsigned) size, n);
        c->trees.v[t->tree].entries += n;
        return err;
}

/* A value with the flags that only a database of sorted duplicates has. */
static sw_err *
check_duplicates(struct check *c, const struct todo *t, const struct node *node)
{
        if (!(node->flags & F_SUBDATA))
                return check_subpage(c, t, node->data, node->low);
        if (node->low != DB_SIZE)
                return damaged(t->page, "a tree of duplicates of impossible size");
        c->trees.v[t->tree].entries += u64(node->data + 32);
        return queue_tree(c, node->data, t->page, DUPS);
}

static sw_err *
check_value(struct check *c, const struct todo *t, const struct node *node)
{
        struct tree *tree = &c->trees.v[t->tree];
        const enum tree_kind kind = tree->kind;
        const uint64_t page = node->flags == F_BIGDATA ? u64(node->data) : 0;

        if (kind == NAMED_DUPS && (node->flags & F_DUPDATA) &&
            !(node->flags & ~(unsigned) (F_DUPDATA | F_SUBDATA)))
                return check_duplicates(c, t, node);
        tree->entries++;
        if (node->flags == F_BIGDATA && kind != NAMED_DUPS && kind != DUPS) {
                sw_err *err = check_overflow(c, tree, page, node->low);

                if (err || kind != FREE_LIST)
                        return err;
                return check_free_list(c, t->page, c->p + page * c->page_size + PAGE_HEADER,
                                       node->low);
        }
        if (node->flags == F_SUBDATA && kind == MAIN && node->low == DB_SIZE)
                return queue_tree(c, node->data, t->page,
                                  u16(node->data + 4) & DB_DUPSORT ? NAMED_DUPS : NAMED);
        if (node->flags || (kind == DUPS && node->low) ||
            (kind == NAMED_DUPS && node->low > KEY_MAX))
                return damaged(t->page, "a value that does not fit its database");
        return kind == FREE_LIST ? check_free_list(c, t->page, node->data, node->low)
                                 : SW_OK;
}

/* ---- pages ---- */

/* The free list's keys are the transactions that freed the pages. */
static sw_err *
check_leaf(struct check *c, const struct todo *t, const uint8_t *p, unsigned n)
{
        const enum tree_kind kind = c->trees.v[t->tree].kind;
        struct key before = { 0 };
        sw_err *err = SW_OK;
        struct node node;

        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(t->page, p, c->page_size, i, false, &node);
                if (!err)
                        err = check_key(t, kind, &node.key, &before);
                if (!err && kind == FREE_LIST &&
                    (u64(node.key.p) == 0 || u64(node.key.p) > c->txn))
                        err = damaged(t->page, "pages freed in the future");
                if (!err)
                        err = note_size(c, t->page, &node, false);
                before = node.key;
        }
        if (!err)
                err = check_tiling(c, t->page, p, c->page_size, n);
        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(t->page, p, c->page_size, i, false, &node);
                if (!err)
                        err = check_value(c, t, &node);
        }
        return err;
}

/* The first key of a branch page is not used: the page above has it. */
static sw_err *
check_branch(struct check *c, const struct todo *t, const uint8_t *p, unsigned n)
{
        const enum tree_kind kind = c->trees.v[t->tree].kind;
        struct todo child = { .tree = t->tree, .depth = t->depth - 1, .low = t->low };
        struct key before = { 0 };
        sw_err *err = SW_OK;
        struct node node;

        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(t->page, p, c->page_size, i, true, &node);
                if (!err && node.key.n > KEY_MAX)
                        err = damaged(t->page, "a key of impossible size");
                if (!err)
                        err = note_size(c, t->page, &node, true);
                if (!err && i > 0) {
                        err = check_key(t, kind, &node.key, &before);
                        before = child.high = node.key;
                        if (!err)
                                err = queue_page(c, &child);
                        child.low = node.key;
                }
                child.page = node.low;
        }
        child.high = t->high;
        if (!err)
                err = queue_page(c, &child);
        return err ? err : check_tiling(c, t->page, p, c->page_size, n);
}

static sw_err *
check_page(struct check *c, const struct todo *t)
{
        const uint8_t *p = c->p + t->page * c->page_size;
        const bool branch = t->depth > 1;
        struct tree *tree = &c->trees.v[t->tree];
        unsigned n = 0;

        if (u64(p) != t->page || u16(p + 10) != (branch ? P_BRANCH : P_LEAF))
                return damaged(t->page, "not the tree page it should be");
        sw_err *err = page_bounds(t->page, p, c->page_size, &n);
        if (err)
                return err;
        if (n < (branch ? 2u : 1u))
                return damaged(t->page, "an empty tree page");
        *(branch ? &tree->branches : &tree->leaves) += 1;
        return branch ? check_branch(c, t, p, n) : check_leaf(c, t, p, n);
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
static sw_err *
read_meta(struct check *c, size_t n, const uint8_t **out)
{
        if (n < 2 * PAGE_MIN || !meta_ok(c->p, 0))
                return damaged(0, "not a meta page of LMDB");
        c->page_size = u32(c->p + META_DBS);
        if (c->page_size < PAGE_MIN || c->page_size > PAGE_MAX ||
            (c->page_size & (c->page_size - 1)))
                return damaged(0, "impossible page size");
        c->n_pages = n / c->page_size;
        c->node_max = (((c->page_size - PAGE_HEADER) / 2) & ~1u) - 2;
        const uint8_t *second = c->p + c->page_size;
        if (c->n_pages < 2 || !meta_ok(second, 1))
                return damaged(1, "not a meta page of LMDB");
        if (u32(second + META_DBS) != c->page_size)
                return damaged(1, "another page size than page 0");
        const bool odd = meta_txn(c->p) < meta_txn(second);
        const uint8_t *meta = odd ? second : c->p;
        c->txn = meta_txn(meta);
        if ((c->txn & 1) != odd || c->txn >> 62)
                return damaged(odd, "an impossible transaction number");
        c->last = u64(meta + META_DBS + 2 * DB_SIZE);
        if (c->last < 1 || c->last >= SW_LMDB_FILE_MAX / c->page_size)
                return damaged(odd, "an impossible last page");
        *out = meta;
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
        c.seen = sw_alloc(c.last / 8 + 1);
        c.node_sizes = sw_alloc_array(c.page_size / 2, sizeof(*c.node_sizes));
        err = queue_tree(&c, meta + META_DBS, meta != c.p, FREE_LIST);
        if (!err)
                err = queue_tree(&c, meta + META_DBS + DB_SIZE, meta != c.p, MAIN);
        while (!err && c.todo.n) {
                const struct todo t = c.todo.v[--c.todo.n];

                err = check_page(&c, &t);
        }
        for (size_t i = 0; i < c.trees.n && !err; i++)
                err = check_counts(&c.trees.v[i]);
        sw_array_release(&c.todo);
        sw_array_release(&c.trees);
        free(c.node_sizes);
        free(c.seen);
        return err;
}

/* ---- looking for one value ---- */

/* Go through the page at hand: the value in a leaf; else the child to go on with. */
static bool
peek_page(const struct check *c, uint64_t page, const struct key *key, struct node *found,
          uint64_t *child)
{
        const uint8_t *p = c->p + page * c->page_size;
        const bool branch = u16(p + 10) == P_BRANCH;
        unsigned n = 0;
        sw_err *err = page_bounds(page, p, c->page_size, &n);

        *child = 0;
        for (unsigned i = 0; i < n && !err; i++) {
                err = read_node(page, p, c->page_size, i, branch, found);
                if (err)
                        break;
                const int order = i || !branch ? compare(key, &found->key, MAIN) : 1;
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
        struct check c = { .p = p };
        const uint8_t *meta = NULL;
        struct node node = { 0 };
        sw_err *err = read_meta(&c, n, &meta);

        if (err) {
                sw_err_drop(err, "then there is nothing to see");
                return false;
        }
        uint64_t page = u64(meta + META_DBS + DB_SIZE + 40);
        for (int depth = 0; depth < DEPTH_MAX && page >= 2 && page < c.n_pages; depth++) {
                uint64_t child;

                if (peek_page(&c, page, &want, &node, &child)) {
                        const size_t len = node.low < size - 1 ? node.low : size - 1;

                        memcpy(out, node.data, len);
                        out[len] = '\0';
                        return true;
                }
                page = child;
        }
        return false;
}
