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

#include <slipway/array.h>

#include "core/store/lmdbread.h"

/* One database: where its record is, and what was counted. */
struct tree {
        const uint8_t *record;
        uint64_t where; /* page of the record */
        enum tree_kind kind;
        uint64_t branches, leaves, overflow, entries;
};

/* One page to look at. Its keys: low <= key < high. */
struct todo {
        uint64_t page;
        size_t tree;    /* index into check.trees */
        unsigned depth; /* levels below it, itself included */
        struct key low, high;
};

struct check {
        struct lmdb_file f;
        uint8_t *seen;        /* bitmap by page, up to last */
        uint16_t *node_sizes; /* by half offset in the page at hand */
        SW_ARRAY(struct tree) trees;
        SW_ARRAY(struct todo) todo;
};

/* Mark @page as taken. Free pages may be past the end of the file: LMDB does not write
 * what was taken and given back within one transaction. */
static sw_err *
take(struct check *c, uint64_t page, bool in_file)
{
        if (page < 2 || page > c->f.last || (in_file && page >= c->f.n_pages))
                return sw__lmdb_damaged(page, "outside the file");
        if (c->seen[page / 8] & (1 << (page % 8)))
                return sw__lmdb_damaged(page, "used twice");
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
                return sw__lmdb_damaged(where,
                                        "a database of a kind that slipway never makes");
        if (root == NO_PAGE && kind == DUPS)
                return sw__lmdb_damaged(where, "a tree of duplicates without a root");
        if ((root == NO_PAGE) != (depth == 0) || depth > DEPTH_MAX)
                return sw__lmdb_damaged(where, "a database of impossible depth");
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
                return sw__lmdb_damaged(t->where, "a database with wrong counts");
        return SW_OK;
}

/* ---- keys ---- */

/* A key that is compared: of a size that LMDB takes, above @before, below @high. */
static sw_err *
check_key(const struct todo *t, enum tree_kind kind, const struct key *key,
          const struct key *before)
{
        if (kind == FREE_LIST ? key->n != 8
                              : key->n > KEY_MAX || (key->n == 0 && kind != DUPS))
                return sw__lmdb_damaged(t->page, "a key of impossible size");
        if (before->p && sw__lmdb_compare(before, key, kind) >= 0)
                return sw__lmdb_damaged(t->page, "keys out of order");
        if (!before->p && t->low.p && sw__lmdb_compare(&t->low, key, kind) > 0)
                return sw__lmdb_damaged(t->page, "a key below those of its page");
        if (t->high.p && sw__lmdb_compare(key, &t->high, kind) >= 0)
                return sw__lmdb_damaged(t->page, "a key above those of its page");
        return SW_OK;
}

/* ---- nodes ---- */

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
                        return sw__lmdb_damaged(where, "nodes that overlap or leave gaps");
                const unsigned next = at + c->node_sizes[at / 2];

                c->node_sizes[at / 2] = 0; /* all are 0 again when this is done */
                at = next;
        }
        return at == size ? SW_OK
                          : sw__lmdb_damaged(where, "nodes that overlap or leave gaps");
}

static sw_err *
note_size(struct check *c, uint64_t where, const struct node *node, bool branch)
{
        const unsigned size = node_size(node, branch);

        if (size == 0)
                return sw__lmdb_damaged(where, "a value outside its page");
        if (size > c->f.node_max)
                return sw__lmdb_damaged(where, "a node larger than LMDB makes them");
        if (c->node_sizes[node->at / 2])
                return sw__lmdb_damaged(where, "two nodes in one place");
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
        const uint8_t *p = c->f.p + page * c->f.page_size;
        const uint64_t pages = u32(p + 12);
        if (u64(p) != page || u16(p + 10) != P_OVERFLOW)
                return sw__lmdb_damaged(page, "not the overflow page it should be");
        if (pages == 0 || pages > c->f.n_pages - page ||
            size > pages * c->f.page_size - PAGE_HEADER)
                return sw__lmdb_damaged(page, "an overflow value larger than its pages");
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
                return sw__lmdb_damaged(where,
                                        "a list of free pages longer than its value");
        for (uint64_t i = 1; i <= n && !err; i++) {
                if (i > 1 && u64(v + 8 * i) >= u64(v + 8 * (i - 1)))
                        return sw__lmdb_damaged(where, "a list of free pages out of order");
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

        if (size < PAGE_HEADER || size > c->f.node_max)
                return sw__lmdb_damaged(t->page, "a page of duplicates of impossible size");
        /* The number is that of a page it once was in. */
        if (u16(p + 10) != P_SUBPAGE || u64(p) < 2 || u64(p) > c->f.last)
                return sw__lmdb_damaged(t->page, "not the page of duplicates it should be");
        sw_err *err = sw__lmdb_page_bounds(t->page, p, (unsigned) size, &n);
        if (!err && n == 0)
                err = sw__lmdb_damaged(t->page, "an empty page of duplicates");
        for (unsigned i = 0; i < n && !err; i++) {
                err = sw__lmdb_read_node(t->page, p, (unsigned) size, i, false, &node);
                if (!err && (node.flags || node.low))
                        err = sw__lmdb_damaged(t->page,
                                               "a duplicate with a value of its own");
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
                return sw__lmdb_damaged(t->page, "a tree of duplicates of impossible size");
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
                return check_free_list(c, t->page,
                                       c->f.p + page * c->f.page_size + PAGE_HEADER,
                                       node->low);
        }
        if (node->flags == F_SUBDATA && kind == MAIN && node->low == DB_SIZE)
                return queue_tree(c, node->data, t->page,
                                  u16(node->data + 4) & DB_DUPSORT ? NAMED_DUPS : NAMED);
        if (node->flags || (kind == DUPS && node->low) ||
            (kind == NAMED_DUPS && node->low > KEY_MAX))
                return sw__lmdb_damaged(t->page, "a value that does not fit its database");
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
                err = sw__lmdb_read_node(t->page, p, c->f.page_size, i, false, &node);
                if (!err)
                        err = check_key(t, kind, &node.key, &before);
                if (!err && kind == FREE_LIST &&
                    (u64(node.key.p) == 0 || u64(node.key.p) > c->f.txn))
                        err = sw__lmdb_damaged(t->page, "pages freed in the future");
                if (!err)
                        err = note_size(c, t->page, &node, false);
                before = node.key;
        }
        if (!err)
                err = check_tiling(c, t->page, p, c->f.page_size, n);
        for (unsigned i = 0; i < n && !err; i++) {
                err = sw__lmdb_read_node(t->page, p, c->f.page_size, i, false, &node);
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
                err = sw__lmdb_read_node(t->page, p, c->f.page_size, i, true, &node);
                if (!err && node.key.n > KEY_MAX)
                        err = sw__lmdb_damaged(t->page, "a key of impossible size");
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
        return err ? err : check_tiling(c, t->page, p, c->f.page_size, n);
}

static sw_err *
check_page(struct check *c, const struct todo *t)
{
        const uint8_t *p = c->f.p + t->page * c->f.page_size;
        const bool branch = t->depth > 1;
        struct tree *tree = &c->trees.v[t->tree];
        unsigned n = 0;

        if (u64(p) != t->page || u16(p + 10) != (branch ? P_BRANCH : P_LEAF))
                return sw__lmdb_damaged(t->page, "not the tree page it should be");
        sw_err *err = sw__lmdb_page_bounds(t->page, p, c->f.page_size, &n);
        if (err)
                return err;
        if (n < (branch ? 2u : 1u))
                return sw__lmdb_damaged(t->page, "an empty tree page");
        *(branch ? &tree->branches : &tree->leaves) += 1;
        return branch ? check_branch(c, t, p, n) : check_leaf(c, t, p, n);
}

sw_err *
sw__lmdb_check(const void *p, size_t n)
{
        struct check c = { .f.p = p };
        sw_err *err = sw__lmdb_read_meta(&c.f, n);

        if (err)
                return err;
        c.seen = sw_alloc(c.f.last / 8 + 1);
        c.node_sizes = sw_alloc_array(c.f.page_size / 2, sizeof(*c.node_sizes));
        const uint8_t *meta = c.f.meta;
        err = queue_tree(&c, meta + META_DBS, meta != c.f.p, FREE_LIST);
        if (!err)
                err = queue_tree(&c, meta + META_DBS + DB_SIZE, meta != c.f.p, MAIN);
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
