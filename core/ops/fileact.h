/*
 * core/ops/fileact.h - the actions of a file op, each on a draft: what file.c plans.
 *
 * Thread: one for each draft; the parsers: any.
 */
#ifndef SLIPWAY_CORE_OPS_FILEACT_H
#define SLIPWAY_CORE_OPS_FILEACT_H

#include "core/ops/draft.h"
#include "proto/pb.pb-c.h"

/* Who is to own what an action makes. */
struct sw__owner {
        bool set; /* else: whoever owns it there, or root */
        uid_t uid;
        gid_t gid;
};

/** sw__owner_read - of a chown option. @users, @groups: trees in which names are looked up;
 *  NULL where the option has an id. A name that is not there is 0; one that is to be looked
 *  up in no tree at all is SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw__owner_read(const Pb__ChownOpt *o,
                                           const struct sw__view *users,
                                           const struct sw__view *groups,
                                           struct sw__owner *out);
/** sw__owner_find - a line of /etc/passwd (@fields 7: uid, gid) or /etc/group (@fields 4:
 *  gid in *id). Whether it was found. */
SW_API bool sw__owner_find(const char *text, size_t len, const char *name, unsigned fields,
                           uint32_t *id, uint32_t *gid);

/* A mode as chmod(1) takes it, compiled. */
typedef struct sw__modeset sw__modeset;
/** sw__modeset_new - "u=rwX,go-w", "0755". Errors: SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw__modeset_new(const char *text, sw__modeset **out);
/** sw__modeset_apply - @mode with its file type; the new permission bits. */
SW_API mode_t sw__modeset_apply(const sw__modeset *m, mode_t mode);
SW_API void sw__modeset_free(sw__modeset *m);

SW_API SW_NODISCARD sw_err *sw__file_mkdir(sw__draft *d, const Pb__FileActionMkDir *a,
                                           const struct sw__owner *o);
SW_API SW_NODISCARD sw_err *sw__file_mkfile(sw__draft *d, const Pb__FileActionMkFile *a,
                                            const struct sw__owner *o);
SW_API SW_NODISCARD sw_err *sw__file_symlink(sw__draft *d, const Pb__FileActionSymlink *a,
                                             const struct sw__owner *o);
SW_API SW_NODISCARD sw_err *sw__file_rm(sw__draft *d, const Pb__FileActionRm *a);
/** sw__file_copy - @src: open until the draft was flushed, which this does at its end. */
SW_API SW_NODISCARD sw_err *sw__file_copy(sw__draft *d, const Pb__FileActionCopy *a,
                                          const struct sw__view *src,
                                          const struct sw__owner *o, sw_ctx *ctx);

/* ---- shared by them ---- */

/** sw__file_meta - of what is new: @timestamp -1: now. */
struct sw_layer_meta sw__file_meta(const sw__draft *d, mode_t mode,
                                   const struct sw__owner *o, int64_t timestamp);
/** sw__file_clean - "/" and the path, cleaned, with "/" or "/." at its end kept. */
char *sw__file_clean(const char *path);
/** sw__file_wildcards - plain paths that @pattern matches, in the order of a walk.
 *  @names: the names in a directory. */
struct sw__glob_tree {
        void *self;
        sw_err *(*resolve)(void *self, const char *path, bool follow_last, char **out);
        /* names of a plain path that is a directory; none of what is not */
        sw_err *(*names)(void *self, const char *path, sw_strlist *out);
};
SW_NODISCARD sw_err *sw__file_wildcards(const struct sw__glob_tree *t, const char *pattern,
                                        bool follow, sw_strlist *out);
/** sw__file_unpack - extract the archive @path of @src into @dest; *done false: it is none.
 */
SW_NODISCARD sw_err *sw__file_unpack(sw__draft *d, sw_ctx *ctx, const struct sw__view *src,
                                     const char *path, const char *dest,
                                     const struct sw__owner *o, int64_t timestamp,
                                     bool *done);
SW_NODISCARD sw_err *sw__file_missing(const char *path);
/** sw__file_wrap - "VERB PATH: ", or "VERB PATH BETWEEN OTHER: ", before what @err says.
 * @other may be NULL. */
SW_NODISCARD sw_err *sw__file_wrap(sw_err *err, const char *verb, const char *path,
                                   const char *between, const char *other);

/* filerequired.c: paths that a copy is required to find. NULL: none; for all of them. */
struct sw__required;
struct sw__required *sw__required_new(char *const *paths, size_t n); /* @paths: borrowed */
void sw__required_free(struct sw__required *r);
/** sw__required_met - @path of the source, plain, was copied; @rel: the same from what the
 *  copy names on. */
void sw__required_met(struct sw__required *r, const char *path, const char *rel);
/** sw__required_check - Errors: SW_E_NOT_FOUND: one was not met. */
SW_NODISCARD sw_err *sw__required_check(const struct sw__required *r);

SW_DEFINE_AUTOPTR(sw__modeset, sw__modeset_free)

#endif
