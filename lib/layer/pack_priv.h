/*
 * lib/layer/pack_priv.h - what the files of the packer share.
 */
#ifndef SLIPWAY_LIB_LAYER_PACK_PRIV_H
#define SLIPWAY_LIB_LAYER_PACK_PRIV_H

#include <slipway/array.h>
#include <slipway/buf.h>

#include "lib/layer/pack.h"

enum {
        PACK_PIECE = 1 << 20,    /* bytes of tar packed at once */
        PACK_HISTORY = 32 << 10, /* of the piece before, that gzip may refer to */
        PACK_CHUNK = 4 << 20,    /* estargz: of a file, with a member of its own */
        PACK_STARGZ = PACK_CHUNK + (64 << 10) /* room of a piece of estargz */
};

/* The beginning of a gzip member within a piece (estargz). */
struct pack_cut {
        size_t at;      /* in the piece */
        size_t payload; /* bytes from there that are a chunk's; 0: it has none */
        /* found by who packs it */
        size_t packed_at; /* in out */
        sw_digest digest; /* of the payload */
};

/* A piece of the tar on its way. */
struct pack_piece {
        uint8_t *room;  /* PACK_HISTORY bytes, then the piece */
        size_t history; /* how many of those count: the last ones */
        size_t n;
        bool last;
        bool packed;
        SW_ARRAY(struct pack_cut) cuts;
        sw_buf out;
};

static inline uint8_t *
pack_bytes(const struct pack_piece *p)
{
        return p->room + PACK_HISTORY;
}

/* ---- packgzip.c ---- what one thread needs to pack with gzip */

struct pack_gzip;
/* @level: 0 to 9. */
struct pack_gzip *pack_gzip_new(int level);
void pack_gzip_free(struct pack_gzip *g);
/* A piece of one member; the deflate stream ends with the last. */
SW_NODISCARD sw_err *pack_gzip_piece(struct pack_gzip *g, struct pack_piece *p);
/* A piece of whole members. */
SW_NODISCARD sw_err *pack_gzip_members(struct pack_gzip *g, struct pack_piece *p);
/* A member of its own; appended to @out. */
SW_NODISCARD sw_err *pack_gzip_member(struct pack_gzip *g, const void *p, size_t n,
                                      sw_buf *out);
void pack_gzip_header(sw_buf *out);
void pack_gzip_trailer(sw_buf *out, uint32_t crc, uint64_t size);
/* As zlib's crc32(). */
uint32_t pack_crc(uint32_t crc, const void *p, size_t n);

/* ---- packzstd.c ---- one frame, packed by libzstd's own threads */

struct pack_zstd;
SW_NODISCARD sw_err *pack_zstd_new(int level, unsigned threads, struct pack_zstd **out);
void pack_zstd_free(struct pack_zstd *z);
SW_NODISCARD sw_err *pack_zstd_piece(struct pack_zstd *z, struct pack_piece *p);

/* ---- packstargz.c ---- */

struct pack_stargz;
struct pack_stargz *pack_stargz_new(void);
void pack_stargz_free(struct pack_stargz *s);
/* How many of the next bytes belong together, and whether a member begins with them, and
 * how much of a chunk. */
struct pack_next {
        size_t n;
        bool cut;
        size_t payload;
};
struct pack_next pack_stargz_next(const struct pack_stargz *s);
/* These come, at most as many as belong together. */
SW_NODISCARD sw_err *pack_stargz_take(struct pack_stargz *s, const uint8_t *p, size_t n);
/* The next chunk was packed: where its member is in the blob. */
void pack_stargz_chunk(struct pack_stargz *s, int64_t offset, const sw_digest *digest);
/* The tar entry with the table, for a member of its own. */
SW_NODISCARD sw_err *pack_stargz_toc(struct pack_stargz *s, sw_buf *tar, sw_digest *toc);
/* What the blob ends with. */
void pack_stargz_footer(int64_t toc_offset, sw_buf *out);

#endif
