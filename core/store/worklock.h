/*
 * core/store/worklock.h - work that is done by one at a time, of all threads and processes:
 * unpacking a layer, fetching a blob.
 *
 * A lock is a byte of the file <root>/locks, the one that its name's hash says, locked
 * with an open file description of its own. The kernel lets go of it when its holder dies,
 * however that happens. Who waits looks again every 50 ms, or when somebody in this process
 * let go of something.
 *
 * Who holds one waits for none but those of layers below, so that no ring comes about.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_WORKLOCK_H
#define SLIPWAY_CORE_STORE_WORKLOCK_H

#include "core/store/worker_priv.h"

/** sw__work_lock - wait for the lock @name. *fd: handed back; closed by sw__work_unlock().
 *  Errors: SW_E_CANCELLED, SW_E_IO. */
SW_NODISCARD sw_err *sw__work_lock(sw_worker *w, sw_ctx *ctx, const char *name, int *fd);
/** sw__work_trylock - *fd -1: somebody else has it. */
SW_NODISCARD sw_err *sw__work_trylock(sw_worker *w, const char *name, int *fd);
void sw__work_unlock(sw_worker *w, int fd);

#endif
