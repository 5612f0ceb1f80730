/*
 * lib/layer/unpack.h - a blob becomes a layer: unpacked, checked, told to a layer writer in
 * one pass.
 *
 *      reader (a file, a download) -> gzip | zstd | none -> tar -> sw_layer_ops
 *
 * What comes in is hostile. Refused with SW_E_INVALID naming the entry: names with "..",
 * hard links to what the layer did not tell before, entries below something that is no
 * directory in this layer, whiteouts with impossible names, sizes and numbers out of range
 * (times become the nearest there is), headers with a wrong sum, unknown types, streams
 * that end within an entry; where two empty blocks should end them they may just end. More
 * than 5,000,000 entries or 256 MiB of names are SW_E_LIMIT. Absolute names are taken as
 * relative. A later entry of the same name replaces the earlier one. Devices are told to
 * the writer, unless the options say they are left out. Attributes of overlayfs's own and
 * security.selinux are passed over.
 *
 * ".wh.NAME" is a whiteout of NAME, ".wh..wh..opq" makes its directory opaque, other
 * ".wh..wh." names (aufs' own) are passed over. Both are about the layers below, wherever
 * in the archive they are: what this layer has under NAME stays, and hides them.
 *
 * Understood: v7, ustar, star, pax (local: path, linkpath, size, uid, gid, mtime,
 * SCHILY.xattr.*, LIBARCHIVE.xattr.*, GNU.sparse.* 0.0 to 1.0; global: uid, gid, mtime),
 * GNU long names and sparse files, base-256 numbers. Links, devices and directories have no
 * data whatever their size says.
 *
 * A parent that the archive does not have is told with mode 0755, owner 0:0 and time 0, and
 * named in the answer: what the layers below say of it goes before.
 *
 * Thread: the caller's, and one more that unpacks ahead of it.
 */
#ifndef SLIPWAY_LIB_LAYER_UNPACK_H
#define SLIPWAY_LIB_LAYER_UNPACK_H

#include <slipway/array.h>
#include <slipway/digest.h>
#include <slipway/layer.h>

/* Where bytes come from. */
struct sw_reader {
        /* read - up to @n bytes; *got == 0: the end. May block. */
        sw_err *(*read)(void *arg, void *p, size_t n, size_t *got);
        void *arg;
};

/** sw_unpacked_reader - of the tar in a blob; packing by its first bytes (gzip members and
 *  zstd frames one after the other, skippable ones passed over; else none). Read by one
 *  thread, from which @in is read. free: NULL is fine; @in is not touched by it.
 *  Errors of reads: SW_E_CORRUPT (broken data; rubbish behind the last member),
 *  SW_E_LIMIT: more than @max bytes come out. */
typedef struct sw_unpacking sw_unpacking;
sw_unpacking *sw_unpacked_new(const struct sw_reader *in, int64_t max);
void sw_unpacked_reader(sw_unpacking *u, struct sw_reader *out);
void sw_unpacked_free(sw_unpacking *u);
SW_DEFINE_AUTOPTR(sw_unpacking, sw_unpacked_free)

struct sw_unpack_opts {
        bool no_devices;  /* character and block devices are passed over */
        int64_t max_size; /* bytes of tar; 0: 1 TiB */
};

struct sw_unpack_result {
        sw_digest diff_id; /* of the whole tar stream, what is behind its end included */
        int64_t tar_size;
        sw_strlist implied; /* directories that were told but not in the archive, sorted */
};
void sw_unpack_result_release(struct sw_unpack_result *r);

/**
 * sw_layer_unpack - the whole of @in; finish() or abandon() of the writer are the caller's.
 * Files up to 1 MiB are told with data(); larger ones with stream() where the writer has
 * it, else by way of an unnamed file.
 * Errors: SW_E_INVALID, SW_E_CORRUPT, SW_E_LIMIT, SW_E_CANCELLED, what the writer or the
 * reader says.
 */
SW_NODISCARD sw_err *sw_layer_unpack(sw_ctx *ctx, const struct sw_reader *in,
                                     const struct sw_unpack_opts *opts,
                                     const struct sw_layer_ops *ops, void *w,
                                     struct sw_unpack_result *out);

#endif
