/*
 * slipway/apiserver.h - the api kind: ways for clients to reach a daemon.
 */
#ifndef SLIPWAY_APISERVER_H
#define SLIPWAY_APISERVER_H

#include <slipway/plugin.h>

SW_BEGIN_DECLS

typedef struct sw_engine sw_engine;

struct sw_api_ops {
        struct sw_ops_hdr hdr;
        /**
         * listen - serve @engine on @address ("unix:///run/…", "tcp://…") until stop.
         * @fd: an inherited socket, borrowed, or -1.
         * Returns once clients can connect; serving goes on in threads of its own.
         * Thread: main.   Errors: SW_E_INVALID, SW_E_BUSY, SW_E_IO.   Since: 0.1
         */
        sw_err *(*listen)(void *self, sw_ctx *ctx, sw_engine *engine, const char *address,
                          int fd, void **server);
        /** stop - accept nothing more, wait for what runs, release @server. Required. */
        sw_err *(*stop)(void *self, sw_ctx *ctx, void *server);
};

SW_END_DECLS
#endif
