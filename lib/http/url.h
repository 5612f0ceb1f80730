/*
 * lib/http/url.h - URLs: where an answer sends us, who may see credentials, how to show
 * one.
 *
 * Pure; any thread. Input is hostile.
 */
#ifndef SLIPWAY_LIB_HTTP_URL_H
#define SLIPWAY_LIB_HTTP_URL_H

#include <slipway/buf.h>

/** sw__url_usable - Errors: SW_E_UNSUPPORTED: libcurl, whose parser takes them apart,
 * cannot be opened; to all functions below every text is no URL then. */
SW_NODISCARD sw_err *sw__url_usable(void);
/** sw__url_join - @to as seen from @from, without its fragment. @to may not name a user.
 *  @down: it leads from https to http.   Errors: SW_E_REMOTE: it cannot be followed. */
SW_NODISCARD sw_err *sw__url_join(const char *from, const char *to, char **out, bool *down);
/** sw__url_refused - an error that says of @to, its query left out, why not. */
SW_NODISCARD sw_err *sw__url_refused(const char *to, const char *why);
/** sw__url_same_origin - whether both have one scheme, host and port. */
bool sw__url_same_origin(const char *a, const char *b);
/** sw__url_host - "host" and "port" of a URL, from malloc; the port is its scheme's own
 *  where none is named. False: it is no URL. */
bool sw__url_host(const char *url, char **host, char **port);
/** sw__url_tidy - an http or https URL as it can be sent: what may not stand in one is
 *  percent-encoded, the fragment left out. NULL: it is none. From malloc. */
char *sw__url_tidy(const char *url);
/** sw__url_path - decoded; NULL: control characters are in it. From malloc. */
char *sw__url_path(const char *url);
/** sw__url_shown - for messages: without user, password, query and fragment, printable. */
void sw__url_shown(const char *url, sw_buf *out);

/** sw__host_is_local - whether a host, its port aside, is this machine. */
bool sw__host_is_local(const char *name);

/** sw__printable - append text from outside for a message: control bytes and what is not
 *  UTF-8 are shown as \xNN, cut after @max bytes. */
void sw__printable(sw_buf *b, const char *s, size_t n, size_t max);

struct sockaddr;
/** sw__addr_is_near - whether it is this machine's, or of a link it is on: loopback,
 *  unspecified and link-local addresses, where services listen that trust whoever can reach
 *  them. */
bool sw__addr_is_near(const struct sockaddr *a);
/** sw__ip_is_near - the same for text, "127.0.0.1" or "[::1]"; false: it is another, or a
 *  name. */
bool sw__ip_is_near(const char *text);

#endif
