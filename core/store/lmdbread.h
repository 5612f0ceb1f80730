/*
 * core/store/lmdbread.h - the parts of an LMDB data file, read with bounds: for
 * lmdbcheck.c, which judges the whole file, and for looking at one value of a file that may
 * be damaged.
 *
 * Nothing here trusts the file; "page" in errors is the number of the page at hand.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_LMDBREAD_H
#define SLIPWAY_CORE_STORE_LMDBREAD_H

#include <string.h>

#include <slipway/error.h>

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

static inline uint16_t
u16(const uint8_t *p)
{
        uint16_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static inline uint32_t
u32(const uint8_t *p)
{
        uint32_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

static inline uint64_t
u64(const uint8_t *p)
{
        uint64_t v;

        memcpy(&v, p, sizeof(v));
        return v;
}

/* A file as its meta pages say it is. */
struct lmdb_file {
        const uint8_t *p;
        uint64_t n_pages; /* in the file */
        uint64_t last;    /* last page in use, as the meta page says */
        uint64_t txn;     /* of the newer meta page */
        uint32_t page_size, node_max;
        const uint8_t *meta; /* the newer one */
};

struct key {
        const uint8_t *p; /* NULL: no bound */
        unsigned n;
};

struct node {
        unsigned flags;
        struct key key;
        uint64_t low; /* data size in leaves, child page in branches */
        const uint8_t *data;
        unsigned at, room; /* room: bytes from data to the end of the page */
};

/* An error that says where. */
SW_NODISCARD sw_err *sw__lmdb_damaged(uint64_t page, const char *what);

/* Fill @f from the newer of the two meta pages of a file of @n bytes at f->p. */
SW_NODISCARD sw_err *sw__lmdb_read_meta(struct lmdb_file *f, size_t n);

/* Bounds of the page at @p, whose @size bytes are readable. @n: how many nodes it has. */
SW_NODISCARD sw_err *sw__lmdb_page_bounds(uint64_t where, const uint8_t *p, unsigned size,
                                          unsigned *n);

/* Node @i of a page whose bounds were read. Its value may be longer than its room. */
SW_NODISCARD sw_err *sw__lmdb_read_node(uint64_t where, const uint8_t *p, unsigned size,
                                        unsigned i, bool branch, struct node *out);

/* Order of two keys; those of a free list have 8 bytes. */
int sw__lmdb_compare(const struct key *a, const struct key *b, enum tree_kind kind);

#endif
