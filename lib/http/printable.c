/*
 * lib/http/printable.c - text from outside, for messages.
 */
#include <slipway/text.h>

#include "lib/http/url.h"

void
sw__printable(sw_buf *b, const char *s, size_t n, size_t max)
{
        sw_auto(sw_buf) quoted = SW_BUF_INIT;

        sw_buf_add_quoted(&quoted, s, n, max);
        sw_buf_add(b, quoted.data + 1, quoted.len - 2);
}
