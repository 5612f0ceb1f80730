/* tests/fake-plugins/exporter_no_descriptor.c - a fine module, but no plugin. */
#include <slipway/api.h>

SW_API int fake_answer(void);

int
fake_answer(void)
{
        return 42;
}
