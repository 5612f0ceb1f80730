/*
 * slipway/frontend.h - the frontend kind: options in, results out.
 *
 * A frontend turns its input (a Dockerfile) into definitions and asks the bridge to solve
 * them; it may look at results and go on from there.
 */
#ifndef SLIPWAY_FRONTEND_H
#define SLIPWAY_FRONTEND_H

#include <slipway/exporter.h>
#include <slipway/plugin.h>
#include <slipway/session.h>

SW_BEGIN_DECLS

/* What the core does for a frontend. Grows at the end only. Calls block, and return within
 * SW_CANCEL_GRACE_MS of cancellation (SW_E_CANCELLED). */
struct sw_bridge {
        uint32_t size;
        void *arg;
        /* solve - a marshalled definition (borrowed) to a ref (handed back). Errors: as
         * sw_build_wait(). */
        sw_err *(*solve)(void *arg, sw_ctx *ctx, const void *def, size_t len, sw_ref **out);
        /* resolve_config - image configuration and pinned digest of an image reference
         * for a platform ("linux/amd64"); both handed back, from malloc. Errors:
         * SW_E_NOT_FOUND, SW_E_REMOTE, SW_E_DENIED. */
        sw_err *(*resolve_config)(void *arg, sw_ctx *ctx, const char *ref,
                                  const char *platform, char **config, char **digest);
        /* warn - a warning about a place in the source; strings are borrowed, @url and
         * @file may be NULL, @line counts from 1 (0: none). Does not block. */
        void (*warn)(void *arg, const char *text, const char *url, const char *file,
                     int line);
        sw_session *session; /* or NULL */
};

struct sw_frontend_result {
        uint32_t size;
        struct sw_export_ref *refs; /* array from malloc, refs and strings given */
        size_t n_refs;
};

struct sw_frontend_ops {
        struct sw_ops_hdr hdr;
        /**
         * build - Required.
         * @opts:   frontend options ("filename", "target", "build-arg:X"); borrowed.
         * @bridge: borrowed until return.
         * @out:    zeroed by the core; handed back.
         * Thread: any worker, several jobs at once.   Blocks: yes.
         * Errors: SW_E_INVALID with place, whatever the bridge returned.   Since: 0.1
         */
        sw_err *(*build)(void *self, sw_ctx *ctx, const struct sw_attr *opts, size_t n_opts,
                         const struct sw_bridge *bridge, struct sw_frontend_result *out);
};

SW_END_DECLS
#endif
