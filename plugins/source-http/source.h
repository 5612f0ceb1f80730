/*
 * plugins/source-http/source.h - the operations of the plugin, as slipway/source.h has
 * them.
 */
#ifndef SLIPWAY_SOURCE_HTTP_SOURCE_H
#define SLIPWAY_SOURCE_HTTP_SOURCE_H

#include "plugins/source-http/http.h"

sw_err *http_open(void *self, sw_ctx *ctx, const struct sw_source_request *req,
                  void **inst);
sw_err *http_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
                 struct sw_source_key *out);
sw_err *http_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session,
                      sw_ref **out);
sw_err *http_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session, bool config,
                     struct sw_source_meta *out);
void http_close(void *self, void *inst);

#endif
