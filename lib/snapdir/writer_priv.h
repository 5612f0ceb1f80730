/*
 * lib/snapdir/writer_priv.h - the layer writer: its directories and its operations.
 */
#ifndef SLIPWAY_LIB_SNAPDIR_WRITER_PRIV_H
#define SLIPWAY_LIB_SNAPDIR_WRITER_PRIV_H

#include "lib/snapdir/snapdir.h"

/* A directory that was told. Never freed before the writer is: who holds a pointer may go
 * on using it, though the directory was replaced meanwhile. */
struct wdir {
        struct wdir *parent;        /* NULL: the root */
        struct wdir *child, *next;  /* first below; next one beside it */
        struct wdir *newer, *older; /* among the open ones */
        char *path;                 /* "" for the root */
        const char *base;           /* last component, within path */
        int fd;                     /* O_RDONLY; -1: closed */
        int twin;                   /* the same one of the layer that files are shared with;
                                       open no longer than fd; -1: not open, or none */
        unsigned users;             /* of fd; it stays open */
        bool gone;                  /* replaced by something else */
        bool hides;                 /* has the mark of a directory with whiteouts */
        mode_t made;                /* permission bits it has on disk until finish */
        struct sw_layer_meta meta;  /* what it gets in the end */
};

struct writer {
        struct snapdir *s;
        sw_cancel *cancel; /* a reference; may be NULL */
        char key[130];
        atomic_bool no_clone;
        atomic_bool noted;    /* that the layer has whiteouts or marks */
        pthread_mutex_t lock; /* over what follows */
        struct wdir root;
        sw_map *dirs;                  /* path -> struct wdir, without the root */
        SW_ARRAY(struct wdir *) order; /* all, as they were told; owns them */
        struct wdir *newest, *oldest;  /* open ones, without the root */
        unsigned n_open;
        bool opaque;       /* the root is */
        char partner[130]; /* the layer that files are shared with; "": none yet */
        int partnerfd;     /* its root; -1: none */
};

/* Where an entry is: the directory that holds it, open, and its name there. */
struct place {
        struct wdir *dir;
        const char *base;
};

/* ---- writerdirs.c ---- */

/* Check @path and find its place; SW_E_NOT_FOUND when the parent was not told. To be given
 * back with writer_leave(). The root has no place: SW_E_INVALID. */
sw_err *writer_enter(struct writer *w, const char *path, struct place *at);
void writer_leave(struct writer *w, struct place *at);
/* The directory itself, open; the root, too. */
sw_err *writer_dir(struct writer *w, const char *path, struct wdir **out);
void writer_dir_put(struct writer *w, struct wdir *d);
/* Remember that @path is a directory that was told; @at: its place. */
struct wdir *writer_dir_add(struct writer *w, const struct place *at, const char *path);
/* Remove what is at a place, whole trees included; and forget the directories there. */
sw_err *writer_clear(struct writer *w, const struct place *at, const char *path);
void writer_dirs_release(struct writer *w);

/* ---- share.c ---- */

sw_err *writer_share(void *w, const char *path, const struct sw_layer_meta *m, int64_t len,
                     const char *key, bool *done);
/* SW_E_INVALID when what is there is another layer's file, too: it cannot be changed. */
sw_err *writer_check_own(struct writer *w, const struct place *at);

#endif
