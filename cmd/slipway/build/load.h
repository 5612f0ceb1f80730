/*
 * cmd/slipway/build/load.h - what --load says: the result as an image into an engine that
 * is on this machine.
 *
 *      docker               its API, on the socket of $DOCKER_HOST or /var/run/docker.sock.
 *                           All layers are sent: the API cannot be asked which are there
 *      containerd           `ctr images import`, where its socket and ctr are there
 *      containers-storage   podman's and buildah's, by `skopeo copy`: layers that are there
 *                           are not copied
 *
 * Thread: main; targets by the exporter's, and one that sends to Docker.
 */
#ifndef SLIPWAY_CMD_BUILD_LOAD_H
#define SLIPWAY_CMD_BUILD_LOAD_H

#include <slipway/engine.h>

typedef struct load load;

/** load_open - @name: of the image. @into: one of the above; NULL or "auto": the first one
 *  that is there. @cancel: borrowed until free. @out: handed back. Errors: SW_E_USAGE
 * (name), SW_E_NOT_FOUND (no engine; says what was looked for). */
SW_NODISCARD sw_err *load_open(const char *name, const char *into, sw_cancel *cancel,
                               load **out);
/** load_output - to be put beside the other outputs; borrows from @l. */
struct sw_build_output load_output(load *l);
/** load_why - @err is that of the build (given): in the engine's words if it was to blame.
 */
sw_err *load_why(load *l, sw_err *err);
void load_free(load *l);
SW_DEFINE_AUTOPTR(load, load_free)

#endif
