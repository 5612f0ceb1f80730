/*
 * slipway/sessionpart.h - the session part kind: credentials, secrets and the like from
 * stores of a site's own, asked when the client itself does not offer them.
 */
#ifndef SLIPWAY_SESSIONPART_H
#define SLIPWAY_SESSIONPART_H

#include <slipway/plugin.h>
#include <slipway/session.h>

SW_BEGIN_DECLS

struct sw_sessionpart_ops {
        struct sw_ops_hdr hdr;
        /* What it offers; the plugin's self is passed as the table's self. Required. */
        struct sw_session_ops offers;
};

SW_END_DECLS
#endif
