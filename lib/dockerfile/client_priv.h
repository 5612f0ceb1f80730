/* lib/dockerfile/client_priv.h - what the files of client.h share with conversion. */
#ifndef SLIPWAY_LIB_DOCKERFILE_CLIENT_PRIV_H
#define SLIPWAY_LIB_DOCKERFILE_CLIENT_PRIV_H

#include <slipway/json.h>

#include "lib/dockerfile/client.h"

typedef struct sw_source_meta sw_df_source_meta;

static inline void
sw_df_source_meta_release(sw_df_source_meta *m)
{
        free(m->digest);
        free(m->config);
        free(m->name);
}
SW_DEFINE_AUTO(sw_df_source_meta, sw_df_source_meta_release)

/* Look something up. @out: zeroed but for size. Blocks. */
SW_NODISCARD sw_err *sw_df_client_resolve(sw_df_client *c,
                                          const struct sw_bridge_source *req,
                                          sw_df_source_meta *out);
/* Digest and configuration of the image @ref, a name in full. @title: of the step. Blocks.
 */
SW_NODISCARD sw_err *sw_df_client_image_config(sw_df_client *c, const char *ref,
                                               const sw_platform *platform,
                                               const char *title, sw_df_source_meta *out);
/* The tree of an input, in a build of its own; *out NULL: there is no such input. */
SW_NODISCARD sw_err *sw_df_client_input(sw_df_client *c, const char *name, sw_state **out);

#endif
