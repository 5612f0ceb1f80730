/*
 * slipway/time.h - times are int64_t nanoseconds since the epoch, UTC; durations are
 * int64_t nanoseconds. Text is RFC 3339 with as many fraction digits as needed (Go's
 * RFC3339Nano), and Go's duration syntax ("1h30m", "250ms"). Thread: any; no state.
 */
#ifndef SLIPWAY_TIME_H
#define SLIPWAY_TIME_H

#include <time.h>

#include <slipway/error.h>

SW_BEGIN_DECLS

#define SW_NS_PER_MS     INT64_C(1000000)
#define SW_NS_PER_SEC    INT64_C(1000000000)
#define SW_TIME_STR_SIZE 40

/** sw_time_now - wall clock. */
SW_API int64_t sw_time_now(void);
/** sw_time_mono - monotonic clock, for durations. */
SW_API int64_t sw_time_mono(void);

/** sw_time_from_spec - the time as struct stat and the clocks have it. What int64_t cannot
 *  hold (before 1677, after 2262; some file systems can) becomes the nearest it can. @ts:
 * tv_nsec in 0..999999999.   Since: 0.1 */
SW_API int64_t sw_time_from_spec(const struct timespec *ts);

/** sw_time_to_spec - the reverse, for utimensat(2) and waiting until then; tv_nsec counts
 *  forward before 1970, too.   Since: 0.1 */
SW_API struct timespec sw_time_to_spec(int64_t ns);

/** sw_time_str - "2026-11-21T08:30:00.25Z" into @out, which is returned.
 *  Years outside 0000..9999 cannot come up: int64 ns spans 1677..2262. */
SW_API const char *sw_time_str(int64_t ns, char out[SW_TIME_STR_SIZE]);

/** sw_time_parse - RFC 3339, any offset, up to nine fraction digits kept (more are
 *  dropped); leap second 60 is accepted as 59.999999999. Errors: SW_E_INVALID; SW_E_LIMIT
 *  for a time that is well formed but outside 1677..2262, such as Go's zero time
 *  0001-01-01T00:00:00Z, which tools write where they know no time. */
SW_API SW_NODISCARD sw_err *sw_time_parse(const char *s, int64_t *out);

/** sw_duration_parse - Go syntax; a bare integer is seconds (sign allowed). Errors:
 * SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_duration_parse(const char *s, int64_t *out);

/** sw_duration_str - Go's form: "1h30m0s", "1.5s", "250ms", "0s". */
SW_API const char *sw_duration_str(int64_t ns, char out[SW_TIME_STR_SIZE]);

SW_END_DECLS
#endif
