/*
 * core/store/spare.h - room on the disk for the metadata when there is no other.
 *
 * What fills a disk is removed by transactions, and those need room themselves. So a file
 * lies beside data.mdb that nobody reads: when the disk is full, it gives way to the
 * transaction that is about to begin; whoever opens the environment when there is plenty of
 * room makes it anew. Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_SPARE_H
#define SLIPWAY_CORE_STORE_SPARE_H

#include <stdbool.h>

#define SW__SPARE_NAME "spare"
#define SW__SPARE_SIZE (1 << 20)

/** sw__spare_make - in the directory @dirfd, where it is not there and the disk has plenty
 * of room. Nothing depends on it, so nothing is told. */
void sw__spare_make(int dirfd);
/** sw__spare_use - before something is written: the disk gets its blocks if it is nearly
 *  full. */
void sw__spare_use(int dirfd);
/** sw__spare_disk_is_full - whether there is no room for anything. */
bool sw__spare_disk_is_full(int dirfd);

#endif
