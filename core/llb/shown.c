/*
 * core/llb/shown.c - see shown.h. Thread: any.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>

#include "core/llb/shown.h"

struct sw__llb_shown
sw__llb_shown(const char *s)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct sw__llb_shown shown;

        sw_buf_add_quoted(&b, s, strlen(s), SHOWN_MAX);
        (void) snprintf(shown.text, sizeof(shown.text), "%s", b.data);
        return shown;
}
