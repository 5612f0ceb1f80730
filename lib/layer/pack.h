/*
 * lib/layer/pack.h - a tar stream becomes a blob: packed, both digests taken in one pass.
 *
 *      sw_pack_new -> sw_pack_sink() fed by a sw_tar -> sw_pack_finish | sw_pack_abandon
 *
 * The stream is cut into pieces of a fixed size, which threads pack side by side; the bytes
 * that come out depend on type and level alone, never on the number of threads or on how
 * the input arrived. Memory is bounded by (threads + 2) pieces each way.
 *
 *      gzip      one member, no name, no time; level -1 to 9. -1 (1) to 3 by ISA-L, others
 *                by zlib
 *      zstd      one frame, level -1 to 22 (-1: 3), content checksum, windows up to 8 MiB
 *      estargz   gzip with a member for each file's data (for every 4 MiB of them), and a
 *                table of contents behind the end of the archive, as the stargz format has
 *                it. The tar with that table is what the diff id is of. A tar with sparse
 *                files in it is SW_E_UNSUPPORTED
 *
 * "The bytes" are those of one build of the libraries on one kind of processor: others may
 * pack differently.
 *
 * Thread: feeding and finish by one at a time; threads of its own do the packing.
 */
#ifndef SLIPWAY_LIB_LAYER_PACK_H
#define SLIPWAY_LIB_LAYER_PACK_H

#include <slipway/digest.h>

#include "lib/layer/tar.h"

enum sw_pack_type { SW_PACK_AS_TAR, SW_PACK_AS_GZIP, SW_PACK_AS_ESTARGZ, SW_PACK_AS_ZSTD };

/** sw_pack_type_parse - "uncompressed", "gzip", "estargz", "zstd".
 *  Errors: SW_E_INVALID: "unsupported compression type X". */
SW_NODISCARD sw_err *sw_pack_type_parse(const char *s, enum sw_pack_type *out);
const char *sw_pack_type_name(enum sw_pack_type t); /* static */

struct sw_pack_opts {
        enum sw_pack_type type;
        int level;        /* -1: the type's default; out of range: SW_E_INVALID */
        unsigned threads; /* 0: as many as there are processors, at most 8 */
        bool no_digest;   /* who takes the blob takes its digest, too: sw_packed has none */
};

/* What came of it. */
struct sw_packed {
        sw_digest diff_id; /* of the tar */
        sw_digest digest;  /* of the blob, unless no_digest */
        int64_t tar_size, size;
        sw_digest toc; /* estargz: of the table of contents' JSON */
};

typedef struct sw_pack sw_pack;

/** sw_pack_new - @out: write() alone is used, from one thread at a time, in order; copied.
 *  What it returns ends the work: the next call into the pack says so. */
SW_NODISCARD sw_err *sw_pack_new(sw_ctx *ctx, const struct sw_pack_opts *opts,
                                 const struct sw_tar_sink *out, sw_pack **p);
/** sw_pack_sink - for sw_tar_new(): bytes are copied or packed before write() returns.
 *  estargz learns where entries begin from the tar stream itself. */
void sw_pack_sink(sw_pack *p, struct sw_tar_sink *out);
/** sw_pack_finish - everything went out. @p: given, also on error. */
SW_NODISCARD sw_err *sw_pack_finish(sw_pack *p, struct sw_packed *out);
void sw_pack_abandon(sw_pack *p); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_pack, sw_pack_abandon)

#endif
