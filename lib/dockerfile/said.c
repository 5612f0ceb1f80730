/* lib/dockerfile/said.c - see said.h. */
#include <stdarg.h>

#include <slipway/buf.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/said.h"

/* Bytes of a message that are shown, and when most of them have to be escaped. */
enum { SHOWN_MAX = 600, ESCAPED_MAX = 100 };

static void
show(const sw_buf *text, sw_buf *out)
{
        sw__buf_add_escaped(out, text->data, text->len, SHOWN_MAX, 0);
        if (out->len <= (text->len < SHOWN_MAX ? text->len : SHOWN_MAX) + ESCAPED_MAX)
                return;
        sw_buf_clear(out);
        sw__buf_add_escaped(out, text->data, text->len, ESCAPED_MAX, 0);
}

sw_err *
sw_df_err_at(struct sw_place place, enum sw_code code, const char *fmt, ...)
{
        sw_auto(sw_buf) text = SW_BUF_INIT, shown = SW_BUF_INIT;
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(&text, fmt, ap);
        va_end(ap);
        show(&text, &shown);
        return sw_err_new_at(place, code, 0, "%s", shown.data);
}

sw_err *
sw_df_wrap_at(struct sw_place place, sw_err *err, const char *fmt, ...)
{
        sw_auto(sw_buf) text = SW_BUF_INIT, shown = SW_BUF_INIT;
        va_list ap;

        if (!err)
                return SW_OK;
        va_start(ap, fmt);
        sw_buf_vaddf(&text, fmt, ap);
        va_end(ap);
        show(&text, &shown);
        return sw_err_wrap_at(place, err, "%s", shown.data);
}
