/*
 * lib/snapdir/diff_priv.h - what has to change between two trees: finding it, telling it.
 *
 * First the layers are walked and every name that may differ becomes a struct change, in a
 * tree of its own; then links between files are looked at, since whether a file is told may
 * depend on its other names; then what is to be told is told, in order.
 */
#ifndef SLIPWAY_LIB_SNAPDIR_DIFF_PRIV_H
#define SLIPWAY_LIB_SNAPDIR_DIFF_PRIV_H

#include "lib/snapdir/snapdir.h"

/* As much of a struct stat as matters. */
struct meta {
        mode_t mode;
        uid_t uid;
        gid_t gid;
        nlink_t nlink;
        dev_t rdev;
        ino_t ino;
        int64_t size, mtime;
        struct timespec ctime;
};

struct change {
        struct change *parent, *child, *last, *next; /* children in order of names */
        struct meta meta;                            /* in the upper tree */
        uint32_t layer;                              /* that it comes from there */
        uint32_t lower_layer;                        /* and in the lower tree, if there */
        ino_t lower_ino;
        bool tell, gone; /* gone: a whiteout */
        bool opaque;     /* a directory that hides what is below */
        char name[];
};

/* Layers that have a directory, top first. */
typedef SW_ARRAY(uint32_t) layer_list;

struct diff {
        struct snapdir *s;
        sw_ctx *ctx;
        SW_ARRAY(char *) paths; /* of all layers, relative to the store; owned */
        const struct snapdir_copied *copied; /* or NULL; the lower directories come first */
        struct change *root;
        char *in_lower; /* owned; per layer: 1 when the lower stack has it */
        bool raw;       /* one layer: what it hides is told, whether or not it is there */
        bool full;      /* look at every name, whatever layers have in common */
        bool need_full; /* a file that changed may have names that were not looked at */
};

/* The path of a change, "" for the root, replaces what is in @out. */
void change_path(const struct change *c, sw_buf *out);
/* Open the directory @c in a layer. */
sw_err *diff_open_dir(const struct diff *d, uint32_t layer, const struct change *c,
                      int *fd);
/* Which names of files with several are to be told; and the directories above all that is.
 */
void diff_links(struct diff *d);
/* Tell all of it. */
sw_err *diff_tell(struct diff *d, const struct sw_layer_ops *ops, void *w);

/* ---- compare.c ---- */

void meta_set(struct meta *m, const struct stat *st);
/* Whether two entries of the same name are the same to a user of the trees. @a, @b: the
 * directories that hold them. */
sw_err *diff_same_entry(sw_ctx *ctx, int a, const struct meta *ma, int b,
                        const struct meta *mb, const char *name, bool *same);

#endif
