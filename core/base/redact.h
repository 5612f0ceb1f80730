/*
 * core/base/redact.h - what is not to be shown or kept of what people typed. Thread: any.
 */
#ifndef SLIPWAY_CORE_BASE_REDACT_H
#define SLIPWAY_CORE_BASE_REDACT_H

#include <slipway/api.h>

/** sw__redact - @s as valid UTF-8, user names and passwords of URLs replaced by xxxxx; from
 *  malloc. */
SW_API char *sw__redact(const char *s);
/** sw__redact_value - the same for the value of an option; one whose name says that it is a
 *  secret is replaced whole. */
SW_API char *sw__redact_value(const char *key, const char *value);

#endif
