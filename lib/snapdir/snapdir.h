/*
 * lib/snapdir/snapdir.h - layers as directories; what the snapshotters that keep them so
 * share.
 *
 * A layer is a directory in *diff form*, as overlayfs keeps an upper directory: files
 * whole, a whiteout is a character device 0:0, an opaque directory has the attribute
 * trusted.overlay.opaque="y" (user.overlay.opaque where trusted ones are not permitted).
 * Where no such device can be made, as on another overlay, a whiteout is an empty file with
 * the attribute trusted.overlay.whiteout; overlayfs does not take that for one.
 * Below the directory a store was opened on:
 *
 *      a/<key>/fs              an active layer; "fo" instead of "fs" when its root is
 *                              opaque, which overlayfs itself does not look at
 *      a/<key>/lower           the keys it was prepared on, one a line, bottom first
 *      a/<key>/m               a copy of the tree that can be written (snapshot-native)
 *      {a,c}/<key>/hides       the layer writer has put whiteouts or marks into fs
 *      c/<key>/fs              a committed layer
 *      {a,c}/<key>/sharers     layers with files in common, one file for them all: share.c
 *      c/<key>/f.<digest>/fs   several layers, the top one of which is <key>, as one
 *      c/<key>/p.<digest>      symlink: <key> is a part of c/<target>/f.<digest>
 *      t/<id>/                 what one process is making or removing; flocked by it
 *      e/0, e/1                empty directories
 *      e/places                what containers mount on (snapshot-overlay)
 *      w                       whiteouts are files in this store
 *
 * Everything is made below t/ and renamed to where it belongs, and renamed to t/ before it
 * is removed: after a crash a layer is active, committed or not there. What is left below
 * t/ of a process that is gone, the next open removes.
 *
 * Thread: any, for different keys; see slipway/snapshotter.h.
 */
#ifndef SLIPWAY_LIB_SNAPDIR_H
#define SLIPWAY_LIB_SNAPDIR_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <slipway/id.h>
#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/snapshotter.h>

#include "lib/janitor/janitor.h"

struct snapdir {
        int dirfd;             /* the store's; borrowed */
        int procfd;            /* t/<id>, locked */
        char proc[SW_ID_SIZE]; /* <id> */
        atomic_uint next;      /* names in there */
        bool userxattr;        /* user.overlay.* */
        bool file_whiteouts;   /* no devices 0:0 can be made here */
        uid_t uid;             /* of what this process makes */
        gid_t gid;             /* the same */
        mode_t lost;           /* permission bits that a new file does not get */
        struct janitor *janitor;
        pthread_mutex_t lock; /* over what follows */
        sw_map *known;        /* committed keys that were seen: "fs" or "fo" */
        sw_strlist checked;   /* a high stack as it is looked at; none: {0}. Most stacks are
                                 the last one and a layer more */
};

/* A stack as it is looked at: no key twice (the upper one counts), nothing below a layer
 * with an opaque root. Bottom first. */
struct snapdir_stack {
        SW_ARRAY(const char *) keys;
        bool opaque; /* the bottom one has an opaque root: it is "fo" */
        sw_buf text; /* what keys point to, when they were read from a file */
};

#define SNAPDIR_STACK_INIT                                                                 \
        {                                                                                  \
                { NULL, 0, 0 }, false, SW_BUF_INIT                                         \
        }

/* Room for "c/<key>/f.<digest>/fs" and "t/<id>/<n>/...". */
#define SNAPDIR_PATH 256

/* ---- open.c ---- */

sw_err *snapdir_open(int dirfd, struct snapdir **out);
void snapdir_close(struct snapdir *s);

/* A store for a trial, below t/ of the directory of one: nothing of it stays, even when the
 * process is killed. */
struct snapdir_trial {
        int parentfd;
        bool made;                 /* t/, too */
        char path[SW_ID_SIZE + 4]; /* "": there is none */
        sw_fd fd;
        struct snapdir *dir;
};
SW_NODISCARD sw_err *snapdir_trial_begin(int dirfd, struct snapdir_trial *out);
void snapdir_trial_end(struct snapdir_trial *t); /* also after begin failed */

/* ---- store.c ---- */

/* A name below t/<id>/ that nobody has, relative to the store. */
void snapdir_temp(struct snapdir *s, char out[SNAPDIR_PATH]);
/* Rename @path (relative to the store) to a temporary name and remove it. Missing: fine. */
sw_err *snapdir_discard(struct snapdir *s, const char *path);
sw_err *snapdir_prepare(struct snapdir *s, const char *key, const struct sw_stack *lower);
/* a/<key> becomes c/<key>; what only an active layer needs is removed. */
sw_err *snapdir_commit(struct snapdir *s, const char *key);
sw_err *snapdir_remove(struct snapdir *s, const char *key);
sw_err *snapdir_list(struct snapdir *s, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg);

/* Open the directory of a layer: @state is 'a' or 'c'. SW_E_NOT_FOUND. */
sw_err *snapdir_open_layer(struct snapdir *s, char state, const char *key, int *fd,
                           bool *opaque);
/* The keys, checked to be committed: SW_E_NOT_FOUND names the one that is not. They are
 * borrowed from @in. */
sw_err *snapdir_stack_check(struct snapdir *s, const struct sw_stack *in,
                            struct snapdir_stack *out);
/* What the active layer @key was prepared on. */
sw_err *snapdir_stack_read(struct snapdir *s, const char *key, struct snapdir_stack *out);
/* Where all of it is, top first; added to @out. */
void snapdir_stack_dirs(const struct snapdir_stack *st, sw_strlist *out);
void snapdir_stack_release(struct snapdir_stack *st);
/* Whether the layer has no whiteouts and marks: its directory is a tree by itself. */
bool snapdir_is_plain(struct snapdir *s, char state, const char *key);
/* Where layer @i of a stack is, relative to the store. */
void snapdir_stack_path(const struct snapdir_stack *st, size_t i, char out[SNAPDIR_PATH]);
typedef struct snapdir_stack snapdir_stack;
SW_DEFINE_AUTO(snapdir_stack, snapdir_stack_release)

/* ---- attr.c ---- */

/* "trusted.overlay.opaque" or its user form; likewise for others. */
const char *snapdir_attr_opaque(const struct snapdir *s);
const char *snapdir_attr_origin(const struct snapdir *s);
/* Whether the name is one that overlayfs keeps for itself. */
bool snapdir_attr_private(const char *name);
/* A path by which the *xattr calls reach @name in the directory @dirfd. */
void snapdir_proc_path(char out[300], int dirfd, const char *name);
/* Open a directory by a path of any length below @dirfd, through no link. -1 and errno. */
int snapdir_open_dir(int dirfd, const char *path);
/* Whether the directory @name in @dirfd ("" or NULL: @dirfd itself) is opaque. */
sw_err *snapdir_is_opaque(const struct snapdir *s, int dirfd, const char *name, bool *yes);
/* Whether the entry @name of @dirfd, of which @st was got, stands for nothing. */
bool snapdir_is_whiteout(const struct snapdir *s, int dirfd, const char *name,
                         const struct stat *st);
/* Make one where nothing is. -1 and errno. */
int snapdir_make_whiteout(const struct snapdir *s, int dirfd, const char *name);
/* The names of the attributes of @name in @dirfd (as above) that belong to the tree: not
 * overlayfs's, not security.selinux, which the machine sets. Sorted; added to @names. */
sw_err *snapdir_attr_list(int dirfd, const char *name, sw_strlist *names);
/* The value of one; appended to @value. */
sw_err *snapdir_attr_get(int dirfd, const char *name, const char *attr, sw_buf *value);
/* Give the directory @fd owner, mode, attributes and time of the directory @from. */
sw_err *snapdir_like(int fd, int from);

/* "DOING PATH: reason", with the code that fits. */
#define snapdir_err(sys, doing, path) snapdir_err_at(SW_HERE, sys, doing, path)
SW_NODISCARD sw_err *snapdir_err_at(struct sw_place place, int sys, const char *doing,
                                    const char *path);

/* ---- copy.c ---- */

/* @len bytes of @in from @off become the contents of the empty file @out; holes stay
 * holes. @no_clone: set once the file system turns out to have no reflinks. */
sw_err *snapdir_copy(int in, int64_t off, int64_t len, int out, atomic_bool *no_clone,
                     sw_cancel *cancel);

/* ---- writer.c ---- */

sw_err *snapdir_write(struct snapdir *s, sw_ctx *ctx, const char *key,
                      const struct sw_layer_ops **ops, void **w);

/* ---- diff.c ---- */

sw_err *snapdir_diff(struct snapdir *s, sw_ctx *ctx, const struct sw_stack *lower,
                     const struct sw_stack *upper, const struct sw_layer_ops *ops, void *w);
/* A layer as it is; see slipway/snapshotter.h. */
sw_err *snapdir_tell(struct snapdir *s, sw_ctx *ctx, const char *key,
                     const struct sw_layer_ops *ops, void *w);
struct snapdir_copied;
/* The same of directories, top first, relative to the store. @copied: of @upper, which is
 * one directory, from @lower; or NULL. */
sw_err *snapdir_diff_dirs(struct snapdir *s, sw_ctx *ctx, const sw_strlist *lower,
                          const sw_strlist *upper, const struct snapdir_copied *copied,
                          const struct sw_layer_ops *ops, void *w);

/* ---- look.c ---- a tree that is asked path by path; nothing is mounted */

struct snapdir_look;
/* @dirs: top first, relative to the store; what is in it is given. */
sw_err *snapdir_look_open(struct snapdir *s, sw_strlist *dirs, struct snapdir_look **out);
void snapdir_look_close(struct snapdir_look *l);
/* As slipway/snapshotter.h says of look_stat, look_open and look_names. */
sw_err *snapdir_look_stat(struct snapdir_look *l, const char *path, struct stat *st);
sw_err *snapdir_look_at(struct snapdir_look *l, const char *path, int flags, int *fd);
sw_err *snapdir_look_names(struct snapdir_look *l, const char *path, sw_strlist *out);

/* ---- trim.c ---- */

/* Take out of an active layer that was written through an overlay the directories that were
 * not changed. */
sw_err *snapdir_trim(struct snapdir *s, sw_ctx *ctx, const char *key);

/* ---- flat.c ---- */

/* Layers that follow each other in a stack, to be had as one directory. */
struct snapdir_slice {
        const char *const *keys; /* bottom first; borrowed */
        size_t n;
        bool whole;               /* a tree, with nothing below: no whiteouts or marks */
        SW_ARRAY(char *) sources; /* the directories to put together, top first; owned */
};
void snapdir_slice_release(struct snapdir_slice *sl);
typedef struct snapdir_slice snapdir_slice;
SW_DEFINE_AUTO(snapdir_slice, snapdir_slice_release)

/* Whether it is there; @out: where, relative to the store. Needs no sources. */
bool snapdir_slice_find(struct snapdir *s, const struct snapdir_slice *sl,
                        char out[SNAPDIR_PATH]);
sw_err *snapdir_slice_make(struct snapdir *s, sw_ctx *ctx, const struct snapdir_slice *sl,
                           char out[SNAPDIR_PATH]);
/* How many entries the sources have, as far as @limit + 1. */
sw_err *snapdir_slice_entries(struct snapdir *s, const struct snapdir_slice *sl,
                              size_t limit, size_t *n);
/* Where each file of a copy comes from. */
struct snapdir_copied {
        sw_map *files;        /* inode -> a struct of flat.c's */
        struct timespec when; /* all was copied before */
};
/* Copy the tree of @sources (top first, nothing below) into the empty directory @root,
 * relative to the store. @copied: filled; released by the caller, also after an error. */
sw_err *snapdir_copy_tree(struct snapdir *s, sw_ctx *ctx, const sw_strlist *sources,
                          const char *root, struct snapdir_copied *copied);
void snapdir_copied_release(struct snapdir_copied *c);
/* Whether the file @ino of a copy, last changed at @ctime, is still just what @from_ino of
 * the source @source was. False: not known. */
bool snapdir_copied_same(const struct snapdir_copied *c, ino_t ino,
                         const struct timespec *ctime, uint32_t source, ino_t from_ino);

/* ---- work.c ---- a tree that is a plain directory and can be written */

struct snapdir_work;
/* Make that of the active layer @key; *path: where, relative to the store. */
sw_err *snapdir_work_begin(struct snapdir *s, sw_ctx *ctx, const char *key,
                           struct snapdir_work **out, char path[SNAPDIR_PATH]);
/* What was changed in it becomes part of the layer. @w is released, also on error. */
sw_err *snapdir_work_end(struct snapdir_work *w);

/* ---- usage.c ---- */

sw_err *snapdir_usage(struct snapdir *s, sw_ctx *ctx, const char *key,
                      struct sw_snapshot_usage *out);
sw_err *snapdir_usage_stamp(struct snapdir *s, const char *key, uint64_t *out);

/* ---- share.c ---- */

#define SNAPDIR_SHARERS "sharers"

/* The layers that are there and came before @key to those it shares files with, the one
 * that came last first; added to @out. */
sw_err *snapdir_sharers_before(struct snapdir *s, const char *key, sw_strlist *out);

#endif
