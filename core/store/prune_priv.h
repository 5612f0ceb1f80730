/*
 * core/store/prune_priv.h - limits and the disk, for prune.c, gc.c and their tests.
 */
#ifndef SLIPWAY_CORE_STORE_PRUNE_PRIV_H
#define SLIPWAY_CORE_STORE_PRUNE_PRIV_H

#include "core/store/refs.h"

struct sw__disk {
        int64_t total, free; /* bytes; free: to others than root */
};

SW_NODISCARD sw_err *sw__disk_stat(int rootfd, struct sw__disk *out);
/** sw__prune_keep - bytes that may stay, with at least one of the limits set. */
SW_API int64_t sw__prune_keep(const struct sw_prune_opts *o, int64_t total,
                              int64_t disk_free);
/** sw__survey_total - bytes that everything takes up. */
SW_NODISCARD sw_err *sw__survey_total(sw_worker *w, sw_ctx *ctx, int64_t *total);
/** sw__alone - whether nobody else has the root in use, and this process holds nothing. */
SW_NODISCARD sw_err *sw__alone(sw_worker *w, bool *out);
/** sw__part_empty - remove what is in a part, such as "content" (but for what is wanted of
 *  it) or "state/source/local". *size: that of the part; then what was removed of it. */
SW_NODISCARD sw_err *sw__part_empty(sw_worker *w, sw_ctx *ctx, const char *path,
                                    int64_t *size);

/** sw__logs_age - remove logs of builds that are both older than @max_age (ns) and not
 * among the newest @keep. */
SW_API SW_NODISCARD sw_err *sw__logs_age(sw_worker *w, size_t keep, int64_t max_age);

#endif
