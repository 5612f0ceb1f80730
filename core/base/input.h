/*
 * core/base/input.h - files that somebody names for us to read.
 */
#ifndef SLIPWAY_CORE_BASE_INPUT_H
#define SLIPWAY_CORE_BASE_INPUT_H

#include <slipway/error.h>

/** sw__open_input - open @path, relative to @dirfd (AT_FDCWD allowed), for reading, without
 *  waiting. A pipe with a name is refused: opening one waits until somebody writes to it,
 *  which may be never, and not waiting reads nothing from one who is late. The pipes of
 *  <(command) and /dev/stdin have both ends from the start and are fine. @fd: blocking.
 *  Errors: SW_E_NOT_FOUND, SW_E_INVALID (a pipe with a name), SW_E_IO. Thread: any. */
SW_API SW_NODISCARD sw_err *sw__open_input(int dirfd, const char *path, int *fd);

#endif
