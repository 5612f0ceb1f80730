/*
 * lib/dockerfile/gitref.h - references to git repositories as people write them where a
 * directory or a file could stand: in ADD, as a context.
 *
 *      https://github.com/o/r.git#v1.2:sub     branch, tag or commit, and directory
 *      git@github.com:o/r.git?ref=main         the same as a query
 *      github.com/o/r                          reads as a local path, too
 *
 * Of http and https only what ends in ".git" is one. Pure; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_GITREF_H
#define SLIPWAY_LIB_DOCKERFILE_GITREF_H

#include "lib/dockerfile/instruct.h"

typedef struct sw_df_gitref {
        char *remote;   /* what git is given: without fragment and query */
        char *ref;      /* "" when there is none */
        char *subdir;   /* "" when there is none */
        char *checksum; /* commit, or the start of it; "" when there is none */
        char *mtime;    /* "commit", "checkout"; "" when there is none */
        enum sw_df_maybe keep_git_dir, submodules, fetch_by_commit;
        bool like_local; /* could be a path as well: "github.com/o/r" */
} sw_df_gitref;

void sw_df_gitref_release(sw_df_gitref *g);
SW_DEFINE_AUTO(sw_df_gitref, sw_df_gitref_release)

/**
 * sw_df_gitref_parse - what @s refers to.
 * @is_git: whether it is such a reference at all; when not, there is no error either.
 * @out:    handed back, to be released; only with SW_OK and *is_git.
 * Errors: SW_E_INVALID: it is one, but its query is wrong.
 */
SW_NODISCARD sw_err *sw_df_gitref_parse(const char *s, bool *is_git, sw_df_gitref *out);

#endif
