/*
 * lib/layer/unpacktar.h - entries of a tar stream, one after the other.
 *
 *      sw_tarin_init -> { sw_tarin_next, then sw_tarin_read until 0 or nothing } -> end
 *
 * What an entry says is checked by itself here: forms, numbers, lengths. What it means
 * beside others is unpack.c's.
 */
#ifndef SLIPWAY_LIB_LAYER_UNPACKTAR_H
#define SLIPWAY_LIB_LAYER_UNPACKTAR_H

#include <slipway/buf.h>
#include <slipway/layer.h>

#include "lib/layer/unpack.h"

/* The bytes of the stream. */
struct sw_tarin_source {
        /* peek - what comes next; *n == 0: the end. In parts whose lengths are multiples of
         * 512, but for the last. */
        sw_err *(*peek)(void *arg, const char **p, size_t *n);
        void (*skip)(void *arg, size_t n);
        void *arg;
};

/* An extended attribute. */
struct sw_tarin_xattr {
        char *name, *value;
        size_t n;
        bool second; /* by LIBARCHIVE's record, which gives way to SCHILY's */
};

/* A part of a sparse file that is stored; the rest is holes. */
struct sw_tarin_part {
        int64_t off, len;
};

/* One entry. Everything is valid until the next one. */
struct sw_tarin_entry {
        char type;        /* '0' file, '1' hard link, '2' symlink, '3' '4' devices,
                             '5' directory, '6' FIFO */
        const char *name; /* as it stands there; not empty */
        const char *link; /* '1', '2' */
        struct sw_layer_meta meta;
        unsigned dev_major, dev_minor;
        int64_t size;   /* of a file */
        int64_t stored; /* bytes of data that follow; as much as size, unless sparse */
        bool sparse;
        SW_ARRAY(struct sw_tarin_part) parts; /* ascending; stored bytes in all */
        SW_ARRAY(struct sw_tarin_xattr) xattrs;
};

/* What pax records say; -1 and NULL: nothing. */
struct sw_tarin_pax {
        char *path, *link, *sparse_name;
        int64_t uid, gid, size, sparse_size;
        int64_t sparse_major, sparse_minor;
        int64_t sparse_off; /* of a part whose length comes next (0.0) */
        bool has_mtime, has_map;
        int64_t mtime;
        size_t bytes; /* of records, in all */
};

struct sw_tarin {
        struct sw_tarin_source from;
        int64_t max;           /* no number of bytes is larger */
        bool expected;         /* an entry, since there was a header about it */
        int64_t left, padding; /* of the entry in hand: data, and what fills the block */
        struct sw_tarin_pax pax, global;
        sw_buf long_name, long_link; /* GNU's; empty: none */
        sw_buf name;
        char link[101];
        struct sw_tarin_entry e;
};

void sw_tarin_init(struct sw_tarin *t, const struct sw_tarin_source *from, int64_t max);
void sw_tarin_release(struct sw_tarin *t);
/** sw_tarin_next - what is left of the entry before is passed over. *e: NULL at the end of
 *  the archive; the stream was read to its own end then.
 *  Errors: SW_E_INVALID, SW_E_LIMIT, those of the stream. */
SW_NODISCARD sw_err *sw_tarin_next(sw_ctx *ctx, struct sw_tarin *t,
                                   struct sw_tarin_entry **e);
/** sw_tarin_read - stored data. *got == 0: all was read. */
SW_NODISCARD sw_err *sw_tarin_read(struct sw_tarin *t, void *p, size_t n, size_t *got);
/** sw_tarin_peek - the stored data that can be had without copying; at least a byte unless
 *  all was read. To be taken with sw_tarin_took. */
SW_NODISCARD sw_err *sw_tarin_peek(struct sw_tarin *t, const char **p, size_t *n);
void sw_tarin_took(struct sw_tarin *t, size_t n);

/* ---- unpackpax.c ---- */

/** sw_tarin_records - take pax records. @global: their uid, gid and mtime are noted, the
 *  rest of no meaning for all entries. */
SW_NODISCARD sw_err *sw_tarin_records(struct sw_tarin *t, const char *p, size_t n,
                                      bool global);
void sw_tarin_pax_clear(struct sw_tarin_pax *p);

/* ---- unpacksparse.c ---- */

/** sw_tarin_add_part - one after the others. */
SW_NODISCARD sw_err *sw_tarin_add_part(struct sw_tarin *t, int64_t off, int64_t len);
/** sw_tarin_gnu_map - of a block of GNU's old form, and the blocks that continue it. */
SW_NODISCARD sw_err *sw_tarin_gnu_map(struct sw_tarin *t, const unsigned char block[512]);
/** sw_tarin_pax_map - "off,len,off,len" (0.1). */
SW_NODISCARD sw_err *sw_tarin_pax_map(struct sw_tarin *t, const char *s);
/** sw_tarin_data_map - the map at the beginning of the data (1.0). */
SW_NODISCARD sw_err *sw_tarin_data_map(struct sw_tarin *t);
/** sw_tarin_check_parts - in order, within the file, and as long as what is stored. */
SW_NODISCARD sw_err *sw_tarin_check_parts(const struct sw_tarin *t);

/* ---- unpacktar.c ---- */

/** sw_tarin_block - one block; *p: NULL at the end of the stream. */
SW_NODISCARD sw_err *sw_tarin_block(struct sw_tarin *t, const unsigned char **p);
/** sw_tarin_field - a number in octal digits, or base 256. */
SW_NODISCARD sw_err *sw_tarin_field(const char *what, const unsigned char *p, size_t n,
                                    int64_t *out);

#endif
