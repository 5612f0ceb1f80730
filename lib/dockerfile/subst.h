/*
 * lib/dockerfile/subst.h - ${v#p} ${v%p} ${v/p/r}: patterns over the values of variables.
 * Private.
 *
 * In a pattern * is any characters and ? any one, neither a line end; a backslash takes
 * their meaning from *, ? and itself, and stands before } and / unseen.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_SUBST_H
#define SLIPWAY_LIB_DOCKERFILE_SUBST_H

#include <slipway/buf.h>

/* Where a pattern may match a value; greedy: as much of it as possible. */
enum sw_df_trim { SW_DF_TRIM_PREFIX, SW_DF_TRIM_SUFFIX };

/** sw_df_subst_trim - append @value without what @pattern matches at that end.
 *  Errors: SW_E_INVALID, SW_E_LIMIT. */
SW_NODISCARD sw_err *sw_df_subst_trim(enum sw_df_trim side, bool greedy,
                                      const char *pattern, const char *value, sw_buf *out);
/** sw_df_subst_replace - append @value with the first match, or all, replaced; no more than
 *  @max bytes. Errors: SW_E_INVALID, SW_E_LIMIT. */
SW_NODISCARD sw_err *sw_df_subst_replace(bool all, const char *pattern, const char *value,
                                         const char *with, size_t max, sw_buf *out);

#endif
