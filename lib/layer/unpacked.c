/*
 * lib/layer/unpacked.c - the bytes in a blob, unpacked.
 *
 *      UNKNOWN -> PLAIN | GZIP | ZSTD      by the first bytes; once
 *
 * GZIP and ZSTD are between members or in one. ISA-L takes gzip's headers and trailers,
 * too, and checks both; libzstd checks what a frame has. Windows of zstd are at most 128
 * MiB, which is what the format asks every reader for at most. Thread: one at a time.
 */
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>

#include <slipway/mem.h>

#include "lib/layer/unpack.h"

enum { ROOM = 128 << 10, MAGIC = 4, ZSTD_HEADER = 18 };
enum kind { UNKNOWN, PLAIN, GZIP, ZSTD };

struct sw_unpacking {
        struct sw_reader in;
        int64_t left; /* how much may come out */
        enum kind kind;
        bool inside; /* of a member or frame */
        bool in_end; /* @in has nothing more */
        uint8_t *room;
        size_t at, n; /* of what is in it */
        struct inflate_state *gzip;
        ZSTD_DStream *zstd;
        uint64_t frame_size, frame_made; /* as its header says; so far */
};

sw_unpacking *
sw_unpacked_new(const struct sw_reader *in, int64_t max)
{
        sw_unpacking *u = sw_new(sw_unpacking);

        u->in = *in;
        u->left = max;
        u->room = sw_alloc(ROOM);
        return u;
}

void
sw_unpacked_free(sw_unpacking *u)
{
        if (!u)
                return;
        (void) ZSTD_freeDStream(u->zstd);
        free(u->gzip);
        free(u->room);
        free(u);
}

/* ---- what comes in ---- */

/* See that there are @want bytes, or all there are. */
static sw_err *
fill(struct sw_unpacking *u, size_t want)
{
        if (u->at && u->at == u->n)
                u->at = u->n = 0;
        while (u->n - u->at < want && !u->in_end) {
                size_t got = 0;
                sw_err *err;

                if (u->at + want > ROOM) {
                        memmove(u->room, u->room + u->at, u->n - u->at);
                        u->n -= u->at;
                        u->at = 0;
                }
                err = u->in.read(u->in.arg, u->room + u->n, ROOM - u->n, &got);
                if (err)
                        return err;
                u->in_end = got == 0;
                u->n += got;
        }
        return SW_OK;
}

static bool
has_magic(const struct sw_unpacking *u, enum kind k)
{
        const uint8_t *p = u->room + u->at;
        const size_t n = u->n - u->at;

        if (k == GZIP)
                return n >= 3 && memcmp(p, "\x1f\x8b\x08", 3) == 0;
        /* a frame, or one to be passed over */
        return n >= 4 && (memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0 ||
                          ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0));
}

static sw_err *
detect(struct sw_unpacking *u)
{
        sw_err *err = fill(u, MAGIC);

        if (err)
                return err;
        u->kind = has_magic(u, GZIP) ? GZIP : has_magic(u, ZSTD) ? ZSTD : PLAIN;
        if (u->kind == GZIP)
                u->gzip = sw_alloc(sizeof(*u->gzip));
        if (u->kind == ZSTD && !(u->zstd = ZSTD_createDStream()))
                return sw_err_new(SW_E_NOMEM, "no memory to unpack zstd");
        return SW_OK;
}

/* Whether another member follows; what is no member is rubbish. */
static sw_err *
next_member(struct sw_unpacking *u, bool *more)
{
        sw_err *err = fill(u, MAGIC);

        *more = u->n > u->at;
        if (!err && *more && !has_magic(u, u->kind))
                err = sw_err_new(SW_E_CORRUPT, "rubbish behind the end of the %s data",
                                 u->kind == GZIP ? "gzip" : "zstd");
        return err;
}

/* ---- one step of each kind: *made may be 0 though it goes on ---- */

static sw_err *
step_plain(struct sw_unpacking *u, void *p, size_t n, size_t *made)
{
        const size_t have = u->n - u->at;

        *made = n < have ? n : have;
        memcpy(p, u->room + u->at, *made);
        u->at += *made;
        return SW_OK;
}

static const char *
gzip_fault(int rc)
{
        switch (rc) {
        case ISAL_INCORRECT_CHECKSUM: return "its checksum does not match";
        case ISAL_UNSUPPORTED_METHOD:
        case ISAL_INVALID_WRAPPER: return "a broken header";
        default: return "broken data";
        }
}

static sw_err *
step_gzip(struct sw_unpacking *u, void *p, size_t n, size_t *made)
{
        struct inflate_state *z = u->gzip;

        if (!u->inside) {
                isal_inflate_init(z);
                z->crc_flag = ISAL_GZIP;
                u->inside = true;
        }
        z->next_in = u->room + u->at;
        z->avail_in = (uint32_t) (u->n - u->at);
        z->next_out = p;
        z->avail_out = (uint32_t) n;
        const int rc = isal_inflate(z);
        u->at = u->n - z->avail_in;
        *made = n - z->avail_out;
        if (rc != ISAL_DECOMP_OK && rc != ISAL_END_INPUT)
                return sw_err_new(SW_E_CORRUPT, "gzip: %s", gzip_fault(rc));
        if (z->block_state == ISAL_BLOCK_FINISH)
                u->inside = false;
        return SW_OK;
}

/* libzstd does not hold every frame to the size that its header says. */
static sw_err *
begin_frame(struct sw_unpacking *u)
{
        sw_err *err = fill(u, ZSTD_HEADER);

        if (err)
                return err;
        u->frame_size = ZSTD_getFrameContentSize(u->room + u->at, u->n - u->at);
        u->frame_made = 0;
        u->inside = true;
        return SW_OK;
}

static sw_err *
end_frame(struct sw_unpacking *u)
{
        u->inside = false;
        if (u->frame_size != ZSTD_CONTENTSIZE_UNKNOWN &&
            u->frame_size != ZSTD_CONTENTSIZE_ERROR && u->frame_size != u->frame_made)
                return sw_err_new(SW_E_CORRUPT,
                                  "zstd: a frame of another size than it says");
        return SW_OK;
}

static sw_err *
step_zstd(struct sw_unpacking *u, void *p, size_t n, size_t *made)
{
        sw_err *err = u->inside ? SW_OK : begin_frame(u);
        if (err)
                return err;
        ZSTD_inBuffer in = { u->room, u->n, u->at };
        ZSTD_outBuffer out = { p, n, 0 };
        const size_t rc = ZSTD_decompressStream(u->zstd, &out, &in);

        if (ZSTD_isError(rc))
                return sw_err_new(SW_E_CORRUPT, "zstd: %s", ZSTD_getErrorName(rc));
        u->at = in.pos;
        *made = out.pos;
        u->frame_made += out.pos;
        return rc ? SW_OK : end_frame(u);
}

/* ---- reading ---- */

/* Bring in what the next step needs; *end: there is none. */
static sw_err *
prepare(struct sw_unpacking *u, bool *end)
{
        bool more;
        sw_err *err = u->kind == UNKNOWN ? detect(u) : SW_OK;

        *end = false;
        if (err)
                return err;
        if (u->kind == PLAIN || u->inside) {
                err = fill(u, 1);
                *end = u->kind == PLAIN && u->n == u->at;
                return err;
        }
        err = next_member(u, &more);
        *end = !more;
        return err;
}

/* Nothing came of the bytes there are. */
static sw_err *
want_more(struct sw_unpacking *u)
{
        const size_t have = u->n - u->at;
        sw_err *err = have < ROOM ? fill(u, have + 1) : SW_OK;

        if (!err && u->n - u->at == have)
                err = sw_err_new(SW_E_CORRUPT, "the packed data end early");
        return err;
}

static sw_err *
unpacked_read(void *arg, void *p, size_t n, size_t *got)
{
        struct sw_unpacking *u = arg;
        bool end = false;

        *got = 0;
        if (n > (size_t) 1 << 30)
                n = (size_t) 1 << 30;
        while (n && !*got) {
                sw_err *err = prepare(u, &end);

                if (err || end)
                        return err;
                const size_t before = u->at;
                if (u->kind == PLAIN)
                        err = step_plain(u, p, n, got);
                else
                        err = u->kind == GZIP ? step_gzip(u, p, n, got)
                                              : step_zstd(u, p, n, got);
                if (err)
                        return err;
                if (!*got && u->inside && u->at == before && (err = want_more(u)))
                        return err;
        }
        u->left -= (int64_t) *got;
        if (u->left < 0)
                return sw_err_new(SW_E_LIMIT,
                                  "it unpacks to more than the bytes it may have");
        return SW_OK;
}

void
sw_unpacked_reader(sw_unpacking *u, struct sw_reader *out)
{
        *out = (struct sw_reader){ .read = unpacked_read, .arg = u };
}
