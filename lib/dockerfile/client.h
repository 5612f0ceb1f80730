/*
 * lib/dockerfile/client.h - what a conversion gets from outside, all of it through the
 * bridge: the Dockerfile, what is to be ignored, the main context, named contexts,
 * configurations of images. Reference sections 4 to 6.
 *
 *      err = sw_df_client_new(ctx, bridge, config, &client);     finds the main context
 *      err = sw_df_client_load(client);                          client->text
 *      ... sw_df_convert(client, ...) ...
 *      sw_df_client_free(client);
 *
 * Thread: one at a time.   Blocks: where it says so.   Errors: those of the bridge.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_CLIENT_H
#define SLIPWAY_LIB_DOCKERFILE_CLIENT_H

#include <slipway/frontend.h>
#include <slipway/pattern.h>

#include "lib/dockerfile/config.h"
#include "lib/dockerfile/parse.h"

typedef struct sw_df_client {
        sw_ctx *ctx;
        const struct sw_bridge *bridge;
        const sw_df_config *config;
        struct sw_df_arena *arena;
        const char *const *caps; /* that definitions may ask for */

        const char *filename; /* of the Dockerfile */
        const char *local;    /* it is in this one, when it has no state */
        sw_state *dockerfile; /* counted: the tree it is in; NULL: the local */
        sw_state *context;    /* counted: the main context; NULL: the local "context" */
        bool archive;         /* that is one, unpacked: `dockerfile` is all of it */

        struct sw_df_text text; /* once loaded */
        sw_buf text_data;
        sw_buf definition;               /* of the tree it was read from */
        sw_state *loaded_from;           /* counted: that tree */
        char vertex[SW_DIGEST_STR_SIZE]; /* its digest, for warnings; or "" */
        sw_buf ignore;                   /* text of the ignore file */
        const char *ignore_name;         /* NULL: not looked for yet */
        sw_strlist ignored;              /* its patterns */
        bool ignore_parsed;
} sw_df_client;

/** sw_df_client_new - @ctx, @bridge, @config: borrowed as long as the client. Blocks: a
 *  context that is a download is looked at. */
SW_NODISCARD sw_err *sw_df_client_new(sw_ctx *ctx, const struct sw_bridge *bridge,
                                      const sw_df_config *config, sw_df_client **out);
void sw_df_client_free(sw_df_client *c); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_df_client, sw_df_client_free)

/** sw_df_client_load - read the Dockerfile. Blocks.
 *  Errors: SW_E_NOT_FOUND: "failed to read dockerfile: …". */
SW_NODISCARD sw_err *sw_df_client_load(sw_df_client *c);

/** sw_df_client_ignored - patterns of what of the main context is left out; none when it is
 *  no local one. Blocks. */
SW_NODISCARD sw_err *sw_df_client_ignored(sw_df_client *c, const sw_strlist **out);

/** sw_df_client_main - the main context. @follow: NULL-ended: only these paths; NULL: all.
 *  Blocks. */
SW_NODISCARD sw_err *sw_df_client_main(sw_df_client *c, const char *const *follow,
                                       sw_state **out);

/** sw_df_client_newest - the time of the newest file of an archive, in seconds. @tree: a
 *  download, with the archive as its file @name; or, @name NULL, what one was unpacked to.
 *  *found false: it is no archive, or has no files. */
SW_NODISCARD sw_err *sw_df_client_newest(sw_df_client *c, const sw_state *tree,
                                         const char *name, bool *found, int64_t *time);

/* A context by name: context:NAME or context:NAME::PLATFORM. */
struct sw_df_named {
        const char *name;            /* as people write it, without ":latest" */
        const char *key;             /* that was found: name, or name and platform */
        const char *value;           /* "docker-image://…" */
        const sw_platform *platform; /* NULL: whatever is the default */
};
/** sw_df_client_named - whether @name stands for a context; name NULL in @out: it does not.
 *  @platform: or NULL. Does not block. Errors: SW_E_INVALID: no name of an image. */
SW_NODISCARD sw_err *sw_df_client_named(sw_df_client *c, const char *name,
                                        const sw_platform *platform,
                                        struct sw_df_named *out);

/* Paths of a tree that are used, as "/a/b"; "/": all of it. */
typedef struct sw_df_table sw_df_paths;
/** sw_df_paths_follow - what to follow, NULL-ended, without "/" in front; NULL: all. */
const char *const *sw_df_paths_follow(struct sw_df_arena *a, sw_df_paths *paths);

/**
 * sw_df_client_named_load - its tree.
 * @used:  looked at when the state is marshalled; lives as long as the client; or NULL.
 * @image: filled with its configuration, in the client's arena, *has_image tells whether it
 *         has one.
 * Blocks.
 */
SW_NODISCARD sw_err *sw_df_client_named_load(sw_df_client *c, const struct sw_df_named *n,
                                             sw_df_paths *used, sw_state **out,
                                             struct sw_df_image *image, bool *has_image);

/** sw_df_client_git - the git repository that @ref names, as a context; *out NULL: it names
 *  none. @keep_git_dir: in any case. */
SW_NODISCARD sw_err *sw_df_client_git(sw_df_client *c, const char *ref, bool keep_git_dir,
                                      sw_state **out);

/** sw_df_client_solve - @state to a ref (handed back; NULL: the empty tree). Blocks. */
SW_NODISCARD sw_err *sw_df_client_solve(sw_df_client *c, const sw_state *state,
                                        sw_ref **out);
/** sw_df_client_read - a file of it; NULL has none. Blocks. */
SW_NODISCARD sw_err *sw_df_client_read(sw_df_client *c, sw_ref *ref, const char *path,
                                       size_t max, sw_buf *out);
/** sw_df_client_session - id of the session that has the local @name; or NULL. */
const char *sw_df_client_session(const sw_df_client *c, const char *name);

#endif
