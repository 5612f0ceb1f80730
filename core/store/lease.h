/*
 * core/store/lease.h - leases: who lives, and what the dead held.
 *
 * A process that holds refs owns one lease: a file below <root>/leases with an exclusive
 * flock(2) on it, made when the first ref is held. The kernel lets go of the lock when the
 * process dies, however it dies; whoever can take it then sweeps: pairs of that lease go,
 * its active layers are removed, mutable refs it had taken are free again, its file goes
 * last, so that a sweep that is killed is done again.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_LEASE_H
#define SLIPWAY_CORE_STORE_LEASE_H

#include "core/store/record.h"

typedef struct sw__lease {
        char id[SW_ID_SIZE];
        int fd; /* locked */
} sw__lease;

/** sw__lease_take - a new one in @dirfd (<root>/leases). */
SW_NODISCARD sw_err *sw__lease_take(int dirfd, sw__lease *out);
/** sw__lease_drop - its pairs are gone. */
void sw__lease_drop(int dirfd, sw__lease *l);
/** sw__lease_sweep - all leases whose owners are dead, but for @own (may be NULL).
 *  @thorough: also those that only pairs tell of, whose files somebody removed. */
SW_NODISCARD sw_err *sw__lease_sweep(sw_meta *meta, int dirfd, const char *own,
                                     bool thorough);

/** sw__lease_others - whether a live process other than the owner of @own has one. */
SW_NODISCARD sw_err *sw__lease_others(int dirfd, const char *own, bool *any);

#endif
