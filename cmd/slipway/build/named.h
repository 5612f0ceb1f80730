/*
 * cmd/slipway/build/named.h - --build-context NAME=WHAT: a directory, a git or http URL,
 * docker-image://REF, or oci-layout://DIR[:TAG][@DIGEST]. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_NAMED_H
#define SLIPWAY_CMD_BUILD_NAMED_H

#include <slipway/localsession.h>

#include "cmd/slipway/build/opts.h"

/** named_take - all of them. Errors: SW_E_USAGE; SW_E_NOT_FOUND, SW_E_INVALID of a layout.
 */
SW_NODISCARD sw_err *named_take(const struct cli_call *call, sw_local_session *client,
                                opts *o);

/* Of context.c: "NAME=DIR" to the session. */
SW_NODISCARD sw_err *context_add_local(sw_local_session *client, const char *name,
                                       const char *dir);
/* Of context.c: whether @dir is a directory; @what begins the message. Errors:
 * SW_E_NOT_FOUND, SW_E_DENIED, SW_E_INVALID, SW_E_IO. */
SW_NODISCARD sw_err *context_check_dir(const char *dir, const char *what);

#endif
