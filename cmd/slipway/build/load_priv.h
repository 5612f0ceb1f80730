/* cmd/slipway/build/load_priv.h - what the files of --load share. */
#ifndef SLIPWAY_CMD_BUILD_LOAD_PRIV_H
#define SLIPWAY_CMD_BUILD_LOAD_PRIV_H

#include "cmd/slipway/build/load.h"

/* An archive on its way to a Docker engine, as the chunked body of a request. */
typedef struct dockerload dockerload;

/** dockerload_socket - path of the engine's socket; from malloc; NULL: $DOCKER_HOST is no
 *  socket of this machine. */
char *dockerload_socket(void);
/** dockerload_is_there - whether somebody listens there. */
bool dockerload_is_there(const char *path);
/** dockerload_begin - @cancel: borrowed until free. *fd: handed back: what is written there
 *  is sent. */
SW_NODISCARD sw_err *dockerload_begin(sw_cancel *cancel, const char *path, dockerload **out,
                                      int *fd);
/** dockerload_end - all was written, and that descriptor closed: wait for the answer. */
SW_NODISCARD sw_err *dockerload_end(dockerload *d);
/** dockerload_free - without end, the engine sees a request that breaks off.
 *  @why: handed back: why sending ended early; may be SW_OK. */
void dockerload_free(dockerload *d, sw_err **why);

#endif
