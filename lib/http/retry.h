/*
 * lib/http/retry.h - whether, and after which time, to try again.
 */
#ifndef SLIPWAY_LIB_HTTP_RETRY_H
#define SLIPWAY_LIB_HTTP_RETRY_H

#include "lib/http/http.h"

/** sw__is_passing - whether a status is one that is tried again. */
bool sw__is_passing(long status);
/** sw__retry_after - seconds that an answer asks for; -1: it does not. */
int64_t sw__retry_after(const struct sw__http_answer *a);
/** sw__backoff - ns to wait after @tries that failed: twice as long each time from
 *  @first_ns on, and between half of it and all of it. */
int64_t sw__backoff(int64_t first_ns, int tries);
/** sw__status_name - "404 Not Found"; NULL: of one that is not usual. Static. */
const char *sw__status_name(long status);

#endif
