/*
 * slipway/id.h - random identifiers: 25 characters of base 36, from getrandom(2).
 */
#ifndef SLIPWAY_ID_H
#define SLIPWAY_ID_H

#include <slipway/error.h>

SW_BEGIN_DECLS

#define SW_ID_LEN  25
#define SW_ID_SIZE (SW_ID_LEN + 1)

/** sw_id_new - a fresh id into @out, which is returned. Ends the program when the kernel
 *  has no random numbers, which it always has after boot. Thread: any. */
SW_API const char *sw_id_new(char out[SW_ID_SIZE]);

/** sw_id_check - whether @s may be used as an id in a path: 1 to 128 characters of
 *  [A-Za-z0-9_.-], not starting with '.' or '-'. Errors: SW_E_INVALID, naming @what. */
SW_API SW_NODISCARD sw_err *sw_id_check(const char *what, const char *s);

SW_END_DECLS
#endif
