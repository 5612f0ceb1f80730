/*
 * slipway/llbfiles.h - file actions: directories, files, links, copies, removals.
 *
 * Part of slipway/llb.h, which says what holds everywhere: ownership, threads, errors.
 */
#ifndef SLIPWAY_LLBFILES_H
#define SLIPWAY_LLBFILES_H

#include <slipway/llbstate.h>

SW_BEGIN_DECLS

typedef struct sw_files sw_files; /* file actions being described */
typedef struct sw_bound sw_bound; /* counted: file actions on a state */

/* Whom a file belongs to: "user", "uid", "user:group", "uid:gid"; NULL: root, for a copy
 * the source's owner. Names are looked up in the tree that is written to. */

struct sw_llb_file {
        uint32_t size;
        const char *owner;
        bool has_time;
        int64_t time; /* ns since the epoch, with has_time */
        bool parents; /* mkdir: make missing parents; fine when it is there */
};
#define SW_LLB_FILE(...)                                                                   \
        (&(const struct sw_llb_file){ .size = sizeof(struct sw_llb_file), __VA_ARGS__ })

struct sw_llb_rm {
        uint32_t size;
        bool allow_missing;
        bool wildcard; /* the path is a pattern */
};
#define SW_LLB_RM(...)                                                                     \
        (&(const struct sw_llb_rm){ .size = sizeof(struct sw_llb_rm), __VA_ARGS__ })

struct sw_llb_copy {
        uint32_t size;
        const char *owner;
        bool has_mode;
        uint32_t mode;        /* with has_mode; otherwise the source's */
        const char *mode_str; /* "u+rwX,go=": goes before mode */
        bool has_time;
        int64_t time; /* ns since the epoch, with has_time; otherwise the source's */
        bool follow_symlink;
        bool contents_only; /* of a directory: what is in it, not itself */
        bool unpack;        /* archives are unpacked */
        bool make_parents;  /* missing parents of the destination are made */
        bool wildcard;      /* the source is a pattern */
        bool allow_empty_wildcard;
        bool always_replace;
        const char *const *include, *const *exclude, *const *required;
};
#define SW_LLB_COPY(...)                                                                   \
        (&(const struct sw_llb_copy){ .size = sizeof(struct sw_llb_copy), __VA_ARGS__ })

/** sw_files_new - an empty list of actions; each function adds one that works on what the
 *  ones before made. Relative paths start at the directory of the state they end up on. */
SW_API sw_files *sw_files_new(void);
/** sw_files_free - @f: given; NULL is allowed. */
SW_API void sw_files_free(sw_files *f);
SW_DEFINE_AUTOPTR(sw_files, sw_files_free)

/** sw_files_mkdir - a directory. @mode: only the bits 0777 count, here and for files. */
SW_API SW_NODISCARD sw_err *sw_files_mkdir(sw_files *f, const char *path, uint32_t mode,
                                           const struct sw_llb_file *file);
/** sw_files_mkfile - a file with these bytes, which are copied; in the place of one. */
SW_API SW_NODISCARD sw_err *sw_files_mkfile(sw_files *f, const char *path, uint32_t mode,
                                            const void *data, size_t len,
                                            const struct sw_llb_file *file);
/** sw_files_symlink - @path, used as it is, points to @target. */
SW_API SW_NODISCARD sw_err *sw_files_symlink(sw_files *f, const char *target,
                                             const char *path,
                                             const struct sw_llb_file *file);
/** sw_files_rm - remove a file, or a directory with all in it. */
SW_API SW_NODISCARD sw_err *sw_files_rm(sw_files *f, const char *path,
                                        const struct sw_llb_rm *rm);
/** sw_files_copy - @src of @from to @dest; @dest ending in "/" is a directory. */
SW_API SW_NODISCARD sw_err *sw_files_copy(sw_files *f, const sw_state *from,
                                          const char *src, const char *dest,
                                          const struct sw_llb_copy *copy);
/** sw_files_copy_bound - the same from a tree that other actions of the vertex make. */
SW_API SW_NODISCARD sw_err *sw_files_copy_bound(sw_files *f, sw_bound *from,
                                                const char *src, const char *dest,
                                                const struct sw_llb_copy *copy);

/** sw_files_bind - the actions so far, done on @s, to copy from. Used twice in a vertex,
 *  they are done once. */
SW_API SW_NODISCARD sw_err *sw_files_bind(const sw_files *f, const sw_state *s,
                                          sw_bound **out);
/** sw_bound_ref - one more reference to @b, which is returned. */
SW_API sw_bound *sw_bound_ref(sw_bound *b);
/** sw_bound_unref - @b: given; NULL is allowed. */
SW_API void sw_bound_unref(sw_bound *b);
SW_DEFINE_AUTOPTR(sw_bound, sw_bound_unref)

/** sw_state_files - the tree after the actions of @f, which may be used again. Errors:
 *  SW_E_INVALID for an empty list. */
SW_API SW_NODISCARD sw_err *sw_state_files(const sw_state *s, const sw_files *f,
                                           const struct sw_llb_opts *opts, sw_state **out);

SW_END_DECLS
#endif
