/*
 * core/llb/check.c - complaints about a definition: the reference's words where it has
 * some, then the vertex and the field in parentheses.
 *
 * Thread: any.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/llb/llb_priv.h"

struct sw__llb_check *
sw__llb_at(struct sw__llb_check *c, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(c->field, sizeof(c->field), fmt, ap);
        va_end(ap);
        return c;
}

sw_err *
sw__llb_bad(struct sw__llb_check *c, const char *fmt, ...)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        va_list ap;
        sw_err *err;

        va_start(ap, fmt);
        sw_buf_vaddf(&b, fmt, ap);
        va_end(ap);
        err = sw_err_new(SW_E_INVALID, "%s (vertex %s, %s)", b.data, c->digest, c->field);
        sw_err_set_vertex(err, c->digest);
        return err;
}

bool
sw__llb_has_input(const struct sw__llb_check *c, int64_t i, bool may_be_empty)
{
        return (i >= 0 && (uint64_t) i < c->op->n_inputs) || (i == -1 && may_be_empty);
}

sw_err *
sw__llb_no_input(struct sw__llb_check *c, int64_t i)
{
        return sw__llb_bad(c, "invalid input index %" PRId64 ", %zu provided", i,
                           c->op->n_inputs);
}
