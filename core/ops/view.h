/*
 * core/ops/view.h - a tree to read from: a stored ref, which is mounted only where its
 * snapshotter cannot look paths up by itself; a directory; or a listing of a part of a
 * directory that somebody else owns and may be changing.
 *
 * Two kinds of path: one from outside ("/usr/../lib/", with symlinks in it) goes through
 * sw__view_resolve(), which gives a *plain* path: cleaned, relative, "" for the root, no
 * component but perhaps the last a symlink. Everything else takes plain paths, and looks
 * nothing up through a symlink, also while others rename things.
 *
 * Thread: any number at once, but for open and close.
 */
#ifndef SLIPWAY_CORE_OPS_VIEW_H
#define SLIPWAY_CORE_OPS_VIEW_H

#include <slipway/path.h>

#include "core/store/refs.h"

typedef struct sw__view {
        sw_worker *worker;
        sw_ref *ref;                    /* held; or NULL */
        const struct sw_listing *list;  /* or NULL */
        bool *linked;                   /* of a listing: entries that others are links to */
        struct sw_snapshot_mount mount; /* when `mounted` */
        bool mounted;
        struct sw__look look; /* when it has ops: a stored ref that needs no mount */
        int rootfd;           /* -1: the empty tree, a listing, or `look` */
        sw_fd dir;            /* owned; -1 */
} sw__view;

/** sw__view_open - @ref: NULL: the empty tree. The view holds it until closed. */
SW_API SW_NODISCARD sw_err *sw__view_open(sw_worker *w, sw_ctx *ctx, sw_ref *ref,
                                          struct sw__view *out);
/** sw__view_of_dir - a plain directory. @dirfd: given; -1: the empty tree. */
SW_API void sw__view_of_dir(int dirfd, struct sw__view *out);
SW_API SW_NODISCARD sw_err *sw__view_close(struct sw__view *v);
/** sw__view_drop - close, with errors dropped: for error paths. */
SW_API void sw__view_drop(struct sw__view *v);

/* An entry. st: as the tree has it. Of a listing, entries that are names of one file have
 * one st_ino, and st_nlink above 1, as in any directory. */
struct sw__view_entry {
        struct stat st;
        size_t index; /* in the listing */
};

/** sw__view_lstat - Errors: SW_E_NOT_FOUND (also: below something that is no directory). */
SW_API SW_NODISCARD sw_err *sw__view_lstat(const struct sw__view *v, const char *path,
                                           struct sw__view_entry *out);
/** sw__view_readlink - @out: from malloc. */
SW_API SW_NODISCARD sw_err *sw__view_readlink(const struct sw__view *v, const char *path,
                                              char **out);
/** sw__view_names - what is in a directory, sorted by bytes. */
SW_API SW_NODISCARD sw_err *sw__view_names(const struct sw__view *v, const char *path,
                                           sw_strlist *out);

/**
 * sw__view_resolve - where @path leads to.
 * @follow_last: whether a symlink at its end is followed, too.
 * @out: plain, from malloc. What is not there stays in it as it is written.
 * Errors: SW_E_LIMIT (more than SW_PATH_MAX_LINKS symlinks, too long), SW_E_IO.
 */
SW_API SW_NODISCARD sw_err *sw__view_resolve(const struct sw__view *v, const char *path,
                                             bool follow_last, char **out);

/** sw__view_open_file - a file or directory for reading, which @e was looked up of.
 *  @st: its state now, size and time included; owner and mode are those of @e.
 *  Errors: SW_E_BUSY: it is another one by now. */
SW_API SW_NODISCARD sw_err *sw__view_open_file(const struct sw__view *v, const char *path,
                                               const struct sw__view_entry *e, int *fd,
                                               struct stat *st);
/** sw__view_check_file - after reading. Errors: SW_E_BUSY: it was changed meanwhile. */
SW_API SW_NODISCARD sw_err *sw__view_check_file(const struct sw__view *v, const char *path,
                                                const struct sw__view_entry *e, int fd,
                                                const struct stat *st);
/** sw__view_open_node - any entry, O_PATH, for its extended attributes; *fd -1 where there
 *  is nothing to ask. */
SW_API SW_NODISCARD sw_err *sw__view_open_node(const struct sw__view *v, const char *path,
                                               const struct sw__view_entry *e, int *fd);

/** sw__view_read - a whole regular file of at most @limit bytes; @path: from outside.
 *  Errors: SW_E_NOT_FOUND, SW_E_INVALID (not regular), SW_E_LIMIT. */
SW_API SW_NODISCARD sw_err *sw__view_read(const struct sw__view *v, const char *path,
                                          size_t limit, sw_buf *out);

/** sw__view_read_start - the same of its first @n bytes; longer files are no error. */
SW_API SW_NODISCARD sw_err *sw__view_read_start(const struct sw__view *v, const char *path,
                                                size_t n, sw_buf *out);

/** sw__view_newest - when the regular file that was changed last was changed, in seconds;
 *  *found false: there is none. Errors: SW_E_IO, SW_E_CANCELLED. */
SW_API SW_NODISCARD sw_err *sw__view_newest(const struct sw__view *v, sw_ctx *ctx,
                                            bool *found, int64_t *time);

/** sw__path_shown - a path from outside for a message, from malloc: cut when it is long,
 * quoted when there is something in it that a terminal should not get. */
SW_API char *sw__path_shown(const char *path);

/* ---- resolving, of any tree ---- */

/* What stands at a plain path: *target from malloc for a symlink, else NULL. A path at
 * which nothing stands is no error. */
typedef sw_err *sw__link_fn(void *arg, const char *path, char **target);

SW_API SW_NODISCARD sw_err *sw__resolve(const char *path, bool follow_last, sw__link_fn *fn,
                                        void *arg, char **out);

SW_DEFINE_AUTO(sw__view, sw__view_drop)

#endif
