/*
 * plugins/source-http/name.h - what headers say, taken apart. Pure; input is hostile.
 */
#ifndef SLIPWAY_SOURCE_HTTP_NAME_H
#define SLIPWAY_SOURCE_HTTP_NAME_H

#include <slipway/api.h>
#include <slipway/buf.h>

/** name_of_disposition - the file name in a Content-Disposition header (RFC 6266), as it
 *  stands there; NULL: none, or the header is malformed. From malloc. */
char *name_of_disposition(const char *header);

/** date_parse - an HTTP date, in the three forms of RFC 9110. @out: s since the epoch. */
bool date_parse(const char *s, int64_t *out);
/** date_add - "Mon, 02 Jan 2006 15:04:05 GMT". */
void date_add(sw_buf *b, int64_t seconds);

/** etag_add - append an entity tag as it is compared: without W/. Nothing if it is none. */
void etag_add(sw_buf *b, const char *s);

#endif
