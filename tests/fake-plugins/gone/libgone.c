/* tests/fake-plugins/gone/libgone.c - a library that exporter_no_library needs and that the
 * dynamic linker cannot find, as it is not installed. */
#include <slipway/api.h>

SW_API int fake_gone(void);

int
fake_gone(void)
{
        return 1;
}
