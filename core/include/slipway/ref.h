/*
 * slipway/ref.h - results as plugins see them: immutable trees.
 *
 * A ref is counted and may be used from any thread. What stands behind it (an overlay
 * snapshot, a plain directory, something that is not a directory at all) is known only
 * to who made it, through struct sw_ref_ops.
 */
#ifndef SLIPWAY_REF_H
#define SLIPWAY_REF_H

#include <sys/stat.h>

#include <slipway/ctx.h>
#include <slipway/digest.h>

SW_BEGIN_DECLS

typedef struct sw_ref sw_ref;
typedef struct sw_tree sw_tree;

/* One entry of a listing. Strings are the listing's. */
struct sw_entry {
        const char
                *path; /* relative, cleaned: "src/main.c"; the root itself is not listed */
        const char *link; /* target of a symlink; else NULL */
        int64_t size;     /* of a regular file */
        int64_t mtime;    /* ns since the epoch */
        dev_t rdev;       /* of a device; else 0 */
        mode_t mode;      /* with its file type */
        uid_t uid;        /* as the tree has it, which is not that of the file on disk */
        gid_t gid;
        uint32_t same_as; /* 1 + index of the earlier entry that is a name of the same file
                             (hard link); 0: none */
};

/*
 * A listing: a tree that is part of a directory somebody else owns, and was not copied.
 * What is listed is there, nothing else is. Parents are listed before what is in them, and
 * the order is sw_path_cmp()'s: '/' sorts before every other byte. The metadata is
 * the entry's; data and extended attributes are those of the file. Read-only, lives as long
 * as the ref; functions are for any thread. Grows at the end only.
 */
struct sw_listing {
        uint32_t size;
        size_t n;
        const struct sw_entry *v;
        int dirfd; /* the directory; paths are resolved without following symlinks */
        void *self;
        /** stat - of the file as it was listed, or as learn() said last. */
        void (*stat)(void *self, size_t i, struct stat *st);
        /** known - the digest that is remembered of an entry, as content hashes count it
         *  (header and content); false: it has to be read. */
        bool (*known)(void *self, size_t i, sw_digest *out);
        /** learn - the file was read, its state @st before and after, and this came out. */
        void (*learn)(void *self, size_t i, const struct stat *st, const sw_digest *d);
        /** settle - what was learnt may be written down now. Blocks. */
        void (*settle)(void *self, sw_ctx *ctx);
};

/* How a provider implements refs. Grows at the end only; size is sizeof as compiled. Any
 * thread, several at once; all but release may block. Errors: SW_E_CANCELLED, SW_E_IO,
 * SW_E_UNSUPPORTED. */
struct sw_ref_ops {
        uint32_t size;
        /* open_tree - a read-only view; *dirfd is handed back, *view goes to close_tree. */
        sw_err *(*open_tree)(void *self, sw_ctx *ctx, int *dirfd, void **view);
        /* close_tree - @view: given, also on error. */
        sw_err *(*close_tree)(void *self, void *view);
        /* release - the last reference is gone; must not block. */
        void (*release)(void *self);
        /* listing - the tree as a listing, borrowed; or NULL, as when this is absent. Then
         * open_tree is the expensive way to look at it: the tree is copied first. */
        const struct sw_listing *(*listing)(void *self);
        /* stored - the same tree as a ref of the worker's store, copied if need be; handed
         * back. For what needs a directory of layers: a command's mounts, a base to write
         * on. Where it is there, open_tree need not be. */
        sw_err *(*stored)(void *self, sw_ctx *ctx, sw_ref **out);
};

/** sw_ref_new - @id: copied, names the ref in messages. @ops, @self: live until release. */
SW_API sw_ref *sw_ref_new(const char *id, const struct sw_ref_ops *ops, void *self);
/** sw_ref_new_dir - a ref over a directory that the caller keeps unchanged.
 *  @dirfd: given. For embedders and tests. */
SW_API sw_ref *sw_ref_new_dir(const char *id, int dirfd);
/** sw_ref_ref - one more reference to @r (NULL is allowed), which is returned. */
SW_API sw_ref *sw_ref_ref(sw_ref *r);
/** sw_ref_unref - @r: given; NULL is allowed. Never blocks. */
SW_API void sw_ref_unref(sw_ref *r);
SW_API const char *sw_ref_id(const sw_ref *r); /* borrowed */

/**
 * sw_ref_open - look at the tree.
 * @out: handed back; its directory stays the same and readable until closed.
 * Blocks: yes.   Errors: SW_E_CANCELLED, SW_E_IO, SW_E_UNSUPPORTED.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_ref_open(sw_ctx *ctx, sw_ref *r, sw_tree **out);
SW_API int sw_tree_fd(const sw_tree *t); /* borrowed directory descriptor */
/** sw_tree_close - give the view back. @t: given. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_tree_close(sw_tree *t);
/**
 * sw_ref_listing - the tree as a listing, which lives as long as the ref; NULL when it is a
 * directory like any other: use sw_ref_open().
 */
SW_API const struct sw_listing *sw_ref_listing(const sw_ref *r);
/** sw_listing_find - the entry of @path ("src/main.c"), or NULL. Symlinks are not followed:
 *  their targets are in the entries. */
SW_API const struct sw_entry *sw_listing_find(const struct sw_listing *l, const char *path);
/** sw_listing_below - entries of @dir ("": the root) and what is in it, one after the other
 *  from *first on; returns how many. 0: not there, or the root of an empty tree. */
SW_API size_t sw_listing_below(const struct sw_listing *l, const char *dir, size_t *first);
/**
 * sw_listing_open - open the file of entry @i for reading; a directory too.
 * @st: its state, which goes before size and mtime of the entry: a file that changed before
 *      it was hashed has those of the hashing.
 * Errors: SW_E_BUSY when the file is not the one that was listed or hashed any more: it was
 * changed during the build; SW_E_DENIED, SW_E_IO. Names the path.
 */
SW_API SW_NODISCARD sw_err *sw_listing_open(const struct sw_listing *l, size_t i, int *fd,
                                            struct stat *st);
/** sw_listing_check - after reading: SW_E_BUSY when it changed since sw_listing_open(). */
SW_API SW_NODISCARD sw_err *sw_listing_check(const struct sw_listing *l, size_t i, int fd,
                                             const struct stat *st);

/**
 * sw_ref_stored - the same tree as a ref of the worker's store: the ref itself, with a
 * count of its own, unless its provider knows better. @out: handed back.
 * Blocks: yes; a listing is copied, once.   Errors: of the provider.
 */
SW_API SW_NODISCARD sw_err *sw_ref_stored(sw_ctx *ctx, sw_ref *r, sw_ref **out);

/** sw_tree_drop - close, with errors dropped: for error paths. */
SW_API void sw_tree_drop(sw_tree *t);

SW_DEFINE_AUTOPTR(sw_ref, sw_ref_unref)
SW_DEFINE_AUTOPTR(sw_tree, sw_tree_drop)

SW_END_DECLS
#endif
