/*
 * plugins/source-http/trip.h - requests for one file, and what answers say of it.
 */
#ifndef SLIPWAY_SOURCE_HTTP_TRIP_H
#define SLIPWAY_SOURCE_HTTP_TRIP_H

#include "plugins/source-http/http.h"

struct trip {
        const struct asking *a;
        sw_buf auth; /* a header line; empty: no credentials */
        bool warned; /* that it leads from https to http */
};
void trip_release(struct trip *t);
typedef struct trip trip;
SW_DEFINE_AUTO(trip, trip_release)

/** trip_begin - find the credentials, once. Errors: a secret that is named is not there. */
SW_NODISCARD sw_err *trip_begin(struct trip *t);
/** trip_request - @q: method and sink; @extra: further header lines. Redirects are
 *  followed. */
SW_NODISCARD sw_err *trip_request(struct trip *t, struct sw__http_request *q,
                                  const sw_strlist *extra, struct sw__http_answer *ans);

/** head_read - everything but the digest. */
void head_read(const struct sw__http_answer *ans, struct content *out);
/** head_ask - If-None-Match, if there is an ETag to name. */
void head_ask(sw_strlist *headers, const contents *known);
/** head_match - which of @known the answer is about; -1: none. */
int head_match(const struct sw__http_answer *ans, const contents *known);
/** head_known - @k, which still holds, with the name that the answer gives it. */
void head_known(const struct sw__http_answer *ans, const struct content *k,
                struct content *out);

#endif
