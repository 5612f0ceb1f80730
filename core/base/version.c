/*
 * core/base/version.c - the version of the library.
 */
#include <slipway/api.h>

#define STR_(x) #x
#define STR(x)  STR_(x)

const char *
sw_version(void)
{
        return STR(SW_VERSION_MAJOR) "." STR(SW_VERSION_MINOR) "." STR(SW_VERSION_PATCH);
}
