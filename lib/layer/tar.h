/*
 * lib/layer/tar.h - a layer writer that makes a tar archive, the same bytes for the same
 * calls.
 *
 * POSIX ustar headers; what does not fit one (long names, large numbers, extended
 * attributes) goes into pax records, sorted by name, in front. Modification times are whole
 * seconds; no user or group names, no times of access or change. A directory's name ends in
 * '/'. Whiteouts are files called ".wh.NAME", opaque directories hold ".wh..wh..opq", as in
 * image layers; who archives a whole tree is told neither.
 *
 *      sw_tar_new -> sw_tar_ops() with the writer -> finish (two empty blocks) | abandon
 *
 * An entry is written when the next one is told, since its attributes come after it; the
 * data of a file is read then. Data goes to the sink by descriptor where that can take it.
 * Thread: one at a time (what sw_layer_ops allows for file() and data() needs a lock around
 * it: there is one inside).
 */
#ifndef SLIPWAY_LIB_LAYER_TAR_H
#define SLIPWAY_LIB_LAYER_TAR_H

#include <slipway/layer.h>

/* Where the archive goes. */
struct sw_tar_sink {
        /* write - all of it. Required. */
        sw_err *(*write)(void *arg, const void *p, size_t n);
        /* copy - @len bytes of @fd from @off; SW_E_IO when it ends early. NULL: write() is
         * called with what was read. */
        sw_err *(*copy)(void *arg, int fd, int64_t off, int64_t len);
        void *arg;
};

typedef struct sw_tar sw_tar;

/** sw_tar_new - @ctx: borrowed until the end; checked while data is copied. @sink: copied,
 *  its arg is borrowed until the end. */
sw_tar *sw_tar_new(sw_ctx *ctx, const struct sw_tar_sink *sink);
/** sw_tar_clamp - before anything is told: no time in the archive is later than @latest, ns
 *  since the epoch. */
void sw_tar_clamp(sw_tar *t, int64_t latest);
/** sw_tar_ops - the table whose w is the sw_tar. */
const struct sw_layer_ops *sw_tar_ops(void);

/* A sink over a descriptor, with a buffer; data is copied within the kernel where the
 * descriptor allows it. */
struct sw_tar_fd {
        int fd; /* borrowed */
        char *buf;
        size_t n;
        int64_t written; /* bytes in all */
        bool no_copy;    /* copy_file_range does not work here */
};
void sw_tar_fd_init(struct sw_tar_fd *f, int fd, struct sw_tar_sink *out);
/** sw_tar_fd_flush - what is in the buffer. */
SW_NODISCARD sw_err *sw_tar_fd_flush(struct sw_tar_fd *f);
void sw_tar_fd_release(struct sw_tar_fd *f);

#endif
