/*
 * core/store/listing.h - opening below a directory without following any symlink.
 */
#ifndef SLIPWAY_CORE_STORE_LISTING_H
#define SLIPWAY_CORE_STORE_LISTING_H

#include <slipway/api.h>

/* openat(2) with no symlink followed on the way nor at the end, and nothing outside of
 * @dirfd; -1 with errno. A kernel without openat2(2) follows symlinks on the way, within
 * @dirfd: who minds looks at what was opened. */
SW_API int sw__open_beneath(int dirfd, const char *path, int flags);

#endif
