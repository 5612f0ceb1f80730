/*
 * lib/layer/packzstd.c - zstd: one frame, whose parts libzstd packs in threads of its own.
 *
 * With one worker or many it makes the same bytes, as long as the sizes of its jobs are the
 * same; without any it makes others. So there is always one, and the sizes are ours.
 * Windows are 8 MiB at most, which every reader of the format can take.
 */
#include <zstd.h>

#include "lib/layer/pack_priv.h"

enum { WINDOW_LOG_MAX = 23, JOB = 4 << 20, JOB_LARGE = 16 << 20, LARGE_LEVEL = 9 };

struct pack_zstd {
        ZSTD_CCtx *ctx;
};

static sw_err *
failed(size_t rc)
{
        return sw_err_new(SW_E_INTERNAL, "zstd refused to pack: %s", ZSTD_getErrorName(rc));
}

sw_err *
pack_zstd_new(int level, unsigned threads, struct pack_zstd **out)
{
        const struct {
                ZSTD_cParameter what;
                int value;
        } set[] = {
                { ZSTD_c_compressionLevel, level },
                { ZSTD_c_checksumFlag, 1 },
                { ZSTD_c_nbWorkers, (int) threads },
                { ZSTD_c_jobSize, level > LARGE_LEVEL ? JOB_LARGE : JOB },
                /* what the level has by itself is less, but for the highest ones */
                { ZSTD_c_windowLog, level > 19 ? WINDOW_LOG_MAX : 0 },
        };
        struct pack_zstd *z = sw_new(struct pack_zstd);

        z->ctx = ZSTD_createCCtx();
        if (!z->ctx) {
                pack_zstd_free(z);
                return sw_err_new(SW_E_NOMEM, "no memory to pack with zstd");
        }
        for (size_t i = 0; i < SW_COUNT(set); i++) {
                const size_t rc = ZSTD_CCtx_setParameter(z->ctx, set[i].what, set[i].value);

                if (!ZSTD_isError(rc))
                        continue;
                pack_zstd_free(z);
                return failed(rc);
        }
        *out = z;
        return SW_OK;
}

void
pack_zstd_free(struct pack_zstd *z)
{
        if (!z)
                return;
        (void) ZSTD_freeCCtx(z->ctx);
        free(z);
}

sw_err *
pack_zstd_piece(struct pack_zstd *z, struct pack_piece *p)
{
        ZSTD_inBuffer in = { pack_bytes(p), p->n, 0 };
        bool more = true;

        while (more) {
                sw_buf_reserve(&p->out, ZSTD_CStreamOutSize());
                ZSTD_outBuffer out = { p->out.data + p->out.len, ZSTD_CStreamOutSize(), 0 };
                /* The end comes apart from the bytes: whatever comes with it would be taken
                 * for all there is. */
                const bool end = p->last && in.pos == in.size;
                const size_t rc = ZSTD_compressStream2(z->ctx, &out, &in,
                                                       end ? ZSTD_e_end : ZSTD_e_continue);

                if (ZSTD_isError(rc))
                        return failed(rc);
                p->out.len += out.pos;
                p->out.data[p->out.len] = '\0';
                more = in.pos < in.size || (p->last && (!end || rc != 0));
        }
        return SW_OK;
}
