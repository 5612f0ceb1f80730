/*
 * core/source/manager.h - the source manager: scheme of an identifier -> source plugin ->
 * instance.
 *
 * Calls go through here: presence is checked, errors carry the plugin's name.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_SOURCE_MANAGER_H
#define SLIPWAY_CORE_SOURCE_MANAGER_H

#include <slipway/host.h>
#include <slipway/source.h>

SW_BEGIN_DECLS

typedef struct sw_sources sw_sources;
typedef struct sw_source sw_source; /* one opened identifier */

/** sw__sources_new - @host, @worker: borrowed until free. */
SW_API sw_sources *sw__sources_new(sw_host *host, sw_worker *worker);
SW_API void sw__sources_free(sw_sources *s);

/**
 * sw__sources_open - @req: everything in it is copied; worker is set here.
 * The plugin is found by its scheme: first the one of that name, then whichever serves it.
 * Errors: SW_E_INVALID (no "://": `failed to parse X`), SW_E_NOT_FOUND (`unknown scheme X`,
 * with the schemes there are and the package that may bring it), the plugin's own.
 */
SW_API SW_NODISCARD sw_err *sw__sources_open(sw_sources *s, sw_ctx *ctx,
                                             const struct sw_source_request *req,
                                             sw_source **out);
SW_API SW_NODISCARD sw_err *sw__source_cache_key(sw_source *s, sw_ctx *ctx,
                                                 sw_session *session, unsigned index,
                                                 struct sw_source_key *out);
SW_API SW_NODISCARD sw_err *sw__source_snapshot(sw_source *s, sw_ctx *ctx,
                                                sw_session *session, sw_ref **out);
/** sw__source_resolve - @out: zeroed, its strings handed back. Errors: SW_E_UNSUPPORTED:
 * the plugin looks nothing up; its own. */
SW_API SW_NODISCARD sw_err *sw__source_resolve(sw_source *s, sw_ctx *ctx,
                                               sw_session *session, bool config,
                                               struct sw_source_meta *out);
SW_API void sw__source_meta_release(struct sw_source_meta *m);
SW_API void sw__source_close(sw_source *s);
SW_API void sw__source_key_release(struct sw_source_key *k);

SW_DEFINE_AUTOPTR(sw_source, sw__source_close)

SW_END_DECLS
#endif
