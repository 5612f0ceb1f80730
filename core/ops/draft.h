/*
 * core/ops/draft.h - a tree as a chain of actions leaves it: what they wrote, over a base
 * that does not change.
 *
 * A *draft* tells a layer writer what changes and remembers it, so that a later action sees
 * what an earlier one did although nothing is mounted. Entries are nodes, made when
 * somebody first asks for them; what nobody asked for is looked up in the base.
 *
 *      sw__draft_new -> resolve, find, mkdir, file, ... -> sw__draft_flush -> free
 *
 * The data of files is not copied at once: files are gathered and told by several threads
 * in sw__draft_flush(), which is also called when an entry that was told is replaced.
 * Directories are told with what metadata they have in the base before something in them
 * changes, and nobody's times change by that.
 *
 * Invariants:
 *   D1  a node that is told has a parent that is told
 *   D2  `below` only of directories: names without a node are looked up in the base
 *   D3  a node of type 0 is a name that leads nowhere, whatever the base has there
 * Thread: one.
 */
#ifndef SLIPWAY_CORE_OPS_DRAFT_H
#define SLIPWAY_CORE_OPS_DRAFT_H

#include <slipway/layer.h>
#include <slipway/map.h>

#include "core/ops/former.h"
#include "core/ops/view.h"

typedef struct sw__draft sw__draft;

struct sw__draft_node {
        struct sw__draft_node *parent; /* NULL: the root */
        sw_map *children;              /* by name; NULL: none were asked for */
        mode_t type;                   /* S_IFDIR and so on; 0: nothing is here */
        bool told;                     /* the writer knows it */
        bool below;                    /* what the base has in it shows */
        bool hides;                    /* the base has something here that must not show */
        struct sw_layer_meta meta;
        char *link;     /* of a symlink */
        sw_map *xattrs; /* of a directory: what it was told; NULL: none */
        char path[];    /* plain */
};

/** sw__draft_new - @base, @ops, @w: borrowed. @now: time of what is made without one. */
SW_API sw__draft *sw__draft_new(sw_ctx *ctx, const struct sw__view *base,
                                const struct sw_layer_ops *ops, void *w, int64_t now);
SW_API void sw__draft_free(sw__draft *d);
SW_API int64_t sw__draft_now(const sw__draft *d);
SW_API const struct sw__view *sw__draft_base(const sw__draft *d);

/** sw__draft_set_spool - where temporary files may go; borrowed. Else: memory. */
SW_API void sw__draft_set_spool(sw__draft *d, int dirfd);
/** sw__draft_set_former - what was copied last, and will be; borrowed. Else: all is copied.
 */
SW_API void sw__draft_set_former(sw__draft *d, sw__former *f);
/** sw__draft_spool - a new temporary file, handed back; -1 and errno. */
SW_API int sw__draft_spool(const sw__draft *d);

/* ---- looking ---- */

/** sw__draft_resolve - as sw__view_resolve(). */
SW_API SW_NODISCARD sw_err *sw__draft_resolve(sw__draft *d, const char *path,
                                              bool follow_last, char **out);
SW_API struct sw__draft_node *sw__draft_root(sw__draft *d);
/** sw__draft_child - *out NULL: nothing is there. @dir: a directory. */
SW_API SW_NODISCARD sw_err *sw__draft_child(sw__draft *d, struct sw__draft_node *dir,
                                            const char *name, struct sw__draft_node **out);
/** sw__draft_find - by plain path; *out NULL: nothing is there. */
SW_API SW_NODISCARD sw_err *sw__draft_find(sw__draft *d, const char *path,
                                           struct sw__draft_node **out);
/** sw__draft_names - what is in a directory, sorted. */
SW_API SW_NODISCARD sw_err *sw__draft_names(sw__draft *d, struct sw__draft_node *dir,
                                            sw_strlist *out);

/* ---- changing; what was under that name goes, whole trees included ---- */

SW_API SW_NODISCARD sw_err *sw__draft_mkdir(sw__draft *d, struct sw__draft_node *dir,
                                            const char *name, const struct sw_layer_meta *m,
                                            struct sw__draft_node **out);
/** sw__draft_mkdirs - @path and what is missing above it. Errors: SW_E_NOT_FOUND: something
 *  on the way is no directory. */
SW_API SW_NODISCARD sw_err *sw__draft_mkdirs(sw__draft *d, const char *path,
                                             const struct sw_layer_meta *m,
                                             struct sw__draft_node **out);
/** sw__draft_set_meta - of a directory that is there. */
SW_API SW_NODISCARD sw_err *sw__draft_set_meta(sw__draft *d, struct sw__draft_node *n,
                                               const struct sw_layer_meta *m);
SW_API SW_NODISCARD sw_err *sw__draft_data(sw__draft *d, struct sw__draft_node *dir,
                                           const char *name, const struct sw_layer_meta *m,
                                           const void *p, size_t n,
                                           struct sw__draft_node **out);
/** sw__draft_range - a file whose data is a range of @fd; told at once. */
SW_API SW_NODISCARD sw_err *sw__draft_range(sw__draft *d, struct sw__draft_node *dir,
                                            const char *name, const struct sw_layer_meta *m,
                                            int fd, int64_t off, int64_t len,
                                            struct sw__draft_node **out);
SW_API SW_NODISCARD sw_err *sw__draft_symlink(sw__draft *d, struct sw__draft_node *dir,
                                              const char *name,
                                              const struct sw_layer_meta *m,
                                              const char *target,
                                              struct sw__draft_node **out);
SW_API SW_NODISCARD sw_err *sw__draft_device(sw__draft *d, struct sw__draft_node *dir,
                                             const char *name,
                                             const struct sw_layer_meta *m, mode_t type,
                                             dev_t dev, struct sw__draft_node **out);
/** sw__draft_remove - an entry that is there; not the root. */
SW_API SW_NODISCARD sw_err *sw__draft_remove(sw__draft *d, struct sw__draft_node *n);

/* A file of a view that is to be copied. */
struct sw__draft_copy {
        const struct sw__view *view; /* open until the next flush */
        char *path;                  /* plain; given */
        struct sw__view_entry entry;
        bool keep_mtime; /* the file's own, not that of the metadata */
};
SW_API SW_NODISCARD sw_err *sw__draft_file(sw__draft *d, struct sw__draft_node *dir,
                                           const char *name, const struct sw_layer_meta *m,
                                           struct sw__draft_copy *copy,
                                           struct sw__draft_node **out);
/** sw__draft_link - another name of @existing, which was put since the last flush or
 *  before. Told in the next flush. */
SW_API SW_NODISCARD sw_err *sw__draft_link(sw__draft *d, struct sw__draft_node *dir,
                                           const char *name,
                                           struct sw__draft_node *existing,
                                           struct sw__draft_node **out);
/** sw__draft_own - have the writer know an entry, no directory, of the base, so that it can
 *  be linked to. @n: changes. */
SW_API SW_NODISCARD sw_err *sw__draft_own(sw__draft *d, struct sw__draft_node **n);
/** sw__draft_flush - tell what was gathered. Errors: those of the view and the writer. */
SW_API SW_NODISCARD sw_err *sw__draft_flush(sw__draft *d);
/** sw__draft_xattrs - have the entry have the extended attributes of the file @fd (O_PATH
 *  will do) of the tree @from; those the writer may not set are left out, and of a listing
 *  all but what means the same on every machine.
 *  @but: one that is left out; or NULL. */
SW_API SW_NODISCARD sw_err *sw__draft_xattrs(sw__draft *d, struct sw__draft_node *n,
                                             const struct sw__view *from, int fd,
                                             const char *but);
SW_API SW_NODISCARD sw_err *sw__draft_xattr(sw__draft *d, struct sw__draft_node *n,
                                            const char *name, const void *p, size_t len);

SW_DEFINE_AUTOPTR(sw__draft, sw__draft_free)

#endif
