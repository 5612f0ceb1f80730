/*
 * lib/layer/packgzip.c - gzip: pieces of one member, or whole members.
 *
 * Levels 1 to 3 are ISA-L's, the others zlib's. A piece may refer to the last 32 KiB of the
 * one before and ends on a byte (an empty stored block), so that pieces that were packed at
 * the same time follow each other as one deflate stream.
 *
 * A thread's state has nothing in it of the piece before: each is begun anew, with room for
 * all of what can come out, so that equal pieces give equal bytes. ISA-L 2.30 needs more
 * for that: at level 1, what it makes of a stream without history depends now and then on
 * the address of its state. So a piece that has none is packed at level 2, which was not
 * seen to; the test would see it.
 */
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zlib.h>

#include "lib/layer/pack_priv.h"

/* ISA-L's level where there is no history. */
enum { ALONE = 2 };

struct pack_gzip {
        int level;
        struct isal_zstream *fast; /* or */
        z_stream dense;
        uint8_t *room; /* fast's */
        uint32_t room_size;
};

struct pack_gzip *
pack_gzip_new(int level)
{
        static const uint32_t rooms[] = { 0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                          ISAL_DEF_LVL3_DEFAULT };
        struct pack_gzip *g = sw_new(struct pack_gzip);

        g->level = level;
        if (level >= 1 && level <= 3) {
                g->fast = sw_alloc(sizeof(*g->fast));
                g->room_size = rooms[level > ALONE ? level : ALONE];
                g->room = sw_alloc(g->room_size);
        } else if (deflateInit2(&g->dense, level, Z_DEFLATED, -MAX_WBITS, 9,
                                Z_DEFAULT_STRATEGY) != Z_OK) {
                free(g);
                return NULL;
        }
        return g;
}

void
pack_gzip_free(struct pack_gzip *g)
{
        if (!g)
                return;
        if (!g->fast)
                (void) deflateEnd(&g->dense);
        free(g->fast);
        free(g->room);
        free(g);
}

uint32_t
pack_crc(uint32_t crc, const void *p, size_t n)
{
        return crc32_gzip_refl(crc, p, n);
}

static sw_err *
failed(const char *who, int rc)
{
        return sw_err_new(SW_E_INTERNAL, "%s refused to pack (%d)", who, rc);
}

/* More than @n bytes can become: blocks of 64 KiB that are only stored, and what begins and
 * ends them. */
static size_t
bound(size_t n)
{
        return n + n / 1000 * 5 + 4096;
}

static sw_err *
deflate_fast(struct pack_gzip *g, uint8_t *history, size_t n_history, uint8_t *p, size_t n,
             bool last, sw_buf *out)
{
        struct isal_zstream *z = g->fast;
        const size_t room = bound(n);

        sw_buf_reserve(out, room);
        memset(z, 0, sizeof(*z));
        memset(g->room, 0, g->room_size);
        isal_deflate_init(z);
        z->level = (uint32_t) (n_history || g->level > ALONE ? g->level : ALONE);
        z->level_buf = g->room;
        z->level_buf_size = g->room_size;
        z->end_of_stream = last;
        z->flush = last ? NO_FLUSH : SYNC_FLUSH;
        z->next_in = p;
        z->avail_in = (uint32_t) n;
        z->next_out = (uint8_t *) out->data + out->len;
        z->avail_out = (uint32_t) room;
        int rc = n_history ? isal_deflate_set_dict(z, history, (uint32_t) n_history)
                           : COMP_OK;
        if (rc == COMP_OK)
                rc = isal_deflate(z);
        if (rc != COMP_OK || z->avail_in || !z->avail_out)
                return failed("ISA-L", rc);
        out->len += room - z->avail_out;
        out->data[out->len] = '\0';
        return SW_OK;
}

static sw_err *
deflate_dense(struct pack_gzip *g, uint8_t *history, size_t n_history, uint8_t *p, size_t n,
              bool last, sw_buf *out)
{
        z_stream *z = &g->dense;
        const size_t room = bound(n);
        int rc = deflateReset(z);

        sw_buf_reserve(out, room);
        if (rc == Z_OK && n_history)
                rc = deflateSetDictionary(z, history, (uInt) n_history);
        if (rc != Z_OK)
                return failed("zlib", rc);
        z->next_in = p;
        z->avail_in = (uInt) n;
        z->next_out = (Bytef *) out->data + out->len;
        z->avail_out = (uInt) room;
        rc = deflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
        if (rc != (last ? Z_STREAM_END : Z_OK) || z->avail_in || !z->avail_out)
                return failed("zlib", rc);
        out->len += room - z->avail_out;
        out->data[out->len] = '\0';
        return SW_OK;
}

static sw_err *
deflate_some(struct pack_gzip *g, uint8_t *history, size_t n_history, uint8_t *p, size_t n,
             bool last, sw_buf *out)
{
        return g->fast ? deflate_fast(g, history, n_history, p, n, last, out)
                       : deflate_dense(g, history, n_history, p, n, last, out);
}

sw_err *
pack_gzip_piece(struct pack_gzip *g, struct pack_piece *p)
{
        return deflate_some(g, pack_bytes(p) - p->history, p->history, pack_bytes(p), p->n,
                            p->last, &p->out);
}

/* ---- members ---- */

void
pack_gzip_header(sw_buf *out)
{
        /* deflate, no name, no time, an unknown system */
        sw_buf_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
}

static void
add_le32(sw_buf *out, uint32_t v)
{
        for (int i = 0; i < 4; i++)
                sw_buf_addc(out, (char) (v >> 8 * i));
}

void
pack_gzip_trailer(sw_buf *out, uint32_t crc, uint64_t size)
{
        add_le32(out, crc);
        add_le32(out, (uint32_t) size);
}

sw_err *
pack_gzip_member(struct pack_gzip *g, const void *p, size_t n, sw_buf *out)
{
        sw_err *err;

        pack_gzip_header(out);
        err = deflate_some(g, NULL, 0, (uint8_t *) p, n, true, out);
        if (!err)
                pack_gzip_trailer(out, pack_crc(0, p, n), n);
        return err;
}

sw_err *
pack_gzip_members(struct pack_gzip *g, struct pack_piece *p)
{
        const uint8_t *bytes = pack_bytes(p);
        sw_err *err = SW_OK;

        for (size_t i = 0; i < p->cuts.n && !err; i++) {
                struct pack_cut *c = &p->cuts.v[i];
                const size_t end = i + 1 < p->cuts.n ? c[1].at : p->n;

                c->packed_at = p->out.len;
                if (c->payload)
                        c->digest = sw_digest_of(bytes + c->at, c->payload);
                if (end > c->at)
                        err = pack_gzip_member(g, bytes + c->at, end - c->at, &p->out);
        }
        return err;
}
