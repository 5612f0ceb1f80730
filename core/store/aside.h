/*
 * core/store/aside.h - files of the store that are of no use any more are not deleted but
 * set aside, so that somebody can look what happened to them.
 *
 * "data.mdb" becomes "data.mdb.damaged-2026-11-21T08:30:00.25Z", or with ".1" behind it
 * where that is taken. Only the newest SW_ASIDE_KEPT of each name stay: disks are finite,
 * and whoever did not look at the last three will not look at a fourth.
 */
#ifndef SLIPWAY_CORE_STORE_ASIDE_H
#define SLIPWAY_CORE_STORE_ASIDE_H

#include <slipway/error.h>
#include <slipway/log.h>

#define SW_ASIDE_KEPT 3

/** sw__set_aside - rename @name, in @dirfd, and remove the oldest of those before it. Such
 *  as cannot be removed are told to @log (may be NULL) and stay. @now_named: the new name,
 *  from malloc. Of two callers at once for one name, one gets SW_E_NOT_FOUND.
 *  Errors: SW_E_DENIED, SW_E_NOT_FOUND, SW_E_IO. Thread: any. */
SW_API SW_NODISCARD sw_err *sw__set_aside(int dirfd, const char *name, sw_log *log,
                                          char **now_named);

#endif
