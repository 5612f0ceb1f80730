/*
 * slipway/layer.h - the layer writer: what changes in a tree, entry by entry.
 *
 * Who tells (a file op, a source that unpacks an image, a snapshotter's diff) calls; who is
 * told (an overlay's upper directory, a tar archive) implements. Nothing here presumes a
 * directory behind it.
 *
 * Paths are relative, cleaned, without "..", no component a symlink: "usr/bin/cc". The root
 * itself is "". A parent is told (mkdir) before what is in it, also when the tree below has
 * it already; a second mkdir of a path replaces its metadata. An entry that is told
 * replaces what lower layers have under its path, and what this writer was told before,
 * whole trees included.
 *
 *      mkdir, file, ... -> finish | abandon
 *
 * Thread: one at a time; but file(), data() and their xattr() may be called from several
 * threads at once, for different paths whose parents have been told. No call changes the
 * modification time of a directory that was set before: the writer sets those of
 * directories last.
 * Errors: SW_E_IO, SW_E_LIMIT, SW_E_INVALID, SW_E_NOT_FOUND (a parent was not told),
 * SW_E_CANCELLED.
 */
#ifndef SLIPWAY_LAYER_H
#define SLIPWAY_LAYER_H

#include <sys/types.h>

#include <slipway/plugin.h>

SW_BEGIN_DECLS

/* Metadata of one entry. */
struct sw_layer_meta {
        mode_t mode; /* permission bits and set-id, sticky; no file type */
        uid_t uid;
        gid_t gid;
        int64_t mtime; /* ns since the epoch; may be negative */
};

struct sw_layer_ops {
        struct sw_ops_hdr hdr;
        /** mkdir - a directory; "" is the root, told first. */
        sw_err *(*mkdir)(void *w, const char *path, const struct sw_layer_meta *m);
        /** file - a regular file of @len bytes, read from @fd (borrowed) at @off: a range,
         *  so that reflink, copy_file_range or a direct write to an archive can serve it.
         *  Holes may stay holes. SW_E_IO when @fd ends early. */
        sw_err *(*file)(void *w, const char *path, const struct sw_layer_meta *m, int fd,
                        int64_t off, int64_t len);
        /** data - a regular file from memory. */
        sw_err *(*data)(void *w, const char *path, const struct sw_layer_meta *m,
                        const void *p, size_t n);
        /** symlink - @target: any text, as it is. The mode does not count. */
        sw_err *(*symlink)(void *w, const char *path, const struct sw_layer_meta *m,
                           const char *target);
        /** hardlink - another name of @existing, which this writer was told, and which is
         *  no directory. @m: the file's metadata again: archives repeat it. */
        sw_err *(*hardlink)(void *w, const char *path, const char *existing,
                            const struct sw_layer_meta *m);
        /** node - @type: S_IFCHR, S_IFBLK, S_IFIFO or S_IFSOCK. A character device 0:0 is
         *  SW_E_INVALID: it is what whiteouts are made of. */
        sw_err *(*node)(void *w, const char *path, const struct sw_layer_meta *m,
                        mode_t type, dev_t dev);
        /** whiteout - the path is gone. */
        sw_err *(*whiteout)(void *w, const char *path);
        /** opaque - what lower layers have in the directory @dir, told before, is gone. */
        sw_err *(*opaque)(void *w, const char *dir);
        /** xattr - of an entry told before. Names of the trusted.overlay.* and
         *  user.overlay.* kind are SW_E_INVALID. */
        sw_err *(*xattr)(void *w, const char *path, const char *name, const void *p,
                         size_t n);
        /** finish - everything was told; @w is released, also on error. */
        sw_err *(*finish)(void *w);
        /** abandon - @w is released; what was told may or may not be there. */
        void (*abandon)(void *w);
        /** stream - a regular file of @len bytes that come from @read, which is called
         *  until it gave them all (*got == 0 before that: SW_E_IO), from this thread.
         *  What @read returns is returned. As file() and data() for threads. May be absent.
         *  Since: 0.1 */
        sw_err *(*stream)(void *w, const char *path, const struct sw_layer_meta *m,
                          sw_err *(*read)(void *arg, void *p, size_t n, size_t *got),
                          void *arg, int64_t len);
        /**
         * share - a regular file that is, in all it has, the one that the committed layer
         * @key of the same snapshotter has under this very path, and is not to get another
         * name: it may be kept once for both. Optional; threads as for file().
         * @m, @len: what it has, to be sure. *done: false: tell it with file() instead, as
         * when it is not there, or not like that. It gets no xattr() and no hardlink().
         * Since: 0.1
         */
        sw_err *(*share)(void *w, const char *path, const struct sw_layer_meta *m,
                         int64_t len, const char *key, bool *done);
};

SW_END_DECLS
#endif
