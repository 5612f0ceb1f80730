/*
 * plugins/exporter-local/outdir.h - a layer writer into a directory that is the user's.
 *
 * What is there stays, unless the tree has something of that name. A symlink that is there
 * is replaced, never followed; a directory in the way of a file, or a file in the way of a
 * directory, is replaced. A file is written beside its name and then put in its place.
 *
 * Owners are those of the user who runs this; bits that give a file's owner or group to who
 * runs it (set-id) are left out where the owner is not the same, and devices are made for
 * the owner alone: they are the machine's. Of attributes, "user." and
 * file capabilities are kept where the file system and the user's rights allow.
 * Thread: one at a time.
 */
#ifndef SLIPWAY_PLUGINS_EXPORTER_LOCAL_OUTDIR_H
#define SLIPWAY_PLUGINS_EXPORTER_LOCAL_OUTDIR_H

#include <slipway/layer.h>

typedef struct outdir outdir;

struct outdir_opts {
        bool unique; /* a file that was told before is an error: two platforms have it */
        bool mirror; /* finish() removes what was not told */
        void (*wrote)(void *arg, int64_t bytes);
        void *arg;
};

/** outdir_new - @dirfd: borrowed until the end. */
outdir *outdir_new(sw_ctx *ctx, int dirfd, const struct outdir_opts *opts);
const struct sw_layer_ops *outdir_ops(void);
/** outdir_source - what comes next is of @platform (borrowed until the end), for errors. */
void outdir_source(outdir *o, const char *platform);

#endif
