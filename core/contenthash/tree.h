/*
 * core/contenthash/tree.h - what is known of the tree of one ref: its entries as far as
 * somebody looked, and their hashes as far as somebody asked.
 *
 * Directories are scanned when a path leads through them or a digest covers them; entries
 * are hashed when a digest covers them. What is known never becomes wrong: the tree of a
 * ref does not change.
 *
 *      tree.c    entries, scanning, looking up paths
 *      entry.c   the digest of one entry: header and content
 *      many.c    the digests of many entries, by several threads
 *      select.c  what a selection covers, and its digest
 *      file.c    all of it in a file
 *      keep.c    where these files are, and when they are written
 *      update.c  what changes from the parent's tree to that of a new layer
 *      changed.c which files make two trees differ
 *
 * Thread: one at a time (struct sw__htree has a lock that contenthash.c takes); entries are
 * hashed by several, each its own.
 */
#ifndef SLIPWAY_CORE_CONTENTHASH_TREE_H
#define SLIPWAY_CORE_CONTENTHASH_TREE_H

#include <pthread.h>

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/layer.h>
#include <slipway/ref.h>

enum sw__htype { SW__H_FILE, SW__H_DIR, SW__H_LINK };

#define SW__H_UNLISTED UINT32_MAX

/* An entry. Lives in its tree's arena. */
struct sw__hnode {
        const char *name; /* "" for the root */
        const char *link; /* target of a symlink */
        struct sw__hnode *parent;
        struct sw__hnode **kids; /* by name */
        uint32_t n_kids;
        uint32_t listed; /* index in the listing */
        uint8_t type;
        bool scanned;  /* DIR: kids is what there is */
        bool stale;    /* DIR: kids are some of it: not scanned since something changed */
        bool hashed;   /* own is set */
        bool summed;   /* DIR: all is set */
        sw_digest own; /* header, and content of a file */
        sw_digest all; /* DIR: with everything in it */
};

struct sw__harena {
        struct sw__hchunk *chunks;
        size_t used;
};

struct sw__htree {
        pthread_mutex_t lock;
        struct sw__harena arena;
        struct sw__hnode *root;
        const struct sw_listing *listing; /* or NULL */
        uint32_t *ends;     /* of listed directories: behind what is in them */
        size_t n_hashed;    /* entries with a digest */
        size_t fresh;       /* what hashing them took, in entries, that is in no file yet */
        bool asked;         /* file and parent were looked at */
        char file[200];     /* the last one that was written, "": none */
        size_t file_hashed; /* n_hashed then */
};

/* A tree being looked at: its directory is opened when it is needed first. */
struct sw__hview {
        sw_ctx *ctx;
        sw_ref *ref;
        struct sw__htree *tree;
        sw_tree *open; /* NULL: not yet, or a listing */
        int fd;        /* of the root; -1: not yet */
};

/* @listing: that of the ref, which outlives the tree; or NULL. */
SW_API struct sw__htree *sw__htree_new(const struct sw_listing *listing);
SW_API void sw__htree_free(void *tree);
void *sw__harena_get(struct sw__harena *a, size_t n);
const char *sw__harena_str(struct sw__harena *a, const char *s, size_t n);

SW_NODISCARD sw_err *sw__hview_fd(struct sw__hview *v, int *fd);
void sw__hview_close(struct sw__hview *v);

/* Know what is in @dir. */
SW_NODISCARD sw_err *sw__hscan(struct sw__hview *v, struct sw__hnode *dir);
/* The entry @name of a scanned directory, or NULL. */
struct sw__hnode *sw__hkid(const struct sw__hnode *dir, const char *name, size_t len);
/* "a/b", of the root ".": appended. */
void sw__hpath(const struct sw__hnode *n, sw_buf *out);

/**
 * The entry at @path with symlinks followed on the way, and at its end if @follow. ".." at
 * the root stays there.
 * @out: NULL when there is none. Errors: SW_E_LIMIT: more than SW_PATH_MAX_LINKS symlinks.
 */
SW_NODISCARD sw_err *sw__hlookup(struct sw__hview *v, const char *path, bool follow,
                                 struct sw__hnode **out);

/* entry.c */

/* What one thread hashes with. */
struct sw__hworker {
        struct sw__hview *view;
        sw_hasher *hasher;
        char *buf;
        const struct sw__hnode *dir; /* whose descriptor dirfd is; NULL: none */
        int dirfd;
        sw_buf path;
        int64_t bytes; /* that were read */
};
void sw__hworker_init(struct sw__hworker *w, struct sw__hview *v);
void sw__hworker_release(struct sw__hworker *w);
/* Set own and hashed. */
SW_NODISCARD sw_err *sw__hworker_hash(struct sw__hworker *w, struct sw__hnode *n);

/* many.c */

typedef SW_ARRAY(struct sw__hnode *) sw__hnodes;

/* Hash those that are not. */
SW_NODISCARD sw_err *sw__hash_many(struct sw__hview *v, sw__hnodes *nodes);
/* The digest of an entry, directories with everything in them. */
SW_NODISCARD sw_err *sw__hash_all(struct sw__hview *v, struct sw__hnode *n, sw_digest *out);

/* update.c */

/* A layer writer over a tree: what it is told has changed is forgotten. */
extern const struct sw_layer_ops sw__hupdate_ops;

/* file.c */

/* Make the file @name. */
SW_NODISCARD sw_err *sw__hsave(const struct sw__htree *t, int dirfd, const char *name);
/* Into a new tree. False: there is none that is sound, and the tree may not be used. */
bool sw__hload(struct sw__htree *t, int dirfd, const char *name);
/* The same in memory. @p: aligned as malloc does. */
SW_API void sw__hpack(const struct sw__htree *t, sw_buf *out);
SW_API bool sw__hunpack(struct sw__htree *t, const void *p, size_t n);

#endif
