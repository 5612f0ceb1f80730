/*
 * plugins/source-git/source.h - the operations of the plugin, as slipway/source.h has them.
 */
#ifndef SLIPWAY_SOURCE_GIT_SOURCE_H
#define SLIPWAY_SOURCE_GIT_SOURCE_H

#include "plugins/source-git/git.h"

sw_err *git_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst);
sw_err *git_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
                struct sw_source_key *out);
sw_err *git_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                     sw_ref **out);
sw_err *git_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session, bool config,
                    struct sw_source_meta *out);
void git_close(void *self, void *inst);

#endif
